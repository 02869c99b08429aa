//! Adapters for tests: a store in memory with the contract that every store keeps, time and chance that
//! repeat. Behind the feature `testing`, never in production.

pub mod ear;
mod manual_clock;
mod memory_callbacks;
mod memory_ledger;
pub mod memory_store;
mod seeded_entropy;
pub mod store_contract;

pub use manual_clock::ManualClock;
pub use memory_store::MemoryStore;
pub use seeded_entropy::SeededEntropy;

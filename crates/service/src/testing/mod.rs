//! What the tests of this crate and of others run on.

pub mod memory_store;
pub mod store_contract;

pub use memory_store::MemoryStore;

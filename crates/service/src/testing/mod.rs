//! Adapters for tests: time and chance that repeat. Behind the feature `testing`, never in production.

mod manual_clock;
mod seeded_entropy;

pub use manual_clock::ManualClock;
pub use seeded_entropy::SeededEntropy;

//! Use cases and the ports they call.
//!
//! A use case loads records, lets [`registration::decide`] decide, and commits record, events and sends
//! in one unit with compare-and-set and a bounded retry; no rule is checked outside that loop. Adapters
//! for the ports live in other crates; those for tests live in [`testing`].

pub mod audit;
pub mod certificate;
pub mod directory;
pub mod hashing;
pub mod keys;
pub mod message_text;
pub mod numbering;
pub mod ports;
pub mod sealing;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

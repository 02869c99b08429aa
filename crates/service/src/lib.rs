//! Use cases and the ports they call.
//!
//! A use case loads records, lets [`registration::decide`] decide, and commits record, events and sends
//! in one unit with compare-and-set and a bounded retry; no rule is checked outside that loop
//! (`execute.rs`). Adapters for the ports live in other crates; those for tests live in `testing`.

pub mod access_keys;
pub mod acs3;
pub mod audit;
pub mod backup;
pub mod binding;
pub mod callbacks;
pub mod caller;
pub mod certificate;
mod claim_documents;
mod claim_ids;
pub mod clients;
pub mod conversion;
pub mod coreapp;
mod crowding;
#[cfg(test)]
mod delivery_tests;
pub mod directory;
pub mod error;
pub mod execute;
pub mod explain;
pub mod fault;
mod forward;
pub mod graph_tokens;
pub mod graph_usage;
pub mod hashing;
pub mod idempotency;
pub mod key_marks;
pub mod keys;
pub mod login;
pub mod mails;
pub mod message_text;
mod migration;
pub mod moving_window;
pub mod names;
pub mod nonces;
pub mod numbering;
pub mod numbers;
pub mod operators;
pub mod pin_reset;
pub mod policy;
pub mod ports;
mod proposals;
pub mod queries;
pub mod ram;
mod receipts;
pub mod sealing;
pub mod seed;
mod service;
pub mod speech;
pub mod spending;
pub mod standing;
pub mod tallies;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod throttle;
pub mod turns_of_others;
pub mod upkeep;
pub mod upstream_news;
pub mod upstreams;
pub mod usage;
pub mod worker;

pub use caller::Caller;
pub use error::{Refused, ServiceError, Unavailable};
pub use policy::{Allowance, CallbackPolicy, OperationRates, Policy, RamDenial, Repeat};
pub use service::{Ports, Service};

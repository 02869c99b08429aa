//! The operator's API over the router, with an in-memory store and a clock that is turned by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod access_keys;
mod audit;
mod certificates;
mod clients;
mod directory;
mod document;
mod harness;
mod idempotency;
mod installation;
mod live;
mod names;
mod numbers;
mod policies;
mod sends;
mod users;

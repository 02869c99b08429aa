//! The CAMS dialect: captured requests of the official SDKs, and the gateway over an in-memory store
//! with a clock that is turned by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fixtures;
mod gateway;
mod harness;
mod life;
mod permissions;
mod replays;
mod signatures;
mod webhooks;

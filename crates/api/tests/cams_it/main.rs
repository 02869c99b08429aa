//! The CAMS dialect: captured requests of the official SDKs, and the gateway over an in-memory store
//! with a clock that is turned by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod dialects;
mod fixtures;
mod gateway;
mod harness;
mod isolation;
mod life;
mod migration;
mod permissions;
mod profiles;
mod replays;
mod shapes;
mod signatures;
mod webhooks;

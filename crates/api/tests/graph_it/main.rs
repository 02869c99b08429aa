//! The Graph dialect, from request to answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod description;
mod documents;
mod harness;
mod hostile;
mod life;
mod lists;
mod names;
mod table;
mod tenants;
mod throttle;
mod webhooks;

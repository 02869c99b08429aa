//! The Graph dialect: what clients of Meta's Cloud API speak to register numbers.
//!
//! Follows Meta's public documentation, its published OpenAPI description and requests captured from public
//! clients, as collected in the project's Cloud API reference; section numbers in comments are that
//! document's. `gateway` finds out who calls, for what, and whether it may; `wabas` and `numbers` carry
//! out; [`reply`] renders. The words of refusals are in [`crate::refusals`], those of everything else in
//! [`codes`].

pub mod call;
pub mod codes;
pub mod failure;
pub mod fields;
pub mod gateway;
pub mod json;
mod list;
mod node;
mod numbers;
pub mod parameters;
mod path;
pub mod reply;
mod tokens;
mod usage;
mod wabas;
mod webhooks;

/// Whether a path belongs to this dialect.
#[must_use]
pub fn is_ours(path: &str) -> bool {
    path::Path::parse(path).is_some()
}

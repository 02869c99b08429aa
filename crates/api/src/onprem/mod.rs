//! The On-Premises dialect: what programs written for the retired WhatsApp Business client speak.
//!
//! Follows Meta's On-Premises API reference (account, users, settings, health, support, stats,
//! certificates) and captures of real deployments, as collected in the project's On-Premises reference;
//! section numbers in comments are that document's. Handlers parse, call one use case, and render; they
//! hold no rule. The words of refusals are in [`crate::refusals`].
//!
//! Codes of the original that never occur here: 1017 and 1018, since every node serves every request;
//! 1010, since keys that are not needed are ignored; and all that concern messages.

pub mod account;
pub mod backup;
pub mod call;
pub mod certificates;
pub mod health;
pub mod json;
pub mod media_providers;
pub mod nodes;
pub mod photo;
pub mod rejected;
pub mod reply;
pub mod sealed;
pub mod settings;
pub mod sheet;
pub mod stats;
pub mod strict;
pub mod support;
pub mod users;

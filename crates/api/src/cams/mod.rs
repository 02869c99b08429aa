//! The CAMS dialect: what clients of Alibaba Cloud's Chat App Message Service (2020-06-06) speak.
//!
//! Follows the public documentation of the service and requests captured from its official SDKs, as
//! collected in the project's CAMS reference; section numbers in comments are that document's. One path,
//! `/`, serves every operation (RPC style): [`gateway`] authenticates and orders the checks,
//! [`operations`] carries out, [`reply`] renders. The words of refusals are in [`crate::refusals`], those
//! of everything else in [`codes`].

pub mod call;
pub mod codes;
pub mod failure;
pub mod gateway;
mod health;
mod locales;
mod migration;
mod numbers;
pub mod operation;
pub mod operations;
pub mod parameters;
pub mod permission;
mod profiles;
pub mod reply;
pub mod signature;
pub mod signing;
mod signup;
mod spaces;
mod wabas;
mod webhooks;
mod xml;

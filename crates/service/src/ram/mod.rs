//! RAM (Resource Access Management): who may call what, in the policy language of Alibaba Cloud.
//!
//! ```text
//! text ──parse──▶ PolicyDocument ─┐
//! system policies ────────────────┼─▶ [RamPolicy] ──evaluate──▶ Decision
//! principal, request ─────────────┘               └──explain───▶ Decision, and why not the others
//! ```
//!
//! The language is pure: values in, values out. Only `administration.rs` and `effective.rs` touch the
//! store: they keep users, groups and policies, and hand the policies of a user to whoever asks. Follows
//! the CAMS reference, section 7; where that is silent:
//!
//! - Action names and condition keys are compared without regard to case (ASCII), resources exactly.
//! - A negated operator with several values holds if *none* of them fits: it is the opposite of the plain
//!   one. So a missing key, which no plain operator matches, is matched by every negated one.
//! - Each step (control, session, identity) ends the evaluation if it denies, also implicitly; a step
//!   without policies is skipped, except identity.

pub mod administration;
mod condition;
mod denied;
mod document;
mod effective;
mod evaluate;
mod json;
mod keys;
mod name;
mod network;
mod parse;
mod request;
mod resource;
mod system;
#[cfg(test)]
mod tests;
mod value;
mod wildcard;

pub use administration::{Holder, Linked, Removal, Saved};
pub use condition::{Condition, Operator};
pub use denied::{AccessDeniedDetail, DECODE_DIAGNOSTIC_MESSAGE, authorize};
pub use document::{Actions, Effect, PolicyDocument, Statement};
pub use effective::CompiledPolicies;
pub use evaluate::{
    Considered, Decision, Denial, Explanation, Finding, Mismatch, NoPermissionType, Permit,
    PolicyType, RamPolicy, StatementRef, evaluate, explain,
};
pub use name::RamName;
pub use network::Network;
pub use parse::{CHARS_MAX, Fault, PolicyError};
pub use request::{Context, Identity, Principal, PrincipalType, Request};
pub use resource::{ResourceName, ResourcePattern};
pub use system::SystemPolicy;
pub use value::Decimal;
pub use wildcard::{Case, Pattern};

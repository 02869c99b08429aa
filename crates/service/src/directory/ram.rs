//! Who may do what in an account: RAM users, groups, policies.

use registration::{AccountId, Timestamp};

use crate::ram::RamName;

/// A user of an account, who may do what its policies and those of its groups allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RamUser {
    /// Whose user.
    pub account: AccountId,
    /// Its name, which policies and refusals use.
    pub name: RamName,
    /// Name for people.
    pub display_name: String,
    /// Names of the policies attached to it, system policies among them.
    pub policies: Vec<RamName>,
    /// The groups that it is in.
    pub groups: Vec<RamName>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Users who share policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Whose group.
    pub account: AccountId,
    /// Its name.
    pub name: RamName,
    /// Name for people.
    pub display_name: String,
    /// Names of the policies attached to it, system policies among them.
    pub policies: Vec<RamName>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A policy that an account wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomPolicy {
    /// Whose policy.
    pub account: AccountId,
    /// Its name.
    pub name: RamName,
    /// Its text as it was written; checked before it is stored.
    pub document: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its text was written.
    pub updated_at: Timestamp,
}

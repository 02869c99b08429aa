//! Names of users, groups and policies.

use core::fmt;

use registration::{AccountId, TextId};

/// The name of a RAM user, a group or a policy: an identifier, unique within its account and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RamName(Box<str>);

impl TextId for RamName {
    fn parse(text: &str) -> Option<Self> {
        // The form of an identifier is the same for all of them and has one home.
        AccountId::parse(text).map(|id| Self(id.as_str().into()))
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

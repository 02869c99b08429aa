//! What is thought of a display name: asked for, approved or declined, in force.
//!
//! The name of a claim that holds nothing is under review itself. A registered number keeps the name it was
//! registered under: a new one waits beside it, and takes its place at the next registration if it was
//! approved and that comes in time.

use crate::{Timestamp, VerifiedName};

/// What was found about a display name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameReview {
    /// Nobody has looked at it yet.
    Pending,
    /// It may be shown.
    Approved {
        /// Since when.
        at: Timestamp,
    },
    /// It may not be shown.
    Declined {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: NameFault,
    },
}

/// Why a display name is declined (Cloud API reference §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// It is that of an employee.
    Employee,
    /// It has nothing to do with the business.
    Unrelated,
    /// It has a form that names do not have.
    Format,
    /// It is that of a person.
    Individual,
    /// The business is called otherwise elsewhere.
    Inconsistent,
    /// None of these.
    Unknown,
}

impl NameFault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Employee,
        Self::Unrelated,
        Self::Format,
        Self::Individual,
        Self::Inconsistent,
        Self::Unknown,
    ];

    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Unrelated => "unrelated",
            Self::Format => "format",
            Self::Individual => "individual",
            Self::Inconsistent => "inconsistent",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == text)
    }
}

/// A display name that shall take the place of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName {
    /// The name.
    pub name: VerifiedName,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What was found about it.
    pub review: NameReview,
    /// Until when a registration puts it in force, once it is approved.
    pub until: Timestamp,
}

impl NewName {
    /// Whether a registration at `now` puts it in force.
    #[must_use]
    pub fn is_ready(&self, now: Timestamp) -> bool {
        matches!(self.review, NameReview::Approved { .. }) && now < self.until
    }
}

/// What an operator, or whoever stands in for one, says about a display name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameVerdict {
    /// It may be shown; a name that waits for its place has it if it is registered until then.
    Approve {
        /// Until when.
        until: Timestamp,
    },
    /// It may not.
    Decline(NameFault),
}

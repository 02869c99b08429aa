//! Who may log in to the console.

use registration::Timestamp;

/// What somebody may do in the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorRole {
    /// Everything.
    Operator,
    /// Look at everything, change nothing.
    Auditor,
}

impl OperatorRole {
    /// The word on the wire and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Operator, Self::Auditor].into_iter().find(|role| role.as_str() == word)
    }
}

/// Somebody who logs in to the console with a name and a password; see [`crate::operators`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Unique in the installation.
    pub name: String,
    /// What it may do.
    pub role: OperatorRole,
    /// Argon2id, as a PHC string.
    pub password: String,
    /// When password or role was set: logins from before have ended.
    pub changed_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A login to the console that was ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedLogin {
    /// The login's random name.
    pub id: String,
    /// When the login would have ended by itself.
    pub expires_at: Timestamp,
}

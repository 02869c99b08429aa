//! The three ways in which a use case does not do what was asked.

use registration::{PhoneNumber, Refusal, Timestamp};

use crate::hashing::HashError;
use crate::ports::{EventId, StoreError};

/// Why a use case did not do what was asked. Malformed input never gets this far: that is the
/// dialect's own error.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A rule says no. A normal answer.
    #[error("refused: {}", .0.refusal.id())]
    Refused(Refused),
    /// A part is missing at the moment; the same request may work later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// An invariant does not hold. Fails this request, is logged, and leaves the server up.
    #[error("bug: {0}")]
    Bug(String),
}

/// A refusal and where it is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which rule said no.
    pub refusal: Refusal,
    /// The event in the audit trail that explains this very refusal, if one was written.
    pub id: Option<EventId>,
    /// The number concerned, where one is.
    pub number: Option<PhoneNumber>,
    /// When it was refused.
    pub at: Timestamp,
}

/// What is missing at the moment.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Every worker for slow hashes is busy and the line is full.
    #[error("too many password and PIN checks at once")]
    Hashing(#[source] HashError),
    /// Others changed the same record so often that this request gave up.
    #[error("the record changed {attempts} times while it was being decided")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// Coreapp of the client is restarting.
    #[error("Coreapp is restarting")]
    CoreappRestarting,
    /// The mail server.
    #[error("the mail was not taken")]
    Mail,
    /// The registrar upstream, or what this request left open there.
    #[error("the registrar upstream: {reason}")]
    Upstream {
        /// What happened.
        reason: String,
    },
    /// A rehearsed fault of the sandbox.
    #[error("a rehearsed fault")]
    Rehearsed,
    /// A rehearsed fault of the sandbox that cuts the connection.
    #[error("a rehearsed loss of the connection")]
    RehearsedDrop,
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Unavailable::Store(error))
    }
}

impl From<HashError> for ServiceError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Unavailable(Unavailable::Hashing(error)),
            HashError::Corrupt | HashError::UnknownEpoch(_) | HashError::Failed => {
                Self::Bug(error.to_string())
            }
        }
    }
}

//! What can go wrong behind the port, and what the caller hears of it.

use registration::Timestamp;
use rusqlite::ffi;
use service::ports::{CommitError, StoreError};

use crate::row::BadRow;

/// Why a statement, a unit or a batch failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A version or a uniqueness rule: another change came first.
    #[error("another change came first")]
    Conflict,
    /// An allowance is used up.
    #[error("the allowance {key} is used up")]
    Throttled { key: String, opens_at: Timestamp },
    /// A budget has not got so much left.
    #[error("the budget {key} is spent")]
    Overspent { key: String, resets_at: Timestamp },
    /// Something that may happen once has happened already.
    #[error("{key} was used already")]
    Repeated { key: String },
    /// A row is not as this program writes it.
    #[error(transparent)]
    Row(#[from] BadRow),
    /// SQLite said no.
    #[error("SQLite failed")]
    Sql(#[source] rusqlite::Error),
    /// The transaction that this work was part of did not reach the disk.
    #[error("the transaction was rolled back: {0}")]
    RolledBack(String),
    /// What was last given to the disk did not reach it.
    #[error("the last transaction did not reach the disk")]
    Failing,
    /// A file beside the database.
    #[error("cannot write {0}")]
    File(String, #[source] std::io::Error),
    /// The queue stayed full.
    #[error("too many commits are waiting")]
    Overloaded,
    /// The store was closed, or its writer could not even begin.
    #[error("the store is closed or has failed")]
    Closed,
    /// The name of a snapshot is none.
    #[error("no name for a snapshot")]
    SnapshotName,
    /// The snapshot cannot be used.
    #[error("the snapshot cannot be used: {0}")]
    Snapshot(String),
}

impl From<rusqlite::Error> for Failure {
    /// A broken promise of uniqueness or of a parent's existence means that another change came first;
    /// everything else, a violated type or `NOT NULL` too, is the store's own trouble.
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error().map(|it| it.extended_code) {
            Some(
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID
                | ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
            ) => Self::Conflict,
            _ => Self::Sql(error),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sql(error) => {
                Self { reason: "SQLite failed".into(), source: Some(Box::new(error)) }
            }
            Failure::File(file, error) => {
                Self { reason: format!("cannot write {file}"), source: Some(Box::new(error)) }
            }
            other @ (Failure::Conflict
            | Failure::Throttled { .. }
            | Failure::Overspent { .. }
            | Failure::Repeated { .. }
            | Failure::Row(_)
            | Failure::RolledBack(_)
            | Failure::Failing
            | Failure::Overloaded
            | Failure::Closed
            | Failure::SnapshotName
            | Failure::Snapshot(_)) => Self { reason: other.to_string(), source: None },
        }
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict => Self::Conflict,
            Failure::Throttled { key, opens_at } => Self::Throttled { key, opens_at },
            Failure::Overspent { key, resets_at } => Self::Overspent { key, resets_at },
            Failure::Repeated { key } => Self::Repeated { key },
            other @ (Failure::Row(_)
            | Failure::Sql(_)
            | Failure::RolledBack(_)
            | Failure::Failing
            | Failure::File(..)
            | Failure::Overloaded
            | Failure::Closed
            | Failure::SnapshotName
            | Failure::Snapshot(_)) => Self::Unavailable(other.into()),
        }
    }
}

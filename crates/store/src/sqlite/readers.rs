//! Connections for reading, used on the caller's own thread: a read takes microseconds.

use std::path::Path;
use std::sync::{Mutex, PoisonError, TryLockError};

use rusqlite::Connection;

use super::connect;
use super::failure::Failure;

/// A fixed set of read-only connections.
pub(super) struct Readers {
    connections: Box<[Mutex<Connection>]>,
}

impl Readers {
    /// Opens `count` connections, at least one.
    pub(super) fn open(path: &Path, count: usize) -> rusqlite::Result<Self> {
        let connections = (0..count.max(1)).map(|_| connect::reading(path).map(Mutex::new));
        Ok(Self { connections: connections.collect::<Result<_, _>>()? })
    }

    /// Runs `work` on the first free connection; waits for one if all are busy. Never holds it across an
    /// await.
    ///
    /// In this order and not in turn, because a connection forgets its pages at the first read after each
    /// commit: the fewer are in use, the fewer pages are read again.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(conn) => return work(&conn),
                Err(TryLockError::Poisoned(conn)) => return work(&conn.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        work(&self.connections[0].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

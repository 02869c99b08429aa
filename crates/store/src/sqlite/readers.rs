//! Connections for reading, used on the caller's own thread: a read takes microseconds.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, TryLockError};

use rusqlite::Connection;

use super::connect;
use super::failure::Failure;

/// A fixed set of read-only connections.
pub(super) struct Readers {
    connections: Box<[Mutex<Connection>]>,
    next: AtomicUsize,
}

impl Readers {
    /// Opens `count` connections, at least one.
    pub(super) fn open(path: &Path, count: usize) -> rusqlite::Result<Self> {
        let connections = (0..count.max(1)).map(|_| connect::reading(path).map(Mutex::new));
        Ok(Self { connections: connections.collect::<Result<_, _>>()?, next: AtomicUsize::new(0) })
    }

    /// Runs `work` on a free connection; waits for one if all are busy. Never holds it across an await.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let first = self.next.fetch_add(1, Relaxed);
        let count = self.connections.len();
        for place in 0..count {
            match self.connections[(first.wrapping_add(place)) % count].try_lock() {
                Ok(conn) => return work(&conn),
                Err(TryLockError::Poisoned(conn)) => return work(&conn.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let conn = &self.connections[first % count];
        work(&conn.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

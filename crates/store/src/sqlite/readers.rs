//! Connections for reading. A look-up takes microseconds and is done on the caller's own thread. A list or
//! a count may walk the whole table; it is done on a thread that serves no requests, over a connection that
//! no look-up waits for.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connect;
use super::failure::Failure;

/// Walks at once; others wait their turn.
const WALKS: usize = 2;

/// What a connection for look-ups keeps of the database, in KiB.
const LOOK_UP_CACHE_KIB: u32 = 16 * 1024;

/// The same for walks, which hardly ever read a page again.
const WALK_CACHE_KIB: u32 = 2 * 1024;

/// A fixed set of read-only connections.
pub(super) struct Readers {
    look_up: Pool,
    walk: Arc<Pool>,
    turns: Arc<Semaphore>,
}

/// Connections for one kind of reading.
struct Pool(Box<[Mutex<Connection>]>);

impl Readers {
    /// Opens `count` connections for look-ups, at least one, and those for walks.
    pub(super) fn open(path: &Path, count: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            look_up: Pool::open(path, count.max(1), LOOK_UP_CACHE_KIB)?,
            walk: Arc::new(Pool::open(path, WALKS, WALK_CACHE_KIB)?),
            turns: Arc::new(Semaphore::new(WALKS)),
        })
    }

    /// Runs a look-up here and now. Never holds a connection across an await.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.look_up.with(work)
    }

    /// Runs what may take long on a thread for such work.
    pub(super) async fn walk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Failure::Closed)?;
        let pool = Arc::clone(&self.walk);
        let walked = tokio::task::spawn_blocking(move || {
            let outcome = pool.with(work);
            // Not before: a caller that stops waiting does not stop the walk.
            drop(turn);
            outcome
        });
        walked.await.map_err(|_| Failure::Closed)?
    }
}

impl Pool {
    fn open(path: &Path, count: usize, cache_kib: u32) -> rusqlite::Result<Self> {
        let connections = (0..count).map(|_| connect::reading(path, cache_kib).map(Mutex::new));
        Ok(Self(connections.collect::<Result<_, _>>()?))
    }

    /// Runs `work` on the first free connection; waits for one if all are busy.
    ///
    /// In this order and not in turn, because a connection forgets its pages at the first read after each
    /// commit: the fewer are in use, the fewer pages are read again.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        for connection in &self.0 {
            match connection.try_lock() {
                Ok(conn) => return work(&conn),
                Err(TryLockError::Poisoned(conn)) => return work(&conn.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        work(&self.0[0].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_look_up_waits_for_no_walk() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("some.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let readers = Arc::new(Readers::open(&path, 1).unwrap());
        let begun = Arc::new(AtomicUsize::new(0));
        let end = Arc::new(Barrier::new(WALKS + 1));
        let walks: Vec<_> = (0..WALKS)
            .map(|_| {
                let (readers, begun, end) =
                    (Arc::clone(&readers), Arc::clone(&begun), Arc::clone(&end));
                let walk = move |_: &Connection| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    end.wait();
                    Ok(())
                };
                tokio::spawn(async move { readers.walk(walk).await })
            })
            .collect();
        while begun.load(Ordering::Relaxed) < WALKS {
            tokio::task::yield_now().await;
        }

        let found =
            readers.with(|conn| Ok(conn.query_row("SELECT 1", [], |row| row.get::<_, i64>(0))?));

        assert_eq!(found.unwrap(), 1);
        end.wait();
        for walk in walks {
            walk.await.unwrap().unwrap();
        }
    }
}

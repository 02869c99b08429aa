//! The store on one machine: SQLite with a write-ahead log, flushed at each commit.
//!
//! ```text
//!  callers ── commit ──▶ queue ──▶ writer thread ── one transaction for all that wait ──▶ log ─┐
//!     │                                                                                      │
//!     └── reads ──▶ recent ──▶ readers ◀── database file ◀── checkpointer, every 250 ms ◀────┘
//! ```
//!
//! Start reading at [`SqliteStore`], then `writer` (who shares a transaction), `unit` (what a commit
//! does in it), `recent` (what need not be read again), and the files named after their tables.

mod ahead;
mod allowances;
mod audit;
mod budgets;
mod callbacks;
mod checkpoint;
mod connect;
mod entities;
mod failure;
mod migrate;
mod nonces;
mod numbers;
mod readers;
mod recent;
mod select;
mod sends;
mod snapshot;
mod stats;
mod store;
mod unit;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;

pub use connect::OpenError;
pub use stats::SqliteStats;

use audit::AuditHead;
use checkpoint::Checkpointer;
use readers::Readers;
use recent::Recent;
use stats::Counters;
use writer::Queue;

/// How a [`SqliteStore`] is tuned; the defaults fit a small machine.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Connections for look-ups. More than threads that look up at once are of no use.
    pub readers: usize,
    /// Commits that may wait; beyond them callers wait half a second, then hear "unavailable".
    pub queue_max: usize,
    /// Most commits in one transaction: bounds how long the first of them waits for the last.
    pub batch_max: usize,
    /// Size of the log from which on it is made to start again, in bytes.
    pub log_bytes_max: u64,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 4, queue_max: 4096, batch_max: 512, log_bytes_max: 64 << 20 }
    }
}

/// A [`Store`](service::ports::Store) in a SQLite file.
///
/// `close` is the orderly end. Dropping the store finishes what is queued, too, and blocks meanwhile;
/// what was acknowledged is on disk in any case.
pub struct SqliteStore {
    // Fields are dropped in this order: without queue and readers the threads can finish.
    queue: Option<Queue>,
    readers: Readers,
    /// What readers need not read again; unused where another process writes.
    recent: Arc<Recent>,
    threads: tokio::sync::Mutex<Option<Threads>>,
    path: PathBuf,
    counters: Arc<Counters>,
    /// Grows whenever all rows are replaced: what was prepared before that is void.
    epoch: Arc<AtomicU64>,
}

/// The threads of a store and its hold on the file. Dropping it waits for both to end.
struct Threads {
    writer: Option<JoinHandle<Connection>>,
    checkpointer: Option<JoinHandle<()>>,
    stop_checkpointer: Option<mpsc::Sender<()>>,
    /// Released last.
    _lock: File,
}

impl SqliteStore {
    /// Opens the database at `path`: makes it if there is none, migrates it if it is an older one.
    ///
    /// Blocks for a few milliseconds. Only one store at a time can hold a file; to look into one that
    /// is in use, see [`SqliteStore::open_read_only`].
    pub fn open(path: &Path, options: &SqliteOptions) -> Result<Self, OpenError> {
        let lock = connect::lock(path)?;
        connect::make_private(path)?;
        let mut conn = connect::writing(path)?;
        migrate::migrate(&mut conn, path)?;
        sends::orphan(&conn)?;
        callbacks::orphan(&conn)?;
        let head = AuditHead::read(&conn)?;
        let readers = Readers::open(path, options.readers)?;
        let counters = Arc::new(Counters::default());
        let (queue, writer) =
            writer::start(conn, head, options.queue_max, options.batch_max, Arc::clone(&counters))
                .map_err(OpenError::Thread)?;
        let mut threads = Threads {
            writer: Some(writer),
            checkpointer: None,
            stop_checkpointer: None,
            _lock: lock,
        };
        let checkpointer = Checkpointer::open(
            path,
            queue.downgrade(),
            options.log_bytes_max,
            Arc::clone(&counters),
        );
        threads.start_checkpointer(checkpointer?)?;
        Ok(Self {
            queue: Some(queue),
            readers,
            recent: Arc::default(),
            threads: tokio::sync::Mutex::new(Some(threads)),
            path: path.to_owned(),
            counters,
            epoch: Arc::new(AtomicU64::new(0)),
        })
    }

    /// Opens the database at `path` for reading, whether or not a server is using it.
    ///
    /// Every call that would write answers "unavailable".
    pub fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            queue: None,
            readers: Readers::open(path, 1)?,
            recent: Arc::default(),
            threads: tokio::sync::Mutex::new(None),
            path: path.to_owned(),
            counters: Arc::default(),
            epoch: Arc::default(),
        })
    }

    /// What the writer has done since the store was opened.
    #[must_use]
    pub fn stats(&self) -> SqliteStats {
        self.counters.figures()
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Threads {
    fn start_checkpointer(&mut self, checkpointer: Checkpointer) -> Result<(), OpenError> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn(move || checkpointer.run(&stopped))
            .map_err(OpenError::Thread)?;
        self.stop_checkpointer = Some(stop);
        self.checkpointer = Some(thread);
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let conn = self.writer.take().map(JoinHandle::join);
        self.stop_checkpointer = None;
        if self.checkpointer.take().map(JoinHandle::join).is_some_and(|it| it.is_err()) {
            tracing::error!("the checkpointer had panicked");
        }
        match conn {
            // Nothing is lost if this fails: the next start finds the log.
            Some(Ok(conn)) => {
                if let Err(error) = checkpoint::checkpoint(&conn, "TRUNCATE") {
                    tracing::warn!(error = &error as &dyn std::error::Error, "log not emptied");
                }
            }
            Some(Err(_)) => tracing::error!("the writer had panicked"),
            None => {}
        }
    }
}

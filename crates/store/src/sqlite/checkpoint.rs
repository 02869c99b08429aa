//! Copies the log back into the database file, beside the writer instead of inside its commits.
//!
//! Every period a passive checkpoint copies what was committed; it blocks nobody. Under steady load the
//! writer is always a few frames ahead, so the log never starts again by itself and would grow without
//! bound. Above a size the checkpointer therefore asks the writer to finish the copy between two
//! transactions: after a passive checkpoint that is a matter of a few frames.
//!
//! While commits fail, it tries once a period whether they still would, so that the store knows when it
//! can serve again.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::Connection;

use super::connect;
use super::stats::Counters;
use super::writer::WeakQueue;

/// Pause between two passive checkpoints (measured: p99 of a commit 8 ms instead of 20 to 55).
const PERIOD: Duration = Duration::from_millis(250);

/// What the checkpointer thread works with.
pub(super) struct Checkpointer {
    conn: Connection,
    queue: WeakQueue,
    frames_max: u64,
    counters: Arc<Counters>,
}

impl Checkpointer {
    /// A checkpointer with a connection of its own, for a log of about `log_bytes_max`.
    pub(super) fn open(
        path: &Path,
        queue: WeakQueue,
        log_bytes_max: u64,
        counters: Arc<Counters>,
    ) -> rusqlite::Result<Self> {
        let conn = connect::writing(path)?;
        let page: u64 = conn.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0))?.into();
        Ok(Self { conn, queue, frames_max: log_bytes_max / page.max(1), counters })
    }

    /// Works until the other end of `stop` is dropped.
    pub(super) fn run(self, stop: &Receiver<()>) {
        let mut seen = 0;
        while stop.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
            if self.counters.is_failing() {
                self.try_to_write();
            }
            let transactions = self.counters.transactions();
            if transactions == seen {
                continue;
            }
            seen = transactions;
            match checkpoint(&self.conn, "PASSIVE") {
                Ok(frames) if frames > self.frames_max => {
                    // What was committed during the long copy is copied beside the writer, too, so that
                    // it waits for the rest only.
                    _ = checkpoint(&self.conn, "PASSIVE");
                    self.restart_log();
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "checkpoint failed");
                }
            }
        }
    }

    /// Finds out whether the disk takes something again: whoever is told that the store cannot serve may
    /// have nothing more to write.
    fn try_to_write(&self) {
        let counters = Arc::clone(&self.counters);
        self.queue.alone_blocking(move |conn| counters.reached_disk(write_nothing(conn).is_ok()));
    }

    fn restart_log(&self) {
        let counters = Arc::clone(&self.counters);
        self.queue.alone_blocking(move |conn| match checkpoint(conn, "RESTART") {
            Ok(_) => counters.log_restarted(),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "log did not restart");
            }
        });
    }
}

/// Commits a page as it stands, which is written and flushed like any other.
fn write_nothing(conn: &Connection) -> rusqlite::Result<()> {
    let version: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    conn.pragma_update(None, "user_version", version)
}

/// Runs a checkpoint; returns the frames in the log.
pub(super) fn checkpoint(conn: &Connection, mode: &str) -> rusqlite::Result<u64> {
    let frames: i64 =
        conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(1))?;
    Ok(u64::try_from(frames).unwrap_or(0))
}

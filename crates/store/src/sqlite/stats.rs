//! What the writer has done so far.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Figures of the writer since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SqliteStats {
    /// Units and other pieces of work that reached the disk or were refused with a neighbour's.
    pub units: u64,
    /// Transactions, each with one flush to the disk: `units / transactions` is the gain of batching.
    pub transactions: u64,
    /// Time the writer was not waiting for work.
    pub busy: Duration,
    /// Part of `busy` spent in `COMMIT`, that is, mostly in the flush.
    pub committing: Duration,
    /// The longest `COMMIT`.
    pub longest_commit: Duration,
    /// How often the log was made to start again because it had grown too large.
    pub log_restarts: u64,
}

/// Counters behind [`SqliteStats`]; only the writer thread writes to them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    units: AtomicU64,
    transactions: AtomicU64,
    busy_us: AtomicU64,
    committing_us: AtomicU64,
    longest_commit_us: AtomicU64,
    log_restarts: AtomicU64,
    failing: AtomicBool,
}

impl Counters {
    /// Whether what was last written reached the disk. What wrote nothing says nothing about the disk.
    pub(super) fn reached_disk(&self, reached: bool) {
        self.failing.store(!reached, Relaxed);
    }

    /// Whether what was last written did not reach the disk.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    pub(super) fn batch(&self, units: usize, busy: Duration, committing: Duration) {
        self.units.fetch_add(units as u64, Relaxed);
        self.transactions.fetch_add(1, Relaxed);
        self.busy_us.fetch_add(micros(busy), Relaxed);
        self.committing_us.fetch_add(micros(committing), Relaxed);
        self.longest_commit_us.fetch_max(micros(committing), Relaxed);
    }

    pub(super) fn log_restarted(&self) {
        self.log_restarts.fetch_add(1, Relaxed);
    }

    /// Transactions so far: tells the checkpointer whether there is anything to copy.
    pub(super) fn transactions(&self) -> u64 {
        self.transactions.load(Relaxed)
    }

    pub(super) fn figures(&self) -> SqliteStats {
        let time = |counter: &AtomicU64| Duration::from_micros(counter.load(Relaxed));
        SqliteStats {
            units: self.units.load(Relaxed),
            transactions: self.transactions.load(Relaxed),
            busy: time(&self.busy_us),
            committing: time(&self.committing_us),
            longest_commit: time(&self.longest_commit_us),
            log_restarts: self.log_restarts.load(Relaxed),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

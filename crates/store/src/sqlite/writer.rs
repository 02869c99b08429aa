//! The one thread that writes: as much work as is waiting goes into one transaction.
//!
//! A flush to the disk costs as much as dozens of small writes, so callers share it. No piece of work can
//! harm its neighbours: what fails before it wrote anything leaves nothing to undo, and if one fails
//! after that, the transaction starts over with a savepoint around each piece. (Savepoints all the time
//! cost a tenth of the writer's time, and hardly any piece fails so late.) Nobody is answered before the
//! `COMMIT` of all has returned. If that fails, everybody hears that the store is unavailable, those too
//! who were refused because of a neighbour that is gone now.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::audit::AuditHead;
use super::failure::Failure;
use super::stats::Counters;

/// Longest wait for a place in the queue. A full queue means seconds of work ahead; a caller is better
/// served by "unavailable" than by waiting behind it.
const QUEUE_WAIT: Duration = Duration::from_millis(500);

/// Longest time a transaction is kept open for company. Several times what the flush costs that it may
/// spare: with many callers the time is not lost, because the other processors work on what they ask.
const LINGER: Duration = Duration::from_micros(900);

/// How often the queue is looked at meanwhile.
const LINGER_STEP: Duration = Duration::from_micros(60);

/// Company beyond which waiting for more gains little.
const COMPANY_MAX: usize = 48;

/// Transactions with savepoints after one that had to start over: such failures come in swarms.
const CAREFUL_FOR: u32 = 64;

/// Work inside the shared transaction, and whoever waits for it.
type Shared = Box<dyn Piece + Send>;
/// Work outside of any transaction, alone.
type Alone = Box<dyn FnOnce(&Connection) + Send>;

enum Job {
    Shared(Shared),
    Alone(Alone),
    Close,
}

/// A piece of work.
trait Piece {
    /// Does it, possibly once more after a rollback; whether it succeeded.
    fn run(&mut self, conn: &Connection, head: &mut AuditHead, guard: Guard) -> bool;

    /// Delivers the outcome, or the reason why the whole transaction was lost.
    fn answer(self: Box<Self>, committed: Result<(), String>);
}

/// What happens to the traces of a piece that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// They stay; whoever runs the piece sees to them.
    None,
    /// A savepoint undoes them.
    Savepoint,
}

/// A [`Piece`] of closures.
struct Order<T, Work, Then> {
    work: Work,
    then: Then,
    outcome: Result<T, Failure>,
    /// Takes the work along: whoever has put it together takes it apart, and the writer has less to do.
    reply: oneshot::Sender<(Result<T, Failure>, Work)>,
}

impl<T, Work, Then> Piece for Order<T, Work, Then>
where
    Work: FnMut(&Connection, &mut AuditHead) -> Result<T, Failure>,
    Then: FnOnce(&T),
{
    fn run(&mut self, conn: &Connection, head: &mut AuditHead, guard: Guard) -> bool {
        let before = *head;
        self.outcome = match guard {
            Guard::None => (self.work)(conn, head),
            Guard::Savepoint => in_savepoint(conn, |conn| (self.work)(conn, head)),
        };
        if self.outcome.is_err() {
            *head = before;
        }
        self.outcome.is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), String>) {
        let outcome = committed.map_err(Failure::RolledBack).and(self.outcome);
        if let Ok(done) = &outcome {
            (self.then)(done);
        }
        // A caller that stopped waiting has given up the answer, not the work.
        drop(self.reply.send((outcome, self.work)));
    }
}

/// The way to the writer thread.
#[derive(Clone)]
pub(super) struct Queue(mpsc::Sender<Job>);

/// A way to the writer thread that does not keep it running.
pub(super) struct WeakQueue(mpsc::WeakSender<Job>);

impl Queue {
    /// Runs `work` in the next transaction, where it leaves no trace if it fails; returns once that is on
    /// disk. It may run again after a rollback, and must mean the same then.
    pub(super) async fn shared<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection, &mut AuditHead) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.shared_then(work, |_| ()).await
    }

    /// The same, and calls `then` on the writer's thread once it is on disk, before anybody is answered
    /// and even if the caller has stopped waiting. Not called if the work failed or was lost.
    pub(super) async fn shared_then<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection, &mut AuditHead) -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Order { work, then, outcome: Err(Failure::Closed), reply });
        self.push(Job::Shared(job)).await?;
        let (outcome, _work) = answer.await.map_err(|_| Failure::Closed)?;
        outcome
    }

    /// Runs `work` between two transactions.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        self.push(Job::Alone(Box::new(move |conn| drop(reply.send(work(conn)))))).await?;
        answer.await.map_err(|_| Failure::Closed)?
    }

    /// Lets the writer finish what is in the queue and take no more.
    pub(super) async fn close(&self) -> Result<(), Failure> {
        match self.push(Job::Close).await {
            Ok(()) | Err(Failure::Closed) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Whether the writer takes no more.
    pub(super) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(super) fn downgrade(&self) -> WeakQueue {
        WeakQueue(self.0.downgrade())
    }

    async fn push(&self, job: Job) -> Result<(), Failure> {
        use mpsc::error::{SendTimeoutError, TrySendError};
        // Most of the time there is a place, and no timer has to be set up.
        match self.0.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(Failure::Closed),
            Err(TrySendError::Full(job)) => {
                self.0.send_timeout(job, QUEUE_WAIT).await.map_err(|error| match error {
                    SendTimeoutError::Timeout(_) => Failure::Overloaded,
                    SendTimeoutError::Closed(_) => Failure::Closed,
                })
            }
        }
    }
}

impl WeakQueue {
    /// Runs `work` between two transactions and waits for its end, unless the writer is closed or so
    /// busy that the queue is full.
    pub(super) fn alone_blocking(
        &self,
        work: impl FnOnce(&Connection) + Send + 'static,
    ) -> Option<()> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Alone(Box::new(move |conn| {
            work(conn);
            let _ = reply.send(());
        }));
        self.0.upgrade()?.try_send(job).ok()?;
        answer.blocking_recv().ok()
    }
}

/// Runs `work` so that it leaves no trace if it fails.
fn in_savepoint<T>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    conn.prepare_cached("SAVEPOINT work")?.execute([])?;
    let mut outcome = work(conn);
    // After some errors SQLite has ended the transaction already. Work that cannot be undone takes the
    // whole transaction with it; `transaction` notices both.
    if outcome.is_err()
        && !conn.is_autocommit()
        && let Err(error) = conn.execute_batch("ROLLBACK TO work")
    {
        outcome = Err(error.into());
        conn.execute_batch("ROLLBACK")?;
    }
    if !conn.is_autocommit() {
        conn.prepare_cached("RELEASE work")?.execute([])?;
    }
    outcome
}

/// The thread's own things.
struct Writer {
    conn: Connection,
    jobs: mpsc::Receiver<Job>,
    head: AuditHead,
    batch_max: usize,
    /// Pieces of work in the transaction before.
    company: usize,
    /// Transactions that still use savepoints from the start.
    careful: u32,
    counters: Arc<Counters>,
}

/// Starts the thread on `conn`. It ends when told to close or when all [`Queue`]s are gone, after the
/// work that is waiting, and gives the connection back.
pub(super) fn start(
    conn: Connection,
    head: AuditHead,
    queue_max: usize,
    batch_max: usize,
    counters: Arc<Counters>,
) -> std::io::Result<(Queue, JoinHandle<Connection>)> {
    let (sender, jobs) = mpsc::channel(queue_max.max(1));
    let writer =
        Writer { conn, jobs, head, batch_max: batch_max.max(1), company: 1, careful: 0, counters };
    let thread = std::thread::Builder::new().name("sqlite-writer".into()).spawn(|| writer.run())?;
    Ok((Queue(sender), thread))
}

impl Writer {
    fn run(mut self) -> Connection {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| self.jobs.blocking_recv()) {
            match job {
                Job::Shared(work) => next = self.transaction(work),
                Job::Alone(work) => {
                    work(&self.conn);
                    self.read_head();
                }
                Job::Close => self.jobs.close(),
            }
        }
        self.conn
    }

    /// One transaction of `first` and what is waiting behind it; returns the job that ended it.
    fn transaction(&mut self, first: Shared) -> Option<Job> {
        let started = now();
        let written_before = self.conn.total_changes();
        let mut pieces: Vec<Shared> = Vec::with_capacity(self.batch_max.min(64));
        let mut head = self.head;
        let mut following = None;
        let mut begun = self.execute("BEGIN IMMEDIATE");
        let mut guard = if self.careful > 0 { Guard::Savepoint } else { Guard::None };
        self.careful = self.careful.saturating_sub(1);
        let mut next = begun.is_ok().then_some(first);
        while let Some(mut piece) = next.take() {
            let changes = self.conn.total_changes();
            let done = piece.run(&self.conn, &mut head, guard);
            pieces.push(piece);
            if !done && guard == Guard::None && self.conn.total_changes() != changes {
                guard = Guard::Savepoint;
                self.careful = CAREFUL_FOR;
                begun = self.start_over(&mut pieces, &mut head);
            }
            if begun.is_err() || self.conn.is_autocommit() || pieces.len() >= self.batch_max {
                break;
            }
            match self.next_for(pieces.len(), started) {
                Some(Job::Shared(piece)) => next = Some(piece),
                Some(job) => following = Some(job),
                None => {}
            }
        }
        self.company = pieces.len();
        let committing = now();
        let committed = match begun.and_then(|()| self.execute("COMMIT")) {
            Ok(()) => {
                self.head = head;
                if self.conn.total_changes() != written_before {
                    self.counters.reached_disk(true);
                }
                Ok(())
            }
            Err(error) => {
                self.counters.reached_disk(false);
                Err(self.roll_back(&error))
            }
        };
        self.counters.batch(pieces.len(), started.elapsed(), committing.elapsed());
        for piece in pieces {
            piece.answer(committed.clone());
        }
        following
    }

    /// Undoes the transaction and does all of it again, each piece in a savepoint.
    fn start_over(&self, pieces: &mut [Shared], head: &mut AuditHead) -> rusqlite::Result<()> {
        // SQLite may have ended it already.
        if !self.conn.is_autocommit() {
            self.execute("ROLLBACK")?;
        }
        self.execute("BEGIN IMMEDIATE")?;
        *head = self.head;
        for piece in pieces {
            piece.run(&self.conn, head, Guard::Savepoint);
            if self.conn.is_autocommit() {
                break;
            }
        }
        Ok(())
    }

    /// The next job for a transaction that holds `count` pieces of work since `started`.
    ///
    /// As long as it holds fewer than the one before did, others are likely on their way: callers who
    /// were answered together come back together. A short wait for them halves the number of flushes; a
    /// caller alone never waits.
    fn next_for(&mut self, count: usize, started: Instant) -> Option<Job> {
        loop {
            if let Ok(job) = self.jobs.try_recv() {
                return Some(job);
            }
            if count >= self.company.min(COMPANY_MAX) || started.elapsed() >= LINGER {
                return None;
            }
            std::thread::park_timeout(LINGER_STEP);
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn roll_back(&self, error: &rusqlite::Error) -> String {
        tracing::error!(error = error as &dyn std::error::Error, "a transaction failed");
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(error = &error as &dyn std::error::Error, "rollback failed");
        }
        error.to_string()
    }

    /// Work done alone may have replaced the audit chain.
    fn read_head(&mut self) {
        match AuditHead::read(&self.conn) {
            Ok(head) => self.head = head,
            Err(error) => {
                // Without its end the chain cannot be continued: take no more.
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no end of the audit chain"
                );
                self.jobs.close();
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measures the writer; no decision hangs on it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;

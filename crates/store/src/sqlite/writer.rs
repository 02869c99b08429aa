//! The one thread that writes: as much work as is waiting goes into one transaction.
//!
//! A flush to the disk costs as much as dozens of small writes, so callers share it. Each piece of work
//! runs in a savepoint of its own and cannot harm its neighbours; nobody is answered before the
//! `COMMIT` of all has returned. If that fails, everybody hears that the store is unavailable, those
//! too who were refused because of a neighbour that is gone now.

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

/// Longest time a transaction is kept open for company: about what the flush costs that it may spare.
const LINGER: Duration = Duration::from_micros(600);

/// How often the queue is looked at meanwhile.
const LINGER_STEP: Duration = Duration::from_micros(60);

/// Company beyond which waiting for more gains little.
const COMPANY_MAX: usize = 48;

/// Delivers the outcome of one piece of work, or the reason why the whole transaction was lost.
type Answer = Box<dyn FnOnce(Result<(), String>)>;
/// Work inside the shared transaction.
type Shared = Box<dyn FnOnce(&Connection, &mut AuditHead) -> Answer + Send>;
/// Work outside of any transaction, alone.
type Alone = Box<dyn FnOnce(&Connection) + Send>;

enum Job {
    Shared(Shared),
    Alone(Alone),
    Close,
}

/// The way to the writer thread.
#[derive(Clone)]
pub(super) struct Queue(mpsc::Sender<Job>);

/// A way to the writer thread that does not keep it running.
pub(super) struct WeakQueue(mpsc::WeakSender<Job>);

impl Queue {
    /// Runs `work` in a savepoint of the next transaction; returns once that is on disk.
    pub(super) async fn shared<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut AuditHead) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.shared_then(work, |_| ()).await
    }

    /// The same, and calls `then` on the writer's thread once it is on disk, before anybody is answered
    /// and even if the caller has stopped waiting. Not called if the work failed or was lost.
    pub(super) async fn shared_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut AuditHead) -> Result<T, Failure> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        let job: Shared = Box::new(move |conn, head| {
            let outcome = in_savepoint(conn, head, work);
            Box::new(move |committed| {
                let outcome = committed.map_err(Failure::RolledBack).and(outcome);
                if let Ok(done) = &outcome {
                    then(done);
                }
                // A caller that stopped waiting has given up the answer, not the work.
                drop(reply.send(outcome));
            })
        });
        self.push(Job::Shared(job)).await?;
        answer.await.map_err(|_| Failure::Closed)?
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
    head: &mut AuditHead,
    work: impl FnOnce(&Connection, &mut AuditHead) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let before = *head;
    conn.prepare_cached("SAVEPOINT work")?.execute([])?;
    let mut outcome = work(conn, head);
    if outcome.is_err() {
        *head = before;
        // After some errors SQLite has ended the transaction already. Work that cannot be undone takes
        // the whole transaction with it; `transaction` notices both.
        if !conn.is_autocommit()
            && let Err(error) = conn.execute_batch("ROLLBACK TO work")
        {
            outcome = Err(error.into());
            conn.execute_batch("ROLLBACK")?;
        }
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
    let writer = Writer { conn, jobs, head, batch_max: batch_max.max(1), company: 1, counters };
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
        let mut answers = Vec::with_capacity(self.batch_max.min(64));
        let mut head = self.head;
        let mut following = None;
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            self.roll_back(&error);
            return None;
        }
        let mut work = Some(first);
        while let Some(piece) = work.take() {
            answers.push(piece(&self.conn, &mut head));
            if self.conn.is_autocommit() || answers.len() >= self.batch_max {
                break;
            }
            match self.next_for(answers.len(), started) {
                Some(Job::Shared(piece)) => work = Some(piece),
                Some(job) => following = Some(job),
                None => {}
            }
        }
        self.company = answers.len();
        let committing = now();
        let committed = match self.execute("COMMIT") {
            Ok(()) => {
                self.head = head;
                Ok(())
            }
            Err(error) => Err(self.roll_back(&error)),
        };
        self.counters.batch(answers.len(), started.elapsed(), committing.elapsed());
        for answer in answers {
            answer(committed.clone());
        }
        following
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

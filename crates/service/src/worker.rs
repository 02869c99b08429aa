//! The worker that empties the outbox: claim, hand over, record.
//!
//! Each send is a task of its own among those under way, so a slow sender holds up nobody else; what
//! became of them is recorded in batches, as many at once as came to an end while the commit before was
//! on its way to the disk. What comes from the outbox has fewer places than what is fresh: after an
//! outage thousands may be due, and they must neither crowd out the living nor fall upon a provider
//! that has just come back (their retries are spread by `retry_pause`, too).

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use registration::Timestamp;
use tokio::sync::{OwnedRwLockReadGuard, watch};
use tokio::time::MissedTickBehavior;
use tracing::error;

use crate::fault;
use crate::policy::Repeat;
use crate::ports::{Send, SendState, StoreError, Unit};
use crate::service::Service;

mod hand_over;
mod in_ledger;

pub(crate) use hand_over::Ended;

/// Sends claimed at once. Large enough that a busy server spends one commit on many.
const BATCH_MAX: usize = 256;

/// Most sends leased for this process's worker and not yet begun. Beyond it they go through the outbox.
const FRESH_MAX: usize = 4096;

/// Fresh sends under way at once. A provider that takes one in 100 ms is kept busy with 5,000 a second.
const UNDER_WAY_MAX: usize = 512;

/// Sends from the outbox under way at once.
const DRAIN_MAX: usize = 64;

/// How long a claim protects a send from other workers; longer than any sender's own time-out.
const LEASE: Duration = Duration::from_mins(1);

/// Longest pause between two looks at the outbox: due retries, and leases of workers that died.
const POLL: Duration = Duration::from_millis(500);

/// Nobody empties the store while this is held.
type Quiet = Arc<OwnedRwLockReadGuard<()>>;

/// A send that came to an end, and where it was taken from.
type Done = (Ended, Source, Quiet);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Fresh,
    Outbox,
}

/// What a worker is doing.
#[derive(Default)]
struct Bench<'a> {
    under_way: FuturesUnordered<BoxFuture<'a, Done>>,
    recording: FuturesUnordered<BoxFuture<'a, ()>>,
    fresh: usize,
    drained: usize,
    /// The outbox may hold more that is due.
    more_due: bool,
}

impl Service {
    /// Works until `stop` turns true, then finishes what it has claimed and returns.
    pub async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut polls = tokio::time::interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut bench = Bench { more_due: true, ..Bench::default() };
        while !*stop.borrow() {
            self.announce_taken().await;
            self.begin_fresh(&mut bench);
            if bench.more_due {
                self.begin_due(&mut bench).await;
            }
            tokio::select! {
                Some(done) = bench.under_way.next() => self.collect(&mut bench, done),
                Some(()) = bench.recording.next() => {}
                () = self.sends_due.notified() => {
                    // Woken for what is fresh or taken, or because the clock was turned.
                    bench.more_due |=
                        self.fresh_sends().is_empty() && self.taken_sends().is_empty();
                }
                _ = polls.tick() => bench.more_due = true,
                _ = stop.changed() => {}
            }
        }
        while let Some(done) = bench.under_way.next().await {
            self.collect(&mut bench, done);
        }
        while bench.recording.next().await.is_some() {}
        self.announce_taken().await;
    }

    /// Hands over everything that is due. For tests, and for callers without a worker.
    pub async fn deliver_due(&self) {
        self.announce_taken().await;
        loop {
            let _quiet = self.under_way.read().await;
            let fresh = self.take_fresh(BATCH_MAX);
            if fresh.is_empty() {
                break;
            }
            self.carry_out(fresh).await;
        }
        loop {
            let _quiet = self.under_way.read().await;
            let now = self.now();
            match self.claim(now, BATCH_MAX).await {
                Ok(claimed) if claimed.is_empty() => return,
                Ok(claimed) => self.carry_out(claimed).await,
                Err(error) => return error!(%error, "the outbox cannot be read"),
            }
        }
    }

    async fn claim(&self, now: Timestamp, most: usize) -> Result<Vec<Send>, StoreError> {
        self.store.claim_sends(now, now + LEASE, self.begins_at_once(), most).await
    }

    /// Whether a leased send counts as begun: a commit less for each, where a repeated message is
    /// harmless.
    fn begins_at_once(&self) -> bool {
        self.policy().repeat == Repeat::AtLeastOnce
    }

    async fn carry_out(&self, claimed: Vec<Send>) {
        let ended = join_all(claimed.into_iter().map(|send| self.hand_over(send))).await;
        self.record_sends(ended).await;
    }

    /// Claims the sends of a unit for this process before they are stored, if its worker can take them
    /// right after the commit: that spares the commit that would claim them. The others lie in the outbox
    /// for any worker; so do these, once their lease has passed, if this process dies. What its row alone
    /// hands over is not claimed but done, and the worker tells of it.
    pub(crate) fn lease(&self, unit: &mut Unit, now: Timestamp) -> Vec<Send> {
        if unit.sends.is_empty() {
            return Vec::new();
        }
        if self.hand_to_ledger(unit, now) {
            return unit.sends.clone();
        }
        let room = FRESH_MAX.saturating_sub(self.fresh_sends().len());
        if room < unit.sends.len() {
            return Vec::new();
        }
        let begun = self.begins_at_once();
        for send in &mut unit.sends {
            send.state = SendState::Claimed { until: now + LEASE, begun };
            send.attempt = 1;
        }
        unit.sends.clone()
    }

    /// Gives the worker what was leased for it.
    pub(crate) fn hand_to_worker(&self, leased: Vec<Send>) {
        if !leased.is_empty() {
            fault::point("decided");
            self.fresh_sends().extend(leased);
            self.sends_due.notify_one();
        }
    }

    pub(crate) fn fresh_sends(&self) -> MutexGuard<'_, VecDeque<Send>> {
        self.fresh_sends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_fresh(&self, most: usize) -> Vec<Send> {
        let mut fresh = self.fresh_sends();
        let count = fresh.len().min(most);
        fresh.drain(..count).collect()
    }

    fn begin_fresh<'a>(&'a self, bench: &mut Bench<'a>) {
        let room = UNDER_WAY_MAX.saturating_sub(bench.fresh);
        if room == 0 || self.fresh_sends().is_empty() {
            return;
        }
        // Somebody empties the store just now, and forgets what is fresh.
        let Some(quiet) = self.quiet() else { return };
        let fresh = self.take_fresh(room);
        bench.fresh += fresh.len();
        self.begin(bench, fresh, Source::Fresh, &quiet);
    }

    /// Claims what is due, as much as there are places for.
    async fn begin_due<'a>(&'a self, bench: &mut Bench<'a>) {
        let room = DRAIN_MAX.saturating_sub(bench.drained);
        if room == 0 {
            return;
        }
        let Some(quiet) = self.quiet() else { return };
        let now = self.now();
        match self.claim(now, room).await {
            Ok(claimed) => {
                bench.more_due = claimed.len() == room;
                bench.drained += claimed.len();
                self.begin(bench, claimed, Source::Outbox, &quiet);
            }
            Err(error) => {
                bench.more_due = false;
                error!(%error, "the outbox cannot be read");
            }
        }
    }

    fn begin<'a>(&'a self, bench: &mut Bench<'a>, sends: Vec<Send>, from: Source, quiet: &Quiet) {
        for send in sends {
            let quiet = Arc::clone(quiet);
            let done = async move { (self.hand_over(send).await, from, quiet) };
            bench.under_way.push(done.boxed());
        }
    }

    /// Takes `first` and whatever else has ended, and sees to it that it is recorded.
    fn collect<'a>(&'a self, bench: &mut Bench<'a>, first: Done) {
        let mut ended = Vec::new();
        let mut kept = Vec::new();
        let mut next = Some(first);
        while let Some((it, from, quiet)) = next {
            match from {
                Source::Fresh => bench.fresh -= 1,
                Source::Outbox => bench.drained -= 1,
            }
            ended.push(it);
            kept.push(quiet);
            next = (ended.len() < BATCH_MAX)
                .then(|| bench.under_way.next().now_or_never().flatten())
                .flatten();
        }
        let recording = async move {
            self.record_sends(ended).await;
            drop(kept);
        };
        bench.recording.push(recording.boxed());
    }

    fn quiet(&self) -> Option<Quiet> {
        Arc::clone(&self.under_way).try_read_owned().ok().map(Arc::new)
    }
}

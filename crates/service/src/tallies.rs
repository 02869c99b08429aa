//! What this process saw of its senders, for metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ports::{Attempt, AttemptOutcome, Send};

/// One sender's record since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderTally {
    /// Messages that it took.
    pub taken: u64,
    /// Tries that found it unavailable.
    pub unavailable: u64,
    /// Tries whose end is unknown.
    pub uncertain: u64,
    /// Messages that it rejected.
    pub rejected: u64,
    /// Milliseconds that all its tries took together.
    pub millis: u64,
    /// What it was paid, in millionths of the currency.
    pub cost: u64,
    /// Receipts that said "delivered".
    pub delivered: u64,
    /// Receipts that said "failed".
    pub failed: u64,
}

/// Tallies by sender, and what rules that only watch would have refused.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    senders: Mutex<BTreeMap<String, SenderTally>>,
    would_refuse: Mutex<BTreeMap<&'static str, u64>>,
    conversion: Mutex<BTreeMap<String, (u64, u64)>>,
    pub(crate) unknown_receipts: core::sync::atomic::AtomicU64,
}

impl Tallies {
    pub(crate) fn tried(&self, it: &Attempt) {
        let millis = it.ended_at.since(it.started_at).as_millis();
        let mut senders = self.senders();
        let tally = senders.entry(it.sender.clone()).or_default();
        tally.millis = tally.millis.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX));
        let count = match &it.outcome {
            AttemptOutcome::Taken => &mut tally.taken,
            AttemptOutcome::Unavailable { uncertain: true, .. } => &mut tally.uncertain,
            AttemptOutcome::Unavailable { uncertain: false, .. } => &mut tally.unavailable,
            AttemptOutcome::Rejected { .. } => &mut tally.rejected,
        };
        *count += 1;
    }

    pub(crate) fn change(&self, sender: &str, change: impl FnOnce(&mut SenderTally)) {
        change(self.senders().entry(sender.to_owned()).or_default());
    }

    /// Replaces what is known of codes sent and used.
    pub(crate) fn set_conversion(&self, judged: &[Send]) {
        let mut measured: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (sender, used) in
            judged.iter().filter_map(|it| Some((it.sender.as_ref()?, it.confirmed_at)))
        {
            let (sent, confirmed) = measured.entry(sender.clone()).or_default();
            *sent += 1;
            *confirmed += u64::from(used.is_some());
        }
        *self.conversion.lock().unwrap_or_else(PoisonError::into_inner) = measured;
    }

    pub(crate) fn would_refuse(&self, rule: &'static str) {
        *self.rules().entry(rule).or_default() += 1;
    }

    pub(crate) fn all(&self) -> BTreeMap<String, SenderTally> {
        self.senders().clone()
    }

    pub(crate) fn all_would_refuse(&self) -> BTreeMap<&'static str, u64> {
        self.rules().clone()
    }

    fn senders(&self) -> MutexGuard<'_, BTreeMap<String, SenderTally>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rules(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.would_refuse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl crate::Service {
    /// What this process saw of each sender.
    #[must_use]
    pub fn sender_tallies(&self) -> BTreeMap<String, SenderTally> {
        self.tallies.all()
    }

    /// How often each rule that only watches would have refused, since the process started.
    #[must_use]
    pub fn would_refuse(&self) -> BTreeMap<&'static str, u64> {
        self.tallies.all_would_refuse()
    }

    /// Codes sent and codes used by sender, of those messages that could be judged when the ledger was
    /// last measured.
    #[must_use]
    pub fn sender_conversion(&self) -> BTreeMap<String, (u64, u64)> {
        self.tallies.conversion.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Receipts for messages that nobody knows.
    #[must_use]
    pub fn unknown_receipts(&self) -> u64 {
        self.tallies.unknown_receipts.load(core::sync::atomic::Ordering::Relaxed)
    }
}

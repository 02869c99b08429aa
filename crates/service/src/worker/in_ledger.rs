//! Sends whose hand-over is their row: the commit that orders such a send records it as handed over, too.
//!
//! The inbox of a sandbox asks nobody, so nothing can happen between lease and report that would have to be
//! recorded, and a code is there for its reader one commit earlier. The worker only announces them.

use std::sync::{Arc, MutexGuard, PoisonError};

use registration::Timestamp;

use crate::fault;
use crate::ports::{CommitError, Send, SendState, StoreError, Unit};
use crate::service::Service;

impl Service {
    /// Marks the sends of a unit as handed over, if their row is all that their sender takes; whether it is.
    ///
    /// What cost more on the way than that sender takes is settled in a report, as ever.
    pub(super) fn hand_to_ledger(&self, unit: &mut Unit, now: Timestamp) -> bool {
        let Some(sender) = self.delivery.in_ledger() else { return false };
        let policy = self.policy();
        let price = |send: &Send| policy.spending.prices.of(sender, send.what.method, send.number);
        if unit.sends.iter().any(|send| price(send) != send.charged) {
            return false;
        }
        for send in &mut unit.sends {
            send.state = SendState::HandedOver { at: now };
            send.handed_over_at = Some(now);
            send.attempt = 1;
            send.sender = Some(sender.to_owned());
            send.provider_id = Some(send.id.to_string());
        }
        true
    }

    /// Commits a unit whose `leased` sends [`lease`](Self::lease) has returned; returns those that the worker has to
    /// hand over.
    ///
    /// What this hands over must be announced even if whoever ordered it goes away meanwhile: a lease would
    /// pass, but nobody looks again at what is handed over. So such a commit is a task of its own.
    pub(crate) async fn commit_leased(
        &self,
        unit: Unit,
        leased: Vec<Send>,
    ) -> Result<Vec<Send>, CommitError> {
        if !is_handed_over(&leased) {
            self.store.commit(unit).await?;
            return Ok(leased);
        }
        let store = Arc::clone(&self.store);
        let (all, due) = (Arc::clone(&self.taken_sends), Arc::clone(&self.sends_due));
        let commit = async move {
            store.commit(unit).await?;
            fault::point("decided");
            all.lock().unwrap_or_else(PoisonError::into_inner).extend(leased);
            due.notify_one();
            Ok(Vec::new())
        };
        tokio::spawn(commit).await.unwrap_or_else(|error| {
            let reason = "a commit did not end".into();
            Err(CommitError::Unavailable(StoreError { reason, source: Some(error.into()) }))
        })
    }

    /// Announces what the commit that ordered it handed over, in the order of those commits' answers.
    pub(super) async fn announce_taken(&self) {
        if self.taken_sends().is_empty() {
            return;
        }
        // Somebody empties the store just now, and forgets what was taken.
        let Some(_quiet) = self.quiet() else { return };
        let _announcing = self.announcing.lock().await;
        let taken = core::mem::take(&mut *self.taken_sends());
        if taken.is_empty() {
            return;
        }
        fault::point("recorded");
        if let Some(sender) = self.delivery.in_ledger() {
            let cost = taken.iter().map(|send| send.charged).sum::<u64>();
            self.tallies.change(sender, |tally| tally.cost = tally.cost.saturating_add(cost));
        }
        self.ledger_changed.send_modify(|count| *count += 1);
        // An error means that nobody listens.
        let _ = self.handed_over.send(taken.into());
    }

    pub(crate) fn taken_sends(&self) -> MutexGuard<'_, Vec<Send>> {
        self.taken_sends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether sends that [`Service::lease`] returned are handed over by their commit: all or none are.
fn is_handed_over(leased: &[Send]) -> bool {
    leased.first().is_some_and(|send| matches!(send.state, SendState::HandedOver { .. }))
}

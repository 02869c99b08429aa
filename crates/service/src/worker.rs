//! The worker that empties the outbox: claim, hand over, record.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use registration::{CodeMethod, Timestamp};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tracing::{debug, error, warn};

use crate::message_text;
use crate::ports::{CodeMessage, DeliveryError, HandedOver, Send, SendReport, SendState, Unit};
use crate::service::Service;

/// Sends claimed at once. Large enough that a busy server spends one commit on many.
const BATCH_MAX: usize = 256;

/// Most sends leased for this process's worker and not yet begun. Beyond it they go through the outbox.
const FRESH_MAX: usize = 4096;

/// How long a claim protects a send from other workers; longer than any sender's own time-out.
const LEASE: Duration = Duration::from_mins(1);

/// Longest pause between two looks at the outbox: due retries, and leases of workers that died.
const POLL: Duration = Duration::from_millis(500);

/// Pause before the next try, doubled with each attempt up to five minutes.
const RETRY_FIRST: Duration = Duration::from_secs(2);

impl Service {
    /// Works until `stop` turns true, then finishes what it has claimed and returns.
    pub async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut polls = tokio::time::interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*stop.borrow() {
            let idle = !self.deliver_fresh().await;
            // A stream of fresh sends must not keep retries and orphans waiting.
            if polls.tick().now_or_never().is_some() {
                self.empty_outbox().await;
            } else if idle {
                tokio::select! {
                    () = self.sends_due.notified() => {
                        // Woken for what is fresh, or because the clock was turned.
                        if self.fresh_sends().is_empty() {
                            self.empty_outbox().await;
                        }
                    }
                    _ = polls.tick() => self.empty_outbox().await,
                    _ = stop.changed() => {}
                }
            }
        }
    }

    /// Hands over everything that is due. For tests, and for callers without a worker.
    pub async fn deliver_due(&self) {
        while self.deliver_fresh().await {}
        self.empty_outbox().await;
    }

    /// Claims what is due in the outbox and hands it over, until nothing is left.
    async fn empty_outbox(&self) {
        loop {
            let _under_way = self.under_way.read().await;
            let now = self.now();
            match self.store.claim_sends(now, now + LEASE, BATCH_MAX).await {
                Ok(claimed) if claimed.is_empty() => return,
                Ok(claimed) => self.carry_out(claimed).await,
                Err(error) => return error!(%error, "the outbox cannot be read"),
            }
        }
    }

    /// Claims the sends of a unit for this process before they are stored, if its worker can take them
    /// right after the commit: that spares the commit that would claim them. The others lie in the outbox
    /// for any worker; so do these, once their lease has passed, if this process dies.
    pub(crate) fn lease(&self, unit: &mut Unit, now: Timestamp) -> Vec<Send> {
        let room = FRESH_MAX.saturating_sub(self.fresh_sends().len());
        if unit.sends.is_empty() || room < unit.sends.len() {
            return Vec::new();
        }
        for send in &mut unit.sends {
            send.state = SendState::Claimed { until: now + LEASE };
            send.attempt = 1;
        }
        unit.sends.clone()
    }

    /// Gives the worker what was leased for it.
    pub(crate) fn hand_to_worker(&self, leased: Vec<Send>) {
        if !leased.is_empty() {
            self.fresh_sends().extend(leased);
            self.sends_due.notify_one();
        }
    }

    /// Hands over what was leased and not yet begun; `false` if there was nothing.
    async fn deliver_fresh(&self) -> bool {
        let _under_way = self.under_way.read().await;
        let fresh: Vec<_> = {
            let mut fresh = self.fresh_sends();
            let count = fresh.len().min(BATCH_MAX);
            fresh.drain(..count).collect()
        };
        let any = !fresh.is_empty();
        if any {
            self.carry_out(fresh).await;
        }
        any
    }

    pub(crate) fn fresh_sends(&self) -> MutexGuard<'_, VecDeque<Send>> {
        self.fresh_sends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands claimed sends over and records what became of them.
    async fn carry_out(&self, mut claimed: Vec<Send>) {
        // Whose lease has passed may be another worker's by now, and acknowledged: only the outbox knows.
        let now = self.now();
        claimed.retain(|send| matches!(send.state, SendState::Claimed { until } if now < until));
        let reports = join_all(claimed.iter().map(|send| self.deliver(send))).await;
        let handed_over: Arc<[Send]> =
            claimed.into_iter().zip(&reports).filter_map(|(send, it)| taken(send, it)).collect();
        if let Err(error) = self.store.report_sends(reports).await {
            // Their leases will pass, and they will be handed over again: at least once.
            return error!(%error, "what became of sends cannot be recorded");
        }
        self.ledger_changed.send_modify(|count| *count += 1);
        if !handed_over.is_empty() {
            // An error means that nobody listens.
            let _ = self.handed_over.send(handed_over);
        }
    }

    async fn deliver(&self, send: &Send) -> SendReport {
        let now = self.now();
        if now >= send.what.useless_after {
            return report(send, failed(now, "the code had expired before it could be sent"));
        }
        let Some(message) = self.message(send) else {
            error!(id = %send.id, epoch = send.what.key_epoch, "no key for this send");
            return report(send, failed(now, "the key of this code is gone"));
        };
        match self.delivery.hand_over(&message).await {
            Ok(HandedOver { sender, provider_id }) => {
                debug!(id = %send.id, number = ?send.number, sender, "handed over");
                SendReport {
                    id: send.id,
                    state: SendState::HandedOver { at: self.now() },
                    sender: Some(sender),
                    provider_id,
                }
            }
            Err(DeliveryError::Rejected { sender, reason }) => {
                warn!(id = %send.id, number = ?send.number, sender, reason, "rejected");
                let state = failed(self.now(), &reason);
                SendReport { sender: Some(sender), ..report(send, state) }
            }
            Err(DeliveryError::Unavailable { sender, reason, .. }) => {
                warn!(id = %send.id, number = ?send.number, sender, reason, "will try again");
                let due_at = self.now() + retry_pause(send.attempt);
                SendReport { sender: Some(sender), ..report(send, SendState::Decided { due_at }) }
            }
        }
    }

    /// The message of a ledger row, with the code derived again; `None` if its key is gone.
    pub(crate) fn message(&self, send: &Send) -> Option<CodeMessage> {
        let what = &send.what;
        let code = self.keys.code(what.key_epoch, send.number, &what.claim, what.challenge)?;
        let text = match what.method {
            CodeMethod::Sms => message_text::sms(&what.locale, &code, send.dialect == "onprem"),
            CodeMethod::Voice => message_text::voice(&what.locale, &code),
        };
        Some(CodeMessage {
            id: send.id,
            number: send.number,
            method: what.method,
            locale: what.locale.clone(),
            code,
            text,
            originator: None,
        })
    }
}

/// The send as its report leaves it, if a provider took it.
fn taken(send: Send, report: &SendReport) -> Option<Send> {
    let SendReport { state, sender, provider_id, .. } = report.clone();
    matches!(state, SendState::HandedOver { .. }).then_some(Send {
        state,
        sender,
        provider_id,
        ..send
    })
}

fn retry_pause(attempt: u32) -> Duration {
    (RETRY_FIRST * 2u32.saturating_pow(attempt.saturating_sub(1).min(8)))
        .min(Duration::from_mins(5))
}

fn failed(at: Timestamp, reason: &str) -> SendState {
    SendState::Failed { at, reason: reason.to_owned() }
}

fn report(send: &Send, state: SendState) -> SendReport {
    SendReport {
        id: send.id,
        state,
        sender: send.sender.clone(),
        provider_id: send.provider_id.clone(),
    }
}

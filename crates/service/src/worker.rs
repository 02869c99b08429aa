//! The worker that empties the outbox: claim, hand over, record.

use core::time::Duration;
use std::sync::Arc;

use futures_util::future::join_all;
use registration::{CodeMethod, Timestamp};
use tokio::sync::watch;
use tracing::{debug, error, warn};

use crate::message_text;
use crate::ports::{CodeMessage, DeliveryError, HandedOver, Send, SendReport, SendState};
use crate::service::Service;

/// Sends claimed at once. Large enough that a busy server spends one commit on many.
const BATCH_MAX: usize = 256;

/// How long a claim protects a send from other workers; longer than any sender's own time-out.
const LEASE: Duration = Duration::from_mins(1);

/// Longest pause between two looks at the outbox: due retries, and leases of workers that died.
const POLL: Duration = Duration::from_millis(500);

/// Pause before the next try, doubled with each attempt up to five minutes.
const RETRY_FIRST: Duration = Duration::from_secs(2);

impl Service {
    /// Works until `stop` turns true, then finishes what it has claimed and returns.
    pub async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.deliver_due().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => error!(%error, "the outbox cannot be read"),
            }
            tokio::select! {
                () = self.sends_due.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Claims what is due, hands it over, records what became of it. Returns how many it was.
    pub async fn deliver_due(&self) -> Result<usize, crate::error::ServiceError> {
        let now = self.now();
        let claimed = self.store.claim_sends(now, now + LEASE, BATCH_MAX).await?;
        if claimed.is_empty() {
            return Ok(0);
        }
        let count = claimed.len();
        let reports = join_all(claimed.iter().map(|send| self.deliver(send))).await;
        let handed_over: Arc<[Send]> =
            claimed.into_iter().zip(&reports).filter_map(|(send, it)| taken(send, it)).collect();
        self.store.report_sends(reports).await?;
        self.ledger_changed.send_modify(|count| *count += 1);
        if !handed_over.is_empty() {
            // An error means that nobody listens.
            let _ = self.handed_over.send(handed_over);
        }
        Ok(count)
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
            Err(DeliveryError::Unavailable { sender, reason }) => {
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

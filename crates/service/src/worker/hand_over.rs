//! One send on its way: what is handed over, and what is recorded of it.

use core::time::Duration;
use std::sync::{Arc, PoisonError};

use futures_util::future::poll_immediate;
use registration::{CodeMethod, Command, Timestamp};
use tracing::{debug, error, warn};

use crate::caller::Caller;
use crate::fault;
use crate::message_text;
use crate::policy::Repeat;
use crate::ports::{
    Attempt, AttemptOutcome, CodeMessage, DeliveryError, Dispatched, HandedOver, Send, SendReport,
    SendState, Settlement,
};
use crate::queries::INBOX;
use crate::service::Service;

/// Pause before the next try, doubled with each attempt up to [`RETRY_LONGEST`].
const RETRY_FIRST: Duration = Duration::from_secs(2);

/// Longest pause between tries: a code lives ten minutes, and whoever asked for it waits.
const RETRY_LONGEST: Duration = Duration::from_secs(30);

/// A send whose turn has come to an end.
#[derive(Debug)]
pub(crate) struct Ended {
    send: Send,
    report: SendReport,
    /// No provider can have taken it, and its code is dead: its step of the ladder is given back.
    give_back: bool,
}

impl Service {
    /// Hands a claimed send over. Never fails: what became of it is in the report.
    pub(crate) async fn hand_over(&self, send: Send) -> Ended {
        let now = self.now();
        // Whose lease has passed may be another worker's by now, and acknowledged: only the outbox knows.
        if !matches!(send.state, SendState::Claimed { until, .. } if now < until) {
            return Ended::left_to_the_outbox(send);
        }
        if send.in_doubt && self.policy().repeat == Repeat::NeverTwice {
            let reason = "whether a provider took it is unknown, and it is never sent twice";
            return self.failed(send, now, reason);
        }
        if now >= send.what.useless_after {
            return self.expired(send, now);
        }
        let Some(message) = self.message(&send) else {
            error!(id = %send.id, epoch = send.what.key_epoch, "no key for this send");
            return self.failed(send, now, "the key of this code is gone");
        };
        fault::point("claimed");
        if !self.note_beginning(&send).await {
            return Ended::left_to_the_outbox(send);
        }
        fault::point("begun");
        let mut dispatched = self.delivery.dispatch(&message).await;
        fault::point("handed-over");
        if dispatched.attempts.is_empty() {
            dispatched.attempts.push(only_try(&dispatched.outcome, now, self.now()));
        }
        self.judge(send, dispatched)
    }

    /// Records that the hand-over begins, unless that stands in the lease; whether it may.
    async fn note_beginning(&self, send: &Send) -> bool {
        let SendState::Claimed { until, begun: false } = send.state else { return true };
        match self.store.begin_send(send.id, until).await {
            Ok(stands) => stands,
            Err(error) => {
                error!(id = %send.id, %error, "the beginning of a hand-over cannot be recorded");
                false
            }
        }
    }

    fn judge(&self, send: Send, dispatched: Dispatched) -> Ended {
        let now = self.now();
        let Dispatched { attempts, outcome } = dispatched;
        let in_doubt = attempts
            .iter()
            .any(|it| matches!(it.outcome, AttemptOutcome::Unavailable { uncertain: true, .. }));
        let mut ended = match outcome {
            Ok(taken) => self.taken(send, taken, now),
            Err(DeliveryError::Rejected { sender, reason }) => {
                warn!(id = %send.id, number = ?send.number, sender, reason, "rejected");
                let doubt = in_doubt || send.in_doubt;
                let mut ended = self.failed(send, now, &reason);
                ended.report.sender = Some(sender);
                if !doubt {
                    ended.report.settled = ended.send.free_of_charge();
                }
                ended
            }
            Err(DeliveryError::Unavailable { sender, reason, uncertain, retry_after }) => {
                warn!(id = %send.id, number = ?send.number, sender, reason, "not taken");
                if uncertain && self.policy().repeat == Repeat::NeverTwice {
                    let reason = format!("whether {sender} took it is unknown: {reason}");
                    self.failed(send, now, &reason)
                } else {
                    let pause = retry_pause(&send, retry_after, now);
                    // Not beyond the life of the code: its end is recorded then.
                    let due_at = (now + pause).min(send.what.useless_after);
                    let report = SendReport::new(send.id, SendState::Decided { due_at });
                    Ended { report, give_back: false, send }
                }
            }
        };
        ended.report.in_doubt = in_doubt;
        // The inbox of a sandbox says nothing that the row itself does not.
        ended.report.tries = attempts.into_iter().filter(|it| it.sender != INBOX).collect();
        ended
    }

    fn taken(&self, send: Send, taken: HandedOver, now: Timestamp) -> Ended {
        let HandedOver { sender, provider_id } = taken;
        debug!(id = %send.id, number = ?send.number, sender, "handed over");
        let price = self.policy().spending.prices.of(&sender, send.what.method, send.number);
        let settled = (price != send.charged)
            .then(|| Settlement { charged: price, budgets: send.budgets.clone() });
        let state = SendState::HandedOver { at: now };
        let sender = Some(sender);
        let report = SendReport { sender, provider_id, settled, ..SendReport::new(send.id, state) };
        Ended { report, give_back: false, send }
    }

    /// The code died before anybody took the message. Where that is sure, it costs nothing, and the
    /// caller has its step back.
    fn expired(&self, send: Send, now: Timestamp) -> Ended {
        if send.in_doubt {
            let reason = "the code has expired; whether a provider took the message is unknown";
            return self.failed(send, now, reason);
        }
        let mut ended = self.failed(send, now, "the code had expired before it could be sent");
        ended.report.settled = ended.send.free_of_charge();
        ended.give_back = true;
        ended
    }

    #[expect(clippy::unused_self, reason = "reads like its siblings")]
    fn failed(&self, send: Send, at: Timestamp, reason: &str) -> Ended {
        let state = SendState::Failed { at, reason: reason.to_owned() };
        Ended { report: SendReport::new(send.id, state), give_back: false, send }
    }

    /// Records what became of sends. One batch is on its way to the disk and one behind it in the store's queue;
    /// whoever comes meanwhile waits for a place, and is recorded together with all others who came. They are
    /// announced in the order in which they were recorded, because readers of the inbox come back by the last
    /// id they saw.
    pub(crate) async fn record_sends(&self, ended: Vec<Ended>) {
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner).extend(ended);
        let place = self.recording.lock().await;
        let ended = {
            let mut waiting = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
            core::mem::take(&mut *waiting)
        };
        // What stands where it stood, because its lease has passed, is nobody's news.
        let ended: Vec<Ended> =
            ended.into_iter().filter(|it| it.report.state != it.send.state).collect();
        if ended.is_empty() {
            return;
        }
        let reports = ended.iter().map(|it| it.report.clone()).collect();
        let mut recorded = core::pin::pin!(self.store.report_sends(reports));
        // Takes its place in the store's queue before the batch ahead of it is done.
        let at_once = poll_immediate(recorded.as_mut()).await;
        let announcing = self.announcing.lock().await;
        drop(place);
        let recorded = match at_once {
            Some(outcome) => outcome,
            None => recorded.await,
        };
        if let Err(error) = recorded {
            // Their leases will pass, and they will be handed over again: at least once.
            return error!(%error, "what became of sends cannot be recorded");
        }
        fault::point("recorded");
        for it in &ended {
            self.count(it);
        }
        let given_back: Vec<Send> =
            ended.iter().filter(|it| it.give_back).map(|it| it.send.clone()).collect();
        let handed_over: Arc<[Send]> = ended.into_iter().filter_map(Ended::handed_over).collect();
        self.ledger_changed.send_modify(|count| *count += 1);
        if !handed_over.is_empty() {
            self.join_receipts(&handed_over).await;
            // An error means that nobody listens.
            let _ = self.handed_over.send(handed_over);
        }
        drop(announcing);
        for send in given_back {
            self.give_back(&send).await;
        }
    }

    fn count(&self, it: &Ended) {
        for attempt in &it.report.tries {
            self.tallies.tried(attempt);
        }
        if let (SendState::HandedOver { .. }, Some(sender)) = (&it.report.state, &it.report.sender)
        {
            let cost = it.report.settled.as_ref().map_or(it.send.charged, |it| it.charged);
            self.tallies.change(sender, |tally| tally.cost = tally.cost.saturating_add(cost));
        }
    }

    async fn give_back(&self, send: &Send) {
        let (method, ordered_at) = (send.what.method, send.decided_at);
        let command = Command::GiveBack { method, ordered_at };
        if let Err(error) = self.execute(&Caller::system(), send.number, &command).await {
            // The caller waits longer than it would have had to; nothing else is lost.
            warn!(%error, number = ?send.number, "a step of the ladder cannot be given back");
        }
    }

    /// The message of a ledger row, with the code derived again; `None` if its key is gone.
    pub(crate) fn message(&self, send: &Send) -> Option<CodeMessage> {
        let what = &send.what;
        let code = self.keys.code(what.key_epoch, send.number, &what.claim, what.challenge)?;
        let grouped = send.dialect == "onprem";
        let text = match what.method {
            CodeMethod::Sms => {
                let own = &self.policy().texts;
                own.sms(&what.locale, &code, grouped)
                    .unwrap_or_else(|| message_text::sms(&what.locale, &code, grouped))
            }
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

impl Send {
    /// That nobody is paid for it, if somebody was to be.
    fn free_of_charge(&self) -> Option<Settlement> {
        (self.charged > 0).then(|| Settlement { charged: 0, budgets: self.budgets.clone() })
    }
}

impl Ended {
    /// Not handed over; it stays as it stands, and is due again once its lease has passed.
    fn left_to_the_outbox(send: Send) -> Self {
        let report = SendReport::new(send.id, send.state.clone());
        Self { report, give_back: false, send }
    }

    /// The send as its report leaves it, if a provider took it.
    fn handed_over(self) -> Option<Send> {
        let SendReport { state, sender, provider_id, tries, settled, .. } = self.report;
        let SendState::HandedOver { at } = state else { return None };
        let mut send = self.send;
        send.tries.extend(tries);
        let charged = settled.map_or(send.charged, |it| it.charged);
        Some(Send { state, sender, provider_id, charged, handed_over_at: Some(at), ..send })
    }
}

/// The one try of a single sender.
fn only_try(
    outcome: &Result<HandedOver, DeliveryError>,
    started_at: Timestamp,
    ended_at: Timestamp,
) -> Attempt {
    let (sender, outcome) = match outcome {
        Ok(taken) => (&taken.sender, AttemptOutcome::Taken),
        Err(DeliveryError::Unavailable { sender, reason, uncertain, .. }) => {
            let (reason, uncertain) = (reason.clone(), *uncertain);
            (sender, AttemptOutcome::Unavailable { reason, uncertain })
        }
        Err(DeliveryError::Rejected { sender, reason }) => {
            (sender, AttemptOutcome::Rejected { reason: reason.clone() })
        }
    };
    Attempt { sender: sender.clone(), started_at, ended_at, outcome }
}

/// How long until the next try: as long as the provider asks for, else longer with each attempt.
///
/// Spread by the id, so that those who wait together do not come back together: over half of the pause, or of
/// that of so many attempts where it is longer, because a sender that rests tells all who ask the same moment,
/// and the longer it was away the more of them there are. A code that lives on beyond the pause is
/// not spread to its end: half of what is left then is left to the try.
fn retry_pause(send: &Send, asked: Option<Duration>, now: Timestamp) -> Duration {
    let doublings = send.attempt.saturating_sub(1).min(8);
    let growing = (RETRY_FIRST * 2u32.saturating_pow(doublings)).min(RETRY_LONGEST);
    let pause = asked.map_or(growing, |asked| asked.clamp(Duration::from_secs(1), RETRY_LONGEST));
    let left = send.what.useless_after.since(now).saturating_sub(pause);
    let range = pause.max(growing).min(left);
    // Fibonacci hashing: ids of one moment follow each other, and their spreads must not.
    let low_bits = u64::try_from(send.id.0 & u128::from(u64::MAX)).unwrap_or(0);
    let mixed = low_bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    let spread = u32::try_from(mixed).unwrap_or(0);
    pause + range * spread / 0x1_ffff
}

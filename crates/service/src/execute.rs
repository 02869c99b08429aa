//! Load, decide, commit: the one loop in which a number's record changes.

use std::sync::PoisonError;

use registration::{
    Accepted, AccountId, Command, Decision, Effect, NumberRecord, PhoneNumber, Refusal, Timestamp,
    decide,
};

use crate::caller::Caller;
use crate::error::{Refused, ServiceError, Unavailable};
use crate::explain::fact_details;
use crate::policy::Policy;
use crate::ports::{
    CommitError, EntityWrite, EntropyExt, Event, EventId, NumberWrite, Send, SendId, SendState,
    Subject, Take, Unit, Versioned,
};
use crate::service::Service;

/// Tries before a request gives up because others keep changing the record. Within one process work on
/// a number is lined up, so this is about other nodes.
const ATTEMPTS_MAX: u32 = 16;

/// What to decide, obtained from the record as it is at this try.
pub(crate) struct Step {
    /// The command.
    pub command: Command,
    /// Records to decide in the same unit if the command is accepted: `(record, command)`.
    pub alongside: Vec<(Versioned<NumberRecord>, Command)>,
    /// Directory changes that belong to the same unit if the command is accepted.
    pub entities: Vec<EntityWrite>,
    /// Who pays for sends, and from which country's allowance they are taken.
    pub payer: Option<(AccountId, u16)>,
}

impl Step {
    pub(crate) fn new(command: Command) -> Self {
        Self { command, alongside: Vec::new(), entities: Vec::new(), payer: None }
    }
}

/// A command that was accepted and is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The answer of the rules.
    pub accepted: Accepted,
    /// The record as stored.
    pub record: NumberRecord,
}

impl Service {
    /// Decides on a number's record and commits record, events and sends in one unit.
    ///
    /// `prepare` sees the record of each try and returns the command; it may hash or look things up. It
    /// must draw everything that the decision depends on from that record and its own captures.
    pub(crate) async fn execute<F>(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        mut prepare: F,
    ) -> Result<Committed, ServiceError>
    where
        F: AsyncFnMut(&NumberRecord, Timestamp) -> Result<Step, ServiceError>,
    {
        let _turn = self.line_up(number).await;
        for _ in 0..ATTEMPTS_MAX {
            let loaded = self.load(number).await?;
            let policy = self.policy();
            let now = self.now();
            let step = prepare(&loaded.value, now).await?;
            let decision = decide(loaded.value.clone(), &step.command, now, &policy.limits);
            let unit = self.unit(caller, &loaded, &step, &decision, now, &policy);
            let refusal_id = unit.events.last().map(|event| event.id);
            let sends = !unit.sends.is_empty();
            match self.store.commit(unit).await {
                Ok(()) => {
                    if sends {
                        self.sends_due.notify_one();
                    }
                    return answer(decision, refusal_id, number, now);
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::Throttled { opens_at, .. }) => {
                    let refusal = Refusal::CountryLimit { opens_at };
                    let subject = Subject::Number(number);
                    return Err(self.refuse(caller, subject, step.command.name(), refusal).await);
                }
                Err(CommitError::Unavailable(error)) => return Err(error.into()),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// The record of a number, made up at version 0 if nothing is stored.
    pub(crate) async fn load(
        &self,
        number: PhoneNumber,
    ) -> Result<Versioned<NumberRecord>, ServiceError> {
        let stored = self.store.number(number).await?;
        Ok(stored.unwrap_or_else(|| Versioned { version: 0, value: NumberRecord::absent(number) }))
    }

    fn unit(
        &self,
        caller: &Caller,
        loaded: &Versioned<NumberRecord>,
        step: &Step,
        decision: &Decision,
        now: Timestamp,
        policy: &Policy,
    ) -> Unit {
        let mut unit = Unit { events: self.events(caller, decision, now), ..Unit::default() };
        if decision.next != loaded.value {
            let record = decision.next.clone();
            unit.numbers.push(NumberWrite { expected: loaded.version, record });
        }
        if decision.outcome.is_err() {
            return unit;
        }
        unit.entities.clone_from(&step.entities);
        for (other, command) in &step.alongside {
            let also = decide(other.value.clone(), command, now, &policy.limits);
            if also.next != other.value {
                // Released first, so that its holder's place is free for the number decided here.
                let write = NumberWrite { expected: other.version, record: also.next.clone() };
                unit.numbers.insert(0, write);
                unit.events.extend(self.events(caller, &also, now));
            }
        }
        if let Some((account, country)) = &step.payer {
            for effect in &decision.effects {
                let Effect::SendCode(what) = effect;
                unit.sends.push(Send {
                    id: self.send_id(now),
                    number: loaded.value.number,
                    account: account.clone(),
                    dialect: caller.dialect.to_owned(),
                    what: what.clone(),
                    decided_at: now,
                    state: SendState::Decided { due_at: now },
                    attempt: 0,
                    sender: None,
                    provider_id: None,
                });
                unit.takes.push(Take {
                    key: format!("country/{account}/{country}"),
                    interval: policy.country_sends.interval,
                    burst: policy.country_sends.burst,
                    now,
                });
            }
        }
        unit
    }

    fn events(&self, caller: &Caller, decision: &Decision, now: Timestamp) -> Vec<Event> {
        let subject = Subject::Number(decision.next.number);
        decision
            .facts
            .iter()
            .map(|fact| Event {
                id: EventId(self.entropy.id128()),
                at: now,
                subject: subject.clone(),
                account: caller.account.clone(),
                actor: caller.actor.clone(),
                kind: fact.kind().to_owned(),
                details: fact_details(caller.dialect, fact).to_string(),
            })
            .collect()
    }

    /// An id for the ledger: a UUID version 7 (RFC 9562 §5.7), and above every id given before even if
    /// the clock was turned back, because readers page by it.
    fn send_id(&self, now: Timestamp) -> SendId {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let random = self.entropy.bytes::<10>();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128();
        let mut last = self.last_send.lock().unwrap_or_else(PoisonError::into_inner);
        *last = id.max(last.saturating_add(1));
        SendId(*last)
    }
}

fn answer(
    decision: Decision,
    refusal_id: Option<EventId>,
    number: PhoneNumber,
    at: Timestamp,
) -> Result<Committed, ServiceError> {
    match decision.outcome {
        Ok(accepted) => Ok(Committed { accepted, record: decision.next }),
        Err(refusal) => Err(ServiceError::Refused(Refused {
            refusal,
            id: refusal_id,
            number: Some(number),
            at,
        })),
    }
}

//! Load, decide, commit: the one loop in which a number's record changes.

use std::sync::PoisonError;

use async_trait::async_trait;
use registration::{
    Accepted, AccountId, ClaimPhase, Command, Decision, Effect, Fact, Fuse, NumberRecord,
    PhoneNumber, Refusal, Timestamp, decide,
};

use crate::caller::Caller;
use crate::crowding::{counts_claims, for_claim};
use crate::error::{Refused, ServiceError, Unavailable};
use crate::explain::details_of;
use crate::policy::Policy;
use crate::ports::{
    CommitError, Confirmed, EntityWrite, EntropyExt, Event, EventId, NumberWrite, Send, SendId,
    Subject, Take, Unit, Versioned,
};
use crate::service::Service;
use crate::spending::fuse_of;

/// Tries before a request gives up because others keep changing the record. Within one process work on
/// a number is lined up, so this is about other nodes.
const ATTEMPTS_MAX: u32 = 16;

/// What to decide, obtained from the record as it is at this try.
pub(crate) struct Step {
    /// The command.
    pub command: Command,
    /// Decided in the same unit if the command registers the number.
    pub if_registered: Vec<Beside>,
    /// Directory changes that belong to the same unit if the command is accepted.
    pub entities: Vec<EntityWrite>,
    /// Who pays for sends, and from which country's allowance they are taken.
    pub payer: Option<(AccountId, u16)>,
    /// What a registrar upstream said; belongs to the unit whatever the decision is.
    pub abroad: Option<Abroad>,
}

/// What a call upstream leaves behind.
pub(crate) struct Abroad {
    /// The mirror as it is now.
    pub mirror: EntityWrite,
    /// What was asked and answered, for the audit trail.
    pub told: Option<serde_json::Value>,
}

/// Turns the record of each try into a command. It may hash or look things up, and must draw everything
/// that the decision depends on from that record and from itself, so that every try means the same.
#[async_trait]
pub(crate) trait Proposal: core::marker::Send + Sync {
    /// What to decide on `record`.
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError>;
}

/// A command that does not depend on the record.
#[async_trait]
impl Proposal for Command {
    async fn step(
        &self,
        _service: &Service,
        _record: &NumberRecord,
        _now: Timestamp,
    ) -> Result<Step, ServiceError> {
        Ok(Step::new(self.clone()))
    }
}

impl Step {
    pub(crate) fn new(command: Command) -> Self {
        Self { command, if_registered: Vec::new(), entities: Vec::new(), payer: None, abroad: None }
    }
}

/// How much of a decision is stored.
#[derive(Clone, Copy)]
enum Extent {
    Whole,
    Refusals,
}

/// A command on another number that stands or falls with the main one.
pub(crate) struct Beside {
    /// The other number's record.
    pub record: Versioned<NumberRecord>,
    /// What is asked of it.
    pub command: Command,
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
    pub(crate) async fn execute(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        proposal: &dyn Proposal,
    ) -> Result<Committed, ServiceError> {
        self.attempt(caller, number, proposal, Extent::Whole).await
    }

    /// Decides as [`Self::execute`] does, but stores nothing if the answer is yes: what would be accepted,
    /// with the record as it is. A refusal is stored and answered as ever.
    pub(crate) async fn dry_run(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        proposal: &dyn Proposal,
    ) -> Result<Committed, ServiceError> {
        self.attempt(caller, number, proposal, Extent::Refusals).await
    }

    async fn attempt(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        proposal: &dyn Proposal,
        extent: Extent,
    ) -> Result<Committed, ServiceError> {
        let _turn = self.line_up(number).await;
        for _ in 0..ATTEMPTS_MAX {
            let loaded = self.load(number).await?;
            let policy = self.policy();
            let now = self.now();
            let step = proposal.step(self, &loaded.value, now).await?;
            let decision = decide(loaded.value.clone(), &step.command, now, &policy.limits);
            if let (Extent::Refusals, Ok(accepted)) = (extent, &decision.outcome) {
                return Ok(Committed { accepted: accepted.clone(), record: loaded.value });
            }
            let mut unit = self.unit(caller, &loaded, &step, &decision, now, &policy);
            let refusal_id = unit.events.last().map(|event| event.id);
            unit.callbacks =
                self.callbacks_of(caller, &loaded.value, &step, &unit.numbers, now).await?;
            let has_callbacks = !unit.callbacks.is_empty();
            let fresh = self.lease(&mut unit, now);
            match self.commit_leased(unit, fresh).await {
                Ok(fresh) => {
                    self.trail_grew.send_replace(());
                    self.hand_to_worker(fresh);
                    if has_callbacks {
                        self.callbacks_due.notify_one();
                    }
                    return answer(decision, refusal_id, number, now);
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::Throttled { opens_at, .. }) => {
                    let refusal = Refusal::CountryLimit { opens_at };
                    let subject = Subject::Number(number);
                    return Err(self.refuse(caller, subject, step.command.name(), refusal).await);
                }
                Err(CommitError::Overspent { key, resets_at: opens_at }) => {
                    let refusal = if counts_claims(&key) {
                        Refusal::TooManyRequests { opens_at }
                    } else {
                        let fuse = fuse_of(&key).map_or(Fuse::AccountDay, |(fuse, _)| fuse);
                        Refusal::SpendLimit { fuse, opens_at }
                    };
                    let subject = Subject::Number(number);
                    return Err(self.refuse(caller, subject, step.command.name(), refusal).await);
                }
                Err(CommitError::Repeated { key }) => {
                    return Err(ServiceError::Bug(format!("unexpected key for once {key}")));
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
        let mut unit = Unit::default();
        if let Some(Abroad { mirror, told }) = &step.abroad {
            unit.entities.push(mirror.clone());
            let subject = || Subject::Number(loaded.value.number);
            let event = |told| self.event(caller, subject(), "upstream_called", told);
            unit.events.extend(told.as_ref().map(event));
        }
        unit.events.extend(self.event_of(caller, decision, now));
        if decision.next != loaded.value {
            let record = decision.next.clone();
            unit.numbers.push(NumberWrite { expected: loaded.version, record });
        }
        let Ok(accepted) = &decision.outcome else { return unit };
        if let Some(account) = &caller.account {
            unit.spends.extend(for_claim(account, &loaded.value, &decision.next, now));
        }
        unit.entities.extend_from_slice(&step.entities);
        unit.confirmed = confirmed(&loaded.value, decision, now);
        if matches!(accepted, Accepted::Registered(_) | Accepted::Restored(_)) {
            self.decide_beside(caller, step, now, policy, &mut unit);
        }
        if let Some((account, country)) = &step.payer {
            for effect in &decision.effects {
                let Effect::SendCode(what) = effect;
                let (id, number) = (self.send_id(now), loaded.value.number);
                let (payer, what) = (account.clone(), what.clone());
                let mut send = Send::decided(id, number, payer, caller.dialect, what, now);
                unit.spends.extend(self.reserve(&mut send, *country, now));
                unit.sends.push(send);
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

    fn decide_beside(
        &self,
        caller: &Caller,
        step: &Step,
        now: Timestamp,
        policy: &Policy,
        unit: &mut Unit,
    ) {
        for Beside { record, command } in &step.if_registered {
            let beside = decide(record.value.clone(), command, now, &policy.limits);
            if beside.next != record.value {
                // Written first, so that its holder's place is free for the number decided here.
                let next = beside.next.clone();
                unit.numbers.insert(0, NumberWrite { expected: record.version, record: next });
                unit.events.extend(self.event_of(caller, &beside, now));
            }
        }
    }

    /// The event of a decision: its last fact, which is what the command was about, and what came with
    /// it. One event per decision, because each costs the commit a row; none if nothing happened.
    fn event_of(&self, caller: &Caller, decision: &Decision, now: Timestamp) -> Option<Event> {
        let (fact, along) = decision.facts.split_last()?;
        Some(Event {
            id: EventId(self.time_ordered_id(now)),
            at: now,
            subject: Subject::Number(decision.next.number),
            account: caller.account.clone(),
            actor: caller.actor.clone(),
            kind: fact.kind().to_owned(),
            details: details_of(caller.dialect, fact, along),
        })
    }

    /// An id for the ledger, above every id given before even if the clock was turned back, because
    /// readers page by it.
    pub(crate) fn send_id(&self, now: Timestamp) -> SendId {
        let id = self.time_ordered_id(now);
        let mut last = self.last_send.lock().unwrap_or_else(PoisonError::into_inner);
        *last = id.max(last.saturating_add(1));
        SendId(*last)
    }

    /// A UUID of version 7 (RFC 9562 §5.7): 48 bits of time in front, so that indexes grow at one end,
    /// and 74 random bits, so that nobody guesses it.
    pub(crate) fn time_ordered_id(&self, now: Timestamp) -> u128 {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let random = self.entropy.bytes::<10>();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128()
    }
}

/// The challenge that a decision found answered.
fn confirmed(before: &NumberRecord, decision: &Decision, at: Timestamp) -> Vec<Confirmed> {
    if !decision.facts.contains(&Fact::CodeConfirmed) {
        return Vec::new();
    }
    let challenge = |record: &NumberRecord, id| match &record.claim(id)?.phase {
        ClaimPhase::AwaitingCode(challenge) => Some(challenge.id),
        ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
    };
    let answered = before.claims.iter().filter_map(|claim| {
        let asked = challenge(before, &claim.id)?;
        (challenge(&decision.next, &claim.id) != Some(asked)).then_some(asked)
    });
    let number = before.number;
    answered.map(|challenge| Confirmed { number, challenge, at }).collect()
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

//! Orders for a WABA whose authority is a registrar upstream.
//!
//! ```text
//! turn ─ settle ─ rules (dry) ─ intent on disk ─ call upstream ─ verdict through the rules ─ mirror on disk
//! ```
//!
//! - **The rules come first**, as a dry run on the record: what they refuse costs nothing upstream.
//! - **The intent** ([`UnderWay`]) is stored before a call that changes something there, and goes away in the
//!   same unit that stores what came of it. So at any moment, also after a crash or when the caller went away, the
//!   store tells which call may have been made.
//! - **Whoever comes next settles it first**: the number is read back. If the call was carried out, the record
//!   catches up ([`Adopt`]); if not, and enough time has passed to be sure, the intent is dropped; otherwise the
//!   caller is told to come back. Hence nothing is registered twice, and a retry learns the true result.
//! - **A refusal upstream** becomes state of the record ([`Heed`]): the next such request is refused here.
//!
//! Calls about one number follow one another within a process ([`Turns`]). Between processes the intent is
//! what counts.

mod code;
mod holder;
mod name;
mod pins;
mod settle;
mod turns;

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use registration::{
    Accepted, Adopt, Command, ForeignWords, Forwarded, Heed, NewClaim, NumberRecord, PhoneNumber,
    PinVerifier, Refusal, RegistrationKey, TextId as _, Timestamp, TwoStepPin, VerifiedName,
    WabaId,
};
use serde_json::{Value, json};
use tokio::sync::OwnedMutexGuard;

pub(crate) use turns::Turns;

use crate::caller::Caller;
use crate::directory::{Call, Entity, EntityRef, Seen, UnderWay, UpstreamNumber};
use crate::error::{ServiceError, Unavailable};
use crate::execute::{Abroad, Committed, Proposal, Step};
use crate::ports::{
    CommitError, Doubt, EntityWrite, Errand, ForeignBackup, Link, Subject, Unit, UpstreamError,
    UpstreamRegistrar, UpstreamState, Versioned,
};
use crate::service::{Service, committed};

/// How long a call without an answer may go on upstream after nobody waits for it any more. Meta names up to
/// 15 s for the longest, a registration that moves a number.
pub(crate) const SETTLES_AFTER: Duration = Duration::from_secs(15);

/// How long a call takes at most before this side gives up. Adapters keep it.
pub(crate) const CALL_MAX: Duration = Duration::from_secs(30);

/// Tries before giving up because others change what is known about a number at this very moment.
const ATTEMPTS_MAX: u32 = 8;

/// What was found out about a call of an earlier request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Settled {
    /// Nothing was open, or it was not carried out.
    Nothing,
    /// The registration that was asked for has come about.
    Registered(Committed),
    /// The registration that was to be given up is gone.
    Deregistered(Committed),
    /// The display name that was asked for is known there.
    Named(Committed),
}

/// A backup that stands for a code, and who can tell.
pub(crate) enum Shown {
    /// One of this installation, with the key that it carries.
    Here(RegistrationKey),
    /// One that was made elsewhere, for the registrar upstream to open.
    There(ForeignBackup),
}

/// An order on its way: the number's turn, the link, and what is known.
struct Trip<'a> {
    service: &'a Service,
    caller: &'a Caller,
    waba: WabaId,
    number: PhoneNumber,
    link: Link,
    port: Arc<dyn UpstreamRegistrar>,
    mirror: UpstreamNumber,
    settled: Settled,
    /// A PIN that was hashed on the way, so that it is not hashed twice.
    hashed: Option<(TwoStepPin, PinVerifier)>,
    _turn: OwnedMutexGuard<()>,
}

impl Service {
    /// Waits for the number's turn and settles what an earlier request left open.
    async fn trip<'a>(
        &'a self,
        caller: &'a Caller,
        waba: &WabaId,
        number: PhoneNumber,
        link: Link,
    ) -> Result<Trip<'a>, ServiceError> {
        let turn = self.turns.take(number).await;
        let port = self.upstream.clone().ok_or_else(|| {
            ServiceError::Bug("a link to a registrar upstream without its port".to_owned())
        })?;
        port.check(&link).map_err(|reason| Unavailable::Upstream { reason })?;
        let mirror = self.mirror(waba, number).await?;
        let mut trip = Trip {
            service: self,
            caller,
            waba: waba.clone(),
            number,
            link,
            port,
            mirror: mirror.value,
            settled: Settled::Nothing,
            hashed: None,
            _turn: turn,
        };
        trip.settled = trip.settle().await?;
        Ok(trip)
    }

    /// What is known about a number upstream.
    pub(crate) async fn mirror(
        &self,
        waba: &WabaId,
        number: PhoneNumber,
    ) -> Result<Versioned<UpstreamNumber>, ServiceError> {
        let found = self.store.entity(&EntityRef::upstream_number(waba, number)).await?;
        let found = found.and_then(|found| {
            let value = found.value.into_upstream_number()?;
            Some(Versioned { version: found.version, value })
        });
        let unknown = || UpstreamNumber::unknown(waba.clone(), number);
        Ok(found.unwrap_or_else(|| Versioned { version: 0, value: unknown() }))
    }

    async fn mirror_write(&self, mirror: &UpstreamNumber) -> Result<EntityWrite, ServiceError> {
        let expected = self.mirror(&mirror.waba, mirror.number).await?.version;
        Ok(EntityWrite::Put { expected, entity: Entity::UpstreamNumber(Box::new(mirror.clone())) })
    }
}

impl Trip<'_> {
    fn errand(&self) -> Errand<'_> {
        Errand {
            link: &self.link,
            number: self.number,
            remote_id: self.mirror.remote_id.as_deref(),
            now: self.service.now(),
        }
    }

    /// Finds the number upstream, or adds it, unless it was met before. `true` if it was met just now.
    async fn meet(
        &mut self,
        name: &VerifiedName,
        claim: Option<NewClaim>,
    ) -> Result<bool, ServiceError> {
        if self.mirror.seen.is_some() {
            return Ok(false);
        }
        match self.port.find_or_add(self.errand(), name).await {
            Ok(state) => {
                self.saw(&state);
                let told = self.told(Forwarded::AddNumber, None);
                match claim {
                    Some(claim) => {
                        let add = registration::AddNumber {
                            waba: self.waba.clone(),
                            claim,
                            only_new: false,
                        };
                        self.commit(&Command::AddNumber(add), Some(told)).await?;
                    }
                    None => self.save(Some(told)).await?,
                }
                Ok(true)
            }
            Err(error) => Err(self.failed(Forwarded::AddNumber, error).await),
        }
    }

    /// Reads the number again, and takes over that its code is confirmed there if it is.
    async fn catch_up_on_proof(&mut self) -> Result<(), ServiceError> {
        match self.port.read_back(self.errand()).await {
            Ok(state) => self.saw_or_lost(state.as_ref()),
            Err(error) => return Err(self.failed(Forwarded::VerifyCode, error).await),
        }
        self.adopt_proof().await
    }

    /// Takes over that the code is confirmed upstream, if it was seen to be.
    async fn adopt_proof(&mut self) -> Result<(), ServiceError> {
        let by_code = self.mirror.confirmed.take().is_some();
        let seen = self.mirror.seen.as_ref().and_then(|seen| seen.verified) == Some(true);
        if !by_code && !seen {
            return Ok(());
        }
        let adopt = Adopt::Verified { waba: self.waba.clone(), by_code };
        match self.commit(&Command::Adopt(adopt), None).await {
            // No claim here yet: the order itself decides what that means.
            Ok(_) | Err(ServiceError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn saw(&mut self, state: &UpstreamState) {
        if !state.id.is_empty() {
            self.mirror.remote_id = Some(state.id.clone());
        }
        self.mirror.seen = Some(seen(state, self.service.now()));
    }

    fn saw_or_lost(&mut self, state: Option<&UpstreamState>) {
        if let Some(state) = state {
            self.saw(state);
        } else {
            self.mirror.remote_id = None;
            self.mirror.seen = None;
        }
    }

    /// Stores that a call is about to be made.
    async fn begin(&mut self, what: Call) -> Result<(), ServiceError> {
        let since = self.service.now();
        let settles_at = since + CALL_MAX + SETTLES_AFTER;
        self.mirror.under_way = Some(UnderWay { what, since, settles_at });
        self.save(None).await
    }

    /// Stores what is known, on its own.
    async fn save(&self, told: Option<Value>) -> Result<(), ServiceError> {
        let service = self.service;
        for _ in 0..ATTEMPTS_MAX {
            let entities = vec![service.mirror_write(&self.mirror).await?];
            let subject = || Subject::Number(self.number);
            let event = |told| service.event(self.caller, subject(), "upstream_called", told);
            let events = told.as_ref().map(event).into_iter().collect();
            match service.store.commit(Unit { entities, events, ..Unit::default() }).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// Decides a command and stores it together with what is known.
    async fn commit(
        &self,
        proposal: &dyn Proposal,
        told: Option<Value>,
    ) -> Result<Committed, ServiceError> {
        let told = Told { inner: proposal, mirror: &self.mirror, event: told };
        self.service.execute(self.caller, self.number, &told).await
    }

    /// Records that a call brought no success, and returns what to answer.
    async fn failed(&mut self, operation: Forwarded, error: UpstreamError) -> ServiceError {
        let error = match operation {
            Forwarded::RequestCode | Forwarded::VerifyCode => {
                let from_caller = matches!(self.candidate(), Ok(Some(kept)) if kept.from_caller);
                self.read_pin_refusal(error, from_caller)
            }
            // Read where the PIN is sent.
            Forwarded::AddNumber
            | Forwarded::Register
            | Forwarded::Deregister
            | Forwarded::SetTwoStep
            | Forwarded::ChangeName => error,
        };
        let told = Some(self.told(operation, Some(&error)));
        match error {
            UpstreamError::Refused { refusal, is_vague, .. } => {
                self.mirror.under_way = None;
                if refusal == Refusal::NotClaimed {
                    self.saw_or_lost(None);
                }
                let waba = self.waba.clone();
                let keeps_pins = self.link.registrar().asks_for_pins();
                let heed = Heed { waba, operation, refusal, is_vague, keeps_pins };
                match self.commit(&Command::Heed(heed), told).await {
                    Err(answer) => answer,
                    Ok(_) => ServiceError::Bug("a refusal upstream was accepted here".to_owned()),
                }
            }
            UpstreamError::Unavailable { reason, doubt, .. } => {
                let now = self.service.now();
                match (doubt, &mut self.mirror.under_way) {
                    (Doubt::NotDone, under_way) => *under_way = None,
                    (Doubt::Settled, Some(under_way)) => under_way.settles_at = now,
                    (Doubt::UnderWay, Some(under_way)) => {
                        under_way.settles_at = now + SETTLES_AFTER;
                    }
                    (Doubt::Settled | Doubt::UnderWay, None) => {}
                }
                match self.save(told).await {
                    Ok(()) => Unavailable::Upstream { reason }.into(),
                    Err(error) => error,
                }
            }
        }
    }

    /// What was asked and answered, for the audit trail.
    fn told(&self, operation: Forwarded, error: Option<&UpstreamError>) -> Value {
        let mut told = json!({
            "dialect": self.caller.dialect,
            "registrar": self.link.registrar().as_str(),
            "waba": self.waba.as_str(),
            "operation": operation.name(),
        });
        match error {
            None => told["outcome"] = json!("done"),
            Some(UpstreamError::Refused { refusal, words, .. }) => {
                told["outcome"] = json!("refused");
                told["refusal"] = json!(refusal.id());
                told["said"] = said(words);
            }
            Some(UpstreamError::Unavailable { reason, .. }) => {
                told["outcome"] = json!("unavailable");
                told["reason"] = json!(reason);
            }
        }
        told
    }
}

/// What stands in the mirror of a state.
pub(crate) fn seen(state: &UpstreamState, at: Timestamp) -> Seen {
    Seen {
        at,
        registered: state.registered,
        verified: state.verified,
        pin_enabled: state.pin_enabled,
        status: state.status.clone(),
        name_status: state.name_status.clone(),
        quality: state.quality.clone(),
    }
}

fn said(words: &ForeignWords) -> Value {
    json!({
        "code": words.code,
        "subcode": words.subcode,
        "message": words.message,
        "user_message": words.user_message,
        "trace": words.trace,
    })
}

/// A proposal together with what a call upstream leaves behind.
struct Told<'a> {
    inner: &'a dyn Proposal,
    mirror: &'a UpstreamNumber,
    event: Option<Value>,
}

#[async_trait]
impl Proposal for Told<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let mut step = self.inner.step(service, record, now).await?;
        let mirror = service.mirror_write(self.mirror).await?;
        step.abroad = Some(Abroad { mirror, told: self.event.clone() });
        Ok(step)
    }
}

/// The name that a claim has, or shall have; none if there is neither.
fn name_for(
    record: &NumberRecord,
    waba: &WabaId,
    new: Option<&VerifiedName>,
) -> Option<VerifiedName> {
    new.cloned().or_else(|| record.claim_of(waba).map(|claim| claim.name.clone()))
}

/// The answer of a decision that cannot be another one.
fn unexpected(accepted: &Accepted) -> ServiceError {
    ServiceError::Bug(format!("{accepted:?} is no answer to this order"))
}

#[cfg(test)]
mod tests;

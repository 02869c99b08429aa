//! Proposals: what the use cases of `numbers` ask of a record, worked out anew for each try.

use async_trait::async_trait;
use registration::{
    BackupProof, ChallengeId, ClaimPhase, ClientId, CodeMaker, CodeProof, CodeVerdict, Command,
    Holding, NewClaim, NumberRecord, PinCheck, PinVerifier, Platform, Reach, Refusal, Register,
    RegistrationKey, RequestCode, Requester, Timestamp, TwoStepPin, VerifyCode, WabaId, decide,
};
use tokio::sync::OnceCell;

use crate::caller::Caller;
use crate::directory::{Client, Entity, EntityRef};
use crate::error::ServiceError;
use crate::execute::{Beside, Proposal, Step};
use crate::numbers::{CodeAnswer, CodeOrder, PinInput, RegisterOrder};
use crate::ports::{EntityWrite, NumberKey, Subject, Versioned};
use crate::service::Service;

/// Where PINs stand with a registrar upstream that may ask for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinAbroad {
    /// It asks for none: the rules here decide.
    NotAsked,
    /// It asks for one that this installation has, or may choose.
    AtHand,
    /// It asks for the one that was set there, which only the owner knows.
    Owed,
}

/// The verdict on a PIN, where a registrar upstream has a say in it and none is in force here.
fn abroad_pin(
    abroad: Option<PinAbroad>,
    record: &NumberRecord,
    pin: Option<PinCheck>,
) -> Option<PinCheck> {
    match (abroad, pin) {
        (None | Some(PinAbroad::NotAsked), pin) => pin,
        _ if record.two_step.is_some() => pin,
        (Some(PinAbroad::Owed), Some(PinCheck::Absent)) => Some(PinCheck::OwedToUpstream),
        (Some(_), Some(PinCheck::Unchecked)) => Some(PinCheck::ForUpstream),
        (Some(_), pin) => pin,
    }
}

pub(crate) struct CodeRequest<'a> {
    pub(crate) order: &'a CodeOrder,
    pub(crate) claim: Option<NewClaim>,
    pub(crate) fresh_challenge: ChallengeId,
    pub(crate) key: RegistrationKey,
    pub(crate) abroad: Option<PinAbroad>,
}

#[async_trait]
impl Proposal for CodeRequest<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let order = self.order;
        let client = order.client.as_ref();
        let other = service.other_number_of(client, record, now).await?;
        let pin = service.check_pin(record, now, &order.pin).await?;
        let pin = abroad_pin(self.abroad, record, pin);
        let register = client.map(|client| Register {
            waba: order.waba.clone(),
            platform: Platform::OnPremise { client: client.clone() },
            pin: pin.unwrap_or(PinCheck::Absent),
            key: self.key,
            restart: other.is_some(),
            set_pin: None,
            by_backup: None,
        });
        // Rules about our own senders have no say in a code that leaves from elsewhere.
        let (reach, waiting) = match self.abroad {
            Some(_) => (Reach::Open, None),
            None => (
                service.reach(&order.payer, &order.planned, order.method, now),
                service.waiting(record, order).await?,
            ),
        };
        let mut step = Step::new(Command::RequestCode(RequestCode {
            requester: Requester { waba: order.waba.clone(), client: order.client.clone() },
            claim: self.claim.clone(),
            made_by: if self.abroad.is_some() { CodeMaker::Upstream } else { CodeMaker::Here },
            method: order.method,
            kind: order.planned.kind,
            locale: order.locale.clone(),
            pin,
            fresh_challenge: self.fresh_challenge,
            key_epoch: service.keys.epoch(),
            only_unproven: order.only_unproven,
            register,
            reach,
            waiting,
        }));
        if self.abroad.is_none() {
            step.payer = Some((order.payer.clone(), order.planned.country_code));
        }
        step.if_registered = release(client, other);
        Ok(step)
    }
}

pub(crate) struct Confirmation<'a> {
    pub(crate) answer: &'a CodeAnswer,
    pub(crate) register: Option<Registering<'a>>,
    /// What a registrar upstream says about the code, where it is the one that knows.
    pub(crate) said: Option<CodeVerdict>,
}

#[async_trait]
impl Proposal for Confirmation<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let order = self.register.as_ref().map(|it| it.order);
        let requester = Requester {
            waba: self.answer.waba.clone(),
            client: order.and_then(|order| client_of(&order.platform)),
        };
        let proof = match self.said {
            Some(verdict) => CodeProof::ProviderSays(verdict),
            None => service.proof(record, &self.answer.waba),
        };
        let verify = |register| {
            let (requester, proof) = (requester.clone(), proof.clone());
            let submitted = self.answer.code.clone();
            Command::VerifyCode(VerifyCode { requester, submitted, proof, register })
        };
        match &self.register {
            Some(registering) => {
                let with = |register| verify(Some(register));
                registering.step_of(service, record, now, &with).await
            }
            None => Ok(Step::new(verify(None))),
        }
    }
}

pub(crate) struct Registering<'a> {
    pub(crate) waba: &'a WabaId,
    pub(crate) order: &'a RegisterOrder,
    /// Hash of the PIN to set, once a try has come as far as to need it.
    pub(crate) set_pin: OnceCell<PinVerifier>,
    pub(crate) key: RegistrationKey,
    pub(crate) by_backup: Option<BackupProof>,
    pub(crate) abroad: Option<PinAbroad>,
}

impl Registering<'_> {
    /// The step that registers, by the command that `ask` makes of it. What is refused whatever the PIN is
    /// costs no hash.
    async fn step_of(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
        ask: &(dyn Fn(Register) -> Command + core::marker::Send + Sync),
    ) -> Result<Step, ServiceError> {
        let client = client_of(&self.order.platform);
        let other = service.other_number_of(client.as_ref(), record, now).await?;
        let pin = |verdict| abroad_pin(self.abroad, record, verdict).unwrap_or(PinCheck::Absent);
        let mut register = Register {
            waba: self.waba.clone(),
            platform: self.order.platform.clone(),
            pin: pin(Some(self.order.pin.unhashed())),
            key: self.key,
            restart: other.is_some(),
            set_pin: None,
            by_backup: self.by_backup,
        };
        if !service.is_refused_unhashed(record, &ask(register.clone()), now) {
            let verdict = service.check_pin(record, now, &self.order.pin).await?;
            register.pin = pin(Some(verdict.unwrap_or(PinCheck::Absent)));
            if record.two_step.is_none()
                && let Some(first) = &self.order.set_pin
            {
                let hash = || async { service.hasher.hash_pin(first).await };
                register.set_pin = Some(self.set_pin.get_or_try_init(hash).await?.clone());
            }
        }
        let mut step = Step::new(ask(register));
        step.if_registered = release(client.as_ref(), other);
        Ok(step)
    }
}

#[async_trait]
impl Proposal for Registering<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        self.step_of(service, record, now, &Command::Register).await
    }
}

impl PinInput {
    /// What is known of it before it is hashed.
    const fn unhashed(&self) -> PinCheck {
        match self {
            Self::NotAsked | Self::Absent => PinCheck::Absent,
            Self::Given(_) => PinCheck::Unchecked,
        }
    }
}

impl Service {
    /// Whether the rules refuse a command whatever its PIN is. One that may fail for its PIN or its code only is
    /// decided with both.
    fn is_refused_unhashed(
        &self,
        record: &NumberRecord,
        command: &Command,
        now: Timestamp,
    ) -> bool {
        let decision = decide(record.clone(), command, now, &self.policy().limits);
        let of_secrets =
            |it: &Refusal| matches!(it, Refusal::PinRequired | Refusal::CodeMismatch { .. });
        decision.outcome.is_err_and(|refusal| !of_secrets(&refusal))
    }
}

/// Another PIN. It is hashed once somebody may set it.
pub(crate) struct PinSetting<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) holder: Option<Holding>,
    pub(crate) pin: &'a TwoStepPin,
    pub(crate) verifier: OnceCell<PinVerifier>,
}

#[async_trait]
impl Proposal for PinSetting<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let set = |verifier| Command::SetTwoStep { holder: self.holder.clone(), verifier };
        // Never stored: what would be accepted is decided with the hash.
        let unhashed = set(PinVerifier::new(""));
        let limits = &service.policy().limits;
        if let Err(refusal) = decide(record.clone(), &unhashed, now, limits).outcome {
            let (subject, operation) = (Subject::Number(record.number), unhashed.name());
            return Err(service.refuse(self.caller, subject, operation, refusal).await);
        }
        let hash = || async { service.hasher.hash_pin(self.pin).await };
        Ok(Step::new(set(self.verifier.get_or_try_init(hash).await?.clone())))
    }
}

pub(crate) struct ShardCount<'a> {
    pub(crate) client: &'a Client,
    pub(crate) pin: PinInput,
    pub(crate) shards: u8,
}

#[async_trait]
impl Proposal for ShardCount<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        let key = NumberKey::HeldBy(self.client.id.clone());
        let held = service.store.find_number(&key).await?;
        let holder = held.map(|_| Holding::Client(self.client.id.clone()));
        let prove = |pin| Command::ProvePin { holder: holder.clone(), pin };
        let mut pin = self.pin.unhashed();
        if !service.is_refused_unhashed(record, &prove(pin), now) {
            pin = service.check_pin(record, now, &self.pin).await?.unwrap_or(PinCheck::Absent);
        }
        let mut step = Step::new(prove(pin));
        let found = service.store.entity(&EntityRef::client(&self.client.id)).await?;
        if let Some(Versioned { version, value: Entity::Client(mut stored) }) = found
            && stored.shards != self.shards
        {
            stored.shards = self.shards;
            stored.restarting_until = now + service.policy().limits.coreapp_restart;
            let entity = Entity::Client(stored);
            step.entities.push(EntityWrite::Put { expected: version, entity });
        }
        Ok(step)
    }
}

pub(crate) fn asked_by(claim: &registration::Claim, client: &ClientId) -> bool {
    match &claim.phase {
        ClaimPhase::AwaitingCode(challenge) => challenge.client.as_ref() == Some(client),
        ClaimPhase::Unverified | ClaimPhase::Verified { .. } => false,
    }
}

pub(crate) fn client_of(platform: &Platform) -> Option<ClientId> {
    match platform {
        Platform::OnPremise { client } => Some(client.clone()),
        Platform::CloudApi => None,
    }
}

/// What a client's other number is told when the client takes a new one.
pub(crate) fn release(
    client: Option<&ClientId>,
    other: Option<Versioned<NumberRecord>>,
) -> Vec<Beside> {
    let command = client.map(|client| Command::Release { client: client.clone() });
    other.zip(command).map(|(record, command)| Beside { record, command }).into_iter().collect()
}

#[cfg(test)]
mod tests;

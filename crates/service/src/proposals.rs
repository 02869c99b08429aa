//! Proposals: what the use cases of `numbers` ask of a record, worked out anew for each try.

use async_trait::async_trait;
use registration::{
    BackupProof, ChallengeId, ClaimPhase, ClientId, CodeMaker, CodeProof, CodeVerdict, Command,
    NewClaim, NumberRecord, PinCheck, PinVerifier, Platform, Reach, Register, RegistrationKey,
    RequestCode, Requester, Timestamp, VerifyCode, WabaId,
};

use crate::directory::{Client, Entity, EntityRef};
use crate::error::ServiceError;
use crate::execute::{Beside, Proposal, Step};
use crate::numbers::{CodeAnswer, CodeOrder, PinInput, RegisterOrder};
use crate::ports::{EntityWrite, Versioned};
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
        let (mut register, mut if_registered) = (None, Vec::new());
        if let Some(registering) = &self.register {
            let (command, releases) = registering.command(service, record, now).await?;
            (register, if_registered) = (Some(command), releases);
        }
        let client = self.register.as_ref().and_then(|it| client_of(&it.order.platform));
        let mut step = Step::new(Command::VerifyCode(VerifyCode {
            requester: Requester { waba: self.answer.waba.clone(), client },
            submitted: self.answer.code.clone(),
            proof: match self.said {
                Some(verdict) => CodeProof::ProviderSays(verdict),
                None => service.proof(record, &self.answer.waba),
            },
            register,
        }));
        step.if_registered = if_registered;
        Ok(step)
    }
}

pub(crate) struct Registering<'a> {
    pub(crate) waba: &'a WabaId,
    pub(crate) order: &'a RegisterOrder,
    pub(crate) set_pin: Option<PinVerifier>,
    pub(crate) key: RegistrationKey,
    pub(crate) by_backup: Option<BackupProof>,
    pub(crate) abroad: Option<PinAbroad>,
}

impl Registering<'_> {
    async fn command(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<(Register, Vec<Beside>), ServiceError> {
        let client = client_of(&self.order.platform);
        let other = service.other_number_of(client.as_ref(), record, now).await?;
        let pin = service.check_pin(record, now, &self.order.pin).await?;
        let pin = abroad_pin(self.abroad, record, Some(pin.unwrap_or(PinCheck::Absent)));
        let register = Register {
            waba: self.waba.clone(),
            platform: self.order.platform.clone(),
            pin: pin.unwrap_or(PinCheck::Absent),
            key: self.key,
            restart: other.is_some(),
            set_pin: self.set_pin.clone(),
            by_backup: self.by_backup,
        };
        Ok((register, release(client.as_ref(), other)))
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
        let (register, if_registered) = self.command(service, record, now).await?;
        let mut step = Step::new(Command::Register(register));
        step.if_registered = if_registered;
        Ok(step)
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
        let pin = service.check_pin(record, now, &self.pin).await?.unwrap_or(PinCheck::Absent);
        let mut step = Step::new(Command::ProvePin { pin });
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

//! What callers do with numbers: add, request a code, verify, register, give up, PIN.

use async_trait::async_trait;
use registration::{
    AccountId, ChallengeId, ClaimPhase, ClientId, CodeMethod, CodeProof, Command, Holding, Locale,
    NewClaim, NumberRecord, PhoneNumber, PhoneNumberId, PinCheck, PinQuestion, PinVerifier,
    Platform, Refusal, Register, RegistrationKey, RequestCode, Requester, TextId, Timestamp,
    TwoStepPin, VerificationCode, VerifiedName, VerifyCode, WabaId,
};

use crate::caller::Caller;
use crate::directory::{Client, Entity, EntityRef};
use crate::error::ServiceError;
use crate::execute::{Beside, Committed, Proposal, Step};
use crate::numbering::Planned;
use crate::ports::{EntityWrite, EntropyExt, NumberKey, Subject, Versioned};
use crate::service::Service;

/// A PIN as it came with a request.
#[derive(Debug, Clone)]
pub enum PinInput {
    /// The dialect has no place for a PIN in this request, and asks for none.
    NotAsked,
    /// The dialect has a place and the caller left it empty.
    Absent,
    /// The caller gave this PIN.
    Given(TwoStepPin),
}

/// The name that a claim shall carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimName {
    /// The display name.
    pub name: VerifiedName,
    /// Serial of the certificate it came in, if it did.
    pub certificate_serial: Option<u64>,
}

/// An order for a code.
#[derive(Debug, Clone)]
pub struct CodeOrder {
    /// Who pays for the message.
    pub payer: AccountId,
    /// Whose claim.
    pub waba: WabaId,
    /// The On-Premises client, if one asks: it registers at once where no code is needed.
    pub client: Option<ClientId>,
    /// The number and what the plan says about it.
    pub planned: Planned,
    /// SMS or voice.
    pub method: CodeMethod,
    /// Language of the message.
    pub locale: Locale,
    /// The PIN that came along.
    pub pin: PinInput,
    /// The claim to make if there is none; `None` refuses an unclaimed number.
    pub claim: Option<ClaimName>,
}

/// An answer to a code, with registration in the same step if asked.
#[derive(Debug, Clone)]
pub struct CodeAnswer {
    /// Whose claim.
    pub waba: WabaId,
    /// Which number.
    pub number: PhoneNumber,
    /// The code; `None` when the field was empty.
    pub code: Option<VerificationCode>,
    /// Register in the same step.
    pub register: Option<RegisterOrder>,
}

/// An order to register.
#[derive(Debug, Clone)]
pub struct RegisterOrder {
    /// Where the number will run.
    pub platform: Platform,
    /// The PIN that came along.
    pub pin: PinInput,
    /// Set this PIN if two-step verification is off (Graph).
    pub set_pin: Option<TwoStepPin>,
}

/// A claim whose code is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Which number.
    pub number: PhoneNumber,
    /// Whose claim.
    pub waba: WabaId,
}

impl Service {
    /// Claims a number for a WABA; a number already claimed by it takes the new name.
    pub async fn add_number(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: &ClaimName,
    ) -> Result<Committed, ServiceError> {
        self.rehearse(caller, "add_number", Some(number)).await?;
        let claim = self.new_claim(name);
        let add = registration::AddNumber { waba: waba.clone(), claim };
        self.execute(caller, number, &Command::AddNumber(add)).await
    }

    /// Sends a code, or registers at once where an On-Premises client needs none.
    pub async fn request_code(
        &self,
        caller: &Caller,
        order: &CodeOrder,
    ) -> Result<Committed, ServiceError> {
        let number = order.planned.number;
        self.rehearse_code(caller, number, order.method).await?;
        let proposal = CodeRequest {
            order,
            claim: order.claim.as_ref().map(|name| self.new_claim(name)),
            fresh_challenge: ChallengeId(self.entropy.id128()),
            key: RegistrationKey(self.entropy.id128()),
        };
        self.execute(caller, number, &proposal).await
    }

    /// The number and WABA whose code a client may confirm, or the refusal that there is none.
    pub async fn pending_claim(
        &self,
        caller: &Caller,
        client: &ClientId,
    ) -> Result<Pending, ServiceError> {
        let key = NumberKey::PendingFor(client.clone());
        if let Some(number) = self.store.find_number(&key).await?
            && let Some(found) = self.store.number(number).await?
            && let Some(claim) = found.value.claims.iter().find(|claim| asked_by(claim, client))
        {
            return Ok(Pending { number, waba: claim.waba.clone() });
        }
        let subject = Subject::Entity(EntityRef::client(client));
        Err(self.refuse(caller, subject, "verify_code", Refusal::CodeMissing).await)
    }

    /// Confirms a code and registers in the same step if asked.
    pub async fn verify_code(
        &self,
        caller: &Caller,
        answer: &CodeAnswer,
    ) -> Result<Committed, ServiceError> {
        self.rehearse(caller, "verify_code", Some(answer.number)).await?;
        let register = match &answer.register {
            Some(order) => Some(self.registering(&answer.waba, order).await?),
            None => None,
        };
        let proposal = Confirmation { answer, register };
        self.execute(caller, answer.number, &proposal).await
    }

    /// Registers a number whose code was confirmed in an earlier call.
    pub async fn register(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        order: &RegisterOrder,
    ) -> Result<Committed, ServiceError> {
        self.rehearse(caller, "register", Some(number)).await?;
        let proposal = self.registering(waba, order).await?;
        self.execute(caller, number, &proposal).await
    }

    /// Gives a registration up: the WABA's own, or any for the operator (`waba` absent).
    pub async fn deregister(
        &self,
        caller: &Caller,
        waba: Option<&WabaId>,
        number: PhoneNumber,
    ) -> Result<Committed, ServiceError> {
        self.rehearse(caller, "deregister", Some(number)).await?;
        let command = Command::Deregister { waba: waba.cloned() };
        self.execute(caller, number, &command).await
    }

    /// Switches two-step verification on or changes its PIN; `holder` absent is the operator.
    pub async fn set_two_step(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        holder: Option<Holding>,
        pin: &TwoStepPin,
    ) -> Result<Committed, ServiceError> {
        self.rehearse(caller, "set_two_step", Some(number)).await?;
        let verifier = self.hasher.hash_pin(pin).await?;
        let command = Command::SetTwoStep { holder, verifier };
        self.execute(caller, number, &command).await
    }

    /// Switches two-step verification off; `holder` absent is the operator.
    pub async fn clear_two_step(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        holder: Option<Holding>,
    ) -> Result<Committed, ServiceError> {
        self.rehearse(caller, "clear_two_step", Some(number)).await?;
        let command = Command::ClearTwoStep { holder };
        self.execute(caller, number, &command).await
    }

    /// Lifts the lock that too many wrong guesses set. For operators.
    pub async fn unlock(
        &self,
        caller: &Caller,
        number: PhoneNumber,
    ) -> Result<Committed, ServiceError> {
        self.execute(caller, number, &Command::Unlock).await
    }

    /// Sets a client's shard count. Needs the number's PIN while two-step verification is on; Coreapp
    /// restarts if the count changes.
    pub async fn set_shards(
        &self,
        caller: &Caller,
        client: &Client,
        number: PhoneNumber,
        pin: PinInput,
        shards: u8,
    ) -> Result<Committed, ServiceError> {
        self.rehearse(caller, "set_shards", Some(number)).await?;
        self.execute(caller, number, &ShardCount { client, pin, shards }).await
    }

    /// Whether a WABA exists in an account.
    pub async fn waba_in_account(
        &self,
        waba: &WabaId,
        account: &AccountId,
    ) -> Result<bool, ServiceError> {
        let found = self.store.entity(&EntityRef::waba(waba)).await?;
        let found = found.and_then(|found| found.value.into_waba());
        Ok(found.is_some_and(|waba| waba.account == *account))
    }

    /// The number that a client runs.
    pub async fn number_of_client(
        &self,
        client: &ClientId,
    ) -> Result<Option<NumberRecord>, ServiceError> {
        let key = NumberKey::HeldBy(client.clone());
        let Some(number) = self.store.find_number(&key).await? else { return Ok(None) };
        Ok(self.store.number(number).await?.map(|stored| stored.value))
    }

    /// Hashes the PIN that came along, but only if the record asks for it and a try is open.
    async fn check_pin(
        &self,
        record: &NumberRecord,
        now: Timestamp,
        pin: &PinInput,
    ) -> Result<Option<PinCheck>, ServiceError> {
        let given = match pin {
            PinInput::NotAsked => return Ok(None),
            PinInput::Absent => return Ok(Some(PinCheck::Absent)),
            PinInput::Given(pin) => pin,
        };
        let limits = &self.policy().limits;
        let PinQuestion::Check(verifier) = record.pin_question(now, limits) else {
            return Ok(Some(PinCheck::Unchecked));
        };
        let right = self.hasher.check_pin(given, verifier).await?;
        Ok(Some(if right { PinCheck::Right } else { PinCheck::Wrong }))
    }

    async fn registering<'a>(
        &self,
        waba: &'a WabaId,
        order: &'a RegisterOrder,
    ) -> Result<Registering<'a>, ServiceError> {
        let set_pin = match &order.set_pin {
            Some(pin) => Some(self.hasher.hash_pin(pin).await?),
            None => None,
        };
        let key = RegistrationKey(self.entropy.id128());
        Ok(Registering { waba, order, set_pin, key })
    }

    /// Derives the code that would be right for the challenge of `waba`'s claim.
    fn proof(&self, record: &NumberRecord, waba: &WabaId) -> CodeProof {
        let claim = record.claim_of(waba);
        let challenge =
            claim.and_then(|claim| claim.live_challenge(self.now(), &self.policy().limits));
        let (Some(claim), Some(challenge)) = (claim, challenge) else { return CodeProof::None };
        self.keys
            .code(challenge.key_epoch, record.number, &claim.id, challenge.id)
            .map_or(CodeProof::None, |code| CodeProof::Expected(challenge.id, code))
    }

    /// The record of the other number that a client holds, if it holds one.
    pub(crate) async fn other_number_of(
        &self,
        client: Option<&ClientId>,
        number: PhoneNumber,
    ) -> Result<Option<Versioned<NumberRecord>>, ServiceError> {
        let Some(client) = client else { return Ok(None) };
        let held = self.store.find_number(&NumberKey::HeldBy(client.clone())).await?;
        match held.filter(|held| *held != number) {
            Some(other) => Ok(Some(self.load(other).await?)),
            None => Ok(None),
        }
    }

    fn new_claim(&self, name: &ClaimName) -> NewClaim {
        NewClaim {
            id: self.phone_number_id(),
            name: name.name.clone(),
            certificate_serial: name.certificate_serial,
        }
    }

    pub(crate) fn phone_number_id(&self) -> PhoneNumberId {
        loop {
            // Fifteen digits always have the form of an identifier; the loop ends at its first turn.
            if let Some(id) = PhoneNumberId::parse(&self.entropy.node_id()) {
                return id;
            }
        }
    }
}

struct CodeRequest<'a> {
    order: &'a CodeOrder,
    claim: Option<NewClaim>,
    fresh_challenge: ChallengeId,
    key: RegistrationKey,
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
        let pin = service.check_pin(record, now, &order.pin).await?;
        let other = service.other_number_of(client, order.planned.number).await?;
        let register = client.map(|client| Register {
            waba: order.waba.clone(),
            platform: Platform::OnPremise { client: client.clone() },
            pin: pin.unwrap_or(PinCheck::Absent),
            key: self.key,
            restart: other.is_some(),
            set_pin: None,
        });
        let mut step = Step::new(Command::RequestCode(RequestCode {
            requester: Requester { waba: order.waba.clone(), client: order.client.clone() },
            claim: self.claim.clone(),
            method: order.method,
            kind: order.planned.kind,
            locale: order.locale.clone(),
            pin,
            fresh_challenge: self.fresh_challenge,
            key_epoch: service.keys.epoch(),
            register,
        }));
        step.payer = Some((order.payer.clone(), order.planned.country_code));
        step.if_registered = release(client, other);
        Ok(step)
    }
}

struct Confirmation<'a> {
    answer: &'a CodeAnswer,
    register: Option<Registering<'a>>,
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
            proof: service.proof(record, &self.answer.waba),
            register,
        }));
        step.if_registered = if_registered;
        Ok(step)
    }
}

struct Registering<'a> {
    waba: &'a WabaId,
    order: &'a RegisterOrder,
    set_pin: Option<PinVerifier>,
    key: RegistrationKey,
}

impl Registering<'_> {
    async fn command(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<(Register, Vec<Beside>), ServiceError> {
        let client = client_of(&self.order.platform);
        let other = service.other_number_of(client.as_ref(), record.number).await?;
        let pin = service.check_pin(record, now, &self.order.pin).await?;
        let register = Register {
            waba: self.waba.clone(),
            platform: self.order.platform.clone(),
            pin: pin.unwrap_or(PinCheck::Absent),
            key: self.key,
            restart: other.is_some(),
            set_pin: self.set_pin.clone(),
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

struct ShardCount<'a> {
    client: &'a Client,
    pin: PinInput,
    shards: u8,
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

fn asked_by(claim: &registration::Claim, client: &ClientId) -> bool {
    match &claim.phase {
        ClaimPhase::AwaitingCode(challenge) => challenge.client.as_ref() == Some(client),
        ClaimPhase::Unverified | ClaimPhase::Verified { .. } => false,
    }
}

fn client_of(platform: &Platform) -> Option<ClientId> {
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

//! What callers do with numbers: add, request a code, verify, register, give up, PIN.

use registration::{
    AccountId, ClaimPhase, ClientId, CodeMethod, CodeProof, Command, Holding, Locale, NewClaim,
    NumberRecord, PhoneNumber, PhoneNumberId, PinCheck, PinQuestion, Platform, Refusal, Register,
    RegistrationKey, RequestCode, Requester, TextId, Timestamp, TwoStepPin, VerificationCode,
    VerifiedName, VerifyCode, WabaId,
};

use crate::caller::Caller;
use crate::directory::{Client, Entity, EntityRef};
use crate::error::ServiceError;
use crate::execute::{Committed, Step};
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
        self.execute(caller, number, async |_, _| Ok(Step::new(Command::AddNumber(add.clone()))))
            .await
    }

    /// Sends a code, or registers at once where an On-Premises client needs none.
    pub async fn request_code(
        &self,
        caller: &Caller,
        order: &CodeOrder,
    ) -> Result<Committed, ServiceError> {
        let number = order.planned.number;
        self.rehearse(caller, "request_code", Some(number)).await?;
        let claim = order.claim.as_ref().map(|name| self.new_claim(name));
        let fresh_challenge = registration::ChallengeId(self.entropy.id128());
        let key = RegistrationKey(self.entropy.id128());
        let requester = Requester { waba: order.waba.clone(), client: order.client.clone() };
        self.execute(caller, number, async |record, now| {
            let pin = self.check_pin(record, now, &order.pin).await?;
            let other = self.other_number_of(order.client.as_ref(), number).await?;
            let register = order.client.as_ref().map(|client| Register {
                waba: order.waba.clone(),
                platform: Platform::OnPremise { client: client.clone() },
                pin: pin.unwrap_or(PinCheck::Absent),
                key,
                restart: other.is_some(),
                set_pin: None,
            });
            let command = Command::RequestCode(RequestCode {
                requester: requester.clone(),
                claim: claim.clone(),
                method: order.method,
                kind: order.planned.kind,
                locale: order.locale.clone(),
                pin,
                fresh_challenge,
                key_epoch: self.keys.epoch(),
                register,
            });
            let mut step = Step::new(command);
            step.payer = Some((order.payer.clone(), order.planned.country_code));
            // A code request that registers at once takes the client from its other number.
            if needs_no_code(record, order, now, &self.limits()) {
                step.alongside = release(order.client.as_ref(), other);
            }
            Ok(step)
        })
        .await
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
        let key = RegistrationKey(self.entropy.id128());
        let client = answer.register.as_ref().and_then(|order| client_of(&order.platform));
        let requester = Requester { waba: answer.waba.clone(), client: client.clone() };
        let set_pin = self.hash_new_pin(answer.register.as_ref()).await?;
        self.execute(caller, answer.number, async |record, now| {
            let other = self.other_number_of(client.as_ref(), answer.number).await?;
            let register = match &answer.register {
                Some(order) => Some(Register {
                    waba: answer.waba.clone(),
                    platform: order.platform.clone(),
                    pin: self.check_pin(record, now, &order.pin).await?.unwrap_or(PinCheck::Absent),
                    key,
                    restart: other.is_some(),
                    set_pin: set_pin.clone(),
                }),
                None => None,
            };
            let mut step = Step::new(Command::VerifyCode(VerifyCode {
                requester: requester.clone(),
                submitted: answer.code.clone(),
                proof: self.proof(record, &answer.waba),
                register,
            }));
            step.alongside = release(client.as_ref(), other);
            Ok(step)
        })
        .await
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
        let key = RegistrationKey(self.entropy.id128());
        let client = client_of(&order.platform);
        let set_pin = self.hash_new_pin(Some(order)).await?;
        self.execute(caller, number, async |record, now| {
            let other = self.other_number_of(client.as_ref(), number).await?;
            let mut step = Step::new(Command::Register(Register {
                waba: waba.clone(),
                platform: order.platform.clone(),
                pin: self.check_pin(record, now, &order.pin).await?.unwrap_or(PinCheck::Absent),
                key,
                restart: other.is_some(),
                set_pin: set_pin.clone(),
            }));
            step.alongside = release(client.as_ref(), other);
            Ok(step)
        })
        .await
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
        self.execute(caller, number, async |_, _| Ok(Step::new(command.clone()))).await
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
        self.execute(caller, number, async |_, _| Ok(Step::new(command.clone()))).await
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
        self.execute(caller, number, async |_, _| Ok(Step::new(command.clone()))).await
    }

    /// Lifts the lock that too many wrong guesses set. For operators.
    pub async fn unlock(
        &self,
        caller: &Caller,
        number: PhoneNumber,
    ) -> Result<Committed, ServiceError> {
        self.execute(caller, number, async |_, _| Ok(Step::new(Command::Unlock))).await
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
        self.execute(caller, number, async |record, now| {
            let check = self.check_pin(record, now, &pin).await?.unwrap_or(PinCheck::Absent);
            let mut step = Step::new(Command::ProvePin { pin: check });
            let found = self.store.entity(&EntityRef::client(&client.id)).await?;
            if let Some(Versioned { version, value: Entity::Client(mut stored) }) = found
                && stored.shards != shards
            {
                stored.shards = shards;
                stored.restarting_until = now + self.policy().limits.coreapp_restart;
                let entity = Entity::Client(stored);
                step.entities.push(EntityWrite::Put { expected: version, entity });
            }
            Ok(step)
        })
        .await
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

    async fn hash_new_pin(
        &self,
        order: Option<&RegisterOrder>,
    ) -> Result<Option<registration::PinVerifier>, ServiceError> {
        match order.and_then(|order| order.set_pin.as_ref()) {
            Some(pin) => Ok(Some(self.hasher.hash_pin(pin).await?)),
            None => Ok(None),
        }
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

    fn phone_number_id(&self) -> PhoneNumberId {
        loop {
            // Fifteen digits always have the form of an identifier; the loop ends at its first turn.
            if let Some(id) = PhoneNumberId::parse(&self.entropy.node_id()) {
                return id;
            }
        }
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

pub(crate) fn release(
    client: Option<&ClientId>,
    other: Option<Versioned<NumberRecord>>,
) -> Vec<(Versioned<NumberRecord>, Command)> {
    client
        .zip(other)
        .map(|(client, record)| (record, Command::Release { client: client.clone() }))
        .into_iter()
        .collect()
}

/// Whether the rules will answer "nothing left to do" with a registration, so that the client's other
/// number must be let go in the same unit. Only decides what stands beside the command: the rules decide
/// the command itself.
fn needs_no_code(
    record: &NumberRecord,
    order: &CodeOrder,
    now: Timestamp,
    limits: &registration::Limits,
) -> bool {
    let verified =
        record.claim_of(&order.waba).is_some_and(|c| c.verified_since(now, limits).is_some());
    order.client.is_some() && verified
}

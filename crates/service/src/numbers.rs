//! What callers do with numbers: add, request a code, verify, register, give up, PIN.

use registration::{
    AccountId, ChallengeId, Claim, ClaimPhase, ClientId, CodeMethod, CodeProof, Command, Holding,
    Locale, NewClaim, NumberRecord, PhoneNumber, PhoneNumberId, PinCheck, PinQuestion, Platform,
    Refusal, RegistrationKey, Timestamp, TwoStepPin, VerificationCode, VerifiedName, WabaId,
};
use tokio::sync::OnceCell;

use crate::caller::Caller;
use crate::coreapp::restarts;
use crate::directory::{Client, EntityRef};
use crate::error::{ServiceError, Unavailable};
use crate::execute::Committed;
use crate::numbering::Planned;
use crate::ports::{EntropyExt, NumberKey, Send, SendQuery, SendState, Subject, Versioned};
use crate::proposals::{CodeRequest, Confirmation, PinSetting, Registering, ShardCount, asked_by};
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
    /// Whether it came in a certificate or from the operator: then nobody has to look at it.
    pub is_vouched_for: bool,
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
    /// Refuse if the claim needs no code (Graph).
    pub only_unproven: bool,
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

/// Newest messages to a number among which one may wait: more than its ladders order in a code's life.
const WAITING_MAX: usize = 16;

impl Service {
    /// Claims a number for a WABA; a number already claimed by it takes the new name.
    pub async fn add_number(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: &ClaimName,
    ) -> Result<Committed, ServiceError> {
        self.add(caller, waba, number, name, false).await
    }

    /// Claims a number that the WABA does not have and that is registered for no other one (Graph).
    pub async fn add_new_number(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: &ClaimName,
    ) -> Result<Committed, ServiceError> {
        self.add(caller, waba, number, name, true).await
    }

    async fn add(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: &ClaimName,
        only_new: bool,
    ) -> Result<Committed, ServiceError> {
        if let Some(link) = self.link_of(waba).await? {
            return self.forward_add(caller, waba, number, name, only_new, link).await;
        }
        self.rehearse(caller, "add_number", Some(number)).await?;
        let claim = self.new_claim(name);
        let add = registration::AddNumber { waba: waba.clone(), claim, only_new };
        self.execute(caller, number, &Command::AddNumber(add)).await
    }

    /// Sends a code, or registers at once where an On-Premises client needs none.
    pub async fn request_code(
        &self,
        caller: &Caller,
        order: &CodeOrder,
    ) -> Result<Committed, ServiceError> {
        let number = order.planned.number;
        if let Some(link) = self.link_of(&order.waba).await? {
            return self.forward_code_request(caller, order, link).await;
        }
        self.rehearse_code(caller, number, order.method).await?;
        let proposal = CodeRequest {
            order,
            claim: order.claim.as_ref().map(|name| self.new_claim(name)),
            fresh_challenge: ChallengeId(self.entropy.id128()),
            key: RegistrationKey(self.entropy.id128()),
            abroad: None,
        };
        self.execute(caller, number, &proposal).await
    }

    /// The challenge of a message that was ordered the same way and has met no sender yet that took it.
    pub(crate) async fn waiting(
        &self,
        record: &NumberRecord,
        order: &CodeOrder,
    ) -> Result<Option<ChallengeId>, ServiceError> {
        let ladder = match order.method {
            CodeMethod::Sms => record.budgets.sms,
            CodeMethod::Voice => record.budgets.voice,
        };
        if ladder.taken == 0 {
            return Ok(None);
        }
        let query =
            SendQuery { number: Some(record.number), limit: WAITING_MAX, ..SendQuery::default() };
        let sends = self.store.sends(&query).await?;
        let waits = |send: &&Send| {
            let tried = match send.state {
                SendState::Decided { .. } => send.attempt > 0,
                SendState::Claimed { .. } => send.attempt > 1,
                SendState::HandedOver { .. }
                | SendState::Delivered { .. }
                | SendState::Failed { .. } => false,
            };
            tried && send.what.method == order.method && send.what.waba == order.waba
        };
        Ok(sends.iter().find(waits).map(|send| send.what.challenge))
    }

    /// The number and WABA whose code a client may confirm, or the refusal that there is none: the code
    /// requested last, be it by the client itself or, in another dialect, for its WABA.
    pub async fn pending_claim(
        &self,
        caller: &Caller,
        client: &ClientId,
    ) -> Result<Pending, ServiceError> {
        let own = NumberKey::PendingFor(client.clone());
        let mut pending = self.latest_pending(&own, |claim| asked_by(claim, client)).await?;
        let found = self.client(client).await?;
        if let Some((_, _, waba)) = &pending
            && !self.acts_for(found.as_ref(), waba).await?
        {
            pending = None;
        }
        if let Some(client) = &found {
            let hosted = NumberKey::PendingIn(client.waba.clone());
            let of_waba = |claim: &Claim| claim.waba == client.waba;
            pending = pending.max(self.latest_pending(&hosted, of_waba).await?);
        }
        if let Some((_, number, waba)) = pending {
            return Ok(Pending { number, waba });
        }
        if let Some(client) = &found {
            self.coreapp_up(client).await?;
        }
        let subject = Subject::Entity(EntityRef::client(client));
        Err(self.refuse(caller, subject, "verify_code", Refusal::CodeMissing).await)
    }

    /// Whether a WABA is of a client's account. One for which a client of the same name asked earlier need not be.
    async fn acts_for(&self, client: Option<&Client>, waba: &WabaId) -> Result<bool, ServiceError> {
        match client {
            Some(client) if client.waba == *waba => Ok(true),
            Some(client) => self.waba_in_account(waba, &client.account).await,
            None => Ok(false),
        }
    }

    /// What `key` leads to, with the moment of the request: the claim on it that is meant.
    async fn latest_pending(
        &self,
        key: &NumberKey,
        is_meant: impl Fn(&Claim) -> bool,
    ) -> Result<Option<(Timestamp, PhoneNumber, WabaId)>, ServiceError> {
        let Some(number) = self.store.find_number(key).await? else { return Ok(None) };
        let Some(found) = self.store.number(number).await? else { return Ok(None) };
        let claim = found.value.claims.iter().find(|claim| is_meant(claim));
        Ok(claim.and_then(|claim| match &claim.phase {
            ClaimPhase::AwaitingCode(it) => Some((it.requested_at, number, claim.waba.clone())),
            ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
        }))
    }

    /// Confirms a code and registers in the same step if asked.
    pub async fn verify_code(
        &self,
        caller: &Caller,
        answer: &CodeAnswer,
    ) -> Result<Committed, ServiceError> {
        if let Some(link) = self.link_of(&answer.waba).await? {
            return self.forward_code_answer(caller, answer, link).await;
        }
        self.rehearse(caller, "verify_code", Some(answer.number)).await?;
        let register = answer.register.as_ref().map(|order| self.registering(&answer.waba, order));
        let proposal = Confirmation { answer, register, said: None };
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
        if let Some(link) = self.link_of(waba).await? {
            return self.forward_register(caller, waba, number, order, None, link).await;
        }
        self.rehearse(caller, "register", Some(number)).await?;
        let proposal = self.registering(waba, order);
        self.execute(caller, number, &proposal).await
    }

    /// Gives a registration up: the WABA's own, or any for the operator (`waba` absent).
    pub async fn deregister(
        &self,
        caller: &Caller,
        waba: Option<&WabaId>,
        number: PhoneNumber,
    ) -> Result<Committed, ServiceError> {
        if let Some((holder, link)) = self.link_of_holder(number).await?
            && waba.is_none_or(|waba| *waba == holder)
        {
            return self.forward_deregister(caller, waba, &holder, number, link).await;
        }
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
        let setting = PinSetting { caller, holder, pin, verifier: OnceCell::new() };
        if let Some((waba, link)) = self.link_of_holder(number).await?
            && setting.holder.as_ref().is_none_or(|it| may_hold(it, &waba))
        {
            return self.forward_pin(caller, &waba, number, &setting, Some(pin), link).await;
        }
        self.rehearse(caller, "set_two_step", Some(number)).await?;
        self.execute(caller, number, &setting).await
    }

    /// Switches two-step verification off; `holder` absent is the operator.
    pub async fn clear_two_step(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        holder: Option<Holding>,
    ) -> Result<Committed, ServiceError> {
        let command = Command::ClearTwoStep { holder: holder.clone() };
        if let Some((waba, link)) = self.link_of_holder(number).await?
            && holder.as_ref().is_none_or(|it| may_hold(it, &waba))
        {
            return self.forward_pin(caller, &waba, number, &command, None, link).await;
        }
        self.rehearse(caller, "clear_two_step", Some(number)).await?;
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

    /// Sets a client's shard count. Needs the number's PIN while two-step verification is on; the number must be
    /// the one that the client runs, if it runs one. Coreapp restarts if the count changes.
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
    pub(crate) async fn check_pin(
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

    pub(crate) fn registering<'a>(
        &self,
        waba: &'a WabaId,
        order: &'a RegisterOrder,
    ) -> Registering<'a> {
        let key = RegistrationKey(self.entropy.id128());
        Registering { waba, order, set_pin: OnceCell::new(), key, by_backup: None, abroad: None }
    }

    /// Derives the code that would be right for the challenge of `waba`'s claim.
    pub(crate) fn proof(&self, record: &NumberRecord, waba: &WabaId) -> CodeProof {
        let claim = record.claim_of(waba);
        let challenge =
            claim.and_then(|claim| claim.live_challenge(self.now(), &self.policy().limits));
        let (Some(claim), Some(challenge)) = (claim, challenge) else { return CodeProof::None };
        self.keys
            .code(challenge.key_epoch, record.number, &claim.id, challenge.id)
            .map_or(CodeProof::None, |code| CodeProof::Expected(challenge.id, code))
    }

    /// The record of the number that a client runs besides `record`, if it runs one. Refuses while the
    /// client's Coreapp restarts because of a registration.
    pub(crate) async fn other_number_of(
        &self,
        client: Option<&ClientId>,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Option<Versioned<NumberRecord>>, ServiceError> {
        let Some(client) = client else { return Ok(None) };
        let held = self.store.find_number(&NumberKey::HeldBy(client.clone())).await?;
        let other = match held.filter(|held| *held != record.number) {
            Some(other) => Some(self.load(other).await?),
            None => None,
        };
        if held.is_some() {
            let running = other.as_ref().map_or(record, |other| &other.value);
            let until = running.registration.as_ref().map(|held| held.restarting_until);
            if until.is_some_and(|until| restarts(until, now, &self.policy().limits)) {
                return Err(Unavailable::CoreappRestarting.into());
            }
        }
        Ok(other)
    }

    /// The record of the number that a client runs besides `number`, if it runs one.
    pub(crate) async fn other_held_by(
        &self,
        client: &ClientId,
        number: PhoneNumber,
    ) -> Result<Option<Versioned<NumberRecord>>, ServiceError> {
        let held = self.store.find_number(&NumberKey::HeldBy(client.clone())).await?;
        match held.filter(|held| *held != number) {
            Some(other) => self.load(other).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn new_claim(&self, name: &ClaimName) -> NewClaim {
        NewClaim {
            id: self.phone_number_id(),
            name: name.name.clone(),
            certificate_serial: name.certificate_serial,
            needs_review: !name.is_vouched_for && self.policy().review_names,
        }
    }

    pub(crate) fn phone_number_id(&self) -> PhoneNumberId {
        self.claim_ids.next(self.now(), u32::from_be_bytes(self.entropy.bytes()))
    }
}

/// Whether who says to hold a registration may be right, if it is a WABA's. What is under way for that WABA at a
/// registrar upstream is no matter of strangers.
fn may_hold(who: &Holding, waba: &WabaId) -> bool {
    match who {
        Holding::Waba(it) => it == waba,
        Holding::Client(_) => true,
    }
}

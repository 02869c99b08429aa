//! Adding a number, asking for a code, confirming it: upstream and here.

use registration::{
    Accepted, Adopt, BackupProof, ChallengeId, Closed, CodeMethod, CodeVerdict, Command,
    ForeignWords, Forwarded, NewClaim, PhoneNumber, Platform, Reach, Refusal, RegistrationKey,
    VerificationCode, WabaId,
};

use super::{Settled, Trip, name_for, unexpected};
use crate::caller::Caller;
use crate::directory::Call;
use crate::error::ServiceError;
use crate::execute::Committed;
use crate::numbers::{ClaimName, CodeAnswer, CodeOrder, RegisterOrder};
use crate::ports::{Doubt, EntropyExt as _, ForeignBackup, Link, UpstreamError};
use crate::proposals::{CodeRequest, Confirmation, PinAbroad, client_of};
use crate::service::Service;

impl Service {
    /// Claims a number here and takes it into the account upstream.
    pub(crate) async fn forward_add(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        name: &ClaimName,
        only_new: bool,
        link: Link,
    ) -> Result<Committed, ServiceError> {
        let mut trip = self.trip(caller, waba, number, link).await?;
        // Whoever is the authority upstream looks at the name.
        let claim = NewClaim { needs_review: false, ..self.new_claim(name) };
        let add = registration::AddNumber { waba: waba.clone(), claim, only_new };
        let command = Command::AddNumber(add);
        self.dry_run(caller, number, &command).await?;
        trip.meet(&name.name, None).await?;
        trip.commit(&command, None).await
    }

    /// Has a code sent from upstream, or registers at once where no code is needed.
    pub(crate) async fn forward_code_request(
        &self,
        caller: &Caller,
        order: &CodeOrder,
        link: Link,
    ) -> Result<Committed, ServiceError> {
        let number = order.planned.number;
        let mut trip = self.trip(caller, &order.waba, number, link).await?;
        if let Settled::Registered(done) = &trip.settled
            && order.client.as_ref().is_some_and(|client| done.record.held_by(client))
        {
            return Ok(done.clone());
        }
        let claim = order.claim.as_ref().map(|name| self.new_claim(name));
        let mut proposal = CodeRequest {
            order,
            claim,
            fresh_challenge: ChallengeId(self.entropy.id128()),
            key: RegistrationKey(self.entropy.id128()),
            abroad: Some(trip.pins()),
        };
        // What the rules refuse anyway costs nothing upstream.
        let first = self.dry_run(caller, number, &proposal).await?;
        if matches!(first.accepted, Accepted::AlreadyRegistered(_)) {
            return trip.commit(&proposal, None).await;
        }
        let given = order.claim.as_ref().map(|claim| &claim.name);
        let Some(name) = name_for(&first.record, &order.waba, given) else {
            return Err(ServiceError::Bug("a code for a number without a claim".to_owned()));
        };
        let just_met = trip.meet(&name, proposal.claim.clone()).await?;
        if just_met || trip.mirror.confirmed.is_some() {
            trip.adopt_proof().await?;
        }
        proposal.abroad = Some(trip.pins());
        let second = self.dry_run(caller, number, &proposal).await?;
        trip.keep(&order.pin);
        match &second.accepted {
            Accepted::CodeSent(_) => match trip.backup_for(order).await? {
                // What a backup proves needs no code.
                Some(backup) => trip.register(order.client.clone(), Some(backup)).await,
                None => trip.have_code_sent(&proposal, order).await,
            },
            Accepted::Registered(_) => {
                // What counts as proven here may have been used up there.
                let backup = trip.backup_for(order).await?;
                trip.register(order.client.clone(), backup).await
            }
            Accepted::AlreadyRegistered(_) => trip.commit(&proposal, None).await,
            Accepted::NumberAdded(_)
            | Accepted::Verified(_)
            | Accepted::Restored(_)
            | Accepted::Deregistered
            | Accepted::Done => Err(unexpected(&second.accepted)),
        }
    }

    /// Has a code confirmed upstream, and registers in the same step if asked.
    pub(crate) async fn forward_code_answer(
        &self,
        caller: &Caller,
        answer: &CodeAnswer,
        link: Link,
    ) -> Result<Committed, ServiceError> {
        let mut trip = self.trip(caller, &answer.waba, answer.number, link).await?;
        if trip.mirror.own_code {
            return trip.confirm_here(answer).await;
        }
        if let (Settled::Registered(done), Some(_)) = (&trip.settled, &answer.register) {
            return Ok(done.clone());
        }
        let platform = answer.register.as_ref().map(|order| order.platform.clone());
        let mark = answer.code.as_ref().map(|code| self.mark_of(code));
        let mut registered = false;
        if mark.is_none() || trip.mirror.confirmed != mark {
            let register = match &answer.register {
                Some(order) => {
                    let mut registering = self.registering(&answer.waba, order);
                    registering.abroad = Some(trip.pins());
                    Some(registering)
                }
                None => None,
            };
            let proposal = Confirmation { answer, register, said: Some(CodeVerdict::Right) };
            let dry = self.dry_run(caller, answer.number, &proposal).await?;
            let (Some(code), Some(mark)) = (&answer.code, mark) else {
                return Err(unexpected(&dry.accepted));
            };
            if let Some(name) = name_for(&dry.record, &answer.waba, None) {
                trip.meet(&name, None).await?;
            }
            registered = trip.have_confirmed(&proposal, code, mark).await?;
        }
        match (platform, registered) {
            (None, registered) => trip.confirmed(registered).await,
            (Some(platform), true) => {
                let told = trip.told(Forwarded::Register, None);
                trip.registered(client_of(&platform), told).await
            }
            (Some(platform), false) => {
                if let Some(order) = &answer.register {
                    trip.keep_of(order);
                }
                trip.register(client_of(&platform), None).await
            }
        }
    }

    /// Knows a code again without keeping it: a keyed hash that only this installation can compute.
    fn mark_of(&self, code: &VerificationCode) -> String {
        hex::encode(&self.keys.fingerprint("upstream code", code.reveal().as_bytes())[..16])
    }
}

impl Trip<'_> {
    /// The backup with which the client of an order registers, if it gave one and the rules let it.
    async fn backup_for(&self, order: &CodeOrder) -> Result<Option<ForeignBackup>, ServiceError> {
        let Some(client) = &order.client else { return Ok(None) };
        let Some(backup) = self.service.foreign_backup(client).await? else { return Ok(None) };
        let platform = Platform::OnPremise { client: client.clone() };
        let register = RegisterOrder { platform, pin: order.pin.clone(), set_pin: None };
        let mut registering = self.service.registering(&order.waba, &register);
        registering.abroad = Some(self.pins());
        registering.by_backup = Some(BackupProof::ForUpstream);
        self.service.dry_run(self.caller, self.number, &registering).await?;
        Ok(Some(backup))
    }

    async fn have_code_sent(
        &mut self,
        proposal: &CodeRequest<'_>,
        order: &CodeOrder,
    ) -> Result<Committed, ServiceError> {
        let (method, client): (CodeMethod, _) = (order.method, order.client.clone());
        self.begin(Call::RequestCode { method, client }).await?;
        match self.port.request_code(self.errand(), method, &order.locale).await {
            Ok(()) => {
                self.mirror.under_way = None;
                self.mirror.own_code = false;
                let told = self.told(Forwarded::RequestCode, None);
                self.commit(proposal, Some(told)).await
            }
            Err(error @ UpstreamError::Unavailable { doubt: Doubt::UnderWay, .. }) => {
                // It may be on its way: then it can be confirmed, and the wait until the next one holds.
                let failure = self.failed(Forwarded::RequestCode, error).await;
                self.mirror.under_way = None;
                self.mirror.own_code = false;
                self.commit(proposal, None).await?;
                Err(failure)
            }
            Err(error @ UpstreamError::Unavailable { .. }) => {
                let failure = self.failed(Forwarded::RequestCode, error).await;
                self.mirror.under_way = None;
                self.save(None).await?;
                Err(failure)
            }
            Err(UpstreamError::Refused { refusal: Refusal::AlreadyVerified, words, is_vague }) => {
                self.mirror.under_way = None;
                self.without_code_there(proposal, words, is_vague).await
            }
            Err(error @ UpstreamError::Refused { .. }) => {
                Err(self.failed(Forwarded::RequestCode, error).await)
            }
        }
    }

    /// No code is to be had for a number whose proof still counts there. Then it counts here too, unless a code
    /// is due all the same, because the number moves between holders of this installation. That changes nothing
    /// there, so the code is made and sent here; but only for a number that was seen to be known there: the
    /// same words may mean that no code can be sent at all.
    async fn without_code_there(
        &mut self,
        proposal: &CodeRequest<'_>,
        words: Box<ForeignWords>,
        is_vague: bool,
    ) -> Result<Committed, ServiceError> {
        let (service, order) = (self.service, proposal.order);
        self.catch_up_on_proof().await?;
        let dry = service.dry_run(self.caller, self.number, proposal).await?;
        if matches!(dry.accepted, Accepted::Registered(_)) {
            return self.register(order.client.clone(), None).await;
        }
        let known_there = self
            .mirror
            .seen
            .as_ref()
            .is_some_and(|seen| seen.verified == Some(true) || seen.registered == Some(true));
        let reach = service.reach(&order.payer, &order.planned, order.method, service.now());
        if known_there && reach == Reach::Open && self.pins() != PinAbroad::Owed {
            let own = CodeRequest {
                order,
                claim: proposal.claim.clone(),
                fresh_challenge: proposal.fresh_challenge,
                key: proposal.key,
                abroad: None,
            };
            service.dry_run(self.caller, self.number, &own).await?;
            self.mirror.own_code = true;
            if self.mirror.sealed_pin.is_some() {
                // What came along belongs to no registration there.
                self.mirror.sealed_candidate = None;
            }
            return self.commit(&own, None).await;
        }
        let unproven = self.mirror.seen.as_ref().is_some_and(|seen| seen.verified == Some(false));
        // Not verified there, so it was the other thing that these words are said of.
        let refusal = if is_vague && unproven && !known_there {
            Refusal::DestinationClosed { method: order.method, why: Closed::NotOpened }
        } else {
            Refusal::AlreadyVerified
        };
        let error = UpstreamError::Refused { refusal, words, is_vague: false };
        Err(self.failed(Forwarded::RequestCode, error).await)
    }

    /// The same code, confirmed: where it was made. What is registered there already is not registered again.
    async fn confirm_here(&mut self, answer: &CodeAnswer) -> Result<Committed, ServiceError> {
        let service = self.service;
        let register = match &answer.register {
            Some(order) => {
                let mut registering = service.registering(&answer.waba, order);
                registering.abroad = Some(self.pins());
                Some(registering)
            }
            None => None,
        };
        let whole = Confirmation { answer, register, said: None };
        // A wrong code is charged here, and keeps the right one alive.
        service.dry_run(self.caller, self.number, &whole).await?;
        match self.port.read_back(self.errand()).await {
            Ok(state) => self.saw_or_lost(state.as_ref()),
            Err(error) => return Err(self.failed(Forwarded::VerifyCode, error).await),
        }
        self.mirror.own_code = false;
        let there = self.mirror.seen.as_ref().and_then(|seen| seen.registered) == Some(true);
        let Some(order) = answer.register.as_ref().filter(|_| !there) else {
            return self.commit(&whole, None).await;
        };
        let alone = Confirmation { answer, register: None, said: None };
        self.commit(&alone, None).await?;
        self.keep_of(order);
        self.register(client_of(&order.platform), None).await
    }

    /// `true` if the number was registered in the same step.
    async fn have_confirmed(
        &mut self,
        proposal: &Confirmation<'_>,
        code: &VerificationCode,
        mark: String,
    ) -> Result<bool, ServiceError> {
        self.begin(Call::VerifyCode { mark: mark.clone() }).await?;
        match self.port.verify_code(self.errand(), code).await {
            Ok(confirmed) => {
                self.mirror.confirmed = Some(mark);
                Ok(confirmed.registered)
            }
            Err(UpstreamError::Refused {
                refusal: Refusal::CodeMismatch { guesses_left },
                words,
                is_vague,
            }) => {
                let refusal = Refusal::CodeMismatch { guesses_left };
                let error = UpstreamError::Refused { refusal, words, is_vague };
                let told = self.told(Forwarded::VerifyCode, Some(&error));
                self.mirror.under_way = None;
                let said = Some(if is_vague { CodeVerdict::NotTaken } else { CodeVerdict::Wrong });
                let wrong = Confirmation { answer: proposal.answer, register: None, said };
                match self.commit(&wrong, Some(told)).await {
                    Err(answer) => Err(answer),
                    Ok(done) => Err(unexpected(&done.accepted)),
                }
            }
            Err(error) => {
                let unclear = is_unclear(&error);
                let failure = self.failed(Forwarded::VerifyCode, error).await;
                if unclear && self.settle().await.is_ok() && self.mirror.confirmed == Some(mark) {
                    let seen = self.mirror.seen.as_ref();
                    return Ok(seen.is_some_and(|seen| seen.registered == Some(true)));
                }
                Err(failure)
            }
        }
    }

    /// The code was right, and that was all that was asked.
    async fn confirmed(&mut self, registered: bool) -> Result<Committed, ServiceError> {
        self.mirror.under_way = None;
        self.mirror.confirmed = None;
        if let Some(seen) = &mut self.mirror.seen {
            seen.verified = Some(true);
            if registered {
                seen.registered = Some(true);
            }
        }
        let told = self.told(Forwarded::VerifyCode, None);
        let adopt = Adopt::Verified { waba: self.waba.clone(), by_code: true };
        self.commit(&Command::Adopt(adopt), Some(told)).await
    }
}

/// Whether a call may have been carried out although it has no good answer.
pub(super) const fn is_unclear(error: &UpstreamError) -> bool {
    matches!(error, UpstreamError::Unavailable { doubt: Doubt::Settled | Doubt::UnderWay, .. })
}

//! Proof of ownership: claims, codes, guesses.

use super::{Accepted, Draft, Outcome, pin_proven_at};
use crate::budget::Rung;
use crate::{
    AddNumber, Challenge, Claim, ClaimHistory, ClaimPhase, Closed, CodeMaker, CodeMethod,
    CodeProof, CodeSend, CodeVerdict, DoubtfulGuesses, Effect, Fact, NameReview, NewClaim,
    Platform, Reach, Refusal, RequestCode, Requester, Timestamp, VerifyCode, WabaId,
};

impl Draft<'_> {
    pub(super) fn add_number(&mut self, add: &AddNumber) -> Outcome {
        if add.only_new {
            self.is_new_to(&add.waba)?;
        }
        let index = self.claim_for(&add.waba, Some(&add.claim))?;
        Ok(Accepted::NumberAdded(self.next.claims[index].id.clone()))
    }

    /// Whether a WABA may add the number as one that it does not have.
    fn is_new_to(&self, waba: &WabaId) -> Result<(), Refusal> {
        if self.next.claim_of(waba).is_some() {
            return Err(Refusal::AlreadyAdded);
        }
        if self.next.registration.as_ref().is_some_and(|held| held.waba != *waba) {
            return Err(Refusal::HeldElsewhere);
        }
        Ok(())
    }

    /// Order as suggested in the On-Premises reference §1.6: PIN, already registered, wait window,
    /// dispatch. All of it before any cost.
    pub(super) fn request_code(&mut self, request: &RequestCode) -> Outcome {
        let pin_proven_at = match request.pin {
            Some(pin) => self.pass_two_step(pin, None)?,
            None => None,
        };
        if let Some(done) = self.nothing_left_to_do(request)? {
            return Ok(done);
        }
        if request.only_unproven && self.is_proven(&request.requester.waba) {
            return Err(Refusal::AlreadyVerified);
        }
        if self.next.budgets.locked_since.is_some() {
            return Err(Refusal::NumberLocked);
        }
        let (method, kind) = (request.method, request.kind);
        if !kind.channels().allow(method) {
            return Err(Refusal::ChannelImpossible { method, kind });
        }
        self.within_reach(request)?;
        if let Some(waiting) = self.still_waiting(request, pin_proven_at)? {
            return Ok(waiting);
        }
        self.ladder_open(request)?;

        let index = self.claim_for(&request.requester.waba, request.claim.as_ref())?;
        let restart = self.limits.ladder_restart;
        match method {
            CodeMethod::Sms => self.next.budgets.sms.step(self.now, restart),
            CodeMethod::Voice => self.next.budgets.voice.step(self.now, restart),
        }
        let (challenge, resend) = self.challenge_for(index, request, pin_proven_at);
        let claim = &mut self.next.claims[index];
        let send = CodeSend {
            claim: claim.id.clone(),
            waba: claim.waba.clone(),
            challenge: challenge.id,
            key_epoch: challenge.key_epoch,
            method,
            locale: request.locale.clone(),
            useless_after: challenge.created_at + self.limits.code_lifetime,
        };
        claim.phase = ClaimPhase::AwaitingCode(challenge);
        let id = claim.id.clone();
        if request.made_by == CodeMaker::Here {
            self.effects.push(Effect::SendCode(send));
        }
        self.fact(Fact::CodeRequested { method, resend });
        Ok(Accepted::CodeSent(id))
    }

    /// Whether the claim of a WABA needs no code to be registered on the hosted platform.
    fn is_proven(&self, waba: &WabaId) -> bool {
        let Some(claim) = self.next.claim_of(waba) else { return false };
        let held = self.next.registration.as_ref();
        self.next.verified_since(claim, self.now, self.limits).is_some()
            || held
                .is_some_and(|held| held.claim == claim.id && held.platform == Platform::CloudApi)
    }

    /// The On-Premises 201: the client holds this very number for this WABA, or the claim was verified
    /// beforehand.
    fn nothing_left_to_do(&mut self, request: &RequestCode) -> Result<Option<Accepted>, Refusal> {
        let (Some(register), Some(client)) = (&request.register, &request.requester.client) else {
            return Ok(None);
        };
        let waba = &request.requester.waba;
        let held = self.next.registration.as_ref().filter(|held| held.waba == *waba);
        if held.is_some() && self.next.held_by(client) {
            let index = self.claim_for(waba, request.claim.as_ref())?;
            return Ok(Some(Accepted::AlreadyRegistered(self.next.claims[index].id.clone())));
        }
        let verified =
            |claim: &&Claim| self.next.verified_since(claim, self.now, self.limits).is_some();
        let Some(claim) = self.next.claim_of(waba).filter(verified) else { return Ok(None) };
        if request.pin.is_none() {
            // The request had no place for a PIN; the registration still needs it.
            let proven_at = pin_proven_at(claim);
            self.pass_two_step(register.pin, proven_at)?;
        }
        // Before the claim takes the name that came along: a refusal changes no name. A name that comes along
        // came in a certificate, so that what was declined before does not matter.
        if request.claim.is_none() {
            self.name_may_show(waba)?;
        }
        self.register_call_open()?;
        let index = self.claim_for(waba, request.claim.as_ref())?;
        self.take_over(index, register).map(Some)
    }

    /// Finds the claim of `waba`, makes it if allowed, and gives it the name that was brought along.
    pub(super) fn claim_for(
        &mut self,
        waba: &WabaId,
        new: Option<&NewClaim>,
    ) -> Result<usize, Refusal> {
        let found = self.next.claims.iter().position(|claim| claim.waba == *waba);
        let Some(new) = new else { return found.ok_or(Refusal::NotClaimed) };
        if let Some(index) = found {
            let claim = &mut self.next.claims[index];
            claim.certificate_serial = new.certificate_serial.or(claim.certificate_serial);
            if new.needs_review {
                self.ask_for_name(index, &new.name);
            } else if claim.name != new.name {
                claim.take_name(&new.name, self.now);
                self.fact(Fact::NameChanged { name: new.name.clone() });
            } else if !matches!(claim.name_review, NameReview::Approved { .. }) {
                claim.take_name(&new.name, self.now);
                self.fact(Fact::NameApproved { name: new.name.clone() });
            }
            return Ok(index);
        }
        self.next.claims.push(Claim {
            id: new.id.clone(),
            waba: waba.clone(),
            name: new.name.clone(),
            name_review: if new.needs_review {
                NameReview::Pending
            } else {
                NameReview::Approved { at: self.now }
            },
            new_name: None,
            certificate_serial: new.certificate_serial,
            added_at: self.now,
            phase: ClaimPhase::Unverified,
            history: ClaimHistory::default(),
        });
        self.fact(Fact::NumberAdded { waba: waba.clone() });
        Ok(self.next.claims.len() - 1)
    }

    /// Whether a code may be sent there at all: before any cost.
    fn within_reach(&self, request: &RequestCode) -> Result<(), Refusal> {
        let method = request.method;
        if let Some(why) = Closed::always(self.next.number) {
            return Err(Refusal::DestinationClosed { method, why });
        }
        match request.reach {
            Reach::Open => Ok(()),
            Reach::Closed(why) => Err(Refusal::DestinationClosed { method, why }),
            Reach::Stopped { opens_at } => Err(Refusal::LowConversion { opens_at }),
        }
    }

    /// A message with the living code of this claim is ordered and has found no sender yet: whoever asks
    /// again is told "on its way", at no cost.
    fn still_waiting(
        &mut self,
        request: &RequestCode,
        pin_proven_at: Option<Timestamp>,
    ) -> Result<Option<Accepted>, Refusal> {
        let Some(waiting) = request.waiting else { return Ok(None) };
        let waba = &request.requester.waba;
        let alive = |claim: &Claim| claim.live_challenge(self.now, self.limits).map(|it| it.id);
        if self.next.claim_of(waba).and_then(alive) != Some(waiting) {
            return Ok(None);
        }
        let index = self.claim_for(waba, request.claim.as_ref())?;
        let (challenge, again) = self.challenge_for(index, request, pin_proven_at);
        if !again {
            // Out of guesses: the message that waits carries a dead code.
            return Ok(None);
        }
        let claim = &mut self.next.claims[index];
        claim.phase = ClaimPhase::AwaitingCode(challenge);
        let id = claim.id.clone();
        self.fact(Fact::CodeAwaited { method: request.method });
        Ok(Some(Accepted::CodeSent(id)))
    }

    /// Undoes the step of the ladder that a message took which nobody could carry.
    pub(super) fn give_back(&mut self, method: CodeMethod, ordered_at: Timestamp) {
        let ladder = match method {
            CodeMethod::Sms => &mut self.next.budgets.sms,
            CodeMethod::Voice => &mut self.next.budgets.voice,
        };
        if ladder.give_back(self.now, ordered_at, self.limits.ladder_restart) {
            self.fact(Fact::CodeNotSent { method });
        }
    }

    /// Whether the wait window of the channel is open.
    fn ladder_open(&self, request: &RequestCode) -> Result<(), Refusal> {
        let budgets = &self.next.budgets;
        let restart = self.limits.ladder_restart;
        match request.method {
            CodeMethod::Sms => match budgets.sms.rung(self.now, &self.limits.sms_waits, restart) {
                Rung::Open => Ok(()),
                Rung::Wait(opens_at) => {
                    Err(Refusal::CodeTooSoon { method: CodeMethod::Sms, opens_at })
                }
                Rung::Exhausted(opens_at) => Err(Refusal::SmsExhausted { opens_at }),
            },
            CodeMethod::Voice => {
                match budgets.voice.rung(self.now, &self.limits.voice_waits, restart) {
                    Rung::Open => self.first_call_open(request),
                    Rung::Wait(opens_at) => {
                        Err(Refusal::CodeTooSoon { method: CodeMethod::Voice, opens_at })
                    }
                    Rung::Exhausted(opens_at) => Err(Refusal::VoiceExhausted { opens_at }),
                }
            }
        }
    }

    /// The first call waits for the first SMS to arrive, if one was sent and the number can take it.
    fn first_call_open(&self, request: &RequestCode) -> Result<(), Refusal> {
        let restart = self.limits.ladder_restart;
        let sms = self.next.budgets.sms.at(self.now, restart);
        let calls = self.next.budgets.voice.at(self.now, restart).taken;
        if calls > 0 || sms.taken == 0 || !request.kind.channels().sms {
            return Ok(());
        }
        let wait = self.limits.voice_waits.first().copied().unwrap_or_default();
        if self.now.since(sms.first_at) >= wait {
            return Ok(());
        }
        Err(Refusal::CodeTooSoon { method: CodeMethod::Voice, opens_at: sms.first_at + wait })
    }

    /// The live challenge of the claim, asked for again, or a new one. A code that is out of guesses
    /// is dead, so a new one replaces it.
    fn challenge_for(
        &self,
        index: usize,
        request: &RequestCode,
        pin_proven_at: Option<Timestamp>,
    ) -> (Challenge, bool) {
        let alive = self.next.claims[index]
            .live_challenge(self.now, self.limits)
            .filter(|challenge| challenge.guesses < self.limits.guesses_max())
            // Else it may be alive upstream, and a new one is sure to come.
            .filter(|challenge| self.now < challenge.first_asked_at + self.limits.code_lifetime);
        let client = request.requester.client.clone();
        match alive {
            Some(challenge) => {
                let mut challenge = challenge.clone();
                challenge.requested_at = self.now;
                challenge.pin_proven_at = pin_proven_at.or(challenge.pin_proven_at);
                challenge.client = client.or(challenge.client);
                // Only the newest code counts there, with a life of its own; guesses spent stay spent.
                if request.made_by == CodeMaker::Upstream {
                    challenge.created_at = self.now;
                }
                (challenge, true)
            }
            None => (
                Challenge {
                    id: request.fresh_challenge,
                    key_epoch: request.key_epoch,
                    created_at: self.now,
                    first_asked_at: self.now,
                    requested_at: self.now,
                    guesses: 0,
                    last_guess_at: None,
                    doubtful: DoubtfulGuesses::default(),
                    pin_proven_at,
                    client,
                },
                false,
            ),
        }
    }

    pub(super) fn verify_code(&mut self, verify: &VerifyCode) -> Outcome {
        let (index, challenge) = self.answerable(&verify.requester)?;
        let Some(submitted) = &verify.submitted else { return Err(Refusal::CodeMissing) };
        self.guess_open(&challenge)?;

        // Whatever else could refuse the registration does so before the code is used up.
        let mut pin_proven_at = challenge.pin_proven_at;
        if let Some(register) = &verify.register {
            self.name_may_show(&verify.requester.waba)?;
            self.register_call_open()?;
            pin_proven_at = self.pass_two_step(register.pin, challenge.pin_proven_at)?;
        }
        let is_right = match &verify.proof {
            CodeProof::Expected(id, expected) if *id == challenge.id => expected.matches(submitted),
            CodeProof::ProviderSays(CodeVerdict::Right) => true,
            CodeProof::ProviderSays(CodeVerdict::Wrong) => false,
            CodeProof::ProviderSays(CodeVerdict::NotTaken) => {
                self.made_exact(index, true)?;
                false
            }
            CodeProof::Expected(..) | CodeProof::None => return Err(Refusal::CodeMissing),
        };
        self.guess(index, challenge, is_right)?;
        self.next.claims[index].phase = ClaimPhase::Verified { since: self.now, pin_proven_at };
        self.fact(Fact::CodeConfirmed);
        match &verify.register {
            Some(register) => self.take_over(index, register),
            None => Ok(Accepted::Verified(self.next.claims[index].id.clone())),
        }
    }

    /// The claim and challenge that a guess may be made at; strangers learn only that there is none.
    fn answerable(&mut self, requester: &Requester) -> Result<(usize, Challenge), Refusal> {
        let index = self
            .next
            .claims
            .iter()
            .position(|claim| claim.waba == requester.waba)
            .ok_or(Refusal::CodeMissing)?;
        let claim = &mut self.next.claims[index];
        let Some(challenge) = claim.live_challenge(self.now, self.limits).cloned() else {
            if matches!(claim.phase, ClaimPhase::AwaitingCode(_)) {
                claim.phase = ClaimPhase::Unverified;
            }
            return Err(Refusal::CodeMissing);
        };
        if challenge.guesses >= self.limits.guesses_max() {
            return Err(Refusal::OutOfGuesses);
        }
        Ok((index, challenge))
    }

    pub(super) fn guess_open(&self, challenge: &Challenge) -> Result<(), Refusal> {
        let budgets = &self.next.budgets;
        if budgets.locked_since.is_some() {
            return Err(Refusal::NumberLocked);
        }
        if let Some(opens_at) = budgets.failed_guesses.opens_at(
            self.now,
            self.limits.failed_guesses_max,
            self.limits.failed_guesses_window,
        ) {
            return Err(Refusal::GuessesExhausted { opens_at });
        }
        let wait = self.limits.guess_waits.get(challenge.guesses as usize);
        match challenge.last_guess_at.zip(wait) {
            Some((last, wait)) if self.now.since(last) < *wait => {
                Err(Refusal::GuessTooSoon { opens_at: last + *wait })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Spends the guess in the decision that compared it.
    fn guess(
        &mut self,
        index: usize,
        mut challenge: Challenge,
        is_right: bool,
    ) -> Result<(), Refusal> {
        let budgets = &mut self.next.budgets;
        if is_right {
            budgets.failed_in_a_row = 0;
            return Ok(());
        }
        challenge.guesses += 1;
        challenge.last_guess_at = Some(self.now);
        let guesses_left = self.limits.guesses_max().saturating_sub(challenge.guesses);
        self.next.claims[index].phase = ClaimPhase::AwaitingCode(challenge);
        budgets.failed_guesses.push(self.now, self.limits.failed_guesses_window);
        budgets.failed_in_a_row = budgets.failed_in_a_row.saturating_add(1);
        if budgets.failed_in_a_row >= self.limits.failed_in_a_row_max {
            budgets.locked_since = Some(self.now);
            self.fact(Fact::Locked);
        }
        Err(Refusal::CodeMismatch { guesses_left })
    }
}

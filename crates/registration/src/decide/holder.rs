//! Who holds the number: registration, moves, the PIN, the lock.

use super::{Accepted, Draft, Outcome, pin_proven_at};
use crate::{
    BackupProof, ClaimHistory, ClaimPhase, ClientId, Fact, Holding, PhoneNumberId, PinCheck,
    PinVerifier, Platform, Refusal, Register, Registration, RegistrationKey, Restore, TwoStep,
    VerifiedName, WabaId,
};

impl Draft<'_> {
    /// Whether one more register call fits into the window.
    pub(super) fn register_call_open(&self) -> Result<(), Refusal> {
        let (max, window) = (self.limits.register_calls_max, self.limits.register_window);
        match self.next.budgets.register_calls.opens_at(self.now, max, window) {
            Some(opens_at) => Err(Refusal::RegisterLimit { opens_at }),
            None => Ok(()),
        }
    }

    /// Registers a claim whose code was confirmed in an earlier call.
    pub(super) fn register_verified(&mut self, register: &Register) -> Outcome {
        let index = self
            .next
            .claims
            .iter()
            .position(|claim| claim.waba == register.waba)
            .ok_or(Refusal::NotClaimed)?;
        let claim = &self.next.claims[index];
        let already = self.runs_for(&claim.id, &register.platform);
        let proven_at = pin_proven_at(claim);
        match register.by_backup {
            _ if already => {}
            Some(BackupProof::Key(key)) => self.shows_backup(&claim.id, key)?,
            None if self.next.verified_since(claim, self.now, self.limits).is_none() => {
                return Err(Refusal::NotVerified);
            }
            Some(BackupProof::ForUpstream) | None => {}
        }
        self.name_may_show(&register.waba)?;
        self.register_call_open()?;
        self.pass_two_step(register.pin, proven_at)?;
        if already {
            self.count_register_call();
            self.settle_name(index);
            self.set_first_pin(register);
            return Ok(Accepted::AlreadyRegistered(self.next.claims[index].id.clone()));
        }
        self.take_over(index, register)
    }

    /// Whether a key is that of the claim's present registration.
    fn shows_backup(&self, claim: &PhoneNumberId, key: RegistrationKey) -> Result<(), Refusal> {
        let held = self.next.registration.as_ref();
        let is_current = held.is_some_and(|held| held.claim == *claim && held.key == key);
        if is_current { Ok(()) } else { Err(Refusal::BackupOutdated) }
    }

    /// Whether the number is registered for this claim on this platform.
    fn runs_for(&self, claim: &PhoneNumberId, platform: &Platform) -> bool {
        let held = self.next.registration.as_ref();
        held.is_some_and(|held| held.claim == *claim && held.platform == *platform)
    }

    pub(super) fn count_register_call(&mut self) {
        self.next.budgets.register_calls.push(self.now, self.limits.register_window);
    }

    /// Gives the number to a claim. The PIN has been passed; the call is counted here.
    pub(super) fn take_over(&mut self, index: usize, register: &Register) -> Outcome {
        self.register_call_open()?;
        Ok(self.hand_to(index, register))
    }

    /// The same without a question: the registrar upstream has done it.
    pub(super) fn hand_to(&mut self, index: usize, register: &Register) -> Accepted {
        self.count_register_call();
        self.carry_name_over(index);
        self.settle_name(index);
        if !self.runs_for(&self.next.claims[index].id, &register.platform) {
            self.log_off_holder();
        }
        let claim = &mut self.next.claims[index];
        claim.phase = ClaimPhase::Unverified;
        claim.history = ClaimHistory { migrating_since: None, registered_at: Some(self.now) };
        let (id, waba) = (claim.id.clone(), claim.waba.clone());
        let pause =
            if register.restart { self.limits.coreapp_restart } else { core::time::Duration::ZERO };
        self.next.registration = Some(Registration {
            claim: id.clone(),
            waba,
            platform: register.platform.clone(),
            since: self.now,
            restarting_until: self.now + pause,
            key: register.key,
        });
        if register.pin == PinCheck::ForUpstream {
            self.next.budgets.pin = crate::PinBudget::default();
        }
        self.set_first_pin(register);
        self.fact(Fact::Registered { platform: register.platform.clone() });
        Accepted::Registered(id)
    }

    /// Switches two-step verification on with the PIN that came along, unless it is on.
    fn set_first_pin(&mut self, register: &Register) {
        if let (None, Some(verifier)) = (&self.next.two_step, &register.set_pin) {
            self.put_pin_in_force(verifier);
        }
    }

    fn log_off_holder(&mut self) {
        if let Some(held) = self.next.registration.take() {
            let client = match held.platform {
                Platform::OnPremise { client } => Some(client),
                Platform::CloudApi => None,
            };
            self.fact(Fact::HolderLoggedOff { waba: held.waba, client });
        }
    }

    /// Moves the registration to the client that shows its key.
    pub(super) fn restore(&mut self, restore: &Restore) -> Outcome {
        let held = self.next.registration.clone().ok_or(Refusal::BackupOutdated)?;
        if held.claim != restore.claim || held.key != restore.key {
            return Err(Refusal::BackupOutdated);
        }
        let platform = Platform::OnPremise { client: restore.client.clone() };
        if held.platform != platform {
            self.log_off_holder();
        }
        let restarting_until = self.now + self.limits.coreapp_restart;
        let claim = held.claim.clone();
        self.next.registration = Some(Registration { platform, restarting_until, ..held });
        self.fact(Fact::Restored { client: restore.client.clone() });
        Ok(Accepted::Restored(claim))
    }

    pub(super) fn deregister(&mut self, waba: Option<&WabaId>) -> Outcome {
        let held = self.next.registration.as_ref().ok_or(Refusal::NotRegistered)?;
        if let Some(waba) = waba {
            if held.waba != *waba {
                return Err(Refusal::NotRegistered);
            }
            let (max, window) = (self.limits.register_calls_max, self.limits.register_window);
            let calls = &mut self.next.budgets.deregister_calls;
            if let Some(opens_at) = calls.opens_at(self.now, max, window) {
                return Err(Refusal::RegisterLimit { opens_at });
            }
            calls.push(self.now, window);
        }
        self.next.registration = None;
        self.fact(Fact::Deregistered);
        Ok(Accepted::Deregistered)
    }

    /// Lets the number go because its client took another one. Nothing to do if it lost it meanwhile.
    pub(super) fn release(&mut self, client: &ClientId) {
        if self.next.held_by(client) {
            self.log_off_holder();
        }
    }

    pub(super) fn change_name(
        &mut self,
        waba: &WabaId,
        name: &VerifiedName,
        serial: Option<u64>,
    ) -> Outcome {
        let claim = self
            .next
            .claims
            .iter_mut()
            .find(|claim| claim.waba == *waba)
            .ok_or(Refusal::NotClaimed)?;
        claim.certificate_serial = serial.or(claim.certificate_serial);
        if claim.name != *name {
            claim.take_name(name, self.now);
            self.fact(Fact::NameChanged { name: name.clone() });
        }
        Ok(Accepted::Done)
    }

    fn holds(&self, holder: Option<&Holding>) -> bool {
        match holder {
            None => true,
            Some(Holding::Client(client)) => self.next.held_by(client),
            Some(Holding::Waba(waba)) => {
                self.next.registration.as_ref().is_some_and(|held| held.waba == *waba)
            }
        }
    }

    /// Whether a WABA that holds nothing yet may switch two-step verification on: it has proven that the
    /// number is its own, nobody else runs it, and no PIN protects it (Cloud API callers do so right before
    /// they register; reference §2.5).
    fn may_set_first_pin(&self, holder: Option<&Holding>) -> bool {
        let Some(Holding::Waba(waba)) = holder else { return false };
        let claim = self.next.claim_of(waba);
        let proven = claim.and_then(|claim| self.next.verified_since(claim, self.now, self.limits));
        proven.is_some() && self.next.two_step.is_none() && self.next.registration.is_none()
    }

    /// A new PIN does not refill the budget of wrong ones; only a right PIN or switching off does.
    pub(super) fn set_two_step(
        &mut self,
        holder: Option<&Holding>,
        verifier: &PinVerifier,
    ) -> Outcome {
        if !self.holds(holder) && !self.may_set_first_pin(holder) {
            return Err(Refusal::NotRegistered);
        }
        self.put_pin_in_force(verifier);
        Ok(Accepted::Done)
    }

    /// The PIN of another number than the one that is run proves nothing, and is not tried.
    pub(super) fn prove_pin(&mut self, holder: Option<&Holding>, pin: PinCheck) -> Outcome {
        if !self.holds(holder) {
            return Err(Refusal::NotRegistered);
        }
        self.pass_two_step(pin, None)?;
        Ok(Accepted::Done)
    }

    /// Takes the proofs of an earlier PIN back here and now, rather than compare times later: a clock
    /// that stands or was turned back would let them count.
    fn put_pin_in_force(&mut self, verifier: &PinVerifier) {
        self.next.two_step = Some(TwoStep { verifier: verifier.clone(), set_at: self.now });
        for claim in &mut self.next.claims {
            match &mut claim.phase {
                ClaimPhase::Unverified => {}
                ClaimPhase::AwaitingCode(challenge) => challenge.pin_proven_at = None,
                ClaimPhase::Verified { pin_proven_at, .. } => *pin_proven_at = None,
            }
        }
        self.fact(Fact::TwoStepSet);
    }

    pub(super) fn clear_two_step(&mut self, holder: Option<&Holding>) -> Outcome {
        if !self.holds(holder) {
            return Err(Refusal::NotRegistered);
        }
        if self.next.two_step.take().is_some() {
            self.next.budgets.pin = crate::PinBudget::default();
            self.fact(Fact::TwoStepCleared);
        }
        Ok(Accepted::Done)
    }

    pub(super) fn unlock(&mut self) {
        self.next.budgets.failed_in_a_row = 0;
        if self.next.budgets.locked_since.take().is_some() {
            self.fact(Fact::Unlocked);
        }
    }
}

//! Books on the two-step PIN: what a try costs, and that nothing registers without it.

use std::collections::HashMap;

use registration::{
    Accepted, ChallengeId, ClaimPhase, Command, Effect, Fact, NumberRecord, PinCheck, PinVerifier,
    Refusal, WabaId,
};

use super::{Step, elapsed_ms, ms};

#[derive(Default)]
pub(super) struct Pins {
    /// The PIN that the requester of a challenge proved; every PIN has another verifier.
    of_challenge: HashMap<ChallengeId, PinVerifier>,
    /// The same, of a claim whose code was confirmed.
    of_claim: HashMap<WabaId, PinVerifier>,
}

impl Pins {
    pub(super) fn see(&mut self, step: &Step) {
        tries_are_charged(step);
        self.registration_needs_the_pin_in_force(step);
        self.remember(step);
    }

    fn registration_needs_the_pin_in_force(&self, step: &Step) {
        let Some(two_step) = &step.before.two_step else { return };
        let Ok(Accepted::Registered(id)) = &step.decision.outcome else { return };
        match verdict(step.command) {
            PinCheck::Right => assert!(try_is_open(step), "a locked PIN passes nothing"),
            PinCheck::Wrong => panic!("a wrong PIN passed"),
            PinCheck::Absent
            | PinCheck::Unchecked
            | PinCheck::ForUpstream
            | PinCheck::OwedToUpstream => {
                let claim = step.before.claim(id).expect("claimed before");
                let proven = challenge_confirmed(step).map_or_else(
                    || self.of_claim.get(&claim.waba),
                    |challenge| self.of_challenge.get(&challenge),
                );
                assert_eq!(proven, Some(&two_step.verifier), "no proof of the PIN in force");
            }
        }
    }

    fn remember(&mut self, step: &Step) {
        let in_force = step.before.two_step.as_ref().map(|two_step| two_step.verifier.clone());
        if let (PinCheck::Right, [Effect::SendCode(send)], Some(pin)) =
            (verdict(step.command), step.decision.effects.as_slice(), in_force)
        {
            self.of_challenge.insert(send.challenge, pin);
        }
        if let (Some(challenge), Command::VerifyCode(verify)) =
            (challenge_confirmed(step), step.command)
        {
            let waba = verify.requester.waba.clone();
            match self.of_challenge.get(&challenge) {
                Some(pin) => self.of_claim.insert(waba, pin.clone()),
                None => self.of_claim.remove(&waba),
            };
        }
    }
}

/// The count of wrong PINs rises with a wrong one and falls to zero with a right one, both only while a
/// try is open, or when two-step verification is switched off.
fn tries_are_charged(step: &Step) {
    let (before, now) = (step.before.budgets.pin, step.decision.next.budgets.pin);
    let wrong = matches!(step.decision.outcome, Err(Refusal::PinMismatch { .. }));
    if wrong {
        assert!(try_is_open(step));
        assert_eq!((now.failures, now.last_failure_at), (before.failures + 1, step.now));
    } else if step.decision.facts.contains(&Fact::TwoStepCleared) {
        assert_eq!(now.failures, 0);
    } else if now != before {
        assert_eq!((verdict(step.command), now.failures), (PinCheck::Right, 0));
        assert!(try_is_open(step));
    }
}

fn try_is_open(step: &Step) -> bool {
    let budget = step.before.budgets.pin;
    budget.failures < step.limits.pin_failures_max
        || elapsed_ms(budget.last_failure_at, step.now) >= ms(step.limits.pin_lock)
}

/// What the command says about a PIN.
fn verdict(command: &Command) -> PinCheck {
    let registers = match command {
        Command::RequestCode(request) => {
            if let Some(pin) = request.pin {
                return pin;
            }
            request.register.as_ref()
        }
        Command::VerifyCode(verify) => verify.register.as_ref(),
        Command::Register(register) => Some(register),
        Command::ProvePin { pin, .. } => return *pin,
        Command::WhileMigrating { then, .. } => return verdict(then),
        Command::AddNumber(_)
        | Command::StartMigration(_)
        | Command::Restore(_)
        | Command::Deregister { .. }
        | Command::Release { .. }
        | Command::ChangeName { .. }
        | Command::RequestName { .. }
        | Command::ReviewName { .. }
        | Command::SetTwoStep { .. }
        | Command::ClearTwoStep { .. }
        | Command::Unlock
        | Command::GiveBack { .. }
        | Command::Heed(_)
        | Command::Adopt(_) => None,
    };
    registers.map_or(PinCheck::Absent, |register| register.pin)
}

/// The challenge whose code this step confirmed.
fn challenge_confirmed(step: &Step) -> Option<ChallengeId> {
    let Command::VerifyCode(verify) = step.command else { return None };
    let confirmed = step.decision.facts.contains(&Fact::CodeConfirmed);
    confirmed.then(|| pending(step.before, &verify.requester.waba)).flatten()
}

fn pending(record: &NumberRecord, waba: &WabaId) -> Option<ChallengeId> {
    match &record.claim_of(waba)?.phase {
        ClaimPhase::AwaitingCode(challenge) => Some(challenge.id),
        ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
    }
}

//! What holds after every decision, whatever came before: the invariants of the product description.
//!
//! A [`Watch`] sees each step of a play. It knows the rules' answers only, and keeps its own books.

mod budgets;
mod codes;
mod pins;

use std::collections::HashSet;

use registration::{
    Accepted, Challenge, Claim, ClaimPhase, Command, Decision, Effect, Fact, Limits, NumberRecord,
    Timestamp, WabaId,
};

/// One decision and what it was made of.
pub(crate) struct Step<'a> {
    pub(crate) before: &'a NumberRecord,
    pub(crate) command: &'a Command,
    pub(crate) now: Timestamp,
    pub(crate) limits: &'a Limits,
    pub(crate) decision: &'a Decision,
}

/// The books on all steps of one play.
#[derive(Default)]
pub(crate) struct Watch {
    codes: codes::Codes,
    budgets: budgets::Budgets,
    pins: pins::Pins,
}

impl Watch {
    /// Enters one more step; panics if it breaks an invariant.
    pub(crate) fn see(&mut self, step: &Step) {
        step.holds_alone();
        self.codes.see(step);
        self.budgets.see(step);
        self.pins.see(step);
    }
}

impl Step<'_> {
    /// What a single step must keep, from whatever record it starts.
    pub(crate) fn holds_alone(&self) {
        self.refusals_are_free();
        self.one_registration_of_an_existing_claim();
        self.sends_are_answered_as_sent();
        self.others_keep_their_claims();
    }

    /// I6: a refusal sends nothing and changes nothing but budgets, guess counts and expired phases.
    fn refusals_are_free(&self) {
        let Decision { next, outcome, effects, facts } = self.decision;
        let Err(refusal) = outcome else { return };
        assert_eq!(*effects, []);
        assert_eq!(next.number, self.before.number);
        assert_eq!(next.registration, self.before.registration);
        assert_eq!(next.two_step, self.before.two_step);
        assert_eq!(next.claims.len(), self.before.claims.len());
        for (now, before) in next.claims.iter().zip(&self.before.claims) {
            let expected = match (&before.phase, &now.phase) {
                (ClaimPhase::AwaitingCode(dead), ClaimPhase::Unverified) => {
                    assert!(self.now >= dead.created_at + self.limits.code_lifetime);
                    ClaimPhase::Unverified
                }
                (ClaimPhase::AwaitingCode(challenge), ClaimPhase::AwaitingCode(now)) => {
                    ClaimPhase::AwaitingCode(Challenge {
                        guesses: now.guesses,
                        last_guess_at: now.last_guess_at,
                        ..challenge.clone()
                    })
                }
                (phase, _) => phase.clone(),
            };
            assert_eq!(*now, Claim { phase: expected, ..before.clone() });
        }
        let said = Fact::Refused { command: self.command.name(), refusal: refusal.clone() };
        let expected = if self.locks() { vec![Fact::Locked, said] } else { vec![said] };
        assert_eq!(*facts, expected);
    }

    fn locks(&self) -> bool {
        let locked = |record: &NumberRecord| record.budgets.locked_since.is_some();
        !locked(self.before) && locked(&self.decision.next)
    }

    /// I3, and: "already registered" is said of the very registration.
    fn one_registration_of_an_existing_claim(&self) {
        let next = &self.decision.next;
        let ids: HashSet<_> = next.claims.iter().map(|claim| &claim.id).collect();
        let wabas: HashSet<_> = next.claims.iter().map(|claim| &claim.waba).collect();
        assert_eq!((ids.len(), wabas.len()), (next.claims.len(), next.claims.len()));
        let Some(held) = &next.registration else {
            assert!(!matches!(
                self.decision.outcome,
                Ok(Accepted::Registered(_)
                    | Accepted::AlreadyRegistered(_)
                    | Accepted::Restored(_))
            ));
            return;
        };
        let claim = next.claim(&held.claim).expect("a registration belongs to a claim");
        assert_eq!(claim.waba, held.waba);
        if let Ok(
            Accepted::Registered(id) | Accepted::AlreadyRegistered(id) | Accepted::Restored(id),
        ) = &self.decision.outcome
        {
            assert_eq!(*id, held.claim);
        }
    }

    /// An accepted code request orders one send, of the challenge it leaves; nothing else sends.
    fn sends_are_answered_as_sent(&self) {
        let Decision { next, outcome, effects, .. } = self.decision;
        let Ok(Accepted::CodeSent(id)) = outcome else {
            assert_eq!(*effects, []);
            return;
        };
        let [Effect::SendCode(send)] = effects.as_slice() else { panic!("{effects:?}") };
        let claim = next.claim(id).expect("the claim that asked");
        let ClaimPhase::AwaitingCode(challenge) = &claim.phase else { panic!("{claim:?}") };
        assert_eq!((&send.claim, &send.waba), (id, &claim.waba));
        assert_eq!((send.challenge, send.key_epoch), (challenge.id, challenge.key_epoch));
        assert_eq!(send.useless_after, challenge.created_at + self.limits.code_lifetime);
        assert!(challenge.guesses < self.limits.guesses_max() || challenge.guesses == 0);
    }

    /// I9: a command touches the claim of its own WABA at most. A new PIN voids proofs of the old one.
    fn others_keep_their_claims(&self) {
        let actor = acting_waba(self.command);
        let next = &self.decision.next;
        let new_pin = next.two_step != self.before.two_step;
        for before in self.before.claims.iter().filter(|claim| Some(&claim.waba) != actor) {
            let now = next.claim(&before.id).expect("a claim stays");
            let expected = if new_pin { without_proof(before) } else { before.clone() };
            let now = if new_pin { without_proof(now) } else { now.clone() };
            assert_eq!(now, expected);
        }
    }
}

fn acting_waba(command: &Command) -> Option<&WabaId> {
    match command {
        Command::AddNumber(add) | Command::StartMigration(add) => Some(&add.waba),
        Command::RequestCode(request) => Some(&request.requester.waba),
        Command::VerifyCode(verify) => Some(&verify.requester.waba),
        Command::Register(register) => Some(&register.waba),
        Command::ChangeName { waba, .. }
        | Command::RequestName { waba, .. }
        | Command::ReviewName { waba, .. }
        | Command::WhileMigrating { waba, .. } => Some(waba),
        Command::Restore(_)
        | Command::Deregister { .. }
        | Command::Release { .. }
        | Command::SetTwoStep { .. }
        | Command::ClearTwoStep { .. }
        | Command::ProvePin { .. }
        | Command::Unlock
        | Command::GiveBack { .. }
        | Command::Heed(_)
        | Command::Adopt(_) => None,
    }
}

fn without_proof(claim: &Claim) -> Claim {
    let mut claim = claim.clone();
    match &mut claim.phase {
        ClaimPhase::Unverified => {}
        ClaimPhase::AwaitingCode(challenge) => challenge.pin_proven_at = None,
        ClaimPhase::Verified { pin_proven_at, .. } => *pin_proven_at = None,
    }
    claim
}

/// Milliseconds from `earlier` to `now`, which may be many.
fn elapsed_ms(earlier: Timestamp, now: Timestamp) -> i128 {
    i128::from(now.as_millis()) - i128::from(earlier.as_millis())
}

/// A duration of the limits in milliseconds.
fn ms(duration: core::time::Duration) -> i128 {
    i128::try_from(duration.as_millis()).expect("a sensible limit")
}

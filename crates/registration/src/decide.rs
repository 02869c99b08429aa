//! The transition: one record and one command in, one decision out.

mod code;
mod holder;
mod migration;
mod names;
mod upstream;
mod vague;

use crate::{
    Claim, ClaimPhase, Command, Effect, Fact, Limits, NumberRecord, PhoneNumberId, PinCheck,
    PinQuestion, Refusal, Timestamp,
};

/// What to store, what to answer, what to do. `next` is stored whatever the answer is: a wrong code
/// spends a guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The record as it must be stored.
    pub next: NumberRecord,
    /// The answer.
    pub outcome: Result<Accepted, Refusal>,
    /// What the world must do after the commit; empty for a refusal.
    pub effects: Vec<Effect>,
    /// What the audit trail says.
    pub facts: Vec<Fact>,
}

/// Why the answer is "yes".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The claim exists.
    NumberAdded(PhoneNumberId),
    /// A code is on its way.
    CodeSent(PhoneNumberId),
    /// The code was right; nothing is registered yet.
    Verified(PhoneNumberId),
    /// The number is registered for the claim.
    Registered(PhoneNumberId),
    /// The caller already held this registration; nothing was left to do.
    AlreadyRegistered(PhoneNumberId),
    /// The registration runs on the client that restored it.
    Restored(PhoneNumberId),
    /// The registration is gone.
    Deregistered,
    /// Done: name, PIN or lock is as asked.
    Done,
}

/// Decides `command` on `record` as of `now`. Pure: equal input, equal output.
///
/// Refusals return the next record too, since most of them cost the caller something.
#[must_use]
pub fn decide(
    record: NumberRecord,
    command: &Command,
    now: Timestamp,
    limits: &Limits,
) -> Decision {
    let mut draft = Draft { next: record, effects: Vec::new(), facts: Vec::new(), now, limits };
    let outcome = draft.carry_out(command);
    if let Err(refusal) = &outcome {
        // I6 by construction: whatever a branch had planned, a refusal sends nothing.
        draft.effects.clear();
        draft.facts.push(Fact::Refused { command: command.name(), refusal: refusal.clone() });
    }
    Decision { next: draft.next, outcome, effects: draft.effects, facts: draft.facts }
}

/// When the PIN in force was proven for a verified claim, if it was.
fn pin_proven_at(claim: &Claim) -> Option<Timestamp> {
    match &claim.phase {
        ClaimPhase::Verified { pin_proven_at, .. } => *pin_proven_at,
        ClaimPhase::Unverified | ClaimPhase::AwaitingCode(_) => None,
    }
}

/// A decision in the making. The branches live in `code` (proof of ownership), `holder` (who has the
/// number), `names` and `migration`; what they need in common is here.
struct Draft<'a> {
    next: NumberRecord,
    effects: Vec<Effect>,
    facts: Vec<Fact>,
    now: Timestamp,
    limits: &'a Limits,
}

type Outcome = Result<Accepted, Refusal>;

impl Draft<'_> {
    fn carry_out(&mut self, command: &Command) -> Outcome {
        match command {
            Command::AddNumber(add) => self.add_number(add),
            Command::StartMigration(add) => self.start_migration(add),
            Command::WhileMigrating { waba, then } => {
                self.migrating(waba, then)?;
                self.carry_out(then)
            }
            Command::RequestCode(request) => self.request_code(request),
            Command::VerifyCode(verify) => self.verify_code(verify),
            Command::Register(register) => self.register_verified(register),
            Command::Restore(restore) => self.restore(restore),
            Command::Deregister { waba } => self.deregister(waba.as_ref()),
            Command::Release { client } => {
                self.release(client);
                Ok(Accepted::Done)
            }
            Command::ChangeName { waba, name, certificate_serial } => {
                self.change_name(waba, name, *certificate_serial)
            }
            Command::RequestName { waba, name, until } => self.request_name(waba, name, *until),
            Command::ReviewName { waba, name, verdict } => {
                self.review_name(waba, name.as_ref(), *verdict)
            }
            Command::SetTwoStep { holder, verifier } => {
                self.set_two_step(holder.as_ref(), verifier)
            }
            Command::ClearTwoStep { holder } => self.clear_two_step(holder.as_ref()),
            Command::ProvePin { holder, pin } => self.prove_pin(holder.as_ref(), *pin),
            Command::Unlock => {
                self.unlock();
                Ok(Accepted::Done)
            }
            Command::GiveBack { method, ordered_at } => {
                self.give_back(*method, *ordered_at);
                Ok(Accepted::Done)
            }
            Command::Heed(heed) => self.heed(heed),
            Command::Adopt(adopt) => self.adopt(adopt),
        }
    }

    /// Passes if two-step verification is off, the PIN is right, or none is given and it was proven
    /// before; charges a wrong one.
    fn pass_two_step(
        &mut self,
        pin: PinCheck,
        proven_at: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, Refusal> {
        if pin == PinCheck::OwedToUpstream && proven_at.is_none() {
            return Err(Refusal::PinRequired);
        }
        if self.next.two_step.is_none() {
            return self.foreign_pin_open(pin).map(|()| None);
        }
        match (pin, proven_at) {
            // Nothing said about the PIN takes nothing back; a wrong one is refused below all the same.
            (PinCheck::Absent | PinCheck::OwedToUpstream | PinCheck::Unchecked, Some(_)) => {
                return Ok(proven_at);
            }
            (PinCheck::Absent | PinCheck::OwedToUpstream, None) => {
                return Err(Refusal::PinRequired);
            }
            (PinCheck::Unchecked | PinCheck::ForUpstream, None)
            | (PinCheck::Right | PinCheck::Wrong | PinCheck::ForUpstream, _) => {}
        }
        if let PinQuestion::Locked(opens_at) = self.next.pin_question(self.now, self.limits) {
            return Err(Refusal::PinLocked { opens_at });
        }
        let budget = &mut self.next.budgets.pin;
        match pin {
            PinCheck::Right => {
                budget.failures = 0;
                Ok(Some(self.now))
            }
            PinCheck::Wrong => {
                budget.failures = budget.failures.saturating_add(1);
                budget.last_failure_at = self.now;
                let tries_left = self.limits.pin_failures_max.saturating_sub(budget.failures);
                Err(Refusal::PinMismatch { tries_left })
            }
            // The caller asked `pin_question` of this very record, so an open question was answered;
            // if it was not, fail closed.
            PinCheck::Absent
            | PinCheck::Unchecked
            | PinCheck::ForUpstream
            | PinCheck::OwedToUpstream => Err(Refusal::PinRequired),
        }
    }

    fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}

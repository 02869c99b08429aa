//! I1 and I2: what a code may go through.

use std::collections::BTreeSet;

use registration::{Challenge, ChallengeId, Claim, ClaimPhase, Limits, PhoneNumber, Timestamp};
use service::keys::KeyRing;

use super::{Verdict, ensure};
use crate::journal::Change;
use crate::workload::{Ask, Call};

/// Codes that came to their end.
#[derive(Debug, Default)]
pub(super) struct Codes {
    ended: BTreeSet<u128>,
}

impl Codes {
    pub(super) fn check(
        &mut self,
        call: &Call,
        change: &Change,
        keys: &KeyRing,
        limits: &Limits,
    ) -> Verdict {
        for after in &change.after.claims {
            let before = change.before.claim(&after.id);
            let (old, new) = (before.and_then(challenge), challenge(after));
            if let Some(new) = new {
                self.alive(new, old, limits)?;
            }
            let Some(old) = old else { continue };
            let right = is_right(call, keys, change.after.number, after, old);
            let stays = new.is_some_and(|new| new.id == old.id);
            if new.is_some_and(|new| stays && new.guesses > old.guesses) {
                ensure(right == Some(false), "I1", || "a right code was charged as wrong".into())?;
            }
            if let Some(at) = used_at(change, after) {
                ensure(right == Some(true), "I2", || "another code than the right one".into())?;
                ensure(!stays, "I2", || "a code is still there after it was used".into())?;
                ensure(old.guesses < limits.guesses_max(), "I1", || {
                    format!("a code was accepted after {} guesses", old.guesses)
                })?;
                ensure(at < old.created_at + limits.code_lifetime, "I2", || {
                    "a code was accepted after its end".into()
                })?;
            }
            if !stays {
                self.ended.insert(old.id.0);
            }
        }
        Ok(())
    }

    fn alive(&self, new: &Challenge, old: Option<&Challenge>, limits: &Limits) -> Verdict {
        ensure(!self.ended.contains(&new.id.0), "I2", || "a code came back".into())?;
        ensure(new.guesses <= limits.guesses_max(), "I1", || {
            format!("a code was compared {} times", new.guesses)
        })?;
        let same = old.filter(|old| old.id == new.id);
        let step = new.guesses.checked_sub(same.map_or(0, |old| old.guesses));
        ensure(matches!(step, Some(0 | 1)), "I1", || "guesses grew back, or two at once".into())?;
        ensure(same.is_none_or(|old| old.created_at == new.created_at), "I1", || {
            "a code was prolonged".into()
        })
    }
}

/// The code on its way, if there is one.
pub(super) fn challenge(claim: &Claim) -> Option<&Challenge> {
    match &claim.phase {
        ClaimPhase::AwaitingCode(challenge) => Some(challenge),
        ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
    }
}

/// When the code that `claim` waited for was used, if this change used it.
fn used_at(change: &Change, claim: &Claim) -> Option<Timestamp> {
    if let ClaimPhase::Verified { since, .. } = claim.phase {
        return Some(since);
    }
    let new = change.after.registration.as_ref().filter(|it| it.claim == claim.id)?;
    let old = change.before.registration.as_ref();
    old.is_none_or(|old| old.key != new.key).then_some(new.since)
}

/// Whether the call submitted the code of this challenge; `None` if it submitted none.
fn is_right(
    call: &Call,
    keys: &KeyRing,
    number: PhoneNumber,
    claim: &Claim,
    challenge: &Challenge,
) -> Option<bool> {
    let Ask::Verify { code: Some(submitted), .. } = &call.ask else { return None };
    let ChallengeId(_) = challenge.id;
    let code = keys.code(challenge.key_epoch, number, &claim.id, challenge.id)?;
    Some(code.reveal() == submitted)
}

//! I3, I6 and I9: who may change which part of a record, and at what cost.

use std::collections::BTreeMap;

use registration::{
    Claim, ClaimPhase, Ladder, NameReview, NumberRecord, PhoneNumber, Platform, Registration,
};

use super::{Verdict, ensure};
use crate::journal::{Change, Commit};
use crate::tenants::{Party, Tenants};
use crate::workload::{Ask, Call};

/// What the checker knows about PINs.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The PIN in force, in the clear.
    pins: BTreeMap<PhoneNumber, &'static str>,
}

impl Claims {
    pub(super) fn check(&mut self, call: &Call, change: &Change, tenants: &Tenants) -> Verdict {
        let party = call.party.as_ref();
        let client = party.and_then(|party| party.client.as_ref());
        if client.is_some_and(|client| is_release(change, client)) {
            return Ok(());
        }
        let restores = matches!(call.ask, Ask::Restore(..));
        ensure(restores || change.after.number == call.number.number, "I9", || {
            "the record of another number changed".into()
        })?;
        neighbours(call, change)?;
        self.registration(call, change, tenants)?;
        self.two_step(call, change)
    }

    fn registration(&self, call: &Call, change: &Change, tenants: &Tenants) -> Verdict {
        let (old, new) = (change.before.registration.as_ref(), change.after.registration.as_ref());
        if let Some(new) = new {
            let claim = change.after.claim(&new.claim);
            ensure(claim.is_some_and(|claim| claim.waba == new.waba), "I3", || {
                "a registration without its claim".into()
            })?;
        }
        match (old, new) {
            (old, new) if old == new => Ok(()),
            (Some(old), None) => {
                let may = call.party.as_ref().is_none_or(|party| party.waba == old.waba);
                ensure(may && matches!(call.ask, Ask::Deregister), "I9", || {
                    "a registration ended that its holder did not give up".into()
                })
            }
            (Some(old), Some(new)) if old.key == new.key => moved(call, old, new, tenants),
            (_, Some(new)) => self.registered(call, change, new),
            (None, None) => Ok(()),
        }
    }

    /// A registration needs the proof of a code and, where two-step is on, the PIN.
    fn registered(&self, call: &Call, change: &Change, new: &Registration) -> Verdict {
        let own = call
            .party
            .as_ref()
            .is_some_and(|party| party.waba == new.waba && party.client.as_ref() == client_of(new));
        ensure(own, "I9", || "a registration in another's name".into())?;
        let before = change.before.claim(&new.claim).map(|claim| &claim.phase);
        let proven = matches!(
            (before, &call.ask),
            (Some(ClaimPhase::Verified { .. }), Ask::RequestCode { .. } | Ask::Register(_))
                | (Some(ClaimPhase::AwaitingCode(_)), Ask::Verify { register: Some(_), .. })
        );
        ensure(proven, "I2", || "a registration without a code".into())?;
        let after = change.after.claim(&new.claim).map(|claim| &claim.phase);
        ensure(after == Some(&ClaimPhase::Unverified), "I2", || {
            "the proof is still there after it was used".into()
        })?;
        let number = change.before.number;
        let given = self.is_in_force(call, number);
        let earlier = change.before.claim(&new.claim).is_some_and(proven_pin);
        ensure(change.before.two_step.is_none() || given || earlier, "I9", || {
            "a registration without the PIN".into()
        })
    }

    fn two_step(&mut self, call: &Call, change: &Change) -> Verdict {
        let number = change.after.number;
        if change.after.budgets.pin.failures > change.before.budgets.pin.failures {
            ensure(!self.is_in_force(call, number), "I6", || "the right PIN was charged".into())?;
        }
        for claim in change.after.claims.iter().filter(|claim| proven_pin(claim)) {
            let earlier = change.before.claim(&claim.id).is_some_and(proven_pin);
            ensure(earlier || self.is_in_force(call, number), "I9", || {
                "a PIN counts as shown that was not".into()
            })?;
        }
        if change.before.two_step == change.after.two_step {
            return Ok(());
        }
        let may = match (&call.party, &call.ask) {
            (None, Ask::SetPin(_) | Ask::ClearPin) => true,
            (Some(party), Ask::SetPin(_) | Ask::ClearPin) => holds(&change.before, party),
            (Some(party), _) => change.before.two_step.is_none() && holds(&change.after, party),
            (None, _) => false,
        };
        ensure(may, "I9", || "two-step verification was changed by a stranger".into())?;
        match call.new_pin().filter(|_| change.after.two_step.is_some()) {
            Some(pin) => self.pins.insert(number, pin),
            None => self.pins.remove(&number),
        };
        Ok(())
    }

    fn is_in_force(&self, call: &Call, number: PhoneNumber) -> bool {
        call.submitted_pin().is_some_and(|pin| self.pins.get(&number) == Some(&pin))
    }
}

/// A code goes out exactly when its step of the ladder and its allowance are paid, and only to whoever
/// asked for one.
pub(super) fn check_cost(call: &Call, commit: &Commit) -> Verdict {
    let steps = commit.changes.iter().filter(|change| {
        let (before, after) = (&change.before.budgets, &change.after.budgets);
        before.sms != after.sms || before.voice != after.voice
    });
    let (steps, sends, takes) = (steps.count(), commit.sends.len(), commit.takes);
    ensure(steps == sends && takes == sends && sends <= 1, "I6", || {
        format!("{sends} sends for {steps} steps of the ladder and {takes} takes")
    })?;
    for send in &commit.sends {
        let asked = matches!(call.ask, Ask::RequestCode { .. })
            && send.number == call.number.number
            && call.party.as_ref().is_some_and(|party| party.waba == send.what.waba);
        ensure(asked, "I6", || "a code went out that nobody asked for".into())?;
    }
    Ok(())
}

/// A worker gave a step of a ladder back, and changed nothing else.
pub(super) fn is_give_back(change: &Change) -> bool {
    let (before, after) = (&change.before.budgets, &change.after.budgets);
    let returned = |before: &Ladder, after: &Ladder| after.taken + 1 == before.taken;
    let same = |before: &Ladder, after: &Ladder| before == after;
    let one = returned(&before.sms, &after.sms) && same(&before.voice, &after.voice)
        || returned(&before.voice, &after.voice) && same(&before.sms, &after.sms);
    let mut otherwise = change.before.clone();
    otherwise.budgets.sms = after.sms;
    otherwise.budgets.voice = after.voice;
    one && otherwise == change.after
}

/// The claims of other WABAs are as they were; a new PIN alone takes their proofs of the old one.
fn neighbours(call: &Call, change: &Change) -> Verdict {
    let party = call.party.as_ref();
    let new_pin = change.before.two_step != change.after.two_step;
    for before in &change.before.claims {
        let Some(after) = change.after.claim(&before.id) else {
            return ensure(false, "I9", || "a claim vanished".into());
        };
        let own = party.is_some_and(|party| party.waba == before.waba);
        let same = before == after || (new_pin && without_proof(before) == *after);
        let judged = matches!(&call.ask, Ask::ReviewName { waba, .. } if *waba == before.waba)
            && party.is_none()
            && without_names(before) == without_names(after);
        ensure(own || same || judged, "I9", || {
            format!("the claim of {} was changed", before.waba)
        })?;
    }
    let mut new = change.after.claims.iter().skip(change.before.claims.len());
    ensure(new.all(|claim| party.is_some_and(|it| it.waba == claim.waba)), "I9", || {
        "a claim in another's name".into()
    })
}

/// A backup moves a number between clients of one account.
fn moved(call: &Call, old: &Registration, new: &Registration, tenants: &Tenants) -> Verdict {
    let account = |held: &Registration| client_of(held).and_then(|it| tenants.account_of(it));
    let own = call.party.as_ref().and_then(|party| party.client.as_ref()) == client_of(new);
    let within = account(new).is_some_and(|it| old.waba.to_string().starts_with(&it.to_string()));
    ensure(matches!(call.ask, Ask::Restore(..)) && own && within, "I9", || {
        "a number moved without a backup, or to another account".into()
    })
}

/// A client's other number is let go, and nothing else about it changes.
fn is_release(change: &Change, client: &registration::ClientId) -> bool {
    let freed = NumberRecord { registration: None, ..change.before.clone() };
    change.before.held_by(client) && change.after == freed
}

fn holds(record: &NumberRecord, party: &Party) -> bool {
    match &party.client {
        Some(client) => record.held_by(client),
        None => record.registration.as_ref().is_some_and(|held| held.waba == party.waba),
    }
}

fn client_of(held: &Registration) -> Option<&registration::ClientId> {
    match &held.platform {
        Platform::OnPremise { client } => Some(client),
        Platform::CloudApi => None,
    }
}

fn proven_pin(claim: &Claim) -> bool {
    match &claim.phase {
        ClaimPhase::Unverified => false,
        ClaimPhase::AwaitingCode(challenge) => challenge.pin_proven_at.is_some(),
        ClaimPhase::Verified { pin_proven_at, .. } => pin_proven_at.is_some(),
    }
}

fn without_names(claim: &Claim) -> Claim {
    Claim { name_review: NameReview::Pending, new_name: None, ..claim.clone() }
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

//! Display names: who may change which, and what a registration puts in force.
//!
//! A second telling of the rules, made from what was asked and not from what the service did.

use core::time::Duration;

use registration::{Claim, NameReview, Refusal, Timestamp, VerifiedName};
use service::Policy;

use super::{Verdict, ensure};
use crate::journal::{Change, Commit};
use crate::workload::{Answer, Ask, Call};

/// The names of a claim, without the moments of verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Names {
    name: VerifiedName,
    review: Review,
    new: Option<(VerifiedName, Review)>,
    /// Until when a registration puts the new name in force.
    until: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Review {
    Pending,
    Approved,
    Declined(registration::NameFault),
}

/// How names are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Custom {
    needs_review: bool,
    lifetime: Duration,
}

impl Custom {
    pub(super) const fn of(policy: &Policy) -> Self {
        Self { needs_review: policy.review_names, lifetime: policy.certificate_lifetime }
    }

    /// A unit left the names of every claim as what was asked has it.
    pub(super) fn check(self, call: &Call, change: &Change, commit: &Commit) -> Verdict {
        let refused = commit.events.iter().any(|event| event.kind == "refused");
        for after in &change.after.claims {
            let before = change.before.claim(&after.id);
            let unchanged = before.map(Names::of);
            let found = Names::of(after);
            let is_same = unchanged.as_ref().is_some_and(|names| names.shows(&found));
            let concerned = change.after.number == call.number.number && concerns(call, after);
            if !concerned || refused {
                ensure(is_same || (concerned && before.is_none()), "names", || {
                    format!("a name of {} changed that nobody asked to change", after.waba)
                })?;
                continue;
            }
            let registers = registers(change, after);
            let expected = self.expected(call, change, after, registers);
            // A code may wait for a provider already, and then nothing that came along is looked at.
            let may_stay = matches!(call.ask, Ask::RequestCode { .. });
            ensure(expected.shows(&found) || (may_stay && is_same), "names", || {
                format!("{} shows {found:?} after {call}, not {expected:?}", after.waba)
            })?;
            ensure(registers.is_none() || !is_declined(call, before), "names", || {
                "a number was registered under a name that was declined".into()
            })?;
        }
        Ok(())
    }

    fn expected(
        self,
        call: &Call,
        change: &Change,
        claim: &Claim,
        registers: Option<Timestamp>,
    ) -> Names {
        let before = change.before.claim(&claim.id).map(Names::of);
        let held = change.before.registration.as_ref();
        let holds = held.is_some_and(|held| held.claim == claim.id);
        let vouched = call.vouches() || !self.needs_review;
        let is_new = before.is_none();
        let mut names = before.unwrap_or_else(|| Names::of(claim));
        match &call.ask {
            Ask::Add(_) | Ask::RequestCode { claims: true, .. } => {
                let brought = call.brought_name();
                if is_new {
                    let review = if vouched { Review::Approved } else { Review::Pending };
                    names = Names { name: brought, review, new: None, until: names.until };
                } else if vouched {
                    names.take(brought);
                } else {
                    names.ask_for(brought, holds);
                }
            }
            Ask::RequestName(_) => {
                names.ask_for(call.brought_name(), holds);
                if !self.needs_review {
                    names.judge(Review::Approved);
                }
            }
            Ask::ReviewName { fault, .. } => {
                names.judge(fault.map_or(Review::Approved, Review::Declined));
            }
            Ask::RequestCode { claims: false, .. }
            | Ask::Verify { .. }
            | Ask::Register(_)
            | Ask::Deregister
            | Ask::SetPin(_)
            | Ask::ClearPin
            | Ask::Unlock
            | Ask::Backup
            | Ask::Restore(..) => {}
        }
        let ready = names.new.take_if(|(_, review)| {
            *review == Review::Approved && registers.is_some_and(|at| at < names.until)
        });
        if let Some((name, review)) = ready {
            (names.name, names.review) = (name, review);
        }
        names
    }

    /// A verdict counts from when it was given, for as long as is set, whatever the clock does later.
    pub(super) fn check_lifetime(self, call: &Call, change: &Change) -> Verdict {
        let Ask::ReviewName { waba, fault: None } = &call.ask else { return Ok(()) };
        let Some(new) = change.after.claim_of(waba).and_then(|claim| claim.new_name.as_ref())
        else {
            return Ok(());
        };
        let NameReview::Approved { at } = new.review else { return Ok(()) };
        let given = new.until - self.lifetime;
        // The clock may have been turned between the order and its decision.
        let between = at.since(given) + given.since(at);
        ensure(between <= TURNED_MAX, "names", || {
            format!("a name that was approved holds {between:?} more or less than is set")
        })
    }
}

/// How far the clock is turned at most in one step, there or back.
const TURNED_MAX: Duration = Duration::from_hours(14 * 24);

/// A refusal of the names is one that the record bears out.
pub(super) fn check_answer(call: &Call, commits: &[Commit], answer: &Answer) -> Verdict {
    let Answer::Refused(refused) = answer else { return Ok(()) };
    if refused.refusal != Refusal::NameDeclined {
        return Ok(());
    }
    let Some(party) = &call.party else { return Ok(()) };
    let borne_out = commits.iter().flat_map(|commit| &commit.changes).all(|change| {
        let claim = change.before.claim_of(&party.waba);
        claim.is_some_and(|claim| matches!(claim.name_review, NameReview::Declined { .. }))
    });
    ensure(borne_out, "names", || "a name was refused that nobody declined".into())
}

impl Names {
    fn of(claim: &Claim) -> Self {
        let new = claim.new_name.as_ref();
        Self {
            name: claim.name.clone(),
            review: Review::of(claim.name_review),
            new: new.map(|new| (new.name.clone(), Review::of(new.review))),
            until: new.map_or_else(Timestamp::default, |new| new.until),
        }
    }

    /// Whether the two look the same.
    fn shows(&self, other: &Self) -> bool {
        (&self.name, self.review, &self.new) == (&other.name, other.review, &other.new)
    }

    /// The name came in a certificate, or needs no look.
    fn take(&mut self, name: VerifiedName) {
        if self.name == name && self.review == Review::Approved {
            return;
        }
        self.new.take_if(|(new, _)| *new == name);
        (self.name, self.review) = (name, Review::Approved);
    }

    /// A claim that holds the number keeps its name meanwhile.
    fn ask_for(&mut self, name: VerifiedName, holds: bool) {
        match &self.new {
            _ if self.name == name => self.new = None,
            Some((new, _)) if holds && *new == name => {}
            _ if holds => self.new = Some((name, Review::Pending)),
            _ => {
                *self = Self { name, review: Review::Pending, new: None, until: self.until };
            }
        }
    }

    fn judge(&mut self, verdict: Review) {
        match &mut self.new {
            Some((_, review)) => *review = verdict,
            None => self.review = verdict,
        }
    }
}

impl Review {
    const fn of(review: NameReview) -> Self {
        match review {
            NameReview::Pending => Self::Pending,
            NameReview::Approved { .. } => Self::Approved,
            NameReview::Declined { why, .. } => Self::Declined(why),
        }
    }
}

/// Whether a call is about the names of this claim.
fn concerns(call: &Call, claim: &Claim) -> bool {
    match (&call.party, &call.ask) {
        (None, Ask::ReviewName { waba, .. }) => *waba == claim.waba,
        (Some(party), _) => party.waba == claim.waba,
        (None, _) => false,
    }
}

/// When a registration was made for the claim that a call is about, if one was.
fn registers(change: &Change, claim: &Claim) -> Option<Timestamp> {
    let calls = |record: &registration::NumberRecord| record.budgets.register_calls.clone();
    let held = change.after.registration.as_ref().filter(|held| held.claim == claim.id);
    let is_new = held.is_some() && calls(&change.before) != calls(&change.after);
    calls(&change.after).0.last().copied().filter(|_| is_new)
}

/// Whether the name was declined that is shown from now on; one that comes in a certificate is another matter.
fn is_declined(call: &Call, before: Option<&Claim>) -> bool {
    let brought = matches!(call.ask, Ask::RequestCode { claims: true, .. }) && call.vouches();
    let declined = |claim: &Claim| matches!(claim.name_review, NameReview::Declined { .. });
    !brought && before.is_some_and(declined)
}

//! Display names: asked for, looked at, put in force by a registration.

use super::{Accepted, Draft, Outcome};
use crate::{
    Claim, Fact, NameReview, NameVerdict, NewName, Refusal, Timestamp, VerifiedName, WabaId,
};

impl Draft<'_> {
    /// Takes a new name for a claim. One that is registered keeps the name in force until it is registered
    /// again; `until` is given where nobody needs to look at the name.
    pub(super) fn request_name(
        &mut self,
        waba: &WabaId,
        name: &VerifiedName,
        until: Option<Timestamp>,
    ) -> Outcome {
        let index = self.claim_position(waba)?;
        self.ask_for_name(index, name);
        if let Some(until) = until {
            self.pass_verdict(index, NameVerdict::Approve { until });
        }
        Ok(Accepted::Done)
    }

    /// Notes a verdict on the name that a claim waits for, else on the one it has; on no other than `looked_at`.
    pub(super) fn review_name(
        &mut self,
        waba: &WabaId,
        looked_at: Option<&VerifiedName>,
        verdict: NameVerdict,
    ) -> Outcome {
        let index = self.claim_position(waba)?;
        let asked_for = self.next.claims[index].name_asked_for();
        if looked_at.is_none_or(|looked_at| looked_at == asked_for) {
            self.pass_verdict(index, verdict);
        }
        Ok(Accepted::Done)
    }

    /// The same name again is no news; the name in force takes back what was asked for.
    pub(super) fn ask_for_name(&mut self, index: usize, name: &VerifiedName) {
        let (now, holds) = (self.now, self.is_held_by(index));
        let claim = &mut self.next.claims[index];
        if claim.name == *name {
            claim.new_name = None;
            return;
        }
        if holds {
            if claim.new_name.as_ref().is_some_and(|new| new.name == *name) {
                return;
            }
            let (name, review) = (name.clone(), NameReview::Pending);
            claim.new_name = Some(NewName { name, asked_at: now, review, until: now });
        } else {
            claim.name = name.clone();
            claim.name_review = NameReview::Pending;
            claim.new_name = None;
        }
        self.fact(Fact::NameSubmitted { name: name.clone() });
    }

    fn pass_verdict(&mut self, index: usize, verdict: NameVerdict) {
        let now = self.now;
        let claim = &mut self.next.claims[index];
        let (name, review) = match &mut claim.new_name {
            Some(new) => {
                if let NameVerdict::Approve { until } = verdict
                    && !matches!(new.review, NameReview::Approved { .. })
                {
                    new.until = until;
                }
                (&new.name, &mut new.review)
            }
            None => (&claim.name, &mut claim.name_review),
        };
        let name = name.clone();
        match (*review, verdict) {
            (NameReview::Approved { .. }, NameVerdict::Approve { .. }) => {}
            (_, NameVerdict::Approve { .. }) => {
                *review = NameReview::Approved { at: now };
                self.fact(Fact::NameApproved { name });
            }
            (NameReview::Declined { why, .. }, NameVerdict::Decline(again)) if why == again => {}
            (_, NameVerdict::Decline(why)) => {
                *review = NameReview::Declined { at: now, why };
                self.fact(Fact::NameDeclined { name, why });
            }
        }
    }

    /// A number is not registered under a name that was declined.
    pub(super) fn name_may_show(&self, waba: &WabaId) -> Result<(), Refusal> {
        let review = self.next.claim_of(waba).map(|claim| claim.name_review);
        match review {
            Some(NameReview::Declined { .. }) => Err(Refusal::NameDeclined),
            Some(NameReview::Pending | NameReview::Approved { .. }) | None => Ok(()),
        }
    }

    /// A registration puts the name in force that was approved for the claim.
    pub(super) fn settle_name(&mut self, index: usize) {
        let now = self.now;
        let Some(claim) = self.next.claims.get_mut(index) else { return };
        let Some(new) = claim.new_name.take_if(|new| new.is_ready(now)) else { return };
        claim.name = new.name.clone();
        claim.name_review = new.review;
        self.fact(Fact::NameChanged { name: new.name });
    }

    fn is_held_by(&self, index: usize) -> bool {
        let held = self.next.registration.as_ref();
        held.is_some_and(|held| held.claim == self.next.claims[index].id)
    }

    fn claim_position(&self, waba: &WabaId) -> Result<usize, Refusal> {
        let found = self.next.claims.iter().position(|claim| claim.waba == *waba);
        found.ok_or(Refusal::NotClaimed)
    }
}

impl Claim {
    /// Gives the claim a name that needs no review: it came in a certificate, or from the operator.
    pub(super) fn take_name(&mut self, name: &VerifiedName, now: Timestamp) {
        self.name = name.clone();
        self.name_review = NameReview::Approved { at: now };
        self.new_name.take_if(|new| new.name == *name);
    }
}

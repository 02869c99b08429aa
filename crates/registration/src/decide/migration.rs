//! Moving a number to a WABA from wherever it is registered: start, code, registration.
//!
//! Each step is that of any registration; what is special is that the steps have an order, and that the
//! display name comes along. The PIN does not: where two-step verification is on, its owner switches it off
//! first.

use super::{Accepted, Draft, Outcome};
use crate::{AddNumber, Command, Fact, Refusal, WabaId};

impl Draft<'_> {
    /// Says nothing of who holds the number now: whoever asks has proven nothing yet.
    pub(super) fn start_migration(&mut self, add: &AddNumber) -> Outcome {
        if self.is_registered_for(&add.waba) {
            return Err(Refusal::NotMigrating);
        }
        let is_known = self.next.claim_of(&add.waba).is_some();
        let index = self.claim_for(&add.waba, (!is_known).then_some(&add.claim))?;
        let claim = &mut self.next.claims[index];
        let id = claim.id.clone();
        if claim.history.migrating_since.is_none() {
            claim.history.migrating_since = Some(self.now);
            self.fact(Fact::MigrationStarted { waba: add.waba.clone() });
        }
        Ok(Accepted::NumberAdded(id))
    }

    /// Whether a later step may follow. Registering once more what has arrived is no step out of order.
    pub(super) fn migrating(&self, waba: &WabaId, then: &Command) -> Result<(), Refusal> {
        let claim = self.next.claim_of(waba).ok_or(Refusal::NotClaimed)?;
        let has_arrived = matches!(then, Command::Register(_)) && self.is_registered_for(waba);
        if claim.history.migrating_since.is_some() || has_arrived {
            Ok(())
        } else {
            Err(Refusal::NotMigrating)
        }
    }

    /// A number that migrates keeps the name under which it is known.
    pub(super) fn carry_name_over(&mut self, index: usize) {
        let held = self.next.registration.as_ref().and_then(|held| self.next.claim(&held.claim));
        let Some((name, review)) = held.map(|it| (it.name.clone(), it.name_review)) else { return };
        let claim = &mut self.next.claims[index];
        if claim.history.migrating_since.is_some() && claim.name != name {
            claim.name = name.clone();
            claim.name_review = review;
            self.fact(Fact::NameChanged { name });
        }
    }

    fn is_registered_for(&self, waba: &WabaId) -> bool {
        self.next.registration.as_ref().is_some_and(|held| held.waba == *waba)
    }
}

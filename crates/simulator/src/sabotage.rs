//! Deliberate breaches of the invariants, to prove that the checker notices them.

use registration::{ClaimPhase, NameReview, NumberRecord, VerificationCode};
use service::ports::{AuditEntry, NumberWrite, Send, SendId, SendReport, SendState, Unit};

use crate::journal::current_call;

/// One way in which the world is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// Not at all.
    #[default]
    None,
    /// The store says yes to every seventh unit with a record in it and forgets it.
    DropsUnits,
    /// The store says yes before it writes, and never writes.
    AnswersEarly,
    /// A wrong guess is answered and not charged.
    FreeGuesses,
    /// A code stays usable after somebody registered with it.
    RevivesCodes,
    /// The store forgets that a provider acknowledged a send.
    ForgetsAcknowledgements,
    /// A refusal sends a message.
    SendsOnRefusal,
    /// The provider's id for a send is the code in it.
    LeaksCodes,
    /// A change of one tenant's claim resets the others'.
    TouchesNeighbours,
    /// Somebody edited the audit trail.
    EditsAudit,
    /// A name that was declined counts as approved.
    IgnoresVerdicts,
    /// The outbox is never looked at.
    SkipsOutbox,
}

impl Sabotage {
    /// Changes a unit as a broken rule would.
    pub(crate) fn of_unit(self, unit: &mut Unit, before: &[NumberRecord], last: Option<&Send>) {
        match self {
            Self::FreeGuesses => each(unit, before, restore_guesses),
            Self::TouchesNeighbours => each(unit, before, reset_neighbours),
            Self::RevivesCodes => each(unit, before, keep_challenges),
            Self::IgnoresVerdicts => each(unit, before, approve_names),
            Self::SendsOnRefusal => {
                let refused = unit.events.iter().any(|event| event.kind == "refused");
                if let (true, Some(last)) = (refused, last) {
                    let id = SendId(last.id.0 + u128::from(current_call()) + 1);
                    unit.sends.push(Send { id, ..last.clone() });
                }
            }
            Self::None
            | Self::DropsUnits
            | Self::AnswersEarly
            | Self::ForgetsAcknowledgements
            | Self::LeaksCodes
            | Self::EditsAudit
            | Self::SkipsOutbox => {}
        }
    }

    /// Changes reports as a broken store would.
    pub(crate) fn of_reports(self, mut reports: Vec<SendReport>) -> Vec<SendReport> {
        if self == Self::ForgetsAcknowledgements {
            reports.retain(|it| !matches!(it.state, SendState::HandedOver { .. }));
        }
        reports
    }

    /// The provider's own id for a message.
    pub(crate) fn provider_id(self, id: SendId, code: &VerificationCode) -> String {
        if self == Self::LeaksCodes { code.reveal_grouped() } else { format!("provider-{id}") }
    }

    /// Changes entries of the audit trail as they are read.
    pub(crate) fn of_audit(self, mut entries: Vec<AuditEntry>) -> Vec<AuditEntry> {
        if self == Self::EditsAudit {
            for entry in entries.iter_mut().filter(|entry| entry.seq == 30) {
                "nobody".clone_into(&mut entry.event.actor);
            }
        }
        entries
    }
}

fn each(
    unit: &mut Unit,
    before: &[NumberRecord],
    change: fn(&mut NumberRecord, before: &NumberRecord),
) {
    for (NumberWrite { record, .. }, before) in unit.numbers.iter_mut().zip(before) {
        change(record, before);
    }
}

fn restore_guesses(record: &mut NumberRecord, before: &NumberRecord) {
    for claim in &mut record.claims {
        let old = before.claim(&claim.id).map(|it| &it.phase);
        if let (ClaimPhase::AwaitingCode(new), Some(ClaimPhase::AwaitingCode(old))) =
            (&mut claim.phase, old)
        {
            new.guesses = old.guesses.min(new.guesses);
        }
    }
}

/// The present change goes through; any other claim that waits for a code no longer does.
fn reset_neighbours(record: &mut NumberRecord, before: &NumberRecord) {
    for claim in &mut record.claims {
        if before.claim(&claim.id) == Some(claim) {
            claim.phase = ClaimPhase::Unverified;
        }
    }
}

fn approve_names(record: &mut NumberRecord, _: &NumberRecord) {
    for claim in &mut record.claims {
        if let NameReview::Declined { at, .. } = claim.name_review {
            claim.name_review = NameReview::Approved { at };
        }
    }
}

/// A code that was used up is there again.
fn keep_challenges(record: &mut NumberRecord, before: &NumberRecord) {
    for claim in &mut record.claims {
        let old = before.claim(&claim.id).map(|it| &it.phase);
        if let (ClaimPhase::Unverified, Some(old @ ClaimPhase::AwaitingCode(_))) =
            (&claim.phase, old)
        {
            claim.phase = old.clone();
        }
    }
}

//! I1, I4 and I6: what an answer says about the units behind it.

use registration::{Accepted, NumberRecord, Refusal};
use service::Refused;
use service::execute::Committed;

use super::codes::challenge;
use super::{Verdict, ensure};
use crate::journal::{Change, Commit};
use crate::workload::{Answer, Call};

pub(super) fn check(call: &Call, commits: &[Commit], answer: &Answer) -> Verdict {
    ensure(commits.len() <= 1, "I4", || format!("one call made {} units", commits.len()))?;
    match (answer, commits.last()) {
        (Answer::Bug(what), _) => ensure(false, "bug", || what.clone()),
        (Answer::Unavailable(_), _) | (Answer::Backup(_), Some(_)) => Ok(()),
        (Answer::Accepted(_) | Answer::Backup(_) | Answer::Refused(_), None) => {
            ensure(false, "I4", || "an answer without a unit in the store".into())
        }
        (Answer::Accepted(committed), Some(unit)) => accepted(committed, unit),
        (Answer::Refused(refused), Some(unit)) => refusal(call, refused, unit),
    }
}

fn accepted(committed: &Committed, unit: &Commit) -> Verdict {
    let number = committed.record.number;
    if let Some(change) = unit.changes.iter().find(|change| change.after.number == number) {
        ensure(change.after == committed.record, "I4", || {
            format!("{number} was answered otherwise than it was stored")
        })?;
    }
    let sent = matches!(committed.accepted, Accepted::CodeSent(_));
    // An earlier message still looks for a provider, and that one goes out.
    let awaited = unit.events.iter().any(|event| event.kind == "code_awaited");
    ensure(sent == (unit.sends.len() == 1 || awaited), "I5", || {
        format!("{} sends behind {:?}", unit.sends.len(), committed.accepted)
    })
}

fn refusal(call: &Call, refused: &Refused, unit: &Commit) -> Verdict {
    ensure(unit.sends.is_empty() && unit.takes == 0, "I6", || {
        format!("{} sent something", refused.refusal.id())
    })?;
    let recorded =
        unit.events.iter().any(|event| event.kind == "refused" && Some(event.id) == refused.id);
    ensure(recorded, "I4", || format!("{} is not in the trail", refused.refusal.id()))?;
    for change in &unit.changes {
        ensure(costs_of(&change.before) == costs_of(&change.after), "I6", || {
            format!("{} cost something", refused.refusal.id())
        })?;
    }
    if let Refusal::CodeMismatch { guesses_left } = refused.refusal {
        let charged = unit.changes.iter().any(|change| charges(call, change, guesses_left));
        ensure(charged, "I1", || "a wrong code was answered and not charged".into())?;
    }
    if let Refusal::PinMismatch { .. } = refused.refusal {
        let failures = |record: &NumberRecord| record.budgets.pin.failures;
        let charged = unit
            .changes
            .iter()
            .any(|change| failures(&change.after) == failures(&change.before) + 1);
        ensure(charged, "I1", || "a wrong PIN was answered and not charged".into())?;
    }
    Ok(())
}

/// All of a record that a refusal must leave alone.
fn costs_of(record: &NumberRecord) -> impl PartialEq {
    let budgets = &record.budgets;
    (
        (budgets.sms, budgets.voice),
        (budgets.register_calls.clone(), budgets.deregister_calls.clone()),
        (record.registration.clone(), record.two_step.clone()),
        record
            .claims
            .iter()
            .map(|claim| (claim.id.clone(), claim.name.clone()))
            .collect::<Vec<_>>(),
    )
}

/// Whether the guess was taken from the code, from the day's guesses and from the row.
fn charges(call: &Call, change: &Change, guesses_left: u32) -> bool {
    let Some(party) = &call.party else { return false };
    let guesses = |record: &NumberRecord| Some(challenge(record.claim_of(&party.waba)?)?.guesses);
    let (before, after) = (&change.before, &change.after);
    let spent = guesses(before).zip(guesses(after)).is_some_and(|(old, new)| new == old + 1);
    let newest = after.budgets.failed_guesses.0.len();
    let budget = &before.budgets.failed_guesses.0;
    spent
        && newest >= 1
        && (after.budgets.failed_guesses.0 != *budget || guesses_left == 0)
        && after.budgets.failed_in_a_row == before.budgets.failed_in_a_row.saturating_add(1)
}

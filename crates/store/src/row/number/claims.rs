//! Rows that find a number by a claim on it.

use registration::{Claim, ClaimPhase, NumberRecord, Timestamp};
use service::ports::ClaimMoment;

/// What a backend stores to find a number by a claim on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClaimRow {
    pub(crate) id: String,
    pub(crate) waba: String,
    pub(crate) pending_client: Option<String>,
    pub(crate) pending_since: Option<i64>,
    /// Since when it is verified, or when the code that it awaits was made.
    pub(crate) proof_at: Option<i64>,
    /// Whether a display name waits for a verdict.
    pub(crate) name_waits: bool,
    pub(crate) added_at: i64,
    pub(crate) onboarded_at: i64,
}

impl ClaimRow {
    /// The row of `claim` on the number of `record`.
    pub(crate) fn of(record: &NumberRecord, claim: &Claim) -> Self {
        let (pending, proof_at) = match &claim.phase {
            ClaimPhase::AwaitingCode(it) => (Some(it), Some(it.created_at)),
            ClaimPhase::Verified { since, .. } => (None, Some(*since)),
            ClaimPhase::Unverified => (None, None),
        };
        Self {
            id: claim.id.to_string(),
            waba: claim.waba.to_string(),
            pending_client: pending.and_then(|it| it.client.as_ref()).map(ToString::to_string),
            pending_since: pending.map(|it| it.requested_at.as_millis()),
            proof_at: proof_at.map(Timestamp::as_millis),
            name_waits: claim.name_waits(),
            added_at: ClaimMoment::Added.of(record, claim).as_millis(),
            onboarded_at: ClaimMoment::Onboarded.of(record, claim).as_millis(),
        }
    }
}

/// What a write changes in the rows that find a number by its claims.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ClaimChanges {
    /// Ids of claims that are no more.
    pub(crate) gone: Vec<String>,
    /// New claims.
    pub(crate) added: Vec<ClaimRow>,
    /// Claims with another pending client, time, proof or registration, or a name that waits or waits no longer.
    pub(crate) moved: Vec<ClaimRow>,
}

impl ClaimChanges {
    /// What turns the rows of `old` into those of `new`; nothing for most writes but code requests.
    pub(crate) fn between(old: Option<&NumberRecord>, new: &NumberRecord) -> Self {
        let rows_of = |record: &NumberRecord| {
            record.claims.iter().map(|claim| ClaimRow::of(record, claim)).collect()
        };
        let old: Vec<ClaimRow> = old.map(rows_of).unwrap_or_default();
        let mut changes = Self::default();
        let new: Vec<ClaimRow> = rows_of(new);
        let same = |a: &ClaimRow, b: &ClaimRow| a.id == b.id && a.waba == b.waba;
        for row in &old {
            if !new.iter().any(|it| same(it, row)) {
                changes.gone.push(row.id.clone());
            }
        }
        for row in new {
            match old.iter().find(|it| same(it, &row)) {
                None => changes.added.push(row),
                Some(before) if *before != row => changes.moved.push(row),
                Some(_) => {}
            }
        }
        changes
    }
}

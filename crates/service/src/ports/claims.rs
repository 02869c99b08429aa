//! Pages of what a WABA claims.

use registration::{Claim, NumberRecord, Timestamp, WabaId};

use super::store::{NumberQuery, Store, StoreError};

/// A page of one WABA's numbers, by a moment of its claims on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimQuery {
    /// Whose claims.
    pub waba: WabaId,
    /// By which moment.
    pub by: ClaimMoment,
    /// Whether the oldest comes first.
    pub ascending: bool,
    /// Only claims behind this place: a moment, and the claim's id among those of the same moment.
    pub behind: Option<(Timestamp, String)>,
    /// At most so many.
    pub limit: usize,
}

/// A moment of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimMoment {
    /// When it was made.
    Added,
    /// Since when it holds the registration; for one that holds none, when it was made.
    Onboarded,
}

impl ClaimMoment {
    /// The moment of a claim on this number.
    #[must_use]
    pub fn of(self, record: &NumberRecord, claim: &Claim) -> Timestamp {
        let held = record.registration.as_ref().filter(|held| held.claim == claim.id);
        match (self, held) {
            (Self::Onboarded, Some(held)) => held.since,
            (Self::Added | Self::Onboarded, _) => claim.added_at,
        }
    }
}

/// All numbers that a WABA claims.
pub(super) async fn all_claimed<S: Store + ?Sized>(
    store: &S,
    waba: &WabaId,
) -> Result<Vec<NumberRecord>, StoreError> {
    let wabas = Some(vec![waba.clone()]);
    let mut query = NumberQuery { wabas, limit: 1000, ..NumberQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = store.numbers(&query).await?;
        let is_last = page.len() < query.limit;
        query.after = page.last().map(|record| record.number);
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

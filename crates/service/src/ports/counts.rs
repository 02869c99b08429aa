//! How many numbers there are, by state.

use registration::{ClaimPhase, NumberRecord, Timestamp};

/// How old a proof may be that still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveProofs {
    /// A code that is awaited counts if it was made after this.
    pub codes_after: Timestamp,
    /// A claim counts as verified if it is since after this.
    pub verified_after: Timestamp,
}

/// How many numbers there are, each as far as its claim that came farthest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NumberCounts {
    /// With a record: claimed by somebody at some time.
    pub known: u64,
    /// Registered now.
    pub registered: u64,
    /// Not registered, but verified.
    pub verified: u64,
    /// Neither registered nor verified, but a code is on its way.
    pub awaiting_code: u64,
    /// Locked by wrong codes, whatever else they are.
    pub locked: u64,
}

impl NumberCounts {
    /// Counts a record as well.
    pub(super) fn add(&mut self, record: &NumberRecord, live: LiveProofs) {
        let any = |counts: &dyn Fn(&ClaimPhase) -> bool| {
            record.claims.iter().any(|claim| counts(&claim.phase))
        };
        self.known += 1;
        if record.registration.is_some() {
            self.registered += 1;
        } else if any(
            &|it| matches!(it, ClaimPhase::Verified { since, .. } if *since > live.verified_after),
        ) {
            self.verified += 1;
        } else if any(
            &|it| matches!(it, ClaimPhase::AwaitingCode(it) if it.created_at > live.codes_after),
        ) {
            self.awaiting_code += 1;
        }
        self.locked += u64::from(record.budgets.locked_since.is_some());
    }
}

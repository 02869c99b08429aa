//! What a run has to show.

use core::time::Duration;
use std::path::Path;

use serde_json::{Value, json};

use super::check::Findings;
use super::journal::Counts;
use super::load::Shared;

/// Figures so far; those in the table are sums since the beginning.
pub(super) struct Report {
    seed: u64,
    rounds: u32,
    counts: Counts,
    sends: usize,
    finished_later: u64,
    audit_entries: u64,
    slowest_start: Duration,
    /// What the server did that it must not do.
    pub(super) violation: Option<String>,
}

impl Report {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            rounds: 0,
            counts: Counts::default(),
            sends: 0,
            finished_later: 0,
            audit_entries: 0,
            slowest_start: Duration::ZERO,
            violation: None,
        }
    }

    /// The server answered so long after it was started again.
    pub(super) fn started_in(&mut self, time: Duration) {
        self.slowest_start = self.slowest_start.max(time);
    }

    pub(super) fn header() -> String {
        format!(
            "{:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}\n",
            "rounds", "202", "201", "PINs", "refused", "sends", "resumed", "audit", "start ms"
        )
    }

    /// The figures after `round`.
    pub(super) fn row(&mut self, round: u32, shared: &Shared, findings: &Findings) -> String {
        self.rounds = round;
        self.counts = shared.journal().counts;
        self.sends = findings.sends();
        self.finished_later = findings.finished_later;
        self.audit_entries = findings.audit_entries();
        format!(
            "{round:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}\n",
            self.counts.codes_sent,
            self.counts.registered,
            self.counts.pins_set,
            self.counts.refused,
            self.sends,
            self.finished_later,
            self.audit_entries,
            self.slowest_start.as_millis(),
        )
    }

    /// The last words.
    pub(super) fn verdict(&self, data: &Path) -> String {
        match &self.violation {
            None => format!(
                "HELD: {} kills, and every answer, send and audit entry was found (seed {}).\n",
                self.rounds, self.seed
            ),
            Some(violation) => format!(
                "VIOLATED: {violation}\nSeed {}; the data folder is kept: {}\n",
                self.seed,
                data.display()
            ),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "seed": self.seed,
            "rounds": self.rounds,
            "held": self.violation.is_none(),
            "violation": self.violation,
            "acknowledged": {
                "codes_sent": self.counts.codes_sent,
                "registered": self.counts.registered,
                "pins_set": self.counts.pins_set,
                "refused": self.counts.refused,
            },
            "sends": self.sends,
            "sends_resumed": self.finished_later,
            "audit_entries": self.audit_entries,
            "slowest_start_ms": u64::try_from(self.slowest_start.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_told_with_its_seed_and_folder() {
        let mut report = Report::new(7);
        assert!(report.verdict(Path::new("data")).starts_with("HELD"));
        report.violation = Some("round 3: a send is lost".to_owned());
        let verdict = report.verdict(Path::new("some/data"));
        for words in ["VIOLATED: round 3", "Seed 7", "some/data"] {
            assert!(verdict.contains(words), "{verdict}");
        }
        assert_eq!(report.to_json()["held"], false);
    }
}

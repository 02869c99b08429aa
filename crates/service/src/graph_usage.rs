//! How much an app, and an app on a WABA, may call the Graph dialect per hour, and how much of it they have
//! used (Cloud API reference §6).

use core::time::Duration;

use registration::{AccountId, Timestamp, WabaId};

use crate::service::Service;
use crate::usage::Used;

/// Calls per moving hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphLimits {
    /// Of an account's app, all WABAs together.
    pub app_calls: u64,
    /// On a WABA without a registered number (documented: 200).
    pub waba_calls: u64,
    /// On a WABA with one (documented: 5 000).
    pub registered_waba_calls: u64,
}

impl Default for GraphLimits {
    fn default() -> Self {
        // Meta gives an app 200 calls per user of it and hour; a hundred users are a guess.
        Self { app_calls: 20_000, waba_calls: 200, registered_waba_calls: 5_000 }
    }
}

/// Whose calls are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GraphParty {
    /// The app of an account.
    App(AccountId),
    /// The app of an account on one of its WABAs.
    OnWaba(AccountId, WabaId),
}

/// What a party has used, in percent of what it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphUsage {
    /// Of its calls.
    pub calls: u64,
    /// Of an hour's time, spent on its calls.
    pub time: u64,
}

impl Service {
    /// Counts a call, or says when the next one may come.
    pub fn admit_graph(&self, party: &GraphParty, calls_max: u64) -> Result<(), Timestamp> {
        self.graph_calls.take(party, calls_max, self.now())
    }

    /// Adds the time that a call took.
    pub fn spend_graph(&self, party: &GraphParty, took: Duration) {
        self.graph_calls.spend(party, took, self.now());
    }

    /// What a party has used of `calls_max` calls.
    #[must_use]
    pub fn graph_usage(&self, party: &GraphParty, calls_max: u64) -> GraphUsage {
        let Used { calls, busy } = self.graph_calls.used(party, self.now());
        let hour = Duration::from_hours(1).as_micros();
        let time = u64::try_from(busy.as_micros().saturating_mul(100) / hour).unwrap_or(u64::MAX);
        GraphUsage { calls: calls.saturating_mul(100) / calls_max.max(1), time }
    }
}

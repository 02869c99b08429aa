//! What goes wrong, and how often.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chance::Chance;

/// How often each fault strikes, in a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Odds {
    /// A read or a claim of sends fails.
    pub read_fails: u64,
    /// A write fails before it took effect.
    pub write_fails_before: u64,
    /// A write fails after it took effect.
    pub write_fails_after: u64,
    /// A unit is told that another change came first, though none did.
    pub conflict: u64,
    /// The provider is unavailable.
    pub provider_unavailable: u64,
    /// The provider rejects the message.
    pub provider_rejects: u64,
    /// The provider takes the message and the acknowledgement is lost.
    pub acknowledgement_lost: u64,
    /// The provider takes longer.
    pub provider_slow: u64,
}

impl Odds {
    /// Nothing goes wrong.
    pub const CALM: Self = Self {
        read_fails: 0,
        write_fails_before: 0,
        write_fails_after: 0,
        conflict: 0,
        provider_unavailable: 0,
        provider_rejects: 0,
        acknowledgement_lost: 0,
        provider_slow: 0,
    };

    /// Everything goes wrong now and then, and most calls get through all the same.
    pub const ROUGH: Self = Self {
        read_fails: 10,
        write_fails_before: 30,
        write_fails_after: 30,
        conflict: 60,
        provider_unavailable: 120,
        provider_rejects: 30,
        acknowledgement_lost: 80,
        provider_slow: 200,
    };
}

/// The faults of a world.
#[derive(Debug)]
pub struct Faults(Mutex<(Odds, Chance)>);

impl Faults {
    /// No faults yet.
    #[must_use]
    pub const fn new(chance: Chance) -> Self {
        Self(Mutex::new((Odds::CALM, chance)))
    }

    /// Sets how often faults strike from now on.
    pub fn set(&self, odds: Odds) {
        self.lock().0 = odds;
    }

    /// Whether the fault that `which` names strikes now.
    pub fn strikes(&self, which: impl Fn(&Odds) -> u64) -> bool {
        let mut inner = self.lock();
        let per_mille = which(&inner.0);
        inner.1.happens(per_mille)
    }

    fn lock(&self) -> MutexGuard<'_, (Odds, Chance)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

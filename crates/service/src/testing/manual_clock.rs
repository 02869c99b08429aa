//! A clock that stands still until it is turned.

use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;

use registration::Timestamp;

use crate::ports::Clock;

/// A [`Clock`] that moves only when told to; shared between threads behind an `Arc`.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    /// Turns the clock to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Turns the clock forward. Two threads that advance it at once both count; it stops at the end of
    /// time.
    pub fn advance(&self, by: Duration) {
        let turned = |now| Some((Timestamp::from_millis(now) + by).as_millis());
        // The closure always answers `Some`, so the update cannot fail.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, turned);
    }
}

impl Default for ManualClock {
    /// Shows 2027-01-15T08:00:00Z, a moment without meaning.
    fn default() -> Self {
        Self::new(Timestamp::from_millis(1_800_000_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_only_when_the_clock_is_turned() {
        let clock = ManualClock::new(Timestamp::from_millis(1_000));
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now(), Timestamp::from_millis(3_000));
        clock.set(Timestamp::from_millis(7));
        assert_eq!(clock.now(), Timestamp::from_millis(7));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::from_millis(i64::MAX));
    }
}

//! The system clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use registration::Timestamp;
use service::ports::Clock;

/// The time of the operating system; never runs back while the program lives, also when the operating
/// system's clock is corrected backwards.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest_ms: AtomicI64,
}

impl SystemClock {
    /// A clock that starts at the operating system's time.
    #[must_use]
    pub const fn new() -> Self {
        Self { latest_ms: AtomicI64::new(i64::MIN) }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one adapter that asks the system for the time"
    )]
    fn now(&self) -> Timestamp {
        // A clock set before 1970 reads as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        let before_ms = self.latest_ms.fetch_max(now_ms, Ordering::Relaxed);
        Timestamp::from_millis(now_ms.max(before_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_backwards_does_not_show() {
        let clock = SystemClock::new();
        let ahead = clock.now().as_millis() + 60_000;
        clock.latest_ms.store(ahead, Ordering::Relaxed);
        assert_eq!(clock.now().as_millis(), ahead);
    }
}

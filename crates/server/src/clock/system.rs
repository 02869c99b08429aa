//! The system clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use registration::Timestamp;
use service::ports::Clock;

/// The furthest correction backwards that is not shown.
const HELD_MS: i64 = 5_000;

/// The time of the operating system. A small correction backwards does not show: time stands still until it
/// is made up for. A larger one is followed, because nothing is earned, opened or ended while time stands
/// still: an hour of that would keep out everybody who has used up an allowance.
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

    /// The time to show while the operating system's is what `read` says.
    fn shown(&self, read: impl Fn() -> i64) -> i64 {
        let now_ms = read();
        let latest_ms = self.latest_ms.fetch_max(now_ms, Ordering::Relaxed);
        if latest_ms.saturating_sub(now_ms) <= HELD_MS {
            return latest_ms.max(now_ms);
        }
        // Read once more: this thread may have been held up since it asked.
        let now_ms = read();
        if latest_ms.saturating_sub(now_ms) <= HELD_MS {
            return latest_ms.max(now_ms);
        }
        let turned = self.latest_ms.compare_exchange(
            latest_ms,
            now_ms,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if turned.is_ok() {
            let seconds = latest_ms.saturating_sub(now_ms) / 1000;
            tracing::warn!(seconds, "the system's clock was turned back");
        }
        now_ms
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.shown(system_ms))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one adapter that asks the system for the time")]
fn system_ms() -> i64 {
    // A clock set before 1970 reads as 1970.
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_small_correction_backwards_does_not_show() {
        let clock = SystemClock::new();
        assert_eq!(clock.shown(|| 10_000), 10_000);
        assert_eq!(clock.shown(|| 5_000), 10_000);
        assert_eq!(clock.shown(|| 10_001), 10_001);
    }

    #[test]
    fn time_goes_on_after_the_clock_was_turned_back_an_hour() {
        let clock = SystemClock::new();
        assert_eq!(clock.shown(|| 3_700_000), 3_700_000);
        assert_eq!(clock.shown(|| 100_000), 100_000);
        assert_eq!(clock.shown(|| 100_001), 100_001);
    }

    #[test]
    fn a_thread_that_was_held_up_does_not_turn_the_clock_back() {
        let clock = SystemClock::new();
        assert_eq!(clock.shown(|| 60_000), 60_000);
        let reads = Cell::new([100, 60_001].iter());
        let held_up = || {
            let mut left = reads.take();
            let read = left.next().copied().unwrap_or_default();
            reads.set(left);
            read
        };
        assert_eq!(clock.shown(held_up), 60_001);
        assert_eq!(clock.shown(|| 59_000), 60_000, "within what is held");
    }
}

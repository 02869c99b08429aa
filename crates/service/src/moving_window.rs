//! Exactly so many requests per moving span of time. Like [`Throttle`](crate::throttle::Throttle) it
//! protects this process and lives in its memory; unlike it, it knows no burst beyond its number: in **any**
//! span of that length at most so many requests have passed.

use core::hash::Hash;
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use registration::Timestamp;

/// Most callers remembered; beyond it those that rest are forgotten first.
const CALLERS_MAX: usize = 100_000;

/// How many requests pass in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many at most, at least 1.
    pub max: usize,
    /// In any span of this length.
    pub span: Duration,
}

/// When the latest requests of each caller passed.
#[derive(Debug)]
pub struct MovingWindow<K> {
    passed: Mutex<HashMap<K, VecDeque<Timestamp>>>,
}

impl<K> Default for MovingWindow<K> {
    fn default() -> Self {
        Self { passed: Mutex::new(HashMap::new()) }
    }
}

impl<K: Eq + Hash + Clone> MovingWindow<K> {
    /// Lets a request of `caller` pass, or says when the next one may.
    ///
    /// Fails closed: when the memory for callers is full of busy ones, a new caller waits.
    pub fn take(&self, caller: &K, rate: Rate, now: Timestamp) -> Result<(), Timestamp> {
        let mut all = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(caller) && all.len() >= CALLERS_MAX {
            all.retain(|_, passed| passed.back().is_some_and(|last| is_inside(*last, rate, now)));
            if all.len() >= CALLERS_MAX {
                return Err(now + rate.span);
            }
        }
        let passed = all.entry(caller.clone()).or_default();
        // What lies ahead is left over from before the clock was turned back: it would lock the caller out.
        passed.retain(|at| is_inside(*at, rate, now) && *at <= now);
        if let Some(oldest) = passed.front().filter(|_| passed.len() >= rate.max.max(1)) {
            return Err(*oldest + rate.span);
        }
        passed.push_back(now);
        Ok(())
    }

    /// Forgets everybody.
    pub fn clear(&self) {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn is_inside(at: Timestamp, rate: Rate, now: Timestamp) -> bool {
    now < at + rate.span
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { max: 3, span: Duration::from_secs(1) };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn the_window_moves_with_the_requests_in_it() {
        let window = MovingWindow::default();
        for (ms, answer) in [
            (0, Ok(())),
            (400, Ok(())),
            (900, Ok(())),
            (999, Err(at(1_000))),
            (1_000, Ok(())),
            (1_001, Err(at(1_400))),
            (1_400, Ok(())),
            (1_400, Err(at(1_900))),
            (9_000, Ok(())),
        ] {
            assert_eq!(window.take(&"a", RATE, at(ms)), answer, "at {ms} ms");
        }
        assert_eq!(window.take(&"b", RATE, at(1_001)), Ok(()), "callers do not share");
    }

    #[test]
    fn turning_the_clock_back_does_not_lock_a_caller_out() {
        let window = MovingWindow::default();
        while window.take(&"a", RATE, at(1_000_000)).is_ok() {}
        assert_eq!(window.take(&"a", RATE, at(0)), Ok(()));
    }

    proptest! {
        #[test]
        fn no_span_holds_more_than_its_number_and_the_announced_moment_holds(
            pauses in proptest::collection::vec(0_i64..700, 1..100),
        ) {
            let window = MovingWindow::default();
            let (mut now, mut passed) = (0, Vec::new());
            for pause in pauses {
                now += pause;
                match window.take(&(), RATE, at(now)) {
                    Ok(()) => passed.push(now),
                    Err(opens) => {
                        prop_assert!(opens > at(now) && opens <= at(now) + RATE.span);
                        now = opens.as_millis();
                        prop_assert_eq!(window.take(&(), RATE, opens), Ok(()));
                        passed.push(now);
                    }
                }
            }
            for (first, fourth) in passed.iter().zip(passed.iter().skip(RATE.max)) {
                prop_assert!(fourth - first >= 1_000);
            }
        }
    }
}

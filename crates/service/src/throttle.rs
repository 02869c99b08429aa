//! Limits on how often a caller may knock. They protect this process and live in its memory; limits
//! that must hold across restarts and nodes are [`Take`](crate::ports::Take)s inside a unit of work.

use core::hash::Hash;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use registration::Timestamp;

use crate::policy::Allowance;

/// Most callers remembered; beyond it those whose allowance is full again are forgotten first.
const CALLERS_MAX: usize = 100_000;

/// One allowance per caller, by the generic cell rate algorithm.
#[derive(Debug)]
pub struct Throttle<K> {
    arrivals: Mutex<HashMap<K, Timestamp>>,
}

impl<K> Default for Throttle<K> {
    fn default() -> Self {
        Self { arrivals: Mutex::new(HashMap::new()) }
    }
}

impl<K: Eq + Hash + Clone> Throttle<K> {
    /// Takes one request from `caller`'s allowance, or says when the next one is earned.
    ///
    /// Fails closed: when the memory for callers is full of busy ones, a new caller waits.
    pub fn take(&self, caller: &K, allowance: Allowance, now: Timestamp) -> Result<(), Timestamp> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let slack = allowance.interval * allowance.burst.saturating_sub(1);
        if let Some(arrival) = arrivals.get_mut(caller) {
            // A clock that was turned back must not lock a caller out for the difference.
            let due = (*arrival).min(now + slack + allowance.interval).max(now);
            if due.since(now) > slack {
                // Kept, or the next look would be clamped to the same distance again.
                *arrival = due;
                return Err(due - slack);
            }
            *arrival = due + allowance.interval;
            return Ok(());
        }
        if arrivals.len() >= CALLERS_MAX {
            arrivals.retain(|_, arrival| *arrival > now);
            if arrivals.len() >= CALLERS_MAX {
                return Err(now + allowance.interval);
            }
        }
        arrivals.insert(caller.clone(), now + allowance.interval);
        Ok(())
    }

    /// Forgets everybody.
    pub fn clear(&self) {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const RULE: Allowance = Allowance { burst: 3, interval: Duration::from_millis(50) };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_burst_passes_and_the_rest_waits_for_its_turn() {
        let throttle = Throttle::default();
        let passed = (0..10).filter(|_| throttle.take(&"a", RULE, at(0)).is_ok()).count();
        assert_eq!(passed, 3);
        assert_eq!(throttle.take(&"a", RULE, at(0)), Err(at(50)));
        assert_eq!(throttle.take(&"b", RULE, at(0)), Ok(()), "callers do not share");
        assert_eq!(throttle.take(&"a", RULE, at(50)), Ok(()));
        assert_eq!(throttle.take(&"a", RULE, at(50)), Err(at(100)));
    }

    #[test]
    fn turning_the_clock_back_does_not_lock_a_caller_out() {
        let throttle = Throttle::default();
        while throttle.take(&"a", RULE, at(1_000_000)).is_ok() {}
        let opens = throttle.take(&"a", RULE, at(0)).expect_err("still at its limit");
        assert!(opens <= at(50), "{opens:?}");
        assert_eq!(throttle.take(&"a", RULE, at(50)), Ok(()));
    }
}

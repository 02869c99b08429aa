//! Calls and time of the last hour, per caller: what throttle headers of Graph report, and what its hourly
//! limits count. In this process's memory, by the minute; limits of the rules are elsewhere.

use core::hash::Hash;
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use registration::Timestamp;

/// Most callers remembered; beyond it those that rest are forgotten first.
const CALLERS_MAX: usize = 100_000;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What a caller has used in the last hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Calls let through.
    pub calls: u64,
    /// Time spent on them.
    pub busy: Duration,
}

/// The minutes of the last hour, per caller.
#[derive(Debug)]
pub struct HourlyUsage<K> {
    callers: Mutex<HashMap<K, VecDeque<Minute>>>,
}

#[derive(Debug, Clone, Copy)]
struct Minute {
    begins: i64,
    used: Used,
}

impl<K> Default for HourlyUsage<K> {
    fn default() -> Self {
        Self { callers: Mutex::new(HashMap::new()) }
    }
}

impl<K: Eq + Hash + Clone> HourlyUsage<K> {
    /// Counts a call of `caller`, or says when the next one may come. A call that is not let through is
    /// not counted.
    ///
    /// Fails closed: when the memory for callers is full of busy ones, a new caller waits.
    pub fn take(&self, caller: &K, calls_max: u64, now: Timestamp) -> Result<(), Timestamp> {
        let now = now.as_millis();
        let mut all = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(caller) && all.len() >= CALLERS_MAX {
            all.retain(|_, minutes| minutes.back().is_some_and(|last| is_inside(last, now)));
            if all.len() >= CALLERS_MAX {
                return Err(Timestamp::from_millis(now + MINUTE));
            }
        }
        let minutes = all.entry(caller.clone()).or_default();
        minutes.retain(|minute| is_inside(minute, now));
        let mut calls: u64 = minutes.iter().map(|minute| minute.used.calls).sum();
        if calls < calls_max.max(1) {
            current(minutes, now).used.calls += 1;
            return Ok(());
        }
        for minute in minutes.iter() {
            calls -= minute.used.calls;
            if calls < calls_max.max(1) {
                return Err(Timestamp::from_millis(minute.begins + HOUR));
            }
        }
        Err(Timestamp::from_millis(now + HOUR))
    }

    /// Adds the time that a call took.
    pub fn spend(&self, caller: &K, took: Duration, now: Timestamp) {
        let mut all = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(minutes) = all.get_mut(caller) {
            current(minutes, now.as_millis()).used.busy += took;
        }
    }

    /// What `caller` has used in the last hour.
    pub fn used(&self, caller: &K, now: Timestamp) -> Used {
        let all = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let minutes = all.get(caller).into_iter().flatten();
        let inside = minutes.filter(|minute| is_inside(minute, now.as_millis()));
        inside.fold(Used::default(), |sum, minute| Used {
            calls: sum.calls + minute.used.calls,
            busy: sum.busy + minute.used.busy,
        })
    }

    /// Forgets everybody.
    pub fn clear(&self) {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The minute of this moment, made if it is a new one.
fn current(minutes: &mut VecDeque<Minute>, now: i64) -> &mut Minute {
    let begins = now.div_euclid(MINUTE) * MINUTE;
    let at = minutes.iter().rposition(|minute| minute.begins == begins).unwrap_or_else(|| {
        minutes.push_back(Minute { begins, used: Used::default() });
        minutes.len() - 1
    });
    &mut minutes[at]
}

/// What lies ahead is left over from before the clock was turned back: it would lock the caller out.
fn is_inside(minute: &Minute, now: i64) -> bool {
    minute.begins <= now && now < minute.begins + HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64, ms: i64) -> Timestamp {
        Timestamp::from_millis(minute * MINUTE + ms)
    }

    #[test]
    fn an_hour_holds_so_many_calls_and_says_when_it_opens() {
        let usage = HourlyUsage::default();
        for minute in [0, 0, 30] {
            assert_eq!(usage.take(&"a", 3, at(minute, 5)), Ok(()));
        }
        assert_eq!(usage.take(&"a", 3, at(59, 59_999)), Err(at(60, 0)));
        assert_eq!(usage.take(&"b", 3, at(59, 0)), Ok(()), "callers do not share");
        assert_eq!(usage.used(&"a", at(59, 0)).calls, 3, "a refused call is not counted");
        assert_eq!(usage.take(&"a", 3, at(60, 0)), Ok(()));
        assert_eq!(usage.take(&"a", 3, at(60, 1)), Ok(()));
        assert_eq!(usage.take(&"a", 3, at(61, 0)), Err(at(90, 0)));
    }

    #[test]
    fn time_is_added_to_the_calls_of_its_caller() {
        let usage = HourlyUsage::default();
        assert_eq!(usage.take(&"a", 9, at(0, 0)), Ok(()));
        usage.spend(&"a", Duration::from_millis(7), at(0, 7));
        usage.spend(&"nobody", Duration::from_millis(7), at(0, 7));
        assert_eq!(usage.used(&"a", at(1, 0)), Used { calls: 1, busy: Duration::from_millis(7) });
        assert_eq!(usage.used(&"a", at(60, 0)), Used::default());
        assert_eq!(usage.used(&"nobody", at(0, 8)), Used::default());
    }

    #[test]
    fn turning_the_clock_back_does_not_lock_a_caller_out() {
        let usage = HourlyUsage::default();
        while usage.take(&"a", 5, at(9_000, 0)).is_ok() {}
        assert_eq!(usage.take(&"a", 5, at(10, 0)), Ok(()));
        assert_eq!(usage.used(&"a", at(10, 0)).calls, 1);
    }
}

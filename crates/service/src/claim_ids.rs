//! Ids of claims, in order of time.
//!
//! Claims are stored by their ids. At random, the claims of one commit would lie on as many pages as there are of
//! them (measured: 29 of the 61 pages that a commit of sixteen registrations wrote); in order, they share a few. They
//! are no secrets: whoever names one must own it.

use std::sync::{Mutex, PoisonError};

use registration::{PhoneNumberId, TextId as _, Timestamp};

/// Ids have fifteen decimal digits, as those that Meta gives to its nodes.
const FIRST: u64 = 100_000_000_000_000;
const END: u64 = 1_000_000_000_000_000;

/// Ids of one millisecond; those of the next lie behind them. They last until 2091 and begin anew then.
const PER_MILLISECOND: u64 = 400;

/// 2020-01-01, in milliseconds since the Unix epoch.
const SINCE: i64 = 1_577_836_800_000;

/// Two ids are at most so far apart if both are of one millisecond.
const GAP_MAX: u64 = 16;

/// Gives ids, each above all before.
#[derive(Default)]
pub(crate) struct ClaimIds {
    last: Mutex<u64>,
}

impl ClaimIds {
    /// The next id. Another process, or this one after its clock was turned back over a restart, gives the same one
    /// with a chance of one in 400 if it gives any in this millisecond; the store refuses it then.
    pub(crate) fn next(&self, now: Timestamp, chance: u32) -> PhoneNumberId {
        let chance = u64::from(chance);
        let elapsed = u64::try_from(now.as_millis().saturating_sub(SINCE)).unwrap_or(0);
        let of_now = elapsed.saturating_mul(PER_MILLISECOND) % (END - FIRST) + FIRST;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // Above the last one also where the clock stands or was turned back.
            let above_last = *last + 1 + chance / PER_MILLISECOND % GAP_MAX;
            *last = (of_now + chance % PER_MILLISECOND).max(above_last);
            if *last >= END {
                *last = FIRST;
            }
            // Fifteen digits always have the form of an identifier; the loop ends at its first turn.
            if let Some(id) = PhoneNumberId::parse(&last.to_string()) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn ids_grow_also_where_the_clock_stands_or_is_turned_back() {
        let ids = ClaimIds::default();
        let mut before = String::new();
        let clock = [0, 0, 5, -3, 1_000_000, 999_999, -86_400_000, 1_000_001];
        for (turn, offset) in clock.iter().cycle().take(10_000).enumerate() {
            let chance = u32::try_from(turn).expect("small").wrapping_mul(2_654_435_761);
            let id = ids.next(at(1_800_000_000_000 + offset), chance).to_string();
            assert_eq!(id.len(), 15, "{id}");
            assert!(id > before, "{id} after {before}");
            before = id;
        }
    }

    #[test]
    fn ids_have_fifteen_digits_in_any_year() {
        for millis in [i64::MIN, -1, 0, SINCE, 1_800_000_000_000, 3_900_000_000_000, i64::MAX] {
            let ids = ClaimIds::default();
            for chance in [0, 399, 400, u32::MAX] {
                assert_eq!(ids.next(at(millis), chance).to_string().len(), 15, "{millis} {chance}");
            }
        }
    }

    #[test]
    fn two_processes_rarely_give_the_same_id() {
        let (one, other) = (ClaimIds::default(), ClaimIds::default());
        let same = (0..10_000_u32).filter(|turn| {
            let now = at(1_800_000_000_000 + i64::from(*turn));
            let chance = turn.wrapping_mul(2_654_435_761);
            one.next(now, chance) == other.next(now, chance.rotate_left(13))
        });
        assert!(same.count() < 100);
    }
}

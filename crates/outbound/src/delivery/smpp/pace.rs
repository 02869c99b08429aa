//! How fast to submit: a steady rate, and rest when the SMSC asks for it.

use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// Rest after the first throttling answer; doubled with each further one.
const REST_FIRST: Duration = Duration::from_secs(1);

/// Longest rest.
const REST_MAX: Duration = Duration::from_secs(30);

/// Longest wait for one's turn; who would wait longer is told to come back.
const TURN_MAX: Duration = Duration::from_secs(1);

/// Gives turns.
pub(super) struct Pace {
    /// Time between two submits; zero: as fast as the window allows.
    interval: Duration,
    state: Mutex<State>,
}

struct State {
    next: Instant,
    resting_until: Instant,
    rest: Duration,
}

impl Pace {
    pub(super) fn new(per_second: Option<u32>) -> Self {
        let interval =
            per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.max(1));
        let now = Instant::now();
        let state = State { next: now, resting_until: now, rest: REST_FIRST };
        Self { interval, state: Mutex::new(state) }
    }

    /// When it is the caller's turn, soon; otherwise how long to stay away.
    pub(super) fn turn(&self, now: Instant) -> Result<Instant, Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.resting_until {
            return Err(state.resting_until - now);
        }
        let turn = state.next.max(now);
        if turn > now + TURN_MAX {
            return Err(turn - now);
        }
        state.next = turn + self.interval;
        Ok(turn)
    }

    /// The SMSC asked for less; how long it is left alone.
    pub(super) fn throttled(&self, now: Instant) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A window full of submits is throttled at once; that is one sign, not fifty.
        if now >= state.resting_until {
            state.resting_until = now + state.rest;
            state.rest = (state.rest * 2).min(REST_MAX);
        }
        state.resting_until - now
    }

    /// The SMSC took one.
    pub(super) fn taken(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).rest = REST_FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rate_spreads_turns_and_sends_the_rest_away() {
        let pace = Pace::new(Some(10));
        let now = Instant::now();
        let turns: Vec<_> = (0..12).map(|_| pace.turn(now).map(|turn| turn - now)).collect();
        for (place, turn) in turns[..11].iter().enumerate() {
            assert_eq!(*turn, Ok(Duration::from_millis(100) * u32::try_from(place).expect("few")));
        }
        assert_eq!(turns[11], Err(Duration::from_millis(1100)));
        assert_eq!(pace.turn(now + Duration::from_secs(2)), Ok(now + Duration::from_secs(2)));
    }

    #[tokio::test]
    async fn throttling_rests_longer_each_time_until_one_is_taken() {
        let pace = Pace::new(None);
        let mut now = Instant::now();
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            let rest = Duration::from_secs(seconds);
            assert_eq!(pace.throttled(now), rest);
            assert_eq!(pace.throttled(now), rest, "one window, one sign");
            assert_eq!(pace.turn(now), Err(rest));
            now += rest;
            assert_eq!(pace.turn(now), Ok(now));
        }
        pace.taken();
        assert_eq!(pace.throttled(now), REST_FIRST);
    }
}

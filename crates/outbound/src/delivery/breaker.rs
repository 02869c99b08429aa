//! When to leave a sender alone.

use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// Longest rest that a provider can ask for, lest one odd answer silences it for a day.
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// Longest rest of one that fails: a code lives ten minutes, and those that wait for this sender alone are
/// lost if nobody notices that it is back.
const REST_MAX: Duration = Duration::from_mins(1);

/// How a breaker decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerOptions {
    /// Failures in a row after which a sender rests.
    pub failures: u32,
    /// How long it rests; doubled each time that the probe afterwards fails, up to a minute.
    pub rest: Duration,
}

impl Default for BreakerOptions {
    /// Five failures, ten seconds: a restart of a provider passes unnoticed, an outage costs a probe in
    /// ten seconds and later one in a minute.
    fn default() -> Self {
        Self { failures: 5, rest: Duration::from_secs(10) }
    }
}

/// A circuit breaker: closed while a sender works, open while it rests, and half open while one message
/// finds out whether it works again.
#[derive(Debug)]
pub(super) struct Breaker {
    options: BreakerOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures_in_a_row: u32,
    rests: u32,
    /// Set while open or half open.
    rests_until: Option<Instant>,
    probing: bool,
    /// The provider asked to be left alone; says nothing about its health.
    paused_until: Option<Instant>,
}

/// Whether a sender may be asked now.
#[derive(Debug)]
pub(super) enum Admission<'a> {
    Open(Turn<'a>),
    Resting { wait: Duration },
}

/// A message's turn at a sender; dropped without a verdict it leaves the breaker as it was.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    breaker: &'a Breaker,
    probe: bool,
}

/// What a breaker shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Takes messages.
    Working,
    /// Asked to be left alone for so long.
    Paused(Duration),
    /// Failed too often; rests for so long.
    Resting(Duration),
    /// One message finds out whether it works again.
    Probing,
}

impl Breaker {
    pub(super) fn new(options: BreakerOptions) -> Self {
        Self { options, state: Mutex::default() }
    }

    pub(super) fn admit(&self) -> Admission<'_> {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(until) = state.paused_until.filter(|until| *until > now) {
            return Admission::Resting { wait: until - now };
        }
        let Some(until) = state.rests_until else {
            return Admission::Open(Turn { breaker: self, probe: false });
        };
        if until > now {
            return Admission::Resting { wait: until - now };
        }
        if state.probing {
            // The probe's answer is seconds away.
            return Admission::Resting { wait: Duration::from_secs(1) };
        }
        state.probing = true;
        Admission::Open(Turn { breaker: self, probe: true })
    }

    pub(super) fn health(&self) -> Health {
        let now = Instant::now();
        let state = self.state();
        match (state.paused_until.filter(|it| *it > now), state.rests_until) {
            (Some(until), _) => Health::Paused(until - now),
            (None, None) => Health::Working,
            (None, Some(until)) if until > now => Health::Resting(until - now),
            (None, Some(_)) => Health::Probing,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The provider answered, whether it took the message or not.
    pub(super) fn answered(self) {
        let mut state = self.breaker.state();
        *state =
            State { paused_until: state.paused_until, probing: state.probing, ..State::default() };
    }

    /// It is healthy and wants to be left alone.
    pub(super) fn paused(self, wait: Duration) {
        let mut state = self.breaker.state();
        state.paused_until = Some(Instant::now() + wait.min(PAUSE_MAX));
    }

    /// It could not be reached, or did not answer.
    pub(super) fn failed(self) {
        let options = self.breaker.options;
        let mut state = self.breaker.state();
        state.failures_in_a_row = state.failures_in_a_row.saturating_add(1);
        // Messages that were under way when it opened say nothing new.
        let opens = state.rests_until.is_none() && state.failures_in_a_row >= options.failures;
        if self.probe || opens {
            let rest = options.rest.saturating_mul(1 << state.rests.min(16)).min(REST_MAX);
            state.rests =
                if self.probe { state.rests.saturating_add(1) } else { state.rests.max(1) };
            state.rests_until = Some(Instant::now() + rest);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.state().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn turn(breaker: &Breaker) -> Option<Turn<'_>> {
        match breaker.admit() {
            Admission::Open(turn) => Some(turn),
            Admission::Resting { .. } => None,
        }
    }

    fn breaker() -> Breaker {
        Breaker::new(BreakerOptions { failures: 3, rest: 10 * SECOND })
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_and_one_probe_at_a_time_closes_it() {
        let breaker = breaker();
        for failed in [true, true, false, true, true, true] {
            let turn = turn(&breaker).expect("closed");
            if failed { turn.failed() } else { turn.answered() }
        }
        assert!(turn(&breaker).is_none(), "three in a row");
        assert_eq!(breaker.health(), Health::Resting(10 * SECOND));
        tokio::time::advance(10 * SECOND).await;
        let probe = turn(&breaker).expect("half open");
        assert!(turn(&breaker).is_none(), "one probe at a time");
        assert_eq!(breaker.health(), Health::Probing);
        probe.answered();
        assert_eq!(breaker.health(), Health::Working);
        assert!(turn(&breaker).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn each_failed_probe_doubles_the_rest_up_to_a_minute() {
        let breaker = breaker();
        for _ in 0..3 {
            turn(&breaker).expect("closed").failed();
        }
        for seconds in [10, 20, 40, 60, 60] {
            assert_eq!(breaker.health(), Health::Resting(seconds * SECOND));
            tokio::time::advance(seconds * SECOND).await;
            turn(&breaker).expect("half open").failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_dropped_lets_the_next_one_try() {
        let breaker = breaker();
        for _ in 0..3 {
            turn(&breaker).expect("closed").failed();
        }
        tokio::time::advance(10 * SECOND).await;
        drop(turn(&breaker).expect("half open"));
        assert!(turn(&breaker).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_asks_for_a_pause_gets_it_and_is_no_failure() {
        let breaker = breaker();
        turn(&breaker).expect("closed").paused(7 * SECOND);
        assert!(matches!(breaker.admit(), Admission::Resting { wait } if wait == 7 * SECOND));
        tokio::time::advance(7 * SECOND).await;
        turn(&breaker).expect("over").paused(Duration::from_hours(24));
        assert_eq!(breaker.health(), Health::Paused(PAUSE_MAX), "but not for a day");
    }
}

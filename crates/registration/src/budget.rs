//! What a number may still spend. Budgets belong to the number, whoever claims it.
//!
//! All of them ask how long ago something was ([`Timestamp::since`]), never whether a sum lies ahead: at
//! the end of time, where sums saturate, a spent budget stays spent; and an event that a clock turned
//! back left in the future happened just now.

use core::time::Duration;

use crate::Timestamp;

/// Steps taken on a ladder of growing waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ladder {
    /// Steps taken since `first_at`.
    pub taken: u32,
    /// When the first step was taken.
    pub first_at: Timestamp,
    /// When the latest step was taken.
    pub last_at: Timestamp,
}

/// Where somebody stands on a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rung {
    /// The next step may be taken now.
    Open,
    /// The next step may be taken then.
    Wait(Timestamp),
    /// No step is left; the ladder starts again then.
    Exhausted(Timestamp),
}

impl Ladder {
    /// The ladder as it is at `now`: empty again `restart` after its first step.
    #[must_use]
    pub fn at(self, now: Timestamp, restart: Duration) -> Self {
        if self.taken > 0 && now.since(self.first_at) >= restart { Self::default() } else { self }
    }

    /// Whether the next step is open, `waits[n]` being the pause before step `n` counted from the step
    /// before. The first step is always open here; a caller with another rule asks it separately.
    pub(crate) fn rung(self, now: Timestamp, waits: &[Duration], restart: Duration) -> Rung {
        let ladder = self.at(now, restart);
        if ladder.taken == 0 {
            return if waits.is_empty() { Rung::Exhausted(now + restart) } else { Rung::Open };
        }
        let Some(wait) = waits.get(ladder.taken as usize) else {
            return Rung::Exhausted(ladder.first_at + restart);
        };
        if now.since(ladder.last_at) >= *wait {
            return Rung::Open;
        }
        Rung::Wait((ladder.last_at + *wait).min(ladder.first_at + restart))
    }

    pub(crate) fn step(&mut self, now: Timestamp, restart: Duration) {
        let mut ladder = self.at(now, restart);
        if ladder.taken == 0 {
            ladder.first_at = now;
        }
        ladder.taken = ladder.taken.saturating_add(1);
        ladder.last_at = now;
        *self = ladder;
    }

    /// Takes back the step made at `taken_at`; `false` if the ladder has started again since, so that
    /// there is nothing to give back. Pauses still count from the latest step.
    pub(crate) fn give_back(
        &mut self,
        now: Timestamp,
        taken_at: Timestamp,
        restart: Duration,
    ) -> bool {
        let ladder = self.at(now, restart);
        if ladder.taken == 0 || taken_at < ladder.first_at || taken_at > ladder.last_at {
            return false;
        }
        let left = ladder.taken - 1;
        *self = if left == 0 { Self::default() } else { Self { taken: left, ..ladder } };
        true
    }
}

/// The times of recent events, oldest first, for "at most N in a moving window".
///
/// Keeps only what can still count, so its size is bounded by the limit it is used with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window(pub Vec<Timestamp>);

impl Window {
    /// When one more event is allowed: `None` means now.
    #[must_use]
    pub fn opens_at(&self, now: Timestamp, max: usize, window: Duration) -> Option<Timestamp> {
        let live = || self.0.iter().copied().filter(|at| now.since(*at) < window);
        let count = live().count();
        if count < max {
            return None;
        }
        // The window opens when enough of the oldest events have left it.
        live().nth(count - max).map_or(Some(now + window), |at| Some(at + window))
    }

    /// Events that still count at `now`.
    #[must_use]
    pub fn used(&self, now: Timestamp, window: Duration) -> usize {
        self.0.iter().filter(|at| now.since(**at) < window).count()
    }

    pub(crate) fn push(&mut self, now: Timestamp, window: Duration) {
        self.0.retain(|at| now.since(*at) < window);
        // In order even after the clock was turned back: `opens_at` reads the oldest first.
        let place = self.0.partition_point(|at| *at <= now);
        self.0.insert(place, now);
    }
}

/// Wrong PINs since the last right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PinBudget {
    /// Wrong PINs since the last right one.
    pub failures: u32,
    /// When the latest wrong PIN was tried.
    pub last_failure_at: Timestamp,
}

impl PinBudget {
    /// When the next try is allowed: `None` means now.
    #[must_use]
    pub fn opens_at(self, now: Timestamp, failures_max: u32, lock: Duration) -> Option<Timestamp> {
        let closed = self.failures >= failures_max && now.since(self.last_failure_at) < lock;
        closed.then_some(self.last_failure_at + lock)
    }
}

/// All budgets of one number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Budgets {
    /// SMS sent.
    pub sms: Ladder,
    /// Voice calls placed.
    pub voice: Ladder,
    /// Wrong guesses in the moving window.
    pub failed_guesses: Window,
    /// Wrong guesses since the last right one.
    pub failed_in_a_row: u32,
    /// Locked until an operator unlocks it; since when.
    pub locked_since: Option<Timestamp>,
    /// Register calls in the moving window.
    pub register_calls: Window,
    /// Deregister calls in the moving window.
    pub deregister_calls: Window,
    /// Wrong PINs.
    pub pin: PinBudget,
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_ladder_opens_step_by_step_and_starts_again_after_a_day() {
        let waits = [0, 60, 120].map(Duration::from_secs);
        let restart = Duration::from_hours(24);
        let mut ladder = Ladder::default();
        assert_eq!(ladder.rung(at(0), &waits, restart), Rung::Open);
        ladder.step(at(0), restart);
        assert_eq!(ladder.rung(at(59), &waits, restart), Rung::Wait(at(60)));
        assert_eq!(ladder.rung(at(60), &waits, restart), Rung::Open);
        ladder.step(at(60), restart);
        assert_eq!(ladder.rung(at(179), &waits, restart), Rung::Wait(at(180)));
        ladder.step(at(180), restart);
        assert_eq!(ladder.rung(at(9999), &waits, restart), Rung::Exhausted(at(86_400)));
        assert_eq!(ladder.rung(at(86_400), &waits, restart), Rung::Open);
    }

    #[test]
    fn a_window_opens_when_its_oldest_event_leaves() {
        let day = Duration::from_hours(24);
        let mut window = Window::default();
        window.push(at(0), day);
        window.push(at(10), day);
        assert_eq!(window.opens_at(at(20), 3, day), None);
        assert_eq!(window.opens_at(at(20), 2, day), Some(at(86_400)));
        assert_eq!(window.opens_at(at(86_400), 2, day), None);
        window.push(at(86_400), day);
        assert_eq!(window.0, [at(10), at(86_400)]);
    }
}

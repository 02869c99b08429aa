//! Books on what a number has spent: sends, guesses, register and deregister calls.
//!
//! An event counts until the clock has been seen to reach its end. Where the clock only runs forward
//! that is the moving window in the plain sense.

use core::time::Duration;

use registration::{Accepted, CodeMethod, Command, Effect, Fact, Refusal, Timestamp};

use super::{Step, elapsed_ms, ms};

#[derive(Default)]
pub(super) struct Budgets {
    sms: Sends,
    calls: Sends,
    register_calls: Window,
    deregister_calls: Window,
    failed_guesses: Window,
    failed_in_a_row: u32,
    locked: bool,
}

impl Budgets {
    pub(super) fn see(&mut self, step: &Step) {
        self.sends(step);
        self.guesses(step);
        self.holder_calls(step);
    }

    fn sends(&mut self, step: &Step) {
        for Effect::SendCode(send) in &step.decision.effects {
            assert!(!self.locked, "a locked number sends nothing");
            let (sends, waits) = match send.method {
                CodeMethod::Sms => (&mut self.sms, &step.limits.sms_waits),
                CodeMethod::Voice => (&mut self.calls, &step.limits.voice_waits),
            };
            sends.add(step.now, waits, step.limits.ladder_restart);
        }
    }

    fn guesses(&mut self, step: &Step) {
        if step.decision.facts.contains(&Fact::CodeConfirmed) {
            assert!(!self.locked, "a locked number takes no code");
            self.failed_in_a_row = 0;
        }
        if matches!(step.command, Command::Unlock) {
            self.failed_in_a_row = 0;
            self.locked = false;
        }
        if let Err(Refusal::CodeMismatch { .. }) = step.decision.outcome {
            assert!(!self.locked, "a locked number takes no guess");
            let (max, window) = (step.limits.failed_guesses_max, step.limits.failed_guesses_window);
            self.failed_guesses.add(step.now, max, window);
            self.failed_in_a_row += 1;
            self.locked = self.failed_in_a_row >= step.limits.failed_in_a_row_max;
        }
        assert_eq!(step.decision.next.budgets.locked_since.is_some(), self.locked);
    }

    fn holder_calls(&mut self, step: &Step) {
        let (max, window) = (step.limits.register_calls_max, step.limits.register_window);
        match (&step.decision.outcome, step.command) {
            (Ok(Accepted::Registered(_)), _)
            | (Ok(Accepted::AlreadyRegistered(_)), Command::Register(_)) => {
                self.register_calls.add(step.now, max, window);
            }
            (Ok(Accepted::Deregistered), Command::Deregister { waba: Some(_) }) => {
                self.deregister_calls.add(step.now, max, window);
            }
            _ => {}
        }
    }
}

/// Sends by one channel since the ladder began.
#[derive(Default)]
struct Sends(Vec<Timestamp>);

impl Sends {
    fn add(&mut self, now: Timestamp, waits: &[Duration], restart: Duration) {
        if self.0.first().is_some_and(|first| elapsed_ms(*first, now) >= ms(restart)) {
            self.0.clear();
        }
        assert!(self.0.len() < waits.len(), "{now:?} after {:?}", self.0);
        if let Some(last) = self.0.last() {
            let wait = ms(waits[self.0.len()]);
            assert!(wait == 0 || elapsed_ms(*last, now) >= wait, "{now:?} after {:?}", self.0);
        }
        self.0.push(now);
    }
}

/// Events that still count.
#[derive(Default)]
struct Window(Vec<Timestamp>);

impl Window {
    fn add(&mut self, now: Timestamp, max: usize, window: Duration) {
        self.0.retain(|at| elapsed_ms(*at, now) < ms(window));
        self.0.push(now);
        assert!(self.0.len() <= max, "{:?}", self.0);
    }
}

//! How far an import is: a bar with rate and time left on a terminal, a line now and then elsewhere.

use core::cell::{Cell, RefCell};
use core::fmt::Write as _;
use core::time::Duration;
use std::io::{self, IsTerminal as _};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tokio::time::Instant;

use super::journal::Outcome;

/// Pause between two lines where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How far an import is, for people, on standard error.
pub(super) struct Progress {
    bar: ProgressBar,
    form: Form,
    begun: Instant,
    last_line: Cell<Instant>,
    counts: RefCell<Counts>,
    /// What rows wait for that a rule makes wait, and how many.
    waits: RefCell<Vec<Wait>>,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A bar that is redrawn.
    Bar,
    /// A line now and then.
    Lines,
    /// Somebody is asked for each row: the questions tell.
    Questions,
    /// Not at all: a program reads the end.
    Nothing,
}

impl Form {
    /// The form for whoever is there; `quiet` if only the end counts, `asked` if codes are typed in.
    pub(super) fn of(quiet: bool, asked: bool) -> Self {
        match (quiet, asked, io::stderr().is_terminal()) {
            (_, true, _) => Self::Questions,
            (true, false, _) => Self::Nothing,
            (false, false, true) => Self::Bar,
            (false, false, false) => Self::Lines,
        }
    }
}

/// How many rows ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) done: u64,
    pub(super) refused: u64,
    pub(super) postponed: u64,
    pub(super) failed: u64,
}

impl Counts {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Registered | Outcome::AlreadyRegistered => self.done += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Postponed => self.postponed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Interrupted | Outcome::NotReached => {}
        }
    }

    const fn ended(self) -> u64 {
        self.done + self.refused + self.postponed + self.failed
    }

    /// Those that did not succeed, in words: `, 2 refused, 1 failed`.
    fn trouble(self) -> String {
        let words =
            [(self.refused, "refused"), (self.postponed, "postponed"), (self.failed, "failed")];
        let mut text = String::new();
        for (count, word) in words.iter().filter(|(count, _)| *count > 0) {
            // Writing into a String cannot fail.
            let _ = write!(text, ", {count} {word}");
        }
        text
    }
}

/// A wait that a rule makes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wait {
    why: String,
    until: String,
    rows: usize,
}

impl Progress {
    /// Begins with `before` of `total` rows done in earlier runs.
    pub(super) fn begin(total: u64, before: u64, form: Form) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(total).with_position(before);
        bar.set_draw_target(if form == Form::Bar {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        let style = "{bar:24} {human_pos}/{human_len}  {rate}/s, {eta} left{msg}";
        let rate = |state: &ProgressState, text: &mut dyn core::fmt::Write| {
            // Writing into the bar's text cannot fail.
            let _ = write!(text, "{:.1}", state.per_sec());
        };
        bar.set_style(ProgressStyle::with_template(style)?.with_key("rate", rate));
        bar.reset_eta();
        let now = Instant::now();
        Ok(Self {
            bar,
            form,
            begun: now,
            last_line: Cell::new(now),
            counts: RefCell::new(Counts { done: before, ..Counts::default() }),
            waits: RefCell::default(),
        })
    }

    /// A row has ended.
    pub(super) fn ended(&self, outcome: Outcome) {
        self.counts.borrow_mut().count(outcome);
        self.bar.set_position(self.counts.borrow().ended());
        self.update();
    }

    /// A row waits because a rule says so; [`Progress::wait_is_over`] ends it.
    pub(super) fn waits(&self, why: &str, until: &str) {
        let mut waits = self.waits.borrow_mut();
        let known = waits.iter_mut().find(|wait| wait.why == why);
        let is_first = known.is_none();
        if let Some(wait) = known {
            wait.rows += 1;
            until.clone_into(&mut wait.until);
        } else {
            waits.push(Wait { why: why.to_owned(), until: until.to_owned(), rows: 1 });
        }
        drop(waits);
        // The first of its kind is told at once where nobody sees the bar.
        if is_first && self.form != Form::Bar {
            self.say(&format!("waiting: {why}, until {until}"));
        }
        self.update();
    }

    /// The wait of a row is over.
    pub(super) fn wait_is_over(&self, why: &str) {
        let mut waits = self.waits.borrow_mut();
        if let Some(wait) = waits.iter_mut().find(|wait| wait.why == why) {
            wait.rows -= 1;
        }
        drop(waits);
        self.update();
    }

    /// A line of its own, beside the bar.
    pub(super) fn say(&self, line: &str) {
        if self.form != Form::Nothing {
            self.bar.suspend(|| eprintln!("{line}"));
        }
    }

    /// A question: the answer stands behind it. Shown to whoever is asked, quiet or not.
    pub(super) fn say_without_end(&self, question: &str) {
        let total = self.bar.length().unwrap_or_default();
        eprint!("[{}/{total}] {question}", self.counts.borrow().ended() + 1);
        // If nobody sees it, nobody answers, and the row ends for want of a code.
        _ = io::Write::flush(&mut io::stderr());
    }

    /// Ends the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Since the beginning of this run.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn update(&self) {
        let waits = self.waits.borrow();
        let waiting: Vec<String> = waits
            .iter()
            .filter(|wait| wait.rows > 0)
            .map(|wait| format!("{} waiting: {}, until {}", wait.rows, wait.why, wait.until))
            .collect();
        let separator = if waiting.is_empty() { "" } else { "; " };
        let trouble = self.counts.borrow().trouble();
        self.bar.set_message(format!("{trouble}{separator}{}", waiting.join("; ")));
        if self.form == Form::Lines && self.last_line.get().elapsed() >= LINE_EVERY {
            self.last_line.set(Instant::now());
            let counts = *self.counts.borrow();
            let total = self.bar.length().unwrap_or_default();
            self.say(&format!(
                "{}/{total}, {:.1}/s, {} left{}",
                counts.ended(),
                self.bar.per_sec(),
                HumanDuration(self.bar.eta()),
                self.bar.message(),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_how_they_ended() {
        let progress = Progress::begin(10, 3, Form::Nothing).unwrap();
        for outcome in [Outcome::Registered, Outcome::Refused, Outcome::Failed, Outcome::Failed] {
            progress.ended(outcome);
        }
        progress.ended(Outcome::Interrupted);
        let expected = Counts { done: 4, refused: 1, postponed: 0, failed: 2 };
        assert_eq!(*progress.counts.borrow(), expected);
        assert_eq!(progress.bar.position(), 7);
        progress.waits("country-limit", "08:01:00");
        progress.waits("country-limit", "08:02:00");
        let message = ", 1 refused, 2 failed; 2 waiting: country-limit, until 08:02:00";
        assert_eq!(progress.bar.message(), message);
        progress.wait_is_over("country-limit");
        progress.wait_is_over("country-limit");
        assert_eq!(progress.bar.message(), ", 1 refused, 2 failed");
    }
}

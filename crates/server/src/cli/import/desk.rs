//! What the rows of a run share: the server, waits that rules make, outages, the wish to stop.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::HashMap;
use std::rc::Rc;

use registration::Timestamp;
use serde_json::{Value, json};
use service::ports::Clock as _;
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::client::{Client, Failure};
use super::super::output::{View, text};
use super::check::Row;
use super::codes::Codes;
use super::journal::{Ending, Entry, Journal, Outcome, What};
use super::progress::Progress;
use crate::clock::SystemClock;

/// First pause after an answer that did not come; doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often the clock of a sandbox is looked at during a wait: somebody may turn it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How a run behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    /// Longest wait that a rule may ask for; rows that would wait longer are postponed.
    pub(super) max_wait: Duration,
    /// How long a row waits for its code.
    pub(super) code_timeout: Duration,
    /// How long the server may be gone before the run is given up.
    pub(super) patience: Duration,
    /// Whether a number may be taken from whoever holds it.
    pub(super) take_over: bool,
}

/// What the rows of a run share.
pub(super) struct Desk<'a> {
    pub(super) client: &'a Client,
    pub(super) journal: &'a Journal,
    pub(super) codes: &'a Codes<'a>,
    pub(super) progress: &'a Progress,
    pub(super) view: &'a View,
    pub(super) behaviour: Behaviour,
    /// Whether the server's clock can be turned.
    pub(super) sandbox: bool,
    stopping: watch::Sender<bool>,
    /// Since when no answer has come.
    gone_since: Cell<Option<Instant>>,
    /// Why the run cannot go on.
    broken: RefCell<Option<anyhow::Error>>,
    /// Countries that take one order at a time, because a rule said no once.
    lanes: RefCell<HashMap<Lane, Rc<tokio::sync::Mutex<()>>>>,
}

/// What shares an allowance of sends: a country and who pays.
type Lane = (u16, String);

/// Why an order was not carried out.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It may have been: the answer is missing, or says to ask again.
    Lost,
    /// A rule says: not yet.
    NotYet(Value),
    /// It is refused or wrong, and stays so. The outcome and the error.
    No(Outcome, Value),
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        client: &'a Client,
        journal: &'a Journal,
        codes: &'a Codes<'a>,
        (progress, view): (&'a Progress, &'a View),
        (behaviour, sandbox): (Behaviour, bool),
        stopping: watch::Sender<bool>,
    ) -> Self {
        Self {
            client,
            journal,
            codes,
            progress,
            view,
            behaviour,
            sandbox,
            stopping,
            gone_since: Cell::default(),
            broken: RefCell::default(),
            lanes: RefCell::default(),
        }
    }

    /// Whether the run is to end.
    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Ends once the run is to end.
    pub(super) async fn stopped(&self) {
        let mut stopping = self.stopping.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Why the run broke off, if it did.
    pub(super) fn broken(&self) -> Option<anyhow::Error> {
        self.broken.borrow_mut().take()
    }

    /// Ends the run: what is written down, or who is asked, is gone.
    fn break_off(&self, why: anyhow::Error) {
        self.broken.borrow_mut().get_or_insert(why);
        self.stopping.send_replace(true);
    }

    /// Writes a line of the journal. Without it the run cannot go on.
    pub(super) async fn note(&self, row: &Row, what: What) {
        let entry = Entry { at: now(), number: row.number.to_string(), party: row.party(), what };
        if let Err(error) = self.journal.note(&entry).await {
            self.break_off(error);
        }
    }

    /// Sorts an answer: the value, or what is in the way. Missing answers are waited for here.
    pub(super) async fn sorted(&self, answer: Result<Value, Failure>) -> Result<Value, Trouble> {
        let failure = match answer {
            Ok(value) => {
                self.gone_since.set(None);
                return Ok(value);
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Refused(mut body) | Failure::Answered(mut body) => {
                let error = body["error"].take();
                match error["code"].as_str() {
                    Some("unavailable" | "in_progress") => {
                        self.outage(anyhow::anyhow!("{}", text(&error["message"]))).await;
                        return Err(Trouble::Lost);
                    }
                    Some("refused" | "too_many") if error["retry_after_seconds"].is_u64() => {
                        self.gone_since.set(None);
                        return Err(Trouble::NotYet(error));
                    }
                    Some("refused") => {
                        self.gone_since.set(None);
                        return Err(Trouble::No(Outcome::Refused, error));
                    }
                    _ => {}
                }
                self.gone_since.set(None);
                Err(Trouble::No(Outcome::Failed, error))
            }
            // What is no answer of Rollcall comes from something in front of it while it restarts.
            failure @ (Failure::Unreachable { .. } | Failure::Other(_)) => {
                self.outage(failure.into()).await;
                Err(Trouble::Lost)
            }
            // Another token, no sandbox: it would be the same for every row.
            failure
            @ (Failure::NoToken { .. } | Failure::WrongToken(_) | Failure::NoSandbox(_)) => {
                self.break_off(failure.into());
                Err(Trouble::Lost)
            }
        }
    }

    /// Waits a while for a server that is gone, and gives the run up if it stays away.
    async fn outage(&self, why: anyhow::Error) {
        let now = Instant::now();
        let since = self.gone_since.get().unwrap_or(now);
        if self.gone_since.replace(Some(since)).is_none() {
            self.progress.say("The server does not answer; trying again.");
        }
        let gone_for = now - since;
        if gone_for >= self.behaviour.patience {
            let seconds = gone_for.as_secs();
            let what = format!("no answer for {seconds} s; the same command goes on later");
            self.break_off(why.context(what));
            return;
        }
        self.pause((gone_for / 2).clamp(PAUSE_MIN, PAUSE_MAX)).await;
    }

    /// Waits until a rule opens. `false`: that is too late for this run, or the run is to end.
    pub(super) async fn wait(&self, error: &Value) -> bool {
        let seconds = error["retry_after_seconds"].as_u64().unwrap_or(1);
        if Duration::from_secs(seconds) > self.behaviour.max_wait {
            return false;
        }
        let why = error["refusal"].as_str().unwrap_or("too many requests").to_owned();
        self.progress.waits(&why, &self.view.short_moment(&error["opens_at"]));
        let end = Instant::now() + Duration::from_secs(seconds);
        while !self.is_stopping() && Instant::now() < end {
            let left = end - Instant::now();
            self.pause(if self.sandbox { left.min(LOOK_EVERY) } else { left }).await;
            if self.sandbox && self.has_opened(&error["opens_at"]).await {
                break;
            }
        }
        self.progress.wait_is_over(&why);
        !self.is_stopping()
    }

    /// Whether the clock of a sandbox was turned beyond a moment.
    async fn has_opened(&self, opens_at: &Value) -> bool {
        let status = self.client.get("/status", &[]).await.unwrap_or_default();
        let moment = |at: &Value| at.as_str()?.parse::<jiff::Timestamp>().ok();
        matches!((moment(&status["now"]), moment(opens_at)), (Some(now), Some(at)) if now >= at)
    }

    /// Sleeps, unless the run is to end.
    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.stopped() => {}
        }
    }

    /// The turn of a row in a country whose allowance has run out before: one order at a time, so that a
    /// refusal is not asked for many times over.
    pub(super) fn turn(&self, row: &Row) -> Option<Rc<tokio::sync::Mutex<()>>> {
        self.lanes.borrow().get(&lane(row)).cloned()
    }

    /// From now on the country of this row takes one order at a time.
    pub(super) fn narrow(&self, row: &Row) {
        self.lanes.borrow_mut().entry(lane(row)).or_default();
    }
}

fn lane(row: &Row) -> Lane {
    (row.country_code, row.party())
}

/// The present moment, RFC 3339.
fn now() -> String {
    let now: Timestamp = SystemClock::new().now();
    jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default().to_string()
}

impl Ending {
    /// An ending with the words of an error of the server.
    pub(super) fn with_error(outcome: Outcome, error: &Value) -> Self {
        let word = |name: &str| error[name].as_str().map(str::to_owned);
        Self {
            outcome,
            claim: None,
            since: None,
            refusal: word("refusal"),
            opens_at: word("opens_at"),
            message: word("message"),
        }
    }

    /// An ending with words of our own.
    pub(super) fn saying(outcome: Outcome, message: impl Into<String>) -> Self {
        Self::with_error(outcome, &json!({ "message": message.into() }))
    }
}

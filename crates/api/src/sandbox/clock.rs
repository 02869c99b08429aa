//! The clock of the sandbox: every limit, token, lease and lifetime follows it.
//!
//! Turned back, it leaves what was done meanwhile in the future: budgets spent then open only when the
//! clock gets there again. A reset or a snapshot brings the data back together with the time.

use core::time::Duration;

use axum::Json;
use axum::extract::State;
use registration::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Tools;
use super::body::{Given, Problem};
use crate::explain::rfc3339;
use crate::state::App;

/// A way to turn the clock. Several together happen in this order: freeze, set, advance, resume.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    freeze: Option<bool>,
    set: Option<String>,
    advance_seconds: Option<f64>,
    resume: Option<bool>,
}

/// `GET /clock`.
pub(super) async fn show(tools: Tools) -> Json<Value> {
    Json(face(&tools))
}

/// `POST /clock`: turns it and shows it. What is due at the new time happens at once.
pub(super) async fn turn(
    State(app): State<App>,
    tools: Tools,
    Given(turn): Given<Turn>,
) -> Result<Json<Value>, Problem> {
    turn.check()?;
    let set = turn.set.as_deref().map(moment).transpose()?;
    let advance = turn.advance_seconds.map(pause).transpose()?;
    let target = set.unwrap_or_else(|| tools.clock.now()) + advance.unwrap_or_default();
    // The calendar ends with the year 9999; beyond it no moment could be written.
    if jiff::Timestamp::from_millisecond(target.as_millis()).is_err() {
        return Err(Problem::invalid("the clock ends with the year 9999"));
    }
    if turn.freeze.is_some() {
        tools.clock.freeze();
    }
    if let Some(set) = set {
        tools.clock.set(set);
    }
    if let Some(advance) = advance {
        tools.clock.advance(advance);
    }
    if turn.resume.is_some() {
        tools.clock.resume();
    }
    app.service.wake_worker();
    Ok(Json(face(&tools)))
}

/// `{"now": …, "frozen": …}`.
pub(super) fn face(tools: &Tools) -> Value {
    json!({ "now": rfc3339(tools.clock.now()), "frozen": tools.clock.is_frozen() })
}

impl Turn {
    fn check(&self) -> Result<(), Problem> {
        match self {
            Self { freeze: None, set: None, advance_seconds: None, resume: None } => {
                Err(Problem::invalid("one of set, advance_seconds, freeze, resume is needed"))
            }
            Self { freeze: Some(true), resume: Some(true), .. } => {
                Err(Problem::invalid("freeze and resume exclude each other"))
            }
            Self { freeze: Some(false), .. } => {
                Err(Problem::invalid("freeze can only be true; to run again: {\"resume\":true}"))
            }
            Self { resume: Some(false), .. } => {
                Err(Problem::invalid("resume can only be true; to stand still: {\"freeze\":true}"))
            }
            Self { .. } => Ok(()),
        }
    }
}

/// A moment in RFC 3339, with any offset.
fn moment(text: &str) -> Result<Timestamp, Problem> {
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|_| Problem::invalid("set: a moment in RFC 3339, such as 2026-11-22T04:29:29Z"))?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}

/// Seconds forward, with fractions.
fn pause(seconds: f64) -> Result<Duration, Problem> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        Problem::invalid("advance_seconds: not negative; to turn the clock back use set")
    })
}

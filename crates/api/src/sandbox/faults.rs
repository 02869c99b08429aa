//! Faults over HTTP: switch on, look at, switch off.

use core::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use registration::{Refusal, RefusalId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::explain::catalogue;
use service::ports::{EntropyExt as _, OPERATIONS};

use super::Tools;
use super::body::{Given, Problem, phone_number};
use super::rehearsal::{Effect, Fault, Tally};
use crate::state::App;

/// The dialects that a fault may be limited to.
const DIALECTS: [&str; 4] = ["onprem", "cams", "graph", "admin"];

/// Longest pause: what any client gives up on.
const LATENCY_MAX_MS: u64 = 120_000;

/// Most faults at a time; each costs every request a comparison.
const FAULTS_MAX: usize = 1_000;

/// A fault on the wire, both ways; on the way out with `id`, `matched` and `struck`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Form {
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    unavailable: bool,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    drop: bool,
}

/// `GET /faults`.
pub(super) async fn list(tools: Tools) -> Json<Value> {
    let faults: Vec<_> = tools.rehearsal.list().into_iter().map(view).collect();
    Json(json!({ "faults": faults }))
}

/// `POST /faults`: switches one on; 201 with its id and, unless given, the seed that was drawn for it.
pub(super) async fn add(
    State(app): State<App>,
    tools: Tools,
    Given(form): Given<Form>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if tools.rehearsal.list().len() >= FAULTS_MAX {
        return Err(Problem::invalid(format!("there are {FAULTS_MAX} faults already")));
    }
    // Half the bits of a seed: a number that every JSON reader keeps exact.
    let drawn = || u32::from_be_bytes(app.service.entropy().bytes()).into();
    let fault = form.read(drawn)?;
    let id = tools.rehearsal.add(fault.clone());
    let tally = Tally { matched: 0, struck: 0 };
    Ok((StatusCode::CREATED, Json(view((id, fault, tally)))))
}

/// `GET /faults/{id}`.
pub(super) async fn show(tools: Tools, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let wanted = |it: &(u64, Fault, Tally)| it.0.to_string() == id;
    let found = tools.rehearsal.list().into_iter().find(wanted);
    found.map(|it| Json(view(it))).ok_or_else(missing)
}

/// `DELETE /faults/{id}`: switches one off.
pub(super) async fn remove(tools: Tools, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let removed = id.parse().is_ok_and(|id| tools.rehearsal.remove(id));
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

/// `DELETE /faults`: switches all off.
pub(super) async fn clear(tools: Tools) -> StatusCode {
    tools.rehearsal.clear();
    StatusCode::NO_CONTENT
}

impl Form {
    fn read(self, drawn: impl FnOnce() -> u64) -> Result<Fault, Problem> {
        let latency_ms = self.latency_ms.unwrap_or(0);
        let effect = self.effect()?;
        if latency_ms == 0 && effect == Effect::None {
            let needed = "one of latency_ms, refusal, unavailable, drop is needed";
            return Err(Problem::invalid(needed));
        }
        if latency_ms > LATENCY_MAX_MS {
            return Err(Problem::invalid(format!("latency_ms is at most {LATENCY_MAX_MS}")));
        }
        let probability = self.probability.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&probability) {
            return Err(Problem::invalid("probability is 0 to 1"));
        }
        Ok(Fault {
            dialect: one_of("dialect", self.dialect, &DIALECTS)?,
            operation: one_of("operation", self.operation, &OPERATIONS)?,
            number: self.number.as_deref().map(phone_number).transpose()?,
            probability,
            seed: self.seed.unwrap_or_else(drawn),
            times: self.times,
            latency: Duration::from_millis(latency_ms),
            effect,
        })
    }

    fn effect(&self) -> Result<Effect, Problem> {
        match (&self.refusal, self.unavailable, self.drop) {
            (None, false, false) => Ok(Effect::None),
            (Some(id), false, false) => refusal(id).map(Effect::Refusal),
            (None, true, false) => Ok(Effect::Unavailable),
            (None, false, true) => Ok(Effect::Drop),
            _ => Err(Problem::invalid("refusal, unavailable and drop exclude each other")),
        }
    }
}

fn view((id, fault, tally): (u64, Fault, Tally)) -> Value {
    let latency_ms = u64::try_from(fault.latency.as_millis()).unwrap_or(u64::MAX);
    let form = Form {
        dialect: fault.dialect,
        operation: fault.operation,
        number: fault.number.map(|number| number.to_string()),
        probability: Some(fault.probability),
        seed: Some(fault.seed),
        times: fault.times,
        latency_ms: (latency_ms > 0).then_some(latency_ms),
        refusal: match fault.effect {
            Effect::Refusal(id) => Some(id.to_owned()),
            Effect::None | Effect::Unavailable | Effect::Drop => None,
        },
        unavailable: fault.effect == Effect::Unavailable,
        drop: fault.effect == Effect::Drop,
    };
    let mut view = json!(form);
    view["id"] = json!(id);
    view["matched"] = json!(tally.matched);
    view["struck"] = json!(tally.struck);
    view
}

fn one_of(name: &str, word: Option<String>, words: &[&str]) -> Result<Option<String>, Problem> {
    match word {
        Some(word) if !words.contains(&word.as_str()) => {
            Err(Problem::invalid(format!("{name} is one of {}", words.join(", "))))
        }
        word => Ok(word),
    }
}

fn refusal(id: &str) -> Result<RefusalId, Problem> {
    let ids: Vec<_> = catalogue().iter().map(Refusal::id).collect();
    let found = ids.iter().copied().find(|it| *it == id);
    found.ok_or_else(|| Problem::invalid(format!("refusal is one of {}", ids.join(", "))))
}

fn missing() -> Problem {
    Problem::not_found("There is no such fault")
}

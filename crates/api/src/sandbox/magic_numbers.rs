//! `GET /magic-numbers`: every magic number with cause, cure and the reply it brings in each dialect.
//!
//! The words are those of the error table and of the explanations; none are written here but for
//! trouble that is no refusal.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use registration::{CodeMethod, PhoneNumber, Refusal};
use serde_json::{Value, json};
use service::explain::examples;
use service::{ServiceError, Unavailable};

use super::body::Problem;
use super::rehearsal::Effect;
use super::rehearsal::magic::{BY_PLAN, FIRST, LAST, MAGIC, Magic};
use crate::graph::failure::Failure as GraphFailure;
use crate::onprem::reply::Fault;
use crate::refusals;
use crate::state::App;

/// Largest reply that is shown as an example; error replies have some 300 bytes.
const EXAMPLE_MAX_BYTES: usize = 16 * 1024;

/// `GET /magic-numbers`.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Value>, Problem> {
    let mut numbers = Vec::new();
    for magic in MAGIC {
        numbers.push(rehearsed(&app, magic).await?);
    }
    for (number, method, cure) in BY_PLAN {
        numbers.push(by_plan(&app, number, method, cure).await?);
    }
    Ok(Json(json!({
        "magic_numbers": numbers,
        "reserved": { "first": format!("+{FIRST}"), "last": format!("+{LAST}") },
    })))
}

async fn rehearsed(app: &App, magic: &Magic) -> Result<Value, Problem> {
    let mut entry = match magic.effect {
        Effect::Refusal(id) => {
            let refusal = examples(app.service.now()).into_iter().find(|it| it.id() == id);
            refusing(app, refusal).await?
        }
        Effect::Unavailable => json!({
            "refusal": null,
            "cause": "A part of the server is unavailable.",
            "cure": "Send the same request again after the pause that the reply names.",
            "examples": {
                "onprem": onprem(Fault::of(app, ServiceError::from(Unavailable::Rehearsed))).await?,
                "cams": { "status": 503, "body": { "Code": "ServiceUnavailable" } },
                "graph": { "status": 503, "body": { "error": { "is_transient": true } } },
            },
        }),
        Effect::Drop | Effect::None => json!({
            "refusal": null,
            "cause": "The connection is closed without a reply.",
            "cure": "Send the same request again.",
            "examples": { "onprem": null, "cams": null, "graph": null },
        }),
    };
    entry["number"] = json!(format!("+{}", magic.number()));
    entry["operation"] = json!(magic.operation);
    entry["method"] = json!(magic.method.map(CodeMethod::as_str));
    Ok(entry)
}

async fn by_plan(app: &App, number: u64, method: CodeMethod, cure: &str) -> Result<Value, Problem> {
    let kind = PhoneNumber::parse(&number.to_string())
        .ok()
        .and_then(service::numbering::fictitious)
        .ok_or_else(|| Problem::bug("a number of the table is not fictitious"))?;
    let mut entry = refusing(app, Some(Refusal::ChannelImpossible { method, kind })).await?;
    entry["number"] = json!(format!("+{number}"));
    entry["operation"] = json!("request_code");
    entry["method"] = json!(method.as_str());
    entry["cure"] = json!(cure);
    Ok(entry)
}

async fn refusing(app: &App, refusal: Option<Refusal>) -> Result<Value, Problem> {
    let refusal = refusal.ok_or_else(|| Problem::bug("a refusal of the table is unknown"))?;
    let words = app.service.explain(refusal.id()).await?;
    let row = refusals::row(&refusal, app.service.now());
    let cams = row.cams.map(|words| {
        let body = json!({ "Code": words.code, "Message": words.message });
        json!({ "status": words.status.as_u16(), "body": body })
    });
    let graph = row.graph.map(|words| {
        let parts = GraphFailure::of_refusal(app, refusal.clone()).into_parts();
        json!({ "status": words.status.as_u16(), "body": parts.envelope("A…") })
    });
    Ok(json!({
        "refusal": refusal.id(),
        "cause": words.as_ref().map(|words| format!("{} {}", words.title, words.rule)),
        "cure": words.as_ref().map(|words| words.what_works.clone()),
        "examples": {
            "onprem": onprem(Fault::of_refusal(app, refusal)).await?,
            "cams": cams,
            "graph": graph,
        },
    }))
}

/// The reply as the dialect itself renders it.
async fn onprem(fault: Fault) -> Result<Value, Problem> {
    let reply = fault.into_response();
    let status = reply.status().as_u16();
    let body = axum::body::to_bytes(reply.into_body(), EXAMPLE_MAX_BYTES)
        .await
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    Ok(json!({ "status": status, "body": body }))
}

//! `GET /explain/{refusal-id}`: a refusal in plain words, as JSON, or as text for a browser or terminal.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use service::explain::{Explanation, wait_in_words};

use crate::state::App;

/// The id is that of one refusal (from `href`) or of a kind of refusal (`code-too-soon`). The id of one
/// refusal is 128 random bits and the answer names no number in full, so no credential is asked for.
pub async fn explain(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = match app.service.explain(&id).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "a refusal could not be explained");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let Some(explanation) = found else {
        let body = json!({ "error": "There is no such refusal." });
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    };
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.starts_with("text/")) {
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return (kind, to_text(&app, &explanation)).into_response();
    }
    Json(to_json(&app, &explanation)).into_response()
}

fn to_json(app: &App, e: &Explanation) -> Value {
    let now = app.service.now();
    json!({
        "refusal": e.refusal,
        "title": e.title,
        "rule": e.rule,
        "budget": e.budget,
        "what_works": e.what_works,
        "at": e.at.map(rfc3339),
        "opens_at": e.opens_at.map(rfc3339),
        "opens_in_seconds": e.opens_at.map(|at| at.since(now).as_millis().div_ceil(1000)),
        "number": e.number,
        "guesses_left": e.particulars.get("guesses_left"),
        "tries_left": e.particulars.get("tries_left"),
        "method": e.particulars.get("method"),
        "kind": e.particulars.get("kind"),
    })
}

fn to_text(app: &App, e: &Explanation) -> String {
    // Writing into a String cannot fail.
    let mut text = format!("{}\n\n{}\nBudget: {}.\n", e.title, e.rule, e.budget);
    for (label, key) in [("Guesses left", "guesses_left"), ("Tries left", "tries_left")] {
        if let Some(left) = e.particulars.get(key) {
            let _ = writeln!(text, "{label}: {left}.");
        }
    }
    if let Some(opens_at) = e.opens_at {
        let wait = opens_at.since(app.service.now());
        if wait.is_zero() {
            let _ = writeln!(text, "It opened at {}.", rfc3339(opens_at));
        } else {
            let words = wait_in_words(wait);
            let _ = writeln!(text, "Opens at {}, in {words}.", rfc3339(opens_at));
        }
    }
    let _ = writeln!(text, "\nWhat works now: {}", e.what_works);
    text
}

/// `2026-11-22T14:03:20Z`, with milliseconds where there are any.
#[must_use]
pub fn rfc3339(at: registration::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis()).map(|at| at.to_string()).unwrap_or_default()
}

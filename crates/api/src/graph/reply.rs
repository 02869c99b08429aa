//! Answers: body, headers, errors (§1, §5.1).

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use service::ports::EntropyExt as _;

use super::failure::{Failure, Parts};
use super::json;
use crate::middleware::DropConnection;
use crate::state::App;

/// The version that answers name when the caller named none: the newest of the documentation followed.
const VERSION: &str = "v25.0";

/// `{"success":true}`: what actions answer.
#[must_use]
pub fn done() -> Value {
    json!({ "success": true })
}

/// The answer to a request made with this version.
#[must_use]
pub fn render(app: &App, version: Option<&str>, outcome: Result<Value, Failure>) -> Response {
    let trace = trace_id(app);
    let mut response = match outcome {
        Ok(body) => respond(StatusCode::OK, &body),
        Err(failure) => refuse(&failure.into_parts(), &trace),
    };
    let headers = response.headers_mut();
    // All of Meta's own that it documents; `x-fb-debug` and `x-fb-rev` mean something there only.
    let debug = STANDARD.encode(&trace);
    for (name, value) in [
        ("facebook-api-version", version.unwrap_or(VERSION)),
        ("x-fb-trace-id", &trace),
        ("x-fb-request-id", &trace),
        ("x-fb-debug", &debug),
        ("x-fb-rev", env!("CARGO_PKG_VERSION")),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn refuse(parts: &Parts, trace: &str) -> Response {
    let mut response = respond(parts.status, &parts.envelope(trace));
    let headers = response.headers_mut();
    if matches!(parts.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) {
        let kind = match parts.status {
            StatusCode::UNAUTHORIZED => "invalid_token",
            _ => "invalid_request",
        };
        let challenge =
            format!("OAuth \"Facebook Platform\" \"{kind}\" {}", quoted(&parts.message));
        if let Ok(value) = HeaderValue::from_str(&challenge) {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
    }
    if let Some(seconds) = parts.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(refusal) = parts.refusal {
        let name = HeaderName::from_static("x-rollcall-refusal");
        headers.insert(name, HeaderValue::from_static(refusal));
    }
    if parts.drop_connection {
        response.extensions_mut().insert(DropConnection);
    }
    response
}

fn respond(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(json::to_bytes(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("application/json; charset=UTF-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let never = HeaderValue::from_static("private, no-cache, no-store, must-revalidate");
    headers.insert(header::CACHE_CONTROL, never);
    response
}

/// Text in quotes, fit for a header: quotes and whatever is not visible ASCII are left out.
fn quoted(text: &str) -> String {
    let plain = text.chars().filter(|c| matches!(c, ' '..='~') && *c != '"' && *c != '\\');
    format!("\"{}\"", plain.collect::<String>())
}

/// 23 characters that begin with `A` (§5.1).
fn trace_id(app: &App) -> String {
    let mut id = URL_SAFE_NO_PAD.encode(app.service.entropy().bytes::<17>());
    id.replace_range(..1, "A");
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_repeats_a_message_without_what_headers_cannot_hold() {
        assert_eq!(quoted("(#100) \"a\\b\"\r\nü"), "\"(#100) ab\"");
    }
}

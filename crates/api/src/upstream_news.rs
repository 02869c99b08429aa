//! `/upstream/v1/{waba}/webhook`: where a registrar upstream tells that something has changed.
//!
//! The form is Meta's: a handshake by GET with `hub.mode`, `hub.verify_token` and `hub.challenge`, then posts
//! with `X-Hub-Signature-256` over the body as it came. What is posted is not read: the numbers are looked up.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use registration::{TextId as _, WabaId};
use serde::Deserialize;
use service::ServiceError;
use service::callbacks::HUB_SIGNATURE;

use crate::rejected::plain;
use crate::state::App;

/// Largest post that is taken; Meta bundles at most a thousand changes.
pub const BYTES_MAX: usize = 1024 * 1024;

/// What is asked in the handshake.
#[derive(Deserialize)]
pub struct Handshake {
    #[serde(rename = "hub.mode", default)]
    mode: String,
    #[serde(rename = "hub.verify_token", default)]
    token: String,
    #[serde(rename = "hub.challenge", default)]
    challenge: String,
}

/// `GET`: whether posts are wanted here.
pub async fn handshake(
    State(app): State<App>,
    Path(waba): Path<String>,
    Query(asked): Query<Handshake>,
) -> Response {
    let Some(waba) = WabaId::parse(&waba).filter(|_| asked.mode == "subscribe") else {
        return StatusCode::FORBIDDEN.into_response();
    };
    answer(app.service.wants_news(&waba, &asked.token).await, asked.challenge)
}

/// `POST`: something has changed.
pub async fn told(
    State(app): State<App>,
    Path(waba): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return plain(rejection.status(), "The request body cannot be read"),
    };
    let signature = headers.get(HUB_SIGNATURE).and_then(|value| value.to_str().ok());
    let (Some(waba), Some(signature)) = (WabaId::parse(&waba), signature) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    answer(app.service.take_news(&waba, &body, signature).await, String::new())
}

/// 200, 403 for strangers, or 503: then it is posted again.
fn answer(taken: Result<bool, ServiceError>, text: String) -> Response {
    match taken {
        Ok(true) => ([(http::header::CONTENT_TYPE, "text/plain")], text).into_response(),
        Ok(false) => StatusCode::FORBIDDEN.into_response(),
        Err(error) => {
            tracing::warn!(%error, "what a registrar upstream told was not taken");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

//! What requests to the sandbox bring along, and how it says what is wrong with them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use registration::PhoneNumber;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use service::ServiceError;

use crate::state::App;

/// A request that was not done, and why: `{"error": …, "details": …}`.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    error: &'static str,
    details: Value,
}

impl Problem {
    /// 400: something in the request cannot be.
    pub(super) fn invalid(details: impl Into<Value>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self { status, error: "The request is not valid", details: details.into() }
    }

    /// 403: not from there.
    pub(super) fn forbidden(details: impl Into<Value>) -> Self {
        let status = StatusCode::FORBIDDEN;
        Self { status, error: "The request is refused", details: details.into() }
    }

    /// 404.
    pub(super) fn not_found(details: impl Into<Value>) -> Self {
        let status = StatusCode::NOT_FOUND;
        Self { status, error: "There is no such thing", details: details.into() }
    }

    /// 409: the request contradicts what is there.
    pub(super) fn conflict(details: impl Into<Value>) -> Self {
        let status = StatusCode::CONFLICT;
        Self { status, error: "The request contradicts what is there", details: details.into() }
    }

    /// 500: a table of this program contradicts itself.
    pub(super) fn bug(details: &'static str) -> Self {
        tracing::error!(details, "bug");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, error: "A bug of the sandbox", details: details.into() }
    }
}

/// The answer to a request that ended before any tool saw it.
pub(crate) fn rejected(status: StatusCode, words: &str) -> Response {
    let error =
        if status.is_server_error() { "A bug of the sandbox" } else { "The request is not valid" };
    Problem { status, error, details: words.into() }.into_response()
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        tracing::warn!(%error, "a tool of the sandbox failed");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, error: "The sandbox is unavailable", details: error.to_string().into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "details": self.details });
        (self.status, Json(body)).into_response()
    }
}

/// The query of a request; unknown parameters are refused, so that a misspelt filter is noticed.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri)
            .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        Ok(Self(query.0))
    }
}

/// The JSON object of a request; an empty body is an empty object.
pub(super) struct Given<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, app)
            .await
            .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        let bytes = if bytes.trim_ascii().is_empty() { b"{}".as_slice() } else { &bytes };
        let given =
            serde_json::from_slice(bytes).map_err(|error| Problem::invalid(error.to_string()))?;
        Ok(Self(given))
    }
}

/// A phone number with `+` or without. A `+` that nobody escaped in a query arrives as a space.
pub(super) fn phone_number(text: &str) -> Result<PhoneNumber, Problem> {
    PhoneNumber::parse(text.trim()).map_err(|error| Problem::invalid(format!("number: {error}")))
}

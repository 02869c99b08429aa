//! The envelope: success with `meta`, failure with `errors` and `meta`, and the headers of the captures
//! (On-Premises reference §6.1, §6.2).

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use registration::Refusal;
use serde::Serialize;
use serde_json::{Map, Value, json};
use service::{Refused, ServiceError, Unavailable};

use super::json;
use crate::refusals::{self, OnpremWords};
use crate::state::App;

/// Whether a reply comes from Webapp alone or Coreapp was asked: the version is written with a leading
/// `v` by the former, without by the latter, and only the latter adds internal request ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// Login, logout, users, the external CA; and what is wrong with a request before anybody else is
    /// asked: credentials, role, rate, route, verb, form and values of the body.
    Webapp,
    /// Everything else.
    Coreapp,
}

/// A failure, ready for the wire. Boxed inside, since most results are successes.
#[derive(Debug, Clone)]
pub struct Fault(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: u16,
    title: &'static str,
    details: String,
    href: Option<String>,
    retry_after_seconds: Option<u64>,
    /// Sent without a body: how a 401 looks to clients.
    bare: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
    backing: Backing,
    /// `meta`, but for the leading `v` of its version.
    version: String,
    /// The connection is cut instead of answering (a rehearsed fault).
    drop_connection: bool,
}

impl Fault {
    /// A failure with HTTP status, code, title and details, found by Webapp.
    #[must_use]
    pub fn new(
        app: &App,
        status: StatusCode,
        code: u16,
        title: &'static str,
        details: impl Into<String>,
    ) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            title,
            details: details.into(),
            href: None,
            retry_after_seconds: None,
            bare: false,
            headers: Vec::new(),
            backing: Backing::Webapp,
            version: app.settings.onprem_version.clone(),
            drop_connection: false,
        }))
    }

    /// 400 / 1025: the body is not JSON, or not an object.
    #[must_use]
    pub fn not_json(app: &App) -> Self {
        let details = "Unable to decode json from the request: Syntax error";
        Self::new(app, StatusCode::BAD_REQUEST, 1025, "Request is not valid", details)
    }

    /// 400 / 1008: a required field is not there.
    #[must_use]
    pub fn missing(app: &App, field: &str) -> Self {
        Self::new(app, StatusCode::BAD_REQUEST, 1008, "Required parameter is missing", field)
    }

    /// 400 / 1009: a field has a value that cannot be.
    #[must_use]
    pub fn invalid(app: &App, details: impl Into<String>) -> Self {
        Self::new(app, StatusCode::BAD_REQUEST, 1009, "Parameter value is not valid", details)
    }

    /// 404 / 1006.
    #[must_use]
    pub fn not_found(app: &App, details: impl Into<String>) -> Self {
        Self::new(app, StatusCode::NOT_FOUND, 1006, "Resource not found", details)
    }

    /// 401 with an empty body, as clients know it (§2.4).
    #[must_use]
    pub fn unauthorized(app: &App) -> Self {
        let mut fault = Self::new(app, StatusCode::UNAUTHORIZED, 1005, refusals::ACCESS_DENIED, "");
        fault.0.bare = true;
        fault
    }

    /// 503 / 1011 while Coreapp restarts.
    #[must_use]
    pub fn not_ready(app: &App) -> Self {
        let details = "Wacore is not instantiated. Please check wacore log for details.";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut fault = Self::new(app, status, 1011, "Service not ready", details).by_coreapp();
        fault.0.retry_after_seconds = Some(1);
        fault
    }

    /// What a failed use case reads like.
    #[must_use]
    pub fn of(app: &App, error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refused) => Self::refused(app, &refused),
            ServiceError::Unavailable(Unavailable::CoreappRestarting) => Self::not_ready(app),
            ServiceError::Unavailable(unavailable) => {
                tracing::warn!(error = %chain(&unavailable), "unavailable");
                let details =
                    "A part of the server is unavailable; the same request may work later";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let mut fault =
                    Self::new(app, status, 1016, "System overloaded", details).by_coreapp();
                fault.0.retry_after_seconds = Some(1);
                fault.0.drop_connection = matches!(unavailable, Unavailable::RehearsedDrop);
                fault
            }
            ServiceError::Bug(what) => {
                tracing::error!(what, "bug");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::new(app, status, 1014, "Internal error", "See the server's log").by_coreapp()
            }
        }
    }

    fn refused(app: &App, refused: &Refused) -> Self {
        let OnpremWords { status, code, title, details } =
            refusals::row(&refused.refusal, refused.at).onprem;
        let id = refused.id.map_or_else(|| refused.refusal.id().to_owned(), |id| id.to_string());
        let opens_at = refused.refusal.opens_at();
        let mut fault = Self::new(app, status, code, title, details);
        if !matches!(refused.refusal, Refusal::NotAdmin | Refusal::TooManyRequests { .. }) {
            fault = fault.by_coreapp();
        }
        fault.0.href = Some(format!("{}/explain/{id}", app.settings.public_url));
        fault.0.retry_after_seconds = opens_at.map(|at| retry_after(at.since(refused.at)));
        fault
    }

    /// A refusal that is not worth an event: it costs nothing and concerns no number.
    #[must_use]
    pub fn of_refusal(app: &App, refusal: Refusal) -> Self {
        let at = app.service.now();
        Self::refused(app, &Refused { refusal, id: None, number: None, at })
    }

    /// The same, found by Coreapp.
    #[must_use]
    pub fn by_coreapp(mut self) -> Self {
        self.0.backing = Backing::Coreapp;
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// `errors[0]`, for replies that carry failures inside a success.
    #[must_use]
    pub fn error(&self) -> Value {
        let parts = &self.0;
        let mut error = json!({ "code": parts.code, "title": parts.title });
        if !parts.details.is_empty() {
            error["details"] = json!(parts.details);
        }
        if let Some(href) = &parts.href {
            error["href"] = json!(href);
        }
        error
    }
}

/// Seconds, rounded up, for `Retry-After`.
fn retry_after(wait: core::time::Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}

/// An error with all its causes, for the log.
fn chain(error: &dyn core::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let error = self.error();
        let parts = *self.0;
        let body = if parts.bare {
            Vec::new()
        } else {
            let meta = meta_of(parts.backing, &parts.version);
            json::to_bytes(&json!({ "meta": meta, "errors": [error] }))
        };
        let mut response = finish(parts.status, body, parts.backing);
        if parts.bare {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        if let Some(seconds) = parts.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.headers_mut().extend(parts.headers.into_iter().map(|(k, v)| (Some(k), v)));
        if parts.drop_connection {
            response.extensions_mut().insert(crate::middleware::DropConnection);
        }
        response
    }
}

/// A successful reply: `payload`'s members and `meta`.
#[must_use]
pub fn success(app: &App, status: StatusCode, backing: Backing, payload: Value) -> Response {
    let payload = if let Value::Object(members) = payload { members } else { Map::new() };
    let meta = Meta::of(backing, &app.settings.onprem_version);
    finish(status, json::to_bytes(&Success { payload, meta }), backing)
}

/// A successful reply as it is written.
#[derive(Serialize)]
struct Success<'a> {
    #[serde(flatten)]
    payload: Map<String, Value>,
    meta: Meta<'a>,
}

#[derive(Serialize)]
struct Meta<'a> {
    version: Cow<'a, str>,
    api_status: &'static str,
}

impl<'a> Meta<'a> {
    fn of(backing: Backing, version: &'a str) -> Self {
        let version = match backing {
            Backing::Webapp => Cow::Owned(format!("v{version}")),
            Backing::Coreapp => Cow::Borrowed(version),
        };
        Self { version, api_status: "stable" }
    }
}

/// `meta` of a reply.
#[must_use]
pub fn meta(app: &App, backing: Backing) -> Value {
    meta_of(backing, &app.settings.onprem_version)
}

/// Done, and nothing to show: `{"meta":…}`, which satisfies who expects JSON and who expects nothing.
#[must_use]
pub fn done(app: &App, status: StatusCode, backing: Backing) -> Response {
    success(app, status, backing, json!({}))
}

/// A file: bytes under their own media type.
#[must_use]
pub fn file(content_type: &'static str, bytes: Vec<u8>, backing: Backing) -> Response {
    let mut response = finish(StatusCode::OK, bytes, backing);
    let kind = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn meta_of(backing: Backing, version: &str) -> Value {
    let Meta { version, api_status } = Meta::of(backing, version);
    json!({ "version": version, "api_status": api_status })
}

fn finish(status: StatusCode, body: Vec<u8>, backing: Backing) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    headers.insert(header::SERVER, HeaderValue::from_static("Server"));
    response.extensions_mut().insert(backing);
    response
}

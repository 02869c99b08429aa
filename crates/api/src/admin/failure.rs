//! The one form of an error, and who becomes it.
//!
//! A handler returns a [`Failure`]; the layer [`worded`] puts it into words once, because a refusal's link
//! needs the server's public address.

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use registration::Timestamp;
use serde::Serialize;
use service::explain::{in_words, wait_in_words};
use service::{Refused, ServiceError, Unavailable};
use utoipa::ToSchema;

use super::wire::At;
use crate::middleware::DropConnection;
use crate::state::App;

/// Seconds after which a request that met a missing part is worth repeating.
const RETRY_SECONDS: u64 = 1;

/// Why a request was not carried out.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// 401: no operator's token, or another.
    Unauthorized,
    /// 403: a rule says no.
    Refused(Refused),
    /// 404.
    NotFound(String),
    /// 405; the router adds `Allow`.
    WrongVerb,
    /// 409: what should be made is there, or what should go is in use.
    Conflict(String),
    /// 409: the same request under the same idempotency key is being carried out.
    InProgress,
    /// 413.
    TooLarge,
    /// 422: fields or parameters at fault.
    Invalid(Vec<Detail>),
    /// 429: asked for too often.
    TooMany {
        /// When it may be asked for again.
        opens_at: Timestamp,
        /// The present moment.
        now: Timestamp,
    },
    /// 500: a broken invariant, already logged.
    Internal,
    /// 503: the client that shall run the number takes another one over.
    Restarting,
    /// 503: a part is missing at the moment, already logged.
    Unavailable {
        /// Close the connection instead of answering (a rehearsed fault).
        drop_connection: bool,
    },
}

/// A field or parameter at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Detail {
    /// Its name; empty if the whole body is at fault.
    pub field: String,
    /// What is wrong with it. Never repeats the value, which may be a secret.
    pub problem: String,
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    error: ErrorWords,
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorWords {
    /// For programs: `unauthorized`, `refused`, `not_found`, `method_not_allowed`, `conflict`,
    /// `in_progress`, `too_large`, `invalid`, `too_many`, `internal`, `unavailable`.
    code: &'static str,
    /// For people.
    message: String,
    /// Fields and parameters at fault.
    details: Vec<Detail>,
    /// The rule that said no, as in `/explain/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'static str>,
    /// Where this refusal is explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<String>,
    /// What would work now.
    #[serde(skip_serializing_if = "Option::is_none")]
    what_works: Option<String>,
    /// When the same request may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<At>,
    /// The same, in seconds from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

impl Failure {
    /// A field or parameter at fault.
    pub(crate) fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid(vec![Detail { field: field.into(), problem: problem.into() }])
    }

    /// 404 for a part of the installation, named by its kind and id.
    pub(crate) fn no_such(kind: &str, id: impl core::fmt::Display) -> Self {
        let kind = match kind {
            "ram_user" => "RAM user",
            "access_key" => "access key",
            "graph_token" => "Graph token",
            other => other,
        };
        Self::NotFound(format!("There is no {kind} {id}."))
    }

    /// The failure as it is sent.
    pub(crate) fn render(&self, app: &App) -> Response {
        let words = self.words(app);
        let mut response = (self.status(), Json(ErrorBody { error: words })).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::Unauthorized) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(self, Self::Unavailable { drop_connection: true }) {
            response.extensions_mut().insert(DropConnection);
        }
        response
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::WrongVerb => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) | Self::InProgress => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Restarting | Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn words(&self, app: &App) -> ErrorWords {
        let (code, message) = match self {
            Self::Unauthorized => (
                "unauthorized",
                "Send the token of DIR/operator.token as Authorization: Bearer TOKEN.".to_owned(),
            ),
            Self::Refused(refused) => return refusal_words(app, refused),
            Self::NotFound(message) => ("not_found", message.clone()),
            Self::WrongVerb => {
                ("method_not_allowed", "This path has other methods; see Allow.".to_owned())
            }
            Self::Conflict(message) => ("conflict", message.clone()),
            Self::InProgress => (
                "in_progress",
                "A request with this Idempotency-Key is being carried out.".to_owned(),
            ),
            Self::TooLarge => {
                ("too_large", format!("The body has more than {} bytes.", super::BODY_BYTES_MAX))
            }
            Self::Invalid(details) => ("invalid", invalid_message(details)),
            Self::TooMany { opens_at, now } => (
                "too_many",
                format!(
                    "Asked for too often; it opens in {}.",
                    wait_in_words(opens_at.since(*now))
                ),
            ),
            Self::Internal => ("internal", "Something is broken; see the server's log.".to_owned()),
            Self::Restarting => (
                "unavailable",
                "The client restarts, because it took another number over; try again in a moment."
                    .to_owned(),
            ),
            Self::Unavailable { .. } => (
                "unavailable",
                "A part of the server is missing at the moment; try again.".to_owned(),
            ),
        };
        let details = if let Self::Invalid(details) = self { details.clone() } else { Vec::new() };
        ErrorWords {
            code,
            message,
            details,
            refusal: None,
            explain: None,
            what_works: None,
            opens_at: if let Self::TooMany { opens_at, .. } = self {
                Some(At::from(*opens_at))
            } else {
                None
            },
            retry_after_seconds: self.retry_after_seconds(),
        }
    }

    fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::Refused(refused) => {
                let wait = refused.refusal.opens_at()?.since(refused.at);
                Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1))
            }
            Self::TooMany { opens_at, now } => {
                let wait = opens_at.since(*now).as_millis().div_ceil(1000);
                Some(u64::try_from(wait).unwrap_or(u64::MAX).max(1))
            }
            Self::InProgress | Self::Restarting | Self::Unavailable { .. } => Some(RETRY_SECONDS),
            Self::Unauthorized
            | Self::NotFound(_)
            | Self::WrongVerb
            | Self::Conflict(_)
            | Self::TooLarge
            | Self::Invalid(_)
            | Self::Internal => None,
        }
    }
}

/// The answer to a request that ended before any handler saw it.
pub(crate) fn rejected(status: StatusCode, words: &str) -> Response {
    let code = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        status if status.is_server_error() => "internal",
        _ => "invalid",
    };
    let words = ErrorWords {
        code,
        message: format!("{words}."),
        details: Vec::new(),
        refusal: None,
        explain: None,
        what_works: None,
        opens_at: None,
        retry_after_seconds: None,
    };
    (status, Json(ErrorBody { error: words })).into_response()
}

fn refusal_words(app: &App, refused: &Refused) -> ErrorWords {
    let explanation = in_words(&refused.refusal);
    let id = refused.id.map_or_else(|| refused.refusal.id().to_owned(), |id| id.to_string());
    let opens_at = refused.refusal.opens_at();
    let mut message = explanation.title;
    if let Some(opens_at) = opens_at {
        let wait = wait_in_words(opens_at.since(refused.at));
        message = format!("{message} It opens in {wait}.");
    }
    ErrorWords {
        code: "refused",
        message,
        details: Vec::new(),
        refusal: Some(refused.refusal.id()),
        explain: Some(format!("{}/explain/{id}", app.settings.public_url)),
        what_works: Some(explanation.what_works),
        opens_at: opens_at.map(At::from),
        retry_after_seconds: Failure::Refused(refused.clone()).retry_after_seconds(),
    }
}

fn invalid_message(details: &[Detail]) -> String {
    let parts: Vec<String> = details
        .iter()
        .map(|detail| match detail.field.as_str() {
            "" => detail.problem.clone(),
            field => format!("{field}: {}", detail.problem),
        })
        .collect();
    parts.join("; ")
}

impl From<ServiceError> for Failure {
    /// Logs what the operator should see; the caller learns less.
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refused) => Self::Refused(refused),
            ServiceError::Unavailable(Unavailable::CoreappRestarting) => Self::Restarting,
            ServiceError::Unavailable(unavailable) => {
                tracing::warn!(error = &unavailable as &dyn core::error::Error, "unavailable");
                let drop_connection = matches!(unavailable, Unavailable::RehearsedDrop);
                Self::Unavailable { drop_connection }
            }
            ServiceError::Bug(what) => {
                tracing::error!(what, "bug");
                Self::Internal
            }
        }
    }
}

impl IntoResponse for Failure {
    /// A response that [`worded`] still has to put into words.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts failures of handlers into words.
pub(crate) async fn worded(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    let mut worded = failure.render(&app);
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        worded.headers_mut().insert(header::ALLOW, allow);
    }
    worded
}

/// The failures that any operation may answer with, for the OpenAPI document.
pub(crate) struct Failures;

impl utoipa::IntoResponses for Failures {
    fn responses()
    -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
        let body = || ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody")));
        [
            ("401", "No operator's token, or another"),
            ("403", "A rule says no; the error says which, and when it opens"),
            ("404", "There is no such thing"),
            ("409", "It is there already, is in use, or is being done"),
            ("413", "The body is too large"),
            ("422", "A field or parameter is missing, unknown or wrong; the error names it"),
            ("429", "Asked for too often"),
            ("503", "A part of the server is missing at the moment"),
        ]
        .map(|(status, description)| {
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/json", body().build())
                .build();
            (status.to_owned(), response.into())
        })
        .into()
    }
}

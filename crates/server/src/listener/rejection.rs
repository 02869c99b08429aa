//! Refusals that no handler sees.

use std::sync::Arc;

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

/// Why a request was answered without, or in spite of, its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTimedOut,
    /// The body broke off or is not framed as HTTP.
    BodyBroken,
    /// There are more header fields than allowed.
    TooManyHeaders,
    /// The handler panicked: a bug.
    Panicked,
}

impl Rejection {
    /// The status to answer with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What went wrong, in words for whoever asked.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "the request body is too large",
            Self::BodyTimedOut => "the request body did not arrive in time",
            Self::BodyBroken => "the request body is incomplete",
            Self::TooManyHeaders => "the request has too many header fields",
            Self::Panicked => "something went wrong on the server",
        }
    }
}

/// Makes the answer to a rejected request; the head tells which dialect asked.
pub type RenderRejection = Arc<dyn Fn(Rejection, &Parts) -> Response<Body> + Send + Sync>;

/// Answers in plain text, whoever asked.
#[must_use]
pub fn plain_text(rejection: Rejection, _head: &Parts) -> Response<Body> {
    let mut response = Response::new(Body::from(rejection.words()));
    *response.status_mut() = rejection.status();
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

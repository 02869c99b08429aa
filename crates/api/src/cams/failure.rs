//! Everything that is not a success, ready for the wire.

use std::borrow::Cow;

use http::StatusCode;
use registration::Refusal;
use serde_json::Value;
use service::{Refused, ServiceError, Unavailable};

use super::codes;
use super::operation::Operation;
use crate::refusals::{self, CamsWords};
use crate::state::App;

/// What Rollcall is for, appended where something else is asked of it.
const NOT_HERE: &str = "Rollcall registers phone numbers; messages, templates, catalogues and instances \
                        belong to the platform that a number is registered on.";

/// A failure. Boxed inside, since most results are successes.
#[derive(Debug, Clone)]
pub struct Failure(Box<Parts>);

/// What a failure consists of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// HTTP status; 200 is a business failure in the operation's own envelope.
    pub status: StatusCode,
    /// `Code`.
    pub code: Cow<'static, str>,
    /// `Message`.
    pub message: Cow<'static, str>,
    /// Where it is explained, if it is; otherwise `Recommend` has the documented form.
    pub recommend: Option<String>,
    /// `AccessDeniedDetail`: always an object, as clients read it.
    pub access_denied: Option<Value>,
    /// `x-acs-retry-after`. Only throttling sets it: one client takes any error that has it for that.
    pub retry_after_ms: Option<u128>,
    /// `x-rollcall-refusal`: which refusal it is, for another Rollcall, since one code stands for several.
    pub refusal: Option<&'static str>,
    /// `x-rollcall-opens-in`: milliseconds until it opens.
    pub opens_in_ms: Option<u128>,
    /// The operation that failed, once it is known.
    pub operation: Option<&'static Operation>,
    /// The connection is cut instead of answering (a rehearsed fault).
    pub drop_connection: bool,
}

impl Failure {
    /// `Missing{Param}`.
    #[must_use]
    pub fn missing(parameter: &str) -> Self {
        let words = Self::from(codes::FORMAT);
        words
            .with_code(format!("Missing{parameter}"))
            .with_message(format!("{parameter} is mandatory for this action."))
    }

    /// `Invalid{Param}`.
    #[must_use]
    pub fn invalid(parameter: &str) -> Self {
        let words = Self::from(codes::FORMAT);
        words
            .with_code(format!("Invalid{parameter}"))
            .with_message(format!("Specified parameter {parameter} is not valid."))
    }

    /// An action that is unknown, or known and not served.
    #[must_use]
    pub fn not_served() -> Self {
        Self::from(codes::ACTION).with_message(format!("{} {NOT_HERE}", codes::ACTION.message))
    }

    /// What a failed use case reads like.
    #[must_use]
    pub fn of(app: &App, error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refused) => Self::refused(app, &refused),
            ServiceError::Unavailable(unavailable) => {
                tracing::warn!(error = &unavailable as &dyn core::error::Error, "unavailable");
                let mut failure = Self::from(codes::UNAVAILABLE);
                failure.0.drop_connection = matches!(unavailable, Unavailable::RehearsedDrop);
                failure
            }
            ServiceError::Bug(what) => {
                tracing::error!(what, "bug");
                Self::from(codes::INTERNAL)
            }
        }
    }

    /// A refusal that is not worth an event: it costs nothing and concerns no number.
    #[must_use]
    pub fn of_refusal(app: &App, refusal: Refusal) -> Self {
        let at = app.service.now();
        Self::refused(app, &Refused { refusal, id: None, number: None, at })
    }

    fn refused(app: &App, refused: &Refused) -> Self {
        let Some(words) = refusals::row(&refused.refusal, refused.at).cams else {
            tracing::error!(refusal = refused.refusal.id(), "bug: not a case of this dialect");
            return Self::from(codes::INTERNAL);
        };
        let mut failure = Self::from(words);
        if let Refusal::Upstream(words) = &refused.refusal {
            failure = failure.with_message(words.to_string());
        }
        let id = refused.id.map_or_else(|| refused.refusal.id().to_owned(), |id| id.to_string());
        failure.0.recommend = Some(format!("{}/explain/{id}", app.settings.public_url));
        failure.0.refusal = Some(refused.refusal.id());
        let opens_at = refused.refusal.opens_at();
        failure.0.opens_in_ms = opens_at.map(|at| at.since(refused.at).as_millis().max(1));
        if let Refusal::TooManyRequests { opens_at } = refused.refusal {
            failure.0.retry_after_ms = Some(opens_at.since(refused.at).as_millis().max(1));
        }
        failure
    }

    /// The same with another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same with another status, code and message.
    #[must_use]
    pub fn with_words(mut self, words: CamsWords) -> Self {
        self.0.status = words.status;
        self.0.code = words.code.into();
        self.0.message = words.message.into();
        self
    }

    /// Its HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The same with `AccessDeniedDetail`.
    #[must_use]
    pub fn with_access_denied(mut self, detail: Value) -> Self {
        self.0.access_denied = Some(detail);
        self
    }

    /// The same, of this operation.
    #[must_use]
    pub fn of_operation(mut self, operation: &'static Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// What it consists of.
    #[must_use]
    pub fn into_parts(self) -> Parts {
        *self.0
    }

    fn with_code(mut self, code: String) -> Self {
        self.0.code = code.into();
        self
    }
}

impl From<CamsWords> for Failure {
    fn from(words: CamsWords) -> Self {
        Self(Box::new(Parts {
            status: words.status,
            code: words.code.into(),
            message: words.message.into(),
            recommend: None,
            access_denied: None,
            retry_after_ms: None,
            refusal: None,
            opens_in_ms: None,
            operation: None,
            drop_connection: false,
        }))
    }
}

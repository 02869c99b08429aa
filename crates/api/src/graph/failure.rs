//! Everything that is not a success, ready for the wire (§5.1).

use std::borrow::Cow;

use http::StatusCode;
use registration::Refusal;
use serde_json::{Map, Value, json};
use service::explain::{in_words, wait_in_words};
use service::{Refused, ServiceError, Unavailable};

use super::codes::{self, Words};
use crate::refusals;
use crate::state::App;

/// What Rollcall is for, appended where something else is asked of it.
const NOT_HERE: &str = "Rollcall registers phone numbers; messages, templates and profiles belong to \
                        the platform that a number is registered on.";

/// A failure. Boxed inside, since most results are successes.
#[derive(Debug, Clone)]
pub struct Failure(Box<Parts>);

/// What a failure consists of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// HTTP status.
    pub status: StatusCode,
    /// `code`.
    pub code: u32,
    /// `error_subcode`.
    pub subcode: Option<u32>,
    /// `message`.
    pub message: Cow<'static, str>,
    /// `type`: `GraphMethodException` where the object is missing, else `OAuthException`.
    pub kind: &'static str,
    /// `error_user_title`.
    pub user_title: Option<&'static str>,
    /// `error_user_msg`.
    pub user_message: Option<String>,
    /// `error_data.details`.
    pub details: Option<String>,
    /// `is_transient`, where the dialect says so.
    pub is_transient: Option<bool>,
    /// `Retry-After`, which some clients honour though Meta does not send it (§6).
    pub retry_after_seconds: Option<u64>,
    /// Which of our refusals it is: another Rollcall in front of this one reads it, since one code stands for
    /// several of them.
    pub refusal: Option<&'static str>,
    /// The connection is cut instead of answering (a rehearsed fault).
    pub drop_connection: bool,
}

impl Failure {
    /// 100: a required parameter is not there.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::from(codes::PARAMETER)
            .with_message(format!("(#100) The parameter {name} is required."))
            .with_details(format!("Parameter {name} is missing."))
    }

    /// 100: a parameter has a value that cannot be.
    #[must_use]
    pub fn invalid(name: &str, problem: impl core::fmt::Display) -> Self {
        Self::from(codes::PARAMETER)
            .with_message(format!("(#100) Param {name} {problem}"))
            .with_details(format!("Parameter {name} {problem}."))
    }

    /// 100: the request cannot be read.
    #[must_use]
    pub fn malformed(problem: impl core::fmt::Display) -> Self {
        Self::from(codes::PARAMETER).with_message(format!("(#100) {problem}"))
    }

    /// The request ended before it was read: 100 with its own status, or 131000 if the server is to blame.
    #[must_use]
    pub fn rejected(status: StatusCode, words: &str) -> Self {
        let mut failure = if status.is_server_error() {
            Self::from(codes::INTERNAL)
        } else {
            Self::malformed(words)
        };
        failure.0.status = status;
        failure
    }

    /// 100/33: there is no such object, or not for this caller; the two look alike.
    #[must_use]
    pub fn no_object(verb: &str, id: &str) -> Self {
        // Whatever stands in the path is repeated in a bounded form only.
        let id: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
        Self::from(codes::PARAMETER).about_object(verb, &id)
    }

    /// 2500: the node has no such edge here.
    #[must_use]
    pub fn no_edge(path: &str) -> Self {
        let path: String = path.chars().filter(|c| !c.is_control()).take(128).collect();
        Self::from(codes::PATH)
            .with_message(format!("Unknown path components: {path}"))
            .with_details(NOT_HERE)
    }

    /// 200: the token lacks a scope.
    #[must_use]
    pub fn no_scope(scope: &str) -> Self {
        Self::from(codes::PERMISSION)
            .with_message(format!("(#200) Requires {scope} permission to manage the object"))
            .with_details(format!("The token lacks the scope {scope}. Make one that has it."))
    }

    /// What a failed use case reads like.
    #[must_use]
    pub fn of(app: &App, error: ServiceError) -> Self {
        match error {
            ServiceError::Refused(refused) => Self::refused(app, &refused),
            ServiceError::Unavailable(unavailable) => {
                tracing::warn!(error = &unavailable as &dyn core::error::Error, "unavailable");
                let mut failure = Self::from(codes::UNAVAILABLE)
                    .with_details("Nothing was changed; the same request may work later.");
                failure.0.retry_after_seconds = Some(1);
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
        let Some(words) = refusals::row(&refused.refusal, refused.at).graph else {
            tracing::error!(refusal = refused.refusal.id(), "bug: not a case of this dialect");
            return Self::from(codes::INTERNAL);
        };
        let explained = in_words(&refused.refusal);
        let id = refused.id.map_or_else(|| refused.refusal.id().to_owned(), |id| id.to_string());
        let link = format!("{}/explain/{id}", app.settings.public_url);
        let wait = refused.refusal.opens_at().map(|opens_at| opens_at.since(refused.at));
        let mut told = explained.title;
        if let Refusal::Upstream(words) = &refused.refusal {
            told = words.to_string();
        }
        if let Some(wait) = wait {
            told = format!("{told} Try again in {}.", wait_in_words(wait));
        }
        let seconds = |wait: core::time::Duration| {
            u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
        };
        Self(Box::new(Parts {
            status: words.status,
            code: words.code,
            subcode: words.subcode,
            message: words.message,
            kind: kind(words.code, words.subcode),
            user_title: words.user_title,
            user_message: Some(format!("{told} {}", explained.what_works)),
            details: Some(format!("{told} See {link}")),
            is_transient: Some(words.is_transient),
            retry_after_seconds: wait.map(seconds),
            refusal: Some(refused.refusal.id()),
            drop_connection: false,
        }))
    }

    /// The same with the verb and the object in the message, where an object is missing.
    #[must_use]
    pub fn about_object(mut self, verb: &str, id: &str) -> Self {
        self.0.subcode = Some(33);
        self.0.kind = kind(self.0.code, self.0.subcode);
        self.with_message(format!(
            "Unsupported {verb} request. Object with ID '{id}' does not exist, cannot be loaded due to \
             missing permissions, or does not support this operation. Please read the Graph API \
             documentation at https://developers.facebook.com/docs/graph-api"
        ))
    }

    /// Whether an object is missing.
    #[must_use]
    pub fn is_no_object(&self) -> bool {
        self.0.kind == NO_OBJECT
    }

    /// The same with another message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same with `error_data.details`.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.0.details = Some(details.into());
        self
    }

    /// The same with `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_seconds = Some(seconds.max(1));
        self
    }

    /// What it consists of.
    #[must_use]
    pub fn into_parts(self) -> Parts {
        *self.0
    }
}

impl Parts {
    /// The envelope.
    #[must_use]
    pub fn envelope(&self, trace: &str) -> Value {
        let mut error = Map::new();
        error.insert("message".to_owned(), json!(self.message));
        error.insert("type".to_owned(), json!(self.kind));
        error.insert("code".to_owned(), json!(self.code));
        if let Some(details) = &self.details {
            let data = json!({ "messaging_product": "whatsapp", "details": details });
            error.insert("error_data".to_owned(), data);
        }
        let optional = [
            ("error_subcode", self.subcode.map(Value::from)),
            ("is_transient", self.is_transient.map(Value::from)),
            ("error_user_title", self.user_title.map(Value::from)),
            ("error_user_msg", self.user_message.as_deref().map(Value::from)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                error.insert(name.to_owned(), value);
            }
        }
        error.insert("fbtrace_id".to_owned(), json!(trace));
        json!({ "error": error })
    }
}

impl From<Words> for Failure {
    fn from(words: Words) -> Self {
        Self(Box::new(Parts {
            status: words.status,
            code: words.code,
            subcode: words.subcode,
            message: words.message.into(),
            kind: kind(words.code, words.subcode),
            user_title: None,
            user_message: None,
            details: None,
            is_transient: words.is_transient.then_some(true),
            retry_after_seconds: None,
            refusal: None,
            drop_connection: false,
        }))
    }
}

const NO_OBJECT: &str = "GraphMethodException";

const fn kind(code: u32, subcode: Option<u32>) -> &'static str {
    if code == 100 && matches!(subcode, Some(33)) { NO_OBJECT } else { "OAuthException" }
}

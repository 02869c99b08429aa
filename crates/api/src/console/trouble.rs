//! What did not work, as a person should read it: what happened, which rule, when it opens, what to do.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::frame::{Frame, Preferences, Section, rendered};
use super::shape::Moment;
use super::texts::{Language, refusals};
use crate::bare_page::page_in;

/// Why something was not done: an error of the operator's API or of the sandbox, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub status: StatusCode,
    /// Fields at fault and what is wrong with them.
    pub fields: Vec<(String, String)>,
    /// The kind of refusal, where a rule said no.
    pub refusal: Option<String>,
    words: Box<Words>,
}

/// What the answer says about it.
#[derive(Debug, Clone, Default)]
struct Words {
    /// The message in English.
    message: String,
    /// Where this refusal is explained.
    explain: Option<String>,
    what_works: Option<String>,
    opens_at: Option<String>,
}

/// A box on a page that says what happened.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// `bad`, `good` or `info`: which colour.
    pub tone: &'static str,
    pub title: String,
    /// More of it, a paragraph each.
    pub lines: Vec<String>,
    /// What would work now.
    pub remedy: Option<String>,
    pub opens_at: Option<Moment>,
    /// A page that explains.
    pub explain: Option<String>,
    /// A text that is shown this once, to be copied.
    pub to_copy: Option<String>,
}

impl Trouble {
    /// Trouble of which nothing but the status is known.
    pub(super) fn of(status: StatusCode) -> Self {
        Self { status, fields: Vec::new(), refusal: None, words: Box::default() }
    }

    /// Trouble of one field.
    pub(super) fn field(name: &str, problem: impl Into<String>) -> Self {
        let fields = vec![(name.to_owned(), problem.into())];
        Self { fields, ..Self::of(StatusCode::UNPROCESSABLE_ENTITY) }
    }

    /// Reads an error of either API.
    pub(super) fn read(status: StatusCode, body: &Value) -> Self {
        let error = &body["error"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let fields = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
        let field = |detail: &Value| Some((text(&detail["field"])?, text(&detail["problem"])?));
        // The sandbox's form: {"error": text, "details": text or texts}.
        let of_sandbox = match &body["details"] {
            Value::String(details) => Some(details.clone()),
            Value::Array(details) => {
                Some(details.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => text(error),
        };
        let words = Words {
            message: text(&error["message"]).or(of_sandbox).unwrap_or_default(),
            explain: text(&error["explain"]),
            what_works: text(&error["what_works"]),
            opens_at: text(&error["opens_at"]),
        };
        Self {
            status,
            fields: fields.iter().filter_map(field).collect(),
            refusal: text(&error["refusal"]),
            words: words.into(),
        }
    }

    /// What is wrong with a field, if something is.
    pub(super) fn about(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, problem)| problem.as_str())
    }

    /// The trouble as a box.
    pub(super) fn notice(&self, frame: &Frame) -> Notice {
        let words = self.refusal.as_deref().and_then(refusals::german);
        let words = words.filter(|_| frame.language == Language::German);
        let (title, lines, remedy) = match words {
            Some(words) => {
                (words.title.to_owned(), vec![words.rule.to_owned()], Some(words.works.to_owned()))
            }
            None => self.english(frame),
        };
        // The same server: only the path counts, whatever its public address is.
        let explain = self.words.explain.as_deref().and_then(|href| href.rsplit_once("/explain/"));
        Notice {
            tone: "bad",
            title,
            lines,
            remedy,
            opens_at: self.words.opens_at.as_deref().and_then(Moment::parse),
            explain: explain.map(|(_, id)| format!("/console/explain/{id}")),
            to_copy: None,
        }
    }

    fn english(&self, frame: &Frame) -> (String, Vec<String>, Option<String>) {
        let t = &frame.t.common;
        if let Some(refusal) = &self.refusal {
            let words = refusals::english(refusal);
            let title =
                words.as_ref().map_or(self.words.message.clone(), |words| words.title.clone());
            let lines = words.map(|words| vec![words.rule]).unwrap_or_default();
            return (title, lines, self.words.what_works.clone());
        }
        match self.status {
            StatusCode::UNPROCESSABLE_ENTITY => {
                let lines = self.fields.iter().map(|(name, problem)| match name.as_str() {
                    "" => problem.clone(),
                    name => format!("{}: {problem}", frame.t.field(name)),
                });
                (t.check_the_form.to_owned(), lines.collect(), None)
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                (t.unavailable.to_owned(), Vec::new(), Some(t.unavailable_remedy.to_owned()))
            }
            StatusCode::INTERNAL_SERVER_ERROR => {
                (t.broken.to_owned(), Vec::new(), Some(t.broken_remedy.to_owned()))
            }
            _ if self.words.message.is_empty() => (t.not_done.to_owned(), Vec::new(), None),
            _ => (t.not_done.to_owned(), vec![self.words.message.clone()], None),
        }
    }
}

impl Notice {
    /// A short box of good news.
    pub(super) fn good(title: impl Into<String>) -> Self {
        Self {
            tone: "good",
            title: title.into(),
            lines: Vec::new(),
            remedy: None,
            opens_at: None,
            explain: None,
            to_copy: None,
        }
    }
}

/// The page for a request that ended before any page saw it. Who asked, nobody looked; the language is known.
pub(crate) fn rejected(headers: &HeaderMap, status: StatusCode) -> Response {
    let language = Preferences::of(headers).language;
    let t = &language.texts().common;
    let (title, remedy) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => (t.too_large, t.unreadable_remedy),
        status if status.is_server_error() => (t.broken, t.broken_remedy),
        _ => (t.not_done, t.unreadable_remedy),
    };
    let back = t.back_home;
    let body = format!("<p>{remedy}</p><p><a href=\"/console\">{back}</a></p>");
    page_in(language.as_str(), status, title, &body)
}

/// A page that says that something is not there, or not possible.
pub(super) struct ErrorPage {
    frame: Frame,
    status: StatusCode,
    sentence: Option<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct Page {
    f: Frame,
    title: &'static str,
    sentence: String,
    remedy: &'static str,
}

impl ErrorPage {
    pub(super) fn new(frame: Frame, status: StatusCode) -> Self {
        Self { frame, status, sentence: None }
    }

    /// Says it in these words.
    pub(super) fn saying(mut self, sentence: impl Into<String>) -> Self {
        self.sentence = Some(sentence.into());
        self
    }

    /// A page about trouble that left nothing to show.
    pub(super) fn about(frame: Frame, trouble: &Trouble) -> Self {
        let sentence = Some(&trouble.words.message).filter(|it| !it.is_empty()).cloned();
        Self { frame, status: trouble.status, sentence }
    }
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        let t = &self.frame.t.common;
        let (title, remedy) = match self.status {
            StatusCode::NOT_FOUND => (t.not_found, t.not_found_remedy),
            StatusCode::FORBIDDEN => (t.forbidden, t.forbidden_remedy),
            StatusCode::SERVICE_UNAVAILABLE => (t.unavailable, t.unavailable_remedy),
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                (t.check_the_form, t.unreadable_remedy)
            }
            _ => (t.broken, t.broken_remedy),
        };
        let sentence = self.sentence.unwrap_or_default();
        let f = self.frame.in_section(Section::None);
        rendered(self.status, &Page { f, title, sentence, remedy })
    }
}

//! `GET /numbers`: search as you type, filters, pages.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::super::Console;
use super::super::frame::{Frame, Section, ok, rendered};
use super::super::guard::url_encoded;
use super::super::shape::{fill, typed_number};
use super::super::trouble::{ErrorPage, Trouble};
use super::{Destination, PageOf, Summary, destinations};

/// Rows on a page.
const ROWS: usize = 50;

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    waba: String,
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "numbers.html")]
struct Page {
    f: Frame,
    wanted: Wanted,
    rows: Vec<Summary>,
    next: Option<String>,
    export: String,
    /// WABAs to choose from.
    wabas: Vec<Destination>,
    /// What is wrong with what is looked for.
    fault: Option<String>,
}

/// The same, but for the part that a search replaces.
#[derive(Template)]
#[template(path = "numbers.html", block = "results")]
struct Results {
    f: Frame,
    wanted: Wanted,
    rows: Vec<Summary>,
    next: Option<String>,
    export: String,
    fault: Option<String>,
}

impl Wanted {
    /// The query for the operator's API.
    pub(in crate::console) fn query(&self, limit: usize) -> String {
        let mut query = format!("/numbers?limit={limit}");
        let registered = match self.state.as_str() {
            "registered" => "true",
            "unregistered" => "false",
            _ => "",
        };
        let pairs = [
            ("prefix", typed_number(&self.q)),
            ("registered", registered.to_owned()),
            ("waba", self.waba.clone()),
            ("after", typed_number(&self.after)),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.extend(["&", name, "=", &url_encoded(&value)]);
        }
        query
    }

    fn is_everything(&self) -> bool {
        self.q.trim().is_empty() && self.state.is_empty() && self.waba.is_empty()
    }

    /// The same search for another page or form.
    fn own_query(&self, after: Option<&str>) -> String {
        let mut pairs = vec![("q", self.q.as_str()), ("state", &self.state), ("waba", &self.waba)];
        pairs.extend(after.map(|after| ("after", after)));
        let kept = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        kept.map(|(name, value)| format!("{name}={}", url_encoded(value)))
            .collect::<Vec<_>>()
            .join("&")
    }

    fn state_is(&self, word: &str) -> bool {
        self.state == word
    }
}

/// The page, or its results alone where the script asks.
pub(in crate::console) async fn page(
    State(console): State<Console>,
    frame: Frame,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    let frame = frame.in_section(Section::Numbers);
    let found: Result<PageOf<Summary>, Trouble> = console.inside.get(&wanted.query(ROWS)).await;
    let (rows, next, fault, status) = match found {
        Ok(found) => {
            let next = found.next.map(|next| wanted.own_query(Some(&next)));
            (found.items, next, None, StatusCode::OK)
        }
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {
            let notice = trouble.notice(&frame);
            (Vec::new(), None, Some(notice.lines.join(" ")), StatusCode::OK)
        }
        Err(trouble) => return ErrorPage::about(frame, &trouble).into_response(),
    };
    let export = wanted.own_query(None);
    if headers.contains_key("hx-request") {
        let results = Results { f: frame, wanted, rows, next, export, fault };
        return rendered(status, &results);
    }
    let all = destinations(&console, frame.t).await.unwrap_or_default();
    let wabas = all.into_iter().filter(|it| it.value.starts_with("waba:")).collect();
    ok(&Page { f: frame, wanted, rows, next, export, wabas, fault })
}

/// `12 numbers`, `the first 50; more follow`.
fn count(f: &Frame, rows: &[Summary], next: bool) -> String {
    let t = &f.t.numbers;
    match rows.len() {
        1 if !next => t.one_shown.to_owned(),
        n if next => fill(t.more_follow, n),
        n => fill(t.shown, n),
    }
}

//! `/audit`: everything that happened, and whether the chain of it holds.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;

use super::Console;
use super::frame::{Frame, Section, ok};
use super::guard::url_encoded;
use super::numbers::PageOf;
use super::numbers::show::{Entry, Happening, happening};
use super::shape::{digits, fill, international, typed_number};
use super::texts::story::part_words;
use super::trouble::{ErrorPage, Trouble};

/// Entries on a page.
const ROWS: usize = 50;

/// An entry with its place in the chain.
#[derive(Debug, Deserialize)]
struct Link {
    seq: u64,
    hash: String,
    subject: Subject,
    account: Option<String>,
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Debug, Clone, Deserialize)]
struct Subject {
    kind: String,
    id: Option<String>,
}

/// A row of the page.
struct Row {
    seq: u64,
    hash: String,
    subject: Subject,
    /// The kind of the subject, for people.
    kind: &'static str,
    account: Option<String>,
    it: Happening,
}

/// Whether the chain holds.
#[derive(Debug, Deserialize)]
struct Chain {
    holds: bool,
    entries: u64,
    head: String,
    problem: Option<String>,
}

/// What is looked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    number: String,
    #[serde(default)]
    before: String,
    #[serde(default)]
    verify: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    f: Frame,
    wanted: Wanted,
    rows: Vec<Row>,
    next: Option<String>,
    chain: Option<Chain>,
    fault: Option<String>,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Query(wanted): Query<Wanted>,
) -> Response {
    let frame = frame.in_section(Section::Audit);
    let chain = if wanted.verify.is_empty() {
        None
    } else {
        match console.inside.get("/audit/verify").await {
            Ok(chain) => Some(chain),
            Err(trouble) => return ErrorPage::about(frame, &trouble).into_response(),
        }
    };
    let found: Result<PageOf<Link>, Trouble> = console.inside.get(&wanted.query()).await;
    let (links, next, fault) = match found {
        Ok(found) => (found.items, found.next.map(|next| wanted.next(&next)), None),
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {
            (Vec::new(), None, Some(trouble.notice(&frame).lines.join(" ")))
        }
        Err(trouble) => return ErrorPage::about(frame, &trouble).into_response(),
    };
    let row = |link: Link| Row {
        seq: link.seq,
        hash: link.hash,
        kind: part_words(frame.language, &link.subject.kind),
        subject: link.subject,
        account: link.account,
        it: happening(&frame, link.entry),
    };
    let rows = links.into_iter().map(row).collect();
    ok(&Page { rows, f: frame, wanted, next, chain, fault })
}

impl Wanted {
    fn query(&self) -> String {
        let before = if self.before.is_empty() { "last" } else { &self.before };
        let mut query = format!("/audit?limit={ROWS}&before={}", url_encoded(before));
        let number = typed_number(&self.number);
        if !number.is_empty() {
            query.extend(["&number=%2B", &url_encoded(&number)]);
        }
        query
    }

    fn next(&self, before: &str) -> String {
        format!("{}&before={before}", self.query_here())
    }

    /// The page with the newest entries keeps up with what happens.
    fn is_live(&self) -> bool {
        self.before.is_empty() && self.verify.is_empty()
    }

    fn query_here(&self) -> String {
        format!("number={}", url_encoded(&self.number))
    }
}

//! `/names`: display names that wait for a verdict, and the verdict.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Console;
use super::frame::{Frame, Section, rendered};
use super::guard::{Fields, url_encoded};
use super::numbers::PageOf;
use super::numbers::show::number_path;
use super::shape::{Moment, digits, fill, international};
use super::trouble::{ErrorPage, Notice, Trouble};

/// Numbers on a page; nearly all have one name that waits.
const ROWS: usize = 25;

/// A number with names that wait, as the operator's API gives it.
#[derive(Debug, Deserialize)]
struct NumberNames {
    number: String,
    international: String,
    names: Vec<Waiting>,
}

#[derive(Debug, Deserialize)]
struct Waiting {
    waba: String,
    claim: String,
    name: String,
    in_force: Option<String>,
    asked_at: Moment,
}

/// A name on the page.
struct Row {
    number: String,
    international: String,
    it: Waiting,
}

#[derive(Template)]
#[template(path = "names.html")]
struct Page {
    f: Frame,
    rows: Vec<Row>,
    next: Option<String>,
    /// What can be wrong with a name: its word in the operator's API, and the words for people.
    faults: [(&'static str, &'static str); 6],
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    number: String,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Query(asked): Query<Asked>,
) -> Response {
    let t = &frame.t.names;
    let words = match asked.done.as_str() {
        "approve" => Some(t.done_approved),
        "decline" => Some(t.done_declined),
        _ => None,
    };
    let number = international(&format!("+{}", number_path(&asked.number)));
    let notice = words.map(|words| Notice::good(fill(words, number)));
    show(&console, frame.with(notice), &asked.after, StatusCode::OK).await
}

/// `POST /names`: approves or declines the name that was on the page, no other.
pub(super) async fn judge(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let number = number_path(fields.get("number").unwrap_or_default());
    let mut order = json!({ "waba": fields.get("waba"), "name": fields.raw("name") });
    let verdict = match fields.get("verdict") {
        Some("approve") => "approve",
        Some("decline") => {
            order["why"] = fields.get("why").unwrap_or("unknown").into();
            "decline"
        }
        _ => return ErrorPage::new(frame, StatusCode::UNPROCESSABLE_ENTITY).into_response(),
    };
    let path = format!("/numbers/{number}/name/{verdict}");
    match console.inside.send(Method::POST, &path, Some(order)).await {
        Ok(_) => {
            Redirect::to(&format!("/console/names?done={verdict}&number={number}")).into_response()
        }
        Err(trouble) => {
            let notice = in_words(&frame, &trouble);
            show(&console, frame.with(notice), "", trouble.status).await
        }
    }
}

/// Why a verdict was not noted.
fn in_words(frame: &Frame, trouble: &Trouble) -> Notice {
    let mut notice = trouble.notice(frame);
    if trouble.status == StatusCode::CONFLICT {
        notice.lines = vec![frame.t.names.another_name.to_owned()];
    }
    notice
}

async fn show(console: &Console, frame: Frame, after: &str, status: StatusCode) -> Response {
    let f = frame.in_section(Section::Names);
    let mut query = format!("/names?limit={ROWS}");
    if !after.is_empty() {
        query.extend(["&after=", &url_encoded(after)]);
    }
    let found: PageOf<NumberNames> = match console.inside.get(&query).await {
        Ok(found) => found,
        Err(trouble) => return ErrorPage::about(f, &trouble).into_response(),
    };
    let next = found.next.map(|next| url_encoded(&next));
    let rows = found.items.into_iter().flat_map(NumberNames::rows).collect();
    let t = &f.t.names;
    let faults = [
        ("unrelated", t.unrelated),
        ("format", t.format),
        ("inconsistent", t.inconsistent),
        ("individual", t.individual),
        ("employee", t.employee),
        ("unknown", t.unknown),
    ];
    rendered(status, &Page { f, rows, next, faults })
}

impl NumberNames {
    fn rows(self) -> impl Iterator<Item = Row> {
        let Self { number, international, names } = self;
        names.into_iter().map(move |it| Row {
            number: number.clone(),
            international: international.clone(),
            it,
        })
    }
}

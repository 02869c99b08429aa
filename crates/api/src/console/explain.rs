//! `GET /explain/{id}`: a refusal in plain words, as a page.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use service::explain::Explanation;

use super::Console;
use super::frame::{Frame, Section, ok};
use super::shape::Moment;
use super::texts::{Language, refusals};
use super::trouble::{ErrorPage, Trouble};

#[derive(Template)]
#[template(path = "explain.html")]
struct Page {
    f: Frame,
    id: String,
    title: String,
    rule: String,
    works: String,
    number: Option<String>,
    at: Option<Moment>,
    opens_at: Option<Moment>,
    left: Option<u64>,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Path(id): Path<String>,
) -> Response {
    match console.app.service.explain(&id).await {
        Ok(Some(explanation)) => ok(&explained(frame, explanation)),
        Ok(None) => ErrorPage::new(frame, StatusCode::NOT_FOUND).into_response(),
        Err(error) => {
            tracing::warn!(%error, "a refusal could not be explained");
            let trouble = Trouble::of(StatusCode::SERVICE_UNAVAILABLE);
            ErrorPage::about(frame, &trouble).into_response()
        }
    }
}

fn explained(frame: Frame, e: Explanation) -> Page {
    let german = refusals::german(&e.refusal).filter(|_| frame.language == Language::German);
    let (title, rule, works) = match german {
        Some(words) => (words.title.to_owned(), words.rule.to_owned(), words.works.to_owned()),
        None => (e.title, e.rule, e.what_works),
    };
    let left = ["guesses_left", "tries_left"].iter().find_map(|key| e.particulars[*key].as_u64());
    Page {
        f: frame.in_section(Section::None),
        id: e.refusal,
        title,
        rule,
        works,
        number: e.number,
        at: e.at.map(Moment::from),
        opens_at: e.opens_at.map(Moment::from),
        left,
    }
}

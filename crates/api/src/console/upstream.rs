//! `/upstream/{waba}`: a registrar upstream, and what differs between there and here.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::Console;
use super::frame::{Frame, Section, rendered};
use super::guard::url_encoded;
use super::shape::{Moment, digits, fill, international};
use super::texts::Language;
use super::trouble::{ErrorPage, Notice, Trouble};

/// Numbers that are shown; those that need somebody come first.
const SHOWN_MAX: usize = 200;

/// A registrar upstream, as the operator's API gives it.
#[derive(Debug, Deserialize)]
struct Authority {
    waba: String,
    registrar: String,
    remote_id: String,
    base_url: String,
    version: Option<String>,
    limit: Option<Limit>,
    created_at: Moment,
}

/// What it said lately about its own limits.
#[derive(Debug, Deserialize)]
struct Limit {
    used_percent: u64,
    slowed: bool,
    closed_until: Option<Moment>,
}

/// What is known about a number there.
#[derive(Debug, Deserialize)]
struct Known {
    number: String,
    status: Option<String>,
    registered: Option<bool>,
    seen_at: Option<Moment>,
    unsettled: bool,
    drift: Option<String>,
}

#[derive(Debug, Deserialize)]
struct List {
    items: Vec<Known>,
}

#[derive(Template)]
#[template(path = "upstream.html")]
struct Page {
    f: Frame,
    it: Authority,
    count: u64,
    differ: u64,
    unsettled: u64,
    /// When a number was last seen there.
    seen_at: Option<Moment>,
    rows: Vec<Known>,
    /// Whether there are more than are shown.
    cut: bool,
}

/// The page.
pub(super) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Path(waba): Path<String>,
) -> Response {
    show(&console, frame, &waba, StatusCode::OK).await
}

/// `POST /upstream/{waba}`: compares the numbers there with those here, now.
pub(super) async fn compare(
    State(console): State<Console>,
    frame: Frame,
    Path(waba): Path<String>,
) -> Response {
    let path = format!("{}/compare", path_of(&waba));
    match console.inside.send(Method::POST, &path, None).await {
        Ok(_) => {
            let notice = Notice::good(frame.t.upstream.compared);
            show(&console, frame.with(notice), &waba, StatusCode::OK).await
        }
        Err(trouble) => {
            let mut notice = trouble.notice(&frame);
            if trouble.status == StatusCode::SERVICE_UNAVAILABLE {
                frame.t.overview.upstream_not_reached.clone_into(&mut notice.title);
                notice.lines = vec![frame.t.upstream.not_compared.to_owned()];
            }
            show(&console, frame.with(notice), &waba, trouble.status).await
        }
    }
}

fn path_of(waba: &str) -> String {
    format!("/wabas/{}/upstream", url_encoded(waba).replace('/', "%2F"))
}

async fn show(console: &Console, frame: Frame, waba: &str, status: StatusCode) -> Response {
    let f = frame.in_section(Section::Overview);
    match load(console, waba).await {
        Ok((it, rows)) => rendered(status, &Page::new(f, it, rows)),
        Err(trouble) => ErrorPage::about(f, &trouble).into_response(),
    }
}

async fn load(console: &Console, waba: &str) -> Result<(Authority, Vec<Known>), Trouble> {
    let path = path_of(waba);
    let it: Authority = console.inside.get(&path).await?;
    let known: List = console.inside.get(&format!("{path}/numbers")).await?;
    Ok((it, known.items))
}

impl Known {
    /// What differs, in the language of the page; what has no words there stays as it was told.
    fn drift_words(&self, f: &Frame) -> Option<String> {
        let told = self.drift.as_deref()?;
        let (of, here) = (&Language::English.texts().upstream, &f.t.upstream);
        let words = [
            (of.drift_gone, here.drift_gone),
            (of.drift_not_there, here.drift_not_there),
            (of.drift_not_here, here.drift_not_here),
            (of.drift_pin_off, here.drift_pin_off),
            (of.drift_pin_unknown, here.drift_pin_unknown),
        ];
        // What follows is in the upstream's own words: ` (DISCONNECTED)`.
        let found =
            words.iter().find_map(|(english, own)| Some((own, told.strip_prefix(english)?)));
        Some(found.map_or_else(|| told.to_owned(), |(own, rest)| format!("{own}{rest}")))
    }
}

impl Authority {
    /// Until when it is not called, if it is not.
    fn closed_until(&self) -> Option<Moment> {
        self.limit.as_ref()?.closed_until
    }
}

impl Page {
    fn new(f: Frame, it: Authority, mut rows: Vec<Known>) -> Self {
        let count = |fits: fn(&Known) -> bool| rows.iter().filter(|row| fits(row)).count() as u64;
        let (differ, unsettled) = (count(|row| row.drift.is_some()), count(|row| row.unsettled));
        let (count, seen_at) = (count(|_| true), rows.iter().filter_map(|row| row.seen_at).max());
        rows.sort_by_key(|row| (row.drift.is_none(), !row.unsettled));
        let cut = rows.len() > SHOWN_MAX;
        rows.truncate(SHOWN_MAX);
        Self { f, it, count, differ, unsettled, seen_at, rows, cut }
    }
}

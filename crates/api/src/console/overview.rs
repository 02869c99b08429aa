//! `/`: how much there is, what happened lately, what was refused and why.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;

use super::Console;
use super::frame::{Frame, Section, ok};
use super::numbers::PageOf;
use super::numbers::show::{Entry, Happening, happening};
use super::shape::{Moment, digits, fill, international};
use super::texts::story::refusal_title;
use super::trouble::{ErrorPage, Trouble};

/// Events that the charts are drawn from at most; older ones are left out, and the page says so.
const EVENTS_MAX: usize = 4000;

/// Events in a request: the most that the operator's API gives.
const STRIDE: usize = 200;

/// Hours that the charts show.
const HOURS: i64 = 24;

const HOUR_MS: i64 = 3_600_000;

/// Events that are listed.
const LATEST: usize = 8;

#[derive(Debug, Deserialize)]
struct Statistics {
    numbers_known: u64,
    numbers_registered: u64,
}

#[derive(Debug, Deserialize)]
struct Status {
    version: String,
    mode: String,
    started_at: Moment,
    key_epochs: Vec<u32>,
}

/// A message, as far as its fate is counted.
#[derive(Debug, Deserialize)]
struct Fate {
    state: String,
    sender: Option<String>,
}

/// A kind of refusal and how often it was given.
struct Refused {
    id: String,
    title: String,
    count: usize,
    percent: usize,
}

/// A sender and what became of its messages.
struct Sender {
    name: String,
    went: usize,
    failed: usize,
}

/// What happened in the hours shown.
#[derive(Default)]
struct Lately {
    entries: Vec<(Entry, Option<String>)>,
    /// Whether there was more than could be looked at.
    cut: bool,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    f: Frame,
    statistics: Statistics,
    status: Status,
    codes: usize,
    registrations: usize,
    refusals: usize,
    chart: String,
    refused: Vec<Refused>,
    senders: Vec<Sender>,
    latest: Vec<(Happening, Option<String>)>,
    cut: bool,
}

/// The page.
pub(super) async fn page(State(console): State<Console>, frame: Frame) -> Response {
    let frame = frame.in_section(Section::Overview).with_charts();
    match load(&console, frame.clone()).await {
        Ok(page) => ok(&page),
        Err(trouble) => ErrorPage::about(frame, &trouble).into_response(),
    }
}

async fn load(console: &Console, f: Frame) -> Result<Page, Trouble> {
    let statistics = console.inside.get("/statistics").await?;
    let status = console.inside.get("/status").await?;
    let fates: PageOf<Fate> = console.inside.get(&format!("/sends?limit={STRIDE}")).await?;
    let lately = lately(console, f.now.millis() - HOURS * HOUR_MS).await?;
    let count = |kind: &str| lately.entries.iter().filter(|(it, _)| it.kind == kind).count();
    let (codes, registrations) = (count("code_requested"), count("registered"));
    let refusals = count("refused");
    let chart = chart(&f, &lately);
    let refused = refused(&f, &lately);
    let cut = lately.cut;
    let latest = lately.entries.into_iter().take(LATEST);
    let latest = latest.map(|(entry, number)| (happening(&f, entry), number)).collect();
    Ok(Page {
        statistics,
        status,
        codes,
        registrations,
        refusals,
        chart,
        refused,
        senders: senders(fates.items),
        latest,
        cut,
        f,
    })
}

/// The events since `from`, the latest first, each with the number it is about.
async fn lately(console: &Console, from: i64) -> Result<Lately, Trouble> {
    #[derive(Deserialize)]
    struct About {
        kind: String,
        id: Option<String>,
    }
    #[derive(Deserialize)]
    struct Whole {
        subject: About,
        #[serde(flatten)]
        entry: Entry,
    }
    let mut lately = Lately::default();
    let mut before = "last".to_owned();
    while lately.entries.len() < EVENTS_MAX {
        let path = format!("/audit?limit={STRIDE}&before={before}");
        let page: PageOf<Whole> = console.inside.get(&path).await?;
        let found = page.items.len();
        let fresh = page.items.into_iter().take_while(|it| it.entry.at.millis() >= from);
        lately.entries.extend(fresh.map(|it| {
            let number = it.subject.id.filter(|_| it.subject.kind == "number");
            (it.entry, number)
        }));
        let reached = lately.entries.len() % STRIDE != 0 || found < STRIDE;
        match page.next {
            Some(next) if !reached => before = next,
            _ => return Ok(lately),
        }
    }
    lately.cut = true;
    Ok(lately)
}

/// What the chart draws, as JSON: labels, then hours and a line for each label.
fn chart(f: &Frame, lately: &Lately) -> String {
    let t = &f.t.overview;
    let last = f.now.millis() / HOUR_MS;
    let hours: Vec<i64> = (last - HOURS + 1..=last).collect();
    let line = |kind: &str| -> Vec<usize> {
        let of_kind: Vec<i64> = lately
            .entries
            .iter()
            .filter(|(entry, _)| entry.kind == kind)
            .map(|(entry, _)| entry.at.millis() / HOUR_MS)
            .collect();
        hours.iter().map(|hour| of_kind.iter().filter(|at| *at == hour).count()).collect()
    };
    let seconds: Vec<i64> = hours.iter().map(|hour| hour * 3600).collect();
    json!({
        "labels": [t.registrations, t.codes, t.refusals],
        "data": [seconds, line("registered"), line("code_requested"), line("refused")],
    })
    .to_string()
}

/// Kinds of refusals, the most frequent first.
fn refused(f: &Frame, lately: &Lately) -> Vec<Refused> {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for (entry, _) in &lately.entries {
        if let Some(id) = entry.details["refusal"].as_str().filter(|_| entry.kind == "refused") {
            *counts.entry(id).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(id, count)| (core::cmp::Reverse(*count), *id));
    let most = counts.first().map_or(1, |(_, count)| *count);
    let row = |(id, count): (&str, usize)| Refused {
        id: id.to_owned(),
        title: refusal_title(f.language, id),
        count,
        percent: count * 100 / most,
    };
    counts.into_iter().take(LATEST).map(row).collect()
}

fn senders(fates: Vec<Fate>) -> Vec<Sender> {
    let mut senders = std::collections::BTreeMap::<String, (usize, usize)>::new();
    for fate in fates {
        let Some(name) = fate.sender else { continue };
        let (went, failed) = senders.entry(name).or_default();
        if fate.state == "failed" { *failed += 1 } else { *went += 1 }
    }
    let sender = |(name, (went, failed))| Sender { name, went, failed };
    senders.into_iter().map(sender).collect()
}

//! `/`: how much there is, what happened lately, what was refused and why.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use service::directory::EntityKind;

use super::Console;
use super::frame::{Frame, Section, ok};
use super::guard::{Fields, url_encoded};
use super::numbers::PageOf;
use super::numbers::show::{Entry, Happening, happening};
use super::shape::{Moment, digits, fill, international};
use super::texts::story::refusal_title;
use super::trouble::{ErrorPage, Notice, Trouble};

/// Events that the charts are drawn from at most; older ones are left out, and the page says so.
const EVENTS_MAX: usize = 4000;

/// Events in a request: the most that the operator's API gives.
const STRIDE: usize = 200;

/// Hours that the charts show.
const HOURS: i64 = 24;

const HOUR_MS: i64 = 3_600_000;

/// Events that are listed.
const LATEST: usize = 8;

#[expect(clippy::struct_field_names, reason = "as in the operator's API")]
#[derive(Debug, Deserialize)]
struct Statistics {
    numbers_known: u64,
    numbers_registered: u64,
    numbers_verified: u64,
    numbers_awaiting_code: u64,
    numbers_unverified: u64,
    numbers_locked: u64,
}

/// A state and how many numbers are in it.
struct InState {
    /// How its pill is drawn.
    look: &'static str,
    words: &'static str,
    count: u64,
    /// Which list it is in.
    list: &'static str,
}

impl Statistics {
    /// The states of numbers, what is reached first; the last one goes with any other.
    fn states(&self, f: &Frame) -> [InState; 5] {
        let words = &f.t.state;
        let state = |look, words, count, list| InState { look, words, count, list };
        [
            state("registered", words.registered, self.numbers_registered, "?state=registered"),
            state("verified", words.verified, self.numbers_verified, "?state=unregistered"),
            state("awaiting", words.awaiting, self.numbers_awaiting_code, "?state=unregistered"),
            state("unverified", words.unverified, self.numbers_unverified, "?state=unregistered"),
            state("locked", words.locked, self.numbers_locked, ""),
        ]
    }
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

/// What guards the money.
#[derive(Debug, Deserialize)]
struct Fuses {
    mode: String,
    currency: String,
    budgets: Vec<Budget>,
    ranges: Vec<Range>,
}

/// A budget; amounts are in millionths of the currency.
#[derive(Debug, Deserialize)]
struct Budget {
    fuse: String,
    of: String,
    spent: u64,
    limit: Option<u64>,
    resets_at: Moment,
}

/// Numbers that begin alike.
#[derive(Debug, Deserialize)]
struct Range {
    prefix: String,
    sent: u32,
    used: u32,
    stopped_until: Option<Moment>,
}

impl Status {
    /// The mode in words.
    fn mode_words(&self, f: &Frame) -> &'static str {
        if self.mode == "sandbox" { f.t.nav.sandbox_badge } else { f.t.overview.production }
    }
}

impl Fuses {
    /// The mode in words.
    fn mode_words(&self, f: &Frame) -> &'static str {
        match self.mode.as_str() {
            "enforce" => f.t.overview.fuses_enforce,
            "shadow" => f.t.overview.fuses_shadow,
            _ => f.t.overview.fuses_off,
        }
    }

    /// Ranges to which no code is sent now.
    fn stopped(&self) -> impl Iterator<Item = (&Range, Moment)> {
        self.ranges.iter().filter_map(|it| Some((it, it.stopped_until?)))
    }
}

impl Budget {
    fn of_whom(&self, f: &Frame) -> String {
        let words = &f.t.overview;
        if self.fuse == "country-hour" {
            fill(words.of_country, &self.of)
        } else {
            fill(words.of_account, &self.of)
        }
    }

    /// What is spent, and of how much.
    fn amounts(&self) -> String {
        let limit = self.limit.map_or(String::new(), |limit| format!(" / {}", money(limit)));
        format!("{}{limit}", money(self.spent))
    }

    /// How much of it is spent, in percent; nothing of one without a limit.
    fn percent(&self) -> u64 {
        self.limit.map_or(0, |limit| (self.spent.saturating_mul(100) / limit.max(1)).min(100))
    }

    /// Whether less than a tenth is left.
    fn is_low(&self) -> bool {
        self.percent() > 90
    }
}

/// An amount in millionths, in hundredths for people.
fn money(millionths: u64) -> String {
    let hundredths = millionths.div_ceil(10_000);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A WABA whose authority is elsewhere.
struct Authority {
    waba: String,
    registrar: String,
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
    fuses: Fuses,
    authorities: Vec<Authority>,
    /// Whether a display name waits for a verdict.
    names_wait: bool,
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
    let names: PageOf<serde_json::Value> = console.inside.get("/names?limit=1").await?;
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
        fuses: console.inside.get("/fuses").await?,
        authorities: authorities(console).await?,
        names_wait: !names.items.is_empty(),
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
        "time": f.t.audit.when,
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

/// WABAs whose numbers are registered upstream.
async fn authorities(console: &Console) -> Result<Vec<Authority>, Trouble> {
    const SHOWN_MAX: usize = 50;
    let kind = EntityKind::Upstream;
    let found = console.app.service.entities(kind, None, None, SHOWN_MAX).await;
    let found = found.map_err(|_| Trouble::of(StatusCode::SERVICE_UNAVAILABLE))?;
    let mut authorities = Vec::new();
    for entity in found {
        let waba = entity.key().id;
        let path = format!("/wabas/{}/upstream", url_encoded(&waba));
        let shown: serde_json::Value = console.inside.get(&path).await?;
        let registrar = shown["registrar"].as_str().unwrap_or_default().to_owned();
        authorities.push(Authority { waba, registrar });
    }
    Ok(authorities)
}

/// `POST /upstream`: whether a registrar upstream is reached and takes our credentials.
pub(super) async fn check(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let waba = fields.get("waba").unwrap_or_default();
    let path = format!("/wabas/{}/upstream/check", url_encoded(waba).replace('/', "%2F"));
    let o = &frame.t.overview;
    let notice = match console.inside.send(Method::POST, &path, None).await {
        Ok(found) if found["reached"] == true => Notice::good(o.upstream_reached),
        Ok(found) => {
            let mut notice = Notice::good(o.upstream_not_reached);
            notice.tone = "bad";
            notice.lines.extend(found["problem"].as_str().map(str::to_owned));
            notice
        }
        Err(trouble) => trouble.notice(&frame),
    };
    page(State(console), frame.with(notice)).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_rounded_up_to_hundredths() {
        for (millionths, shown) in
            [(0, "0.00"), (1, "0.01"), (75_000, "0.08"), (12_340_000, "12.34")]
        {
            assert_eq!(money(millionths), shown);
        }
    }
}

//! `GET /numbers/{number}`: everything about one number.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::super::Console;
use super::super::frame::{Frame, Section, rendered};
use super::super::shape::{Moment, kind_words};
use super::super::texts::story::{Sentence, sentence};
use super::super::trouble::{ErrorPage, Notice, Trouble};
use super::{Destination, Details, PageOf, destinations};

/// Events that are shown; the audit trail has them all.
const STORY_SHOWN: usize = 60;

/// An event of the story.
pub(in crate::console) struct Happening {
    pub at: Moment,
    pub actor: String,
    pub dialect: String,
    pub sentence: Sentence,
    /// Where a refusal is explained.
    pub explain: Option<String>,
}

/// An entry of the audit trail.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Entry {
    id: String,
    pub at: Moment,
    pub actor: String,
    pub kind: String,
    pub details: Value,
}

/// A message of the ledger.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Message {
    pub method: String,
    pub decided_at: Moment,
    pub state: String,
    pub reason: Option<String>,
    pub attempts: u32,
    pub sender: Option<String>,
    pub provider_id: Option<String>,
}

/// A certificate that was made just now.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Certificate {
    #[serde(rename = "certificate")]
    pub text: String,
    pub serial: Option<u64>,
    pub expires_at: Option<Moment>,
}

#[derive(Template)]
#[template(path = "number.html")]
struct Page {
    f: Frame,
    number: Details,
    story: Vec<Happening>,
    messages: Vec<Message>,
    destinations: Vec<Destination>,
    certificate: Option<Certificate>,
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::console) struct Asked {
    #[serde(default)]
    done: String,
}

/// The page.
pub(in crate::console) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let notice = done_words(&frame, &asked.done).map(Notice::good);
    of_number(&console, frame.with(notice), &number_path(&number), StatusCode::OK, None).await
}

/// The page of a number, whatever led to it.
pub(in crate::console) async fn of_number(
    console: &Console,
    frame: Frame,
    digits: &str,
    status: StatusCode,
    certificate: Option<Certificate>,
) -> Response {
    let frame = frame.in_section(Section::Numbers);
    match load(console, &frame, digits).await {
        Ok((number, story, messages, destinations)) => {
            let page = Page { f: frame, number, story, messages, destinations, certificate };
            rendered(status, &page)
        }
        Err(trouble) => ErrorPage::about(frame, &trouble).into_response(),
    }
}

type Loaded = (Details, Vec<Happening>, Vec<Message>, Vec<Destination>);

async fn load(console: &Console, frame: &Frame, digits: &str) -> Result<Loaded, Trouble> {
    let number: Details = console.inside.get(&format!("/numbers/{digits}")).await?;
    let query = format!("/sends?number=%2B{digits}&limit=20");
    let messages: PageOf<Message> = console.inside.get(&query).await?;
    let story = story(console, frame, digits).await?;
    let destinations = destinations(console, frame.t).await?;
    Ok((number, story, messages.items, destinations))
}

/// What happened to a number, the latest first.
async fn story(console: &Console, frame: &Frame, digits: &str) -> Result<Vec<Happening>, Trouble> {
    let query = format!("/audit?number=%2B{digits}&before=last&limit={STORY_SHOWN}");
    let page: PageOf<Entry> = console.inside.get(&query).await?;
    Ok(page.items.into_iter().map(|it| happening(frame, it)).collect())
}

/// An event in plain words.
pub(in crate::console) fn happening(frame: &Frame, entry: Entry) -> Happening {
    let refused = entry.kind == "refused";
    Happening {
        at: entry.at,
        dialect: entry.details["dialect"].as_str().unwrap_or_default().to_owned(),
        sentence: sentence(frame.language, &entry.kind, &entry.details),
        explain: refused.then(|| format!("/console/explain/{}", entry.id)),
        actor: entry.actor,
    }
}

/// The digits of a number in an address; nothing else gets into the paths that are built from it.
pub(in crate::console) fn number_path(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).take(15).collect()
}

/// The good news that a redirect brings along.
pub(in crate::console) fn done_words(frame: &Frame, done: &str) -> Option<&'static str> {
    let t = &frame.t.numbers;
    Some(match done {
        "code_sent" => t.done_code_sent,
        "registered" => t.done_registered,
        "already_registered" => t.done_already,
        "verified" => t.done_verified,
        "deregistered" => t.done_deregistered,
        "unlocked" => t.done_unlocked,
        "pin_set" => t.done_pin_set,
        "pin_cleared" => t.done_pin_cleared,
        "pin_link" => t.done_pin_link,
        _ => return None,
    })
}

impl Message {
    /// The word for its state.
    fn state_words(&self, f: &Frame) -> &'static str {
        let t = &f.t.state;
        match self.state.as_str() {
            "decided" => t.decided,
            "claimed" => t.claimed,
            "handed_over" => t.handed_over,
            "delivered" => t.delivered,
            _ => t.failed,
        }
    }

    /// The word for its channel.
    fn channel_words(&self, f: &Frame) -> &'static str {
        if self.method == "voice" { f.t.state.voice } else { f.t.state.sms }
    }
}

impl Details {
    /// `Mobile · GB`.
    fn kind_line(&self, f: &Frame) -> String {
        let kind = self.kind.as_deref().map_or(f.t.kinds.unknown, |kind| kind_words(f.t, kind));
        match &self.region {
            Some(region) => format!("{kind} · {region}"),
            None => kind.to_owned(),
        }
    }
}

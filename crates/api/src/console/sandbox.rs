//! `/sandbox`: a telephone to look at, a clock to turn, trouble to order. Production has no such page.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::frame::{Frame, Section, ok, rendered};
use super::guard::{Fields, url_encoded};
use super::rehearse::rehearse;
use super::shape::{Moment, digits, fill, international};
use super::trouble::{ErrorPage, Notice, Trouble};

/// Operations that a fault may be limited to.
const OPERATIONS: [&str; 9] = service::ports::OPERATIONS;

/// Messages on the telephone.
const MESSAGES: usize = 30;

/// A message of the inbox.
#[derive(Deserialize)]
struct Message {
    id: String,
    number: String,
    channel: String,
    code: String,
    text: String,
    locale: String,
    at: Moment,
}

/// A link within a text.
#[derive(Debug, PartialEq, Eq)]
struct Link<'a> {
    before: &'a str,
    /// As it stands in the mail: with the public address of the server, if it has one.
    shown: &'a str,
    /// Where it leads on this server: whoever reads it here has reached it.
    path: &'a str,
    after: &'a str,
}

/// A number that is trouble by itself.
#[derive(Debug, Deserialize)]
struct Magic {
    number: String,
    operation: String,
    method: Option<String>,
    refusal: Option<String>,
    cause: Option<String>,
}

/// Trouble that was ordered.
#[derive(Debug, Deserialize)]
struct Fault {
    id: u64,
    dialect: Option<String>,
    operation: Option<String>,
    number: Option<String>,
    probability: f64,
    latency_ms: Option<u64>,
    refusal: Option<String>,
    #[serde(default)]
    unavailable: bool,
    #[serde(default)]
    drop: bool,
    struck: u64,
}

#[derive(Template)]
#[template(path = "sandbox.html")]
struct Page {
    f: Frame,
    messages: Vec<Message>,
    magic: Vec<Magic>,
    faults: Vec<Fault>,
    refusals: Vec<&'static str>,
    seed: String,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPart {
    f: Frame,
    messages: Vec<Message>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: String,
}

/// `GET /sandbox`.
pub(super) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Query(asked): Query<Asked>,
) -> Response {
    let t = &frame.t.sandbox;
    let done = match asked.done.as_str() {
        "clock" => Some(t.done_clock),
        "reset" => Some(t.done_reset),
        "seed" => Some(t.done_seed),
        "saved" => Some(t.done_saved),
        "restored" => Some(t.done_restored),
        "fault" => Some(t.done_fault),
        "calm" => Some(t.done_calm),
        _ => None,
    };
    let frame = frame.with(done.map(Notice::good));
    show(&console, frame, StatusCode::OK, String::new()).await
}

/// `GET /sandbox/inbox`: the telephone alone.
pub(super) async fn inbox(State(console): State<Console>, frame: Frame) -> Response {
    match messages(&console).await {
        Ok(messages) => ok(&InboxPart { f: frame, messages }),
        Err(trouble) => trouble.status.into_response(),
    }
}

/// `POST /sandbox/clock`.
pub(super) async fn clock(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let turn = match fields.get("turn").unwrap_or_default() {
        "freeze" => json!({ "freeze": true }),
        "resume" => json!({ "resume": true }),
        "set" => json!({ "set": moment(fields.get("set").unwrap_or_default()) }),
        seconds => json!({ "advance_seconds": seconds.parse::<f64>().unwrap_or(-1.0) }),
    };
    act(&console, frame, Method::POST, "/clock", Some(turn), "clock").await
}

/// `POST /sandbox/reset`.
pub(super) async fn reset(State(console): State<Console>, frame: Frame) -> Response {
    act(&console, frame, Method::POST, "/reset", Some(json!({})), "reset").await
}

/// `POST /sandbox/seed`.
pub(super) async fn seed(State(console): State<Console>, frame: Frame, fields: Fields) -> Response {
    let seed = fields.raw("seed").to_owned();
    match console.inside.sandbox_seed(seed.clone()).await {
        Ok(_) => done("seed"),
        Err(trouble) => {
            let notice = trouble.notice(&frame);
            show(&console, frame.with(notice), trouble.status, seed).await
        }
    }
}

/// `POST /sandbox/snapshot`: keeps or brings back.
pub(super) async fn snapshot(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let name = url_encoded(fields.get("name").unwrap_or_default()).replace('/', "%2F");
    let (path, word) = match fields.get("what") {
        Some("restore") => (format!("/snapshots/{name}/restore"), "restored"),
        _ => (format!("/snapshots/{name}"), "saved"),
    };
    act(&console, frame, Method::POST, &path, None, word).await
}

/// `POST /sandbox/faults`.
pub(super) async fn add_fault(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let mut fault = json!({});
    for name in ["dialect", "operation", "number"] {
        if let Some(value) = fields.get(name) {
            fault[name] = value.into();
        }
    }
    for (name, percent) in [("latency_ms", false), ("probability", true)] {
        let Some(value) = fields.get(name) else { continue };
        fault[name] = match (value.parse::<u32>(), percent) {
            (Ok(value), true) => json!(f64::from(value) / 100.0),
            (Ok(value), false) => json!(value),
            (Err(_), _) => value.into(),
        };
    }
    match fields.get("effect") {
        Some("unavailable") => fault["unavailable"] = true.into(),
        Some("drop") => fault["drop"] = true.into(),
        Some("none") | None => {}
        Some(refusal) => fault["refusal"] = refusal.into(),
    }
    act(&console, frame, Method::POST, "/faults", Some(fault), "fault").await
}

/// `POST /sandbox/faults/{id}/remove`, with `all` for every one.
pub(super) async fn remove_fault(
    State(console): State<Console>,
    frame: Frame,
    Path(id): Path<String>,
) -> Response {
    let path = match id.parse::<u64>() {
        Ok(id) => format!("/faults/{id}"),
        Err(_) => "/faults".to_owned(),
    };
    act(&console, frame, Method::DELETE, &path, None, "calm").await
}

/// `POST /sandbox/try`: does what a magic number is about, and shows what comes of it.
pub(super) async fn try_magic(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let number = fields.get("number").unwrap_or_default();
    let (operation, method) = (fields.get("operation").unwrap_or_default(), fields.get("method"));
    let t = &frame.t.sandbox;
    let tried = rehearse(&console, &digits(number), operation, method.unwrap_or("sms")).await;
    let heading = fill(t.tried, format!("{} · {operation}", international(number)));
    let notice = match tried {
        Ok(()) => {
            let mut notice = Notice::good(t.tried_worked);
            notice.lines.push(heading);
            notice
        }
        Err(trouble) => {
            let mut notice = trouble.notice(&frame);
            // Trouble was what was asked for.
            notice.tone = "info";
            notice.lines.insert(0, heading);
            notice
        }
    };
    show(&console, frame.with(notice), StatusCode::OK, String::new()).await
}

async fn act(
    console: &Console,
    frame: Frame,
    method: Method,
    path: &str,
    body: Option<Value>,
    word: &str,
) -> Response {
    match console.inside.sandbox_send(method, path, body).await {
        Ok(_) => done(word),
        Err(trouble) => {
            let notice = trouble.notice(&frame);
            show(console, frame.with(notice), trouble.status, String::new()).await
        }
    }
}

fn done(word: &str) -> Response {
    Redirect::to(&format!("/console/sandbox?done={word}")).into_response()
}

async fn show(console: &Console, frame: Frame, status: StatusCode, seed: String) -> Response {
    let f = frame.in_section(Section::Sandbox);
    match load(console).await {
        Ok((messages, magic, faults)) => {
            let catalogue = service::explain::catalogue();
            let refusals = catalogue.iter().map(registration::Refusal::id).collect();
            rendered(status, &Page { f, messages, magic, faults, refusals, seed })
        }
        Err(trouble) => ErrorPage::about(f, &trouble).into_response(),
    }
}

async fn load(console: &Console) -> Result<(Vec<Message>, Vec<Magic>, Vec<Fault>), Trouble> {
    #[derive(Deserialize)]
    struct Table {
        magic_numbers: Vec<Magic>,
    }
    #[derive(Deserialize)]
    struct Faults {
        faults: Vec<Fault>,
    }
    let magic: Table = console.inside.sandbox_get("/magic-numbers").await?;
    let faults: Faults = console.inside.sandbox_get("/faults").await?;
    Ok((messages(console).await?, magic.magic_numbers, faults.faults))
}

async fn messages(console: &Console) -> Result<Vec<Message>, Trouble> {
    #[derive(Deserialize)]
    struct Inbox {
        messages: Vec<Message>,
    }
    let inbox: Inbox = console.inside.sandbox_get(&format!("/inbox?limit={MESSAGES}")).await?;
    Ok(inbox.messages)
}

/// A moment as a browser's field gives it (`2026-11-27T20:36`), taken as UTC, or one with its offset.
fn moment(text: &str) -> String {
    match text.len() {
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

impl Message {
    /// The link that a mail has.
    fn link(&self) -> Option<Link<'_>> {
        let at = self.text.find("/two-step/reset/").filter(|_| self.channel == "email")?;
        let path = self.text[at..].split_whitespace().next()?;
        let begin = self.text[..at].rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let (shown, after) = self.text[begin..].split_at(at - begin + path.len());
        Some(Link { before: &self.text[..begin], shown, path, after })
    }

    /// The name of its icon.
    fn icon(&self) -> &'static str {
        match self.channel.as_str() {
            "voice" => "voice",
            "email" => "mail",
            _ => "sms",
        }
    }

    fn number_words(&self) -> String {
        international(&self.number)
    }

    fn is_call(&self) -> bool {
        self.channel == "voice"
    }
}

impl Magic {
    /// Backups are an On-Premises matter; everything else can be tried from here.
    fn can_be_tried(&self) -> bool {
        self.operation != "restore"
    }

    fn number_words(&self) -> String {
        international(&self.number)
    }

    fn what(&self) -> &str {
        self.refusal.as_deref().or(self.cause.as_deref()).unwrap_or_default()
    }
}

impl Fault {
    fn what(&self) -> String {
        let latency = self.latency_ms.map(|ms| format!("+{ms} ms"));
        let effect = match (&self.refusal, self.unavailable, self.drop) {
            (Some(refusal), ..) => Some(refusal.clone()),
            (None, true, _) => Some("503".to_owned()),
            (None, false, true) => Some("✕".to_owned()),
            (None, false, false) => None,
        };
        let parts: Vec<_> = latency.into_iter().chain(effect).collect();
        parts.join(" · ")
    }

    fn where_it_strikes(&self) -> String {
        let number = self.number.as_deref().map(international);
        let parts = [self.dialect.clone(), self.operation.clone(), number];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "*".to_owned() } else { parts.join(" · ") }
    }

    fn percent(&self) -> String {
        format!("{:.0} %", self.probability * 100.0)
    }
}

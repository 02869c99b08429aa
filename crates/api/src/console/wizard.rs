//! `/register`: a number, a code, done. Where the wizard stands follows from the number's record, so a page
//! loaded again, or opened on another machine, goes on where it was.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Console;
use super::frame::{Frame, Section, ok, rendered};
use super::guard::{Fields, url_encoded};
use super::number_check::{Check, check};
use super::numbers::show::number_path;
use super::numbers::{Budget, Destination, Details, destinations, put_destination};
use super::shape::{Moment, typed_number};
use super::trouble::{ErrorPage, Trouble};

/// The number that the wizard offers as an example: Ofcom keeps it for drama.
const EXAMPLE: &str = "+44 7700 900123";

/// Languages of messages that the wizard offers; each has a text.
const LOCALES: [(&str, &str); 3] = [("en", "English"), ("de", "Deutsch"), ("es", "Español")];

/// What the first step knows before anything was typed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    number: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    locale: String,
    /// The number before this one left no choice: then voice was not chosen, but imposed.
    #[serde(default)]
    only_voice: String,
}

#[derive(Template)]
#[template(path = "register.html")]
struct FirstPage {
    f: Frame,
    start: Start,
    check: Check,
    destinations: Vec<Destination>,
    example: &'static str,
    trouble: Option<Trouble>,
}

/// Only the answer to what was typed.
#[derive(Template)]
#[template(path = "register.html", block = "check")]
struct CheckPart {
    f: Frame,
    check: Check,
}

/// A code on its way, as the second step shows it.
struct Waiting {
    expires_at: Moment,
    guesses_left: u32,
    next_guess_at: Option<Moment>,
}

#[derive(Template)]
#[template(path = "register_code.html")]
struct CodePage {
    f: Frame,
    number: Details,
    to: String,
    waiting: Option<Waiting>,
    sms: Option<Budget>,
    voice: Option<Budget>,
    by_voice: bool,
    trouble: Option<Trouble>,
}

#[derive(Template)]
#[template(path = "register_done.html")]
struct DonePage {
    f: Frame,
    number: Details,
    d: String,
}

#[derive(Template)]
#[template(path = "register_hint.html")]
struct HintPart {
    f: Frame,
    code: Option<String>,
    text: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    to: String,
    #[serde(default)]
    by: String,
}

/// `GET /register`.
pub(super) async fn first(
    State(console): State<Console>,
    frame: Frame,
    Query(start): Query<Start>,
) -> Response {
    let start = of_known(&console, &frame, start).await;
    first_page(&console, frame, start, None).await
}

/// A number that is known begins with the name it has, and for whoever claims it.
async fn of_known(console: &Console, frame: &Frame, mut start: Start) -> Start {
    let digits = number_path(&typed_number(&start.number));
    if digits.is_empty() || !start.name.is_empty() {
        return start;
    }
    let known = console.inside.get::<Details>(&format!("/numbers/{digits}")).await;
    let Ok(number) = known else { return start };
    number.name().clone_into(&mut start.name);
    if start.to.is_empty()
        && number.registration.is_none()
        && let Some(claim) = number.claims.first()
    {
        let all = destinations(console, frame.t).await.unwrap_or_default();
        let own = all.into_iter().find(|it| it.waba == claim.waba);
        start.to = own.map(|it| it.value).unwrap_or_default();
    }
    start.number = number.international;
    start
}

/// `GET /register/check`: what the numbering plan says about what is typed.
pub(super) async fn checked(
    State(console): State<Console>,
    frame: Frame,
    Query(start): Query<Start>,
) -> Response {
    let chosen = if start.only_voice.is_empty() { start.method.as_str() } else { "" };
    let check = check(&console, &frame, &start.number, chosen).await;
    ok(&CheckPart { f: frame, check })
}

/// `POST /register`: orders the code.
pub(super) async fn order(
    State(console): State<Console>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let text = |name: &str| fields.get(name).unwrap_or_default().to_owned();
    let start = Start {
        number: text("number"),
        name: text("name"),
        method: text("method"),
        to: text("to"),
        locale: text("locale"),
        only_voice: String::new(),
    };
    let digits = number_path(&typed_number(&start.number));
    let mut order = code_order(&start.method, &start.to, fields.get("pin"));
    order["name"] = start.name.clone().into();
    if let Some(locale) = fields.get("locale") {
        order["locale"] = locale.into();
    }
    let path = format!("/numbers/{digits}/request-code");
    match console.inside.send(Method::POST, &path, Some(order)).await {
        Ok(answer) => on_its_way(&digits, &start.to, &start.method, &answer),
        Err(trouble) => first_page(&console, frame, start, Some(trouble)).await,
    }
}

/// `GET /register/{number}/code`.
pub(super) async fn code(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
    Query(at): Query<At>,
) -> Response {
    code_page(&console, frame, &number_path(&number), &at, None).await
}

/// `POST /register/{number}/code`: confirms and registers.
pub(super) async fn confirm(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
    fields: Fields,
) -> Response {
    let digits = number_path(&number);
    let at = place(&fields);
    let mut order = json!({ "code": fields.get("code").unwrap_or_default() });
    put_destination(&mut order, &at.to);
    if let Some(pin) = fields.get("pin") {
        order["pin"] = pin.into();
    }
    let path = format!("/numbers/{digits}/verify-code");
    match console.inside.send(Method::POST, &path, Some(order)).await {
        Ok(_) => Redirect::to(&format!("/console/register/{digits}/done")).into_response(),
        Err(trouble) => code_page(&console, frame, &digits, &at, Some(trouble)).await,
    }
}

/// `POST /register/{number}/again`: the code once more, the same or another way.
pub(super) async fn again(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
    fields: Fields,
) -> Response {
    let digits = number_path(&number);
    let (at, method) = (place(&fields), fields.get("method").unwrap_or("sms"));
    let order = code_order(method, &at.to, fields.get("pin"));
    let path = format!("/numbers/{digits}/request-code");
    match console.inside.send(Method::POST, &path, Some(order)).await {
        Ok(answer) => on_its_way(&digits, &at.to, method, &answer),
        Err(trouble) => code_page(&console, frame, &digits, &at, Some(trouble)).await,
    }
}

/// `GET /register/{number}/hint`: in a sandbox, what the telephone received.
pub(super) async fn hint(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
) -> Response {
    let path = format!("/inbox?number=%2B{}&limit=1", number_path(&number));
    match console.inside.sandbox_get::<Value>(&path).await {
        Ok(inbox) => {
            let newest = &inbox["messages"][0];
            let text = newest["text"].as_str().unwrap_or_default().to_owned();
            let code = newest["code"].as_str().map(str::to_owned);
            ok(&HintPart { f: frame, code, text })
        }
        Err(trouble) => trouble.status.into_response(),
    }
}

/// `GET /register/{number}/done`.
pub(super) async fn done(
    State(console): State<Console>,
    frame: Frame,
    Path(number): Path<String>,
) -> Response {
    let frame = frame.in_section(Section::Register);
    let d = number_path(&number);
    match console.inside.get::<Details>(&format!("/numbers/{d}")).await {
        Ok(number) if number.registration.is_some() => ok(&DonePage { f: frame, number, d }),
        Ok(_) => Redirect::to(&format!("/console/numbers/{d}")).into_response(),
        Err(trouble) => ErrorPage::about(frame, &trouble).into_response(),
    }
}

async fn first_page(
    console: &Console,
    frame: Frame,
    start: Start,
    trouble: Option<Trouble>,
) -> Response {
    let frame = frame.in_section(Section::Register);
    let check = check(console, &frame, &start.number, &start.method).await;
    let destinations = match destinations(console, frame.t).await {
        Ok(destinations) => destinations,
        Err(trouble) => return ErrorPage::about(frame, &trouble).into_response(),
    };
    let status = trouble.as_ref().map_or(StatusCode::OK, |trouble| trouble.status);
    let notice = trouble.as_ref().map(|trouble| trouble.notice(&frame));
    let f = frame.with(notice);
    rendered(status, &FirstPage { f, start, check, destinations, example: EXAMPLE, trouble })
}

async fn code_page(
    console: &Console,
    frame: Frame,
    digits: &str,
    at: &At,
    trouble: Option<Trouble>,
) -> Response {
    let frame = frame.in_section(Section::Register);
    let number = console.inside.get::<Details>(&format!("/numbers/{digits}")).await;
    let (number, all) = match (number, destinations(console, frame.t).await) {
        (Ok(number), Ok(all)) => (number, all),
        (Err(trouble), _) | (_, Err(trouble)) => {
            return ErrorPage::about(frame, &trouble).into_response();
        }
    };
    let waba = all.iter().find(|it| it.value == at.to).map(|it| it.waba.as_str());
    let claim = number.claims.iter().find(|claim| Some(claim.waba.as_str()) == waba);
    let waiting = claim.and_then(|claim| claim.code.as_ref()).map(|code| Waiting {
        expires_at: code.expires_at,
        guesses_left: code.guesses_left,
        next_guess_at: code.next_guess_at,
    });
    let channels = super::number_check::channels(&number.number);
    let status = trouble.as_ref().map_or(StatusCode::OK, |trouble| trouble.status);
    let notice = trouble.as_ref().map(|trouble| trouble.notice(&frame));
    let page = CodePage {
        f: frame.with(notice),
        to: at.to.clone(),
        waiting,
        sms: channels.sms.then(|| number.budgets.sms.clone()),
        voice: channels.voice.then(|| number.budgets.voice.clone()),
        by_voice: at.by == "voice",
        number,
        trouble,
    };
    rendered(status, &page)
}

fn place(fields: &Fields) -> At {
    let text = |name: &str| fields.get(name).unwrap_or_default().to_owned();
    At { to: text("to"), by: text("by") }
}

fn code_order(method: &str, to: &str, pin: Option<&str>) -> Value {
    let method = if method == "voice" { "voice" } else { "sms" };
    let mut order = json!({ "method": method });
    put_destination(&mut order, to);
    if let Some(pin) = pin {
        order["pin"] = pin.into();
    }
    order
}

/// A client that holds the number already needs no code; everybody else goes on to the second step.
fn on_its_way(digits: &str, to: &str, method: &str, answer: &Value) -> Response {
    let path = match answer["outcome"].as_str() {
        Some("code_sent") | None => {
            let (to, method) = (url_encoded(to), url_encoded(method));
            format!("/console/register/{digits}/code?to={to}&by={method}")
        }
        Some(done) => format!("/console/numbers/{digits}?done={}", url_encoded(done)),
    };
    Redirect::to(&path).into_response()
}

impl Start {
    fn goes_to(&self, value: &str) -> bool {
        self.to == value
    }

    fn speaks(&self, locale: &str, f: &Frame) -> bool {
        if self.locale.is_empty() { f.language.as_str() == locale } else { self.locale == locale }
    }
}

/// Whether a field is at fault, for `aria-invalid`.
fn at_fault(trouble: Option<&Trouble>, field: &str) -> bool {
    trouble.is_some_and(|trouble| trouble.about(field).is_some())
}

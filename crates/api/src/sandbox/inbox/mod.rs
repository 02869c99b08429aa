//! The inbox: what would have gone to phones. A view on the send ledger; codes are derived on reading.
//!
//! `wait` and `stream` follow real time, so that a frozen clock stops no test.

pub(super) mod audio;
pub(super) mod stream;

use core::cmp::Reverse;
use core::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use registration::PhoneNumber;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::Service;
use service::mails::InboxMail;
use service::ports::{CodeMessage, Send, SendId, SendQuery, SendState};
use service::queries::INBOX;
use tokio::sync::broadcast::error::RecvError;

use super::body::{Asked, Problem, phone_number};
use crate::explain::rfc3339;
use crate::state::App;

/// Messages in a list unless asked otherwise.
const LIMIT_DEFAULT: usize = 50;

/// Most messages in a list, and in a page read from the ledger.
const LIMIT_MAX: usize = 500;

/// How long `wait` waits unless told.
const WAIT_DEFAULT: Duration = Duration::from_secs(30);

/// Longest wait; a longer one asked for ends here, so that an abandoned request does not linger.
const WAIT_MAX: Duration = Duration::from_mins(2);

/// How often a wait looks into the ledger without being told, for messages that another node took.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What requests to the inbox may ask.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    number: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    timeout: Option<String>,
}

/// A message on the wire.
#[derive(Serialize)]
struct Message<'a> {
    id: String,
    number: String,
    channel: &'static str,
    code: &'a str,
    text: &'a str,
    locale: &'a str,
    sender: &'a str,
    at: String,
    /// Where a voice message can be heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<String>,
}

/// `GET /inbox`: newest first; `number`, `after` and `limit` narrow it down.
pub(super) async fn list(
    State(app): State<App>,
    Asked(ask): Asked<Ask>,
) -> Result<Json<Value>, Problem> {
    let limit = ask.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::invalid(format!("limit is 1 to {LIMIT_MAX}")));
    }
    let query =
        SendQuery { number: ask.number()?, after: ask.after()?, limit, ..SendQuery::default() };
    let messages = app.service.inbox(query).await?;
    let mails = app.service.inbox_mails(ask.number()?, ask.after()?);
    let mut all: Vec<_> = messages.iter().map(|(send, it)| (send.id, wire(send, it))).collect();
    all.extend(mails.iter().map(|mail| (mail.id, wire_mail(mail))));
    all.sort_by_key(|(id, _)| Reverse(*id));
    let messages: Vec<_> = all.into_iter().take(limit).map(|(_, message)| message).collect();
    Ok(Json(json!({ "messages": messages })))
}

/// `GET /inbox/{id}`.
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let mails = app.service.inbox_mails(None, None);
    if let Some(mail) = mails.iter().find(|mail| mail.id.to_string() == id) {
        return Ok(Json(wire_mail(mail)).into_response());
    }
    let (send, message) = find(&app.service, &id).await?;
    Ok(Json(wire(&send, &message)).into_response())
}

/// The message with this id.
async fn find(service: &Service, id: &str) -> Result<(Send, CodeMessage), Problem> {
    let missing = || Problem::not_found("There is no such message");
    let id = SendId::parse(id).ok_or_else(missing)?;
    let query = SendQuery { id: Some(id), limit: 1, ..SendQuery::default() };
    service.inbox(query).await?.pop().ok_or_else(missing)
}

/// `GET /inbox/wait`: with `after` the oldest message newer than it, without it the newest there is;
/// where there is none yet, the next one that comes. 204 when none came in time, or the server stops.
pub(super) async fn wait(
    State(app): State<App>,
    Asked(ask): Asked<Ask>,
) -> Result<Response, Problem> {
    let (number, after) = (ask.number()?, ask.after()?);
    let limit = ask.timeout()?;
    // Listening begins before the ledger is read: a message that comes between is heard.
    let mut news = app.service.watch_handed_over();
    if let Some(reply) = look_all(&app.service, number, after).await? {
        return Ok(reply);
    }
    let next = async {
        loop {
            match tokio::time::timeout(LOOK_EVERY, news.recv()).await {
                Ok(Ok(batch)) => {
                    let fits = |send: &&Send| is_wanted(send, number, after);
                    if let Some(send) = batch.iter().filter(fits).min_by_key(|send| send.id) {
                        return Ok(reply(&app.service, send));
                    }
                }
                Ok(Err(RecvError::Lagged(_))) | Err(_) => {
                    if let Some(reply) = look_all(&app.service, number, after).await? {
                        return Ok(reply);
                    }
                }
                // The sender lives in the service, which lives here; if it did end, nothing comes.
                Ok(Err(RecvError::Closed)) => core::future::pending().await,
            }
        }
    };
    tokio::select! {
        found = next => found,
        () = tokio::time::sleep(limit) => Ok(StatusCode::NO_CONTENT.into_response()),
        () = stop_asked(&app) => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// Ends when the server is asked to stop: a reply that waits must not hold it up.
fn stop_asked(app: &App) -> impl Future<Output = ()> + use<> {
    let mut stopping = app.stopping.clone();
    async move {
        if stopping.wait_for(|stopping| *stopping).await.is_err() {
            // Whoever could ask is gone, so nobody will.
            core::future::pending::<()>().await;
        }
    }
}

impl Ask {
    fn number(&self) -> Result<Option<PhoneNumber>, Problem> {
        self.number.as_deref().map(phone_number).transpose()
    }

    fn after(&self) -> Result<Option<SendId>, Problem> {
        let id = |text: &str| {
            SendId::parse(text).ok_or_else(|| Problem::invalid("after: not the id of a message"))
        };
        self.after.as_deref().map(id).transpose()
    }

    fn timeout(&self) -> Result<Duration, Problem> {
        let Some(text) = self.timeout.as_deref() else { return Ok(WAIT_DEFAULT) };
        let wait = duration(text)
            .ok_or_else(|| Problem::invalid("timeout: a duration like 30s, 500ms or 2m"))?;
        Ok(wait.min(WAIT_MAX))
    }
}

/// `30s`, `500ms`, `2m`; a bare number is seconds.
fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(split);
    let count: u32 = count.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(count.into())),
        "s" | "" => Some(Duration::from_secs(count.into())),
        "m" => Some(Duration::from_mins(count.into())),
        _ => None,
    }
}

/// The message that a wait is for, whether it lies in the ledger or is a mail.
async fn look_all(
    service: &Service,
    number: Option<PhoneNumber>,
    after: Option<SendId>,
) -> Result<Option<Response>, Problem> {
    let send = look(service, number, after).await?;
    let mut mails = service.inbox_mails(number, after);
    let mail = if after.is_some() { mails.pop() } else { mails.into_iter().next() };
    // With `after` the oldest counts, without it the newest.
    let mail_first = match (&send, &mail) {
        (Some(send), Some(mail)) => (mail.id < send.id) == after.is_some(),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    Ok(match mail.filter(|_| mail_first) {
        Some(mail) => Some(Json(wire_mail(&mail)).into_response()),
        None => send.map(|send| reply(service, &send)),
    })
}

/// The message in the ledger that a wait is for.
async fn look(
    service: &Service,
    number: Option<PhoneNumber>,
    after: Option<SendId>,
) -> Result<Option<Send>, Problem> {
    if after.is_some() {
        return Ok(since(service, number, after, usize::MAX).await?.pop());
    }
    let sender = Some(INBOX.to_owned());
    let query = SendQuery { number, sender, limit: 1, ..SendQuery::default() };
    Ok(service.sends(&query).await?.pop())
}

/// Messages newer than `after`, newest first, up to `max` of them.
async fn since(
    service: &Service,
    number: Option<PhoneNumber>,
    after: Option<SendId>,
    max: usize,
) -> Result<Vec<Send>, Problem> {
    let mut found: Vec<Send> = Vec::new();
    loop {
        let query = SendQuery {
            number,
            after,
            before: found.last().map(|send| send.id),
            sender: Some(INBOX.to_owned()),
            limit: LIMIT_MAX.min(max - found.len()),
            ..SendQuery::default()
        };
        let page = service.sends(&query).await?;
        let full = page.len() == query.limit;
        found.extend(page);
        if !full || found.len() >= max {
            return Ok(found);
        }
    }
}

fn is_wanted(send: &Send, number: Option<PhoneNumber>, after: Option<SendId>) -> bool {
    send.sender.as_deref() == Some(INBOX)
        && number.is_none_or(|number| number == send.number)
        && after.is_none_or(|after| send.id > after)
}

fn reply(service: &Service, send: &Send) -> Response {
    match service.inbox_message(send) {
        Some(message) => Json(wire(send, &message)).into_response(),
        // Its key was taken out of the key file: there is a message, but nobody can read it.
        None => Problem::not_found("The key of this message is gone").into_response(),
    }
}

/// A mail has no code of its own: its text holds a link.
fn wire_mail(it: &InboxMail) -> Message<'_> {
    Message {
        id: it.id.to_string(),
        number: it.mail.number.to_string(),
        channel: "email",
        code: "",
        text: &it.mail.text,
        locale: it.mail.locale.as_str(),
        sender: INBOX,
        at: rfc3339(it.at),
        audio: None,
    }
}

fn wire<'a>(send: &'a Send, message: &'a CodeMessage) -> Message<'a> {
    let at = match send.state {
        SendState::HandedOver { at } | SendState::Delivered { at } => at,
        SendState::Decided { .. } | SendState::Claimed { .. } | SendState::Failed { .. } => {
            send.decided_at
        }
    };
    Message {
        id: send.id.to_string(),
        number: send.number.to_string(),
        channel: message.method.as_str(),
        code: message.code.reveal(),
        text: &message.text,
        locale: message.locale.as_str(),
        sender: send.sender.as_deref().unwrap_or(INBOX),
        at: rfc3339(at),
        audio: audio::link(send.id, message.method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_number_and_its_unit() {
        for (text, millis) in [("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("5", 5_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "1.5s", "1h", "30 s", "99999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}

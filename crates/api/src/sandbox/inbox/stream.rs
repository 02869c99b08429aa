//! Messages as they come, as server-sent events.
//!
//! The stream follows the hand-overs that the worker announces, and the mails that come to the inbox, and
//! asks the store nothing, so it keeps up with thousands of messages a second. A reader that falls too far behind is told so and cut off;
//! it comes back with `Last-Event-ID` (an `EventSource` does so by itself) and is given what it missed.

use core::convert::Infallible;
use core::time::Duration;
use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use http::HeaderMap;
use registration::PhoneNumber;
use service::Service;
use service::mails::InboxMail;
use service::ports::{Send, SendId};
use service::turns_of_others::let_others;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::{Ask, is_wanted, since, stop_asked, wire, wire_mail};
use crate::sandbox::body::{Asked, Problem};
use crate::state::App;

/// Most messages that a reader who comes back is given; older ones are in the list.
const REPLAY_MAX: usize = 10_000;

/// Pause between signs of life on a quiet stream; well below the idle time-outs of proxies (60 s).
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: &str = "last-event-id";

type Events = Vec<Result<Event, Infallible>>;

/// `GET /inbox/stream`: an event `message` for each message from now on, or from `after` or
/// `Last-Event-ID` on; `number` narrows it down. Once the answer begins, no message is missed until the
/// server stops.
pub(in crate::sandbox) async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
    Asked(mut ask): Asked<Ask>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    if let Some(id) = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()) {
        ask.after = Some(id.to_owned());
    }
    let (number, after) = (ask.number()?, ask.after()?);
    // Listening begins before the ledger is read: what comes between is heard, and sent once.
    let news = app.service.watch_handed_over();
    let mails = app.service.watch_inbox_mails();
    let (missed, missed_mails) = match after {
        Some(_) => (
            since(&app.service, number, after, REPLAY_MAX).await?,
            app.service.inbox_mails(number, after),
        ),
        None => (Vec::new(), Vec::new()),
    };
    let mut replay: Vec<Missed> =
        missed.into_iter().map(|send| Missed::Send(Box::new(send))).collect();
    replay.extend(missed_mails.into_iter().map(Missed::Mail));
    replay.sort_by_key(Missed::id);
    let sent = replay.iter().map(Missed::id).collect();
    let service = Arc::clone(&app.service);
    let replay = stream::iter(replay).enumerate().then({
        let service = Arc::clone(&service);
        move |(step, missed)| {
            let event = missed.event(&service);
            async move {
                let_others(step).await;
                event.map(Ok).into_iter().collect::<Events>()
            }
        }
    });
    let live = Live { service, news, mails, number, sent, cut_off: false };
    let live = stream::unfold(live, Live::next);
    let live = live.take_until(Box::pin(stop_asked(&app)));
    let events = replay.chain(live).flat_map(stream::iter);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

/// What a reader who comes back has missed. Its event is made when the reader takes it: ten thousand at once would
/// hold up everybody else.
enum Missed {
    Send(Box<Send>),
    Mail(InboxMail),
}

impl Missed {
    fn id(&self) -> SendId {
        match self {
            Self::Send(send) => send.id,
            Self::Mail(mail) => mail.id,
        }
    }

    fn event(&self, service: &Service) -> Option<Event> {
        match self {
            Self::Send(send) => event(service, send),
            Self::Mail(mail) => mail_event(mail),
        }
    }
}

/// A reader of the present.
struct Live {
    service: Arc<Service>,
    news: Receiver<Arc<[Send]>>,
    mails: Receiver<InboxMail>,
    number: Option<PhoneNumber>,
    /// What was sent already and may be announced once more.
    sent: HashSet<SendId>,
    cut_off: bool,
}

impl Live {
    /// The events of the next batch; none of a batch for others.
    async fn next(mut self) -> Option<(Events, Self)> {
        if self.cut_off {
            return None;
        }
        let events = tokio::select! {
            batch = self.news.recv() => batch.map(|batch| self.events(&batch)),
            mail = self.mails.recv() => mail.map(|mail| self.mail_events(&mail)),
        };
        let events = match events {
            Ok(events) => events,
            Err(RecvError::Lagged(_)) => {
                self.cut_off = true;
                vec![Ok(Event::default().event("lagged").data("come back with Last-Event-ID"))]
            }
            Err(RecvError::Closed) => return None,
        };
        Some((events, self))
    }

    fn events(&self, batch: &[Send]) -> Events {
        batch
            .iter()
            .filter(|send| is_wanted(send, self.number, None) && !self.sent.contains(&send.id))
            .filter_map(|send| event(&self.service, send).map(Ok))
            .collect()
    }

    fn mail_events(&self, mail: &InboxMail) -> Events {
        let is_wanted = self.number.is_none_or(|number| number == mail.mail.number);
        let is_new = is_wanted && !self.sent.contains(&mail.id);
        mail_event(mail).filter(|_| is_new).map(Ok).into_iter().collect()
    }
}

/// A message as an event; `None` if its key is gone.
fn event(service: &Service, send: &Send) -> Option<Event> {
    let message = service.inbox_message(send)?;
    let event = Event::default().id(send.id.to_string()).event("message");
    event.json_data(wire(send, &message)).ok()
}

/// A mail as an event.
fn mail_event(mail: &InboxMail) -> Option<Event> {
    let event = Event::default().id(mail.id.to_string()).event("message");
    event.json_data(wire_mail(mail)).ok()
}

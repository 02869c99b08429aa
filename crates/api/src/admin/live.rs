//! `/admin/v1/audit/live`: the audit trail as it grows.
//!
//! Each entry is read from the store, after the place of the one before it: nothing is left out, whichever
//! node it happened on. What waits for a reader is bounded; one that takes nothing for [`PATIENCE`] is cut
//! off, and finds that as the last thing when it reads on.

use core::convert::Infallible;
use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use registration::AccountId;
use serde::Deserialize;
use service::Service;
use service::ports::AuditQuery;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};
use utoipa::IntoParams;

use super::audit::Entry;
use super::failure::{Failure, Failures};
use super::input::Query;
use super::wire::{Count, Id, Number};
use crate::state::App;

/// Readers at a time; each costs a task and a look at the store a second.
const READERS_MAX: usize = 64;

static READERS: Semaphore = Semaphore::const_new(READERS_MAX);

/// Events that wait for a reader, besides what the connection holds.
const WAITING_MAX: usize = 256;

/// A reader that takes nothing for so long is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

/// After so long the store is asked though nothing was heard: another node may have done something.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Pause between signs of life on a quiet stream.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LiveQuery {
    /// Only entries about this number.
    #[param(value_type = Option<String>)]
    number: Option<Number>,
    /// Only entries of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Begins behind this place; at the end of the trail if absent.
    #[param(value_type = Option<u64>)]
    after: Option<Count>,
}

/// Follows the audit trail: a stream of server-sent events
///
/// `hello` comes first and says where the stream begins; `entry` carries an entry as the list shows it;
/// `sends` says that a message has made a step. Each has its place in the trail as its id, so that
/// `Last-Event-ID` continues behind the last one read. A reader that takes nothing for ten seconds is cut
/// off: what was under way still comes, then `cut_off`, and the stream ends.
#[utoipa::path(get, path = "/audit/live", tag = "audit", params(LiveQuery),
    responses((status = 200, body = String, content_type = "text/event-stream",
        description = "Events, until somebody hangs up"), Failures))]
pub(crate) async fn live(
    State(app): State<App>,
    Query(query): Query<LiveQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Ok(permit) = READERS.try_acquire() else {
        let now = app.service.now();
        return Err(Failure::TooMany { opens_at: now + PATIENCE, now });
    };
    let (grew, ledger) = (app.service.watch_trail(), app.service.watch_ledger());
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = match last.or(query.after.map(|after| after.0)) {
        Some(after) => after,
        None => end(&app.service).await?,
    };
    let wanted = AuditQuery {
        number: query.number.map(|number| number.0),
        account: query.account.map(|account| account.0),
        after,
        limit: WAITING_MAX,
        ..AuditQuery::default()
    };
    let (reader, events) = mpsc::channel(WAITING_MAX);
    let cut_off = Arc::new(AtomicBool::new(false));
    let feed =
        Feed { reader, wanted, grew, ledger, cut_off: Arc::clone(&cut_off), _permit: permit };
    let mut stopping = app.stopping.clone();
    tokio::spawn(async move {
        let stop = async {
            if stopping.wait_for(|stopping| *stopping).await.is_err() {
                core::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = feed.run(&app.service) => {}
            () = stop => {}
        }
    });
    Ok(told(events, cut_off))
}

/// The place of the last entry.
async fn end(service: &Service) -> Result<u64, Failure> {
    let last = AuditQuery { before: Some(u64::MAX), limit: 1, ..AuditQuery::default() };
    Ok(service.audit(&last).await?.first().map_or(0, |entry| entry.seq))
}

/// What waits, then whether somebody was cut off.
fn told(events: mpsc::Receiver<Event>, cut_off: Arc<AtomicBool>) -> Response {
    let waiting = (events, Some(cut_off));
    let events = stream::unfold(waiting, async |(mut events, mut cut_off)| {
        let event = match events.recv().await {
            Some(event) => event,
            None if cut_off.take()?.load(Ordering::Acquire) => {
                Event::default().event("cut_off").data("read faster, or go on from the last id")
            }
            None => return None,
        };
        Some((Ok::<_, Infallible>(event), (events, cut_off)))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response()
}

/// What one reader is told.
struct Feed {
    reader: mpsc::Sender<Event>,
    /// What comes next.
    wanted: AuditQuery,
    grew: watch::Receiver<()>,
    ledger: watch::Receiver<u64>,
    cut_off: Arc<AtomicBool>,
    _permit: SemaphorePermit<'static>,
}

/// Nobody reads any more.
struct Gone;

impl Feed {
    async fn run(mut self, service: &Service) {
        let begins = Event::default().event("hello").data(self.wanted.after.to_string());
        if self.tell(begins).await.is_err() {
            return;
        }
        while self.look(service).await.is_ok() {
            let sends = tokio::select! {
                () = self.reader.closed() => return,
                changed = self.ledger.changed() => changed.is_ok(),
                _ = tokio::time::timeout(LOOK_EVERY, self.grew.changed()) => false,
            };
            // A hint: one that finds no room is left out.
            if sends {
                let hint = Event::default().event("sends").data("-");
                _ = self.reader.try_send(hint.id(self.wanted.after.to_string()));
            }
        }
    }

    /// Tells what is new. A store that is gone ends the stream: the reader comes back.
    async fn look(&mut self, service: &Service) -> Result<(), Gone> {
        loop {
            let entries = service.audit(&self.wanted).await.map_err(|error| {
                tracing::warn!(%error, "the trail could not be read for a live reader");
                Gone
            })?;
            let full = entries.len() == self.wanted.limit;
            for entry in entries {
                self.wanted.after = entry.seq;
                let event = Event::default().event("entry").json_data(Entry::from(entry));
                // An entry is JSON by its type.
                self.tell(event.map_err(|_| Gone)?).await?;
            }
            if !full {
                return Ok(());
            }
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Gone> {
        let event = event.id(self.wanted.after.to_string());
        if let Ok(told) = tokio::time::timeout(PATIENCE, self.reader.send(event)).await {
            return told.map_err(|_| Gone);
        }
        self.cut_off.store(true, Ordering::Release);
        Err(Gone)
    }
}

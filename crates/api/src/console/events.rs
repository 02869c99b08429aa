//! `GET /events`: tells open pages that something changed, so that they ask for their part again.
//!
//! An event carries nothing but a dash: browsers drop one without data. Changes that come faster than a page can follow become one event: a reader
//! that falls behind costs nothing, however much happens meanwhile.

use core::convert::Infallible;
use core::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::Console;

/// Least pause between two events to one reader.
const REST: Duration = Duration::from_millis(200);

/// After so long a page looks again though it was told nothing: another node may have done something.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Pause between signs of life on a quiet stream.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

struct Reader {
    ledger: watch::Receiver<u64>,
    trail: watch::Receiver<()>,
    first: bool,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.first {
            self.first = false;
            return Some((Ok(Event::default().event("hello").data("-")), self));
        }
        let news = async {
            tokio::select! {
                changed = self.ledger.changed() => changed,
                changed = self.trail.changed() => changed,
            }
        };
        let changed = tokio::time::timeout(LOOK_EVERY, news).await;
        if matches!(changed, Ok(Err(_))) {
            return None;
        }
        // What changes during the pause is part of the same event.
        if changed.is_ok() {
            tokio::time::sleep(REST).await;
            self.ledger.borrow_and_update();
            self.trail.borrow_and_update();
        }
        Some((Ok(Event::default().event("ledger").data("-")), self))
    }
}

/// The stream; ends when the server stops.
pub(super) async fn stream(
    State(console): State<Console>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let service = &console.app.service;
    let (ledger, trail) = (service.watch_ledger(), service.watch_trail());
    let reader = Reader { ledger, trail, first: true };
    let mut stopping = console.app.stopping.clone();
    let stop = async move {
        if stopping.wait_for(|stopping| *stopping).await.is_err() {
            core::future::pending::<()>().await;
        }
    };
    let events = stream::unfold(reader, Reader::next).take_until(Box::pin(stop));
    Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE))
}

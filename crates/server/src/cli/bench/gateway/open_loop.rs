//! Requests that leave on time.

use core::time::Duration;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http::StatusCode;
use hyper::body::Bytes;

use crate::cli::bench::load::Outcome;
use crate::cli::bench::now;
use crate::cli::rig::connection::Connection;

/// Connections that are open before the first request leaves; more are opened when these are busy.
const OPEN_FIRST: usize = 32;

/// Connections to one server; each carries one request at a time.
pub(super) struct Lines {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
}

/// What the three requests of registrations took: code, confirmation, registration.
#[derive(Default)]
pub(super) struct Seen(pub(super) [Outcome; 3]);

impl Lines {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Arc<Self>> {
        let mut idle = Vec::with_capacity(OPEN_FIRST);
        for _ in 0..OPEN_FIRST {
            idle.push(Connection::open(address).await?);
        }
        Ok(Arc::new(Self { address, idle: Mutex::new(idle) }))
    }

    /// Status and body of an answer, and how long it took.
    ///
    /// The clock starts when the request is handed over. It waits for no other one, so nothing is hidden by
    /// that; the timer that wakes it has steps of a millisecond, which are ours and not the server's.
    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: String,
    ) -> anyhow::Result<(StatusCode, Bytes, Duration)> {
        let idle = self.idle().pop();
        let asked = now();
        let mut connection = match idle {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let (status, text) = connection.ask(method, path, Some(token), body).await?;
        let took = asked.elapsed();
        self.idle().push(connection);
        Ok((status, text, took))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    pub(super) fn add(&mut self, more: Self) {
        for (kind, more) in self.0.iter_mut().zip(more.0) {
            kind.add(more);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Outcome::len).sum()
    }

    pub(super) fn per_second(&self) -> f64 {
        self.0.iter().map(Outcome::per_second).sum()
    }

    /// All kinds together.
    pub(super) fn all(self) -> Outcome {
        let mut all = Outcome::default();
        for kind in self.0 {
            all.add(kind);
        }
        all
    }
}

/// When the turn with this place comes, of turns that begin at `begun` and come `rate` times a second.
pub(super) fn due(begun: Instant, place: usize, rate: f64) -> Instant {
    begun + Duration::from_secs_f64(crate::cli::bench::load::turn_at(place, rate))
}

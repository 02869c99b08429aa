//! The load: connections that each wait for an answer before they ask again.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, bail, ensure};
use http::StatusCode;

use super::now;
use crate::cli::rig::codes::Codes;
use crate::cli::rig::connection::Connection;
use crate::cli::rig::data::{self, Token};
use crate::cli::rig::foreign_certificate;
use crate::cli::rig::server_process::ServerProcess;

/// A code that has not arrived after this long never will.
const CODE_PATIENCE: Duration = Duration::from_secs(10);

/// What a measurement saw.
#[derive(Default)]
pub(super) struct Outcome {
    elapsed: Duration,
    /// What was done: requests, or registrations of two requests each.
    done: usize,
    /// Latency of each request, ascending.
    latencies: Vec<Duration>,
}

impl Outcome {
    /// Requests that took so long, in any order.
    pub(super) fn of(elapsed: Duration, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self { elapsed, done: latencies.len(), latencies }
    }

    /// Takes over what another measurement saw, of the same kind or beside it.
    pub(super) fn add(&mut self, more: Self) {
        self.elapsed += more.elapsed;
        self.done += more.done;
        self.latencies.extend(more.latencies);
        self.latencies.sort_unstable();
    }

    /// Requests seen.
    pub(super) const fn len(&self) -> usize {
        self.latencies.len()
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is read to three digits")]
    pub(super) fn per_second(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }

    /// What one of them cost if all together cost `all`, in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "a cost is read to three digits")]
    pub(super) fn cost_us(&self, all: Duration) -> f64 {
        all.as_secs_f64() * 1e6 / self.done.max(1) as f64
    }

    /// Latency that the share `q` of requests stayed below, in milliseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index within the list"
    )]
    pub(super) fn quantile_ms(&self, q: f64) -> f64 {
        let place = (self.latencies.len() as f64 * q) as usize;
        let found = self.latencies.get(place.min(self.latencies.len().saturating_sub(1)));
        found.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }

    pub(super) fn ms(&self, q: f64) -> String {
        format!("{:.1}", self.quantile_ms(q))
    }
}

/// Requests on a route that does nothing, as many as go.
pub(super) async fn nothing(
    server: &ServerProcess,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Outcome> {
    let begun = now();
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::open(server.address).await?;
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < length {
                let asked = now();
                let (status, _) = connection.ask("GET", "/livez", None, String::new()).await?;
                ensure!(status == StatusCode::OK, "/livez answered {status}");
                latencies.push(asked.elapsed());
            }
            Ok(latencies)
        }));
    }
    let latencies = gather(tasks).await?;
    Ok(Outcome { elapsed: begun.elapsed(), done: latencies.len(), latencies })
}

/// Registrations of numbers and clients that were never used before.
pub(super) struct Registrations<'a> {
    server: &'a ServerProcess,
    tokens: Arc<Vec<Token>>,
    next: Arc<AtomicUsize>,
    codes: Codes,
    certificate: String,
}

impl<'a> Registrations<'a> {
    /// Subscribes to the inbox, in which the codes will arrive.
    pub(super) async fn new(server: &'a ServerProcess, tokens: Vec<Token>) -> anyhow::Result<Self> {
        let codes = Codes::listen(server, |_| ()).await?;
        Ok(Self {
            server,
            tokens: Arc::new(tokens),
            next: Arc::default(),
            codes,
            certificate: foreign_certificate(),
        })
    }

    /// Registers for `length`, as fast as answers come or at `rate` a second.
    pub(super) async fn run(
        &mut self,
        connections: usize,
        length: Duration,
        rate: Option<f64>,
    ) -> anyhow::Result<Outcome> {
        let begun = now();
        let started = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let mut worker = Worker {
                connection: Connection::open(self.server.address).await?,
                tokens: Arc::clone(&self.tokens),
                next: Arc::clone(&self.next),
                codes: self.codes.clone(),
                certificate: self.certificate.clone(),
            };
            let started = Arc::clone(&started);
            tasks.push(tokio::spawn(async move {
                let mut latencies = Vec::new();
                while begun.elapsed() < length {
                    if let Some(rate) = rate {
                        let turn = started.fetch_add(1, Ordering::Relaxed);
                        let due = begun + Duration::from_secs_f64(turn_at(turn, rate));
                        tokio::time::sleep_until(due.into()).await;
                    }
                    worker.register(&mut latencies).await?;
                }
                Ok(latencies)
            }));
        }
        let latencies = gather(tasks).await?;
        Ok(Outcome { elapsed: begun.elapsed(), done: latencies.len() / 2, latencies })
    }
}

struct Worker {
    connection: Connection,
    tokens: Arc<Vec<Token>>,
    next: Arc<AtomicUsize>,
    codes: Codes,
    certificate: String,
}

impl Worker {
    /// One registration: two requests, the code read in between.
    async fn register(&mut self, latencies: &mut Vec<Duration>) -> anyhow::Result<()> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(Token { client, token }) = self.tokens.get(place) else {
            bail!("all clients are used up; the run needs more")
        };
        let (cc, national) = data::number(place);
        let code = self.codes.next(format!("+{cc}{national}"));

        let body = format!(
            r#"{{"cc":"{cc}","phone_number":"{national}","method":"sms","cert":"{}"}}"#,
            self.certificate
        );
        let path = format!("/clients/{client}/v1/account");
        let asked = now();
        let (status, text) = self.connection.ask("POST", &path, Some(token), body).await?;
        latencies.push(asked.elapsed());
        ensure!(
            status == StatusCode::ACCEPTED,
            "{path}: {status} {}",
            String::from_utf8_lossy(&text)
        );

        let code =
            tokio::time::timeout(CODE_PATIENCE, code).await.context("a code did not arrive")??;
        let path = format!("/clients/{client}/v1/account/verify");
        let body = format!(r#"{{"code":"{code}"}}"#);
        let asked = now();
        let (status, text) = self.connection.ask("POST", &path, Some(token), body).await?;
        latencies.push(asked.elapsed());
        ensure!(
            status == StatusCode::CREATED,
            "{path}: {status} {}",
            String::from_utf8_lossy(&text)
        );
        Ok(())
    }
}

async fn gather(
    tasks: Vec<tokio::task::JoinHandle<anyhow::Result<Vec<Duration>>>>,
) -> anyhow::Result<Vec<Duration>> {
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    all.sort_unstable();
    Ok(all)
}

#[expect(clippy::cast_precision_loss, reason = "a run has far fewer turns than 2^52")]
pub(super) fn turn_at(turn: usize, rate: f64) -> f64 {
    turn as f64 / rate
}

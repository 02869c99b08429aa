//! The load: connections that each wait for an answer before they ask again.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use futures_util::StreamExt as _;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::data::{self, Token};
use super::server_process::ServerProcess;

/// A code that has not arrived after this long never will.
const CODE_PATIENCE: Duration = Duration::from_secs(10);

/// What a measurement saw.
pub(super) struct Outcome {
    elapsed: Duration,
    /// What was done: requests, or registrations of two requests each.
    done: usize,
    /// Latency of each request, ascending.
    latencies: Vec<Duration>,
}

impl Outcome {
    #[expect(clippy::cast_precision_loss, reason = "a rate is read to three digits")]
    pub(super) fn per_second(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
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

/// One connection.
struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    async fn open(server: &ServerProcess) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: server.address.to_string() })
    }

    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: String,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.sender.ready().await?;
        let reply = self.sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        let status = reply.status();
        Ok((status, reply.into_body().collect().await?.to_bytes()))
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
        let mut connection = Connection::open(server).await?;
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

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<String>>>>;

/// Registrations of numbers and clients that were never used before.
pub(super) struct Registrations<'a> {
    server: &'a ServerProcess,
    tokens: Arc<Vec<Token>>,
    next: Arc<AtomicUsize>,
    waiting: Waiting,
    certificate: String,
}

impl<'a> Registrations<'a> {
    /// Subscribes to the inbox, in which the codes will arrive.
    pub(super) async fn new(server: &'a ServerProcess, tokens: Vec<Token>) -> anyhow::Result<Self> {
        let waiting = Waiting::default();
        let stream = reqwest::get(server.url("/sandbox/v1/inbox/stream")).await?;
        ensure!(stream.status() == StatusCode::OK, "the inbox stream answered {}", stream.status());
        tokio::spawn(deliver(stream, Arc::clone(&waiting)));
        Ok(Self {
            server,
            tokens: Arc::new(tokens),
            next: Arc::default(),
            waiting,
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
                connection: Connection::open(self.server).await?,
                tokens: Arc::clone(&self.tokens),
                next: Arc::clone(&self.next),
                waiting: Arc::clone(&self.waiting),
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
    waiting: Waiting,
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
        let (arrives, code) = oneshot::channel();
        self.lock().insert(format!("+{cc}{national}"), arrives);

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

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<String>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands each code of the inbox stream to whoever waits for it.
async fn deliver(stream: reqwest::Response, waiting: Waiting) -> anyhow::Result<()> {
    let mut chunks = stream.bytes_stream();
    let mut text = Vec::new();
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk?);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let Some(json) = line.strip_prefix(b"data:") else { continue };
            let message: serde_json::Value = serde_json::from_slice(json)?;
            let (number, code) = (message["number"].as_str(), message["code"].as_str());
            if let (Some(number), Some(code)) = (number, code) {
                let waiter = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(number);
                if let Some(waiter) = waiter {
                    // Gone if its measurement has ended.
                    _ = waiter.send(code.to_owned());
                }
            }
        }
    }
    Ok(())
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
fn turn_at(turn: usize, rate: f64) -> f64 {
    turn as f64 / rate
}

#[expect(clippy::disallowed_methods, reason = "this is a measurement")]
fn now() -> Instant {
    Instant::now()
}

/// A certificate that a sandbox accepts as a claim for any number.
fn foreign_certificate() -> String {
    use base64::Engine as _;
    let name = b"Lucky Shrub";
    let details = [&[0x08, 0x01, 0x22, u8::try_from(name.len()).unwrap_or(0)][..], name].concat();
    let details_len = u8::try_from(details.len()).unwrap_or(0);
    let inner = [&[0x0a, details_len][..], &details].concat();
    let inner_len = u8::try_from(inner.len()).unwrap_or(0);
    let outer = [&[0x0a, inner_len][..], &inner].concat();
    base64::engine::general_purpose::STANDARD.encode(outer)
}

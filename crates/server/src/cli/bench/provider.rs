//! A provider of messages, for measurements: takes each after a moment, and can be away.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::now;

/// How long it takes over a message, as one on the internet might.
const EACH: Duration = Duration::from_millis(50);

pub(super) struct Provider {
    address: std::net::SocketAddr,
    seen: Arc<Seen>,
}

/// What it saw.
#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    away: bool,
    turned_away: usize,
    at_once: usize,
    most_at_once: usize,
    /// Each message that it took: when its request was read, and to whom.
    taken: Vec<(Instant, String)>,
    first: HashMap<String, Instant>,
}

impl Provider {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, seen) = (listener.local_addr()?, Arc::<Seen>::default());
        let to_connections = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that breaks is the server's business.
                tokio::spawn(serve(stream, Arc::clone(&to_connections)));
            }
        });
        Ok(Self { address, seen })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on everybody is turned away.
    pub(super) fn go_away(&self) {
        self.seen.state().away = true;
    }

    /// Takes messages again; when.
    pub(super) fn come_back(&self) -> Instant {
        let mut state = self.seen.state();
        (state.away, state.most_at_once) = (false, 0);
        now()
    }

    pub(super) fn turned_away(&self) -> usize {
        self.seen.state().turned_away
    }

    /// Most messages that it had at once since it came back.
    pub(super) fn most_at_once(&self) -> usize {
        self.seen.state().most_at_once
    }

    /// What it took since then: how long after, and to whom.
    pub(super) fn since(&self, begin: Instant) -> Vec<(Duration, String)> {
        let state = self.seen.state();
        let taken = state.taken.iter().filter(|(at, _)| *at >= begin);
        taken.map(|(at, to)| (at.duration_since(begin), to.clone())).collect()
    }

    /// When the first message to `number` arrived.
    pub(super) async fn arrival(
        &self,
        number: &str,
        patience: Duration,
    ) -> anyhow::Result<Instant> {
        let mut changed = self.seen.changed.subscribe();
        let arrives = async {
            loop {
                if let Some(at) = self.seen.state().first.get(number) {
                    return *at;
                }
                // Its sender lives as long as this provider.
                _ = changed.changed().await;
            }
        };
        tokio::time::timeout(patience, arrives).await.context("a code did not arrive")
    }
}

impl Seen {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request; whether it is taken.
    fn begins(&self, to: String, at: Instant) -> bool {
        let mut state = self.state();
        if state.away {
            state.turned_away += 1;
            return false;
        }
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        state.first.entry(to.clone()).or_insert(at);
        state.taken.push((at, to));
        drop(state);
        self.changed.send_replace(());
        true
    }
}

async fn serve(stream: TcpStream, seen: Arc<Seen>) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(body) = request(&mut stream).await? {
        let at = now();
        let answer = if seen.begins(recipient(&body), at) {
            tokio::time::sleep(EACH).await;
            seen.state().at_once -= 1;
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        } else {
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        };
        stream.get_mut().write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// The body of the next request; none at the end of the connection.
async fn request(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Option<String>> {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(String::from_utf8(body)?))
}

/// Whom a form is to.
fn recipient(form: &str) -> String {
    let to = form.split('&').find_map(|field| field.strip_prefix("to="));
    to.unwrap_or_default().replace("%2B", "+")
}

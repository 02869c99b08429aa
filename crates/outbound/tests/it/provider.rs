//! A small HTTP provider that does what a test tells it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::smsc::held_address;

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What the provider does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers so: status, further header lines, body.
    Http(u16, &'static str, String),
    /// Sends half of the answer and closes.
    HalfAnAnswer,
    /// Closes without a word.
    Reset,
    /// Reads and says nothing.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::Http(status, "Content-Type: application/json\r\n", body.to_owned())
    }
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Reply>>,
    standing: Mutex<Option<Reply>>,
    asked: Mutex<Vec<Asked>>,
}

pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: Mutex<Option<JoinHandle<()>>>,
    _held: TcpSocket,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let (held, address) = held_address();
        let listener = TcpListener::bind(address).await.unwrap();
        let state = Arc::new(State::default());
        let task = Mutex::new(Some(tokio::spawn(listen(listener, Arc::clone(&state)))));
        Self { address, state, task, _held: held }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn then(&self, replies: &[Reply]) {
        self.state.script.lock().unwrap().extend(replies.iter().cloned());
    }

    pub(crate) fn stand(&self, reply: Option<Reply>) {
        *self.state.standing.lock().unwrap() = reply;
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Asked {
        self.asked().pop().unwrap()
    }

    pub(crate) async fn stop(&self) {
        let task = self.task.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            _ = task.await;
        }
    }

    pub(crate) async fn restart(&self) {
        self.stop().await;
        let listener = TcpListener::bind(self.address).await.unwrap();
        let task = tokio::spawn(listen(listener, Arc::clone(&self.state)));
        *self.task.lock().unwrap() = Some(task);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    while let Some(asked) = read(&mut stream).await {
        state.asked.lock().unwrap().push(asked);
        let scripted = state.script.lock().unwrap().pop_front();
        let standing = || state.standing.lock().unwrap().clone();
        let count = state.asked.lock().unwrap().len();
        let usual = || Reply::json(201, &format!("{{\"id\":\"m{count}\"}}"));
        let answer = match scripted.or_else(standing).unwrap_or_else(usual) {
            Reply::Http(status, headers, body) => {
                let length = body.len();
                format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
            }
            Reply::HalfAnAnswer => {
                let half = "HTTP/1.1 201 X\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"id\":";
                _ = stream.write_all(half.as_bytes()).await;
                return;
            }
            Reply::Reset => return,
            Reply::Silence => core::future::pending().await,
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    };
    let headers: Vec<_> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { line, headers, body: String::from_utf8(body).unwrap() })
}

//! A small SMSC that does what a test tells it. It reads the octets itself and shares no code with the
//! sender.

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A submit as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Submit {
    pub(crate) source: (u8, u8, String),
    pub(crate) destination: (u8, u8, String),
    pub(crate) esm_class: u8,
    pub(crate) validity: String,
    pub(crate) registered_delivery: u8,
    pub(crate) data_coding: u8,
    pub(crate) octets: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// What becomes of a submit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Taken, with the next id.
    Taken,
    /// Taken, with this id.
    TakenAs(&'static str),
    /// Its receipt comes first, then the answer.
    ReceiptFirst(&'static str),
    /// Refused.
    Status(u32),
    /// An answer whose body makes no sense.
    Garbled,
    /// No answer.
    Silence,
    /// The connection is closed in the middle of the answer.
    Reset,
}

#[derive(Default)]
pub(crate) struct State {
    /// Replies to the next submits; then [`Reply::Taken`], or the standing one.
    pub(crate) script: Mutex<VecDeque<Reply>>,
    pub(crate) standing: Mutex<Option<Reply>>,
    pub(crate) submits: Mutex<Vec<Submit>>,
    /// Answers to what the SMSC asked: id, status, sequence.
    pub(crate) answers: Mutex<Vec<(u32, u32, u32)>>,
    pub(crate) bind_status: AtomicU64,
    /// Interface version of the last bind.
    pub(crate) version: AtomicUsize,
    pub(crate) binds: AtomicUsize,
    pub(crate) unbinds: AtomicUsize,
    pub(crate) enquiries: AtomicUsize,
    /// Reads, and answers nothing at all.
    pub(crate) deaf: AtomicBool,
    /// Time before each answer to a submit.
    pub(crate) pause: Mutex<Duration>,
    pub(crate) unanswered: AtomicUsize,
    pub(crate) most_unanswered: AtomicUsize,
    next_id: AtomicU64,
    wires: Mutex<Vec<mpsc::UnboundedSender<Vec<u8>>>>,
}

pub(crate) struct Smsc {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
    task: Mutex<Option<JoinHandle<()>>>,
    _held: TcpSocket,
}

impl Smsc {
    pub(crate) async fn start() -> Self {
        let (held, address) = held_address();
        let listener = TcpListener::bind(address).await.unwrap();
        let state = Arc::new(State::default());
        let task = tokio::spawn(listen(listener, Arc::clone(&state)));
        Self { address, state, task: Mutex::new(Some(task)), _held: held }
    }

    /// Closes every connection and listens no more.
    pub(crate) async fn stop(&self) {
        let task = self.task.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            _ = task.await;
        }
        self.state.wires.lock().unwrap().clear();
    }

    pub(crate) async fn restart(&self) {
        self.stop().await;
        let listener = TcpListener::bind(self.address).await.unwrap();
        let task = tokio::spawn(listen(listener, Arc::clone(&self.state)));
        *self.task.lock().unwrap() = Some(task);
    }

    pub(crate) fn stand(&self, reply: Option<Reply>) {
        *self.state.standing.lock().unwrap() = reply;
    }

    pub(crate) fn then(&self, replies: &[Reply]) {
        self.state.script.lock().unwrap().extend(replies.iter().cloned());
    }

    pub(crate) fn submits(&self) -> Vec<Submit> {
        self.state.submits.lock().unwrap().clone()
    }

    /// Sends a PDU of its own to whoever is bound.
    pub(crate) fn push(&self, id: u32, sequence: u32, body: &[u8]) {
        for wire in &*self.state.wires.lock().unwrap() {
            _ = wire.send(pdu(id, 0, sequence, body));
        }
    }

    /// Sends a receipt with this text.
    pub(crate) fn receipt(&self, sequence: u32, text: &str) {
        self.push(5, sequence, &deliver(0x04, text.as_bytes()));
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }
}

/// An address that stays taken while nobody listens there: whoever stops finds it free when it comes back.
pub(crate) fn held_address() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

pub(crate) fn pdu(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let header = [length, id, status, sequence].map(u32::to_be_bytes).concat();
    [header.as_slice(), body].concat()
}

/// Body of a `deliver_sm`.
pub(crate) fn deliver(esm_class: u8, text: &[u8]) -> Vec<u8> {
    let mut body = b"\0\x01\x01447700900001\0\x01\x01447700900002\0".to_vec();
    body.extend([esm_class, 0, 0, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()]);
    body.extend(text);
    body
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    // Dropped with this task, and every connection with it.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&state)));
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    stream.set_nodelay(true).unwrap();
    let (mut read, mut write) = stream.into_split();
    let (wire, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
    let mut connection = Connection { state, wire, bound: false };
    loop {
        tokio::select! {
            length = read.read_u32() => {
                let Ok(length) = length else { return };
                let mut rest = vec![0; length as usize - 4];
                if read.read_exact(&mut rest).await.is_err() || !connection.take(&rest) {
                    break;
                }
            }
            Some(bytes) = outgoing.recv() => if write.write_all(&bytes).await.is_err() { return },
        }
    }
    // Half an answer, then the end.
    while let Ok(bytes) = outgoing.try_recv() {
        _ = write.write_all(&bytes).await;
    }
}

struct Connection {
    state: Arc<State>,
    wire: mpsc::UnboundedSender<Vec<u8>>,
    bound: bool,
}

impl Connection {
    fn answer(&self, id: u32, status: u32, sequence: u32, body: &[u8]) {
        _ = self.wire.send(pdu(id | 0x8000_0000, status, sequence, body));
    }

    /// `false` ends the connection.
    fn take(&mut self, rest: &[u8]) -> bool {
        let word = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap());
        let (id, status, sequence) = (word(0), word(4), word(8));
        let body = &rest[12..];
        if id == 0x15 {
            self.state.enquiries.fetch_add(1, Ordering::Relaxed);
        }
        if self.state.deaf.load(Ordering::Relaxed) {
            if id == 4 {
                self.state.submits.lock().unwrap().push(read_submit(body));
            }
            return true;
        }
        match id {
            9 => self.bind(sequence, body),
            4 if !self.bound => self.answer(4, 0x04, sequence, b""),
            4 => return self.submit(sequence, body),
            6 => {
                self.state.unbinds.fetch_add(1, Ordering::Relaxed);
                self.answer(6, 0, sequence, b"");
                return false;
            }
            0x15 => self.answer(0x15, 0, sequence, b""),
            _ if id & 0x8000_0000 != 0 => {
                self.state.answers.lock().unwrap().push((id, status, sequence));
            }
            _ => self.answer(0, 0x03, sequence, b""),
        }
        true
    }

    fn bind(&mut self, sequence: u32, body: &[u8]) {
        let status = u32::try_from(self.state.bind_status.load(Ordering::Relaxed)).unwrap();
        let mut at = 0;
        let words = [(); 3].map(|()| text(body, &mut at));
        self.state.version.store(body[at].into(), Ordering::Relaxed);
        let known = words[0] == "rollcall" && words[1] == "secret";
        if status != 0 || !known {
            return self.answer(9, if known { status } else { 0x0e }, sequence, b"");
        }
        self.bound = true;
        self.state.binds.fetch_add(1, Ordering::Relaxed);
        self.state.wires.lock().unwrap().push(self.wire.clone());
        self.answer(9, 0, sequence, b"smsc\0");
    }

    fn submit(&self, sequence: u32, body: &[u8]) -> bool {
        let state = Arc::clone(&self.state);
        state.submits.lock().unwrap().push(read_submit(body));
        let scripted = state.script.lock().unwrap().pop_front();
        let standing = || state.standing.lock().unwrap().clone();
        let reply = scripted.or_else(standing).unwrap_or(Reply::Taken);
        let id = format!("{:x}\0", 0xa0 + state.next_id.fetch_add(1, Ordering::Relaxed));
        match reply {
            Reply::Taken => self.later(sequence, id.into_bytes()),
            Reply::TakenAs(id) => self.later(sequence, format!("{id}\0").into_bytes()),
            Reply::ReceiptFirst(id) => {
                let text = format!("id:{id} stat:DELIVRD err:000");
                _ = self.wire.send(pdu(5, 0, 9000, &deliver(0x04, text.as_bytes())));
                self.later(sequence, format!("{id}\0").into_bytes());
            }
            Reply::Status(status) => self.answer(4, status, sequence, b""),
            Reply::Garbled => self.answer(4, 0, sequence, b"no end"),
            Reply::Silence => {}
            Reply::Reset => {
                let whole = pdu(0x8000_0004, 0, sequence, id.as_bytes());
                _ = self.wire.send(whole[..9].to_vec());
                return false;
            }
        }
        true
    }

    /// Answers after the pause, and counts how many wait for it.
    fn later(&self, sequence: u32, body: Vec<u8>) {
        let (state, wire) = (Arc::clone(&self.state), self.wire.clone());
        let pause = *state.pause.lock().unwrap();
        if pause.is_zero() {
            return self.answer(4, 0, sequence, &body);
        }
        let waiting = state.unanswered.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_unanswered.fetch_max(waiting, Ordering::SeqCst);
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            state.unanswered.fetch_sub(1, Ordering::SeqCst);
            _ = wire.send(pdu(0x8000_0004, 0, sequence, &body));
        });
    }
}

fn text(body: &[u8], at: &mut usize) -> String {
    let end = *at + body[*at..].iter().position(|b| *b == 0).unwrap();
    let found = String::from_utf8(body[*at..end].to_vec()).unwrap();
    *at = end + 1;
    found
}

fn read_submit(body: &[u8]) -> Submit {
    let mut at = 0;
    text(body, &mut at);
    let mut address = || {
        let (ton, npi) = (body[at], body[at + 1]);
        at += 2;
        (ton, npi, text(body, &mut at))
    };
    let (source, destination) = (address(), address());
    let esm_class = body[at];
    at += 3;
    text(body, &mut at);
    let validity = text(body, &mut at);
    let (registered_delivery, data_coding) = (body[at], body[at + 2]);
    let length = usize::from(body[at + 4]);
    at += 5;
    let octets = body[at..at + length].to_vec();
    let tlv = &body[at + length..];
    let payload = if tlv.starts_with(&[0x04, 0x24]) { tlv[4..].to_vec() } else { Vec::new() };
    Submit {
        source,
        destination,
        esm_class,
        validity,
        registered_delivery,
        data_coding,
        octets,
        payload,
    }
}

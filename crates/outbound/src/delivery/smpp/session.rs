//! One bound connection to an SMSC, until it ends.
//!
//! One task does everything: it reads, writes, submits while the window has room, answers what the SMSC
//! asks, and keeps the clocks. Every submit that it took gets exactly one answer, also when the link
//! dies: then it may or may not have been taken, and says so.

use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::io;

use bytes::BytesMut;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rusmpp::Pdu;
use rusmpp::pdus::{DataSmResp, DeliverSmResp};
use service::ports::{DeliveryError, HandedOver, Receipt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::debug;

use super::frame::{Frame, FrameReader, append};
use super::link::Link;
use super::receipt;
use super::status::{self, Meaning};

/// What a session talks over: TCP, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A message on its way to the SMSC.
pub(super) struct Job {
    pub(super) pdu: Pdu,
    pub(super) answer: oneshot::Sender<Result<HandedOver, DeliveryError>>,
    /// Its place in the window, until it is answered or given up; whether somebody still waits for the
    /// answer does not matter.
    pub(super) room: OwnedSemaphorePermit,
}

/// A submit without an answer yet.
struct Pending {
    answer: oneshot::Sender<Result<HandedOver, DeliveryError>>,
    _room: OwnedSemaphorePermit,
}

/// Why a session ended.
pub(super) enum End {
    /// It was asked to stop, and took its leave.
    Stopped,
    /// It broke.
    Lost(String),
}

/// Receipts being recorded at a time; further ones stay with the SMSC until then.
const RECORDING_MAX: usize = 64;

/// Time for answers that are still due when the server stops.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// Time for the SMSC to say goodbye.
const UNBIND_PATIENCE: Duration = Duration::from_secs(1);

/// Top bit of the id of an answer.
const ANSWER: u32 = 0x8000_0000;
const SUBMIT_SM_RESP: u32 = ANSWER | 0x04;
const GENERIC_NACK: u32 = ANSWER;
const DELIVER_SM: u32 = 0x05;
const UNBIND: u32 = 0x06;
const UNBIND_RESP: u32 = ANSWER | UNBIND;
const ENQUIRE_LINK: u32 = 0x15;
const DATA_SM: u32 = 0x103;

/// Numbers run from 1 to this and start again (§3.2).
const SEQUENCE_MAX: u32 = 0x7fff_ffff;

/// See the module.
pub(super) struct Session<'a> {
    link: &'a Link,
    frames: FrameReader<ReadHalf<Box<dyn Stream>>>,
    wire: WriteHalf<Box<dyn Stream>>,
    out: BytesMut,
    /// Written, and perhaps not sent yet.
    unflushed: bool,
    sequence: u32,
    pending: HashMap<u32, Pending>,
    /// When each submit's time is up, in the order of submitting; some have been answered since.
    deadlines: VecDeque<(Instant, u32)>,
    heard_at: Instant,
    /// When the SMSC must have been heard, if it was asked whether it is there.
    sign_of_life_by: Option<Instant>,
    recording: FuturesUnordered<BoxFuture<'static, (u32, Pdu)>>,
    leaving: Option<Leaving>,
}

struct Leaving {
    until: Instant,
    unbound: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(link: &'a Link, stream: Box<dyn Stream>) -> Self {
        let (read, wire) = tokio::io::split(stream);
        Self {
            link,
            frames: FrameReader::new(read),
            wire,
            out: BytesMut::with_capacity(4096),
            unflushed: false,
            sequence: 0,
            pending: HashMap::new(),
            deadlines: VecDeque::new(),
            heard_at: Instant::now(),
            sign_of_life_by: None,
            recording: FuturesUnordered::new(),
            leaving: None,
        }
    }

    /// Binds; an error says what the SMSC answered.
    pub(super) async fn bind(&mut self, pdu: Pdu) -> Result<(), String> {
        let sequence = self.append(pdu);
        self.wire.write_all(&self.out).await.map_err(|error| error.to_string())?;
        self.wire.flush().await.map_err(|error| error.to_string())?;
        self.out.clear();
        loop {
            let frame = self.frames.next().await.map_err(|error| error.to_string())?;
            if frame.sequence == sequence && frame.id & ANSWER != 0 {
                return match frame.status {
                    status::OK => Ok(()),
                    refused => Err(format!("it refused the bind: {}", status::words(refused))),
                };
            }
        }
    }

    /// Works until the link breaks or `stop` turns true.
    pub(super) async fn run(
        mut self,
        jobs: &mut mpsc::Receiver<Job>,
        stop: &mut watch::Receiver<bool>,
    ) -> End {
        let end = loop {
            let now = Instant::now();
            if let Err(lost) = self.keep_time(now) {
                break End::Lost(lost);
            }
            if self.has_left() {
                break End::Stopped;
            }
            let (writing, leaving) =
                (!self.out.is_empty() || self.unflushed, self.leaving.is_some());
            let wake_at = self.wake_at(now);
            tokio::select! {
                frame = self.frames.next(), if self.recording.len() < RECORDING_MAX => match frame {
                    Ok(frame) => if let Some(end) = self.take(&frame) { break end },
                    Err(_) if self.leaving.as_ref().is_some_and(|it| it.unbound) => break End::Stopped,
                    Err(error) => break End::Lost(error.to_string()),
                },
                wrote = push(&mut self.wire, &mut self.out, &mut self.unflushed), if writing => {
                    if let Err(error) = wrote {
                        break End::Lost(error.to_string());
                    }
                }
                Some(job) = jobs.recv(), if !leaving => self.submit(job),
                Some((sequence, answer)) = self.recording.next(), if !self.recording.is_empty() => {
                    append(&mut self.out, status::OK, sequence, answer);
                }
                () = tokio::time::sleep_until(wake_at) => {}
                _ = stop.changed(), if !leaving => {
                    self.leaving = Some(Leaving { until: now + LEAVE_PATIENCE, unbound: false });
                }
            }
        };
        for (_, Pending { answer, .. }) in self.pending.drain() {
            _ = answer.send(Err(self.link.uncertain("the link broke before it answered")));
        }
        end
    }

    fn append(&mut self, pdu: Pdu) -> u32 {
        self.sequence = if self.sequence == SEQUENCE_MAX { 1 } else { self.sequence + 1 };
        append(&mut self.out, status::OK, self.sequence, pdu);
        self.sequence
    }

    fn submit(&mut self, Job { pdu, answer, room }: Job) {
        if answer.is_closed() {
            // Nobody waits for it any more: it must not leave.
            return;
        }
        let sequence = self.append(pdu);
        self.pending.insert(sequence, Pending { answer, _room: room });
        let deadline = Instant::now() + self.link.options.response_timeout;
        self.deadlines.push_back((deadline, sequence));
    }

    /// Deals with what came in; the end if that was one.
    fn take(&mut self, frame: &Frame) -> Option<End> {
        self.heard_at = Instant::now();
        self.sign_of_life_by = None;
        let Frame { id, sequence, .. } = *frame;
        match id {
            SUBMIT_SM_RESP | GENERIC_NACK => return self.answered(frame),
            DELIVER_SM | DATA_SM if frame.garbled => {
                let nack = answer_to(id);
                append(&mut self.out, status::INVALID_TLV_STREAM, sequence, nack);
            }
            DELIVER_SM | DATA_SM => self.delivered(frame),
            ENQUIRE_LINK => append(&mut self.out, status::OK, sequence, Pdu::EnquireLinkResp),
            UNBIND => {
                append(&mut self.out, status::OK, sequence, Pdu::UnbindResp);
                return Some(End::Lost("it unbound".to_owned()));
            }
            UNBIND_RESP if self.leaving.is_some() => return Some(End::Stopped),
            other if other & ANSWER == 0 => {
                append(&mut self.out, status::INVALID_COMMAND, sequence, Pdu::GenericNack);
            }
            _ => {}
        }
        None
    }

    /// A submit was answered.
    fn answered(&mut self, frame: &Frame) -> Option<End> {
        // Without a submit of this number: its time was up before.
        let Pending { answer, .. } = self.pending.remove(&frame.sequence)?;
        let words = || status::words(frame.status);
        let (result, end) = match status::meaning(frame.status) {
            Meaning::Taken if frame.id == SUBMIT_SM_RESP => {
                self.link.pace.taken();
                let id = match &frame.pdu {
                    Some(Pdu::SubmitSmResp(answer)) => answer.message_id().as_str(),
                    _ => "",
                };
                (Ok(self.link.taken(id)), None)
            }
            Meaning::Taken => {
                (Err(self.link.uncertain("it answered with a nack of status 0")), None)
            }
            Meaning::Throttled => {
                let rest = self.link.pace.throttled(Instant::now());
                (Err(self.link.unavailable(words(), Some(rest))), None)
            }
            Meaning::Unbound => {
                let end = End::Lost(words());
                (Err(self.link.unavailable(words(), None)), Some(end))
            }
            Meaning::Trouble => (Err(self.link.unavailable(words(), None)), None),
            Meaning::Refused => (Err(self.link.rejected(words())), None),
        };
        _ = answer.send(result);
        end
    }

    /// A receipt is acknowledged once it is recorded; what is none, at once.
    fn delivered(&mut self, frame: &Frame) {
        let answer = answer_to(frame.id);
        let told = frame.pdu.as_ref().and_then(receipt::read);
        let outcome = told.and_then(|told| Some((told.id, told.outcome?)));
        let Some((id, outcome)) = outcome else {
            debug!(sender = self.link.options.name, "an incoming message that is no final receipt");
            return append(&mut self.out, status::OK, frame.sequence, answer);
        };
        let receipt = Receipt {
            sender: self.link.options.name.clone(),
            provider_id: self.link.options.message_ids.of_receipt(&id),
            outcome,
            // Its "done date" is local time of an SMSC somewhere.
            at: self.link.ports.clock.now(),
        };
        let (sink, sequence) = (self.link.ports.receipts.clone(), frame.sequence);
        self.recording.push(Box::pin(async move {
            sink.receipt(receipt).await;
            (sequence, answer)
        }));
    }

    /// Does what the clock asks for; an error if the SMSC is gone.
    fn keep_time(&mut self, now: Instant) -> Result<(), String> {
        let options = &self.link.options;
        let mut ask = false;
        while let Some((deadline, sequence)) = self.deadlines.front().copied() {
            if deadline > now && self.pending.contains_key(&sequence) {
                break;
            }
            self.deadlines.pop_front();
            if let Some(Pending { answer, .. }) = self.pending.remove(&sequence) {
                _ = answer.send(Err(self.link.uncertain("it did not answer in time")));
                // Is it slow, or gone?
                ask = true;
            }
        }
        match self.sign_of_life_by {
            Some(by) if by <= now => return Err("it stopped answering".to_owned()),
            None if ask || self.heard_at + options.enquire_interval <= now => {
                self.sign_of_life_by = Some(now + options.response_timeout);
                self.append(Pdu::EnquireLink);
            }
            Some(_) | None => {}
        }
        match &mut self.leaving {
            Some(leaving) if !leaving.unbound => {
                let idle = self.pending.is_empty() && self.recording.is_empty();
                if idle || leaving.until <= now {
                    *leaving = Leaving { until: now + UNBIND_PATIENCE, unbound: true };
                    self.append(Pdu::Unbind);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the SMSC had its time to say goodbye.
    fn has_left(&self) -> bool {
        self.leaving.as_ref().is_some_and(|it| it.unbound && it.until <= Instant::now())
    }

    /// When [`Self::keep_time`] has something to do, unless something happens before.
    fn wake_at(&self, now: Instant) -> Instant {
        let life =
            self.sign_of_life_by.unwrap_or(self.heard_at + self.link.options.enquire_interval);
        let answer = self.deadlines.front().map(|(deadline, _)| *deadline);
        let leave = self.leaving.as_ref().map(|it| it.until);
        [answer, leave].into_iter().flatten().fold(life, Instant::min).max(now)
    }
}

fn answer_to(id: u32) -> Pdu {
    if id == DATA_SM { DataSmResp::default().into() } else { DeliverSmResp::default().into() }
}

/// Writes some of `out`, or flushes what was written. Dropping it loses nothing.
async fn push(
    wire: &mut WriteHalf<Box<dyn Stream>>,
    out: &mut BytesMut,
    unflushed: &mut bool,
) -> io::Result<()> {
    if out.is_empty() {
        wire.flush().await?;
        *unflushed = false;
    } else {
        if wire.write_buf(out).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *unflushed = true;
    }
    Ok(())
}

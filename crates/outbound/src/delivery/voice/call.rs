//! One call: ring, be answered, speak, hang up.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Arc;

use rsipstack::dialog::DialogId;
use rsipstack::dialog::dialog::{DialogState, DialogStateReceiver};
use rsipstack::dialog::invitation::{InviteAsyncResult, InviteOption};
use rsipstack::dialog::invite_dialog::InviteDialog;
use rsipstack::sip::{Header, Request, Response, StatusCode, StatusCodeKind};
use service::ports::{Entropy, EntropyExt as _};
use service::speech::{Recording, SILENCE};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::options::VoiceOptions;
use super::outcome::Unanswered;
use super::rtp::{Keys, PACKET_BYTES, PACKET_SAMPLES, Packets};
use super::sdp::{self, Answer, Unusable};
use super::trunk::{self, Trunk};

/// A trunk that lives says "trying" at once (RFC 3261: within 200 ms); three repeats over UDP fit.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);

/// Time between packets.
const TICK: Duration = Duration::from_millis(20);

/// How long the line stays open after the last word, for a press of [`REPEAT`].
const LISTEN_ON: Duration = Duration::from_secs(3);

/// The key that starts the recording again.
const REPEAT: u8 = 1;

/// Starts again at most so often, so that a stuck key does not hold a line.
const REPEATS_MAX: u32 = 3;

/// Largest packet that is read; sound comes in some 200 bytes.
const PACKET_BYTES_MAX: usize = 2048;

/// Tries to find a free port in a configured range.
const PORT_TRIES: usize = 20;

/// Why there was no call to speak in.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("nobody answered")]
    Unanswered(Unanswered),
    #[error("the answer cannot be used: {0}")]
    Unusable(#[from] Unusable),
    #[error("no port for the sound")]
    NoPort(#[source] std::io::Error),
    #[error("the SIP stack failed")]
    Sip(#[from] rsipstack::Error),
}

/// How an answered call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The code was told at least once in full.
    Told,
    /// The far side hung up before.
    HungUp,
    /// The sound could not be sent.
    NoSound,
}

/// An answered call; [`speak`](Call::speak) hangs it up.
pub(super) struct Call {
    trunk: Arc<Trunk>,
    dialog: InviteDialog,
    id: DialogId,
    states: DialogStateReceiver,
    socket: UdpSocket,
    answer: Answer,
}

/// What a call needs to know.
pub(super) struct Place<'a> {
    pub(super) trunk: &'a Arc<Trunk>,
    pub(super) options: &'a VoiceOptions,
    pub(super) entropy: &'a dyn Entropy,
    /// User part of the called address.
    pub(super) callee: &'a str,
    pub(super) caller: &'a str,
    /// The trunk will know the call by it.
    pub(super) call_id: &'a str,
}

impl Call {
    /// Rings until somebody answers. A future that is dropped on the way cancels the call.
    pub(super) async fn ring(place: &Place<'_>) -> Result<Self, CallError> {
        let Place { trunk, options, .. } = place;
        let socket = media_socket(trunk.local, options, place.entropy).await?;
        let (states_in, mut states) = trunk.dialogs.new_dialog_state_channel();
        let port = socket.local_addr().map_err(CallError::NoPort)?.port();
        let media = SocketAddr::new(options.public_ip.unwrap_or(trunk.local.ip()), port);
        let (dialog, task) = trunk.dialogs.do_invite_async(invitation(place, media)?, states_in)?;
        let mut ringing = Ringing(task);
        let mut early = None;
        let answered = wait(&mut ringing.0, &mut states, &mut early);
        let Ok(answered) = tokio::time::timeout(options.ring, answered).await else {
            return Err(CallError::Unanswered(Unanswered::RangOut(options.ring)));
        };
        let (id, response) = answered?;
        // An answer without a description keeps the one that came while it rang.
        let body = Some(response.body).filter(|body| !body.is_empty()).or(early);
        match sdp::read_answer(&body.unwrap_or_default()) {
            Ok(answer) => {
                let trunk = Arc::clone(trunk);
                Ok(Self { trunk, dialog, id, states, socket, answer })
            }
            Err(unusable) => {
                hang_up(trunk, &dialog, &id).await;
                Err(unusable.into())
            }
        }
    }

    /// Speaks, then hangs up; or stops when the far side does.
    pub(super) async fn speak(mut self, recording: &Recording, chance: [u8; 10]) -> Ended {
        let mut player = Player::new(recording, &self.answer, chance);
        let mut ticks = tokio::time::interval(TICK);
        // After a late tick the next ones come at once: the far side's buffer evens it out.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut packet = [0; PACKET_BYTES_MAX];
        let ended = loop {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    let Some(next) = player.next() else { break Ended::Told };
                    if self.socket.send_to(&next, self.answer.media).await.is_err() && player.unheard() {
                        break Ended::NoSound;
                    }
                }
                state = self.states.recv() => match state {
                    None | Some(DialogState::Terminated(..)) => {
                        break if player.told() { Ended::Told } else { Ended::HungUp };
                    }
                    Some(state) => attend(state, &mut player).await,
                },
                // What cannot be read is a port-unreachable notice, which media streams live with.
                Ok((count, _)) = self.socket.recv_from(&mut packet) => player.hear(&packet[..count]),
            }
        };
        hang_up(&self.trunk, &self.dialog, &self.id).await;
        ended
    }
}

/// The task of a call that rings. Its end is a CANCEL, and a BYE to whoever answers at that very moment.
struct Ringing(JoinHandle<InviteAsyncResult>);

impl Drop for Ringing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for the final answer; keeps the description of early media.
async fn wait(
    task: &mut JoinHandle<InviteAsyncResult>,
    states: &mut DialogStateReceiver,
    early: &mut Option<Vec<u8>>,
) -> Result<(DialogId, Response), CallError> {
    let silence = tokio::time::sleep(SIGN_OF_LIFE);
    tokio::pin!(silence);
    let mut alive = false;
    loop {
        tokio::select! {
            // States first: they tell of the time before the answer.
            biased;
            Some(state) = states.recv() => {
                alive |= !matches!(state, DialogState::Calling(_));
                if let DialogState::Early(_, response) = state
                    && !response.body.is_empty()
                {
                    *early = Some(response.body);
                }
            }
            ended = &mut *task => {
                let ended = ended.map_err(|_| CallError::Unanswered(Unanswered::Silence))?;
                let (id, response) = ended?;
                let response = response.ok_or(CallError::Unanswered(Unanswered::Silence))?;
                if response.status_code.kind() == StatusCodeKind::Successful {
                    return Ok((id, response));
                }
                let code = response.status_code.code();
                return Err(CallError::Unanswered(Unanswered::Status { code, retry_after: retry_after(&response) }));
            }
            () = &mut silence, if !alive => {
                return Err(CallError::Unanswered(Unanswered::Silence));
            }
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers.iter().find_map(|header| {
        let Header::RetryAfter(seconds) = header else { return None };
        Some(seconds.value().to_owned())
    })?;
    // A comment or parameters may follow the seconds.
    let digits: String = value.trim().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

#[expect(clippy::result_large_err, reason = "the library's error is as large as it is")]
fn invitation(place: &Place<'_>, media: SocketAddr) -> rsipstack::Result<InviteOption> {
    let options = place.options;
    let session = u64::from_be_bytes(place.entropy.bytes()) >> 2;
    let user = options.credentials.as_ref().map_or(place.caller, |it| it.username.as_str());
    let local = SocketAddr::new(
        options.public_ip.unwrap_or(place.trunk.local.ip()),
        place.trunk.local.port(),
    );
    Ok(InviteOption {
        caller: trunk::uri(options, place.caller)?,
        callee: trunk::uri(options, place.callee)?,
        contact: format!("sip:{user}@{local}").try_into()?,
        destination: Some(place.trunk.destination.clone()),
        content_type: Some("application/sdp".to_owned()),
        offer: Some(sdp::offer(media, session).into_bytes()),
        credential: trunk::credential(options),
        call_id: Some(place.call_id.to_owned()),
        ..InviteOption::default()
    })
}

async fn media_socket(
    local: SocketAddr,
    options: &VoiceOptions,
    entropy: &dyn Entropy,
) -> Result<UdpSocket, CallError> {
    let Some(range) = &options.rtp_ports else {
        return UdpSocket::bind((local.ip(), 0)).await.map_err(CallError::NoPort);
    };
    let width = u32::from(range.end().saturating_sub(*range.start())) + 1;
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    for _ in 0..PORT_TRIES {
        let offset = u32::from_be_bytes(entropy.bytes()) % width;
        // The offset is below the width of a range of ports.
        let port = range.start() + u16::try_from(offset).unwrap_or(0);
        match UdpSocket::bind((local.ip(), port)).await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(CallError::NoPort(last))
}

/// Ends a call on both sides; one that has ended already is only forgotten.
async fn hang_up(trunk: &Trunk, dialog: &InviteDialog, id: &DialogId) {
    if dialog.bye().await.is_err() {
        // The far side ends the call by itself once it hears nothing. The error may name the number.
        tracing::debug!("a call could not be hung up");
    }
    trunk.dialogs.remove_dialog(id);
}

/// Requests inside the call: key presses by INFO count, the rest is agreed to or declined.
#[expect(clippy::wildcard_enum_match_arm, reason = "of the library's many, these matter")]
async fn attend(state: DialogState, player: &mut Player<'_>) {
    let (handle, status) = match state {
        DialogState::Info(_, request, handle) => {
            if info_key(&request) == Some(REPEAT) {
                player.repeat();
            }
            (handle, StatusCode::OK)
        }
        DialogState::Options(_, _, handle) => (handle, StatusCode::OK),
        // The description that was agreed on stays; a re-INVITE as a sign of life is declined, which keeps
        // the session as it is (RFC 3261, 14.1).
        DialogState::Updated(_, _, handle) => (handle, StatusCode::NotAcceptableHere),
        DialogState::Refer(_, _, handle)
        | DialogState::Message(_, _, handle)
        | DialogState::Notify(_, _, handle) => (handle, StatusCode::NotImplemented),
        _ => return,
    };
    // The far side has given up on its request.
    _ = handle.reply(status).await;
}

/// The key in an `application/dtmf-relay` or `application/dtmf` body.
fn info_key(request: &Request) -> Option<u8> {
    let text = str::from_utf8(request.body.get(..request.body.len().min(200))?).ok()?;
    let signal = text.lines().find_map(|line| line.trim().strip_prefix("Signal="));
    signal.unwrap_or(text).trim().parse().ok()
}

/// Where in its recording a call is.
struct Player<'a> {
    recording: &'a Recording,
    packets: Packets,
    keys: Option<Keys>,
    place: usize,
    farthest: usize,
    repeats: u32,
}

impl<'a> Player<'a> {
    fn new(recording: &'a Recording, answer: &Answer, chance: [u8; 10]) -> Self {
        let packets = Packets::new(chance, answer.codec);
        let keys = answer.telephone_event.map(Keys::new);
        Self { recording, packets, keys, place: 0, farthest: 0, repeats: 0 }
    }

    /// The next packet; `None` when everything was said and nobody asked for more.
    fn next(&mut self) -> Option<[u8; PACKET_BYTES]> {
        let samples = &self.recording.samples;
        let listen_on = usize::try_from(LISTEN_ON.as_millis() / TICK.as_millis()).unwrap_or(0);
        if self.place >= samples.len() + listen_on * PACKET_SAMPLES {
            return None;
        }
        let from = self.place.min(samples.len());
        let to = (self.place + PACKET_SAMPLES).min(samples.len());
        let packet = self.packets.next(&samples[from..to]);
        self.place += PACKET_SAMPLES;
        self.farthest = self.farthest.max(self.place);
        Some(packet)
    }

    /// Whether the code was told once in full.
    fn told(&self) -> bool {
        self.farthest >= self.recording.told_once
    }

    /// Whether nothing was said yet.
    fn unheard(&self) -> bool {
        let spoken = &self.recording.samples[..self.farthest.min(self.recording.samples.len())];
        spoken.iter().all(|sample| *sample == SILENCE)
    }

    fn hear(&mut self, packet: &[u8]) {
        if self.keys.as_mut().and_then(|keys| keys.hear(packet)) == Some(REPEAT) {
            self.repeat();
        }
    }

    fn repeat(&mut self) {
        if self.repeats < REPEATS_MAX {
            self.repeats += 1;
            self.place = 0;
            self.packets.mark();
        }
    }
}

#[cfg(test)]
mod tests;

//! A trunk and the telephones behind it, as the tests want them: SIP over UDP, what is said kept as it came.

use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use outbound::delivery::contract::Mood;
use registration::{Locale, PhoneNumber};
use service::speech;
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use crate::common::PATIENCE;

/// Digits of a code.
const CODE: usize = 6;

/// Octets before the sound in a packet.
const RTP_HEADER: usize = 12;

pub(crate) struct Trunk {
    pub(crate) address: SocketAddr,
    calls: Arc<Mutex<HashMap<String, Call>>>,
    mood: Arc<Mutex<Mood>>,
}

/// A call that was answered.
#[derive(Clone)]
struct Call {
    number: PhoneNumber,
    answer: String,
    sound: Arc<Mutex<Vec<u8>>>,
}

impl Trunk {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let trunk = Self {
            address: socket.local_addr().unwrap(),
            calls: Arc::default(),
            mood: Arc::new(Mutex::new(Mood::Well)),
        };
        let (calls, mood) = (Arc::clone(&trunk.calls), Arc::clone(&trunk.mood));
        tokio::spawn(async move {
            let mut datagram = [0; 4096];
            while let Ok((count, from)) = socket.recv_from(&mut datagram).await {
                let request = String::from_utf8_lossy(&datagram[..count]).into_owned();
                let mood = *mood.lock().unwrap();
                if let Some(answer) = answer(&request, mood, &calls).await {
                    socket.send_to(answer.as_bytes(), from).await.unwrap();
                }
            }
        });
        trunk
    }

    pub(crate) fn turn(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Who was called, and the code that each heard, once everybody heard one.
    pub(crate) async fn heard(&self) -> Vec<(PhoneNumber, String)> {
        let calls: Vec<Call> = self.calls.lock().unwrap().values().cloned().collect();
        let mut heard = Vec::new();
        for call in calls {
            let listening = async {
                loop {
                    let digits = digits_in(&call.sound.lock().unwrap());
                    if digits.len() >= CODE {
                        return digits[..CODE].to_owned();
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            };
            heard.push((call.number, timeout(PATIENCE, listening).await.expect("a code was told")));
        }
        heard
    }
}

async fn answer(request: &str, mood: Mood, calls: &Mutex<HashMap<String, Call>>) -> Option<String> {
    let line = request.lines().next()?;
    match (line.split(' ').next()?, mood) {
        ("ACK", _) | ("INVITE", Mood::Gone) => None,
        ("INVITE", Mood::Refusing) => Some(reply(request, "603 Decline", "", "")),
        ("INVITE", Mood::Throttling) => {
            Some(reply(request, "503 Service Unavailable", "Retry-After: 1\r\n", ""))
        }
        ("INVITE", Mood::Well) => {
            let id = header(request, "Call-ID").to_owned();
            let known = calls.lock().unwrap().get(&id).map(|call| call.answer.clone());
            if known.is_some() {
                // It was asked again because the answer got lost, or came late.
                return known;
            }
            let call = pick_up(request, line).await;
            calls.lock().unwrap().insert(id, call.clone());
            Some(call.answer)
        }
        _ => Some(reply(request, "200 OK", "", "")),
    }
}

/// Answers a call and listens.
async fn pick_up(request: &str, line: &str) -> Call {
    let called = line.split("sip:").nth(1).and_then(|rest| rest.split('@').next()).unwrap();
    let media = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = media.local_addr().unwrap().port();
    let description = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    );
    let more = "Contact: <sip:telephone@127.0.0.1>\r\nContent-Type: application/sdp\r\n";
    let sound = Arc::<Mutex<Vec<u8>>>::default();
    let heard = Arc::clone(&sound);
    tokio::spawn(async move {
        let mut packet = [0; 2048];
        while let Ok((count, _)) = media.recv_from(&mut packet).await {
            heard.lock().unwrap().extend(&packet[RTP_HEADER..count]);
        }
    });
    let answer = reply(request, "200 OK", more, &description);
    Call { number: PhoneNumber::parse(called).unwrap(), answer, sound }
}

fn reply(request: &str, status: &str, more: &str, body: &str) -> String {
    let mut reply = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let value = header(request, name);
        let tag = if name == "To" && !value.contains(";tag=") { ";tag=answered" } else { "" };
        write!(reply, "{name}: {value}{tag}\r\n").unwrap();
    }
    reply + &format!("{more}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let found = request.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    found.unwrap_or_else(|| panic!("no {name} in {request}"))
}

/// The digits said so far, each by the clip that it is.
fn digits_in(sound: &[u8]) -> String {
    let clips: Vec<_> =
        (0..10).map(|digit| speech::digit(&Locale::english(), digit).unwrap()).collect();
    let (mut digits, mut place) = (String::new(), 0);
    while place < sound.len() {
        let said = clips.iter().position(|clip| sound[place..].starts_with(clip));
        place += said.map_or(1, |digit| clips[digit].len());
        digits.extend(said.and_then(|digit| char::from_digit(u32::try_from(digit).unwrap(), 10)));
    }
    digits
}

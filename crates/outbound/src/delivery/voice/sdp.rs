//! Session descriptions (RFC 4566, RFC 3264): one audio stream, G.711 and telephone events.

use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};

/// Static payload types of RFC 3551.
pub(super) const PCMU: u8 = 0;
pub(super) const PCMA: u8 = 8;

/// The payload type we offer for telephone events (RFC 4733); any dynamic one would do.
const TELEPHONE_EVENT: u8 = 101;

/// Longest description that is read; real ones have some hundred bytes.
const BYTES_MAX: usize = 16 * 1024;

/// The two companding laws a call can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// µ-law, payload type 0.
    Pcmu,
    /// A-law, payload type 8.
    Pcma,
}

/// What the far side answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Where the sound goes.
    pub(super) media: SocketAddr,
    /// How it is coded.
    pub(super) codec: Codec,
    /// The payload type of its key presses, if it sends any.
    pub(super) telephone_event: Option<u8>,
}

/// Why a description cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it has no audio stream")]
    NoAudio,
    #[error("it takes neither G.711 law")]
    NoCodec,
    #[error("it names no address that can be sent to")]
    NoAddress,
    #[error("it does not want to hear anything")]
    Deaf,
}

/// Our offer: both laws, µ-law first, 20 ms a packet.
pub(super) fn offer(media: SocketAddr, session: u64) -> String {
    let (ip, port) = (media.ip(), media.port());
    let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
    format!(
        "v=0\r\no=- {session} 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {PCMU} {PCMA} {TELEPHONE_EVENT}\r\na=rtpmap:{PCMU} PCMU/8000\r\n\
         a=rtpmap:{PCMA} PCMA/8000\r\na=rtpmap:{TELEPHONE_EVENT} telephone-event/8000\r\n\
         a=fmtp:{TELEPHONE_EVENT} 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// Reads an answer to our offer: its first audio stream that is not refused.
pub(super) fn read_answer(body: &[u8]) -> Result<Answer, Unusable> {
    let text = String::from_utf8_lossy(&body[..body.len().min(BYTES_MAX)]);
    let mut session_address = None;
    let mut audio: Option<Stream> = None;
    for line in text.lines() {
        let Some((kind, value)) = line.trim_end().split_once('=') else { continue };
        match (kind, &mut audio) {
            // Whatever follows the audio stream belongs to another one.
            ("m", Some(_)) => break,
            ("m", None) => audio = Stream::read(value),
            ("c", Some(stream)) => stream.address = address(value).or(stream.address),
            ("c", None) => session_address = address(value).or(session_address),
            ("a", Some(stream)) => stream.attribute(value),
            _ => {}
        }
    }
    let audio = audio.ok_or(Unusable::NoAudio)?;
    if audio.deaf {
        return Err(Unusable::Deaf);
    }
    let codec = audio.formats.iter().find_map(|format| match *format {
        PCMU => Some(Codec::Pcmu),
        PCMA => Some(Codec::Pcma),
        _ => None,
    });
    let ip = audio.address.or(session_address).filter(|ip| !ip.is_unspecified());
    Ok(Answer {
        codec: codec.ok_or(Unusable::NoCodec)?,
        media: SocketAddr::new(ip.ok_or(Unusable::NoAddress)?, audio.port),
        telephone_event: audio.telephone_event,
    })
}

/// An audio stream as it is read.
struct Stream {
    port: u16,
    formats: Vec<u8>,
    address: Option<IpAddr>,
    telephone_event: Option<u8>,
    deaf: bool,
}

impl Stream {
    /// The value of an `m=` line; `None` if it is no audio, or refused by port 0.
    fn read(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let (kind, port, profile) = (words.next()?, words.next()?, words.next()?);
        let port = port.split('/').next()?.parse().ok().filter(|port| *port != 0)?;
        let formats = words.filter_map(|word| word.parse().ok()).collect();
        (kind == "audio" && profile.starts_with("RTP/AVP")).then_some(Self {
            port,
            formats,
            address: None,
            telephone_event: None,
            deaf: false,
        })
    }

    fn attribute(&mut self, value: &str) {
        match value.split_once(':') {
            Some(("rtpmap", map)) => {
                let mut words = map.split_ascii_whitespace();
                let format = words.next().and_then(|format| format.parse().ok());
                let name = words.next().unwrap_or_default();
                if name.to_ascii_lowercase().starts_with("telephone-event/") {
                    self.telephone_event = format;
                }
            }
            None if matches!(value, "sendonly" | "inactive") => self.deaf = true,
            _ => {}
        }
    }
}

/// The value of a `c=` line.
fn address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    (words.next()? == "IN").then_some(())?;
    _ = words.next()?;
    words.next()?.split('/').next()?.parse().ok()
}

/// A number of the form that `o=` lines and Call-IDs have.
pub(super) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a string cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8 0 97\r\na=rtpmap:97 telephone-event/8000\r\na=sendrecv\r\n";

    #[test]
    fn an_answer_is_read() {
        let answer = read_answer(FULL.as_bytes()).unwrap();
        assert_eq!(answer.media, "192.0.2.1:4000".parse().unwrap());
        assert_eq!((answer.codec, answer.telephone_event), (Codec::Pcma, Some(97)));
    }

    #[test]
    fn our_own_offer_can_be_answered_with_itself() {
        for media in ["192.0.2.7:5004", "[2001:db8::7]:5004"] {
            let media = media.parse().unwrap();
            let answer = read_answer(offer(media, 7).as_bytes()).unwrap();
            assert_eq!((answer.media, answer.codec), (media, Codec::Pcmu));
            assert_eq!(answer.telephone_event, Some(TELEPHONE_EVENT));
        }
    }

    #[test]
    fn odd_but_lawful_answers_are_understood() {
        for (text, media) in [
            // The stream has an address of its own; lines end bare.
            ("c=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 0\nc=IN IP4 192.0.2.2\n", "192.0.2.2:9"),
            // A refused stream first, video after.
            (
                "c=IN IP4 192.0.2.1\nm=video 0 RTP/AVP 99\nm=audio 9 RTP/AVP 3 8\nm=video 7 RTP/AVP 99\n\
                 a=inactive\n",
                "192.0.2.1:9",
            ),
            ("c=IN IP6 2001:db8::1\nm=audio 9/2 RTP/AVPF 0\na=recvonly\n", "[2001:db8::1]:9"),
        ] {
            assert_eq!(
                read_answer(text.as_bytes()).unwrap().media,
                media.parse().unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn answers_without_a_use_say_why() {
        for (text, why) in [
            ("", Unusable::NoAudio),
            ("m=audio 0 RTP/AVP 0\n", Unusable::NoAudio),
            ("m=audio 99999 RTP/AVP 0\n", Unusable::NoAudio),
            ("m=audio 9 UDP/TLS/RTP/SAVPF 0\nc=IN IP4 192.0.2.1\n", Unusable::NoAudio),
            ("m=audio 9 RTP/AVP 3 18\nc=IN IP4 192.0.2.1\n", Unusable::NoCodec),
            ("m=audio 9 RTP/AVP 0\n", Unusable::NoAddress),
            ("m=audio 9 RTP/AVP 0\nc=IN IP4 0.0.0.0\n", Unusable::NoAddress),
            ("m=audio 9 RTP/AVP 0\nc=IN IP4 host.example\n", Unusable::NoAddress),
            ("m=audio 9 RTP/AVP 0\nc=IN IP4 192.0.2.1\na=inactive\n", Unusable::Deaf),
            ("\u{0}\u{0}=\n===\nm=\nc=\na=\n", Unusable::NoAudio),
        ] {
            assert_eq!(read_answer(text.as_bytes()), Err(why), "{text:?}");
        }
        assert_eq!(read_answer(&vec![0xFF; 100_000]), Err(Unusable::NoAudio), "huge and no text");
    }
}

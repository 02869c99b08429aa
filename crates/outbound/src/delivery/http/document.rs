//! What a call says, for a provider that fetches it: `TwiML` and, if it plays instead of reading, sound.
//!
//! The link itself carries the message, sealed and with the time it ends. So nothing is kept, every node
//! can answer, and nobody who has not got the link from us finds anything.

use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use http::{Response, header};
use registration::{Locale, Timestamp, VerificationCode};
use service::message_text::language;
use service::ports::{CodeMessage, EntropyExt as _};
use service::speech;

use super::auth::hmac_sha256;
use super::template::xml;
use super::{CallbackAddress, spoken_language};
use crate::delivery::SenderPorts;

/// How long a link works. A call that has not been answered by then never will be.
const LIFETIME: Duration = Duration::from_mins(10);

/// Octets of the nonce that a link begins with.
const NONCE: usize = 24;

/// How often the words are said, or the sound is played.
const TIMES: u8 = 3;

/// Makes links and answers them.
pub(super) struct Documents {
    url: String,
    key: [u8; 32],
}

/// What a link carries.
struct Message {
    locale: Locale,
    code: VerificationCode,
    text: String,
}

impl Documents {
    pub(super) fn new(address: &CallbackAddress) -> Self {
        let key = hmac_sha256(&address.secret, b"links to what a call says");
        Self { url: address.url.clone(), key }
    }

    /// The link to what the call with `message` says.
    pub(super) fn link(&self, message: &CodeMessage, ports: &SenderPorts) -> String {
        let until = (ports.clock.now() + LIFETIME).as_millis().to_string();
        let sealed_in = [&until, message.locale.as_str(), message.code.reveal(), &message.text];
        let nonce: [u8; NONCE] = ports.entropy.bytes();
        let cipher = XChaCha20Poly1305::new(&self.key.into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), sealed_in.join("\n").as_bytes());
        let sealed = sealed.expect("a message is far shorter than what the cipher takes");
        let token = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        format!("{}/say/{token}", self.url)
    }

    fn open(&self, token: &str, now: Timestamp) -> Option<Message> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let cipher = XChaCha20Poly1305::new(&self.key.into());
        let opened = cipher.decrypt(&XNonce::from(*nonce), sealed).ok()?;
        let text = String::from_utf8(opened).ok()?;
        let mut parts = text.splitn(4, '\n');
        let until = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let locale = Locale::parse(parts.next()?)?;
        let code = VerificationCode::parse(parts.next()?).ok()?;
        let text = parts.next()?.to_owned();
        (now < until).then_some(Message { locale, code, text })
    }

    /// The `TwiML` behind a link that still works.
    pub(super) fn twiml(&self, token: &str, play: bool, now: Timestamp) -> Option<Response<Bytes>> {
        let message = self.open(token, now)?;
        let said = if play {
            format!("<Play loop=\"{TIMES}\">{}/audio/{token}.wav</Play>", xml(&self.url))
        } else {
            // Twilio's name of Arabic voices.
            let language = match spoken_language(language(&message.locale)) {
                "ar" => "arb",
                other => other,
            };
            format!("<Say language=\"{language}\" loop=\"{TIMES}\">{}</Say>", xml(&message.text))
        };
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Pause length=\"1\"/>{said}</Response>\n"
        );
        Some(response("text/xml; charset=utf-8", document.into()))
    }

    /// The sound behind a link that still works.
    pub(super) fn audio(&self, token: &str, now: Timestamp) -> Option<Response<Bytes>> {
        let message = self.open(token, now)?;
        let recording = speech::recording(&message.locale, &message.code);
        Some(response("audio/wav", wav(&recording.samples)?.into()))
    }
}

fn response(kind: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// A RIFF WAVE file of µ-law samples, as they are.
fn wav(samples: &[u8]) -> Option<Vec<u8>> {
    const MULAW: u16 = 7;
    let length = u32::try_from(samples.len()).ok()?;
    let rate = u32::try_from(speech::SAMPLE_RATE).ok()?;
    let mut file = b"RIFF".to_vec();
    file.extend((length + 38).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(18_u32.to_le_bytes());
    file.extend([MULAW, 1].map(u16::to_le_bytes).concat());
    file.extend([rate, rate].map(u32::to_le_bytes).concat());
    // One octet a frame, eight bits a sample, nothing more to say about the format.
    file.extend([1, 8, 0].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples);
    Some(file)
}

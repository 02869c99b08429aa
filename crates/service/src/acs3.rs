//! `ACS3-HMAC-SHA256`, the signature of Alibaba Cloud's APIs: the form that is signed, and the signature.
//!
//! Who checks a request and who sends one must write it down alike, so both use this. Pure: no clock, no
//! chance, no HTTP. (CAMS reference §4.1.)

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Name of the algorithm, first word of the Authorization header.
pub const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// Appends `text` percent-encoded as RFC 3986 §2 has it: all but unreserved characters, capital digits.
pub fn encode_into(encoded: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

/// `name=value` of parameters, encoded strictly, sorted by name, joined with `&`.
///
/// Parameters of one name keep their order, so a request in which two of them changed places is another
/// request.
#[must_use]
pub fn canonical_query<'p>(parameters: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let mut sorted: Vec<_> = parameters.collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut text = String::with_capacity(64 * sorted.len());
    for (name, value) in sorted {
        if !text.is_empty() {
            text.push('&');
        }
        encode_into(&mut text, name);
        text.push('=');
        encode_into(&mut text, value);
    }
    text
}

/// Method, path, query, headers, the list of them, and the digest of the body, each on its line.
///
/// `header` writes the values of a signed header behind its name; `content` is [`digest`] of the body.
#[must_use]
pub fn canonical_request(
    method: &str,
    query: &str,
    signed_headers: &str,
    header: impl Fn(&str, &mut Vec<u8>),
    content: &str,
) -> Vec<u8> {
    let mut request = Vec::with_capacity(1024);
    request.extend_from_slice(method.as_bytes());
    request.extend_from_slice(b"\n/\n");
    request.extend_from_slice(query.as_bytes());
    request.push(b'\n');
    for name in signed_headers.split(';').filter(|name| !name.is_empty()) {
        request.extend_from_slice(name.as_bytes());
        request.push(b':');
        header(name, &mut request);
        request.push(b'\n');
    }
    request.push(b'\n');
    request.extend_from_slice(signed_headers.as_bytes());
    request.push(b'\n');
    request.extend_from_slice(content.as_bytes());
    request
}

/// The algorithm and the digest of a [`canonical_request`], on two lines.
#[must_use]
pub fn string_to_sign(canonical_request: &[u8]) -> String {
    format!("{ALGORITHM}\n{}", digest(canonical_request))
}

/// The signature of a string to sign, in hexadecimal.
#[must_use]
pub fn sign(string_to_sign: &str, secret: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        // HMAC takes a key of any length.
        return String::new();
    };
    mac.update(string_to_sign.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// SHA-256 of `bytes`, in hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

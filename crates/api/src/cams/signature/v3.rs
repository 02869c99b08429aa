//! `ACS3-HMAC-SHA256`: over method, query, body and the headers that the client lists (§3.1, §4.1).

use http::header;
use service::acs3::{self, ALGORITHM};

use super::{ClaimFault, Claims, Family, Wire};
use crate::cams::parameters::canonical;

/// Headers that decide what happens: where they are present, they must be signed. Clients differ about
/// all others, `host` among them.
const MUST_BE_SIGNED: [&str; 4] =
    ["x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"];

/// Whether the request means to be signed this way, or another one of its kind.
pub(super) fn is_meant(wire: Wire<'_>) -> bool {
    authorization(wire).is_some_and(|text| text.starts_with("ACS3-"))
}

/// The parts of the Authorization header, in whatever order they come, and the headers they refer to.
pub(super) fn read(wire: Wire<'_>) -> Result<Claims<'_>, ClaimFault> {
    let text = authorization(wire).ok_or(ClaimFault::Unsigned)?;
    let (algorithm, fields) = text.split_once(' ').unwrap_or((text, ""));
    if algorithm != ALGORITHM {
        return Err(ClaimFault::Method);
    }
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for field in fields.split(',') {
        let (name, value) = field.trim().split_once('=').ok_or(ClaimFault::Incomplete)?;
        let place = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => return Err(ClaimFault::Incomplete),
        };
        if place.replace(value).is_some() {
            return Err(ClaimFault::Incomplete);
        }
    }
    let filled = |value: Option<&'_ str>| value.is_some_and(|value| !value.is_empty());
    let missing = |name| Err(ClaimFault::Missing(name));
    let (Some(access_key_id), true) = (credential, filled(credential)) else {
        return missing("AccessKeyId");
    };
    let (Some(signature), true) = (signature, filled(signature)) else {
        return missing("Signature");
    };
    let claims = Claims {
        family: Family::V3,
        access_key_id,
        signature,
        timestamp: wire.header("x-acs-date").ok_or(ClaimFault::Missing("Timestamp"))?,
        nonce: wire.header("x-acs-signature-nonce").ok_or(ClaimFault::Missing("SignatureNonce"))?,
        security_token: wire.header("x-acs-security-token"),
        signed_headers: signed_headers.ok_or(ClaimFault::Incomplete)?,
    };
    let is_signed = |name: &str| claims.signed_headers.split(';').any(|signed| signed == name);
    let left_out = |name: &&&str| wire.headers.contains_key(**name) && !is_signed(name);
    match MUST_BE_SIGNED.iter().find(left_out) {
        Some(_) => Err(ClaimFault::Incomplete),
        None => Ok(claims),
    }
}

/// The algorithm and the digest of the canonical request, on two lines.
///
/// `content` is the digest of the body that arrived, as [`content_digest`] tells it.
pub(super) fn string_to_sign(wire: Wire<'_>, signed_headers: &str, content: &str) -> String {
    acs3::string_to_sign(&canonical_request(wire, signed_headers, content))
}

/// What is signed, as it was before it was digested.
pub(super) fn canonical_request(wire: Wire<'_>, signed_headers: &str, content: &str) -> Vec<u8> {
    let query = canonical(wire.parameters.query.iter());
    let header = |name: &str, into: &mut Vec<u8>| header_values(wire, name, into);
    acs3::canonical_request(wire.method.as_str(), &query, signed_headers, header, content)
}

fn header_values(wire: Wire<'_>, name: &str, into: &mut Vec<u8>) {
    let mut first = true;
    for value in wire.headers.get_all(name) {
        into.extend_from_slice(if first { b"" } else { b"," });
        into.extend_from_slice(value.as_bytes().trim_ascii());
        first = false;
    }
    // HTTP/2 has the host in the target, not in a header.
    if first && name == header::HOST {
        into.extend_from_slice(wire.host().as_bytes());
    }
}

pub(super) fn sign(string_to_sign: &str, secret: &[u8]) -> String {
    acs3::sign(string_to_sign, secret)
}

/// SHA-256 of the body, in hexadecimal.
pub(super) fn content_digest(wire: Wire<'_>) -> String {
    acs3::digest(wire.body)
}

/// Whether the body has the digest that the client names. The signature covers the digest of the body
/// that arrived in any case, so a request without the header loses nothing.
pub(super) fn content_holds(wire: Wire<'_>, content: &str) -> bool {
    let named = wire.headers.get("x-acs-content-sha256");
    named.is_none_or(|named| named.as_bytes().eq_ignore_ascii_case(content.as_bytes()))
}

fn authorization(wire: Wire<'_>) -> Option<&str> {
    wire.headers.get(header::AUTHORIZATION)?.to_str().ok()
}

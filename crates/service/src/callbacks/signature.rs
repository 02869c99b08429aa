//! The header fields that let an endpoint check who posts.

use hmac::{Hmac, KeyInit as _, Mac as _};
use registration::Timestamp;
use sha2::Sha256;

use crate::ports::Callback;

/// Identifies the callback; the same in each attempt.
pub const ID: &str = "X-Rollcall-Callback-Id";
/// When this attempt was signed: seconds since the Unix epoch.
pub const TIMESTAMP: &str = "X-Rollcall-Timestamp";
/// `sha256=` and HMAC-SHA-256 of `{id}.{timestamp}.{body}` in hexadecimal, with the webhook's secret.
pub const SIGNATURE: &str = "X-Rollcall-Signature-256";
/// Graph's own: `sha256=` and HMAC-SHA-256 of the body alone.
pub const HUB_SIGNATURE: &str = "X-Hub-Signature-256";

/// The header fields of one attempt.
pub(super) fn headers(
    dialect: &str,
    callback: &Callback,
    secret: &[u8],
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let id = callback.id.to_string();
    let seconds = now.as_millis().div_euclid(1000).to_string();
    let signed = format!("{id}.{seconds}.{}", callback.body);
    let mut headers =
        vec![(SIGNATURE, sha256(secret, signed.as_bytes())), (ID, id), (TIMESTAMP, seconds)];
    if dialect == "graph" {
        headers.push((HUB_SIGNATURE, sha256(secret, callback.body.as_bytes())));
    }
    headers
}

fn sha256(secret: &[u8], signed: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(signed);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

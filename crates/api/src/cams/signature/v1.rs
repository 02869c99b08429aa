//! RPC style: HMAC-SHA1 over the method and all parameters (§3.2, §4.2). Headers take no part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::{ClaimFault, Claims, Family, Wire};
use crate::cams::parameters::{canonical, encode_into};

/// Whether the request means to be signed this way.
pub(super) fn is_meant(wire: Wire<'_>) -> bool {
    ["Signature", "AccessKeyId", "SignatureMethod", "SignatureNonce"]
        .iter()
        .any(|name| wire.parameters.value(name).is_some())
}

/// The system parameters.
pub(super) fn read(wire: Wire<'_>) -> Result<Claims<'_>, ClaimFault> {
    let of = |name: &'static str| wire.parameters.filled(name).ok_or(ClaimFault::Missing(name));
    let claims = Claims {
        family: Family::V1,
        access_key_id: of("AccessKeyId")?,
        signature: of("Signature")?,
        timestamp: of("Timestamp")?,
        nonce: of("SignatureNonce")?,
        security_token: wire.parameters.filled("SecurityToken"),
        signed_headers: "",
    };
    let method = of("SignatureMethod")?;
    // Some clients send it empty; filled, it asks for a scheme other than a shared secret.
    let other_scheme = wire.parameters.filled("SignatureType").is_some();
    if !method.eq_ignore_ascii_case("HMAC-SHA1") || other_scheme {
        return Err(ClaimFault::Method);
    }
    if of("SignatureVersion")? != "1.0" {
        return Err(ClaimFault::Invalid("SignatureVersion"));
    }
    Ok(claims)
}

/// `POST&%2F&…`: the canonical parameters, but for the signature itself, encoded once more.
pub(super) fn string_to_sign(wire: Wire<'_>) -> String {
    let query = canonical_parameters(wire);
    let mut text = String::with_capacity(query.len() * 3 / 2);
    text.push_str(wire.method.as_str());
    text.push_str("&%2F&");
    encode_into(&mut text, &query);
    text
}

/// All parameters but the signature itself, sorted and encoded.
pub(super) fn canonical_parameters(wire: Wire<'_>) -> String {
    canonical(wire.parameters.iter().filter(|it| it.name != "Signature"))
}

pub(super) fn sign(string_to_sign: &str, secret: &[u8]) -> String {
    let key = Zeroizing::new([secret, b"&"].concat());
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

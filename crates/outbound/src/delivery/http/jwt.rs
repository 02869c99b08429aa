//! JSON Web Tokens (RFC 7519): ours, signed with RS256 (RFC 7518 §3.3), one for each request; and those
//! that providers sign their reports with, by HS256.

use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registration::Timestamp;
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs::sign;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::auth::hmac_sha256;

/// How long a token is good for: it is used at once, and clocks differ.
const LIFETIME: Duration = Duration::from_mins(15);

/// A token with `claims` for the request of message `id`. An error never quotes the key.
pub(super) fn signed(
    private_key: &str,
    claims: Vec<(String, String)>,
    id: &str,
    now: Timestamp,
) -> Result<String, String> {
    let mut payload: Map<String, Json> =
        claims.into_iter().map(|(name, value)| (name, value.into())).collect();
    // Nobody else has a message of this id, and it is sent once a millisecond at most.
    let unique = Sha256::digest(format!("{id} {}", now.as_millis()));
    payload.insert("jti".to_owned(), hex::encode(&unique[..16]).into());
    payload.insert("iat".to_owned(), now.as_seconds().into());
    payload.insert("exp".to_owned(), (now + LIFETIME).as_seconds().into());
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let signed = format!("{}.{}", part(&header), part(&Json::Object(payload)));
    let signature = rs256(private_key, signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// When the token was issued that vouches for `body`, if it does.
pub(super) fn verified(token: &str, key: &[u8], body: &[u8]) -> Option<i64> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let part = |text: &str| -> Option<Json> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    };
    let right = hmac_sha256(key, signed.as_bytes());
    let told = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if part(header)?["alg"] != "HS256" || !bool::from(right.as_slice().ct_eq(&told)) {
        return None;
    }
    let claims = part(payload)?;
    let hash = hex::encode(Sha256::digest(body));
    let covered = claims["payload_hash"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(&hash));
    claims["iat"].as_i64().filter(|_| covered)
}

fn rs256(private_key: &str, message: &[u8]) -> Result<Vec<u8>, String> {
    let key = PrivateKeyDer::from_pem_slice(private_key.as_bytes())
        .map_err(|_| "the private key is no PEM of a key".to_owned())?;
    let signer = sign::any_supported_type(&key)
        .ok()
        .and_then(|key| key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]))
        .ok_or("the private key is no RSA key")?;
    signer.sign(message).map_err(|_| "the private key cannot sign".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_rsa_key_is_named_and_not_quoted() {
        let elliptic = rcgen::KeyPair::generate().expect("a key").serialize_pem();
        for (key, said) in [("hunter2", "no PEM"), (elliptic.as_str(), "no RSA key")] {
            let now = Timestamp::from_millis(0);
            let error = signed(key, Vec::new(), "1", now).expect_err("no RSA key");
            assert!(error.contains(said) && !error.contains(key), "{error}");
        }
    }
}

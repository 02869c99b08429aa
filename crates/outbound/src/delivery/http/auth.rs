//! Who we are, in a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use registration::Timestamp;
use sha2::Sha256;

use super::jwt;
use super::sigv4;
use super::spec::Auth;
use super::template::{Templates, Values};

/// A request that is signed.
pub(super) struct ToSign<'a> {
    pub(super) verb: &'a str,
    pub(super) url: &'a str,
    pub(super) body: &'a [u8],
    pub(super) now: Timestamp,
}

/// The header fields that say who sends the request.
pub(super) fn headers(
    auth: &Auth,
    request: &ToSign<'_>,
    templates: &Templates,
    values: &Values,
) -> Result<Vec<(String, String)>, String> {
    let render = |template: &str| templates.render(template, values);
    let authorization = |value: String| vec![("Authorization".to_owned(), value)];
    Ok(match auth {
        Auth::None => Vec::new(),
        Auth::Basic { user, password } => {
            let pair = format!("{}:{}", render(user)?, render(password)?);
            authorization(format!("Basic {}", STANDARD.encode(pair)))
        }
        Auth::Bearer { token } => authorization(format!("Bearer {}", render(token)?)),
        Auth::Jwt { private_key, claims } => {
            let id = values.get("id").map_or("", String::as_str);
            let claims = templates.fields(claims, values)?;
            let token = jwt::signed(&render(private_key)?, claims, id, request.now)?;
            authorization(format!("Bearer {token}"))
        }
        Auth::Hmac { secret, header } => {
            let mac = hmac_sha256(render(secret)?.as_bytes(), request.body);
            vec![(header.clone(), hex::encode(mac))]
        }
        Auth::Sigv4 { region, service, access_key, secret_key, session_token } => {
            let credentials = sigv4::Credentials {
                region: &render(region)?,
                service: &render(service)?,
                access_key: &render(access_key)?,
                secret_key: &render(secret_key)?,
                session_token: &render(session_token)?,
            };
            sigv4::headers(&credentials, request)?
        }
    })
}

pub(super) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.chain_update(message).finalize().into_bytes().into()
}

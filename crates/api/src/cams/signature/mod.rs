//! Signatures: what a request says about its sender, and whether the sender's secret says the same.
//!
//! Two families (§4): [`V3`](Family::V3), `ACS3-HMAC-SHA256` in the Authorization header, covers method,
//! query, body and the headers that the client lists; [`V1`](Family::V1), HMAC-SHA1 in a parameter, covers
//! method and all parameters, wherever they stand, but no header. Whatever is decided by a request must
//! therefore be read from what its family covers.
//!
//! Pure: no clock, no store. [`read`] takes the claims out of a request, [`Claims::check`] proves them.

mod v1;
mod v3;

use http::{HeaderMap, Method, Uri, header};
use subtle::ConstantTimeEq as _;

use super::parameters::Parameters;

/// A request as signatures cover it.
#[derive(Clone, Copy)]
pub struct Wire<'r> {
    /// The method.
    pub method: &'r Method,
    /// The target; names the host under HTTP/2.
    pub uri: &'r Uri,
    /// All headers as they arrived.
    pub headers: &'r HeaderMap,
    /// The parameters of query and form.
    pub parameters: &'r Parameters,
    /// The body, de-chunked.
    pub body: &'r [u8],
}

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `ACS3-HMAC-SHA256`.
    V3,
    /// RPC style, HMAC-SHA1.
    V1,
}

/// What a request claims; nothing of it is proven before [`Claims::check`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Claims<'r> {
    /// How it is signed.
    pub family: Family,
    /// Whose key.
    pub access_key_id: &'r str,
    /// Sets this request apart from all others under the key.
    pub nonce: &'r str,
    /// When it was signed, as written.
    pub timestamp: &'r str,
    /// The signature, as written.
    pub signature: &'r str,
    /// The token that goes with a temporary key.
    pub security_token: Option<&'r str>,
    /// The headers that are signed, in their order (V3).
    signed_headers: &'r str,
}

/// Why a request has no complete claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClaimFault {
    /// It names no key at all.
    #[error("the request is not signed")]
    Unsigned,
    /// A part is missing; named as the gateway names it.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A part has a value that is not supported; named as the gateway names it.
    #[error("{0} is not valid")]
    Invalid(&'static str),
    /// An algorithm that is not spoken here.
    #[error("the signature method is not supported")]
    Method,
    /// The Authorization header is damaged, or leaves unsigned what it has to sign.
    #[error("the signature is incomplete")]
    Incomplete,
}

/// The signature is not the one that the key would make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct Mismatch {
    /// The text that was signed here.
    pub string_to_sign: String,
}

/// How the signature of a request comes about, step by step: for people who look for the byte that
/// differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// Method, path, query, headers and digest of the body (V3), or the canonical parameters (V1).
    pub canonical: String,
    /// The text that is signed.
    pub string_to_sign: String,
    /// The signature that the secret makes.
    pub signature: String,
    /// SHA-256 of the body that arrived, where a header names another one (V3).
    pub other_content: Option<String>,
}

/// Which family a request is of; `None` if it bears no signature.
#[must_use]
pub fn family(wire: Wire<'_>) -> Option<Family> {
    if v3::is_meant(wire) {
        Some(Family::V3)
    } else if v1::is_meant(wire) {
        Some(Family::V1)
    } else {
        None
    }
}

/// Takes the claims out of a request.
pub fn read(wire: Wire<'_>) -> Result<Claims<'_>, ClaimFault> {
    match family(wire) {
        // A bearer scheme exists and is not spoken here.
        None if wire.headers.contains_key("x-acs-bearer-token") => Err(ClaimFault::Method),
        None => Err(ClaimFault::Unsigned),
        Some(Family::V3) => v3::read(wire),
        Some(Family::V1) => v1::read(wire),
    }
}

impl Claims<'_> {
    /// Whether `secret` makes the signature of this very request. Constant in time for signatures of the
    /// right length.
    pub fn check(&self, wire: Wire<'_>, secret: &[u8]) -> Result<(), Mismatch> {
        let (string_to_sign, expected, content_holds) = match self.family {
            Family::V3 => {
                let content = v3::content_digest(wire);
                let text = v3::string_to_sign(wire, self.signed_headers, &content);
                let expected = v3::sign(&text, secret);
                (text, expected, v3::content_holds(wire, &content))
            }
            Family::V1 => {
                let text = v1::string_to_sign(wire);
                let expected = v1::sign(&text, secret);
                (text, expected, true)
            }
        };
        // The text is compared, not what it decodes to: one signature has one spelling.
        let matches: bool = expected.as_bytes().ct_eq(self.signature.as_bytes()).into();
        if matches && content_holds { Ok(()) } else { Err(Mismatch { string_to_sign }) }
    }

    /// Every step from the request to the signature that `secret` makes.
    #[must_use]
    pub fn steps(&self, wire: Wire<'_>, secret: &[u8]) -> Steps {
        match self.family {
            Family::V3 => {
                let content = v3::content_digest(wire);
                let canonical = v3::canonical_request(wire, self.signed_headers, &content);
                let string_to_sign = v3::string_to_sign(wire, self.signed_headers, &content);
                Steps {
                    canonical: String::from_utf8_lossy(&canonical).into_owned(),
                    signature: v3::sign(&string_to_sign, secret),
                    other_content: (!v3::content_holds(wire, &content)).then_some(content),
                    string_to_sign,
                }
            }
            Family::V1 => {
                let string_to_sign = v1::string_to_sign(wire);
                Steps {
                    canonical: v1::canonical_parameters(wire),
                    signature: v1::sign(&string_to_sign, secret),
                    other_content: None,
                    string_to_sign,
                }
            }
        }
    }

    /// The text that the signature is made of.
    #[must_use]
    pub fn string_to_sign(&self, wire: Wire<'_>) -> String {
        match self.family {
            Family::V3 => v3::string_to_sign(wire, self.signed_headers, &v3::content_digest(wire)),
            Family::V1 => v1::string_to_sign(wire),
        }
    }
}

impl core::fmt::Debug for Claims<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Claims")
            .field("family", &self.family)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl<'r> Wire<'r> {
    /// A header's text unless it is empty or not ASCII.
    fn header(self, name: &str) -> Option<&'r str> {
        self.headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
    }

    /// The host called, as the client wrote it.
    #[must_use]
    pub fn host(self) -> &'r str {
        let written = self.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        written
            .or_else(|| self.uri.authority().map(http::uri::Authority::as_str))
            .unwrap_or_default()
    }
}

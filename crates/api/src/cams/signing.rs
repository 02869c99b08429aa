//! A request of this dialect as a client makes it: written down and signed, for those who call the API
//! themselves: the console's explorer and the command line.
//!
//! What is signed is what [`signature`] checks: the text comes from there, so the two cannot differ.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use registration::Timestamp;
use service::acs3::{self, ALGORITHM, canonical_query};

use super::gateway::VERSION;
use super::parameters::Parameters;
use super::signature::{self, Family, Steps, Wire};

/// The type of every body.
const FORM: &str = "application/x-www-form-urlencoded";

/// Headers that are signed (V3), sorted; that of the token only where there is one.
const SIGNED: [&str; 7] = [
    "host",
    "x-acs-action",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-security-token",
    "x-acs-signature-nonce",
    "x-acs-version",
];

/// Whose key signs.
#[derive(Clone, Copy)]
pub struct SignWith<'a> {
    /// Id of the access key.
    pub key: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The token of a temporary key.
    pub token: Option<&'a str>,
    /// How.
    pub family: Family,
}

/// What is called.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// Host and port.
    pub host: &'a str,
    /// The operation.
    pub action: &'a str,
    /// Parameters for the query string (V3).
    pub query: &'a [(String, String)],
    /// Parameters for the form.
    pub form: &'a [(String, String)],
    /// Sets this request apart from all others under the key.
    pub nonce: &'a str,
    /// When it is signed.
    pub now: Timestamp,
}

/// A signed request.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Path and query.
    pub target: String,
    /// Headers, `host` first.
    pub headers: Vec<(&'static str, String)>,
    /// The form.
    pub body: String,
    /// How the signature came about.
    pub steps: Steps,
}

/// Writes a request down and signs it; `None` if host, action or key cannot stand in a header.
#[must_use]
pub fn sign(order: Order<'_>, with: SignWith<'_>) -> Option<Signed> {
    match with.family {
        Family::V3 => sign_v3(order, with),
        Family::V1 => sign_v1(order, with),
    }
}

/// The moment as both families write it.
fn moment(now: Timestamp) -> String {
    let at = jiff::Timestamp::from_second(now.as_seconds()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn encoded(parameters: &[(String, String)]) -> String {
    canonical_query(parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn sign_v3(order: Order<'_>, with: SignWith<'_>) -> Option<Signed> {
    let (query, body) = (encoded(order.query), encoded(order.form));
    let target = if query.is_empty() { "/".to_owned() } else { format!("/?{query}") };
    let mut headers = vec![("host", order.host.to_owned())];
    if !body.is_empty() {
        headers.push(("content-type", FORM.to_owned()));
    }
    headers.extend([
        ("x-acs-action", order.action.to_owned()),
        ("x-acs-content-sha256", acs3::digest(body.as_bytes())),
        ("x-acs-date", moment(order.now)),
        ("x-acs-signature-nonce", order.nonce.to_owned()),
        ("x-acs-version", VERSION.to_owned()),
    ]);
    headers.extend(with.token.map(|token| ("x-acs-security-token", token.to_owned())));
    let is_there = |name: &&&str| headers.iter().any(|(header, _)| header == *name);
    let signed = SIGNED.iter().filter(is_there).copied().collect::<Vec<_>>().join(";");
    let authorization = |signature: &str| {
        let key = with.key;
        format!("{ALGORITHM} Credential={key},SignedHeaders={signed},Signature={signature}")
    };
    headers.push(("authorization", authorization("0")));
    let steps = steps(&target, &headers, &body, with)?;
    headers.pop();
    headers.push(("authorization", authorization(&steps.signature)));
    Some(Signed { target, headers, body, steps })
}

fn sign_v1(order: Order<'_>, with: SignWith<'_>) -> Option<Signed> {
    let mut form = [order.query, order.form].concat();
    let mut add = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    add("AccessKeyId", with.key);
    add("Action", order.action);
    add("Format", "JSON");
    add("SignatureMethod", "HMAC-SHA1");
    add("SignatureNonce", order.nonce);
    add("SignatureVersion", "1.0");
    add("Timestamp", &moment(order.now));
    add("Version", VERSION);
    if let Some(token) = with.token {
        add("SecurityToken", token);
    }
    add("Signature", "0");
    let headers = vec![("host", order.host.to_owned()), ("content-type", FORM.to_owned())];
    let steps = steps("/", &headers, &encoded(&form), with)?;
    if let Some((_, signature)) = form.last_mut() {
        signature.clone_from(&steps.signature);
    }
    Some(Signed { target: "/".to_owned(), headers, body: encoded(&form), steps })
}

/// What the gateway will make of the request.
fn steps(
    target: &str,
    named: &[(&'static str, String)],
    body: &str,
    with: SignWith<'_>,
) -> Option<Steps> {
    let uri: Uri = target.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in named {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).ok()?);
    }
    let query = uri.query().unwrap_or_default();
    let parameters = Parameters::parse(query.as_bytes(), body.as_bytes()).ok()?;
    let wire = Wire {
        method: &Method::POST,
        uri: &uri,
        headers: &headers,
        parameters: &parameters,
        body: body.as_bytes(),
    };
    let claims = signature::read(wire).ok()?;
    Some(claims.steps(wire, with.secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(family: Family, token: Option<&str>) -> Signed {
        let pairs = |text: &str| vec![("VerifiedName".to_owned(), text.to_owned())];
        let (query, form) = (pairs("Müller & Söhne+~"), pairs("b c"));
        let order = Order {
            host: "127.0.0.1:8080",
            action: "AddChatappPhoneNumber",
            query: &query,
            form: &form,
            nonce: "n1",
            now: Timestamp::from_millis(1_795_321_769_000),
        };
        sign(order, SignWith { key: "LTAI1", secret: "secret", token, family }).expect("sound")
    }

    #[test]
    fn what_is_signed_is_what_the_gateway_checks() {
        for family in [Family::V3, Family::V1] {
            for token in [None, Some("FakeStsToken/abc+def==")] {
                let made = signed(family, token);
                let mut headers = HeaderMap::new();
                for (name, value) in &made.headers {
                    headers.insert(*name, value.parse().expect("a value"));
                }
                let uri: Uri = made.target.parse().expect("a target");
                let query = uri.query().unwrap_or_default().as_bytes();
                let parameters = Parameters::parse(query, made.body.as_bytes()).expect("sound");
                let wire = Wire {
                    method: &Method::POST,
                    uri: &uri,
                    headers: &headers,
                    parameters: &parameters,
                    body: made.body.as_bytes(),
                };
                let claims = signature::read(wire).expect("claims");
                assert_eq!(claims.family, family);
                assert_eq!(claims.security_token, token);
                assert_eq!(claims.timestamp, "2026-11-22T04:29:29Z");
                claims.check(wire, b"secret").expect("the signature holds");
                claims.check(wire, b"other").expect_err("of this secret only");
            }
        }
    }

    #[test]
    fn a_key_that_cannot_stand_in_a_header_signs_nothing() {
        let order = Order {
            host: "h",
            action: "A",
            query: &[],
            form: &[],
            nonce: "n",
            now: Timestamp::from_millis(0),
        };
        let with = SignWith { key: "a\nb", secret: "", token: None, family: Family::V3 };
        assert!(sign(order, with).is_none());
    }
}

//! `/signature`: a CAMS request that failed with `SignatureDoesNotMatch`, signed again step by step, and
//! the byte from which on the two differ. The secret is used for this one answer and kept nowhere.

use askama::Template;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use super::frame::{Frame, Section, ok, rendered};
use super::guard::Fields;
use super::shape::fill;
use crate::cams::parameters::Parameters;
use crate::cams::signature::{self, Family, Steps, Wire};

/// A request that the page begins with: one of the public examples' shape, with a key of nobody.
const EXAMPLE: &str = "POST / HTTP/1.1
host: 127.0.0.1:8080
content-type: application/x-www-form-urlencoded
x-acs-action: GetChatappVerifyCode
x-acs-version: 2020-06-06
x-acs-date: 2026-11-22T04:29:29Z
x-acs-signature-nonce: 3156853299f313e23d1673dc12e1703d
x-acs-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
authorization: ACS3-HMAC-SHA256 Credential=LTAI5tFakeAccessKeyId001,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=0000000000000000000000000000000000000000000000000000000000000000
";

/// Where two texts part.
struct Parting {
    /// The byte, from 1.
    byte: usize,
    line: usize,
    /// What stands there, invisible characters made visible.
    ours: String,
    theirs: String,
}

/// What was found out.
struct Finding {
    family: &'static str,
    key: String,
    given: String,
    steps: Steps,
    matches: bool,
    /// How the caller's own text differs.
    parting: Option<Parting>,
    /// The caller's own text is the same.
    same: bool,
}

#[derive(Template)]
#[template(path = "signature.html")]
struct Page {
    f: Frame,
    request: String,
    own: String,
    finding: Option<Finding>,
    fault: Option<String>,
}

/// `GET /signature`.
pub(super) async fn page(frame: Frame) -> Response {
    let f = frame.in_section(Section::Signature);
    ok(&Page { f, request: EXAMPLE.to_owned(), own: String::new(), finding: None, fault: None })
}

/// `POST /signature`.
pub(super) async fn check(frame: Frame, fields: Fields) -> Response {
    let f = frame.in_section(Section::Signature);
    let (request, own) = (fields.raw("request").to_owned(), fields.raw("own").to_owned());
    // A request that comes along from the explorer, whose secret is still to be typed.
    if fields.get("begin").is_some() {
        return ok(&Page { f, request, own, finding: None, fault: None });
    }
    match find(&f, &request, fields.raw("secret").trim(), &own) {
        Ok(finding) => ok(&Page { f, request, own, finding: Some(finding), fault: None }),
        Err(fault) => {
            let page = Page { f, request, own, finding: None, fault: Some(fault) };
            rendered(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

fn find(f: &Frame, request: &str, secret: &str, own: &str) -> Result<Finding, String> {
    let t = &f.t.signature;
    let request = Pasted::read(request).ok_or_else(|| t.unreadable.to_owned())?;
    let query = request.uri.query().unwrap_or_default();
    let kind = request.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let form: &[u8] = if is_form { &request.body } else { b"" };
    let parameters = Parameters::parse(query.as_bytes(), form)
        .map_err(|fault| format!("{} {fault}", t.unreadable))?;
    let wire = Wire {
        method: &request.method,
        uri: &request.uri,
        headers: &request.headers,
        parameters: &parameters,
        body: &request.body,
    };
    let claims = signature::read(wire).map_err(|fault| fill(t.no_claims, fault))?;
    let steps = claims.steps(wire, secret.as_bytes());
    let own = own.replace("\r\n", "\n");
    let own = own.trim_end_matches('\n');
    let ours = if own.starts_with("ACS3-") || claims.family == Family::V1 {
        &steps.string_to_sign
    } else {
        &steps.canonical
    };
    let parting = (!own.is_empty()).then(|| part(ours, own)).flatten();
    Ok(Finding {
        family: match claims.family {
            Family::V3 => "ACS3-HMAC-SHA256",
            Family::V1 => "HMAC-SHA1 (RPC)",
        },
        key: claims.access_key_id.to_owned(),
        given: claims.signature.to_owned(),
        matches: steps.signature == claims.signature && steps.other_content.is_none(),
        same: !own.is_empty() && parting.is_none(),
        parting,
        steps,
    })
}

/// A request as people paste it: head, empty line, body; line ends of either kind.
struct Pasted {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Pasted {
    fn read(text: &str) -> Option<Self> {
        let text = text.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.trim_start().lines();
        let mut first = lines.next()?.split_whitespace();
        let (method, target) = (first.next()?.parse().ok()?, first.next()?.parse().ok()?);
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let name: HeaderName = name.trim().parse().ok()?;
            headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
        }
        // A line end behind a pasted body is the form's, not the body's.
        let body = body.strip_suffix('\n').unwrap_or(body).as_bytes().to_vec();
        Some(Self { method, uri: target, headers, body })
    }
}

/// Where two texts part; `None` if they are the same.
fn part(ours: &str, theirs: &str) -> Option<Parting> {
    if ours == theirs {
        return None;
    }
    let same = ours.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
    let before = &ours.as_bytes()[..same];
    let line = before.split(|byte| *byte == b'\n').count();
    let seen = |text: &str| {
        let rest = String::from_utf8_lossy(&text.as_bytes()[same..]).into_owned();
        let shown: String = rest.chars().take(24).map(visible).collect();
        if shown.is_empty() { "∅".to_owned() } else { shown }
    };
    Some(Parting { byte: same + 1, line, ours: seen(ours), theirs: seen(theirs) })
}

const fn visible(c: char) -> char {
    match c {
        '\n' => '↵',
        '\r' => '␍',
        '\t' => '⇥',
        ' ' => '␣',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_differs_is_named_with_its_line() {
        let parting = part("POST\n/\na=1\n", "POST\n/\na=2\n").expect("they differ");
        assert_eq!((parting.byte, parting.line), (10, 3));
        assert_eq!((parting.ours.as_str(), parting.theirs.as_str()), ("1↵", "2↵"));
        let cut = part("abc", "ab").expect("they differ");
        assert_eq!((cut.byte, cut.ours.as_str(), cut.theirs.as_str()), (3, "c", "∅"));
        assert!(part("a", "a").is_none());
        assert!(part("é", "è").is_some(), "within a character");
    }

    #[test]
    fn a_pasted_request_is_read_with_either_kind_of_line_end() {
        for text in ["POST /?a=1 HTTP/1.1\nHost: x\n\nb=2", "POST /?a=1\r\nHost: x\r\n\r\nb=2\r\n"]
        {
            let pasted = Pasted::read(text).expect("a request");
            assert_eq!((pasted.uri.query(), pasted.body.as_slice()), (Some("a=1"), &b"b=2"[..]));
            assert_eq!(pasted.headers["host"], "x");
        }
        assert!(Pasted::read("").is_none() && Pasted::read("GET").is_none());
    }
}

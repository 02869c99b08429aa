//! The signature code alone, on every captured request.

use api::cams::parameters::Parameters;
use api::cams::signature::{ClaimFault, Claims, Family, Mismatch, read};
use http::{HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fixtures::{Captured, KEY_ID, SECRET, TOKEN, VECTORS, Vector};

/// Whether the request passes with the secret of the captures.
fn passes(request: &Captured) -> bool {
    let Ok(parameters) = request.parse() else { return false };
    let wire = request.wire(&parameters);
    read(wire).is_ok_and(|claims| claims.check(wire, SECRET.as_bytes()).is_ok())
}

fn fault(request: &Captured) -> ClaimFault {
    read(request.wire(&request.parameters())).unwrap_err()
}

/// The captured request with one header changed, or without it.
fn with_header(base: &str, name: &'static str, value: Option<&str>) -> Captured {
    let mut request = Vector::named(base).request.clone();
    request.headers.remove(name);
    if let Some(value) = value {
        request
            .headers
            .insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    request
}

const V3: &str = "python-tea-v3-ChatappVerifyAndRegister-1";
const V1: &str = "python-core-v1-ChatappVerifyAndRegister-1";

#[test]
fn every_captured_request_is_accepted() {
    for vector in VECTORS.iter() {
        let parameters = vector.request.parameters();
        let wire = vector.request.wire(&parameters);
        let claims: Claims<'_> =
            read(wire).unwrap_or_else(|fault| panic!("{}: {fault}", vector.id));
        assert_eq!(claims.string_to_sign(wire), vector.string_to_sign, "{}", vector.id);
        assert_eq!(claims.check(wire, SECRET.as_bytes()), Ok(()), "{}", vector.id);
        assert_eq!(claims.family == Family::V3, vector.is_v3, "{}", vector.id);
        assert_eq!(claims.access_key_id, KEY_ID, "{}", vector.id);
        assert_eq!(claims.nonce, vector.nonce, "{}", vector.id);
        let token = vector.is_temporary.then_some(TOKEN);
        assert_eq!(claims.security_token, token, "{}", vector.id);
    }
    assert_eq!(VECTORS.len(), 87);
}

#[test]
fn another_secret_makes_another_signature_and_the_text_is_told() {
    for id in [V3, V1] {
        let vector = Vector::named(id);
        let parameters = vector.request.parameters();
        let wire = vector.request.wire(&parameters);
        let refused = read(wire).unwrap().check(wire, b"AnotherSecret");
        let string_to_sign = vector.string_to_sign.clone();
        assert_eq!(refused, Err(Mismatch { string_to_sign }), "{id}");
    }
}

#[test]
fn the_order_of_headers_and_of_authorization_fields_is_free() {
    let vector = Vector::named(V3);
    let text = vector.request.headers["authorization"].to_str().unwrap();
    let fields = text.strip_prefix("ACS3-HMAC-SHA256 ").unwrap();
    let fields: Vec<_> = fields.split(',').collect();
    for order in [[2, 0, 1], [1, 2, 0], [2, 1, 0]] {
        let fields: Vec<_> = order.iter().map(|at| fields[*at]).collect();
        let text = format!("ACS3-HMAC-SHA256 {}", fields.join(", "));
        let mut request = with_header(V3, "authorization", Some(&text));
        let reversed: Vec<_> = request.headers.drain().collect();
        request.headers = reversed.into_iter().rev().map(|(k, v)| (k.unwrap(), v)).collect();
        assert!(passes(&request), "{text}");
    }
}

#[test]
fn the_host_of_http2_stands_in_for_the_header() {
    let vector = Vector::named(V3);
    let host = vector.request.headers["host"].to_str().unwrap().to_owned();
    let mut request = with_header(V3, "host", None);
    assert!(!passes(&request));
    request.uri = format!("http://{host}{}", vector.request.uri).parse().unwrap();
    assert!(passes(&request));
}

#[test]
fn what_is_missing_from_an_acs3_request_is_named() {
    let without = |name| fault(&with_header(V3, name, None));
    assert_eq!(without("authorization"), ClaimFault::Unsigned);
    assert_eq!(without("x-acs-date"), ClaimFault::Missing("Timestamp"));
    assert_eq!(without("x-acs-signature-nonce"), ClaimFault::Missing("SignatureNonce"));
    let list = "x-acs-action;x-acs-date;x-acs-signature-nonce;x-acs-version";
    let unsigned_action = "x-acs-date;x-acs-signature-nonce;x-acs-version";
    for (text, expected) in [
        (format!("ACS3-HMAC-SHA256 SignedHeaders={list},Signature=a"), missing("AccessKeyId")),
        (format!("ACS3-HMAC-SHA256 Credential=,SignedHeaders={list}"), missing("AccessKeyId")),
        (format!("ACS3-HMAC-SHA256 Credential=a,SignedHeaders={list}"), missing("Signature")),
        ("ACS3-HMAC-SHA256 Credential=a,Signature=b".to_owned(), ClaimFault::Incomplete),
        (
            format!("ACS3-HMAC-SHA256 Credential=a,SignedHeaders={unsigned_action},Signature=b"),
            ClaimFault::Incomplete,
        ),
        (
            format!("ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders={list},Signature=c"),
            ClaimFault::Incomplete,
        ),
        ("ACS3-HMAC-SHA256".to_owned(), ClaimFault::Incomplete),
        ("ACS3-HMAC-SHA256 Credential".to_owned(), ClaimFault::Incomplete),
        (format!("ACS3-HMAC-SM3 Credential=a,SignedHeaders={list}"), ClaimFault::Method),
        ("ACS3-RSA-SHA256 x".to_owned(), ClaimFault::Method),
    ] {
        let request = with_header(V3, "authorization", Some(&text));
        assert_eq!(fault(&request), expected, "{text}");
    }
    let mut bearer = with_header(V3, "authorization", None);
    bearer.headers.insert("x-acs-bearer-token", HeaderValue::from_static("x"));
    assert_eq!(fault(&bearer), ClaimFault::Method);
}

fn missing(name: &'static str) -> ClaimFault {
    ClaimFault::Missing(name)
}

#[test]
fn what_is_missing_from_an_rpc_request_is_named() {
    let fault_of = |query: &str| {
        let mut request = Vector::named(V1).request.clone();
        request.uri = format!("/?{query}").parse().unwrap();
        fault(&request)
    };
    let all = "AccessKeyId=a&Signature=b&Timestamp=c&SignatureNonce=d&SignatureMethod=HMAC-SHA1\
               &SignatureVersion=1.0";
    for name in ["Signature", "Timestamp", "SignatureNonce", "SignatureMethod", "SignatureVersion"]
    {
        let pairs: Vec<_> =
            all.split('&').filter(|it| !it.starts_with(&format!("{name}="))).collect();
        assert_eq!(fault_of(&pairs.join("&")), missing(name));
    }
    assert_eq!(fault_of("Signature=b"), missing("AccessKeyId"));
    assert_eq!(fault_of("Action=a"), ClaimFault::Unsigned);
    assert_eq!(fault_of(&all.replace("HMAC-SHA1", "HMAC-SHA256")), ClaimFault::Method);
    assert_eq!(fault_of(&format!("{all}&SignatureType=BEARERTOKEN")), ClaimFault::Method);
    assert_eq!(fault_of(&all.replace("1.0", "2.0")), ClaimFault::Invalid("SignatureVersion"));
}

/// A place in a request that the signature covers.
#[derive(Debug, Clone)]
enum Place {
    Method,
    Query(Index),
    Body(Index),
    Header(Index, Index),
    Signature(Index),
}

fn place() -> impl Strategy<Value = Place> {
    let index = any::<Index>;
    prop_oneof![
        1 => Just(Place::Method),
        5 => index().prop_map(Place::Query),
        5 => index().prop_map(Place::Body),
        5 => (index(), index()).prop_map(|(which, at)| Place::Header(which, at)),
        3 => index().prop_map(Place::Signature),
    ]
}

/// Puts `byte` at a place; `None` if the request has no such place or that would not change it.
fn changed(vector: &Vector, place: &Place, byte: u8) -> Option<Captured> {
    let mut request = vector.request.clone();
    let parameters = request.parameters();
    match place {
        Place::Method => {
            let other = if request.method == Method::GET { Method::POST } else { Method::GET };
            request.method = other;
            return Some(request);
        }
        Place::Query(at) => {
            let target = replaced(request.uri.query()?, *at, byte)?;
            request.uri = format!("/?{target}").parse().ok()?;
        }
        Place::Body(at) => {
            let text = core::str::from_utf8(&request.body).unwrap();
            request.body = replaced(text, *at, byte)?.into_bytes();
        }
        Place::Header(which, at) => {
            let names = signed_headers(vector)?;
            let name = names[which.index(names.len())].clone();
            let value = replaced(request.headers[&*name].to_str().unwrap(), *at, byte)?;
            let value = HeaderValue::from_str(value.trim()).ok()?;
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers.insert(name, value);
            return (request.headers != vector.request.headers).then_some(request);
        }
        Place::Signature(at) if vector.is_v3 => {
            let text = request.headers["authorization"].to_str().unwrap();
            let (head, rest) = text.split_once(" Signature=").or(text.split_once(",Signature="))?;
            let length = rest.find(',').unwrap_or(rest.len());
            let signature = replaced(&rest[..length], *at, byte)?;
            let text = format!("{head},Signature={signature}{}", &rest[length..]);
            let value = HeaderValue::from_str(&text).ok()?;
            request.headers.insert("authorization", value);
            return Some(request);
        }
        Place::Signature(_) => return None,
    }
    let query = request.uri.query().unwrap_or_default();
    let now = Parameters::parse(query.as_bytes(), &request.body).ok()?;
    // Bodies are signed byte by byte under V3; otherwise an escape may be spelled in two ways.
    let differs = now != parameters || vector.is_v3 && request.body != vector.request.body;
    differs.then_some(request)
}

fn replaced(text: &str, at: Index, byte: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let length = bytes.len();
    let place = bytes.get_mut(if length == 0 { return None } else { at.index(length) })?;
    *place = byte;
    String::from_utf8(bytes).ok().filter(|changed| changed != text)
}

fn signed_headers(vector: &Vector) -> Option<Vec<String>> {
    let text = vector.request.headers.get("authorization")?.to_str().unwrap();
    let list = text.split_once("SignedHeaders=")?.1.split(',').next()?;
    Some(list.split(';').map(str::to_owned).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_changed_byte_that_is_signed_is_refused(
        vector in select(&**VECTORS),
        place in place(),
        byte in b' '..=b'~',
    ) {
        // Not every request has every place: then there is nothing to change, and nothing to refuse.
        if let Some(request) = changed(&vector, &place, byte) {
            prop_assert!(!passes(&request), "{}", vector.id);
        }
    }

    #[test]
    fn no_authorization_and_no_query_panics(text in "\\PC{0,80}", query in "[ -~]{0,80}") {
        let mut request = Vector::named(V3).request.clone();
        if let Ok(value) = HeaderValue::from_str(&format!("ACS3-HMAC-SHA256 {text}")) {
            request.headers.insert("authorization", value);
        }
        if let Ok(uri) = format!("/?{query}").parse() {
            request.uri = uri;
        }
        prop_assert!(!passes(&request));
    }
}

//! Claims and the string to sign come out of anything, and nothing passes that nobody signed.
#![no_main]

use api::cams::parameters::Parameters;
use api::cams::signature::{Wire, read};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, Vec<(&str, &str)>, &[u8])| {
    let (target, fields, body) = input;
    let uri: Uri = target.parse().unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.append(name, value);
        }
    }
    let query = uri.query().unwrap_or_default();
    let Ok(parameters) = Parameters::parse(query.as_bytes(), body) else { return };
    let method = Method::POST;
    let wire =
        Wire { method: &method, uri: &uri, headers: &headers, parameters: &parameters, body };
    let Ok(claims) = read(wire) else { return };
    assert_eq!(claims.string_to_sign(wire), claims.string_to_sign(wire));
    assert!(claims.check(wire, b"a secret that nobody signed with").is_err());
});

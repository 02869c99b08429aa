//! Cost of checking one signature, parameters decoded each time: at most 10 µs is the aim.
//!
//! `cargo bench -p api --bench signature`

use std::hint::black_box;

use api::cams::parameters::Parameters;
use api::cams::signature::{Wire, read};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;

const SECRET: &[u8] = b"FakeAccessKeySecretForTests0001";

struct Captured {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The captured request called `id`.
fn captured(id: &str) -> Captured {
    let file = include_str!("../tests/fixtures/cams/signature-vectors.json");
    let file: Value = serde_json::from_str(file).expect("JSON");
    let vectors = file["vectors"].as_array().expect("vectors");
    let request = &vectors.iter().find(|it| it["id"] == id).expect("a vector")["request"];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let headers = request["headers"].as_array().expect("headers").iter().map(|header| {
        let name = HeaderName::from_bytes(text(&header[0]).as_bytes()).expect("a name");
        (name, HeaderValue::from_str(&text(&header[1])).expect("a value"))
    });
    Captured {
        method: text(&request["method"]).parse().expect("a method"),
        uri: text(&request["target"]).parse().expect("a target"),
        headers: headers.collect(),
        body: text(&request["bodyUtf8"]).into_bytes(),
    }
}

fn check(request: &Captured) -> bool {
    let Captured { method, uri, headers, body } = request;
    let query = uri.query().unwrap_or_default();
    let Ok(parameters) = Parameters::parse(query.as_bytes(), body) else { return false };
    let wire = Wire { method, uri, headers, parameters: &parameters, body };
    read(wire).is_ok_and(|claims| claims.check(wire, SECRET).is_ok())
}

fn checks(criterion: &mut Criterion) {
    for id in [
        "python-tea-v3-ChatappVerifyAndRegister-1",
        "python-tea-v3-sts-ChatappVerifyAndRegister-49",
        "node-tea-v3-AddChatappPhoneNumber-3",
        "python-core-v1-ChatappVerifyAndRegister-1",
    ] {
        let request = captured(id);
        assert!(check(&request), "{id}");
        criterion.bench_function(id, |bencher| bencher.iter(|| check(black_box(&request))));
    }
}

criterion_group!(benches, checks);
criterion_main!(benches);

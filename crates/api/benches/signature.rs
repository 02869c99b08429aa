//! Cost of checking one signature, parameters decoded each time: at most 10 µs is the aim. With the policy
//! decision and the flow control of the same request: at most 15 µs.
//!
//! `cargo bench -p api --bench signature`

use std::hint::black_box;

use api::cams::parameters::Parameters;
use api::cams::signature::{Wire, read};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use registration::{AccountId, TextId as _, Timestamp};
use serde_json::{Value, json};
use service::moving_window::{MovingWindow, Rate};
use service::ram::{
    Context, Identity, PolicyType, Principal, RamPolicy, Request, ResourceName, evaluate,
};

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

/// A policy of four statements, of which the last allows the request if it is the fifth policy.
fn policy(number: usize) -> RamPolicy {
    let last = if number == 4 { "cams:*" } else { "cams:Update*" };
    let text = json!({ "Version": "1", "Statement": [
        { "Effect": "Deny", "Action": "cams:*Deregister", "Resource": "*",
          "Condition": { "Bool": { "acs:MFAPresent": "false" } } },
        { "Effect": "Deny", "Action": "*", "Resource": "*",
          "Condition": { "NotIpAddress": { "acs:SourceIp": ["192.0.2.0/24", "2001:db8::/32"] } } },
        { "Effect": "Allow", "Action": ["cams:Get*", "cams:Query*"],
          "Resource": "acs:cams:*:default:space/*" },
        { "Effect": "Allow", "Action": last, "Resource": "acs:cams:*:default:*",
          "Condition": { "DateLessThan": { "acs:CurrentTime": "2027-01-01T00:00:00+08:00" } } },
    ]});
    RamPolicy::parse("policy", PolicyType::Account, &text.to_string()).expect("a policy")
}

/// Everything that a request of a RAM user costs before its operation, but for the store.
fn together(criterion: &mut Criterion) {
    let policies: Vec<_> = (0..5).map(policy).collect();
    let account = AccountId::parse("default").expect("an id");
    let now = Timestamp::from_millis(1_795_320_000_000);
    let rate = Rate { max: 10, span: core::time::Duration::from_secs(1) };
    for id in
        ["python-tea-v3-ChatappVerifyAndRegister-1", "python-core-v1-ChatappVerifyAndRegister-1"]
    {
        let request = captured(id);
        let window = MovingWindow::default();
        let whole = || {
            let signed = check(black_box(&request));
            let principal =
                Principal { account: &account, identity: Identity::User { name: "ci" } };
            let asked = Request {
                action: "cams:ChatappVerifyAndRegister",
                resource: ResourceName {
                    service: "cams",
                    region: "ap-southeast-1",
                    account: "default",
                    relative_id: "space/cams-test01",
                },
                context: Context {
                    current_time: now,
                    secure_transport: true,
                    source_ip: "192.0.2.9".parse().ok(),
                    mfa_present: Some(false),
                    more: &[],
                },
            };
            let allowed = evaluate(&principal, black_box(&asked), &policies).is_allowed();
            // The window is full after ten: the dearer case, since it looks at all of them.
            let key = (account.clone(), "ChatappVerifyAndRegister");
            let admitted = window.take(&key, rate, now).is_ok();
            (signed, allowed, admitted)
        };
        assert_eq!(whole(), (true, true, true), "{id}");
        let name = format!("signature, policies and flow control: {id}");
        criterion.bench_function(&name, |bencher| bencher.iter(whole));
    }
}

criterion_group!(benches, checks, together);
criterion_main!(benches);

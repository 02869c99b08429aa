//! Cost of a decision on five policies of four statements each: below 2 µs is the aim.
//!
//! `cargo bench -p service --bench ram`. The policies are of the kind that a team writes: lists of actions,
//! resources of the account, office addresses, office hours. No statement matches before the last, so each
//! of the twenty is looked at.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use registration::{AccountId, TextId as _, Timestamp};
use serde_json::json;
use service::ram::{
    Context, Identity, PolicyDocument, PolicyType, Principal, RamPolicy, Request, ResourceName,
    authorize, evaluate, explain,
};

/// A policy of four statements, of which only the last of number 4 allows the request.
fn policy(number: usize) -> String {
    let last = if number == 4 { "cams:*" } else { "cams:Update*" };
    json!({ "Version": "1", "Statement": [
        { "Effect": "Deny", "Action": "cams:*Deregister", "Resource": "*",
          "Condition": { "Bool": { "acs:MFAPresent": "false" } } },
        { "Effect": "Deny", "Action": "*", "Resource": "*",
          "Condition": { "NotIpAddress": { "acs:SourceIp": ["192.0.2.0/24", "2001:db8::/32"] } } },
        { "Effect": "Allow", "Action": ["cams:Get*", "cams:Query*", "cams:List*Qrdl", "ram:Get*"],
          "Resource": "acs:cams:*:default:*" },
        { "Effect": "Allow", "Action": last, "Resource": ["acs:cams:*:acme:*", "acs:cams:*:default:*"],
          "Condition": {
            "DateLessThan": { "acs:CurrentTime": "2027-01-01T00:00:00+08:00" },
            "Bool": { "acs:SecureTransport": "true" } } },
    ]})
    .to_string()
}

fn policies() -> Vec<RamPolicy> {
    let read = |number| {
        RamPolicy::parse(&format!("policy-{number}"), PolicyType::Account, &policy(number))
            .expect("a policy")
    };
    (0..5).map(read).collect()
}

fn decisions(criterion: &mut Criterion) {
    let account = AccountId::parse("default").expect("an id");
    let principal = Principal { account: &account, identity: Identity::User { name: "ci" } };
    let request = |source_ip: &str| Request {
        action: "cams:ChatappVerifyAndRegister",
        resource: ResourceName::everything("cams", "ap-southeast-1", "default"),
        context: Context {
            current_time: Timestamp::from_millis(1_795_320_000_000),
            secure_transport: true,
            source_ip: Some(source_ip.parse().expect("an address")),
            mfa_present: None,
            more: &[],
        },
    };
    let policies = policies();
    let allowed = request("192.0.2.9");
    assert!(evaluate(&principal, &allowed, &policies).is_allowed());
    criterion.bench_function("evaluate, 5 policies × 4 statements, allowed by the last", |b| {
        b.iter(|| evaluate(black_box(&principal), black_box(&allowed), black_box(&policies)));
    });
    criterion.bench_function("explain, the same", |b| {
        b.iter(|| explain(black_box(&principal), black_box(&allowed), black_box(&policies)));
    });
    let denied = request("203.0.113.9");
    assert!(!evaluate(&principal, &denied, &policies).is_allowed());
    criterion.bench_function("authorize, denied, with the detail for the caller", |b| {
        b.iter(|| authorize(black_box(&principal), black_box(&denied), black_box(&policies)));
    });
    let text = policy(0);
    criterion.bench_function("parse, 4 statements", |b| {
        b.iter(|| PolicyDocument::parse(black_box(&text)));
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);

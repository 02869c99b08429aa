//! Faults over HTTP, and what they do to a dialect.

use core::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{NUMBER, World};

const FAULTS: &str = "/sandbox/v1/faults";

#[tokio::test]
async fn a_fault_is_listed_as_it_was_given_and_goes_when_deleted() {
    let world = World::sandbox().await;
    let given = json!({
        "dialect": "onprem", "operation": "verify_code", "number": NUMBER, "probability": 0.5,
        "seed": 7, "times": 3, "latency_ms": 20, "refusal": "code-mismatch",
    });
    let added = world.post(FAULTS, &given).await;
    assert_eq!(added.status, StatusCode::CREATED);
    for (member, value) in given.as_object().unwrap() {
        assert_eq!(&added.body[member], value, "{member}");
    }
    assert_eq!(added.body["id"], 1);
    assert_eq!(world.get(FAULTS).await.body, json!({ "faults": [added.body] }));
    assert_eq!(world.get(&format!("{FAULTS}/1")).await.body, added.body);
    assert_eq!(world.delete(&format!("{FAULTS}/1")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.delete(&format!("{FAULTS}/1")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get(FAULTS).await.body, json!({ "faults": [] }));
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_refused() {
    let world = World::sandbox().await;
    for fault in [
        json!({}),
        json!({ "probability": 0.5 }),
        json!({ "drop": true, "probability": 1.5 }),
        json!({ "drop": true, "unavailable": true }),
        json!({ "refusal": "no-such-thing" }),
        json!({ "drop": true, "operation": "dance" }),
        json!({ "drop": true, "dialect": "smoke" }),
        json!({ "drop": true, "number": "12" }),
        json!({ "latency_ms": 120_001 }),
        json!({ "latency_ms": -1 }),
        json!({ "latncy_ms": 1 }),
    ] {
        let reply = world.post(FAULTS, &fault).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{fault}");
        assert!(reply.body["details"].is_string(), "{fault}");
    }
    assert_eq!(world.get(FAULTS).await.body, json!({ "faults": [] }));
}

#[tokio::test]
async fn each_effect_reaches_the_dialect_as_often_as_asked() {
    let world = World::sandbox().await;
    let times_one = |mut fault: Value| {
        fault["times"] = json!(1);
        fault["operation"] = json!("request_code");
        fault
    };
    world.post(FAULTS, &times_one(json!({ "refusal": "sms-exhausted" }))).await;
    let refused = world.request_code(NUMBER, "sms").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let details = refused.body["errors"][0]["details"].as_str().unwrap();
    let words = "Please wait 24 hour(s) 0 minute(s) before trying again. Use method voice instead.";
    assert_eq!(details, words);

    world.post(FAULTS, &times_one(json!({ "unavailable": true }))).await;
    let down = world.request_code(NUMBER, "sms").await;
    assert_eq!((down.status, down.dropped), (StatusCode::SERVICE_UNAVAILABLE, false));

    world.post(FAULTS, &times_one(json!({ "drop": true }))).await;
    assert!(world.request_code(NUMBER, "sms").await.dropped);

    assert_eq!(world.request_code(NUMBER, "sms").await.status, StatusCode::ACCEPTED);
    let faults = world.get(FAULTS).await.body;
    let struck: Vec<_> =
        faults["faults"].as_array().unwrap().iter().map(|f| &f["struck"]).collect();
    assert_eq!(struck, [1, 1, 1]);
}

#[tokio::test]
async fn latency_goes_before_the_refusal() {
    let world = World::sandbox().await;
    world.post(FAULTS, &json!({ "latency_ms": 40, "refusal": "number-locked" })).await;
    let before = tokio::time::Instant::now();
    let refused = world.request_code(NUMBER, "sms").await;
    assert_eq!(refused.body["errors"][0]["details"], "Unknown error: blocked");
    assert!(before.elapsed() >= Duration::from_millis(40), "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_seeded_fault_strikes_on_the_same_requests_again() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::sandbox().await;
        let fault = json!({ "probability": 0.5, "seed": 42, "refusal": "number-locked" });
        world.post(FAULTS, &fault).await;
        let mut struck = Vec::new();
        for n in 0..20 {
            let reply = world.request_code(&format!("+4477009003{n:02}"), "sms").await;
            struck.push(reply.status == StatusCode::FORBIDDEN);
        }
        runs.push(struck);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&true) && runs[0].contains(&false), "{runs:?}");
}

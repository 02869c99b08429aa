//! The clock over HTTP, and that the rules follow it.

use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{NUMBER, World};

const CLOCK: &str = "/sandbox/v1/clock";

#[tokio::test]
async fn the_clock_is_turned_in_every_documented_form() {
    let world = World::sandbox().await;
    assert_eq!(face(&world.get(CLOCK).await.body), ("2027-01-15T08:00:00Z", false));
    for (turn, now, frozen) in [
        (json!({ "set": "2026-11-22T04:29:29Z" }), "2026-11-22T04:29:29Z", false),
        (json!({ "set": "2026-11-22T06:29:29+02:00" }), "2026-11-22T04:29:29Z", false),
        (json!({ "advance_seconds": 259_200 }), "2026-11-25T04:29:29Z", false),
        (json!({ "freeze": true }), "2026-11-25T04:29:29Z", true),
        (json!({ "advance_seconds": 0.5 }), "2026-11-25T04:29:29.5Z", true),
        (json!({ "resume": true }), "2026-11-25T04:29:29.5Z", false),
        (
            json!({ "freeze": true, "set": "2030-01-01T00:00:00Z", "advance_seconds": 60 }),
            "2030-01-01T00:01:00Z",
            true,
        ),
    ] {
        let reply = world.post(CLOCK, &turn).await;
        assert_eq!(reply.status, StatusCode::OK, "{turn}");
        assert_eq!(face(&reply.body), (now, frozen), "{turn}");
        assert_eq!(world.get(CLOCK).await.body, reply.body);
    }
}

#[tokio::test]
async fn a_turn_that_cannot_be_changes_nothing() {
    let world = World::sandbox().await;
    let before = world.get(CLOCK).await.body;
    for turn in [
        json!({}),
        json!([]),
        json!({ "set": "tomorrow" }),
        json!({ "set": "2026-11-22" }),
        json!({ "set": 1 }),
        json!({ "advance_seconds": -1 }),
        json!({ "advance_seconds": 1e300 }),
        json!({ "freeze": true, "set": "9999-12-30T00:00:00Z", "advance_seconds": 1e9 }),
        json!({ "freeze": false }),
        json!({ "resume": false }),
        json!({ "freeze": true, "resume": true }),
        json!({ "advance": 5 }),
    ] {
        let reply = world.post(CLOCK, &turn).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{turn}");
        assert!(reply.body["error"].is_string() && reply.body["details"].is_string(), "{turn}");
        assert_eq!(world.get(CLOCK).await.body, before, "{turn}");
    }
}

#[tokio::test]
async fn turning_the_clock_opens_a_wait_window() {
    let world = World::sandbox().await;
    assert_eq!(world.request_code(NUMBER, "sms").await.status, StatusCode::ACCEPTED);
    let refused = world.request_code(NUMBER, "sms").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    world.post(CLOCK, &json!({ "advance_seconds": 60 })).await;
    assert_eq!(world.request_code(NUMBER, "sms").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn turning_the_clock_ends_codes_and_tokens() {
    let world = World::sandbox().await;
    world.request_code(NUMBER, "sms").await;
    world.newest(NUMBER).await;
    world.post(CLOCK, &json!({ "advance_seconds": 600 })).await;
    let expired = world.verify(NUMBER).await;
    assert_eq!(expired.body["errors"][0]["details"], "Error checking code (missing)");

    let token = world.login("/v1", crate::harness::PASSWORD).await;
    let health = || {
        let request = http::Request::get("/v1/health");
        request.header("authorization", format!("Bearer {token}")).body(axum::body::Body::empty())
    };
    assert_eq!(world.call(health().unwrap()).await.status, StatusCode::OK);
    world.post(CLOCK, &json!({ "advance_seconds": 7 * 86_400 })).await;
    assert_eq!(world.call(health().unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

fn face(body: &Value) -> (&str, bool) {
    (body["now"].as_str().unwrap(), body["frozen"].as_bool().unwrap())
}

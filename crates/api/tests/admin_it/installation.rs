//! Limits, keys, status.

use serde_json::json;

use crate::harness::{World, column};

#[tokio::test]
async fn limits_are_those_in_force() {
    let world = World::new().await;
    let limits = world.get("/limits").await.expect(200);
    assert_eq!(limits["sms_waits"], json!([0, 60, 120, 300, 600]));
    assert_eq!(limits["register_window"], 259_200);
    assert_eq!(limits["country_sends"], json!({ "burst": 50, "interval_ms": 1000 }));
    let mut policy = (*world.service.policy()).clone();
    policy.limits.register_calls_max = 3;
    world.service.set_policy(policy);
    assert_eq!(world.get("/limits").await.expect(200)["register_calls_max"], 3);
}

#[tokio::test]
async fn a_rotation_answers_with_the_new_epoch_and_is_recorded() {
    let world = World::new().await;
    let rotated = world.post("/keys/rotate-master", json!(null)).await.expect(200);
    assert_eq!(rotated, json!({ "epoch": 2 }));
    let trail = world.get("/audit?limit=200").await.expect(200);
    assert_eq!(column(&trail, "kind").last().unwrap(), "master_key_rotated");
}

#[tokio::test]
async fn the_status_tells_time_mode_and_keys() {
    let world = World::new().await;
    let status = world.get("/status").await.expect(200);
    let expected = json!({
        "version": env!("CARGO_PKG_VERSION"), "mode": "production", "now": "2027-01-15T08:00:00Z",
        "frozen": false, "started_at": "2027-01-15T08:00:00Z", "key_epochs": [1],
    });
    assert_eq!(status, expected);
}

//! The trail and its chain.

use serde_json::{Value, json};
use service::ports::AuditQuery;

use crate::harness::{NUMBER, World, column};

#[tokio::test]
async fn the_trail_is_read_by_page_number_and_account() {
    let world = World::new().await;
    world.register(NUMBER).await;
    let all = world.get("/audit?limit=200").await.expect(200);
    let entries = all["items"].as_array().unwrap();
    let places: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(places, (1..=places.len() as u64).collect::<Vec<_>>());
    let of_number = world.get("/audit?number=%2B447700900123").await.expect(200);
    let kinds = column(&of_number, "kind");
    assert_eq!(kinds, ["code_requested", "registered"]);
    let along = |place: usize| of_number["items"][place]["details"]["along"][0]["kind"].clone();
    assert_eq!([along(0), along(1)], ["number_added", "code_confirmed"]);
    let entry = &of_number["items"][0];
    assert_eq!(entry["subject"], json!({ "kind": "number", "id": NUMBER }));
    assert_eq!((&entry["actor"], &entry["account"]), (&json!("operator"), &Value::Null));
    assert_eq!(entry["details"]["method"], "sms");
    assert_eq!(world.get("/audit?account=nobody").await.expect(200)["items"], json!([]));
    let second = world.get("/audit?limit=1&after=1").await.expect(200);
    assert_eq!((&second["items"][0]["seq"], &second["next"]), (&json!(2), &json!("2")));
}

#[tokio::test]
async fn the_chain_is_verified_to_its_last_entry() {
    let world = World::new().await;
    let report = world.get("/audit/verify").await.expect(200);
    let query = AuditQuery { limit: 1000, ..AuditQuery::default() };
    let entries = world.store.audit(&query).await.unwrap();
    let head = hex::encode(entries.last().unwrap().hash);
    let expected =
        json!({ "holds": true, "entries": entries.len(), "head": head, "problem": null });
    assert_eq!(report, expected);
}

#[tokio::test]
async fn a_long_chain_is_read_in_strides_to_its_end() {
    let world = World::new().await;
    let before = world.get("/audit/verify").await.expect(200)["entries"].as_u64().unwrap();
    // Two strides and a bit.
    for _ in 0..2_100 {
        let caller = service::Caller::operator();
        let subject = service::ports::Subject::System;
        world.service.record(&caller, subject, "noted", &json!({})).await.unwrap();
    }
    let report = world.get("/audit/verify").await.expect(200);
    assert_eq!((&report["holds"], &report["entries"]), (&json!(true), &json!(before + 2_100)));
}

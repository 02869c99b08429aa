//! The built-in authority.

use core::time::Duration;

use serde_json::json;

use crate::harness::{NUMBER, WABA, World, column};

#[tokio::test]
async fn a_certificate_is_issued_recorded_and_read_back() {
    let world = World::new().await;
    let order = json!({ "number": NUMBER, "name": "Lucky Shrub" });
    let issued = world.post("/certificates", order).await.expect(201);
    for (field, value) in [
        ("number", json!(NUMBER)),
        ("waba", json!(WABA)),
        ("name", json!("Lucky Shrub")),
        ("issuer", json!("ent:rollcall")),
        ("origin", json!("own")),
        ("expires_at", json!("2027-01-29T08:00:00Z")),
    ] {
        assert_eq!(issued[field], value, "{field}");
    }
    let text = json!({ "certificate": issued["certificate"] });
    assert_eq!(world.post("/certificates/read", text.clone()).await.expect(200), issued);
    world.clock.advance(Duration::from_hours(14 * 24));
    let late = world.post("/certificates/read", text).await.expect(200);
    assert_eq!(late["origin"], "own_expired");
    let trail = world.get("/audit?number=%2B447700900123").await.expect(200);
    assert_eq!(column(&trail, "kind"), ["certificate_issued"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_named() {
    let world = World::new().await;
    for (path, body, field) in [
        ("/certificates", json!({ "name": "A" }), "number"),
        ("/certificates", json!({ "number": NUMBER }), "name"),
        ("/certificates", json!({ "number": NUMBER, "name": "A", "waba": "999" }), "waba"),
        ("/certificates/read", json!({}), "certificate"),
        ("/certificates/read", json!({ "certificate": "?" }), "certificate"),
    ] {
        assert_eq!(world.post(path, body.clone()).await.fault(422).1, [field], "{body}");
    }
}

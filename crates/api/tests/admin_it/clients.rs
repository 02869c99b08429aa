//! On-Premises clients and the operator's way back into them.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::json;

use crate::harness::{NUMBER, PASSWORD, WABA, World};

/// Status of a login as `admin`.
async fn login(world: &World, client: &str, password: &str) -> u16 {
    let basic = STANDARD.encode(format!("admin:{password}"));
    let request = Request::post(format!("/clients/{client}/v1/users/login"))
        .header("authorization", format!("Basic {basic}"))
        .body(Body::empty())
        .unwrap();
    world.send(request).await.status.as_u16()
}

#[tokio::test]
async fn a_client_is_made_with_the_password_given() {
    let world = World::new().await;
    let new = json!({
        "id": "berlin", "waba": WABA, "host": "Berlin.Example.com", "admin_password": PASSWORD,
        "must_change_password": false, "api_key": "0123456789abcdef",
    });
    let made = world.post("/clients", new).await.expect(201);
    let expected = json!({
        "id": "berlin", "account": "default", "waba": WABA, "host": "berlin.example.com",
        "retired": false, "api_key_set": true, "shards": 1, "created_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(made, expected);
    assert_eq!(login(&world, "berlin", PASSWORD).await, 200);
}

#[tokio::test]
async fn a_password_that_is_made_up_is_shown_once_and_must_be_replaced() {
    let world = World::new().await;
    let made = world.post("/clients", json!({ "id": "berlin", "waba": WABA })).await.expect(201);
    let password = made["admin_password"].as_str().unwrap().to_owned();
    assert!(world.get("/clients/berlin").await.expect(200).get("admin_password").is_none());
    assert_eq!(login(&world, "berlin", &password).await, 401, "a change is due");
    let path = "/clients/berlin/admin-password";
    let reset = world.post(path, json!({ "must_change": false })).await.expect(200);
    let fresh = reset["admin_password"].as_str().unwrap();
    assert_ne!(fresh, password);
    assert_eq!(login(&world, "berlin", fresh).await, 200);
    let given = json!({ "password": PASSWORD, "must_change": false });
    assert!(world.post(path, given).await.expect(200).get("admin_password").is_none());
    assert_eq!(login(&world, "berlin", PASSWORD).await, 200);
}

#[tokio::test]
async fn settings_change_one_by_one_and_null_empties() {
    let world = World::new().await;
    let change = json!({ "host": "a.example", "api_key": "0123456789abcdef", "retired": true });
    let changed = world.patch("/clients/default", change).await.expect(200);
    let shown = |client: &serde_json::Value| {
        [client["host"].clone(), client["api_key_set"].clone(), client["retired"].clone()]
    };
    assert_eq!(shown(&changed), [json!("a.example"), json!(true), json!(true)]);
    let changed = world.patch("/clients/default", json!({ "host": null })).await.expect(200);
    assert_eq!(shown(&changed), [json!(null), json!(true), json!(true)]);
    let change = json!({ "api_key": null, "retired": false });
    let changed = world.patch("/clients/default", change).await.expect(200);
    assert_eq!(shown(&changed), [json!(null), json!(false), json!(false)]);
}

#[tokio::test]
async fn a_host_belongs_to_one_client() {
    let world = World::new().await;
    world.patch("/clients/default", json!({ "host": "a.example" })).await.expect(200);
    let new = json!({ "id": "b", "waba": WABA, "host": "a.example" });
    assert_eq!(world.post("/clients", new).await.fault(409).0, "conflict");
    world.post("/clients", json!({ "id": "b", "waba": WABA })).await.expect(201);
    let change = json!({ "host": "a.example" });
    assert_eq!(world.patch("/clients/b", change).await.fault(409).0, "conflict");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_secrets_are_not_repeated() {
    let world = World::new().await;
    for (body, field) in [
        (json!({ "waba": WABA }), "id"),
        (json!({ "id": "b" }), "waba"),
        (json!({ "id": "b", "waba": "999" }), "waba"),
        (json!({ "id": "b", "waba": WABA, "host": "http://a" }), "host"),
        (json!({ "id": "b", "waba": WABA, "admin_password": "hunter22" }), "admin_password"),
        (json!({ "id": "b", "waba": WABA, "admin_password": 12_345_678 }), "admin_password"),
        (json!({ "id": "b", "waba": WABA, "api_key": "hunter22" }), "api_key"),
    ] {
        let answer = world.post("/clients", body.clone()).await;
        let said = answer.body.to_string();
        assert!(!said.contains("hunter22") && !said.contains("12345678"), "{said}");
        assert_eq!(answer.fault(422).1, [field], "{body}");
    }
}

#[tokio::test]
async fn a_client_goes_once_its_number_is_given_up() {
    let world = World::new().await;
    world.register(NUMBER).await;
    world.delete("/clients/default").await.fault(409);
    world.post(&format!("/numbers/{NUMBER}/deregister"), json!(null)).await.expect(200);
    world.delete("/clients/default").await.expect(204);
    assert_eq!(login(&world, "default", PASSWORD).await, 404);
}

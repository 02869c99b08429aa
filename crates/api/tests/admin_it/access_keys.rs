//! Access keys: made, listed, disabled, rotated, removed; what is shown once and what never.

use serde_json::json;

use crate::harness::{World, column};

const POLICY: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:Get*","Resource":"*"}]}"#;

#[tokio::test]
async fn a_secret_is_shown_once() {
    let world = World::new().await;
    let made = world.post("/access-keys", json!({ "account": "default" })).await;
    let location = made.header("location").unwrap().to_owned();
    let made = made.expect(201);
    let id = made["id"].as_str().unwrap();
    assert_eq!(location, format!("/admin/v1/access-keys/{id}"));
    assert_eq!(made["secret"].as_str().unwrap().len(), 30);
    assert_eq!(made.get("security_token"), None);
    let shown = world.get(&format!("/access-keys/{id}")).await.expect(200);
    let expected = json!({
        "id": id, "account": "default", "user": null, "active": true, "temporary": null,
        "created_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(shown, expected);
    let listed = world.get("/access-keys").await.expect(200);
    assert!(!listed.to_string().contains(made["secret"].as_str().unwrap()));
}

#[tokio::test]
async fn an_owner_has_two_active_keys_and_rotation_needs_a_place() {
    let world = World::new().await;
    world.post("/users", json!({ "account": "default", "name": "ci" })).await.expect(201);
    let owner = json!({ "account": "default", "user": "ci" });
    let first = world.post("/access-keys", owner.clone()).await.expect(201);
    let path = format!("/access-keys/{}", first["id"].as_str().unwrap());
    let second = world.post(&format!("{path}/rotate"), json!({})).await.expect(201);
    assert_eq!(second["user"], "ci");
    assert_ne!(second["id"], first["id"]);
    assert_eq!(world.post("/access-keys", owner.clone()).await.fault(409).0, "conflict");
    assert_eq!(world.post(&format!("{path}/rotate"), json!({})).await.fault(409).0, "conflict");
    let off = world.patch(&path, json!({ "active": false })).await.expect(200);
    assert_eq!(off["active"], false);
    world.post("/access-keys", owner).await.expect(201);
    assert_eq!(world.patch(&path, json!({ "active": true })).await.fault(409).0, "conflict");
    world.delete(&path).await.expect(204);
    world.get(&path).await.fault(404);
}

#[tokio::test]
async fn keys_are_listed_by_account_and_user_and_go_with_their_user() {
    let world = World::new().await;
    world.post("/users", json!({ "account": "default", "name": "ci" })).await.expect(201);
    let own = world.post("/access-keys", json!({ "account": "default" })).await.expect(201);
    let of_user = json!({ "account": "default", "user": "ci" });
    let of_user = world.post("/access-keys", of_user).await.expect(201);
    let ids = async |path: &str| column(&world.get(path).await.expect(200), "id");
    let mut both = [own["id"].clone(), of_user["id"].clone()];
    both.sort_by_key(ToString::to_string);
    let both: Vec<_> = both.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    assert_eq!(ids("/access-keys?account=default").await, both);
    assert_eq!(
        ids("/access-keys?account=default&user=ci").await,
        [of_user["id"].as_str().unwrap()]
    );
    assert_eq!(world.get("/access-keys?user=ci").await.fault(422).1, ["account"]);
    world.delete("/users/default/ci").await.expect(204);
    assert_eq!(ids("/access-keys").await, [own["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_temporary_key_has_token_end_and_policy() {
    let world = World::new().await;
    let order = json!({
        "account": "default", "life_seconds": 900, "session_policy": POLICY, "mfa_present": true,
    });
    let made = world.post("/temporary-keys", order).await.expect(201);
    assert_eq!(made["security_token"].as_str().unwrap().len(), 64);
    let expected = json!({
        "expires_at": "2027-01-15T08:15:00Z", "session_policy": POLICY, "mfa_present": true,
    });
    assert_eq!(made["temporary"], expected);
    let shown = world.get(&format!("/access-keys/{}", made["id"].as_str().unwrap())).await;
    assert_eq!(shown.expect(200)["temporary"], expected);
    for (field, order) in [
        ("life_seconds", json!({ "account": "default", "life_seconds": 59 })),
        ("life_seconds", json!({ "account": "default", "life_seconds": u64::MAX })),
        ("session_policy", json!({ "account": "default", "session_policy": "{}" })),
        ("account", json!({ "account": "nobody" })),
        ("user", json!({ "account": "default", "user": "nobody" })),
    ] {
        let refused = world.post("/temporary-keys", order).await;
        assert!(refused.fault(422).1.iter().all(|it| it == field), "{field}");
    }
}

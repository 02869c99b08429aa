//! Accounts, spaces, WABAs.

use serde_json::json;

use crate::harness::{NUMBER, WABA, World, column};

#[tokio::test]
async fn an_account_is_made_shown_changed_and_removed() {
    let world = World::new().await;
    let made = world.post("/accounts", json!({ "id": "acme", "name": "Acme" })).await;
    assert_eq!(made.header("location"), Some("/admin/v1/accounts/acme"));
    let made = made.expect(201);
    let expected = json!({
        "id": "acme", "name": "Acme", "subscribed": true, "created_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(made, expected);
    assert_eq!(world.get("/accounts/acme").await.expect(200), expected);
    let changed = world.patch("/accounts/acme", json!({ "subscribed": false })).await.expect(200);
    assert_eq!((&changed["name"], &changed["subscribed"]), (&json!("Acme"), &json!(false)));
    let twice = world.post("/accounts", json!({ "id": "acme" })).await;
    assert_eq!(twice.fault(409).0, "conflict");
    world.delete("/accounts/acme").await.expect(204);
    world.get("/accounts/acme").await.fault(404);
    let page = world.get("/audit").await.expect(200);
    let kinds = column(&page, "kind");
    assert_eq!(kinds[kinds.len() - 3..], ["account_created", "account_changed", "account_deleted"]);
}

#[tokio::test]
async fn what_has_to_be_given_is_named() {
    let world = World::new().await;
    for (path, body, field) in [
        ("/accounts", json!({}), "id"),
        ("/accounts", json!({ "id": "a b" }), "id"),
        ("/accounts", json!({ "id": "a", "subscribed": "yes" }), "subscribed"),
        ("/spaces", json!({}), "account"),
        ("/spaces", json!({ "account": "nobody" }), "account"),
        ("/wabas", json!({}), "space"),
        ("/wabas", json!({ "space": "nowhere" }), "space"),
    ] {
        assert_eq!(world.post(path, body.clone()).await.fault(422).1, [field], "{path} {body}");
    }
}

#[tokio::test]
async fn ids_of_spaces_and_wabas_are_made_up_where_none_is_given() {
    let world = World::new().await;
    let space = world.post("/spaces", json!({ "account": "default" })).await.expect(201);
    let id = space["id"].as_str().unwrap();
    assert!(id.starts_with("cams-") && space["name"] == id, "{space}");
    let waba = world.post("/wabas", json!({ "space": id, "name": "Main" })).await.expect(201);
    assert_eq!((&waba["account"], &waba["name"]), (&json!("default"), &json!("Main")));
    assert_eq!(waba["id"].as_str().unwrap().len(), 15);
    let path = format!("/wabas/{}", waba["id"].as_str().unwrap());
    let renamed = world.patch(&path, json!({ "name": "Other" })).await.expect(200);
    assert_eq!(renamed["name"], "Other");
    let path = format!("/spaces/{id}");
    assert_eq!(world.patch(&path, json!({ "name": "S" })).await.expect(200)["name"], "S");
    world.delete(&path).await.expect(204);
    world.get(&format!("/wabas/{}", waba["id"].as_str().unwrap())).await.fault(404);
}

#[tokio::test]
async fn lists_show_one_tenant_when_asked_for_it() {
    let world = World::new().await;
    world.add_acme().await;
    for (path, ids) in [
        ("/accounts", vec!["acme", "default"]),
        ("/spaces", vec!["acme-space", "default"]),
        ("/spaces?account=acme", vec!["acme-space"]),
        ("/wabas", vec![WABA, "200"]),
        ("/wabas?account=acme", vec!["200"]),
        ("/wabas?space=default", vec![WABA]),
        ("/wabas?account=acme&space=default", vec![]),
        ("/clients?account=acme", vec!["acme-client"]),
        ("/clients", vec!["acme-client", "default"]),
    ] {
        assert_eq!(column(&world.get(path).await.expect(200), "id"), ids, "{path}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let world = World::new().await;
    for i in 0..5 {
        world
            .post("/wabas", json!({ "space": "default", "id": format!("w{i}") }))
            .await
            .expect(201);
    }
    for filter in ["", "&space=default", "&account=default"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/wabas?limit=4{filter}{after}");
            let page = world.get(&path).await.expect(200);
            seen.extend(column(&page, "id"));
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(page["items"].as_array().unwrap().len(), 4);
            after = format!("&after={next}");
        }
        assert_eq!(seen, [WABA, "w0", "w1", "w2", "w3", "w4"], "{filter}");
    }
}

#[tokio::test]
async fn what_numbers_hang_on_is_not_removed() {
    let world = World::new().await;
    world.register(NUMBER).await;
    for path in
        [&format!("/wabas/{WABA}"), "/spaces/default", "/accounts/default", "/clients/default"]
    {
        assert_eq!(world.delete(path).await.fault(409).0, "conflict", "{path}");
        world.get(path).await.expect(200);
    }
}

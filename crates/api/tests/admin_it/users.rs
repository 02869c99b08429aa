//! RAM users and groups.

use serde_json::json;

use crate::harness::{World, column};

#[tokio::test]
async fn a_user_is_made_shown_changed_and_removed() {
    let world = World::new().await;
    let made = world.post("/users", json!({ "account": "default", "name": "ci" })).await;
    assert_eq!(made.header("location"), Some("/admin/v1/users/default/ci"));
    let expected = json!({
        "account": "default", "name": "ci", "display_name": "ci", "policies": [], "groups": [],
        "created_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(made.expect(201), expected);
    assert_eq!(world.get("/users/default/ci").await.expect(200), expected);
    let change = json!({ "display_name": "Build robot" });
    let changed = world.patch("/users/default/ci", change).await.expect(200);
    assert_eq!(changed["display_name"], "Build robot");
    let twice = world.post("/users", json!({ "account": "default", "name": "ci" })).await;
    assert_eq!(twice.fault(409).0, "conflict");
    world.delete("/users/default/ci").await.expect(204);
    world.get("/users/default/ci").await.fault(404);
}

#[tokio::test]
async fn policies_and_groups_come_and_go() {
    let world = World::new().await;
    world.post("/users", json!({ "account": "default", "name": "ci" })).await.expect(201);
    let group = json!({ "account": "default", "name": "robots", "display_name": "Robots" });
    world.post("/groups", group).await.expect(201);
    let full = "AliyunCamsFullAccess";
    let read_only = "AliyunCamsReadOnlyAccess";
    let put = |path: String| world.put_nothing(path);
    let user = put(format!("/users/default/ci/policies/{read_only}")).await.expect(200);
    assert_eq!(user["policies"], json!([read_only]));
    let again = put(format!("/users/default/ci/policies/{read_only}")).await.expect(200);
    assert_eq!(again, user);
    let user = put("/users/default/ci/groups/robots".to_owned()).await.expect(200);
    assert_eq!(user["groups"], json!(["robots"]));
    let group = put(format!("/groups/default/robots/policies/{full}")).await.expect(200);
    assert_eq!(group["policies"], json!([full]));

    assert_eq!(world.delete("/groups/default/robots").await.fault(409).0, "conflict");
    world.delete(&format!("/users/default/ci/policies/{read_only}")).await.expect(204);
    world.delete(&format!("/users/default/ci/policies/{read_only}")).await.fault(404);
    world.delete(&format!("/groups/default/robots/policies/{full}")).await.expect(204);
    world.delete("/users/default/ci/groups/robots").await.expect(204);
    world.delete("/groups/default/robots").await.expect(204);
    let user = world.get("/users/default/ci").await.expect(200);
    assert_eq!((&user["policies"], &user["groups"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let world = World::new().await;
    world.post("/users", json!({ "account": "default", "name": "ci" })).await.expect(201);
    for (path, body, field) in [
        ("/users", json!({ "name": "x" }), "account"),
        ("/users", json!({ "account": "nobody", "name": "x" }), "account"),
        ("/users", json!({ "account": "default", "name": "a/b" }), "name"),
        ("/groups", json!({ "account": "nobody", "name": "x" }), "account"),
    ] {
        assert_eq!(world.post(path, body.clone()).await.fault(422).1, [field], "{path} {body}");
    }
    for (path, message) in [
        ("/users/default/ci/policies/none", "There is no policy default/none."),
        ("/users/default/ci/policies/a%20b", "There is no policy default/a b."),
        ("/users/default/x/policies/AliyunCamsFullAccess", "There is no RAM user default/x."),
        ("/users/default/ci/groups/none", "There is no group default/none."),
        ("/groups/default/none/policies/AliyunCamsFullAccess", "There is no group default/none."),
    ] {
        let answer = world.put_nothing(path.to_owned()).await.expect(404);
        assert_eq!(answer["error"]["message"], message, "{path}");
    }
}

#[tokio::test]
async fn a_user_has_room_for_so_many_policies() {
    let world = World::new().await;
    world.post("/users", json!({ "account": "default", "name": "ci" })).await.expect(201);
    let document = r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    for i in 0..21 {
        let policy = json!({ "account": "default", "name": format!("p{i}"), "document": document });
        world.post("/policies", policy).await.expect(201);
        let expected = if i < 20 { 200 } else { 409 };
        world.put_nothing(format!("/users/default/ci/policies/p{i}")).await.expect(expected);
    }
}

#[tokio::test]
async fn lists_show_one_account_or_one_group_when_asked_for_it() {
    let world = World::new().await;
    world.add_acme().await;
    for (account, name) in [("default", "ci"), ("default", "eva"), ("acme", "ci"), ("acme", "max")]
    {
        world.post("/users", json!({ "account": account, "name": name })).await.expect(201);
    }
    for account in ["default", "acme"] {
        world.post("/groups", json!({ "account": account, "name": "team" })).await.expect(201);
        world.put_nothing(format!("/users/{account}/ci/groups/team")).await.expect(200);
    }
    for (path, names) in [
        ("/users", vec!["ci", "max", "ci", "eva"]),
        ("/users?account=default", vec!["ci", "eva"]),
        ("/users?account=acme&group=team", vec!["ci"]),
        ("/users?account=acme&group=none", vec![]),
        ("/users?after=acme%2Fmax", vec!["ci", "eva"]),
        ("/groups", vec!["team", "team"]),
        ("/groups?account=acme", vec!["team"]),
    ] {
        assert_eq!(column(&world.get(path).await.expect(200), "name"), names, "{path}");
    }
    assert_eq!(world.get("/users?limit=2").await.expect(200)["next"], "acme/max");
    world.delete("/accounts/acme").await.expect(204);
    assert_eq!(column(&world.get("/users").await.expect(200), "name"), ["ci", "eva"]);
}

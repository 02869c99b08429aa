//! RAM policies and simulated requests.

use serde_json::{Value, json};

use crate::harness::{World, column};

const OFFICE: &str = r#"{
  "Version": "1",
  "Statement": [
    {"Effect": "Allow", "Action": "cams:*", "Resource": "*",
     "Condition": {"IpAddress": {"acs:SourceIp": "192.0.2.0/24"}}},
    {"Effect": "Deny", "Action": "cams:*Deregister", "Resource": "*"}
  ]
}"#;

/// A world with the user `ci` of the account `default`, who has the policy `office`.
async fn world() -> World {
    let world = World::new().await;
    let policy = json!({ "account": "default", "name": "office", "document": OFFICE });
    world.post("/policies", policy).await.expect(201);
    world.post("/users", json!({ "account": "default", "name": "ci" })).await.expect(201);
    world.put_nothing("/users/default/ci/policies/office".to_owned()).await.expect(200);
    world
}

async fn simulate(world: &World, more: Value) -> Value {
    let mut body =
        json!({ "account": "default", "user": "ci", "action": "cams:ChatappVerifyAndRegister" });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.post("/policies/simulate", body).await.expect(200)
}

#[tokio::test]
async fn a_policy_is_made_shown_changed_and_removed() {
    let world = World::new().await;
    let new = json!({ "account": "default", "name": "office", "document": OFFICE });
    let made = world.post("/policies", new.clone()).await;
    assert_eq!(made.header("location"), Some("/admin/v1/policies/default/office"));
    let expected = json!({
        "account": "default", "name": "office", "kind": "custom", "document": OFFICE,
        "created_at": "2027-01-15T08:00:00Z", "updated_at": "2027-01-15T08:00:00Z",
    });
    assert_eq!(made.expect(201), expected);
    assert_eq!(world.get("/policies/default/office").await.expect(200), expected);
    assert_eq!(world.post("/policies", new).await.fault(409).0, "conflict");
    world.clock.advance(core::time::Duration::from_mins(1));
    let other = r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;
    let path = "/policies/default/office";
    let changed = world.patch(path, json!({ "document": other })).await.expect(200);
    assert_eq!(
        (&changed["document"], &changed["updated_at"]),
        (&json!(other), &json!("2027-01-15T08:01:00Z"))
    );
    assert_eq!(world.patch(path, json!({})).await.expect(200), changed);
    assert_eq!(column(&world.get("/policies").await.expect(200), "name"), ["office"]);
    world.delete(path).await.expect(204);
    world.get(path).await.fault(404);
}

#[tokio::test]
async fn every_fault_of_a_policy_is_told_with_its_place_and_nothing_is_saved() {
    let world = World::new().await;
    let document = "{\n  \"Version\": \"2\",\n  \"Statement\": [{\"Effect\": \"allow\"}]\n}";
    let new = json!({ "account": "default", "name": "mine", "document": document });
    let answer = world.post("/policies", new).await.expect(422);
    let details = answer["error"]["details"].as_array().unwrap().iter();
    let details: Vec<_> = details.map(|it| (it["field"].clone(), it["problem"].clone())).collect();
    let problems = [
        "line 2, column 14, $.Version: Version is the text \"1\"",
        "line 3, column 17, $.Statement[0]: has exactly one of Action and NotAction",
        "line 3, column 17, $.Statement[0]: Resource is missing",
        "line 3, column 28, $.Statement[0].Effect: Effect is Allow or Deny",
    ];
    assert_eq!(details, problems.map(|problem| (json!("document"), json!(problem))));
    world.get("/policies/default/mine").await.fault(404);
    for (body, field) in [
        (json!({ "account": "default", "name": "AliyunMine", "document": OFFICE }), "name"),
        (json!({ "account": "nobody", "name": "mine", "document": OFFICE }), "account"),
        (json!({ "account": "default", "name": "mine" }), "document"),
        (json!({ "account": "default", "name": "mine", "document": {} }), "document"),
    ] {
        assert_eq!(world.post("/policies", body.clone()).await.fault(422).1, [field], "{body}");
    }
}

#[tokio::test]
async fn a_policy_in_use_stays() {
    let world = world().await;
    let answer = world.delete("/policies/default/office").await.expect(409);
    let message = "The policy is attached to the ram_user default/ci.";
    assert_eq!(answer["error"]["message"], message);
    world.delete("/users/default/ci/policies/office").await.expect(204);
    world.delete("/policies/default/office").await.expect(204);
}

#[tokio::test]
async fn system_policies_are_shown_and_not_changed() {
    let world = World::new().await;
    let path = "/policies/default/AliyunCamsReadOnlyAccess";
    let shown = world.get(path).await.expect(200);
    assert_eq!((&shown["kind"], &shown["created_at"]), (&json!("system"), &Value::Null));
    assert!(shown["document"].as_str().unwrap().contains("cams:Get*"));
    world.get("/policies/nobody/AliyunCamsReadOnlyAccess").await.fault(404);
    world.patch(path, json!({ "document": OFFICE })).await.fault(404);
    world.delete(path).await.fault(404);
}

#[tokio::test]
async fn a_simulation_tells_what_decides_and_why_the_rest_does_not() {
    let world = world().await;
    let inside = simulate(&world, json!({ "source_ip": "192.0.2.9" })).await;
    assert_eq!(
        inside,
        json!({
            "allowed": true,
            "decision": "allowed",
            "reason": "Statement 0 of office allows it, and nothing denies it.",
            "policy_type": "AccountLevelIdentityBasedPolicy",
            "deciding": { "policy": "office", "statement": 0 },
            "resource": "acs:cams:ap-southeast-1:default:*",
            "statements": [
                { "policy": "office", "statement": 0, "effect": "Allow", "finding": "decides",
                  "policy_type": "AccountLevelIdentityBasedPolicy", "reasons": [] },
                { "policy": "office", "statement": 1, "effect": "Deny", "finding": "differs",
                  "policy_type": "AccountLevelIdentityBasedPolicy",
                  "reasons": ["the action is not cams:*Deregister"] },
            ],
        })
    );
    let outside = simulate(&world, json!({ "source_ip": "2001:db8::9" })).await;
    assert_eq!(
        (&outside["decision"], &outside["deciding"]),
        (&json!("implicit_deny"), &Value::Null)
    );
    assert_eq!(outside["reason"], "No policy of the user or its groups allows it.");
    let reason = "IpAddress acs:SourceIp 192.0.2.0/24 does not hold: it is 2001:db8::9";
    assert_eq!(outside["statements"][0]["reasons"], json!([reason]));
    let denied = json!({ "source_ip": "192.0.2.9", "action": "cams:ChatappPhoneNumberDeregister" });
    let denied = simulate(&world, denied).await;
    assert_eq!((&denied["allowed"], &denied["decision"]), (&json!(false), &json!("explicit_deny")));
    assert_eq!(denied["reason"], "Statement 1 of office denies it.");
    assert_eq!(denied["statements"][0]["finding"], "matches");
}

#[tokio::test]
async fn a_simulation_takes_every_circumstance() {
    let world = World::new().await;
    let document = json!({ "Version": "1", "Statement": [{
        "Effect": "Allow", "Action": "cams:*", "Resource": "acs:cams:eu-central-1:default:number/*",
        "Condition": {
            "IpAddress": { "acs:SourceIp": "192.0.2.0/24" },
            "Bool": { "acs:SecureTransport": false, "acs:MFAPresent": true },
            "DateLessThan": { "acs:CurrentTime": "2027-01-01T00:00:00Z" },
            "StringLike": { "acs:ResourceTag/team": "ber*" },
        },
    }]});
    let new = json!({ "account": "default", "name": "all", "document": document.to_string() });
    world.post("/policies", new).await.expect(201);
    world.post("/users", json!({ "account": "default", "name": "ci" })).await.expect(201);
    world.put_nothing("/users/default/ci/policies/all".to_owned()).await.expect(200);
    let nothing = simulate(&world, json!({})).await;
    assert_eq!(nothing["statements"][0]["reasons"].as_array().unwrap().len(), 6);
    let all = json!({
        "resource": "acs:cams:eu-central-1:default:number/8613800000001",
        "source_ip": "192.0.2.9", "time": "2026-12-31T23:59:59+00:00", "secure_transport": false,
        "mfa_present": true, "context": { "acs:ResourceTag/team": "berlin" },
    });
    let decided = simulate(&world, all.clone()).await;
    assert_eq!(decided["allowed"], true, "{decided}");
    let mut bounded = all;
    bounded["session_policy"] = json!(OFFICE.replace("192.0.2.0", "198.51.100.0"));
    let decided = simulate(&world, bounded).await;
    assert_eq!(decided["policy_type"], "SessionPolicy");
    assert_eq!(decided["reason"], "The policy of the temporary key does not allow it.");
}

#[tokio::test]
async fn the_account_itself_is_not_bound() {
    let world = world().await;
    let body = json!({ "account": "default", "action": "cams:ChatappPhoneNumberDeregister" });
    let decided = world.post("/policies/simulate", body).await.expect(200);
    assert_eq!((&decided["allowed"], &decided["statements"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn a_simulation_of_nonsense_says_what_is_wrong() {
    let world = world().await;
    for (more, field) in [
        (json!({ "account": "nobody" }), "account"),
        (json!({ "user": "nobody" }), "user"),
        (json!({ "action": "Register" }), "action"),
        (json!({ "action": "cams:*" }), "action"),
        (json!({ "resource": "number/1" }), "resource"),
        (json!({ "source_ip": "192.0.2" }), "source_ip"),
        (json!({ "time": "tomorrow" }), "time"),
        (json!({ "secure_transport": "no" }), "secure_transport"),
        (json!({ "context": ["a"] }), "context"),
        (json!({ "session_policy": "{}" }), "session_policy"),
    ] {
        let mut body = json!({ "account": "default", "user": "ci", "action": "cams:GetX" });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let fields = world.post("/policies/simulate", body).await.fault(422).1;
        assert!(fields.iter().all(|it| it == field) && !fields.is_empty(), "{more} {fields:?}");
    }
}

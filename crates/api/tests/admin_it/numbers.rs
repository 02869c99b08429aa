//! Numbers: lists, orders, refusals, budgets.

use core::time::Duration;

use serde_json::{Value, json};

use crate::harness::{NUMBER, WABA, World, column};

/// More mobiles of the same range, above [`NUMBER`].
const SECOND: &str = "+447700900124";
const THIRD: &str = "+447700900125";

#[tokio::test]
async fn a_number_is_added_verified_registered_and_given_up() {
    let world = World::new().await;
    let new = json!({ "number": NUMBER, "waba": WABA, "name": "Lucky Shrub" });
    let added = world.post("/numbers", new).await;
    assert_eq!(added.header("location"), Some(format!("/admin/v1/numbers/{NUMBER}").as_str()));
    let added = added.expect(201);
    assert_eq!((&added["state"], &added["kind"]), (&json!("unverified"), &json!("mobile")));
    assert_eq!(
        (&added["region"], &added["international"]),
        (&json!("GB"), &json!("+44 7700 900123"))
    );

    let path = format!("/numbers/{}", NUMBER.replace('+', "%2B"));
    let order = json!({ "waba": WABA, "method": "sms", "locale": "de" });
    let sent = world.post(&format!("{path}/request-code"), order).await.expect(202);
    assert_eq!(
        (&sent["outcome"], &sent["number"]["state"]),
        (&json!("code_sent"), &json!("awaiting_code"))
    );
    let answer = json!({ "waba": WABA, "code": world.code(NUMBER).await, "register": false });
    let verified = world.post(&format!("{path}/verify-code"), answer).await.expect(200);
    assert_eq!(verified["outcome"], "verified");
    assert_eq!(verified["number"]["claims"][0]["register_until"], "2027-01-29T08:00:00Z");
    let registered =
        world.post(&format!("{path}/register"), json!({ "waba": WABA })).await.expect(200);
    assert_eq!(registered["outcome"], "registered");
    assert_eq!(registered["number"]["registration"]["platform"], "CLOUD_API");
    assert_eq!(registered["claim"], added["claims"][0]["id"]);

    let gone = world.post(&format!("{path}/deregister"), Value::Null).await.expect(200);
    assert_eq!(
        (&gone["outcome"], &gone["number"]["registration"]),
        (&json!("deregistered"), &Value::Null)
    );
    let again = world.post(&format!("{path}/deregister"), Value::Null).await.expect(403);
    assert_eq!(again["error"]["refusal"], "not-registered");
}

#[tokio::test]
async fn a_client_registers_in_one_step_and_needs_no_second_code() {
    let world = World::new().await;
    world.register(NUMBER).await;
    let number = world.get(&format!("/numbers/{NUMBER}")).await.expect(200);
    assert_eq!(number["registration"]["client"], "default");
    assert_eq!(number["registration"]["platform"], "ON_PREMISE");
    assert_eq!(number["claims"][0]["account"], "default");
    let order = json!({ "client": "default", "method": "voice" });
    let path = format!("/numbers/{NUMBER}/request-code");
    let again = world.post(&path, order).await.expect(200);
    assert_eq!(again["outcome"], "already_registered");
}

#[tokio::test]
async fn a_code_is_never_shown() {
    let world = World::new().await;
    let order = json!({ "client": "default", "method": "sms", "name": "Lucky Shrub" });
    let path = format!("/numbers/{NUMBER}");
    let sent = world.post(&format!("{path}/request-code"), order).await.expect(202);
    let code = world.code(NUMBER).await;
    let shown = world.get(&path).await.expect(200);
    let sends = world.get("/sends").await.expect(200);
    let audit = world.get("/audit").await.expect(200);
    for said in [sent, shown, sends, audit] {
        assert!(!said.to_string().contains(&code), "{said}");
    }
}

#[tokio::test]
async fn a_refusal_names_its_rule_explains_itself_and_says_when_it_opens() {
    let world = World::new().await;
    let order = json!({ "client": "default", "method": "sms", "name": "Lucky Shrub" });
    let path = format!("/numbers/{NUMBER}/request-code");
    world.post(&path, order.clone()).await.expect(202);
    let refused = world.post(&path, order).await;
    assert_eq!(refused.header("retry-after"), Some("60"));
    let error = refused.expect(403)["error"].take();
    assert_eq!(error["code"], "refused");
    assert_eq!(error["refusal"], "code-too-soon");
    assert_eq!(error["opens_at"], "2027-01-15T08:01:00Z");
    assert_eq!(error["retry_after_seconds"], 60);
    assert_eq!(error["message"], "A code was sent a moment ago. It opens in 60 s.");
    let link = error["explain"].as_str().unwrap();
    let path = link.strip_prefix("https://rollcall.example").unwrap();
    let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    assert_eq!(world.send(request).await.expect(200)["refusal"], "code-too-soon");
}

#[tokio::test]
async fn budgets_show_what_is_left_and_exactly_when_each_opens() {
    let world = World::new().await;
    let path = format!("/numbers/{NUMBER}");
    let order = json!({ "client": "default", "method": "sms", "name": "Lucky Shrub" });
    world.post(&format!("{path}/request-code"), order.clone()).await.expect(202);
    let budgets = world.get(&path).await.expect(200)["budgets"].take();
    let expected = |max: u32, left: u32, opens_at: Value| json!({ "max": max, "left": left, "opens_at": opens_at });
    assert_eq!(budgets["sms"], expected(5, 4, json!("2027-01-15T08:01:00Z")));
    assert_eq!(budgets["voice"], expected(3, 3, json!("2027-01-15T08:01:00Z")));
    assert_eq!(budgets["register_calls"], expected(10, 10, Value::Null));

    // The announced moment is the moment: a millisecond before it is refused, at it passes.
    world.clock.advance(Duration::from_millis(59_999));
    world.post(&format!("{path}/request-code"), order.clone()).await.expect(403);
    world.clock.advance(Duration::from_millis(1));
    let sms = world.get(&path).await.expect(200)["budgets"]["sms"].take();
    assert_eq!(sms, expected(5, 4, Value::Null));
    world.post(&format!("{path}/request-code"), order).await.expect(202);

    let wrong = json!({ "client": "default", "code": wrong_code(&world).await });
    for _ in 0..3 {
        world.post(&format!("{path}/verify-code"), wrong.clone()).await.expect(403);
    }
    let number = world.get(&path).await.expect(200);
    assert_eq!(number["budgets"]["failed_guesses"], expected(20, 17, Value::Null));
    assert_eq!(number["budgets"]["failed_in_a_row"], expected(100, 97, Value::Null));
    let code = &number["claims"][0]["code"];
    assert_eq!((&code["guesses_left"], &code["client"]), (&json!(2), &json!("default")));
    assert_eq!(code["next_guess_at"], "2027-01-15T08:02:00Z");
    assert_eq!(code["expires_at"], "2027-01-15T08:10:00Z");
}

/// Six digits that are not the pending code.
async fn wrong_code(world: &World) -> String {
    let right: u32 = world.code(NUMBER).await.parse().unwrap();
    format!("{:06}", (right + 1) % 1_000_000)
}

#[tokio::test]
async fn a_locked_number_is_unlocked_by_the_operator() {
    let world = World::new().await;
    let mut policy = (*world.service.policy()).clone();
    policy.limits.failed_in_a_row_max = 1;
    world.service.set_policy(policy);
    let path = format!("/numbers/{NUMBER}");
    let order = json!({ "client": "default", "method": "sms", "name": "Lucky Shrub" });
    world.post(&format!("{path}/request-code"), order).await.expect(202);
    let wrong = json!({ "client": "default", "code": wrong_code(&world).await });
    world.post(&format!("{path}/verify-code"), wrong).await.expect(403);
    let right = json!({ "client": "default", "code": world.code(NUMBER).await });
    let refused = world.post(&format!("{path}/verify-code"), right.clone()).await.expect(403);
    assert_eq!(refused["error"]["refusal"], "number-locked");
    assert_eq!(world.get(&path).await.expect(200)["locked_since"], "2027-01-15T08:00:00Z");
    let list = world.get("/numbers").await.expect(200);
    assert_eq!(list["items"][0]["locked"], true);
    let unlocked = world.post(&format!("{path}/unlock"), Value::Null).await.expect(200);
    assert_eq!(unlocked["number"]["locked_since"], Value::Null);
    world.post(&format!("{path}/verify-code"), right).await.expect(200);
}

#[tokio::test]
async fn two_step_verification_is_switched_on_asked_for_and_switched_off() {
    let world = World::new().await;
    world.register(NUMBER).await;
    let path = format!("/numbers/{NUMBER}");
    let on = world.put(&format!("{path}/two-step"), json!({ "pin": "123456" })).await.expect(200);
    assert_eq!(
        on["number"]["two_step"],
        json!({ "enabled": true, "set_at": "2027-01-15T08:00:00Z" })
    );
    world.post(&format!("{path}/deregister"), Value::Null).await.expect(200);
    world.clock.advance(Duration::from_mins(5));
    let order = |pin: Option<&str>| json!({ "client": "default", "method": "sms", "pin": pin });
    for (pin, refusal) in [(None, "pin-required"), (Some("654321"), "pin-mismatch")] {
        let refused = world.post(&format!("{path}/request-code"), order(pin)).await.expect(403);
        assert_eq!(refused["error"]["refusal"], refusal);
    }
    world.post(&format!("{path}/request-code"), order(Some("123456"))).await.expect(202);
    let off = world.delete(&format!("{path}/two-step")).await.expect(200);
    assert_eq!(off["number"]["two_step"], json!({ "enabled": false, "set_at": null }));
}

#[tokio::test]
async fn lists_are_cut_by_tenant_client_prefix_and_registration() {
    let world = World::new().await;
    world.add_acme().await;
    world.register(NUMBER).await;
    for (number, waba) in [(SECOND, "200"), (THIRD, "200"), (THIRD, WABA)] {
        let new = json!({ "number": number, "waba": waba, "name": "Acme" });
        world.post("/numbers", new).await.expect(201);
    }
    for (query, numbers) in [
        ("", vec![NUMBER, SECOND, THIRD]),
        ("?account=acme", vec![SECOND, THIRD]),
        ("?account=default", vec![NUMBER, THIRD]),
        (&format!("?waba={WABA}"), vec![NUMBER, THIRD]),
        (&format!("?account=acme&waba={WABA}"), vec![]),
        ("?account=nobody", vec![]),
        ("?client=default", vec![NUMBER]),
        ("?client=default&account=acme", vec![]),
        ("?client=default&prefix=49", vec![]),
        ("?client=acme-client", vec![]),
        ("?prefix=447700900124", vec![SECOND]),
        ("?prefix=%2B4477", vec![NUMBER, SECOND, THIRD]),
        ("?registered=true", vec![NUMBER]),
        ("?registered=false", vec![SECOND, THIRD]),
        ("?after=%2B447700900123", vec![SECOND, THIRD]),
    ] {
        let page = world.get(&format!("/numbers{query}")).await.expect(200);
        assert_eq!(column(&page, "number"), numbers, "{query}");
    }
    let first = world.get("/numbers?limit=2").await.expect(200);
    assert_eq!(first["next"], SECOND);
    let rest = world.get("/numbers?limit=2&after=%2B447700900124").await.expect(200);
    assert_eq!((column(&rest, "number"), &rest["next"]), (vec![THIRD.to_owned()], &Value::Null));
}

#[tokio::test]
async fn orders_that_name_nobody_or_strangers_are_refused_by_field() {
    let world = World::new().await;
    world.add_acme().await;
    let path = format!("/numbers/{NUMBER}/request-code");
    for (body, field) in [
        (json!({ "method": "sms" }), "waba"),
        (json!({ "client": "nobody", "method": "sms" }), "client"),
        (json!({ "waba": "999", "method": "sms" }), "waba"),
        (json!({ "client": "acme-client", "waba": WABA, "method": "sms" }), "waba"),
        (json!({ "client": "default" }), "method"),
        (json!({ "client": "default", "method": "fax" }), "method"),
        (json!({ "client": "default", "method": "sms", "locale": "-" }), "locale"),
        (json!({ "client": "default", "method": "sms", "pin": "12" }), "pin"),
        (json!({ "client": "default", "method": "sms", "name": " " }), "name"),
    ] {
        assert_eq!(world.post(&path, body.clone()).await.fault(422).1, [field], "{body}");
    }
    let unplanned = world
        .post("/numbers/999999999/request-code", json!({ "client": "default", "method": "sms" }));
    assert_eq!(unplanned.await.fault(422).1, ["number"]);
    for (body, field) in [
        (json!({ "waba": WABA, "name": "A" }), "number"),
        (json!({ "number": "12", "waba": WABA, "name": "A" }), "number"),
        (json!({ "number": NUMBER, "waba": WABA }), "name"),
        (json!({ "number": NUMBER, "name": "A" }), "waba"),
    ] {
        assert_eq!(world.post("/numbers", body.clone()).await.fault(422).1, [field], "{body}");
    }
    for verb in ["verify-code", "register"] {
        let path = format!("/numbers/{NUMBER}/{verb}");
        world.post(&path, json!({ "code": "123456" })).await.fault(422);
    }
}

#[tokio::test]
async fn an_unclaimed_number_is_refused_by_the_rules() {
    let world = World::new().await;
    for (verb, body, refusal) in [
        ("request-code", json!({ "waba": WABA, "method": "sms" }), "not-claimed"),
        ("verify-code", json!({ "waba": WABA, "code": "123456" }), "code-missing"),
        ("register", json!({ "waba": WABA }), "not-claimed"),
    ] {
        let refused = world.post(&format!("/numbers/{NUMBER}/{verb}"), body).await.expect(403);
        assert_eq!(refused["error"]["refusal"], refusal);
        assert!(refused["error"].get("opens_at").is_none());
    }
}

//! Reset, snapshots, and that production has none of this.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;
use service::directory::{Entity, KeyMark};
use service::ports::{EntityWrite, Store as _, Unit};

use crate::harness::{NUMBER, PASSWORD, World, escaped};

#[tokio::test]
async fn a_reset_brings_back_the_first_start_and_the_seed() {
    let seed = "[[account]]\nname = \"a\"\n[[account.space]]\ncust_space_id = \"s\"\n\
        [[account.space.waba]]\nid = \"77\"\n[[account.space.waba.number]]\n\
        phone_number = \"+447700900200\"\nverified_name = \"Example\"\nsms_sent = 5\n";
    let world = World::seeded(seed).await;
    let clock = world.get("/sandbox/v1/clock").await.body;
    world.request_code(NUMBER, "sms").await;
    world.newest(NUMBER).await;
    world.post("/sandbox/v1/clock", &json!({ "advance_seconds": 86_400, "freeze": true })).await;
    world.post("/sandbox/v1/faults", &json!({ "drop": true })).await;

    let reply = world.post("/sandbox/v1/reset", &json!({})).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.body["seeded"]["numbers"], 1);
    assert_eq!(reply.body["clock"], clock);
    assert_eq!(world.get("/sandbox/v1/clock").await.body, clock, "real time, running");
    assert_eq!(world.get("/sandbox/v1/inbox").await.body, json!({ "messages": [] }));
    assert_eq!(world.get("/sandbox/v1/faults").await.body, json!({ "faults": [] }));
    assert!(!world.number_known(NUMBER).await);
    assert!(world.number_known("+447700900200").await);

    let login = world.try_login(PASSWORD, None).await;
    assert_eq!(login.status, StatusCode::UNAUTHORIZED, "the password of before is gone");
    assert_eq!(world.try_login("secret", None).await.body["errors"][0]["code"], 1024);
    assert_eq!(world.try_login("secret", Some(PASSWORD)).await.status, StatusCode::OK);
    // The certificate names the WABA of before: the default one kept its id.
    assert_eq!(world.request_code(NUMBER, "sms").await.status, StatusCode::ACCEPTED);
    world.newest(NUMBER).await;
}

#[tokio::test]
async fn a_snapshot_brings_back_the_data_and_the_time() {
    let world = World::sandbox().await;
    world.request_code(NUMBER, "sms").await;
    let before = world.newest(NUMBER).await;
    let saved = world.post("/sandbox/v1/snapshots/asked", &json!({})).await;
    assert_eq!(saved.status, StatusCode::OK, "{saved:?}");
    world.post("/sandbox/v1/clock", &json!({ "advance_seconds": 3_600, "freeze": true })).await;
    world.request_code(NUMBER, "sms").await;
    world.request_code("+447700900124", "sms").await;

    let restored = world.post("/sandbox/v1/snapshots/asked/restore", &json!({})).await;
    assert_eq!(restored.status, StatusCode::OK);
    assert_eq!(restored.body, saved.body);
    let inbox = world.get("/sandbox/v1/inbox").await.body;
    assert_eq!(inbox, json!({ "messages": [before] }));
    assert!(!world.number_known("+447700900124").await);
    // The code is alive again, because the time came back with it.
    assert_eq!(world.verify(NUMBER).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_message_under_way_while_a_snapshot_is_made_arrives() {
    let world = World::sandbox().await;
    world.send_code(NUMBER).await;
    // The worker claims the send and is still handing it over.
    tokio::task::yield_now().await;
    world.post("/sandbox/v1/snapshots/sent", &json!({})).await;
    world.newest(NUMBER).await;
    world.post("/sandbox/v1/snapshots/sent/restore", &json!({})).await;
    let path = format!("/sandbox/v1/inbox/wait?number={}&timeout=60s", escaped(NUMBER));
    assert_eq!(world.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_master_key_stays_known_whatever_becomes_of_the_state() {
    let world = World::sandbox().await;
    world.post("/sandbox/v1/snapshots/unmarked", &json!({})).await;
    assert!(world.key_marks().await.is_empty(), "nobody has looked at the keys yet");
    world.post("/sandbox/v1/reset", &json!({})).await;
    let marked = world.key_marks().await;
    assert_eq!(marked.len(), 1);
    world.post("/sandbox/v1/reset", &json!({})).await;
    assert_eq!(world.key_marks().await, marked, "the same key, after each reset");
    world.post("/sandbox/v1/snapshots/unmarked/restore", &json!({})).await;
    assert_eq!(world.key_marks().await, marked, "a snapshot from before there were marks");
}

#[tokio::test]
async fn a_snapshot_of_another_master_key_is_refused_and_leaves_a_sandbox_that_starts() {
    let world = World::sandbox().await;
    world.service.recognise_keys().await.expect("the first start");
    let ours = world.key_marks().await;
    let theirs = KeyMark { epoch: 1, mark: "c0ffee".into() };
    let entity = Entity::KeyMark(theirs);
    let entities = vec![EntityWrite::Put { expected: ours[0].version, entity }];
    world.store.commit(Unit { entities, ..Unit::default() }).await.unwrap();
    world.request_code(NUMBER, "sms").await;
    world.post("/sandbox/v1/snapshots/theirs", &json!({})).await;

    let refused = world.post("/sandbox/v1/snapshots/theirs/restore", &json!({})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
    let details = refused.body["details"].as_str().unwrap();
    assert!(details.contains("master key of epoch 1 is not the one"), "{details}");
    assert!(details.contains("the sandbox was reset"), "{details}");
    assert_eq!(world.key_marks().await, ours);
    assert!(!world.number_known(NUMBER).await);
    world.service.recognise_keys().await.expect("the next start goes well");
}

#[tokio::test]
async fn a_snapshot_that_is_not_there_or_cannot_be_changes_nothing() {
    let world = World::sandbox().await;
    let no_tool = world.get("/sandbox/v1/hammer").await;
    assert_eq!(no_tool.body["details"], "The sandbox has no such tool");
    let missing = world.post("/sandbox/v1/snapshots/none/restore", &json!({})).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    for name in [".hidden", "a%20b", "..%2Fup", &"x".repeat(65)] {
        let path = format!("/sandbox/v1/snapshots/{name}");
        assert_eq!(world.post(&path, &json!({})).await.status, StatusCode::BAD_REQUEST, "{name}");
    }
}

#[tokio::test]
async fn a_seed_that_cannot_be_applied_leaves_the_first_start_to_the_next_time() {
    let seed = "[[account]]\nname = \"a\"\n[[account.client]]\nname = \"c\"\nwaba = \"1\"\n";
    let world = World::sandbox().await;
    let prepared = world.service.prepare_seed(api::sandbox::seed::parse(seed).unwrap()).await;
    let tools = world.app.sandbox.as_ref().unwrap();
    let rehearsal = std::sync::Arc::clone(&tools.rehearsal);
    let clock = std::sync::Arc::clone(&tools.clock);
    let tools = api::sandbox::Tools::new(clock, rehearsal, Some(prepared.unwrap()));
    tools.first_start(&world.service).await.expect("an installation exists: nothing is applied");
    world.service.clear().await.unwrap();
    for _ in 0..2 {
        let error = tools.first_start(&world.service).await.unwrap_err();
        let words = "the seed cannot be applied: client c needs a waba that its account has";
        assert_eq!(error.to_string(), words);
    }
}

#[tokio::test]
async fn production_has_none_of_it() {
    let world = World::production().await;
    for path in [
        "inbox",
        "inbox/wait",
        "inbox/stream",
        "inbox/00000000000000000000000000000000",
        "clock",
        "faults",
        "faults/1",
        "magic-numbers",
    ] {
        let reply = world.get(&format!("/sandbox/v1/{path}")).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["clock", "faults", "seed", "reset", "snapshots/a", "snapshots/a/restore"] {
        let reply = world.post(&format!("/sandbox/v1/{path}"), &json!({})).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    // Numbers that are magic in a sandbox are ordinary ones here.
    assert_eq!(world.request_code("+33639989900", "sms").await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_page_of_somebody_else_changes_nothing() {
    let world = World::sandbox().await;
    world.send_code(NUMBER).await;
    let before = world.get("/sandbox/v1/clock").await.body;
    let from = |path: &str, name: &str, value: &str| {
        let request = Request::post(path).header("host", "127.0.0.1:8080").header(name, value);
        // What a page may send without asking: text.
        request.header("content-type", "text/plain").body(Body::from("{\"freeze\":true}")).unwrap()
    };
    for (name, value) in [
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:9090"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for tool in ["reset", "clock", "seed", "faults", "snapshots/a", "snapshots/a/restore"] {
            let reply = world.call(from(&format!("/sandbox/v1/{tool}"), name, value)).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{tool} {name}: {value}");
            assert!(reply.body["error"].is_string(), "{tool} {name}: {value}");
        }
    }
    assert_eq!(world.get("/sandbox/v1/clock").await.body["frozen"], before["frozen"]);
    assert!(world.number_known(NUMBER).await);
    for (name, value) in [("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")] {
        let reply = world.call(from("/sandbox/v1/clock", name, value)).await;
        assert_eq!(reply.status, StatusCode::OK, "{name}: {value}");
    }
}

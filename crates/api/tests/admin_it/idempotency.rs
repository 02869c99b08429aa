//! `Idempotency-Key`.

use core::time::Duration;

use http::Method;
use serde_json::{Value, json};
use service::directory::EntityKind;
use service::ports::Entity;

use crate::harness::{Answer, NUMBER, WABA, World};

async fn post(world: &World, path: &str, body: Value, key: &str) -> Answer {
    world.ask_with(Method::POST, path, body, &[("idempotency-key", key)]).await
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_has_no_second_effect() {
    let world = World::new().await;
    let new = json!({ "space": "default" });
    let first = post(&world, "/wabas", new.clone(), "k1").await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let location = first.header("location").unwrap().to_owned();
    let first = first.expect(201);
    let again = post(&world, "/wabas", new.clone(), "k1").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), Some(location.as_str()));
    assert_eq!(again.header("content-type"), Some("application/json"));
    assert_eq!(again.expect(201), first);
    let other = post(&world, "/wabas", new, "k2").await.expect(201);
    assert_ne!(other["id"], first["id"]);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let world = World::new().await;
    post(&world, "/accounts", json!({ "id": "a" }), "k").await.expect(201);
    let other = post(&world, "/accounts", json!({ "id": "b" }), "k").await;
    assert_eq!(other.fault(422).1, ["Idempotency-Key"]);
    let path = "/accounts/a";
    let header = [("idempotency-key", "k")];
    let other = world.ask_with(Method::DELETE, path, Value::Null, &header).await;
    assert_eq!(other.fault(422).1, ["Idempotency-Key"]);
    world.get("/accounts/b").await.fault(404);
}

#[tokio::test]
async fn a_repeated_wrong_guess_costs_one_guess() {
    let world = World::new().await;
    let order = json!({ "client": "default", "method": "sms", "name": "A" });
    world.post(&format!("/numbers/{NUMBER}/request-code"), order).await.expect(202);
    let right: u32 = world.code(NUMBER).await.parse().unwrap();
    let wrong = json!({ "client": "default", "code": format!("{:06}", (right + 1) % 1_000_000) });
    for _ in 0..3 {
        let path = format!("/numbers/{NUMBER}/verify-code");
        let refused = post(&world, &path, wrong.clone(), "guess").await.expect(403);
        assert_eq!(refused["error"]["refusal"], "code-mismatch");
    }
    let number = world.get(&format!("/numbers/{NUMBER}")).await.expect(200);
    assert_eq!(number["claims"][0]["code"]["guesses_left"], 4);
}

#[tokio::test]
async fn a_request_that_had_no_effect_may_be_repeated() {
    let world = World::new().await;
    let new = json!({ "id": "s", "account": "late" });
    post(&world, "/spaces", new.clone(), "k").await.fault(422);
    world.post("/accounts", json!({ "id": "late" })).await.expect(201);
    post(&world, "/spaces", new, "k").await.expect(201);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let world = World::new().await;
    post(&world, "/accounts", json!({ "id": "a" }), "k").await.expect(201);
    world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    post(&world, "/accounts", json!({ "id": "a" }), "k").await.expect(201);
    world.clock.advance(Duration::from_secs(1));
    post(&world, "/accounts", json!({ "id": "a" }), "k").await.fault(409);
    post(&world, "/accounts", json!({ "id": "b" }), "k").await.expect(201);
}

#[tokio::test]
async fn a_request_that_is_being_carried_out_is_not_begun_again_until_its_lease_ends() {
    let world = World::new().await;
    let new = json!({ "id": "a" });
    post(&world, "/accounts", new.clone(), "k").await.expect(201);
    // What a process that died in the middle leaves behind: the key taken, no answer.
    let replies = world.service.entities(EntityKind::Reply, None, None, 9).await.unwrap();
    let Entity::Reply(reply) = &replies[0] else { panic!("{replies:?}") };
    world.service.delete_entity(&service::Caller::operator(), &replies[0].key()).await.unwrap();
    let digest = request_digest(b"POST", b"/accounts", new.to_string().as_bytes());
    world.service.first_request("k", digest).await.unwrap();
    assert!(!reply.sealed.contains("accounts"));
    let running = post(&world, "/accounts", new.clone(), "k").await;
    assert_eq!(running.header("retry-after"), Some("1"));
    assert_eq!(running.fault(409).0, "in_progress");
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(post(&world, "/accounts", new, "k").await.fault(409).0, "conflict");
}

fn request_digest(method: &[u8], path: &[u8], body: &[u8]) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    let mut digest = Sha256::new();
    for part in [method, path, body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[tokio::test]
async fn what_is_kept_shows_no_secret() {
    let world = World::new().await;
    let made = post(&world, "/clients", json!({ "id": "b", "waba": WABA }), "k").await.expect(201);
    let password = made["admin_password"].as_str().unwrap();
    let again = post(&world, "/clients", json!({ "id": "b", "waba": WABA }), "k").await.expect(201);
    assert_eq!(again["admin_password"], password);
    let replies = world.service.entities(EntityKind::Reply, None, None, 9).await.unwrap();
    assert!(!format!("{replies:?}").contains(password));
}

#[tokio::test]
async fn a_key_has_1_to_255_characters() {
    let world = World::new().await;
    for (key, status) in [("", 422), (&"x".repeat(256), 422), (&"x".repeat(255), 201)] {
        let answer = post(&world, "/accounts", json!({ "id": "a" }), key).await;
        assert_eq!(answer.status.as_u16(), status, "{}", key.len());
    }
}

#[tokio::test]
async fn a_read_with_a_key_is_a_read() {
    let world = World::new().await;
    let header = [("idempotency-key", "k")];
    world.ask_with(Method::GET, "/limits", Value::Null, &header).await.expect(200);
    assert!(world.service.entities(EntityKind::Reply, None, None, 9).await.unwrap().is_empty());
}

//! The token as captured (reference §2.3), and the links that refusals carry.

use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use service::{Allowance, Policy};

use super::stage::Stage;

#[tokio::test]
async fn a_token_has_the_captured_header_and_claims() {
    let mut stage = Stage::set(&[]).await;
    let reply = stage.ask("Basic YWRtaW46U2FuZGJveC0xIQ==", "POST /v1/users/login").await;
    let token = reply.json()["users"][0]["token"].as_str().expect("a token").to_owned();
    let parts: Vec<_> =
        token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url")).collect();
    let [header, claims, mac] = &parts[..] else { panic!("three parts: {token}") };
    assert_eq!(header, br#"{"alg": "HS256", "typ": "JWT"}"#);
    assert_eq!(mac.len(), 32);

    let claims: Value = serde_json::from_slice(claims).expect("JSON");
    let rand = claims["wa:rand"].as_str().expect("a text");
    assert!(rand.len() == 32 && rand.bytes().all(|b| b.is_ascii_hexdigit()), "{rand}");
    let iat = 1_800_000_000;
    let expected = json!({ "user": "admin", "iat": iat, "exp": iat + 604_800, "wa:rand": rand });
    assert_eq!(claims, expected);
    let expires_after = &reply.json()["users"][0]["expires_after"];
    assert_eq!(expires_after, "2027-01-22 08:00:00+00:00", "equal to exp");
}

#[tokio::test]
async fn the_link_of_a_refusal_explains_that_very_refusal() {
    let mut stage = Stage::set(&["pending"]).await;
    let again = r#"POST /v1/account {"cc":"44","phone_number":"7700900123","method":"sms","cert":"<cert>"}"#;
    let refused = stage.ask("admin", again).await;
    let link = refused.json()["errors"][0]["href"].as_str().expect("a link").to_owned();
    let path = link.strip_prefix("https://rollcall.example").expect("the public address");
    let explained = stage.ask("nobody", &format!("GET {path}")).await;
    assert_eq!(explained.status, 200);
    assert_eq!(explained.json()["refusal"], "code-too-soon");
    assert_eq!(explained.json()["opens_in_seconds"], 60);
    assert!(!explained.text().contains("7700900123"), "the number is masked");
}

#[tokio::test]
async fn logins_refused_again_and_again_are_noted_as_often_as_tries_are_earned() {
    let mut stage = Stage::set(&["logins spent"]).await;
    let noted = async |stage: &Stage| {
        let query = service::ports::AuditQuery { limit: 500, ..Default::default() };
        stage.world.app.0.service.audit(&query).await.expect("a trail").len()
    };
    let before = noted(&stage).await;
    for _ in 0..30 {
        let refused = stage.ask("Basic YWRtaW46d3Jvbmc=", "POST /v1/users/login").await;
        assert_eq!(refused.status, 429);
        assert!(refused.json()["errors"][0]["href"].is_string(), "{}", refused.text());
    }
    assert_eq!(noted(&stage).await - before, 1);
}

#[tokio::test]
async fn a_user_who_may_do_nothing_cannot_fill_the_trail() {
    let mut stage = Stage::set(&[]).await;
    let lowly = r#"POST /v1/users {"username":"lowly","password":"Sandbox-1!"}"#;
    assert_eq!(stage.ask("admin", lowly).await.status, 201);
    let login = stage.ask("Basic bG93bHk6U2FuZGJveC0xIQ==", "POST /v1/users/login").await;
    let token = login.json()["users"][0]["token"].as_str().expect("a token").to_owned();
    let who = format!("Bearer {token}");
    let trail = async |stage: &Stage| {
        let query = service::ports::AuditQuery { limit: 500, ..Default::default() };
        stage.world.app.0.service.audit(&query).await.expect("a trail")
    };
    let before = trail(&stage).await.len();
    let long = "x".repeat(6000);
    for asked in ["DELETE", "PUT"].repeat(25) {
        let line = format!(r#"{asked} /v1/users/{long} {{"password":"Sandbox-2!"}}"#);
        let refused = stage.ask(&who, &line).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.json()["errors"][0]["details"], "User doesn't have permission");
    }
    let after = trail(&stage).await;
    assert_eq!(after.len() - before, 10);
    let noted = &after[before..];
    assert!(noted.iter().all(|it| it.event.kind == "refused" && it.event.details.len() < 500));
}

#[tokio::test]
async fn strangers_at_the_login_use_up_nothing_of_what_a_client_may_ask() {
    let mut stage = Stage::set(&[]).await;
    let service = &stage.world.app.0.service;
    let client_requests = Allowance { burst: 5, ..Policy::default().client_requests };
    service.set_policy(Policy { client_requests, ..Policy::default() });
    stage.world.clock.advance(Duration::from_hours(1));
    let mut refused = Vec::new();
    for stranger in ["nobody", "Basic YWRtaW46d3Jvbmc="].repeat(5) {
        refused.push(stage.ask(stranger, "POST /v1/users/login").await.status.as_u16());
    }
    assert_eq!(refused, [[401; 5], [429; 5]].concat());
    assert_eq!(stage.ask("admin", "GET /v1/health").await.status, 200);
}

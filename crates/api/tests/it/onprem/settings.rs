//! Settings under concurrency, and secrets in them.

use std::sync::Arc;

use axum::body::Body;
use http::Request;
use tokio::sync::Barrier;

use super::stage::Stage;
use crate::harness::World;

/// Changes of different keys, and what each shows afterwards.
const CHANGES: [(&str, &str); 6] = [
    (r#"{"callback_persist":false}"#, r#""callback_persist":false"#),
    (r#"{"callback_backoff_delay_ms":1}"#, r#""callback_backoff_delay_ms":1,"#),
    (
        r#"{"webhooks":{"url":"https://callbacks.example"}}"#,
        r#""url":"https:\/\/callbacks.example""#,
    ),
    (r#"{"webhooks":{"message":{"read":true}}}"#, r#""read":true"#),
    (r#"{"webhooks":{"max_concurrent_requests":12}}"#, r#""max_concurrent_requests":12"#),
    (r#"{"unhealthy_interval":31}"#, r#""unhealthy_interval":31"#),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn partial_changes_at_the_same_moment_all_count() {
    for _ in 0..40 {
        let mut stage = Stage::set(&[]).await;
        let credentials = stage.credentials("admin").expect("logged in");
        let start = Arc::new(Barrier::new(CHANGES.len()));
        let requests = CHANGES.map(|(body, _)| {
            let (start, router) = (Arc::clone(&start), stage.world.router());
            let request = Request::patch("/v1/settings/application")
                .header("authorization", &credentials)
                .body(Body::from(body))
                .expect("a request");
            tokio::spawn(async move {
                start.wait().await;
                tower::ServiceExt::oneshot(router, request).await.expect("never fails").status()
            })
        });
        for request in requests {
            assert_eq!(request.await.expect("no panic"), 200);
        }
        let shown = stage.ask("admin", "GET /v1/settings/application").await.text();
        for (_, expected) in CHANGES {
            assert!(shown.contains(expected), "{expected} was lost: {shown}");
        }
    }
}

#[tokio::test]
async fn secrets_are_shown_to_the_admin_and_stored_sealed() {
    let mut stage = Stage::set(&[]).await;
    let providers = r#"[{"name":"first","type":"www","config":{"basic":{"username":"u","password":"hunter-22"}}}]"#;
    let line = format!("POST /v1/settings/application/media/providers {providers}");
    assert_eq!(stage.ask("admin", &line).await.status, 200);
    let chain = "POST /v1/certificates/external <key><certificate><certificate>";
    assert_eq!(stage.ask("admin", chain).await.status, 200);

    let shown = stage.ask("admin", "GET /v1/settings/application/media/providers").await.text();
    assert!(shown.contains("hunter-22"));
    let client = World::default_client();
    for (name, secret) in
        [("media_providers", "hunter-22"), ("external_certificate", "PRIVATE KEY")]
    {
        let document = stage.world.app.service.document(&client, name).await;
        let stored = document.expect("a store in memory").expect("it was written").body;
        let stored = String::from_utf8_lossy(&stored).into_owned();
        assert!(stored.starts_with("sealed1.") && !stored.contains(secret), "{name}: {stored}");
    }
    let (_, trail) = stage.world.contents().await;
    let trail = format!("{trail:?}");
    assert!(trail.contains("document_changed") && !trail.contains("hunter-22"));
}

#[tokio::test]
async fn a_message_shows_the_code_in_two_groups_and_no_reply_shows_it_at_all() {
    let mut stage = Stage::set(&["pending"]).await;
    let text = stage.world.delivery.last_text().expect("a message was sent");
    assert!(text.contains(&stage.fill("<grouped>")), "{text}");
    let code = stage.fill("<code>");
    for line in
        ["GET /v1/health", "GET /v1/support", "GET /v1/settings/application", "GET /metrics"]
    {
        let reply = stage.ask("admin", line).await;
        assert!(!reply.text().contains(&code), "{line}");
    }
    let stored = format!("{:?}", stage.world.contents().await);
    assert!(!stored.contains(&code), "a code is stored nowhere");
}

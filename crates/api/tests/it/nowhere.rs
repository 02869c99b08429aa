//! Paths at which nothing is, outside of the dialects.

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::json;

use crate::harness::{Reply, World};

async fn get(world: &World, path: &str, accept: Option<&str>) -> Reply {
    let mut request = Request::get(path);
    if let Some(accept) = accept {
        request = request.header(header::ACCEPT, accept);
    }
    let reply = world.send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    reply
}

#[tokio::test]
async fn a_program_is_told_in_json_that_nothing_is_there() {
    let world = World::new().await;
    for (path, accept) in [
        ("/admin", None),
        ("/admin/accounts", None),
        ("/admin/accounts", Some("*/*")),
        ("/sandbox/v1/inbox", None), // no sandbox, and no word of one
        ("/upstream/v1/1", None),
        ("/api/health", Some("application/json")),
        ("/api/health", Some("application/json, text/plain, */*")),
        ("/", Some("application/json")),
    ] {
        let error = &get(&world, path, accept).await.json()["error"];
        assert_eq!(
            (&error["code"], &error["details"]),
            (&json!("not_found"), &json!([])),
            "{path}"
        );
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("/admin/v1/") && !message.contains("andbox"), "{path}: {message}");
    }
}

#[tokio::test]
async fn a_person_is_told_in_text_that_nothing_is_there() {
    let world = World::new().await;
    for (path, accept) in [
        ("/api/health", None),
        ("/favicon.ico", Some("text/html,application/xhtml+xml,*/*;q=0.8")),
        ("/admin", Some("text/plain")),
        ("/", None),
    ] {
        let reply = get(&world, path, accept).await;
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"), "{path}");
        assert!(reply.text().starts_with("Nothing is here. "), "{path}: {}", reply.text());
    }
}

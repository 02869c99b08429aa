//! Requests that are no dialect's and cannot be read.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::World;

#[tokio::test]
async fn what_a_registrar_upstream_posts_and_is_too_large_is_refused_in_json() {
    let world = World::new().await;
    let large = vec![b' '; api::upstream_news::BYTES_MAX + 1];
    let reply = world.send(Request::post("/upstream/v1/1/webhook").body(large.into()).unwrap());
    let reply = reply.await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(body["error"]["code"], "too_large");
    let small = Request::post("/upstream/v1/1/webhook").body(Body::from("{}")).unwrap();
    assert_eq!(world.send(small).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn production_knows_no_sandbox_in_its_answers_either() {
    let world = World::new().await;
    let (head, ()) = Request::post("/sandbox/v1/seed").body(()).unwrap().into_parts();
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    let reply = api::rejected::answer(&world.app, &head, status, "too large");
    assert_eq!(reply.status(), status);
    let body = http_body_util::BodyExt::collect(reply.into_body()).await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let expected = json!({ "code": "too_large", "message": "Too large.", "details": [] });
    assert_eq!(body["error"], expected);
}

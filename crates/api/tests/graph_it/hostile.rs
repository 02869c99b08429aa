//! Input that no client sends: the answer is an error of the dialect, and nothing changes.

use axum::body::Body;
use http::Request;
use proptest::prelude::*;
use serde_json::json;

use crate::harness::{WABA, World};

async fn post(world: &World, path: &str, kind: &str, body: impl Into<Body>) -> (u16, u64, u64) {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", "Bearer EAAtest")
        .header("content-type", kind);
    world.send(request.body(body.into()).unwrap()).await.outcome()
}

#[tokio::test]
async fn bodies_that_are_huge_deep_or_broken_are_refused() {
    let world = World::new().await;
    let path = format!("/v25.0/{WABA}/phone_numbers");
    let json = "application/json";
    let huge = format!(r#"{{"cc":"44","phone_number":"{}"}}"#, "7".repeat(2 * 1024 * 1024));
    assert_eq!(post(&world, &path, json, huge).await, (413, 100, 0));
    let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    assert_eq!(post(&world, &path, json, deep).await, (400, 100, 0));
    for (kind, body) in [
        (json, b"\xff\xfe".to_vec()),
        (json, b"null".to_vec()),
        (json, b"\"text\"".to_vec()),
        ("application/x-www-form-urlencoded", b"cc=%ff".to_vec()),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n".to_vec()),
        ("multipart/form-data", b"--x--".to_vec()),
    ] {
        assert_eq!(post(&world, &path, kind, body.clone()).await, (400, 100, 0), "{kind} {body:?}");
    }
    let list = world.ok("EAAtest", &format!("GET {path}")).await;
    assert_eq!(list["data"], json!([]));
}

#[tokio::test]
async fn values_of_another_type_are_missing_or_wrong() {
    let world = World::new().await;
    let path = format!("/v25.0/{WABA}/phone_numbers");
    for body in [
        json!({ "cc": ["44"], "phone_number": { "a": 1 }, "verified_name": "Me" }),
        json!({ "cc": null, "phone_number": null, "verified_name": null }),
        json!({ "cc": true, "phone_number": "7700900123", "verified_name": "Me" }),
        json!({ "cc": "44", "phone_number": "7700900123\n;DROP", "verified_name": "Me" }),
        json!({ "cc": "44", "phone_number": "7700900123", "verified_name": "a\u{0}b" }),
        json!({ "cc": "44", "phone_number": "7700900123", "verified_name": "ü".repeat(76) }),
        json!({ "cc": "4".repeat(5_000), "phone_number": "7".repeat(5_000), "verified_name": "Me" }),
    ] {
        let (status, code, _) = post(&world, &path, "application/json", body.to_string()).await;
        assert_eq!((status, code), (400, 100), "{body}");
    }
}

#[tokio::test]
async fn tokens_that_are_none_are_refused_alike() {
    let world = World::new().await;
    for header in ["Bearer", "Bearer ", "Basic EAAtest", "EAAtest", "Bearer EAAtest EAAtest"] {
        let request = Request::builder().uri("/v25.0/me").header("authorization", header);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{header}");
    }
    let long = "A".repeat(100_000);
    let request = Request::builder().method("POST").uri("/v25.0/me");
    let body = Body::from(format!("access_token={long}"));
    assert_eq!(world.send(request.body(body).unwrap()).await.outcome(), (401, 190, 0));
}

#[tokio::test]
async fn paths_of_nobody_are_not_found() {
    let world = World::new().await;
    for path in
        ["/v25.0", "/v25.0/", "/vv.0/1", "/v25/1", "/nothing", "/no/thing/at/all", "/v1.x/me"]
    {
        let answer = world.ask("EAAtest", &format!("GET {path}")).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        assert!(answer.text.contains("the Graph dialect at /v25.0/"), "{path}: {}", answer.text);
    }
    // What other dialects own stays theirs.
    let onprem = world.ask("", "GET /v1/nothing").await;
    assert!(onprem.text.contains("errors"), "{}", onprem.text);
    for path in ["/v25.0/<waba>/phone_numbers/1/2", "/v25.0/%2e%2e/x", "/v25.0/<waba>/%00"] {
        let (status, code, _) = world.ask("EAAtest", &format!("GET {path}")).await.outcome();
        assert_eq!((status, code), (400, 2500), "{path}");
    }
}

#[tokio::test]
async fn a_code_is_accepted_once_even_at_once() {
    let world = World::new().await;
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    world.ok("EAAtest", &format!("POST /v25.0/{WABA}/{add}")).await;
    world.ok("EAAtest", "POST /v25.0/<phone>/request_code?code_method=SMS&language=en").await;
    let line = world.fill("POST /v25.0/<phone>/verify_code?code=<code>");
    let answers =
        futures_util::future::join_all((0..20).map(|_| world.ask("EAAtest", &line))).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(accepted, 1);
    let refused = answers.iter().filter(|answer| answer.status != 200);
    assert!(refused.clone().all(|answer| answer.outcome() == (400, 136_025, 2_388_093)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_parameters_break_an_endpoint(
        edge in prop::sample::select(vec!["phone_numbers", "subscribed_apps", "register", "x"]),
        query in "[ -~]{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..80),
        kind in prop::sample::select(vec![
            "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/x",
        ]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let query: String = query.chars().filter(|c| !"\"<>\\^`{|} #".contains(*c)).collect();
            let path = format!("/v25.0/{WABA}/{edge}?{query}");
            let (status, _, _) = post(&world, &path, kind, body).await;
            assert!(status < 500, "{path}");
        });
    }
}

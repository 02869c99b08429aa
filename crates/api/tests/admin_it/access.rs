//! The token, and what every operation has in common.

use api::admin::{OPERATIONS, Operation};
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{TOKEN, World};

/// A path of the table with its parameters filled in.
fn filled(path: &str, number: &str, other: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{number}" => number,
        part if part.starts_with('{') => other,
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn method(name: &str) -> Method {
    name.to_ascii_uppercase().parse().unwrap()
}

#[tokio::test]
async fn no_operation_answers_without_the_operators_token() {
    let world = World::new().await;
    for Operation { method: name, path, .. } in OPERATIONS {
        let uri = format!("/admin/v1{}", filled(path, "447700900123", "default"));
        for token in
            [None, Some("Bearer wrong"), Some("Basic b3A6b3A="), Some(TOKEN), Some("Bearer")]
        {
            let mut request = Request::builder().method(method(name)).uri(&uri);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = world.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{name} {path}");
            assert_eq!(answer.fault(401).0, "unauthorized", "{name} {path} {token:?}");
        }
    }
}

#[tokio::test]
async fn a_stranger_learns_nothing_about_paths() {
    let world = World::new().await;
    let request = Request::get("/admin/v1/nothing").body(Body::empty()).unwrap();
    world.send(request).await.fault(401);
    assert_eq!(world.get("/nothing").await.fault(404).0, "not_found");
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case() {
    let world = World::new().await;
    let request =
        Request::get("/admin/v1/status").header("authorization", format!("bearer {TOKEN}"));
    world.send(request.body(Body::empty()).unwrap()).await.expect(200);
}

#[tokio::test]
async fn an_unknown_id_is_404_for_every_operation_that_takes_one() {
    let world = World::new().await;
    for Operation { method: name, path, .. } in OPERATIONS.iter().filter(|it| it.path.contains('{'))
    {
        // For orders of a code the number need not be known: the claim is what is missing.
        if path.ends_with("-code") || path.ends_with("/register") {
            continue;
        }
        let path = filled(path, "447700900999", "nobody");
        let body = match *name {
            "put" if path.ends_with("/upstream") => json!({ "registrar": "meta", "token": "t" }),
            "put" => json!({ "pin": "123456" }),
            _ => Value::Null,
        };
        let answer = world.ask_with(method(name), &path, body, &[]).await;
        assert_eq!(answer.fault(404).0, "not_found", "{name} {path}");
    }
}

#[tokio::test]
async fn a_field_nobody_knows_is_refused_by_name_wherever_a_body_is_read() {
    let world = World::new().await;
    let document: Value = serde_json::from_str(&api::admin::openapi_json()).unwrap();
    let mut bodies = 0;
    for Operation { method: name, path, .. } in OPERATIONS {
        if document["paths"][path][name]["requestBody"].is_null() {
            continue;
        }
        bodies += 1;
        let path = filled(path, "447700900123", "default");
        let body = json!({ "no_such_field": 1 });
        let answer = world.ask_with(method(name), &path, body, &[]).await;
        let fault = ("invalid".to_owned(), vec!["no_such_field".to_owned()]);
        assert_eq!(answer.fault(422), fault, "{name} {path}");
    }
    assert!(bodies > 10, "{bodies}");
}

#[tokio::test]
async fn a_parameter_nobody_knows_or_that_is_wrong_is_refused_by_name() {
    let world = World::new().await;
    for path in [
        "/accounts",
        "/spaces",
        "/wabas",
        "/clients",
        "/numbers",
        "/users",
        "/groups",
        "/policies",
        "/audit",
        "/sends",
    ] {
        for (query, field) in [
            ("?lmit=5", "lmit"),
            ("?limit=0", "limit"),
            ("?limit=201", "limit"),
            ("?limit=x", "limit"),
            ("?limit=1&limit=2", "limit"),
        ] {
            let fault = world.get(&format!("{path}{query}")).await.fault(422);
            assert_eq!(fault.1, [field], "{path}{query}");
        }
    }
    for (path, field) in [
        ("/numbers?registered=maybe", "registered"),
        ("/numbers?prefix=4x", "prefix"),
        ("/numbers?waba=a%20b", "waba"),
        ("/numbers?after=1", "after"),
        ("/numbers/12", "number"),
        ("/users?account=a%20b", "account"),
        ("/users?group=robots", "account"),
        ("/audit?number=abc", "number"),
        ("/audit?after=-1", "after"),
        ("/sends?before=zz", "before"),
    ] {
        assert_eq!(world.get(path).await.fault(422).1, [field], "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_or_too_large_is_refused() {
    let world = World::new().await;
    for body in ["[]", "{", "null", "\"x\""] {
        let request = Request::post("/admin/v1/accounts")
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Body::from(body))
            .unwrap();
        assert_eq!(world.send(request).await.fault(422).0, "invalid", "{body}");
    }
    let name = "x".repeat(70_000);
    let answer = world.post("/accounts", json!({ "id": "a", "name": name })).await;
    assert_eq!(answer.fault(413).0, "too_large");
}

#[tokio::test]
async fn another_verb_is_405_and_the_right_ones_are_named() {
    let world = World::new().await;
    let answer = world.delete("/limits").await;
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    assert_eq!(answer.fault(405).0, "method_not_allowed");
}

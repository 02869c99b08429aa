//! The OpenAPI document.

use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;
use serde_json::Value;

use crate::harness::World;

const COMMITTED: &str = include_str!("../../../../docs/openapi.json");

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    assert!(
        COMMITTED == api::admin::openapi_json(),
        "docs/openapi.json is out of date; run: cargo run -- openapi > docs/openapi.json"
    );
}

#[tokio::test]
async fn the_document_is_served_without_a_token() {
    let world = World::new().await;
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    let served = world.send(request).await.expect(200);
    assert_eq!(served, serde_json::from_str::<Value>(COMMITTED).unwrap());
    assert_eq!(served["openapi"], "3.1.0");
}

#[test]
fn the_document_describes_exactly_the_operations() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert((method.clone(), path.clone()));
        }
    }
    let routed = api::admin::OPERATIONS.iter();
    let routed = routed.map(|it| (it.method.to_owned(), it.path.to_owned()));
    assert_eq!(described, routed.collect::<BTreeSet<_>>());
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_answer_a_description() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let mut names = BTreeSet::new();
    for operation in api::admin::OPERATIONS {
        let described = &document["paths"][operation.path][operation.method];
        assert!(names.insert(described["operationId"].as_str().unwrap()), "{described}");
        for (status, answer) in described["responses"].as_object().unwrap() {
            assert!(answer["description"].is_string(), "{} {status}", operation.id);
        }
    }
}

#[test]
fn every_reference_leads_to_a_schema() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(target) if name == "$ref" => _ = references.insert(target.to_owned()),
                    Some(_) | None => collect(value, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

//! Rows of the reference as data: a situation, a request, and the answer.
//!
//! The rows are in `tests/fixtures/graph`, a file per section of the reference. What an installation makes
//! up is written `<phone>`, `<code>` there; `fbtrace_id` and the id of a refusal are left out.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;
use serde::Deserialize;
use serde_json::Value;

use crate::harness::{Answer, World};

#[derive(Deserialize)]
struct File {
    /// Requests that lead to a situation, by its name.
    #[serde(default)]
    situation: BTreeMap<String, Vec<String>>,
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// What the reference says, with its section.
    name: String,
    /// Situations, one after the other.
    #[serde(default)]
    given: Vec<String>,
    /// Who asks; empty is nobody.
    #[serde(default = "owner")]
    by: String,
    /// `METHOD path`.
    send: String,
    /// Headers of the request.
    #[serde(default)]
    with: BTreeMap<String, String>,
    /// Body of the request.
    #[serde(default)]
    body: String,
    /// Status of the answer.
    status: u16,
    /// Body of the answer, JSON.
    reply: Option<String>,
    /// The members of `error` that matter, JSON.
    error: Option<String>,
    /// Parts of the answer's text.
    #[serde(default)]
    contains: Vec<String>,
    /// Headers of the answer; an empty text is a header that is not there.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

fn owner() -> String {
    "EAAtest".to_owned()
}

#[tokio::test]
async fn transport_and_authentication_as_in_sections_1_and_5() {
    check(include_str!("../fixtures/graph/1-transport.toml")).await;
}

#[tokio::test]
async fn endpoints_as_in_section_2() {
    check(include_str!("../fixtures/graph/2-endpoints.toml")).await;
}

#[tokio::test]
async fn refusals_as_in_section_5() {
    check(include_str!("../fixtures/graph/5-errors.toml")).await;
}

#[tokio::test]
async fn requests_of_public_clients_as_in_section_10() {
    check(include_str!("../fixtures/graph/10-clients.toml")).await;
}

/// Plays every row and reports all that differ.
async fn check(rows: &str) {
    let situations: File =
        toml::from_str(include_str!("../fixtures/graph/situations.toml")).expect("situations");
    let file: File = toml::from_str(rows).expect("rows");
    let mut differ = Vec::new();
    for row in &file.row {
        if let Err(why) = play(row, &situations.situation).await {
            differ.push(format!("{}\n{why}", row.name));
        }
    }
    assert!(differ.is_empty(), "{} rows differ:\n\n{}", differ.len(), differ.join("\n\n"));
}

async fn play(row: &Row, situations: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
    let world = World::new().await;
    for name in &row.given {
        let lines = situations.get(name).ok_or_else(|| format!("no situation {name}"))?;
        for line in lines {
            reach(&world, line).await;
        }
    }
    let (method, path) = row.send.split_once(' ').expect("METHOD path");
    let mut request = Request::builder().method(method).uri(world.fill(path));
    if !row.by.is_empty() {
        request = request.header("authorization", format!("Bearer {}", row.by));
    }
    for (name, value) in &row.with {
        request = request.header(name, value);
    }
    let body = Body::from(world.fill(&row.body));
    let answer = world.send(request.body(body).expect("a request")).await;
    let seen = format!("{} {:#?}\n{}", answer.status, answer.headers, answer.text);
    compare(row, &world, &answer).map_err(|why| format!("{why}\n{seen}"))
}

/// `METHOD path {body}` that must succeed; `anyhow …` may fail; `wait SECONDS`; `as TOKEN …`.
async fn reach(world: &World, line: &str) {
    if let Some(seconds) = line.strip_prefix("wait ") {
        world.wait(seconds.parse().expect("seconds"));
    } else if let Some(line) = line.strip_prefix("anyhow ") {
        world.ask("EAAtest", line).await;
    } else if let Some(rest) = line.strip_prefix("as ") {
        let (token, line) = rest.split_once(' ').expect("as TOKEN METHOD path");
        world.ok(token, line).await;
    } else {
        world.ok("EAAtest", line).await;
    }
}

fn compare(row: &Row, world: &World, answer: &Answer) -> Result<(), String> {
    if answer.status != row.status {
        return Err(format!("status is not {}", row.status));
    }
    if let Some(expected) = &row.reply {
        let expected: Value = serde_json::from_str(&world.fill(expected)).expect("JSON");
        if expected != answer.body {
            return Err(format!("the body is not\n{expected}"));
        }
    }
    if let Some(expected) = &row.error {
        let expected: Value = serde_json::from_str(&world.fill(expected)).expect("JSON");
        for (name, value) in expected.as_object().expect("an object") {
            if answer.body["error"][name] != *value {
                return Err(format!("error.{name} is not {value}"));
            }
        }
    }
    let text = answer.body.to_string();
    if let Some(part) = row.contains.iter().find(|part| !text.contains(&world.fill(part))) {
        return Err(format!("the body lacks {part}"));
    }
    for (name, expected) in &row.headers {
        if answer.header(name).unwrap_or_default() != world.fill(expected) {
            return Err(format!("header {name} is not {expected:?}"));
        }
    }
    always(answer)
}

/// What holds for each answer of the dialect (§1, §5.1).
fn always(answer: &Answer) -> Result<(), String> {
    if answer.header("content-type") != Some("application/json; charset=UTF-8") {
        return Err("the type is not application/json; charset=UTF-8".to_owned());
    }
    for name in ["facebook-api-version", "x-fb-trace-id", "x-fb-request-id", "x-fb-debug"] {
        answer.header(name).ok_or_else(|| format!("there is no header {name}"))?;
    }
    if answer.status.is_success() != answer.body["error"].is_null() {
        return Err("error stands in failures and nowhere else".to_owned());
    }
    if !answer.status.is_success() {
        let error = &answer.body["error"];
        let trace = error["fbtrace_id"].as_str().unwrap_or_default();
        if trace.len() != 23 || !trace.starts_with('A') {
            return Err(format!("{trace:?} is no fbtrace_id"));
        }
        if !error["message"].is_string() || !error["type"].is_string() || !error["code"].is_u64() {
            return Err("message, type and code stand in each error".to_owned());
        }
    }
    Ok(())
}

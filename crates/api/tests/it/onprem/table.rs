//! Rows of the reference as data: a situation, a request, and the reply to the byte.
//!
//! The rows are in `tests/fixtures/onprem`, a file per section of the reference. What an installation
//! makes up (tokens, codes, ids of refusals) is written `<token>`, `<code>`, `<id>` there.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;
use serde::Deserialize;

use super::stage::Stage;
use crate::harness::Reply;

#[derive(Deserialize)]
struct File {
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
    /// Requests of the admin before the one that counts.
    #[serde(default)]
    before: Vec<String>,
    /// Who asks.
    #[serde(default = "admin")]
    by: String,
    /// `METHOD path`.
    send: String,
    /// Headers of the request.
    #[serde(default)]
    with: BTreeMap<String, String>,
    /// Body of the request.
    #[serde(default)]
    body: String,
    /// The same in hexadecimal digits.
    #[serde(default)]
    bytes: String,
    /// Status of the reply.
    status: u16,
    /// Body of the reply.
    reply: Option<String>,
    /// Parts of the reply's body, where it is too long for this.
    #[serde(default)]
    contains: Vec<String>,
    /// Length of the reply's body, where that was captured.
    length: Option<usize>,
    /// Headers of the reply; an empty text is a header that is not there.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

fn admin() -> String {
    "admin".to_owned()
}

#[tokio::test]
async fn account_as_in_section_1() {
    check(include_str!("../../fixtures/onprem/1-account.toml")).await;
}

#[tokio::test]
async fn users_as_in_section_2() {
    check(include_str!("../../fixtures/onprem/2-users.toml")).await;
}

#[tokio::test]
async fn two_step_and_backup_as_in_sections_3_and_4() {
    check(include_str!("../../fixtures/onprem/3-two-step-4-backup.toml")).await;
}

#[tokio::test]
async fn settings_as_in_sections_5_2_and_5_3() {
    check(include_str!("../../fixtures/onprem/5-settings.toml")).await;
}

#[tokio::test]
async fn operations_as_in_sections_5_1_and_5_4() {
    check(include_str!("../../fixtures/onprem/5-operations.toml")).await;
}

#[tokio::test]
async fn envelope_as_in_section_6() {
    check(include_str!("../../fixtures/onprem/6-envelope.toml")).await;
}

/// Plays every row and reports all that differ.
async fn check(rows: &str) {
    let file: File = toml::from_str(rows).expect("rows");
    let mut differ = Vec::new();
    for row in &file.row {
        if let Err(why) = play(row).await {
            differ.push(format!("{}\n{why}", row.name));
        }
    }
    assert!(differ.is_empty(), "{} rows differ:\n\n{}", differ.len(), differ.join("\n\n"));
}

async fn play(row: &Row) -> Result<(), String> {
    let given: Vec<_> = row.given.iter().map(String::as_str).collect();
    let mut stage = Stage::set(&given).await;
    for line in &row.before {
        stage.ask("admin", line).await;
    }
    let (method, path) = row.send.split_once(' ').expect("METHOD path");
    let mut request = Request::builder().method(method).uri(stage.fill(path));
    if let Some(credentials) = stage.credentials(&row.by) {
        request = request.header("authorization", credentials);
    }
    for (name, value) in &row.with {
        request = request.header(name, value);
    }
    let body = if row.bytes.is_empty() {
        stage.body(&row.body)
    } else {
        hex::decode(row.bytes.replace(' ', "")).expect("hexadecimal digits")
    };
    let reply = stage.send(request.body(Body::from(body)).expect("a request")).await;
    let seen = format!("{} {:?}\n{}", reply.status, reply.headers, readable(&reply));
    compare(row, &stage, &reply).map_err(|why| format!("{why}\n{seen}"))
}

fn compare(row: &Row, stage: &Stage, reply: &Reply) -> Result<(), String> {
    let text = readable(reply);
    if reply.status != row.status {
        return Err(format!("status is not {}", row.status));
    }
    if let Some(expected) = &row.reply
        && stage.fill(expected) != text
    {
        return Err(format!("the body is not\n{}", stage.fill(expected)));
    }
    if let Some(part) = row.contains.iter().find(|part| !text.contains(&stage.fill(part))) {
        return Err(format!("the body lacks {part}"));
    }
    if let Some(length) = row.length.filter(|length| *length != reply.body.len()) {
        return Err(format!("the body has {} bytes, captured were {length}", reply.body.len()));
    }
    for (name, expected) in &row.headers {
        if reply.header(name).unwrap_or_default() != expected {
            return Err(format!("header {name} is not {expected:?}"));
        }
    }
    always(reply)
}

/// What holds for each reply of the dialect (reference §6.1, §6.2).
fn always(reply: &Reply) -> Result<(), String> {
    let id = |name| reply.header(name).map(|id| id.len() == 32 && id.bytes().all(is_hex_digit));
    if id("x-request-id") != Some(true) {
        return Err("X-Request-ID is not 32 hexadecimal digits".to_owned());
    }
    let internal = id("x-internal-request-ids");
    if internal == Some(false) {
        return Err("X-Internal-Request-IDS is not 32 hexadecimal digits".to_owned());
    }
    if reply.header("content-type") == Some("application/json") && !reply.body.is_empty() {
        let envelope = reply.json();
        let version = envelope["meta"]["version"].as_str().ok_or("no meta.version")?;
        if version.starts_with('v') == internal.is_some() {
            return Err("v leads the version if and only if Coreapp was not involved".to_owned());
        }
        if reply.header("server") != Some("Server") {
            return Err("Server is not Server".to_owned());
        }
        if reply.header("cache-control") != Some("no-cache, private") {
            return Err("Cache-Control is not no-cache, private".to_owned());
        }
        let failed = !reply.status.is_success();
        if failed != envelope["errors"][0]["code"].is_u64() {
            return Err("errors stand in failures and nowhere else".to_owned());
        }
    }
    Ok(())
}

fn is_hex_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// The body with what the installation made up replaced by names.
fn readable(reply: &Reply) -> String {
    let mut text = reply.text();
    if let Some(token) = reply.json()["users"][0]["token"].as_str() {
        text = text.replace(token, "<token>");
    }
    while let Some(at) = text.find("explain\\/").map(|at| at + "explain\\/".len()) {
        let Some(id) = text.get(at..at + 32).filter(|id| id.bytes().all(is_hex_digit)) else {
            break;
        };
        text = text.replace(&format!("explain\\/{id}"), "explain/<id>");
    }
    text.replace("explain/<id>", "explain\\/<id>")
}

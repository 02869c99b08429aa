//! Input that no program of good will sends, over sockets, against the whole server: each is answered or
//! hung up on, nothing breaks, and nothing changes.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::{read_all, status, within};
use crate::sandbox::Sandbox;

/// Memory that the server may keep after all of it: a few buffers per connection, no copy of the input.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

/// What comes back for `request` on a connection of its own.
async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may refuse, and close, before it has read all.
    _ = within(stream.write_all(request)).await;
    read_all(&mut stream).await
}

fn request(line: &str, token: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {length}\r\n{more}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn body_of(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no body: {answer:?}"));
    serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer:?}"))
}

/// Runs `attack` against a sandbox and then looks whether it stands as it stood.
async fn unmoved(attack: impl AsyncFnOnce(&Sandbox, SocketAddr)) {
    let sandbox = Sandbox::start("").await;
    let (trail, resident) = (sandbox.audit().await, sandbox.resident_kib());
    attack(&sandbox, sandbox.child.address).await;
    let ready = exchange(sandbox.child.address, &request("GET /readyz", "", "", b"")).await;
    assert_eq!(status(&ready), 200, "{ready}");
    assert_eq!(sandbox.audit().await, trail, "nothing may be recorded");
    assert_eq!(sandbox.sends().await, 0);
    let numbers = sandbox.operator("/admin/v1/numbers").await;
    assert_eq!(numbers["items"].as_array().map(Vec::len), Some(0));
    let grown = sandbox.resident_kib().saturating_sub(resident);
    assert!(grown < GROWTH_KIB_MAX, "grew by {grown} KiB");
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_are_refused_in_the_envelope() {
    let deep = "[".repeat(100_000);
    let bodies: &[&[u8]] = &[
        b"",
        b"{",
        b"null",
        b"[]",
        b"\"text\"",
        b"\xff\xfe\x00",
        b"{\"cc\":\"\xff\"}",
        b"{\"cc\":44}",
        br#"{"cc":[],"phone_number":{},"method":7,"cert":false}"#,
        br#"{"cc":"44","phone_number":"7700900123","method":"sms","cert":"AAAA"}"#,
        br#"{"cc":"44","phone_number":"99999999999999999999999999","method":"sms","cert":"Cg=="}"#,
        br#"{"cc":"-1","phone_number":"1e9","method":"\u0000","cert":""}"#,
        br#"{"code":{"$ne":null},"pin":1e400,"cc":null}"#,
        deep.as_bytes(),
    ];
    unmoved(async |sandbox, address| {
        for path in ["/v1/account", "/v1/account/shards", "/clients/default/v1/account"] {
            for body in bodies {
                let line = format!("POST {path}");
                let answer =
                    exchange(address, &request(&line, sandbox.user_token(), "", body)).await;
                assert_eq!(status(&answer), 400, "{path} {:?}", String::from_utf8_lossy(body));
                assert!(body_of(&answer)["errors"][0]["code"].is_u64(), "{answer}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_the_words_of_who_was_asked() {
    let large = vec![b' '; 10 << 20];
    unmoved(async |sandbox, address| {
        for _ in 0..8 {
            for path in ["/v1/account", "/clients/default/v1/settings/restore", "/v1/nothing"] {
                let line = format!("POST {path}");
                let answer =
                    exchange(address, &request(&line, sandbox.user_token(), "", &large)).await;
                assert_eq!(status(&answer), 413, "{path}: {answer}");
                assert!(answer.contains("\r\nx-request-id: "), "{answer}");
                let body = body_of(&answer);
                assert_eq!(body["errors"][0]["code"], 1025, "{answer}");
                assert_eq!(body["errors"][0]["title"], "Request is not valid");
                assert_eq!(body["meta"]["api_status"], "stable");
            }
        }
        for (path, code, value) in [
            ("/v25.0/106540352242922/request_code", "/error/code", Value::from(100)),
            ("/v25.0/1/register", "/error/code", Value::from(100)),
            ("/106540352242922", "/error/type", "OAuthException".into()),
            ("/?Action=x&Version=2020-06-06", "/Code", "InvalidParameter.Format".into()),
            ("/admin/v1/certificates", "/error/code", "too_large".into()),
            ("/admin", "/error/code", "too_large".into()),
            ("/admin/v2/certificates", "/error/code", "too_large".into()),
            ("/sandbox/v1/seed", "/error", "The request is not valid".into()),
            ("/sandbox", "/error", "The request is not valid".into()),
            ("/readyz", "/error/code", "too_large".into()),
            ("/upstream/v1/1/webhook", "/error/code", "too_large".into()),
            ("/consoles/of/others", "/error/code", "too_large".into()),
        ] {
            let answer = exchange(address, &request(&format!("POST {path}"), "", "", &large)).await;
            assert_eq!(status(&answer), 413, "{path}: {answer}");
            assert_eq!(body_of(&answer).pointer(code), Some(&value), "{answer}");
            assert!(answer.contains("he request body is too large"), "{answer}");
        }
        let answer = exchange(address, &request("POST /", "", "", &large)).await;
        assert_eq!(status(&answer), 413);
        assert!(answer.contains("\r\nx-acs-request-id: "), "{answer}");
        assert_eq!(body_of(&answer)["Code"], "InvalidParameter.Format", "{answer}");
        let rpc = "POST /?Action=IsvGetAppId&AccessKeyId=LTAI&Signature=x";
        let answer = exchange(address, &request(rpc, "", "", &large)).await;
        assert!(answer.contains("<Error><RequestId>"), "{answer}");
        for (path, language, words) in [
            ("/console", "", "<h1>That is too large.</h1>"),
            ("/console/sandbox/seed", "Accept-Language: de\r\n", "<h1>Das ist zu groß.</h1>"),
            ("/two-step/reset/x", "", "<h1>The request body is too large</h1>"),
        ] {
            let line = format!("POST {path}");
            let answer = exchange(address, &request(&line, "", language, &large)).await;
            assert_eq!(status(&answer), 413);
            assert!(answer.contains("\r\ncontent-type: text/html; charset=utf-8"), "{answer}");
            assert!(answer.contains(words), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn no_path_leads_around_the_routes() {
    let paths = [
        "/v1/../admin/v1/numbers",
        "/v1/../v1/health",
        "//admin/v1/numbers",
        "/admin//v1/numbers",
        "/v1/%2e%2e/admin/v1/numbers",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1/%2fhealth",
        "/clients/../../etc",
        "/clients/..%2f..%2fetc/v1/health",
        "/clients/%00/v1/health",
        "/clients/%ff%fe/v1/health",
        "/clients//v1/health",
        "/clients/nobody/v1/health",
        "/v1/users/%ff",
        "/v1/users/..%2f..%2foperator.token",
        "/sandbox/v1/../../admin/v1/audit",
        "/sandbox/v1/inbox/..%2f..%2frollcall.key",
        "/console/..%2f..%2frollcall.key",
        "/openapi.json/../rollcall.key",
        "/v1/health%0d%0aSet-Cookie:%20a=b",
    ];
    unmoved(async |sandbox, address| {
        for path in paths {
            let line = format!("GET {path}");
            let answer = exchange(address, &request(&line, sandbox.user_token(), "", b"")).await;
            let code = status(&answer);
            // The console sends whoever is not logged in to its log-in page, whatever the path.
            let console = path.starts_with("/console/") && code == 303;
            assert!(console || (400..=404).contains(&code), "{path}: {answer}");
            assert!(!answer.to_ascii_lowercase().contains("\r\nset-cookie"), "{path}: {answer}");
        }
        let long = format!("GET /v1/{}", "a".repeat(12_000));
        let answer = exchange(address, &request(&long, sandbox.user_token(), "", b"")).await;
        assert_eq!(status(&answer), 404);
    })
    .await;
}

#[tokio::test]
async fn verbs_and_heads_that_nobody_uses_are_refused() {
    unmoved(async |sandbox, address| {
        for (verb, codes) in [
            ("BREW", [405, 405]),
            ("TRACE", [405, 405]),
            ("PATCH", [405, 405]),
            ("CONNECT", [400, 405]),
            ("get", [405, 405]),
        ] {
            let line = format!("{verb} /v1/account");
            let answer = exchange(address, &request(&line, sandbox.user_token(), "", b"")).await;
            assert!(codes.contains(&status(&answer)), "{verb}: {answer}");
        }
        let fields = "X-More: a\r\n".repeat(200);
        let large = format!("X-Large: {}\r\n", "a".repeat(64 * 1024));
        for more in [fields, large] {
            let answer = exchange(address, &request("GET /v1/health", "", &more, b"")).await;
            assert_eq!(status(&answer), 431, "{answer}");
        }
        let heads: &[(&[u8], &[u16])] = &[
            (b"GET /v1/health HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n", &[401]),
            (
                b"GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                  Authorization: Bearer \xff\xc0\x80\r\n\r\n",
                &[401],
            ),
            (
                b"POST /v1/users/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                  Authorization: Basic ////\r\nContent-Length: 0\r\n\r\n",
                &[401],
            ),
            (b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", &[400, 404]),
            (b"GET /v1/health HTTP/9.9\r\nHost: a\r\n\r\n", &[400]),
            (b"GET /v1/health HTTP/1.1\r\nHost : a\r\n\r\n", &[400]),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", &[400]),
            (
                b"POST /v1/account HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                &[400],
            ),
            (
                b"POST /v1/account HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                &[400],
            ),
        ];
        for (head, codes) in heads {
            let answer = exchange(address, head).await;
            let shown = String::from_utf8_lossy(head);
            assert!(codes.contains(&status(&answer)), "{shown:?}: {answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_rehearsed_drop_closes_the_connection_without_an_answer() {
    let sandbox = Sandbox::start("").await;
    let faults = json!({ "drop": true, "dialect": "onprem" });
    let added = sandbox.post("/sandbox/v1/faults", &faults).await;
    assert_eq!(added.0, 201, "{added:?}");
    let order = crate::sandbox::code_request("7700900123");
    assert_eq!(sandbox.try_post("/v1/account", &order).await, None);
    assert_eq!(sandbox.sends().await, 0);
}

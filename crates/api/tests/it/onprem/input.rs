//! Bodies that no program should send: answered in the dialect's own words, without a trace in the store.

use axum::body::Body;
use http::Request;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::stage::Stage;
use crate::harness::Reply;

/// An endpoint with a body, a valid one, and its fields.
struct Endpoint {
    given: &'static [&'static str],
    send: &'static str,
    valid: &'static str,
    fields: &'static [(&'static str, Form)],
}

/// Which values a field refuses.
#[derive(Clone, Copy)]
enum Form {
    /// Everything but a fitting text.
    Text,
    /// A text or number of digits.
    Digits,
    /// A fitting text; `null` and `""` leave it out.
    Pin,
    /// `true` or `false`; `null` leaves it out.
    Flag,
    /// A whole number, quoted or not; `null` leaves it out.
    Number,
    /// A list of texts; `null` leaves it out.
    List,
    /// An object; `null` leaves it out.
    Object,
}

const REGISTRATION: &str =
    r#"{"cc":"44","phone_number":"7700900123","method":"sms","cert":"<cert>"}"#;

const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        given: &[],
        send: "POST /v1/account",
        valid: REGISTRATION,
        fields: &[
            ("cc", Form::Digits),
            ("phone_number", Form::Digits),
            ("method", Form::Text),
            ("cert", Form::Text),
            ("pin", Form::Pin),
        ],
    },
    Endpoint {
        given: &["pending"],
        send: "POST /v1/account/verify",
        valid: r#"{"code":"<code>"}"#,
        fields: &[("code", Form::Text)],
    },
    Endpoint {
        given: &["registered"],
        send: "POST /v1/account/shards",
        valid: r#"{"cc":"44","phone_number":"7700900123","shards":4,"cert":"<cert>"}"#,
        fields: &[("shards", Form::Digits), ("pin", Form::Pin), ("cert", Form::Text)],
    },
    Endpoint {
        given: &[],
        send: "POST /v1/users",
        valid: r#"{"username":"alice","password":"Sandbox-2!"}"#,
        fields: &[("username", Form::Text), ("password", Form::Text)],
    },
    Endpoint {
        given: &["user"],
        send: "PUT /v1/users/robert",
        valid: r#"{"password":"Sandbox-4!"}"#,
        fields: &[("password", Form::Text)],
    },
    Endpoint {
        given: &["registered"],
        send: "POST /v1/settings/account/two-step",
        valid: r#"{"pin":"246810"}"#,
        fields: &[("pin", Form::Text)],
    },
    Endpoint {
        given: &["registered"],
        send: "POST /v1/settings/backup",
        valid: r#"{"password":"Backup-1!"}"#,
        fields: &[("password", Form::Text)],
    },
    Endpoint {
        given: &["restored elsewhere"],
        send: "POST /v1/settings/restore",
        valid: r#"{"password":"Backup-1!","data":"<backup>"}"#,
        fields: &[("password", Form::Text)],
    },
    Endpoint {
        given: &[],
        send: "PATCH /v1/settings/application",
        valid: r#"{"callback_persist":false}"#,
        fields: &[
            ("callback_persist", Form::Flag),
            ("callback_backoff_delay_ms", Form::Number),
            ("log_level", Form::Pin),
            ("media", Form::Object),
            ("webhooks", Form::Object),
        ],
    },
    Endpoint {
        given: &[],
        send: "POST /v1/settings/business/profile",
        valid: r#"{"address":"1 Example Street"}"#,
        fields: &[("address", Form::Pin), ("websites", Form::List)],
    },
    Endpoint {
        given: &[],
        send: "POST /v1/settings/business/compliance_info",
        valid: r#"{"entity_name":"Example Ltd"}"#,
        fields: &[("entity_name", Form::Pin), ("entity_type", Form::Pin)],
    },
    Endpoint {
        given: &[],
        send: "PATCH /v1/settings/profile/about",
        valid: r#"{"text":"Open"}"#,
        fields: &[("text", Form::Text)],
    },
];

impl Form {
    fn bad_values(self) -> Vec<Value> {
        let huge = json!("9".repeat(100_000));
        let never = [json!({ "a": 1 }), json!([true]), huge];
        let others = match self {
            Self::Text => vec![json!(null), json!(true), json!(246_810), json!(1.5)],
            Self::Digits => {
                vec![json!(null), json!(true), json!(-1), json!(1.5), json!(""), json!("a")]
            }
            Self::Pin => vec![json!(true), json!(246_810), json!(1.5)],
            Self::Flag => vec![json!(0), json!("true"), json!("")],
            Self::Number => vec![json!(true), json!(-1), json!(1.5), json!(""), json!("1e3")],
            Self::List => vec![json!(true), json!("a"), json!([1])],
            Self::Object => vec![json!(true), json!("a"), json!(1)],
        };
        let object_is_fine = matches!(self, Self::Object);
        never.into_iter().filter(|it| !(object_is_fine && it.is_object())).chain(others).collect()
    }
}

#[tokio::test]
async fn a_field_of_the_wrong_form_is_1008_or_1009_and_changes_nothing() {
    for endpoint in ENDPOINTS {
        let mut stage = Stage::set(endpoint.given).await;
        let before = stage.world.contents().await;
        let valid: Map<String, Value> =
            serde_json::from_str(&stage.fill(endpoint.valid)).expect("JSON");
        for (field, form) in endpoint.fields {
            for bad in form.bad_values() {
                let mut body = valid.clone();
                body.insert((*field).to_owned(), bad);
                let body = Value::Object(body).to_string();
                let reply = send(&mut stage, endpoint.send, body.clone().into_bytes()).await;
                let shown: String = body.chars().take(200).collect();
                assert_refused(&reply, &[1008, 1009], &format!("{} {shown}", endpoint.send));
            }
        }
        assert!(before == stage.world.contents().await, "{} left a trace", endpoint.send);
        let valid = stage.fill(endpoint.valid).into_bytes();
        let reply = send(&mut stage, endpoint.send, valid).await;
        assert!(reply.status.is_success(), "{} {}", endpoint.send, reply.text());
        assert!(before != stage.world.contents().await, "{} does nothing", endpoint.send);
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_1025_and_changes_nothing() {
    for endpoint in ENDPOINTS {
        let mut stage = Stage::set(endpoint.given).await;
        let before = stage.world.contents().await;
        let valid = stage.fill(endpoint.valid);
        let first = valid[1..].split_once([',', '}']).map(|(first, _)| first).expect("a member");
        let bad: Vec<Vec<u8>> = vec![
            b"{".to_vec(),
            b"nonsense".to_vec(),
            b"[]".to_vec(),
            b"\"text\"".to_vec(),
            b"null".to_vec(),
            b"{\"a\":1e999}".to_vec(),
            valid.as_bytes()[..valid.len() - 1].to_vec(),
            format!("{valid}{valid}").into_bytes(),
            format!("{{{first},{}", &valid[1..]).into_bytes(),
            valid.replacen('"', "'", 2).into_bytes(),
            [&valid.as_bytes()[..2], b"\xff", &valid.as_bytes()[2..]].concat(),
            [b"\xff\xfe".to_vec(), valid.encode_utf16().flat_map(u16::to_le_bytes).collect()]
                .concat(),
            format!("{{\"a\":{}{}}}", "[".repeat(300), "]".repeat(300)).into_bytes(),
            "[".repeat(500_000).into_bytes(),
            "{\"a\":".repeat(100_000).into_bytes(),
        ];
        for body in bad {
            let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            let reply = send(&mut stage, endpoint.send, body).await;
            assert_refused(&reply, &[1025], &format!("{} {shown}", endpoint.send));
        }
        assert!(before == stage.world.contents().await, "{} left a trace", endpoint.send);
    }
}

#[tokio::test]
async fn what_is_required_is_named_when_the_body_is_empty() {
    let optional = ["/settings/application", "/settings/business"];
    for endpoint in ENDPOINTS {
        let mut stage = Stage::set(endpoint.given).await;
        let before = stage.world.contents().await;
        for body in ["", " \r\n\t", "{}"] {
            let reply = send(&mut stage, endpoint.send, body.into()).await;
            if optional.iter().any(|path| endpoint.send.contains(path)) {
                assert_eq!(reply.status, 200, "{}", endpoint.send);
            } else {
                assert_refused(&reply, &[1008], endpoint.send);
            }
        }
        assert!(before == stage.world.contents().await, "{} left a trace", endpoint.send);
    }
}

#[tokio::test]
async fn credentials_of_any_shape_are_answered_and_change_nothing() {
    let mut stage = Stage::set(&[]).await;
    let before = stage.world.contents().await;
    let long = "A".repeat(9_000);
    let token = stage.credentials("admin").expect("logged in");
    let forged = format!("{}x", &token[..token.len() - 1]);
    let bearers =
        ["Bearer", "Bearer ", "Bearer a.b.c", "Bearer ..", "bearer \u{e9}", "Digest x", &forged];
    for credentials in bearers.into_iter().chain([format!("Bearer {long}").as_str()]) {
        let reply = stage.ask(credentials, "GET /v1/users/admin").await;
        assert_eq!((reply.status.as_u16(), reply.text().as_str()), (401, ""), "{credentials:.40}");
    }
    for credentials in ["Basic", "Basic ", "Basic YWRtaW4=", "Basic /w==", &format!("Basic {long}")]
    {
        let reply = stage.ask(credentials, "POST /v1/users/login").await;
        assert_eq!((reply.status.as_u16(), reply.text().as_str()), (401, ""), "{credentials:.40}");
    }
    assert!(before == stage.world.contents().await, "credentials left a trace");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever a body is, the server neither breaks nor does half of it.
    #[test]
    fn any_body_is_answered(
        which in 0..ENDPOINTS.len(),
        cut in any::<prop::sample::Index>(),
        put in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let endpoint = &ENDPOINTS[which];
            let mut stage = Stage::set(endpoint.given).await;
            let before = stage.world.records().await;
            let mut body = stage.fill(endpoint.valid).into_bytes();
            let at = cut.index(body.len());
            body.splice(at..(at + put.len() / 2).min(body.len()), put);
            let reply = send(&mut stage, endpoint.send, body).await;
            assert!(reply.status.as_u16() < 500, "{}", reply.text());
            // A guess is spent also when it was wrong.
            if !reply.status.is_success() && !endpoint.send.ends_with("verify") {
                assert!(before == stage.world.records().await, "{}", reply.text());
            }
        });
    }
}

async fn send(stage: &mut Stage, line: &str, body: Vec<u8>) -> Reply {
    let (method, path) = line.split_once(' ').expect("METHOD path");
    let credentials = stage.credentials("admin").expect("logged in");
    let request = Request::builder().method(method).uri(path).header("authorization", credentials);
    stage.send(request.body(Body::from(body)).expect("a request")).await
}

fn assert_refused(reply: &Reply, codes: &[u64], what: &str) {
    let answer = reply.json();
    let error = &answer["errors"][0];
    let shown: String = reply.text().chars().take(300).collect();
    assert_eq!(reply.status, 400, "{what}: {shown}");
    assert!(error["code"].as_u64().is_some_and(|code| codes.contains(&code)), "{what}: {shown}");
    assert!(reply.body.len() < 1_000, "{what}: input is not repeated at length");
}

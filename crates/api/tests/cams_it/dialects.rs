//! One truth for all dialects: a code requested through one is confirmed through another by the same
//! claim, and a change of dialect yields no fresh budget. A new dialect is a variant and its arms here.

use core::time::Duration;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use registration::{PhoneNumber, Platform, TextId as _, VerifiedName, WabaId};
use serde_json::{Value, json};
use service::certificate::NewCertificate;

use crate::harness::{ADMIN_PASSWORD, Answer, CLIENT, GRAPH_TOKEN, SPACE, WABA, World};

const NUMBER: &str = "447700900123";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Onprem,
    Cams,
    Graph,
}

const ALL: [Dialect; 3] = [Dialect::Onprem, Dialect::Cams, Dialect::Graph];

/// Registers in Graph, which has a call of its own for that; the PIN is on from then on.
const PIN: &str = "246810";

/// What an answer says, in whichever dialect.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Done,
    /// Wait before the next code.
    TooSoon,
    /// The code is wrong.
    Wrong,
    /// No code to confirm.
    Missing,
    /// Wait before the next guess, or out of guesses.
    Limited,
    Else(String),
}

fn said(dialect: Dialect, answer: &Answer) -> Said {
    let body = &answer.body;
    let words = match dialect {
        Dialect::Onprem if answer.status.is_success() => "OK",
        Dialect::Onprem => body["errors"][0]["details"].as_str().unwrap_or(&answer.text),
        Dialect::Cams => body["Code"].as_str().unwrap_or(&answer.text),
        Dialect::Graph => return said_by_graph(answer),
    };
    match words {
        "OK" => Said::Done,
        "System.LimitControl" => Said::TooSoon,
        "Error checking code (mismatch)" | "VerifyCode.Error" => Said::Wrong,
        "Error checking code (missing)" | "VerifyCode.Expired" => Said::Missing,
        "Error checking code (too_many_guesses)" | "VerifyCode.LimitControl" => Said::Limited,
        wait if wait.starts_with("Please wait") => Said::TooSoon,
        other => Said::Else(other.to_owned()),
    }
}

/// One code stands for several refusals in Graph; the header names which.
fn said_by_graph(answer: &Answer) -> Said {
    let error = &answer.body["error"];
    let code = error["code"].as_u64().zip(error["error_subcode"].as_u64());
    match (code, answer.header("x-rollcall-refusal")) {
        (None, None) if answer.body["success"] == true => Said::Done,
        (Some((136_024, 2_388_091)), Some("code-too-soon")) => Said::TooSoon,
        (Some((136_025, 2_388_093)), Some("code-mismatch")) => Said::Wrong,
        (Some((136_025, 2_388_093)), Some("code-missing")) => Said::Missing,
        (Some((136_025, 2_388_093)), Some("out-of-guesses")) => Said::Limited,
        _ => Said::Else(answer.text.clone()),
    }
}

impl World {
    /// A space with a number, and a client of its WABA.
    async fn with_claim() -> Self {
        let world = Self::new().await;
        let name = [("PhoneNumber", "7700900123"), ("VerifiedName", "Lucky Shrub")];
        let add = [&[("CustSpaceId", SPACE), ("Cc", "44")], &name[..]].concat();
        world.call("AddChatappPhoneNumber", &add).await.ok();
        world
    }

    async fn onprem(&self, path: &str, body: &Value) -> Answer {
        let base = format!("/clients/{CLIENT}/v1");
        let basic = format!("Basic {}", STANDARD.encode(format!("admin:{ADMIN_PASSWORD}")));
        let login = self.post(&format!("{base}/users/login"), &basic, &json!({})).await;
        let token = login.body["users"][0]["token"].as_str().unwrap().to_owned();
        self.post(&format!("{base}{path}"), &format!("Bearer {token}"), body).await
    }

    async fn post(&self, path: &str, authorization: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("authorization", authorization);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A call on the number's node.
    async fn graph(&self, call: &str, body: &Value) -> Answer {
        let record = self.service.number(PhoneNumber::parse(NUMBER).unwrap()).await.unwrap();
        let claim = record.unwrap().claims[0].id.clone();
        let path = format!("/v25.0/{}/{call}", claim.as_str());
        self.post(&path, &format!("Bearer {GRAPH_TOKEN}"), body).await
    }

    async fn cams(&self, action: &str, more: &[(&str, &str)]) -> Answer {
        let parameters = [&[("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)], more].concat();
        self.call(action, &parameters).await
    }

    async fn request_code_by(&self, dialect: Dialect) -> Said {
        let answer = match dialect {
            Dialect::Onprem => {
                let cert = self.service.keys().authority().issue(&NewCertificate {
                    number: PhoneNumber::parse(NUMBER).unwrap(),
                    waba: WabaId::parse(WABA).unwrap(),
                    name: VerifiedName::parse("Lucky Shrub").unwrap(),
                    issued_at: self.service.now(),
                    serial: 1,
                });
                let body = json!({
                    "cc": "44", "phone_number": "7700900123", "method": "sms", "cert": cert,
                });
                self.onprem("/account", &body).await
            }
            Dialect::Cams => {
                self.cams("GetChatappVerifyCode", &[("Method", "sms"), ("Locale", "en")]).await
            }
            Dialect::Graph => {
                let body = json!({ "code_method": "SMS", "language": "en_US" });
                self.graph("request_code", &body).await
            }
        };
        said(dialect, &answer)
    }

    /// Confirms and registers: one call, but in Graph, where only the first of two is about the code.
    async fn confirm_by(&self, dialect: Dialect, code: &str) -> Said {
        let answer = match dialect {
            Dialect::Graph => {
                let answer = self.graph("verify_code", &json!({ "code": code })).await;
                if answer.status.is_success() {
                    let body = json!({ "messaging_product": "whatsapp", "pin": PIN });
                    self.graph("register", &body).await
                } else {
                    answer
                }
            }
            Dialect::Onprem => self.onprem("/account/verify", &json!({ "code": code })).await,
            Dialect::Cams => self.cams("ChatappVerifyAndRegister", &[("VerifyCode", code)]).await,
        };
        said(dialect, &answer)
    }
}

fn pairs() -> impl Iterator<Item = (Dialect, Dialect)> {
    ALL.into_iter().flat_map(|first| ALL.map(|second| (first, second)))
}

fn another_than(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[tokio::test]
async fn a_code_is_confirmed_through_whichever_dialect_and_once() {
    for (first, second) in pairs() {
        let world = World::with_claim().await;
        assert_eq!(world.request_code_by(first).await, Said::Done, "{first:?}");
        let code = world.code(NUMBER).await;
        let done = world.confirm_by(second, &code).await;
        assert_eq!(done, Said::Done, "{first:?} then {second:?}");
        let record = world.service.number(PhoneNumber::parse(NUMBER).unwrap()).await.unwrap();
        let record = record.unwrap();
        let held = record.registration.clone().unwrap();
        assert_eq!((record.claims.len(), held.waba.as_str()), (1, WABA));
        let hosted = second != Dialect::Onprem;
        assert_eq!(held.platform == Platform::CloudApi, hosted, "{first:?} then {second:?}");
        for again in ALL {
            assert_eq!(world.confirm_by(again, &code).await, Said::Missing, "{again:?}");
        }
    }
}

#[tokio::test]
async fn a_change_of_dialect_sends_no_code_sooner() {
    for (first, second) in pairs() {
        let world = World::with_claim().await;
        assert_eq!(world.request_code_by(first).await, Said::Done);
        for wait in [0, 59] {
            world.clock.advance(Duration::from_secs(wait));
            let said = world.request_code_by(second).await;
            assert_eq!(said, Said::TooSoon, "{first:?} then {second:?} after {wait} s");
        }
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.request_code_by(second).await, Said::Done, "{first:?} then {second:?}");
    }
}

#[tokio::test]
async fn a_change_of_dialect_yields_no_further_guess() {
    for (first, second) in pairs() {
        let world = World::with_claim().await;
        assert_eq!(world.request_code_by(first).await, Said::Done);
        let code = world.code(NUMBER).await;
        let wrong = another_than(&code);
        // The waits before the guesses, as the limits have them.
        for (by, wait) in [(first, 0), (second, 0), (first, 0), (second, 60), (second, 120)] {
            world.clock.advance(Duration::from_secs(wait));
            assert_eq!(world.confirm_by(by, wrong).await, Said::Wrong, "{first:?} {second:?}");
        }
        for by in [first, second] {
            assert_eq!(world.confirm_by(by, &code).await, Said::Limited, "{first:?} {second:?}");
        }
    }
}

#[tokio::test]
async fn the_latest_request_is_the_one_that_a_client_confirms() {
    let world = World::with_claim().await;
    let other = "447700900456";
    let name = [("PhoneNumber", "7700900456"), ("VerifiedName", "Lucky Shrub")];
    let add = [&[("CustSpaceId", SPACE), ("Cc", "44")], &name[..]].concat();
    world.call("AddChatappPhoneNumber", &add).await.ok();
    assert_eq!(world.request_code_by(Dialect::Onprem).await, Said::Done);
    world.clock.advance(Duration::from_secs(1));
    let send = [("PhoneNumber", other), ("Method", "sms"), ("Locale", "en")];
    let send = [&[("CustSpaceId", SPACE)], &send[..]].concat();
    world.call("GetChatappVerifyCode", &send).await.ok();
    let code = world.code(other).await;
    assert_eq!(world.confirm_by(Dialect::Onprem, &code).await, Said::Done);
    let record = world.service.number(PhoneNumber::parse(other).unwrap()).await.unwrap();
    assert!(record.unwrap().registration.is_some());
}

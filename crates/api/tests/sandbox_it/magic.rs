//! Every magic number gives the error that it is listed with.

use core::time::Duration;

use http::StatusCode;
use registration::{ClientId, PhoneNumber, Platform, TextId as _, VerifiedName};
use serde_json::{Value, json};
use service::ServiceError;
use service::numbers::{ClaimName, PinInput, RegisterOrder};
use service::ports::TurnableClock as _;

use crate::harness::{NUMBER, Reply, World, caller};

#[tokio::test]
async fn every_magic_number_gives_the_reply_it_is_listed_with() {
    let world = World::sandbox().await;
    let list = world.get("/sandbox/v1/magic-numbers").await.body;
    let entries = list["magic_numbers"].as_array().unwrap();
    assert!(entries.len() > 35, "{}", entries.len());
    for entry in entries {
        // Room for allowances, budgets of the client and the restart of Coreapp.
        world.clock.advance(Duration::from_mins(10));
        check(&world, entry).await;
    }
}

#[tokio::test]
async fn an_entry_tells_cause_and_cure_and_shows_the_reply_of_each_dialect() {
    let world = World::sandbox().await;
    let list = world.get("/sandbox/v1/magic-numbers").await.body;
    assert_eq!(list["reserved"], json!({ "first": "+33639989900", "last": "+33639989999" }));
    let entries = list["magic_numbers"].as_array().unwrap();
    for entry in entries {
        for member in ["number", "operation", "cause", "cure"] {
            assert!(entry[member].as_str().is_some_and(|it| !it.is_empty()), "{member}: {entry}");
        }
    }
    let mismatch = entries.iter().find(|it| it["refusal"] == "code-mismatch").unwrap();
    let onprem = &mismatch["examples"]["onprem"];
    assert_eq!(onprem["status"], 403);
    assert_eq!(onprem["body"]["errors"][0]["details"], "Error checking code (mismatch)");
    assert_eq!(mismatch["examples"]["cams"]["body"]["Code"], "VerifyCode.Error");
    assert_eq!(mismatch["examples"]["graph"]["body"]["error"]["code"], 136_025);
    let retired = entries.iter().find(|it| it["refusal"] == "retired").unwrap();
    assert!(retired["examples"]["cams"].is_null() && retired["examples"]["graph"].is_null());
}

#[tokio::test]
async fn an_ordinary_fictitious_number_is_not_magic() {
    let world = World::sandbox().await;
    for number in [NUMBER, "+33639980012", "+33639989899", "+491713920099", "+15550100123"] {
        world.clock.advance(Duration::from_secs(10));
        assert_eq!(
            world.request_code(number, "sms").await.status,
            StatusCode::ACCEPTED,
            "{number}"
        );
    }
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.request_code(NUMBER, "voice").await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.request_code("+33639989901", "voice").await.status, StatusCode::ACCEPTED);
}

async fn check(world: &World, entry: &Value) {
    let number = entry["number"].as_str().unwrap();
    let method = entry["method"].as_str().unwrap_or("sms");
    match entry["operation"].as_str().unwrap() {
        "request_code" => {
            assert_listed(&world.request_code(number, method).await, entry);
        }
        "verify_code" => {
            assert_eq!(world.request_code(number, method).await.status, StatusCode::ACCEPTED);
            assert_listed(&world.verify(number).await, entry);
        }
        "set_two_step" => {
            register(world, number).await;
            let body = json!({ "pin": "123456" });
            assert_listed(&world.onprem("/settings/account/two-step", &body).await, entry);
        }
        "restore" => {
            register(world, number).await;
            let reply = world.onprem("/settings/backup", &json!({ "password": "s" })).await;
            let data = &reply.body["settings"]["data"];
            let body = json!({ "password": "s", "data": data });
            assert_listed(&world.onprem("/settings/restore", &body).await, entry);
        }
        // The On-Premises dialect has no call of its own for these.
        operation => assert_refused(world, number, operation, entry).await,
    }
}

async fn register(world: &World, number: &str) {
    assert_eq!(world.request_code(number, "sms").await.status, StatusCode::ACCEPTED);
    assert_eq!(world.verify(number).await.status, StatusCode::CREATED);
    world.clock.advance(Duration::from_secs(10));
}

/// Compares everything but the link, which names this very refusal.
fn assert_listed(reply: &Reply, entry: &Value) {
    let listed = &entry["examples"]["onprem"];
    if listed.is_null() {
        assert!(reply.dropped, "{entry}");
        return;
    }
    assert_eq!(reply.status.as_u16(), listed["status"], "{entry} {reply:?}");
    let words = |body: &Value| {
        let error = &body["errors"][0];
        (error["code"].clone(), error["title"].clone(), error["details"].clone())
    };
    assert_eq!(words(&reply.body), words(&listed["body"]), "{entry}");
}

async fn assert_refused(world: &World, number: &str, operation: &str, entry: &Value) {
    let waba = &world.waba;
    let number = PhoneNumber::parse(number).unwrap();
    let client = ClientId::parse("default").unwrap();
    let order = RegisterOrder {
        platform: Platform::OnPremise { client },
        pin: PinInput::Absent,
        set_pin: None,
    };
    let outcome = match operation {
        "register" => world.service.register(&caller(), waba, number, &order).await,
        "deregister" => world.service.deregister(&caller(), Some(waba), number).await,
        "add_number" => {
            let name = ClaimName {
                name: VerifiedName::parse("Example").unwrap(),
                certificate_serial: None,
                is_vouched_for: true,
            };
            world.service.add_number(&caller(), waba, number, &name).await
        }
        other => panic!("no way to try {other}"),
    };
    match outcome.unwrap_err() {
        ServiceError::Refused(refused) => assert_eq!(refused.refusal.id(), entry["refusal"]),
        ServiceError::Unavailable(_) => assert!(entry["refusal"].is_null(), "{entry}"),
        ServiceError::Bug(what) => panic!("{what}"),
    }
}

//! What belongs to another account, or to a WABA that a token does not reach, looks as if it were not there.

use crate::harness::{FOREIGN, SECOND, WABA, World};

/// Requests about a number and about a WABA.
const ABOUT: [&str; 12] = [
    "GET /v25.0/<phone>",
    "POST /v25.0/<phone> {\"pin\":\"111111\"}",
    "POST /v25.0/<phone>/request_code?code_method=SMS&language=en",
    "POST /v25.0/<phone>/verify_code?code=<code>",
    "POST /v25.0/<phone>/register?messaging_product=whatsapp&pin=246810",
    "POST /v25.0/<phone>/deregister",
    "GET /v25.0/<waba>",
    "GET /v25.0/<waba>/phone_numbers",
    "POST /v25.0/<waba>/phone_numbers?cc=44&phone_number=7700900124&verified_name=Mine",
    "GET /v25.0/<waba>/subscribed_apps",
    "POST /v25.0/<waba>/subscribed_apps",
    "DELETE /v25.0/<waba>/subscribed_apps",
];

#[tokio::test]
async fn another_accounts_objects_look_like_none() {
    let world = World::new().await;
    let phone = world.registered("EAAtest", WABA, "7700900123").await;
    for token in ["EAAother", "EAAnarrow"] {
        for line in ABOUT {
            let found = world.ask(token, line).await;
            let nowhere =
                line.replace("<phone>", "999999999999999").replace("<waba>", "999999999999998");
            let missing = world.ask(token, &nowhere).await;
            assert_eq!(found.outcome(), (400, 100, 33), "{token} {line}\n{}", found.text);
            let ids = [phone.as_str(), WABA, "999999999999999", "999999999999998"];
            let plain =
                |text: &str| ids.iter().fold(text.to_owned(), |text, id| text.replace(id, "ID"));
            let without_trace = |answer: &crate::harness::Answer| {
                let mut body = answer.body.clone();
                body["error"]["fbtrace_id"].take();
                plain(&body.to_string())
            };
            assert_eq!(without_trace(&found), without_trace(&missing), "{token} {line}");
        }
    }
    // Nothing of that had an effect.
    let shown = world.ok("EAAtest", "GET /v25.0/<phone>?fields=status").await;
    assert_eq!(shown["status"], "CONNECTED");
    let register = "POST /v25.0/<phone>/register?messaging_product=whatsapp&pin=246810";
    world.ok("EAAtest", register).await;
}

#[tokio::test]
async fn a_token_reaches_its_wabas_and_no_other() {
    let world = World::new().await;
    world.ok("EAAnarrow", &format!("GET /v25.0/{SECOND}")).await;
    for waba in [WABA, FOREIGN] {
        let answer = world.ask("EAAnarrow", &format!("GET /v25.0/{waba}")).await;
        assert_eq!(answer.outcome(), (400, 100, 33));
    }
}

#[tokio::test]
async fn a_claim_of_another_account_neither_spoils_nor_uses_a_code() {
    let world = World::new().await;
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    world.ok("EAAtest", &format!("POST /v25.0/{WABA}/{add}")).await;
    let mine = world.text("phone");
    let request =
        |phone: &str| format!("POST /v25.0/{phone}/request_code?code_method=SMS&language=en");
    world.ok("EAAtest", &request(&mine)).await;
    let code = world.text("code");
    world.ok("EAAother", &format!("POST /v25.0/{FOREIGN}/{add}")).await;
    let theirs = world.text("phone");
    assert_ne!(mine, theirs, "each WABA has a claim of its own");
    let stolen =
        world.ask("EAAother", &format!("POST /v25.0/{theirs}/verify_code?code={code}")).await;
    assert_eq!(stolen.outcome(), (400, 136_025, 2_388_093));
    // The budget of sends is the number's own.
    let second = world.ask("EAAother", &request(&theirs)).await;
    assert_eq!(second.outcome(), (400, 136_024, 2_388_091));
    world.ok("EAAtest", &format!("POST /v25.0/{mine}/verify_code?code={code}")).await;
}

#[tokio::test]
async fn whether_another_holder_has_a_pin_is_not_told() {
    let world = World::new().await;
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    world.ok("EAAother", &format!("POST /v25.0/{FOREIGN}/{add}")).await;
    let theirs = world.text("phone");
    world.registered("EAAtest", WABA, "7700900123").await;
    let shown =
        world.ok("EAAother", &format!("GET /v25.0/{theirs}?fields=is_pin_enabled,status")).await;
    assert_eq!((&shown["is_pin_enabled"], &shown["status"]), (&false.into(), &"UNVERIFIED".into()));
}

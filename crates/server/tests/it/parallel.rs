//! Limits hold to the unit however many ask at once.

use serde_json::json;

use crate::sandbox::{Sandbox, answered, code_request, saying};

const NUMBER: &str = "7700900123";

const MISMATCH: &str = "Error checking code (mismatch)";

fn wrong(code: &str) -> serde_json::Value {
    json!({ "code": if code == "000000" { "000001" } else { "000000" } })
}

#[tokio::test]
async fn a_code_takes_five_guesses_over_three_waves_of_a_hundred() {
    let sandbox = Sandbox::start("").await;
    let guess = wrong(&sandbox.ordered_code(NUMBER).await);
    let waves = [(0, 3, "Please wait"), (60, 1, "Please wait"), (120, 1, "(too_many_guesses)")];
    for (wait, evaluated, others) in waves {
        sandbox.turn_clock(wait).await;
        let replies = sandbox.at_once(100, "/v1/account/verify", &guess).await;
        assert_eq!(answered(&replies, 403), 100, "{replies:?}");
        assert_eq!(saying(&replies, MISMATCH), evaluated, "after {wait} s: {replies:?}");
        assert_eq!(saying(&replies, others), 100 - evaluated, "after {wait} s: {replies:?}");
    }
    assert_eq!(sandbox.audited("code-mismatch").await, 5);
}

#[tokio::test]
async fn a_code_takes_five_guesses_at_once_where_there_are_no_waits() {
    let settings = "[limits]\nguess_waits = [\"0s\", \"0s\", \"0s\", \"0s\", \"0s\"]\n";
    let sandbox = Sandbox::start(settings).await;
    let code = sandbox.ordered_code(NUMBER).await;
    let replies = sandbox.at_once(100, "/v1/account/verify", &wrong(&code)).await;
    assert_eq!(saying(&replies, MISMATCH), 5, "{replies:?}");
    assert_eq!(saying(&replies, "(too_many_guesses)"), 95, "{replies:?}");
    assert_eq!(sandbox.audited("code-mismatch").await, 5);
    let late = sandbox.post("/v1/account/verify", &json!({ "code": code })).await;
    assert_eq!(late.0, 403, "the right code comes too late: {late:?}");
}

#[tokio::test]
async fn a_right_code_is_accepted_once() {
    let sandbox = Sandbox::start("").await;
    let code = sandbox.ordered_code(NUMBER).await;
    let replies = sandbox.at_once(64, "/v1/account/verify", &json!({ "code": code })).await;
    assert_eq!((answered(&replies, 201), answered(&replies, 403)), (1, 63), "{replies:?}");
    assert_eq!(saying(&replies, "(missing)"), 63, "{replies:?}");
    assert_eq!(sandbox.audited("registered").await, 1);
}

#[tokio::test]
async fn a_number_asked_for_at_once_is_sent_one_message() {
    let sandbox = Sandbox::start("").await;
    let replies = sandbox.at_once(50, "/v1/account", &code_request(NUMBER)).await;
    assert_eq!((answered(&replies, 202), answered(&replies, 403)), (1, 49), "{replies:?}");
    assert_eq!(saying(&replies, "Please wait"), 49, "{replies:?}");
    assert_eq!((sandbox.sends().await, sandbox.audited("code_requested").await), (1, 1));
}

#[tokio::test]
async fn a_countrys_allowance_is_spent_to_the_unit() {
    let settings = "[limits]\ncountry_burst = 7\ncountry_per_minute = 1\n";
    let sandbox = Sandbox::start(settings).await;
    let asked = |from: u32| {
        (from..from + 40).map(|last| code_request(&format!("7700900{last:03}"))).collect()
    };
    let replies = sandbox.all_at_once(asked(100), "/v1/account").await;
    assert_eq!((answered(&replies, 202), sandbox.sends().await), (7, 7), "{replies:?}");
    // A minute earns one more.
    sandbox.turn_clock(60).await;
    let replies = sandbox.all_at_once(asked(200), "/v1/account").await;
    assert_eq!((answered(&replies, 202), sandbox.sends().await), (1, 8), "{replies:?}");
    assert_eq!(sandbox.audited("country-limit").await, 33 + 39);
}

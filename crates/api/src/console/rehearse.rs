//! Does what a magic number is about: the operations before it in a number's life, then the one that it
//! disturbs.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Console;
use super::numbers::{destinations, put_destination};
use super::texts::Language;
use super::trouble::Trouble;

/// The name that such a number gets.
const NAME: &str = "Magic number";

/// The operations in the order of a number's life, as far as they can be tried.
const LIFE: [&str; 5] = ["request_code", "verify_code", "register", "set_two_step", "deregister"];

/// Leads a number to `operation`; `Err` holds the trouble, wanted or not.
pub(super) async fn rehearse(
    console: &Console,
    digits: &str,
    operation: &str,
    method: &str,
) -> Result<(), Trouble> {
    // A WABA of its own platform: no client is made to restart.
    let all = destinations(console, Language::English.texts()).await?;
    let to = all.iter().find(|it| it.value.starts_with("waba:"));
    let to = to.ok_or_else(|| Trouble::field("waba", "there is no WABA to try it with"))?;
    for step in LIFE {
        let done = carry_out(console, digits, step, method, &to.value).await;
        if step == operation {
            return done;
        }
        match done {
            // A code that is still on its way does as well as a new one.
            Err(trouble) if trouble.refusal.as_deref() == Some("code-too-soon") => {}
            other => other?,
        }
    }
    Ok(())
}

async fn carry_out(
    console: &Console,
    digits: &str,
    step: &str,
    method: &str,
    to: &str,
) -> Result<(), Trouble> {
    let mut order = json!({});
    put_destination(&mut order, to);
    let (verb, path) = match step {
        "request_code" => {
            order["method"] = method.into();
            order["name"] = NAME.into();
            (Method::POST, "request-code")
        }
        "verify_code" => {
            order["code"] = code(console, digits).await?.into();
            order["register"] = false.into();
            (Method::POST, "verify-code")
        }
        "register" => (Method::POST, "register"),
        "set_two_step" => {
            order = json!({ "pin": "123456" });
            (Method::PUT, "two-step")
        }
        _ => (Method::POST, "deregister"),
    };
    let body = (step != "deregister").then_some(order);
    console.inside.send(verb, &format!("/numbers/{digits}/{path}"), body).await.map(drop)
}

/// The code of the newest message to the number.
async fn code(console: &Console, digits: &str) -> Result<String, Trouble> {
    let path = format!("/inbox/wait?number=%2B{digits}&timeout=5s");
    let message: Value = console.inside.sandbox_get(&path).await?;
    let code = message["code"].as_str().map(str::to_owned);
    code.ok_or_else(|| Trouble::of(StatusCode::SERVICE_UNAVAILABLE))
}

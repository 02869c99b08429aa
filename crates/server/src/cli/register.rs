//! `rollcall register`

use core::time::Duration;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure};
use super::inbox::Inbox;
use super::numbers::path;
use super::output::{Output, View, number, text};
use super::terminal::{self, Secret};

/// How long `--wait-inbox` waits: a sandbox delivers at once, so longer means that something is wrong.
const INBOX_PATIENCE: Duration = Duration::from_mins(1);

/// How long a restart of the client is waited for; it takes two seconds unless set otherwise.
const RESTART_SECONDS_MAX: u32 = 5;

const EXAMPLES: &str = "\
Examples:
  rollcall register                                          asks for everything
  rollcall register --number +447700900123 --name \"Lucky Shrub\" --wait-inbox
  rollcall register --number +447700900123 --name Acme --waba 102290129340398 --method voice
  rollcall register --number +447700900123 --code 123456     the second step, in a script

Exit codes: 0 registered, or the code is on its way; 1 failed; 3 refused by a rule.";

/// Register a number: order a code and confirm it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// With country code, as +447700900123
    #[arg(long)]
    number: Option<String>,
    /// Display name; needed for a number that is not claimed yet
    #[arg(long)]
    name: Option<String>,
    /// How the code shall travel; sms unless something else is said
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Language of the message, as de or pt-BR
    #[arg(long)]
    locale: Option<String>,
    /// The On-Premises client that shall run the number; "default" if no WABA is named
    #[arg(long)]
    client: Option<String>,
    /// The WABA that shall hold the number; without --client on the hosted platform
    #[arg(long)]
    waba: Option<String>,
    /// The number's two-step PIN, where it has one; asked for if it is missing
    #[arg(long)]
    pin: Option<Secret>,
    /// Confirm this code, which was ordered before
    #[arg(long, conflicts_with = "wait_inbox")]
    code: Option<Secret>,
    /// Take the code from the sandbox's inbox
    #[arg(long)]
    wait_inbox: bool,
    #[command(flatten)]
    connection: Connection,
}

/// How a code travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    Sms,
    Voice,
}

/// What is to be registered, every question answered.
#[derive(Debug)]
struct Order {
    number: String,
    name: Option<String>,
    method: Method,
    locale: Option<String>,
    client: Option<String>,
    waba: Option<String>,
    pin: Option<Secret>,
    /// The number that the client runs beforehand.
    former: Option<String>,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let asked = terminal::somebody_is_there() && !context.json;
    let mut order = order(arguments, asked)?;
    client::run(&arguments.connection, context, async |client, view| {
        order.former = former(client, &order).await?;
        if let Some(code) = &arguments.code {
            return confirm(client, view, &order, code.reveal()).await;
        }
        let inbox = Inbox { client, number: Some(&order.number.clone()) };
        let last = if arguments.wait_inbox { inbox.last_id().await? } else { None };
        let sent = request_code(client, &mut order, asked).await?;
        if sent["outcome"] != "code_sent" {
            let shown = registered_text(view, &order, &sent);
            return Ok(Output::new(sent, shown));
        }
        if arguments.wait_inbox {
            let message = inbox.next(last.as_deref(), INBOX_PATIENCE).await?;
            let message = message.context("no message came; is another sender configured?")?;
            return confirm(client, view, &order, &text(&message["code"])).await;
        }
        if asked {
            eprint!("{}", order.replaces(&sent));
            return confirm_asking(client, view, &order).await;
        }
        let shown = sent_text(view, &order, &sent);
        Ok(Output::new(sent, shown))
    })
}

/// Fills in what was not given: by asking, or by presets where nobody can be asked.
fn order(arguments: &Arguments, asked: bool) -> anyhow::Result<Order> {
    let number = match (&arguments.number, asked) {
        (Some(number), _) => number.clone(),
        (None, true) => terminal::ask("Number with country code", None)?,
        (None, false) => anyhow::bail!("--number is missing, and there is no terminal to ask at"),
    };
    let second_step = arguments.code.is_some();
    let name = match (&arguments.name, asked && !second_step) {
        (None, true) => Some(terminal::ask("Display name", None)?),
        (name, _) => name.clone(),
    };
    let method = match (arguments.method, asked && !second_step) {
        (Some(method), _) => method,
        (None, true) => ask_method()?,
        (None, false) => Method::Sms,
    };
    let nobody = arguments.client.is_none() && arguments.waba.is_none();
    Ok(Order {
        number,
        name,
        method,
        locale: arguments.locale.clone(),
        client: if nobody { Some("default".to_owned()) } else { arguments.client.clone() },
        waba: arguments.waba.clone(),
        pin: arguments.pin.clone(),
        former: None,
    })
}

fn ask_method() -> anyhow::Result<Method> {
    loop {
        match terminal::ask("Code by sms or voice", Some("sms"))?.to_lowercase().as_str() {
            "sms" => return Ok(Method::Sms),
            "voice" => return Ok(Method::Voice),
            _ => {}
        }
    }
}

/// The number that the client of an order runs already.
async fn former(client: &Client, order: &Order) -> Result<Option<String>, Failure> {
    let Some(name) = &order.client else { return Ok(None) };
    let found = client.get("/numbers", &[("client", Some(name.clone()))]).await?;
    Ok(found["items"][0]["number"].as_str().map(str::to_owned))
}

/// Posts, and waits for a client that restarts because it took another number over: seconds.
async fn post(client: &Client, path: &str, body: Value) -> Result<Value, Failure> {
    for _ in 0..RESTART_SECONDS_MAX {
        match client.post(path, body.clone()).await {
            Err(Failure::Answered(answer)) if answer["error"]["code"] == "unavailable" => {}
            done => return done,
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    client.post(path, body).await
}

/// Orders the code; asks for the PIN if that is what is missing.
async fn request_code(client: &Client, order: &mut Order, asked: bool) -> Result<Value, Failure> {
    let path = format!("{}/request-code", path(&order.number));
    match post(client, &path, order.code_request()).await {
        Err(Failure::Refused(body)) if asked && body["error"]["refusal"] == "pin-required" => {
            let pin = terminal::ask_secret("Two-step PIN").map_err(anyhow::Error::from)?;
            order.pin = Some(pin);
            post(client, &path, order.code_request()).await
        }
        answer => answer,
    }
}

/// Asks for the code until it is right or nothing more may be tried.
async fn confirm_asking(client: &Client, view: &View, order: &Order) -> Result<Output, Failure> {
    eprintln!("The code is on its way by {}.", order.method.word());
    loop {
        let code = terminal::ask("Code", None).map_err(anyhow::Error::from)?;
        match confirm(client, view, order, &code).await {
            Err(Failure::Refused(body)) if body["error"]["refusal"] == "code-mismatch" => {
                eprintln!("{}", text(&body["error"]["message"]));
            }
            Err(Failure::Answered(body)) if names_code(&body) => {
                eprintln!("{}", text(&body["error"]["message"]));
            }
            done => return done,
        }
    }
}

async fn confirm(
    client: &Client,
    view: &View,
    order: &Order,
    code: &str,
) -> Result<Output, Failure> {
    let body = json!({
        "client": order.client, "waba": order.waba, "code": code, "pin": order.pin.as_ref().map(Secret::reveal),
    });
    let done = post(client, &format!("{}/verify-code", path(&order.number)), body).await?;
    let shown = registered_text(view, order, &done);
    Ok(Output::new(done, shown))
}

/// Whether the server finds fault with the form of the code alone.
fn names_code(body: &Value) -> bool {
    body["error"]["details"].as_array().is_some_and(|it| it.iter().all(|it| it["field"] == "code"))
}

fn registered_text(view: &View, order: &Order, answer: &Value) -> String {
    let it = &answer["number"];
    let registration = &it["registration"];
    let place = match registration["client"].as_str() {
        Some(client) => format!("client {client}"),
        None => format!("the hosted platform, WABA {}", text(&registration["waba"])),
    };
    let already = if answer["outcome"] == "already_registered" { "already " } else { "" };
    let former = order.former(answer).map_or_else(String::new, |former| {
        format!("{} ran there before and is registered nowhere now.\n", number(&former.into()))
    });
    format!(
        "{} is {already}registered on {place}, since {}.\n{former}",
        number(&it["number"]),
        view.moment(&registration["since"]),
    )
}

fn sent_text(view: &View, order: &Order, answer: &Value) -> String {
    let claims = answer["number"]["claims"].as_array().map(Vec::as_slice).unwrap_or_default();
    let claim = claims.iter().find(|claim| claim["id"] == answer["claim"]);
    let expires_at = claim.map_or(&Value::Null, |claim| &claim["code"]["expires_at"]);
    let party = match (&order.client, &order.waba) {
        (Some(client), None) if client == "default" => String::new(),
        (client, waba) => {
            let flag = |name: &str, value: &Option<String>| {
                value.as_ref().map(|value| format!(" --{name} {value}")).unwrap_or_default()
            };
            flag("client", client) + &flag("waba", waba)
        }
    };
    format!(
        "A code is on its way to {} by {}; it counts until {}.\n{}Confirm it: rollcall register \
         --number {}{party} --code CODE\n",
        number(&answer["number"]["number"]),
        order.method.word(),
        view.moment(expires_at),
        order.replaces(answer),
        text(&answer["number"]["number"]),
    )
}

impl Order {
    /// The number that ran on the client before that of `answer`.
    fn former(&self, answer: &Value) -> Option<&str> {
        self.former.as_deref().filter(|former| answer["number"]["number"] != *former)
    }

    /// Says which number loses its client to that of `answer`, once that is confirmed.
    fn replaces(&self, answer: &Value) -> String {
        let (Some(former), Some(client)) = (self.former(answer), &self.client) else {
            return String::new();
        };
        let former = number(&former.into());
        format!("Client {client} runs {former}; confirming the code takes it off there.\n")
    }

    fn code_request(&self) -> Value {
        let mut body = json!({ "method": self.method.word() });
        let optional = [
            ("client", &self.client),
            ("waba", &self.waba),
            ("name", &self.name),
            ("locale", &self.locale),
        ];
        for (field, value) in optional {
            if let Some(value) = value {
                body[field] = json!(value);
            }
        }
        if let Some(pin) = &self.pin {
            body["pin"] = json!(pin.reveal());
        }
        body
    }
}

impl Method {
    const fn word(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn read(line: &str) -> Arguments {
        let words = line.split_whitespace();
        Line::try_parse_from(std::iter::once("register").chain(words)).expect(line).arguments
    }

    #[test]
    fn flags_make_an_order_without_a_question() {
        let arguments =
            read("--number +447700900123 --name Acme --method voice --waba 1 --pin 123456");
        let order = order(&arguments, false).expect("complete");
        assert_eq!(order.client, None, "a WABA alone is on the hosted platform");
        let expected = json!({ "method": "voice", "waba": "1", "name": "Acme", "pin": "123456" });
        assert_eq!(order.code_request(), expected);
    }

    #[test]
    fn the_default_client_is_taken_where_nobody_is_named() {
        let order = order(&read("--number +447700900123"), false).expect("complete");
        assert_eq!(order.code_request(), json!({ "method": "sms", "client": "default" }));
    }

    #[test]
    fn without_a_number_and_a_terminal_the_flag_is_named() {
        let problem = order(&read("--name Acme"), false).expect_err("no number");
        assert!(problem.to_string().contains("--number"), "{problem}");
    }

    #[test]
    fn the_next_step_is_printed_ready_to_be_copied() {
        let order =
            order(&read("--number +447700900123 --client berlin"), false).expect("complete");
        let answer = json!({
            "outcome": "code_sent", "claim": "1",
            "number": {
                "number": "+447700900123",
                "claims": [{ "id": "1", "code": { "expires_at": "2027-01-15T08:10:00Z" } }],
            },
        });
        assert_eq!(
            sent_text(&View::for_tests(), &order, &answer),
            "A code is on its way to +44 7700 900123 by sms; it counts until 2027-01-15 09:10:00 CET \
             (08:10:00 UTC).\n\
             Confirm it: rollcall register --number +447700900123 --client berlin --code CODE\n"
        );
    }

    #[test]
    fn a_registration_says_where_and_since_when() {
        let mut order = order(&read("--number +447700900123"), false).expect("complete");
        order.former = Some("+447700900123".to_owned());
        let answer = json!({
            "outcome": "already_registered",
            "number": {
                "number": "+447700900123",
                "registration": { "client": "default", "since": "2027-01-15T08:00:00Z" },
            },
        });
        assert_eq!(
            registered_text(&View::for_tests(), &order, &answer),
            "+44 7700 900123 is already registered on client default, since 2027-01-15 09:00:00 CET \
             (08:00:00 UTC).\n"
        );
    }
}

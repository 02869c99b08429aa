//! `rollcall numbers`

use core::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, Tone, View, counted, number, plain, text};

const EXAMPLES: &str = "\
Examples:
  rollcall numbers list --registered true
  rollcall numbers list --account acme --prefix 49151 --json
  rollcall numbers show +447700900123        claims, budgets left, when each opens
  rollcall numbers unlock +447700900123      after a hundred wrong codes in a row
  rollcall numbers deregister +447700900123";

/// List, show, unlock and deregister numbers
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List numbers
    List(Filter),
    /// Show a number: claims, registration, what is left of its budgets and when each opens
    Show {
        /// With country code, as +447700900123
        number: String,
    },
    /// End a number's registration, whoever holds it
    Deregister {
        /// With country code, as +447700900123
        number: String,
    },
    /// Lift the lock that too many wrong codes set
    Unlock {
        /// With country code, as +447700900123
        number: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only numbers claimed in this account
    #[arg(long)]
    account: Option<String>,
    /// Only numbers that this WABA claims
    #[arg(long)]
    waba: Option<String>,
    /// Only the number that this client runs
    #[arg(long)]
    client: Option<String>,
    /// Only numbers that begin with these digits
    #[arg(long, value_name = "DIGITS")]
    prefix: Option<String>,
    /// Only numbers that are (true) or are not (false) registered
    #[arg(long, value_name = "BOOL")]
    registered: Option<bool>,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List(filter) => list(client, view, filter).await,
        Command::Show { number } => show(client, view, number).await,
        Command::Deregister { number } => {
            order(client, number, "deregister", "is registered nowhere now").await
        }
        Command::Unlock { number } => {
            order(client, number, "unlock", "is not locked any more").await
        }
    })
}

/// The path of a number.
pub(super) fn path(number: &str) -> String {
    // People copy numbers as they are shown: in groups.
    let number: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    format!("/numbers/{}", segment(&number))
}

impl Filter {
    /// As the operator's API takes it.
    pub(super) fn query(&self) -> [(&'static str, Option<String>); 5] {
        [
            ("account", self.account.clone()),
            ("waba", self.waba.clone()),
            ("client", self.client.clone()),
            ("prefix", self.prefix.clone()),
            ("registered", self.registered.map(|it| it.to_string())),
        ]
    }
}

async fn list(client: &Client, view: &View, filter: &Filter) -> Result<Output, Failure> {
    let numbers = client.all("/numbers", &filter.query()).await?;
    let shown = list_text(view, &numbers);
    Ok(Output::new(json!({ "items": numbers }), shown))
}

async fn show(client: &Client, view: &View, number: &str) -> Result<Output, Failure> {
    let found = client.get(&path(number), &[]).await?;
    let shown = show_text(view, &found);
    Ok(Output::new(found, shown))
}

async fn order(client: &Client, of: &str, verb: &str, done: &str) -> Result<Output, Failure> {
    let answer = client.post(&format!("{}/{verb}", path(of)), json!({})).await?;
    let shown = format!("{} {done}.", number(&answer["number"]["number"]));
    Ok(Output::new(answer, shown))
}

fn list_text(view: &View, numbers: &[Value]) -> String {
    if numbers.is_empty() {
        return "No numbers. Register one: rollcall register\n".to_owned();
    }
    let rows = numbers.iter().map(|it| {
        [
            plain(number(&it["number"])),
            state(it),
            plain(place(&it["registration"])),
            plain(text(&it["name"])),
            plain(if it["two_step"] == true { "on" } else { "off" }),
        ]
    });
    let table = view.table(["NUMBER", "STATE", "RUNS ON", "NAME", "PIN"], rows);
    format!("{table}{}\n", counted(numbers.len(), "number"))
}

fn show_text(view: &View, it: &Value) -> String {
    let registration = &it["registration"];
    let (word, tone) = state(it);
    let two_step = view.moment_if(&it["two_step"]["set_at"]);
    let since = view.moment_if(&registration["since"]);
    let locked = view.moment_if(&it["locked_since"]);
    let unlock = format!("rollcall numbers unlock {}", text(&it["number"]));
    let facts = view.facts(&[
        ("Number", number(&it["number"])),
        ("Kind", format!("{}, {}", text(&it["kind"]).replace('_', " "), text(&it["region"]))),
        ("State", view.word(&word, tone)),
        (
            "Runs on",
            since.map_or(String::new(), |at| format!("{} since {at}", place(registration))),
        ),
        ("Two-step PIN", two_step.map_or("off".to_owned(), |at| format!("on since {at}"))),
        ("Locked", locked.map_or(String::new(), |at| format!("since {at}; {unlock}"))),
    ]);
    let upstream = upstream_text(view, &it["upstream"]);
    format!(
        "{facts}{upstream}\n{}\n{}",
        claims_text(view, &it["claims"]),
        budgets_text(view, &it["budgets"])
    )
}

/// What registrars upstream show, a line each, and what differs from here.
fn upstream_text(view: &View, upstream: &Value) -> String {
    let mut shown = String::new();
    for it in upstream.as_array().into_iter().flatten() {
        let status = it["status"].as_str().unwrap_or("not known yet");
        let seen =
            view.moment_if(&it["seen_at"]).map_or(String::new(), |at| format!(", seen {at}"));
        let differs = match (&it["drift"], it["unsettled"] == true) {
            (Value::String(drift), _) => format!("\n               differs: {drift}"),
            (_, true) => "; a call is being settled".to_owned(),
            (_, false) => String::new(),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(shown, "Upstream       {status}{seen}{differs}");
    }
    shown
}

fn claims_text(view: &View, claims: &Value) -> String {
    let claims = claims.as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = claims.iter().map(|claim| {
        let phase = text(&claim["phase"]).replace('_', " ");
        [
            plain(text(&claim["id"])),
            plain(text(&claim["waba"])),
            plain(text(&claim["account"])),
            plain(text(&claim["name"])),
            plain(phase),
        ]
    });
    let mut shown = view.table(["CLAIM", "WABA", "ACCOUNT", "NAME", "PHASE"], rows);
    for claim in claims.iter().filter(|claim| claim["code"].is_object()) {
        let code = &claim["code"];
        // Writing into a String cannot fail.
        let _ = writeln!(
            shown,
            "A code of claim {} counts until {}, guesses left: {}.",
            text(&claim["id"]),
            view.moment(&code["expires_at"]),
            text(&code["guesses_left"]),
        );
    }
    shown
}

fn budgets_text(view: &View, budgets: &Value) -> String {
    const NAMES: [(&str, &str); 7] = [
        ("sms", "SMS"),
        ("voice", "voice calls"),
        ("failed_guesses", "wrong codes today"),
        ("failed_in_a_row", "wrong codes in a row"),
        ("register_calls", "registrations"),
        ("deregister_calls", "deregistrations"),
        ("pin", "wrong PINs"),
    ];
    let rows = NAMES.map(|(field, name)| {
        let budget = &budgets[field];
        let spent = if budget["left"] == 0 { "when unlocked" } else { "now" };
        let opens = view.moment_if(&budget["opens_at"]).unwrap_or_else(|| spent.to_owned());
        let tone = if budget["opens_at"].is_null() { Tone::Plain } else { Tone::Doubtful };
        [
            plain(name),
            plain(format!("{} of {}", text(&budget["left"]), text(&budget["max"]))),
            (opens, tone),
        ]
    });
    view.table(["BUDGET", "LEFT", "OPEN"], rows)
}

/// The state of a number and what it means.
fn state(it: &Value) -> (String, Tone) {
    if it["locked"] == true || it["locked_since"].is_string() {
        return ("locked".to_owned(), Tone::Bad);
    }
    let tone = match it["state"].as_str() {
        Some("registered") => Tone::Good,
        Some("awaiting_code") => Tone::Doubtful,
        _ => Tone::Plain,
    };
    (text(&it["state"]).replace('_', " "), tone)
}

/// Where a number runs: the client, or the hosted platform with its WABA.
fn place(registration: &Value) -> String {
    match (&registration["client"], &registration["waba"]) {
        (Value::Null, Value::Null) => "-".to_owned(),
        (Value::Null, waba) => format!("cloud, {}", text(waba)),
        (client, _) => format!("client {}", text(client)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for number in ["+447700900123", "+44 7700 900123", "+44 (7700) 900-123"] {
            assert_eq!(path(number), "/numbers/+447700900123");
        }
    }

    #[test]
    fn a_list_is_a_table_of_80_columns() {
        let numbers = [
            json!({
                "number": "+447700900123", "state": "registered", "name": "Lucky Shrub",
                "registration": { "client": "default", "waba": "102290129340398" },
                "two_step": true, "locked": false,
            }),
            json!({
                "number": "+447700900124", "state": "awaiting_code", "name": "Acme",
                "registration": null, "two_step": false, "locked": false,
            }),
            json!({
                "number": "+447700900125", "state": "registered", "name": null,
                "registration": { "client": null, "waba": "102290129340398" },
                "two_step": false, "locked": true,
            }),
        ];
        assert_eq!(
            list_text(&View::for_tests(), &numbers),
            "\
NUMBER           STATE          RUNS ON                 NAME         PIN
+44 7700 900123  registered     client default          Lucky Shrub  on
+44 7700 900124  awaiting code  -                       Acme         off
+44 7700 900125  locked         cloud, 102290129340398  -            off
3 numbers
"
        );
        assert!(list_text(&View::for_tests(), &[]).contains("rollcall register"));
    }

    #[test]
    fn a_number_is_shown_with_claims_and_budgets() {
        let open = json!({ "max": 10, "left": 10, "opens_at": null });
        let number = json!({
            "number": "+447700900123", "kind": "mobile", "region": "GB", "state": "awaiting_code",
            "registration": null, "two_step": { "enabled": false, "set_at": null },
            "locked_since": null,
            "claims": [{
                "id": "123456789012345", "waba": "102290129340398", "account": "default",
                "name": "Lucky Shrub", "phase": "awaiting_code",
                "code": { "expires_at": "2027-01-15T08:10:00Z", "guesses_left": 5 },
            }],
            "budgets": {
                "sms": { "max": 5, "left": 4, "opens_at": "2027-01-15T08:01:00Z" },
                "voice": { "max": 3, "left": 3, "opens_at": "2027-01-15T08:01:00Z" },
                "failed_guesses": open, "failed_in_a_row": open, "register_calls": open,
                "deregister_calls": open, "pin": open,
            },
        });
        assert_eq!(
            show_text(&View::for_tests(), &number),
            "\
Number        +44 7700 900123
Kind          mobile, GB
State         awaiting code
Two-step PIN  off

CLAIM            WABA             ACCOUNT  NAME         PHASE
123456789012345  102290129340398  default  Lucky Shrub  awaiting code
A code of claim 123456789012345 counts until 2027-01-15 09:10:00 CET (08:10:00 UTC), guesses left: 5.

BUDGET                LEFT      OPEN
SMS                   4 of 5    2027-01-15 09:01:00 CET (08:01:00 UTC)
voice calls           3 of 3    2027-01-15 09:01:00 CET (08:01:00 UTC)
wrong codes today     10 of 10  now
wrong codes in a row  10 of 10  now
registrations         10 of 10  now
deregistrations       10 of 10  now
wrong PINs            10 of 10  now
"
        );
    }
}

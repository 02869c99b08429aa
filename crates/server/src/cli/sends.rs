//! `rollcall sends`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, Tone, View, number, plain, text};

const EXAMPLES: &str = "\
Examples:
  rollcall sends list --number +447700900123
  rollcall sends list --account acme --limit 200 --json
  rollcall sends show 019bc0a0b4c87d3e8f00000000000001";

/// List messages and what became of them; codes are not shown
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
    /// List messages, newest first
    List(Filter),
    /// Show a message
    Show {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Args)]
struct Filter {
    /// Only messages to this number
    #[arg(long)]
    number: Option<String>,
    /// Only messages that this account pays for
    #[arg(long)]
    account: Option<String>,
    /// Only messages that this sender took
    #[arg(long)]
    sender: Option<String>,
    /// Only messages older than this one
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    /// How many, up to 200
    #[arg(long, default_value_t = 50)]
    limit: u8,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List(filter) => list(client, view, filter).await,
        Command::Show { id } => {
            let found = client.get(&format!("/sends/{}", segment(id)), &[]).await?;
            let shown = show_text(view, &found);
            Ok(Output::new(found, shown))
        }
    })
}

async fn list(client: &Client, view: &View, filter: &Filter) -> Result<Output, Failure> {
    let query = [
        ("number", filter.number.clone()),
        ("account", filter.account.clone()),
        ("sender", filter.sender.clone()),
        ("before", filter.before.clone()),
        ("limit", Some(filter.limit.to_string())),
    ];
    let page = client.get("/sends", &query).await?;
    let shown = list_text(view, &page);
    Ok(Output::new(page, shown))
}

fn list_text(view: &View, page: &Value) -> String {
    let sends = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(newest) = sends.first() else { return "No messages.\n".to_owned() };
    let rows = sends.iter().map(|it| {
        [
            plain(view.short_moment(&it["decided_at"])),
            plain(number(&it["number"])),
            plain(text(&it["method"])),
            state(it),
            plain(text(&it["sender"])),
            plain(text(&it["attempts"])),
        ]
    });
    let table = view.table(["DECIDED", "NUMBER", "BY", "STATE", "SENDER", "TRIES"], rows);
    let more = match page["next"].as_str() {
        Some(next) => format!("Older ones: --before {next}\n"),
        None => String::new(),
    };
    format!("{table}{}{more}", view.zone_note(&newest["decided_at"]))
}

fn show_text(view: &View, it: &Value) -> String {
    let (state, tone) = state(it);
    let reason = it["reason"].as_str().map(|_| text(&it["reason"])).unwrap_or_default();
    let doubt = if it["in_doubt"] == true { "a provider may have taken it unnoticed" } else { "" };
    let doubt = doubt.to_owned();
    let facts = view.facts(&[
        ("Id", text(&it["id"])),
        ("Number", number(&it["number"])),
        ("By", format!("{}, {}", text(&it["method"]), text(&it["locale"]))),
        ("Account", text(&it["account"])),
        ("WABA", text(&it["waba"])),
        ("Ordered", format!("{}, by {}", view.moment(&it["decided_at"]), text(&it["dialect"]))),
        ("State", format!("{}, {}", view.word(&state, tone), view.moment(&it["state_at"]))),
        ("Reason", reason),
        ("Handed over", view.moment(&it["handed_over_at"])),
        ("Code used", view.moment(&it["confirmed_at"])),
        ("In doubt", doubt),
        ("Price", super::limits::money(&it["price"])),
        ("Sender", text(&it["sender"])),
        ("Provider id", text(&it["provider_id"])),
        ("Code dies", view.moment(&it["useless_after"])),
    ]);
    facts + &tries_text(view, it)
}

fn tries_text(view: &View, it: &Value) -> String {
    let tries = it["tries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if tries.is_empty() {
        return String::new();
    }
    let rows = tries.iter().map(|it| {
        let tone = match it["result"].as_str() {
            Some("taken") => Tone::Good,
            Some("rejected") => Tone::Bad,
            _ => Tone::Doubtful,
        };
        [
            plain(view.short_moment(&it["started_at"])),
            plain(view.short_moment(&it["ended_at"])),
            plain(text(&it["sender"])),
            (text(&it["result"]), tone),
            plain(it["reason"].as_str().map(|_| text(&it["reason"])).unwrap_or_default()),
        ]
    });
    view.table(["BEGAN", "ENDED", "SENDER", "RESULT", "REASON"], rows)
}

fn state(it: &Value) -> (String, Tone) {
    let tone = match it["state"].as_str() {
        Some("handed_over" | "delivered") => Tone::Good,
        Some("failed") => Tone::Bad,
        _ => Tone::Doubtful,
    };
    (text(&it["state"]).replace('_', " "), tone)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_says_where_it_goes_on() {
        let send = json!({
            "decided_at": "2027-01-15T08:00:00Z", "number": "+447700900123", "method": "sms",
            "state": "handed_over", "sender": "inbox", "attempts": 1,
        });
        assert_eq!(
            list_text(&View::for_tests(), &json!({ "items": [send], "next": "0a" })),
            "\
DECIDED              NUMBER           BY   STATE        SENDER  TRIES
2027-01-15 09:00:00  +44 7700 900123  sms  handed over  inbox   1
Times are CET (UTC+01:00).
Older ones: --before 0a
"
        );
        let none = json!({ "items": [], "next": null });
        assert_eq!(list_text(&View::for_tests(), &none), "No messages.\n");
    }
}

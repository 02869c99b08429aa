//! `rollcall limits`

use core::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Connection};
use super::output::{Output, Tone, View, plain, text};

const EXAMPLES: &str = "\
Examples:
  rollcall limits status              budgets, what is left of them and when they start anew
  rollcall limits reset +447700       send codes to a stopped range of numbers again";

/// Show and reset what guards the money
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
    /// Show budgets, stopped ranges of numbers, and what would have been refused
    Status,
    /// Open a stopped range of numbers again
    Reset {
        /// How its numbers begin, as `status` shows it
        prefix: String,
    },
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| {
        let fuses = match &arguments.command {
            Command::Status => client.get("/fuses", &[]).await?,
            Command::Reset { prefix } => {
                client.post("/fuses/reset", json!({ "prefix": prefix })).await?
            }
        };
        let shown = status_text(view, &fuses);
        Ok(Output::new(fuses, shown))
    })
}

fn status_text(view: &View, fuses: &Value) -> String {
    let currency = text(&fuses["currency"]);
    let list = |key: &str| fuses[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut shown = match fuses["mode"].as_str() {
        Some("shadow") => "The fuses only count; they refuse nothing (fuses.mode).\n".to_owned(),
        Some("off") => "The fuses are off (fuses.mode).\n".to_owned(),
        _ => String::new(),
    };
    let budgets = list("budgets");
    if budgets.is_empty() {
        shown.push_str("Nothing was spent in this hour or on this day.\n");
    } else {
        let rows = budgets.iter().map(|it| {
            let left = it["left"].as_u64();
            let tone = if left == Some(0) { Tone::Bad } else { Tone::Plain };
            [
                plain(text(&it["fuse"])),
                plain(text(&it["of"])),
                plain(money(&it["spent"])),
                plain(money(&it["limit"])),
                (money(&it["left"]), tone),
                plain(view.short_moment(&it["resets_at"])),
                plain(text(&it["would_refuse"])),
            ]
        });
        let head = ["BUDGET", "OF", "SPENT", "LIMIT", "LEFT", "RESETS", "WOULD REFUSE"];
        shown.push_str(&view.table(head, rows));
        let _ = writeln!(shown, "Amounts are in {currency}.");
    }
    let ranges = list("ranges");
    if !ranges.is_empty() {
        let rows = ranges.iter().map(|it| {
            let stopped = !it["stopped_until"].is_null();
            let until =
                if stopped { view.short_moment(&it["stopped_until"]) } else { "open".into() };
            let tone = if stopped { Tone::Bad } else { Tone::Good };
            let (sent, used) = (text(&it["sent"]), text(&it["used"]));
            [plain(text(&it["prefix"])), plain(sent), plain(used), (until, tone)]
        });
        shown.push_str(&view.table(["NUMBERS", "CODES", "USED", "STOPPED UNTIL"], rows));
    }
    shown + &view.zone_note(&fuses["now"])
}

/// Millionths as a decimal number with two places, or as many more as it takes.
pub(super) fn money(value: &Value) -> String {
    let Some(millionths) = value.as_u64() else { return String::new() };
    let (whole, part) = (millionths / 1_000_000, millionths % 1_000_000);
    let digits = format!("{part:06}");
    let kept = digits.trim_end_matches('0').len().max(2);
    format!("{whole}.{}", &digits[..kept])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_shows_what_is_left_and_when_it_starts_anew() {
        let fuses = json!({
            "mode": "shadow", "currency": "EUR", "now": "2027-01-15T08:00:00Z",
            "budgets": [{
                "fuse": "account-day", "of": "default", "spent": 49_930_000, "limit": 50_000_000,
                "left": 70_000, "resets_at": "2027-01-16T00:00:00Z", "would_refuse": 3,
            }],
            "ranges": [{
                "prefix": "+447700", "sent": 50, "used": 2, "stopped_until": "2027-01-15T09:30:00Z",
            }],
        });
        assert_eq!(
            status_text(&View::for_tests(), &fuses),
            "\
The fuses only count; they refuse nothing (fuses.mode).
BUDGET       OF       SPENT  LIMIT  LEFT  RESETS               WOULD REFUSE
account-day  default  49.93  50.00  0.07  2027-01-16 01:00:00  3
Amounts are in EUR.
NUMBERS  CODES  USED  STOPPED UNTIL
+447700  50     2     2027-01-15 10:30:00
Times are CET (UTC+01:00).
"
        );
        assert_eq!(money(&json!(75_500)), "0.0755");
        assert_eq!(money(&Value::Null), "");
    }
}

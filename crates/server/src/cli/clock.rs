//! `rollcall clock`

use core::time::Duration;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo, Unit};
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure};
use super::output::{Output, View};

const EXAMPLES: &str = "\
Examples:
  rollcall clock show
  rollcall clock advance 72h                  past the register window
  rollcall clock set 2026-11-22T04:29:29Z     or 2026-11-22T04:29 for local time
  rollcall clock freeze
  rollcall clock resume                       runs on from where it stands";

/// Read and turn the clock of a sandbox
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
    /// Show the time that all limits follow
    Show,
    /// Turn the clock to a moment
    Set {
        /// RFC 3339, or date and time in the local zone
        moment: String,
    },
    /// Turn the clock forward
    Advance {
        /// As in 90s, 10m, 72h, 3d, 1h30m
        duration: String,
    },
    /// Let the clock stand still
    Freeze,
    /// Let the clock run on
    Resume,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| {
        let change = match &arguments.command {
            Command::Show => None,
            Command::Set { moment } => {
                Some(json!({ "set": view.parse_moment(moment)?.to_string() }))
            }
            Command::Advance { duration } => Some(json!({ "advance_seconds": seconds(duration)? })),
            Command::Freeze => Some(json!({ "freeze": true })),
            Command::Resume => Some(json!({ "resume": true })),
        };
        turn(client, view, change).await
    })
}

async fn turn(client: &Client, view: &View, change: Option<Value>) -> Result<Output, Failure> {
    if change.is_some() {
        client.sandbox(Method::POST, "/clock", &[], change, Duration::ZERO).await?;
    }
    let now = client.sandbox(Method::GET, "/clock", &[], None, Duration::ZERO).await?;
    let now = now.unwrap_or_default();
    let state = if now["frozen"] == true { "stands still" } else { "runs" };
    let shown = format!("{}, {state}", view.moment(&now["now"]));
    Ok(Output::new(now, shown))
}

/// Whole seconds of a duration, a day being 24 hours. A bare number is seconds.
fn seconds(text: &str) -> anyhow::Result<u64> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let days = SpanRelativeTo::days_are_24_hours();
    let span = text.parse::<Span>().and_then(|span| span.total((Unit::Second, days)));
    match span {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between zero and a span's bounds, far below 2^63 seconds"
        )]
        Ok(seconds) if seconds >= 0.0 => Ok(seconds as u64),
        Ok(_) | Err(_) => anyhow::bail!(
            "{text:?} is no duration; write 90s, 10m, 72h, 3d or 1h30m. To go back, use clock set"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, expected) in [
            ("90", 90),
            ("90s", 90),
            ("10m", 600),
            ("72h", 259_200),
            ("3d", 259_200),
            ("1h30m", 5400),
            ("1 day 2 hours", 93_600),
        ] {
            assert_eq!(seconds(text).expect(text), expected);
        }
        for text in ["-5m", "soon", "", "5x"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}

//! `rollcall pin`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Context;
use super::client::{self, Connection, segment};
use super::output::{Output, text};

const EXAMPLES: &str = "\
Examples:
  rollcall pin reveal +447700900123                the PIN that goes with the number upstream; recorded";

/// Show the two-step PIN with which a number is registered upstream
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
    /// Show the PIN; who looked, and when, goes into the audit trail
    Reveal {
        /// The number: E.164
        number: String,
    },
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let Command::Reveal { number } = &arguments.command;
    let path = format!("/numbers/{}/reveal-pin", segment(number.trim_start_matches('+')));
    client::run(&arguments.connection, context, async |client, view| {
        let revealed = client.post(&path, json!({})).await?;
        let shown =
            view.facts(&[("Number", text(&revealed["number"])), ("PIN", text(&revealed["pin"]))]);
        Ok(Output::new(revealed, shown))
    })
}

//! `rollcall keys`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Context;
use super::client::{self, Connection};
use super::output::{Output, text};

const EXAMPLES: &str = "\
Examples:
  rollcall keys rotate-master     while the server serves; then copy rollcall.key to a safe place

The new key makes what is made from now on. Older keys stay in the file, because codes, PINs, tokens and
sealed secrets made with them name them.";

/// Rotate the master key
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
    /// Make a new master key the current one, while serving
    RotateMaster,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, _| match arguments.command {
        Command::RotateMaster => {
            let rotated = client.post("/keys/rotate-master", json!({})).await?;
            let shown = format!(
                "The master key of epoch {} is in use. Back up the key file now: what is made from here \
                 on is lost without it.",
                text(&rotated["epoch"]),
            );
            Ok(Output::new(rotated, shown))
        }
    })
}

//! `rollcall console`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::Context;
use super::client::{self, Connection};
use super::output::{Output, text};

const EXAMPLES: &str = "\
Examples:
  rollcall console                       a link that logs you in, for the server on this machine
  rollcall console --data /srv/rollcall  with the token of that data folder
  rollcall console --server https://rollcall.example
  rollcall console --auditor             for somebody who may look and change nothing

The link works once, for ten minutes. Whoever opens it acts as the operator, or looks\nas an auditor.";

/// Print a link that logs you into the console, once
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// For somebody who may look at everything and change nothing
    #[arg(long)]
    auditor: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, _| {
        let role = if arguments.auditor { "auditor" } else { "operator" };
        let mut link = client.post("/console-links", json!({ "role": role })).await?;
        let mut url = text(&link["url"]);
        if url.starts_with('/') {
            let base = client.base().as_str();
            url = format!("{}{url}", base.trim_end_matches('/'));
            link["url"] = url.clone().into();
        }
        Ok(Output::new(link, url))
    })
}

//! `rollcall fidelity`: how close the embedded registrar comes to a registrar upstream.
//!
//! `record` stands between a client and a registrar and writes down what is said, without secrets, numbers, names
//! and ids. `diff` says the same to an embedded registrar of its own and tells what is answered otherwise.

mod compare;
mod exchange;
mod record;
mod redact;
mod replay;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Context;

const EXAMPLES: &str = "\
Examples:
  rollcall fidelity record --to https://graph.facebook.com --out meta.jsonl
      then let a client call the address that is printed, for example a Rollcall:
      rollcall wabas upstream set WABA --registrar meta --base-url http://127.0.0.1:9095 --secret-file token.txt
  rollcall fidelity diff meta.jsonl                what the embedded registrar answers otherwise
  rollcall fidelity diff meta.jsonl --json         the same for a program

Nothing is recorded unless you run this. Tokens, signatures, codes, PINs, numbers, names and ids are replaced before
anything is written. Alibaba's own service signs its host name and takes no requests through a recorder; a
test server that believes the Host header does.";

/// Record what a registrar upstream answers, and compare it with the embedded one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stand between a client and a registrar, and write down what is said
    Record(record::Arguments),
    /// Say the same to an embedded registrar, and tell what is answered otherwise
    Diff {
        /// What `record` wrote
        file: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    crate::tls::install_provider();
    match &arguments.command {
        Command::Record(arguments) => {
            runtime.block_on(record::run(arguments))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff { file } => {
            let view = super::output::View::of(context);
            let report = runtime.block_on(replay::run(file))?;
            let shown = report.to_text(&view);
            let output = super::output::Output::new(report.to_json(), shown);
            let output = output.failed_if(report.differs());
            output.print(context.json)?;
            Ok(output.code())
        }
    }
}

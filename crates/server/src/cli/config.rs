//! `rollcall config`

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, FAILURE, print};
use crate::config::{self, DEFAULTS, Origin, Problems};

const EXAMPLES: &str = "\
Examples:
  rollcall config default > rollcall.toml    start from all settings with their meaning
  rollcall config check rollcall.toml        every mistake at once, with line and key
  ROLLCALL__LOG__LEVEL=debug rollcall serve  change one setting for one run";

/// Show and check settings
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print every setting with its default, meaning and reason
    Default,
    /// Check a file, and the environment with it, without starting anything
    Check {
        /// The configuration file; - is standard input
        file: PathBuf,
    },
    /// Print the reference of all settings as Markdown
    #[command(hide = true)]
    Docs,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        Command::Default => print(DEFAULTS)?,
        Command::Docs => print(&config::docs::markdown())?,
        Command::Check { file } => return check(file, context),
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let (file, text) = if file.as_os_str() == "-" {
        (Path::new("standard input"), io::read_to_string(io::stdin()))
    } else {
        (file, std::fs::read_to_string(file))
    };
    match config::load_read(Some((file, text)), context.environment, &[]) {
        Ok(loaded) => {
            let own = loaded.settings.iter().filter(|setting| setting.origin != Origin::Default);
            let count = own.count();
            print(&if context.json {
                format!("{}\n", json!({"sound": true, "settings": count, "problems": []}))
            } else {
                let settings = if count == 1 { "setting" } else { "settings" };
                format!("{} is sound: {count} {settings} of its own\n", file.display())
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) if context.json => {
            print(&format!("{}\n", as_json(&problems)))?;
            Ok(ExitCode::from(FAILURE))
        }
        Err(problems) => Err(problems.into()),
    }
}

fn as_json(problems: &Problems) -> serde_json::Value {
    let list = problems.0.iter().map(|problem| {
        json!({
            "origin": problem.origin.to_string(),
            "key": problem.key,
            "message": problem.message,
        })
    });
    json!({"sound": false, "problems": list.collect::<Vec<_>>()})
}

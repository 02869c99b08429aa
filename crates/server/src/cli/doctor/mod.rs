//! `rollcall doctor`

mod database;
mod folder;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::Context;
use super::audit::OpenTrail;
use super::client::{self, Connection};
use super::output::{Output, Tone, View};
use crate::config::{self, Config, Environment, Flag, Origin};

const EXAMPLES: &str = "\
Examples:
  rollcall doctor                                      what a server here would meet
  rollcall doctor --data DIR --config rollcall.toml    with the settings it is started with

Exit codes: 0 nothing failed, 1 something did.";

/// Check configuration, data folder, keys, database, disk, ports, clock and the server
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The configuration file that the server is started with
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    finding: String,
    /// What to do about it; empty if nothing has to be done.
    cure: String,
}

impl Check {
    fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, finding: finding.into(), cure: String::new() }
    }

    fn warn(name: &'static str, finding: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn, finding: finding.into(), cure: cure.into() }
    }

    fn fail(name: &'static str, finding: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fail, finding: finding.into(), cure: cure.into() }
    }
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warn => Tone::Doubtful,
            Self::Fail => Tone::Bad,
        }
    }
}

pub(super) fn run(
    arguments: &Arguments,
    context: &Context<'_>,
    open: OpenTrail,
) -> anyhow::Result<ExitCode> {
    let (check, config) = configuration(arguments, context)?;
    let mut checks = vec![check];
    checks.extend(folder::checks(&config.data, context.environment));
    client::run(&arguments.connection, context, async |client, view| {
        checks.extend(database::check(&config.data, context.environment, open).await);
        checks.extend(server::checks(client, &config.listen).await);
        Ok(report(view, &checks))
    })
}

/// The settings a server would have; the defaults where they are at fault, so that the rest is checked too.
fn configuration(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<(Check, Config)> {
    let data = arguments.connection.data.as_ref().map(|folder| Flag {
        name: "--data",
        key: "data.dir",
        value: folder.display().to_string(),
    });
    let flags: Vec<Flag> = data.into_iter().collect();
    match config::load(arguments.config.as_deref(), context.environment, &flags) {
        Ok(loaded) => {
            let own = loaded.settings.iter().filter(|it| it.origin != Origin::Default).count();
            let finding = match own {
                0 => "sound, all defaults".to_owned(),
                own => format!("sound, {} of its own", super::output::counted(own, "setting")),
            };
            Ok((Check::ok("configuration", finding), loaded.config))
        }
        Err(problems) => {
            let defaults = config::load(None, &Environment::default(), &flags)?;
            let cure = "correct them; `rollcall config default` prints every setting";
            Ok((Check::fail("configuration", problems.to_string(), cure), defaults.config))
        }
    }
}

fn report(view: &View, checks: &[Check]) -> Output {
    let failed = checks.iter().any(|check| check.verdict == Verdict::Fail);
    let json: Vec<Value> = checks.iter().map(as_json).collect();
    let lines: Vec<String> = checks.iter().map(|check| check_text(view, check)).collect();
    Output::new(json!({ "healthy": !failed, "checks": json }), lines.concat()).failed_if(failed)
}

fn as_json(check: &Check) -> Value {
    json!({
        "name": check.name,
        "verdict": check.verdict.word(),
        "finding": check.finding,
        "cure": (!check.cure.is_empty()).then_some(&check.cure),
    })
}

fn check_text(view: &View, check: &Check) -> String {
    /// Where findings begin.
    const INDENT: usize = 22;
    // Padded before it is coloured: escapes have no width, but `{:<4}` counts them.
    let word = view.word(&format!("{:<4}", check.verdict.word()), check.verdict.tone());
    let finding = view.hanging(&check.finding, INDENT);
    let cure = match check.cure.as_str() {
        "" => String::new(),
        cure => format!("{:INDENT$}cure: {}\n", "", view.hanging(cure, INDENT + 6)),
    };
    format!("{word}  {:<14}  {finding}\n{cure}", check.name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::sections::Data;

    /// The settings of a data folder.
    pub(super) fn data(folder: &Path) -> Data {
        let value = folder.display().to_string();
        let flag = Flag { name: "--data", key: "data.dir", value };
        config::load(None, &Environment::default(), &[flag]).unwrap().config.data
    }

    #[test]
    fn a_report_lists_findings_with_their_cures_and_fails_with_the_worst() {
        let checks = [
            Check::ok("configuration", "sound, all defaults"),
            Check::warn("server", "no answer", "rollcall serve"),
        ];
        let fine = report(&View::for_tests(), &checks);
        assert_eq!(fine.code(), ExitCode::SUCCESS);
        assert_eq!(fine.json()["checks"][1]["cure"], "rollcall serve");
        assert_eq!(
            checks.map(|check| check_text(&View::for_tests(), &check)).concat(),
            "\
ok    configuration   sound, all defaults
warn  server          no answer
                      cure: rollcall serve
"
        );
        let failed = report(&View::for_tests(), &[Check::fail("master key", "gone", "restore it")]);
        assert_eq!(failed.code(), ExitCode::from(super::super::FAILURE));
        assert_eq!(failed.json()["healthy"], false);
    }
}

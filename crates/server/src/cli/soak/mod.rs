//! `rollcall soak`: kills the server without warning, again and again, under load, and holds it to every
//! answer it gave.
//!
//! The server is a process of its own on one data folder that lives through all rounds. A seed determines
//! what is asked and when the server is killed; what is under way at that moment is up to the machine.

mod chance;
mod check;
mod fuzz;
mod journal;
mod load;
mod report;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use service::ports::EntropyExt as _;

use super::audit::OpenTrail;
use super::rig::data;
use super::rig::server_process::ServerProcess;
use super::{print, threads};
use crate::entropy::OsEntropy;
use chance::Chance;
use check::Findings;
use load::Shared;
use report::Report;

const EXAMPLES: &str = "\
Examples:
  rollcall soak                                       200 rounds, about six minutes
  rollcall soak --rounds 20 --seconds-per-round 0.3   a first impression
  rollcall soak --seed 7 --json soak.json             the same choices again; figures for a program
  rollcall soak --fuzz 60                             60 s of hostile input for each reader, no server

Prints a row per ten rounds. Exit code 1, with the seed, if the server broke its word; the data folder is
then kept.";

/// Rounds in one row of the table; after each row everything is checked again from the beginning.
const ROUNDS_PER_ROW: u32 = 10;

/// Hashes as cheap as they can be: the run is about what is stored, not about guessing PINs.
const SETTINGS: &[(&str, &str)] =
    &[("ROLLCALL__HASHING__MEMORY_KIB", "8"), ("ROLLCALL__HASHING__PASSES", "1")];

/// Kill the server under load, again and again, and check that it keeps its word
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// How often the server is killed
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Longest life of the server under load, in seconds; it is killed after a quarter of it at least
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    seconds_per_round: Duration,
    /// Repeats the choices of an earlier run
    #[arg(long)]
    seed: Option<u64>,
    /// Instead of all that: feed the readers of queries, signatures and policies with mutated input, each
    /// for so long, and check what must hold
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    fuzz: Option<u64>,
    /// Where to make the data folder
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Also write the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let length = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let bounds = Duration::from_millis(100)..=Duration::from_mins(1);
    length.filter(|length| bounds.contains(length)).ok_or("0.1 to 60 seconds".to_owned())
}

pub(super) fn run(arguments: &Arguments, open: OpenTrail) -> anyhow::Result<ExitCode> {
    let seed = arguments.seed.unwrap_or_else(|| u64::from_le_bytes(OsEntropy.bytes::<8>()));
    if let Some(seconds) = arguments.fuzz {
        return fuzz::run(seed, Duration::from_secs(seconds)).map(|()| ExitCode::SUCCESS);
    }
    let runtime = threads::of_a_load()?;
    crate::tls::install_provider();
    let mut builder = tempfile::Builder::new();
    builder.prefix("rollcall-soak-");
    let mut folder = match &arguments.folder {
        Some(parent) => builder.tempdir_in(parent)?,
        None => builder.tempdir()?,
    };
    let mut report = Report::new(seed);
    let data = folder.path().join("data");
    let ended = runtime.block_on(soak(arguments, open, &data, seed, &mut report));
    if let Err(violation) = &ended {
        folder.disable_cleanup(true);
        report.violation = Some(format!("{violation:#}"));
    }
    print(&report.verdict(&data))?;
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report.to_json())?)
            .with_context(|| format!("cannot write {path}"))?;
    }
    Ok(if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(super::FAILURE) })
}

async fn soak(
    arguments: &Arguments,
    open: OpenTrail,
    folder: &Path,
    seed: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let rounds = arguments.rounds;
    let clients = usize::try_from(rounds)? * load::NUMBERS_PER_ROUND + 1;
    let mut run = Run {
        shared: Shared::new(data::clients(folder, clients).await?),
        findings: Findings::default(),
        chance: Chance::new(seed),
        open,
        folder,
    };
    let progress = progress_bar(rounds)?;
    let mut server = ServerProcess::start_with(folder, SETTINGS)?;
    print(&Report::header())?;
    for round in 1..=rounds {
        let row_ends = round % ROUNDS_PER_ROW == 0 || round == rounds;
        let done = run.round(server, arguments.seconds_per_round, row_ends, report).await;
        server = done.with_context(|| format!("round {round}"))?;
        progress.inc(1);
        if row_ends {
            let row = report.row(round, &run.shared, &run.findings);
            progress.suspend(|| print(&row))?;
        }
    }
    progress.finish_and_clear();
    server.stop().context("the last stop, in order")
}

struct Run<'a> {
    shared: Arc<Shared>,
    findings: Findings,
    chance: Chance,
    open: OpenTrail,
    folder: &'a Path,
}

impl Run<'_> {
    /// Load, crash, restart, check; gives back the restarted server.
    async fn round(
        &mut self,
        server: ServerProcess,
        longest: Duration,
        everything: bool,
        report: &mut Report,
    ) -> anyhow::Result<ServerProcess> {
        let millis = u64::try_from(longest.as_millis())?;
        let life = Duration::from_millis(millis / 4 + self.chance.below(millis * 3 / 4));
        load::until_killed(server, &self.shared, life, &mut self.chance).await?;
        let touched = self.shared.journal().touched();
        {
            let store = (self.open)(self.folder)?;
            self.findings.after_crash(&*store, &self.shared).await?;
        }
        let server = ServerProcess::start_with(self.folder, SETTINGS)?;
        report.started_in(server.started_in);
        let store = (self.open)(self.folder)?;
        self.findings.after_restart(&*store, &self.shared, &touched, everything).await?;
        check::ask_around(&server, &self.shared, &touched).await?;
        Ok(server)
    }
}

/// Shown on standard error if that is a terminal.
fn progress_bar(rounds: u32) -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:30} round {pos}/{len}, {eta} left")?;
    Ok(ProgressBar::new(rounds.into()).with_style(style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_neither_too_short_nor_endless() {
        assert_eq!(seconds("0.3"), Ok(Duration::from_millis(300)));
        for text in ["0", "-1", "61", "inf", "NaN", "1e300", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}

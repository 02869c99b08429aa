//! `rollcall bench`: how fast this machine registers numbers, as ratios to limits measured in the same
//! run.
//!
//! The server is a process of its own on a data folder made for the run; this process is the load. Both
//! share the machine, so every figure is a lower bound.

mod gateway;
mod load;
mod million;
mod probe;
mod provider;
mod report;
mod senders;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::rig::data;
use super::rig::server_process::ServerProcess;
use super::{Context, print, threads};
use report::{Report, Row};

const EXAMPLES: &str = "\
Examples:
  rollcall bench                        about two minutes; prints a table
  rollcall bench --seconds 3 --quick    a first impression, without the million numbers
  rollcall bench --json bench.json      the figures for a program, besides the table
  rollcall bench senders                codes on their way to a provider instead
  rollcall bench gateway                what forwarding adds to a registrar's own answers

Traffic stays on loopback. The data folder is made for the run and removed after it.";

/// Callers at once, each on a connection of its own.
const CONNECTIONS: usize = 64;

/// Turns in which what is measured and its limit are taken: a machine that is faster one minute than the next is so
/// to both.
const TURNS: u32 = 4;

/// Measure durable registrations per second against limits of this machine
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Length of each measurement
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Leave out the database of a million numbers
    #[arg(long)]
    quick: bool,
    /// Where to make the data folder; its disk is the one that is measured
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Also write the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

/// What to measure instead of registrations.
#[derive(Debug, Subcommand)]
enum What {
    Gateway(gateway::Arguments),
    Senders(senders::Arguments),
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    match &arguments.what {
        Some(What::Gateway(arguments)) => gateway::run(arguments, context),
        Some(What::Senders(arguments)) => senders::run(arguments, context),
        None => report_of(measure(arguments), arguments.json.as_deref()),
    }
}

/// Measures, prints, and says by the exit code whether everything was held.
fn report_of(
    measuring: impl Future<Output = anyhow::Result<Report>>,
    json: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let runtime = threads::of_a_load()?;
    crate::tls::install_provider();
    let report = runtime.block_on(measuring)?;
    print(&report.to_table())?;
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_vec_pretty(&report.to_json())?)
            .with_context(|| format!("cannot write {path}"))?;
    }
    Ok(if report.all_held() { ExitCode::SUCCESS } else { ExitCode::from(super::FAILURE) })
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let length = Duration::from_secs(arguments.seconds);
    let folder = folder(arguments.folder.as_deref())?;
    let mut report = Report::new();

    progress("flush of the disk")?;
    let flush = probe::flush(folder.path())?;
    report.note("one flush of 4 KiB appended, median", format!("{} µs", flush.as_micros()));

    // As many as the fastest server could register in both measurements.
    let clients = usize::try_from(arguments.seconds)? * 24_000;
    progress(&format!("data folder with {clients} clients"))?;
    let data = folder.path().join("data");
    let tokens = data::clients(&data, clients).await?;
    let server = ServerProcess::start(&data)?;
    report.note("start-up on this folder", format!("{} ms", server.started_in.as_millis()));

    progress("requests that do nothing and registrations, as many as go, in turns")?;
    let before = server.store_counters().await?;
    let mut work = load::Registrations::new(&server, tokens).await?;
    let (mut nothing, mut full) = (load::Outcome::default(), load::Outcome::default());
    let (mut nothing_time, mut full_time) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..TURNS {
        let begun = server.processor_time()?;
        nothing.add(load::nothing(&server, CONNECTIONS, length / TURNS).await?);
        let between = server.processor_time()?;
        full.add(work.run(CONNECTIONS, length / TURNS, None).await?);
        nothing_time += between.saturating_sub(begun);
        full_time += server.processor_time()?.saturating_sub(between);
    }
    let no_op_cost = nothing.cost_us(nothing_time);
    report.note("no-op requests per second", format!("{:.0}", nothing.per_second()));
    let cost = full.cost_us(full_time);
    let after = server.store_counters().await?;
    let limit = nothing.per_second() / 2.0;
    let share = full.per_second() / limit;
    report.note("registrations per second", format!("{:.0}", full.per_second()));
    report.row(Row::at_least("registrations, share of no-op rate / 2", share, 0.20));
    // Steadier than a rate on a machine that others use, too.
    report.note("processor time of the server for a no-op", format!("{no_op_cost:.1} µs"));
    report.note("processor time of the server for a registration", format!("{cost:.0} µs"));
    let batch = (after.units - before.units) / (after.transactions - before.transactions).max(1.0);
    report.row(Row::at_least("commits per flush at 64 connections", batch, 20.0));
    report.note("p50 / p99 at full load", format!("{} / {} ms", full.ms(0.5), full.ms(0.99)));

    progress("registrations at half of that")?;
    let half = work.run(CONNECTIONS, length, Some(full.per_second() / 2.0)).await?;
    report.note("p50 at half load", format!("{} ms", half.ms(0.5)));
    report.row(Row::at_most("p99 at half load, ms", half.quantile_ms(0.99), 60.0));
    report.note("resident memory of the server", format!("{} MiB", server.resident_mib()?));
    server.stop()?;

    if !arguments.quick {
        million::measure(folder.path(), length, &mut report).await?;
    }
    Ok(report)
}

/// A folder for the run, removed when it is dropped.
fn folder(parent: Option<&Path>) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("rollcall-bench-");
    match parent {
        Some(parent) => builder.tempdir_in(parent),
        None => builder.tempdir(),
    }
}

/// Says on standard error what is being measured, so that standard output stays the table.
fn progress(what: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "measuring: {what} …")
}

#[expect(clippy::disallowed_methods, reason = "this is a measurement")]
fn now() -> Instant {
    Instant::now()
}

//! `rollcall bench gateway`: what a gateway adds to the answers of the registrar upstream.
//!
//! Three processes: this one is the load, one Rollcall is the registrar, one forwards to it with `meta`. The
//! same requests of the Graph dialect go to the registrar itself and through the gateway, in turns. Requests
//! leave on time, whatever has become of those before (an open loop). Numbers are in accounts of twenty, as
//! Meta's are, and both sides have met them before the clock runs. A PIN's hash is as cheap as can be on both
//! sides, since it is the PIN's price and not the way's; with its real cost the registration is shown beside.

mod open_loop;
mod stage;

use core::time::Duration;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::progress;
use super::report::{Report, Row};
use crate::cli::Context;
use open_loop::Seen;
use stage::{Hashes, Side, Stage};

const EXAMPLES: &str = "\
Examples:
  rollcall bench gateway                   under a minute; prints a table
  rollcall bench gateway --seconds 2       a first impression
  rollcall bench gateway --json gate.json  the figures for a program, besides the table

Traffic stays on loopback. The data folders are made for the run and removed after it.";

/// Turns of each side: so many that a moment of noise strikes both.
const TURNS: u32 = 3;

/// Before the first turn, so that nothing is met for the first time in one.
const WARM_UP: Duration = Duration::from_secs(1);

/// Requests a second where a PIN's hash costs what it does by default: some 20 ms of a core, on both sides.
const RATE_WITH_HASHES: f64 = 15.0;

/// Measure what forwarding adds to the registrar's own answers
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Length of each of the six turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Requests a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=2000))]
    rate: u32,
    /// Where to make the data folders; their disk takes part in the measurement
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Also write the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
}

pub(super) fn run(arguments: &Arguments, _context: &Context<'_>) -> anyhow::Result<ExitCode> {
    super::report_of(measure(arguments), arguments.json.as_deref())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let length = Duration::from_secs(arguments.seconds);
    let folder = super::folder(arguments.folder.as_deref())?;
    let mut report = Report::new();
    progress("flush of the disk")?;
    let flush = super::probe::flush(folder.path())?;
    report.note("one flush of 4 KiB appended, median", format!("{} µs", flush.as_micros()));

    progress("two servers, one behind the other, and their numbers")?;
    let rate = f64::from(arguments.rate);
    let numbers = numbers(rate, length * TURNS + WARM_UP);
    let mut stage = Stage::set(&folder.path().join("cheap"), numbers, Hashes::Cheap).await?;

    progress("registrations: a code, its confirmation, the registration with a PIN")?;
    for side in [Side::Direct, Side::Gateway] {
        stage.registrations(side, rate, WARM_UP).await?;
    }
    let (mut direct, mut through) = (Seen::default(), Seen::default());
    for _ in 0..TURNS {
        direct.add(stage.registrations(Side::Direct, rate, length).await?);
        through.add(stage.registrations(Side::Gateway, rate, length).await?);
    }
    report.note("requests a second, each way", format!("{:.0}", through.per_second()));
    report.note("requests measured, each way", through.len().to_string());
    for (what, (direct, through)) in KINDS.iter().zip(direct.0.iter().zip(&through.0)) {
        told(&mut report, what, direct, through);
    }
    let (direct, through) = (direct.all(), through.all());
    told(&mut report, "all", &direct, &through);
    let added = |q| through.quantile_ms(q) - direct.quantile_ms(q);
    report.row(Row::at_most("added by the gateway, median, ms", added(0.5), 2.0));
    report.row(Row::at_most("added by the gateway, p99, ms", added(0.99), 10.0));
    report.note("resident memory of the gateway", format!("{} MiB", stage.gateway_mib()?));
    stage.stop()?;

    progress("the same where a PIN's hash costs what it does by default")?;
    let numbers = self::numbers(RATE_WITH_HASHES, length);
    let mut stage = Stage::set(&folder.path().join("default"), numbers, Hashes::Default).await?;
    let direct = stage.registrations(Side::Direct, RATE_WITH_HASHES, length).await?;
    let through = stage.registrations(Side::Gateway, RATE_WITH_HASHES, length).await?;
    told(&mut report, "registered, hash of default cost", &direct.0[2], &through.0[2]);
    stage.stop()?;
    Ok(report)
}

const KINDS: [&str; 3] = ["code requested", "code confirmed", "registered"];

/// Numbers that one side uses in so much time, three requests each.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "few and positive")]
fn numbers(rate: f64, span: Duration) -> usize {
    // Each turn may begin with one more than its length has room for.
    (span.as_secs_f64() * rate / 3.0).ceil() as usize + TURNS as usize + 2
}

/// Both sides of a figure, as context.
fn told(
    report: &mut Report,
    what: &str,
    direct: &super::load::Outcome,
    through: &super::load::Outcome,
) {
    let shown = |outcome: &super::load::Outcome| {
        format!("{:.2} / {:.2} ms", outcome.quantile_ms(0.5), outcome.quantile_ms(0.99))
    };
    report.note(&format!("{what}: registrar itself, p50 / p99"), shown(direct));
    report.note(&format!("{what}: through the gateway, p50 / p99"), shown(through));
}

//! `cargo sim`: simulates seeds until one shows that an invariant does not hold.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use simulator::run::{Plan, Report, run};
use simulator::sabotage::Sabotage;

/// Simulates Rollcall under faults and checks its invariants after every step.
#[derive(Debug, Parser)]
#[command(name = "cargo sim")]
struct Options {
    /// First seed; the same seed and number of steps repeat a run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps per seed.
    #[arg(long, default_value_t = 5_000)]
    steps: u64,
    /// How many seeds to run, counted up from the first.
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// Let the clock run past leases while their workers have not begun.
    #[arg(long)]
    stalls: bool,
    /// One JSON object per seed instead of text.
    #[arg(long)]
    json: bool,
}

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    let mut out = io::stdout().lock();
    for seed in (0..options.seeds).map(|more| options.seed.wrapping_add(more)) {
        if !options.json {
            writeln!(out, "seed {seed}: {} steps", options.steps)?;
            out.flush()?;
        }
        let (steps, stalls) = (options.steps, options.stalls);
        let report = run(Plan { seed, steps, stalls, sabotage: Sabotage::None });
        if options.json {
            writeln!(out, "{}", as_json(seed, options.steps, &report))?;
        } else {
            show(&mut out, seed, &report)?;
        }
        if report.violation.is_some() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(out: &mut impl io::Write, seed: u64, report: &Report) -> io::Result<()> {
    let Some((step, violation)) = &report.violation else {
        let tally: Vec<_> = report.tally.iter().map(|(what, n)| format!("{what} {n}")).collect();
        return writeln!(out, "  {}", tally.join(", "));
    };
    for line in &report.last_steps {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "seed {seed}, step {step}: {violation}")
}

fn as_json(seed: u64, steps: u64, report: &Report) -> serde_json::Value {
    let violation = report.violation.as_ref().map(|(step, violation)| {
        json!({
            "step": step,
            "invariant": violation.invariant,
            "what": violation.what,
            "last_steps": report.last_steps,
        })
    });
    json!({ "seed": seed, "steps": steps, "tally": report.tally, "violation": violation })
}

//! `rollcall bench senders`: how soon a code is on its way to a provider, and how the outbox is emptied
//! after the provider was away.

use core::time::Duration;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Args;
use http::StatusCode;

use super::load::Outcome;
use super::provider::Provider;
use super::report::{Report, Row};
use super::{now, progress};
use crate::cli::Context;
use crate::cli::rig::connection::Connection;
use crate::cli::rig::data::{self, Token};
use crate::cli::rig::foreign_certificate;
use crate::cli::rig::server_process::ServerProcess;

/// Pause between them: the server is idle.
const PAUSE: Duration = Duration::from_millis(20);

/// Codes ordered in each minute that the provider is away.
const PER_MINUTE: usize = 100;

/// Minutes that a code lives.
const LIFETIME: usize = 10;

/// Most sends of the outbox under way at once (`DRAIN_MAX` of the worker).
const AT_ONCE: f64 = 64.0;

/// Longest for which the outbox is waited for: a rest of the sender, and a pause of a send.
const PATIENCE: Duration = Duration::from_mins(2);

const EXAMPLES: &str = "\
Examples:
  rollcall bench senders                about a minute; prints a table
  rollcall bench senders --json b.json  the figures for a program, besides the table";

/// Measure hand-over to a provider: its latency, and the time after an outage
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Codes ordered one by one
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..))]
    singles: u16,
    /// How long the provider is away, by a clock that is turned
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=10))]
    minutes: u8,
    /// Where to make the data folder
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
    let folder = super::folder(arguments.folder.as_deref())?;
    let mut report = Report::new();
    let provider = Provider::start().await?;
    progress("data folder")?;
    let data = folder.path().join("data");
    let (singles, minutes) = (usize::from(arguments.singles), usize::from(arguments.minutes));
    let tokens = data::clients(&data, singles + minutes * PER_MINUTE).await?;
    let url = provider.url();
    let server = ServerProcess::start_with(
        &data,
        &[
            ("ROLLCALL__SENDERS__MAIN__TYPE", "http"),
            ("ROLLCALL__SENDERS__MAIN__URL", &url),
            ("ROLLCALL__SENDERS__MAIN__FORM__TO", "{{ to }}"),
            ("ROLLCALL__SENDERS__MAIN__FORM__TEXT", "{{ text }}"),
            ("ROLLCALL__FUSES__MODE", "off"),
            // Each try during the outage would be a warning.
            ("ROLLCALL__LOG__LEVEL", "error"),
        ],
    )?;
    let mut caller = Caller {
        connection: Connection::open(server.address).await?,
        tokens,
        certificate: foreign_certificate(),
        place: 0,
    };
    one_by_one(singles, &mut caller, &provider, &mut report).await?;
    outage(minutes, &mut caller, &provider, &mut report).await?;
    server.stop()?;
    Ok(report)
}

/// From the order to the provider's socket. The commit lies in between, so this bounds from above what
/// passes between the commit and the wire.
async fn one_by_one(
    singles: usize,
    caller: &mut Caller,
    provider: &Provider,
    report: &mut Report,
) -> anyhow::Result<()> {
    progress("codes one by one")?;
    let begun = now();
    let (mut answers, mut hand_overs) = (Vec::new(), Vec::new());
    for _ in 0..singles {
        let asked = now();
        let number = caller.order().await?;
        answers.push(asked.elapsed());
        hand_overs.push(provider.arrival(&number, PATIENCE).await?.duration_since(asked));
        tokio::time::sleep(PAUSE).await;
    }
    let answers = Outcome::of(begun.elapsed(), answers);
    let wire = Outcome::of(begun.elapsed(), hand_overs);
    report
        .note("p50 / p99 of the answer", format!("{} / {} ms", answers.ms(0.5), answers.ms(0.99)));
    report.note("p50 from order to wire, commit included", format!("{} ms", wire.ms(0.5)));
    report.row(Row::at_most("p99 from order to wire, ms", wire.quantile_ms(0.99), 50.0));
    Ok(())
}

/// Minutes without the provider, by turning the clock, and what follows.
async fn outage(
    minutes: usize,
    caller: &mut Caller,
    provider: &Provider,
    report: &mut Report,
) -> anyhow::Result<()> {
    progress(&format!("an outage, {minutes} minutes long"))?;
    provider.go_away();
    let mut ordered = Vec::new();
    for _ in 0..minutes {
        for _ in 0..PER_MINUTE {
            ordered.push(caller.order().await?);
        }
        caller.advance(Duration::from_mins(1)).await?;
        // For those that are due now to be tried.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    report.note("codes ordered during the outage", ordered.len().to_string());
    report.note("requests at the provider meanwhile", provider.turned_away().to_string());
    let (dead, living) = ordered.split_at(if minutes < LIFETIME { 0 } else { PER_MINUTE });
    progress("and the time after it")?;
    let back = provider.come_back();
    for number in living {
        provider.arrival(number, PATIENCE).await?;
    }
    let after = provider.since(back);
    let arrived = |number: &String| after.iter().any(|(_, to)| to == number);
    let last = after.iter().map(|(at, _)| *at).max().unwrap_or_default();
    let first = after.iter().map(|(at, _)| *at).min().unwrap_or_default();
    report.note("first code after the provider's return", format!("{:.1} s", first.as_secs_f64()));
    report.note("last code after the provider's return", format!("{:.1} s", last.as_secs_f64()));
    let twice = after.len() - living.iter().filter(|number| arrived(number)).count();
    report.row(Row::at_most("codes sent twice, or dead", count(twice), 0.0));
    ensure!(!dead.iter().any(arrived), "a dead code was sent");
    report.row(Row::at_most(
        "codes at the provider at once",
        count(provider.most_at_once()),
        AT_ONCE,
    ));
    let busiest = count(busiest_second(&after)) / count(after.len());
    report.row(Row::at_most("share of them in the busiest second", busiest, 0.5));
    Ok(())
}

/// Most arrivals within any one second.
fn busiest_second(arrivals: &[(Duration, String)]) -> usize {
    let mut times: Vec<Duration> = arrivals.iter().map(|(at, _)| *at).collect();
    times.sort_unstable();
    let within = |from: &Duration| {
        let end = *from + Duration::from_secs(1);
        times.partition_point(|at| *at < end) - times.partition_point(|at| at < from)
    };
    times.iter().map(within).max().unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^52")]
fn count(count: usize) -> f64 {
    count as f64
}

/// Orders codes, each for a number and by a client that were not used before.
struct Caller {
    connection: Connection,
    tokens: Vec<Token>,
    certificate: String,
    place: usize,
}

impl Caller {
    async fn order(&mut self) -> anyhow::Result<String> {
        let (cc, national) = data::number(self.place);
        let Token { client, token } = &self.tokens[self.place];
        self.place += 1;
        let body = format!(
            r#"{{"cc":"{cc}","phone_number":"{national}","method":"sms","cert":"{}"}}"#,
            self.certificate
        );
        let path = format!("/clients/{client}/v1/account");
        let (status, text) = self.connection.ask("POST", &path, Some(token), body).await?;
        let text = String::from_utf8_lossy(&text);
        ensure!(status == StatusCode::ACCEPTED, "{path}: {status} {text}");
        Ok(format!("+{cc}{national}"))
    }

    async fn advance(&mut self, by: Duration) -> anyhow::Result<()> {
        let body = format!(r#"{{"advance_seconds":{}}}"#, by.as_secs());
        let (status, _) = self.connection.ask("POST", "/sandbox/v1/clock", None, body).await?;
        ensure!(status.is_success(), "the clock answered {status}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_is_any_second() {
        let at = |millis: &[u64]| -> Vec<(Duration, String)> {
            millis.iter().map(|it| (Duration::from_millis(*it), String::new())).collect()
        };
        assert_eq!(busiest_second(&at(&[])), 0);
        assert_eq!(busiest_second(&at(&[0, 900, 1000, 1899, 1900, 5000])), 3);
    }
}

//! `rollcall import`: many numbers from a list, each from nothing to registered.
//!
//! Over the operator's API alone, as `rollcall register` does it for one. First the whole list is checked;
//! then each row goes its way (`onboard.rs`), several at once, and a journal remembers how each ended.

mod check;
mod codes;
mod desk;
mod faults;
mod journal;
mod onboard;
mod parties;
mod progress;
mod results;
mod rows;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use futures_util::StreamExt as _;
use futures_util::stream;
use registration::CodeMethod;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::client::{self, Client, Connection, Failure};
use super::output::{Output, View, counted};
use super::{Context, terminal};
use crate::config::duration;
use check::{Checked, Presets, Row};
use codes::{Codes, Source};
use desk::{Behaviour, Desk};
use faults::Fault;
use journal::{Ending, Histories, Journal, Outcome};
use progress::{Form, Progress};
pub(super) use results::csv_cell;
use results::{Results, RowResult};
pub(super) use rows::Format;

/// Most rows under way at once: more than a server with one writer gains from.
const CONCURRENCY_MAX: u16 = 256;

const EXAMPLES: &str = "\
Examples:
  rollcall import numbers.csv --check                what is wrong with the list, if anything
  rollcall import numbers.csv                        a sandbox: codes are taken from its inbox
  rollcall import numbers.csv --codes prompt         codes are typed in, one number after the other
  rollcall import numbers.csv --codes codes.csv      lines NUMBER,CODE, also those added later
  rollcall import numbers.csv --codes webhook:127.0.0.1:8099/SECRET
  crm-export | rollcall import - --format jsonl --waba 102290129340398

The list has the columns number, name, and, where wanted, waba, client, method (sms or voice), locale, pin
(the number's two-step PIN, where it has one), set_pin (switch two-step verification on). Nothing is changed
if any row is wrong, unless --skip-invalid is given. What was begun is noted in FILE.journal: after Ctrl-C,
a crash or a refusal the same command goes on where it was. FILE.result.csv has a row per number.

Exit codes: 0 all are registered; 1 some failed, or the list is wrong; 3 rules refused some; 130 stopped by
Ctrl-C.";

/// Register all numbers of a list
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The list, CSV or JSON Lines; - is standard input
    file: PathBuf,
    /// Check the list and change nothing
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    leniency: Leniency,
    /// How the list is written, where its name does not tell
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    presets: RowPresets,
    /// Where the codes come from: inbox, prompt, FILE, - or webhook:ADDRESS:PORT/PATH
    #[arg(long, value_name = "SOURCE")]
    codes: Option<Source>,
    /// How long a row waits for its code
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration::parse)]
    code_timeout: Duration,
    /// Longest wait that a rule may ask for; rows that would wait longer are left for another run
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration::parse)]
    max_wait: Duration,
    /// How long the server may be gone before the import gives up
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration::parse)]
    patience: Duration,
    /// Rows under way at once; 16, or 1 where codes are typed in
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(CONCURRENCY_MAX)))]
    concurrency: Option<u16>,
    /// Where it is noted what was done; FILE.journal if absent
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Where a row per number is written, CSV or JSON Lines by its ending; FILE.result.csv if absent
    #[arg(long, value_name = "FILE")]
    result: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// What is not done unless it is asked for.
#[derive(Debug, Args)]
struct Leniency {
    /// Pass over rows that are wrong
    #[arg(long)]
    skip_invalid: bool,
    /// Pass over columns that nobody knows
    #[arg(long)]
    ignore_unknown: bool,
    /// Move numbers that are registered for somebody else
    #[arg(long)]
    take_over: bool,
}

/// What rows have that do not say otherwise.
#[derive(Debug, Args)]
#[command(next_help_heading = "For rows that do not say otherwise")]
struct RowPresets {
    /// Display name
    #[arg(long)]
    name: Option<String>,
    /// The WABA that shall hold the numbers; may be absent where there is only one
    #[arg(long)]
    waba: Option<String>,
    /// How codes travel; by sms to numbers that take it, else by voice, if absent
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Language of the messages, as de or pt-BR
    #[arg(long)]
    locale: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    Sms,
    Voice,
}

/// The list, read and checked.
struct List {
    rows: Vec<Row>,
    faults: Vec<Fault>,
    /// Rows of the file, sound or not.
    total: usize,
    /// Why the server could not be asked about WABAs and clients.
    unasked: Option<Failure>,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let stdin_twice = arguments.file.as_os_str() == "-"
        && matches!(&arguments.codes, Some(Source::Prompt | Source::File(_)) if uses_stdin(arguments));
    if stdin_twice {
        bail!("the list is read from standard input already; name another source of codes");
    }
    client::run(&arguments.connection, context, async |client, view| {
        let list = read(arguments, client).await?;
        if arguments.check {
            return Ok(list.report(view, &arguments.file));
        }
        if let Some(failure) = list.unasked {
            return Err(failure);
        }
        if !list.faults.is_empty() && !arguments.leniency.skip_invalid {
            return Ok(list.report(view, &arguments.file));
        }
        if !list.faults.is_empty() && !context.json {
            eprint!("{}", faults::table(view, &list.faults));
        }
        import(arguments, client, view, list, context.json).await
    })
}

fn uses_stdin(arguments: &Arguments) -> bool {
    match &arguments.codes {
        Some(Source::Prompt) => true,
        Some(Source::File(path)) => path.as_os_str() == "-",
        Some(Source::Inbox | Source::Webhook(..)) | None => false,
    }
}

/// Reads and checks the whole list.
async fn read(arguments: &Arguments, client: &Client) -> Result<List, Failure> {
    let format = format(arguments);
    let bytes = codes::read_all(&arguments.file)?;
    let contents = rows::read(&bytes, format, arguments.leniency.ignore_unknown);
    let presets = &arguments.presets;
    let presets = Presets {
        name: presets.name.clone(),
        waba: presets.waba.clone(),
        method: presets.method.map(|method| match method {
            Method::Sms => CodeMethod::Sms,
            Method::Voice => CodeMethod::Voice,
        }),
        locale: presets.locale.clone(),
    };
    let total = contents.rows.len() + contents.unreadable.len();
    let Checked { rows, faults } = check::check(&contents.rows, &presets);
    let mut faults = [contents.faults, faults].concat();
    let (rows, unasked) = match parties::settle(client, rows.clone()).await {
        Ok((rows, more)) => {
            faults.extend(more);
            (rows, None)
        }
        Err(failure) => (rows, Some(failure)),
    };
    faults.sort_by_key(|fault| fault.line);
    if total == 0 && faults.is_empty() {
        faults.push(Fault::whole_file("there is no row in it"));
    }
    Ok(List { rows, faults, total, unasked })
}

fn format(arguments: &Arguments) -> Format {
    arguments.format.unwrap_or_else(|| Format::of_name(&arguments.file.to_string_lossy()))
}

impl List {
    /// What is wrong with the list, if anything.
    fn report(self, view: &View, file: &Path) -> Output {
        let json = json!({
            "rows": self.total,
            "sound": self.rows.len(),
            "faults": self.faults.iter().map(Fault::to_json).collect::<Vec<_>>(),
            "server_asked": self.unasked.is_none(),
        });
        let unasked = match &self.unasked {
            Some(failure) => {
                format!("The server was not asked about WABAs and clients: {failure}\n")
            }
            None => String::new(),
        };
        let text = if self.faults.is_empty() {
            format!("{}: {}, nothing wrong.\n", file.display(), counted(self.total, "row"))
        } else {
            format!(
                "{}{}: {} in {}. Nothing was changed; --skip-invalid passes over rows that are wrong.\n",
                faults::table(view, &self.faults),
                file.display(),
                counted(self.faults.len(), "fault"),
                counted(self.total, "row"),
            )
        };
        Output::new(json, text + &unasked).failed_if(!self.faults.is_empty())
    }
}

/// Registers the rows of a list that was checked.
async fn import(
    arguments: &Arguments,
    client: &Client,
    view: &View,
    list: List,
    quiet: bool,
) -> Result<Output, Failure> {
    let status = client.get("/status", &[]).await?;
    let sandbox = status["mode"] == "sandbox";
    let source = source(arguments, sandbox)?;
    let beside = |ending: &str| beside(&arguments.file, ending);
    let journal_path = arguments.journal.clone().unwrap_or_else(|| beside("journal"));
    let results_path = arguments
        .result
        .clone()
        .unwrap_or_else(|| beside(&format!("result.{}", format(arguments).ending())));
    let (journal, histories) = Journal::open(&journal_path, client.base().as_str())?;
    let codes = Codes::open(&source, client).await?;
    let (done, open) = divide(list.rows, &histories);
    let total = (done.len() + open.len()) as u64;
    let progress =
        Progress::begin(total, done.len() as u64, Form::of(quiet, source == Source::Prompt))?;
    let behaviour = Behaviour {
        max_wait: arguments.max_wait,
        code_timeout: arguments.code_timeout,
        patience: arguments.patience,
        take_over: arguments.leniency.take_over,
    };
    let (stopping, _) = watch::channel(false);
    stop_on_signals(stopping.clone())?;
    let shown = (&progress, view);
    let desk = Desk::new(client, &journal, &codes, shown, (behaviour, sandbox), stopping);
    let at_once = arguments.concurrency.map_or_else(|| codes.concurrency(), usize::from);
    let ended: Vec<RowResult> = stream::iter(open)
        .map(async |(row, codes)| {
            let (ending, codes) = if desk.is_stopping() {
                (Ending::saying(Outcome::NotReached, "the import was stopped before"), codes)
            } else {
                onboard::onboard(&desk, &row, codes).await
            };
            RowResult::of(&row, ending, codes)
        })
        .buffer_unordered(at_once)
        .collect()
        .await;
    progress.finish();
    let mut results = Results {
        before: done.len(),
        rows: [done, ended].concat(),
        faults: list.faults,
        took: progress.elapsed(),
        stopped: desk.is_stopping(),
    };
    results.write(&results_path, Format::of_name(&results_path.to_string_lossy()))?;
    if let Some(broken) = desk.broken() {
        return Err(Failure::Other(broken));
    }
    drop(journal);
    if results.is_complete() {
        // All there is to know stands in the results; another run asks the server afresh.
        std::fs::remove_file(&journal_path).context("cannot remove the journal")?;
    }
    let text = results.to_text(view, &results_path);
    let json = results.to_json(&results_path);
    Ok(Output::new(json, text).with_code(results.code()))
}

/// Where the codes come from, if it was not said.
fn source(arguments: &Arguments, sandbox: bool) -> anyhow::Result<Source> {
    match &arguments.codes {
        Some(source) => Ok(source.clone()),
        None if sandbox => Ok(Source::Inbox),
        None if terminal::somebody_is_there() => Ok(Source::Prompt),
        None => bail!("say with --codes where the codes come from; there is no terminal to ask at"),
    }
}

/// A file beside the list.
fn beside(list: &Path, ending: &str) -> PathBuf {
    if list.as_os_str() == "-" {
        return PathBuf::from(format!("rollcall-import.{ending}"));
    }
    let mut name = list.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    PathBuf::from(name)
}

/// The rows that earlier runs registered, and the others with the codes that were ordered for them.
fn divide(rows: Vec<Row>, histories: &Histories) -> (Vec<RowResult>, Vec<(Row, u32)>) {
    let (mut done, mut open) = (Vec::new(), Vec::new());
    for row in rows {
        let history = histories.get(&(row.number.to_string(), row.party()));
        let codes = history.map_or(0, |history| history.codes);
        match history.and_then(|history| history.ending.clone()) {
            Some(ending) if ending.outcome.is_done() => {
                done.push(RowResult::of(&row, ending, codes));
            }
            _ => open.push((row, codes)),
        }
    }
    (done, open)
}

/// The first Ctrl-C ends the run in order, the second at once.
fn stop_on_signals(stopping: watch::Sender<bool>) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if stopping.send_replace(true) {
                // The journal is flushed line by line: nothing is lost.
                std::process::exit(130);
            }
            eprintln!(
                "Stopping: what is under way is finished or left as it is; Ctrl-C again ends at once."
            );
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_beside_the_list() {
        assert_eq!(
            beside(Path::new("a/numbers.csv"), "journal"),
            Path::new("a/numbers.csv.journal")
        );
        let stdin = beside(Path::new("-"), "result.csv");
        assert_eq!(stdin, Path::new("rollcall-import.result.csv"));
    }
}

//! `rollcall export`

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Map, Value};

use super::Context;
use super::client::{self, Client, Connection, Failure};
use super::import::{Format, csv_cell};
use super::numbers::Filter;
use super::output::View;
use crate::files::Draft;

/// Numbers in a request: the most that the operator's API gives.
const STRIDE: u64 = 200;

const EXAMPLES: &str = "\
Examples:
  rollcall export > numbers.csv
  rollcall export --output numbers.jsonl --account acme --registered true
  rollcall export --output old.csv --waba 102290129340398
  rollcall import old.csv --server https://new.example      the same numbers elsewhere

The columns number, name, waba and client are those of `rollcall import`; the others inform and are passed
over there. PINs are nowhere readable, so they are not exported.";

/// Write all numbers with their state into a list that `import` takes
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Where to; standard output if absent or -. The file stands there only once it is whole
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How; by the ending of --output if absent, else CSV, with --json JSON Lines
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    connection: Connection,
}

const COLUMNS: [&str; 10] = [
    "number",
    "name",
    "waba",
    "client",
    "state",
    "platform",
    "registered_since",
    "two_step",
    "locked",
    "other_wabas",
];

impl Arguments {
    /// The file to write; `None` for standard output.
    fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| path.as_os_str() != "-")
    }
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let format = arguments.format.unwrap_or_else(|| match arguments.file() {
        Some(path) => Format::of_name(&path.to_string_lossy()),
        None if context.json => Format::Jsonl,
        None => Format::Csv,
    });
    let client = Client::new(&arguments.connection, context)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match arguments.file() {
            None => write(&client, arguments, format, &mut io::stdout().lock()).await,
            Some(path) => {
                let cannot = |error| {
                    anyhow::Error::from(error).context(format!("cannot write {}", path.display()))
                };
                let mut draft = Draft::begin(path).map_err(cannot)?;
                let count = write(&client, arguments, format, &mut draft).await?;
                draft.finish().map_err(cannot)?;
                eprintln!("{count} in {}", path.display());
                Ok(count)
            }
        }
    });
    match done {
        Ok(_) => Ok(ExitCode::SUCCESS),
        // Whoever read it has seen enough.
        Err(Failure::Other(error)) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(failure) => client::finish(Err(failure), context.json, &View::of(context)),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Writes page by page, so that millions of numbers take no memory. Gives how many there were.
async fn write(
    client: &Client,
    arguments: &Arguments,
    format: Format,
    to: &mut impl Write,
) -> Result<u64, Failure> {
    let progress = ProgressBar::new_spinner();
    if !io::stderr().is_terminal() || arguments.file().is_none() {
        progress.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let mut lines = Lines::begin(format, to)?;
    let (mut count, mut after) = (0, None);
    loop {
        let mut query = arguments.filter.query().to_vec();
        query.extend([("limit", Some(STRIDE.to_string())), ("after", after)]);
        let page = client.get("/numbers", &query).await?;
        for number in page["items"].as_array().into_iter().flatten() {
            lines.write(&row(number))?;
            count += 1;
        }
        progress.set_message(format!("{count} numbers"));
        progress.tick();
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            lines.finish()?;
            progress.finish_and_clear();
            return Ok(count);
        }
    }
}

/// A number as a row. Its party is that of the registration, else that of the oldest claim.
fn row(number: &Value) -> [Value; COLUMNS.len()] {
    let held = &number["registration"];
    let wabas = number["wabas"].as_array().map(Vec::as_slice).unwrap_or_default();
    let waba = if held.is_object() { &held["waba"] } else { wabas.first().unwrap_or(&Value::Null) };
    let others: Vec<&str> =
        wabas.iter().filter(|other| *other != waba).filter_map(Value::as_str).collect();
    let others = if others.is_empty() { Value::Null } else { others.join(" ").into() };
    [
        number["number"].clone(),
        number["name"].clone(),
        waba.clone(),
        held["client"].clone(),
        number["state"].clone(),
        held["platform"].clone(),
        held["since"].clone(),
        number["two_step"].clone(),
        number["locked"].clone(),
        others,
    ]
}

/// Rows on their way to a file.
enum Lines<'a, W: Write> {
    Csv(Box<csv::Writer<&'a mut W>>),
    Jsonl(&'a mut W),
}

impl<'a, W: Write> Lines<'a, W> {
    fn begin(format: Format, to: &'a mut W) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Jsonl => Self::Jsonl(to),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(to);
                writer.write_record(COLUMNS)?;
                Self::Csv(Box::new(writer))
            }
        })
    }

    fn write(&mut self, row: &[Value; COLUMNS.len()]) -> anyhow::Result<()> {
        match self {
            Self::Csv(writer) => writer.write_record(row.each_ref().map(csv_cell))?,
            Self::Jsonl(to) => {
                let names = COLUMNS.iter().map(|name| (*name).to_owned());
                let members: Map<String, Value> = names.zip(row.iter().cloned()).collect();
                serde_json::to_writer(&mut *to, &Value::Object(members))?;
                to.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush()?,
            Self::Jsonl(to) => to.flush()?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_a_row_of_whoever_holds_it() {
        let number = json!({
            "number": "+447700900123", "name": "Acme, \"Ltd\"", "state": "registered",
            "registration": {
                "claim": "9", "waba": "2", "platform": "ON_PREMISE", "client": "berlin",
                "since": "2027-01-15T08:00:00Z",
            },
            "wabas": ["1", "2", "3"], "two_step": true, "locked": false,
        });
        let unheld = json!({
            "number": "+447700900124", "name": null, "state": "unverified", "registration": null,
            "wabas": [], "two_step": false, "locked": false,
        });
        let mut text = Vec::new();
        let mut lines = Lines::begin(Format::Csv, &mut text).unwrap();
        lines.write(&row(&number)).unwrap();
        lines.write(&row(&unheld)).unwrap();
        lines.finish().unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "\
number,name,waba,client,state,platform,registered_since,two_step,locked,other_wabas
+447700900123,\"Acme, \"\"Ltd\"\"\",2,berlin,registered,ON_PREMISE,2027-01-15T08:00:00Z,true,false,1 3
+447700900124,,,,unverified,,,false,false,
"
        );
        let mut text = Vec::new();
        let mut lines = Lines::begin(Format::Jsonl, &mut text).unwrap();
        lines.write(&row(&unheld)).unwrap();
        lines.finish().unwrap();
        let object: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            (&object["number"], &object["two_step"]),
            (&json!("+447700900124"), &json!(false))
        );
    }
}

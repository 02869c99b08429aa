//! `rollcall names`

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure};
use super::numbers::path;
use super::output::{Output, View, counted, number, plain, text};

const EXAMPLES: &str = "\
Examples:
  rollcall names list                              names that wait for a verdict
  rollcall names approve +447700900123
  rollcall names decline +447700900123 --why format
  rollcall names approve +447700900123 --waba 102290129340398

Names wait where `names.review` is on, as in production. A registered number shows an approved name after
it was registered again, within 14 days.";

/// Approve or decline display names
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the names that wait
    List,
    /// Approve a name
    Approve(Named),
    /// Decline a name
    Decline {
        #[command(flatten)]
        named: Named,
        /// What is wrong with it; the caller is told
        #[arg(long, value_enum, default_value = "unknown")]
        why: Fault,
    },
}

#[derive(Debug, Args)]
struct Named {
    /// With country code, as +447700900123
    number: String,
    /// Whose claim, where several WABAs claim the number
    #[arg(long, value_name = "ID")]
    waba: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Fault {
    /// It is that of an employee
    Employee,
    /// It has nothing to do with the business
    Unrelated,
    /// It has a form that names do not have
    Format,
    /// It is that of a person
    Individual,
    /// The business is called otherwise elsewhere
    Inconsistent,
    /// None of these
    Unknown,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List => list(client, view).await,
        Command::Approve(named) => {
            let order = json!({ "waba": named.waba });
            verdict(client, named, "approve", &order, "is approved").await
        }
        Command::Decline { named, why } => {
            let why = why.to_possible_value().map(|value| value.get_name().to_owned());
            let order = json!({ "waba": named.waba, "why": why });
            verdict(client, named, "decline", &order, "is declined").await
        }
    })
}

async fn list(client: &Client, view: &View) -> Result<Output, Failure> {
    let numbers = client.all("/names", &[]).await?;
    let shown = list_text(view, &numbers);
    Ok(Output::new(json!({ "items": numbers }), shown))
}

async fn verdict(
    client: &Client,
    named: &Named,
    verb: &str,
    order: &Value,
    done: &str,
) -> Result<Output, Failure> {
    let address = format!("{}/name/{verb}", path(&named.number));
    let answer = client.post(&address, order.clone()).await?;
    let shown = format!("The name of {} {done}.", number(&answer["number"]["number"]));
    Ok(Output::new(answer, shown))
}

fn list_text(view: &View, numbers: &[Value]) -> String {
    if numbers.is_empty() {
        return "No name waits for a verdict.\n".to_owned();
    }
    let mut rows = Vec::new();
    for it in numbers {
        for name in it["names"].as_array().into_iter().flatten() {
            rows.push([
                plain(number(&it["number"])),
                plain(text(&name["waba"])),
                plain(text(&name["name"])),
                plain(text(&name["in_force"])),
            ]);
        }
    }
    let count = rows.len();
    let table = view.table(["NUMBER", "WABA", "NAME", "IN PLACE OF"], rows);
    format!("{table}{}\n", counted(count, "name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_which_name_shall_replace_which() {
        let name = |name: &str, in_force: Value| {
            json!({
                "waba": "102290129340398", "claim": "1", "name": name, "in_force": in_force,
                "asked_at": "2027-01-15T08:00:00Z",
            })
        };
        let names = [name("Jasper's Market", json!("Lucky Shrub")), name("Acme", Value::Null)];
        let numbers = [json!({ "number": "+447700900123", "names": names })];
        let shown = list_text(&View::for_tests(), &numbers);
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[0].starts_with("NUMBER"), "{shown}");
        assert!(lines[1].contains("Jasper's Market  Lucky Shrub"), "{shown}");
        assert_eq!(lines[3], "2 names");
        assert_eq!(list_text(&View::for_tests(), &[]), "No name waits for a verdict.\n");
    }
}

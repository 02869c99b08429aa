//! `rollcall operators`

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Connection, segment};
use super::output::{Output, View, counted, plain, text};
use super::users::gone;

const EXAMPLES: &str = "\
Examples:
  rollcall operators add eva --role operator       may do everything; the password is shown once
  rollcall operators add max                       an auditor: looks at everything, changes nothing
  rollcall operators reset eva                     a new password, shown once; all logins of eva end
  rollcall operators role max operator
  rollcall operators remove max";

/// Manage who logs in to the console with a name and a password
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
    /// List the operators
    List,
    /// Add an operator and show the password once
    Add {
        operator: String,
        /// What it may do
        #[arg(long, value_enum, default_value_t = Role::Auditor)]
        role: Role,
    },
    /// Give an operator another role; its logins end
    Role {
        operator: String,
        #[arg(value_enum)]
        role: Role,
    },
    /// Give an operator a new password and show it once; its logins end
    Reset { operator: String },
    /// Remove an operator; its logins end
    Remove { operator: String },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Everything
    Operator,
    /// Look at everything, change nothing
    Auditor,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let path = |name: &str| format!("/operators/{}", segment(name));
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List => {
            let operators = client.all("/operators", &[]).await?;
            let shown = list_text(view, &operators);
            Ok(Output::new(json!({ "items": operators }), shown))
        }
        Command::Add { operator, role } => {
            let new = json!({ "name": operator, "role": role.as_str() });
            Ok(show(view, client.post("/operators", new).await?))
        }
        Command::Role { operator, role } => {
            let change = json!({ "role": role.as_str() });
            Ok(show(view, client.write(Method::PATCH, &path(operator), Some(change)).await?))
        }
        Command::Reset { operator } => {
            let path = format!("{}/reset-password", path(operator));
            Ok(show(view, client.post(&path, json!({})).await?))
        }
        Command::Remove { operator } => {
            gone(client, &path(operator), &format!("{operator} is removed.")).await
        }
    })
}

fn show(view: &View, operator: Value) -> Output {
    let mut facts = vec![
        ("Operator", text(&operator["name"])),
        ("Role", text(&operator["role"])),
        ("Made", view.moment(&operator["created_at"])),
    ];
    if operator["password"].is_string() {
        facts.push(("Password", text(&operator["password"])));
    }
    let shown = view.facts(&facts);
    Output::new(operator, shown)
}

fn list_text(view: &View, operators: &[Value]) -> String {
    if operators.is_empty() {
        return "No operators. Add one: rollcall operators add NAME\n".to_owned();
    }
    let rows = operators.iter().map(|it| {
        [plain(text(&it["name"])), plain(text(&it["role"])), plain(view.moment(&it["created_at"]))]
    });
    let table = view.table(["OPERATOR", "ROLE", "MADE"], rows);
    format!("{table}{}\n", counted(operators.len(), "operator"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_listed_with_their_role() {
        let operators =
            [json!({ "name": "eva", "role": "operator", "created_at": "2027-01-15T08:00:00Z" })];
        let shown = list_text(&View::for_tests(), &operators);
        assert!(
            shown.starts_with("OPERATOR  ROLE      MADE\neva       operator  2027-01-15"),
            "{shown}"
        );
        assert!(list_text(&View::for_tests(), &[]).contains("rollcall operators add"));
    }
}

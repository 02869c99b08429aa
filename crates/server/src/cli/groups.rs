//! `rollcall groups`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Connection, segment};
use super::output::{Output, View, counted, plain, text};
use super::users::{gone, names};

const EXAMPLES: &str = "\
Examples:
  rollcall groups add robots
  rollcall groups attach robots AliyunCamsFullAccess
  rollcall users join ci robots
  rollcall users list --group robots               who is in it";

/// Manage groups of RAM users
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The account whose groups they are
    #[arg(long, global = true, default_value = "default")]
    account: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the groups of the account
    List,
    /// Add a group
    Add {
        group: String,
        /// Name for people
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
    },
    /// Show a group
    Show { group: String },
    /// Remove a group that nobody is in
    Remove { group: String },
    /// Attach a policy to all users of a group
    Attach { group: String, policy: String },
    /// Detach a policy from a group
    Detach { group: String, policy: String },
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let account = &arguments.account;
    let path = |group: &str| format!("/groups/{}/{}", segment(account), segment(group));
    let policy_path =
        |group: &str, policy: &str| format!("{}/policies/{}", path(group), segment(policy));
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List => {
            let groups = client.all("/groups", &[("account", Some(account.clone()))]).await?;
            let shown = list_text(view, &groups);
            Ok(Output::new(json!({ "items": groups }), shown))
        }
        Command::Add { group, display_name } => {
            let new = json!({ "account": account, "name": group, "display_name": display_name });
            Ok(show(view, client.post("/groups", new).await?))
        }
        Command::Show { group } => Ok(show(view, client.get(&path(group), &[]).await?)),
        Command::Attach { group, policy } => {
            let path = policy_path(group, policy);
            Ok(show(view, client.write(Method::PUT, &path, None).await?))
        }
        Command::Remove { group } => {
            gone(client, &path(group), &format!("{group} is removed.")).await
        }
        Command::Detach { group, policy } => {
            let done = format!("{policy} is not attached to {group} any more.");
            gone(client, &policy_path(group, policy), &done).await
        }
    })
}

fn show(view: &View, group: Value) -> Output {
    let shown = view.facts(&[
        ("Group", text(&group["name"])),
        ("Account", text(&group["account"])),
        ("Name", text(&group["display_name"])),
        ("Policies", names(&group["policies"])),
        ("Made", view.moment(&group["created_at"])),
    ]);
    Output::new(group, shown)
}

fn list_text(view: &View, groups: &[Value]) -> String {
    if groups.is_empty() {
        return "No groups. Add one: rollcall groups add NAME\n".to_owned();
    }
    let rows = groups.iter().map(|it| {
        [plain(text(&it["name"])), plain(text(&it["display_name"])), plain(names(&it["policies"]))]
    });
    let table = view.table(["GROUP", "NAME", "POLICIES"], rows);
    format!("{table}{}\n", counted(groups.len(), "group"))
}

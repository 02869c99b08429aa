//! `rollcall users`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, View, counted, plain, text};

const EXAMPLES: &str = "\
Examples:
  rollcall users add ci --display-name \"Build robot\"
  rollcall users attach ci AliyunCamsReadOnlyAccess
  rollcall users join ci robots                    policies of the group count as well
  rollcall users show ci
  rollcall policy simulate --user ci --action cams:ChatappVerifyAndRegister";

/// Manage RAM users, their policies and groups
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The account whose users they are
    #[arg(long, global = true, default_value = "default")]
    account: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the users of the account
    List {
        /// Only users in this group
        #[arg(long)]
        group: Option<String>,
    },
    /// Add a user, who may do nothing yet
    Add {
        user: String,
        /// Name for people
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
    },
    /// Show a user
    Show { user: String },
    /// Remove a user
    Remove { user: String },
    /// Attach a policy to a user
    Attach { user: String, policy: String },
    /// Detach a policy from a user
    Detach { user: String, policy: String },
    /// Put a user into a group
    Join { user: String, group: String },
    /// Take a user out of a group
    Leave { user: String, group: String },
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let account = &arguments.account;
    let path = |user: &str| format!("/users/{}/{}", segment(account), segment(user));
    let policy_path =
        |user: &str, policy: &str| format!("{}/policies/{}", path(user), segment(policy));
    let group_path = |user: &str, group: &str| format!("{}/groups/{}", path(user), segment(group));
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List { group } => list(client, view, account, group.as_deref()).await,
        Command::Add { user, display_name } => {
            let new = json!({ "account": account, "name": user, "display_name": display_name });
            Ok(show(view, client.post("/users", new).await?))
        }
        Command::Show { user } => Ok(show(view, client.get(&path(user), &[]).await?)),
        Command::Attach { user, policy } => {
            let path = policy_path(user, policy);
            Ok(show(view, client.write(Method::PUT, &path, None).await?))
        }
        Command::Join { user, group } => {
            let path = group_path(user, group);
            Ok(show(view, client.write(Method::PUT, &path, None).await?))
        }
        Command::Remove { user } => gone(client, &path(user), &format!("{user} is removed.")).await,
        Command::Detach { user, policy } => {
            let done = format!("{policy} is not attached to {user} any more.");
            gone(client, &policy_path(user, policy), &done).await
        }
        Command::Leave { user, group } => {
            let done = format!("{user} is not in {group} any more.");
            gone(client, &group_path(user, group), &done).await
        }
    })
}

/// Takes away what is at `path`, and says so.
pub(super) async fn gone(client: &Client, path: &str, done: &str) -> Result<Output, Failure> {
    client.write(Method::DELETE, path, None).await?;
    Ok(Output::new(json!({ "done": done }), done))
}

async fn list(
    client: &Client,
    view: &View,
    account: &str,
    group: Option<&str>,
) -> Result<Output, Failure> {
    let query = [("account", Some(account.to_owned())), ("group", group.map(str::to_owned))];
    let users = client.all("/users", &query).await?;
    let shown = list_text(view, &users);
    Ok(Output::new(json!({ "items": users }), shown))
}

fn show(view: &View, user: Value) -> Output {
    let shown = view.facts(&[
        ("User", text(&user["name"])),
        ("Account", text(&user["account"])),
        ("Name", text(&user["display_name"])),
        ("Policies", names(&user["policies"])),
        ("Groups", names(&user["groups"])),
        ("Made", view.moment(&user["created_at"])),
    ]);
    Output::new(user, shown)
}

fn list_text(view: &View, users: &[Value]) -> String {
    if users.is_empty() {
        return "No users. Add one: rollcall users add NAME\n".to_owned();
    }
    let rows = users.iter().map(|it| {
        [
            plain(text(&it["name"])),
            plain(text(&it["display_name"])),
            plain(names(&it["policies"])),
            plain(names(&it["groups"])),
        ]
    });
    let table = view.table(["USER", "NAME", "POLICIES", "GROUPS"], rows);
    format!("{table}{}\n", counted(users.len(), "user"))
}

/// Names in a line; `-` if there are none.
pub(super) fn names(list: &Value) -> String {
    let names: Vec<_> = list.as_array().into_iter().flatten().map(text).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_listed_with_policies_and_groups() {
        let users = [
            json!({
                "name": "ci", "display_name": "Build robot", "groups": ["robots"],
                "policies": ["AliyunCamsReadOnlyAccess", "office"],
            }),
            json!({ "name": "eva", "display_name": "eva", "policies": [], "groups": [] }),
        ];
        assert_eq!(
            list_text(&View::for_tests(), &users),
            "\
USER  NAME         POLICIES                          GROUPS
ci    Build robot  AliyunCamsReadOnlyAccess, office  robots
eva   eva          -                                 -
2 users
"
        );
        assert!(list_text(&View::for_tests(), &[]).contains("rollcall users add"));
    }
}

//! `rollcall keys`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, View, counted, plain, text};
use super::policy::read;
use super::users::gone;
use crate::config::duration;

const EXAMPLES: &str = "\
Examples:
  rollcall keys create                            a key of the account itself: may do everything
  rollcall keys create --user ci                  a key of a RAM user: may do what its policies allow
  rollcall keys list --user ci
  rollcall keys rotate LTAI5tFakeAccessKeyId001   a second key; disable the first once clients have switched
  rollcall keys disable LTAI5tFakeAccessKeyId001
  rollcall keys temporary --user ci --life 15m --session-policy narrow.json
  rollcall keys rotate-master                     the installation's own key; back up rollcall.key afterwards

A secret is shown once, when the key is made. An owner has two active keys at most. Older master keys stay
in their file, because codes, PINs, tokens and sealed secrets made with them name them.";

/// Manage access keys, and rotate the master key
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The account whose access keys they are
    #[arg(long, global = true, default_value = "default")]
    account: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the access keys of the account and its users
    List {
        /// Only keys of this RAM user
        #[arg(long)]
        user: Option<String>,
    },
    /// Make an access key; its secret is shown this once
    Create {
        /// The RAM user whose key it is; without it, the account's own
        #[arg(long)]
        user: Option<String>,
    },
    /// Show an access key, without its secret
    Show { key: String },
    /// Refuse requests signed with a key
    Disable { key: String },
    /// Accept requests signed with a key again
    Enable { key: String },
    /// Make a second key for the owner of a key
    Rotate { key: String },
    /// Remove an access key
    Delete { key: String },
    /// Make a key that ends by itself and comes with a token
    Temporary {
        /// The RAM user whose key it is; without it, the account's own
        #[arg(long)]
        user: Option<String>,
        /// How long it is valid, 1m to 12h
        #[arg(long, default_value = "1h", value_parser = duration::parse)]
        life: core::time::Duration,
        /// File with a policy that narrows what the owner may do; - reads standard input
        #[arg(long, value_name = "FILE")]
        session_policy: Option<String>,
        /// A second factor was checked: its requests have acs:MFAPresent
        #[arg(long)]
        mfa: bool,
    },
    /// Make a new master key the current one, while serving
    RotateMaster,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let account = &arguments.account;
    let path = |key: &str| format!("/access-keys/{}", segment(key));
    // Read before the server is asked, so that a missing file changes nothing.
    let session_policy =
        if let Command::Temporary { session_policy: Some(file), .. } = &arguments.command {
            Some(read(file)?)
        } else {
            None
        };
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List { user } => list(client, view, account, user.as_deref()).await,
        Command::Create { user } => {
            let new = json!({ "account": account, "user": user });
            Ok(made(view, client.post("/access-keys", new).await?))
        }
        Command::Show { key } => Ok(show(view, client.get(&path(key), &[]).await?)),
        Command::Disable { key } => set_active(client, view, &path(key), false).await,
        Command::Enable { key } => set_active(client, view, &path(key), true).await,
        Command::Rotate { key } => {
            let made_key = client.post(&format!("{}/rotate", path(key)), json!({})).await?;
            Ok(made(view, made_key))
        }
        Command::Delete { key } => gone(client, &path(key), &format!("{key} is removed.")).await,
        Command::Temporary { user, life, mfa, .. } => {
            let new = json!({
                "account": account, "user": user, "life_seconds": life.as_secs(),
                "session_policy": session_policy, "mfa_present": mfa,
            });
            Ok(made(view, client.post("/temporary-keys", new).await?))
        }
        Command::RotateMaster => rotate_master(client).await,
    })
}

async fn list(
    client: &Client,
    view: &View,
    account: &str,
    user: Option<&str>,
) -> Result<Output, Failure> {
    let query = [("account", Some(account.to_owned())), ("user", user.map(str::to_owned))];
    let keys = client.all("/access-keys", &query).await?;
    let shown = list_text(view, &keys);
    Ok(Output::new(json!({ "items": keys }), shown))
}

async fn set_active(
    client: &Client,
    view: &View,
    path: &str,
    active: bool,
) -> Result<Output, Failure> {
    let change = Some(json!({ "active": active }));
    Ok(show(view, client.write(Method::PATCH, path, change).await?))
}

async fn rotate_master(client: &Client) -> Result<Output, Failure> {
    let rotated = client.post("/keys/rotate-master", json!({})).await?;
    let shown = format!(
        "The master key of epoch {} is in use. Back up the key file now: what is made from here on is \
         lost without it.",
        text(&rotated["epoch"]),
    );
    Ok(Output::new(rotated, shown))
}

fn list_text(view: &View, keys: &[Value]) -> String {
    if keys.is_empty() {
        return "No access keys. Make one: rollcall keys create\n".to_owned();
    }
    let rows = keys.iter().map(|it| {
        [
            plain(text(&it["id"])),
            plain(owner(it)),
            plain(state(it)),
            plain(view.short_moment(&it["temporary"]["expires_at"])),
            plain(view.short_moment(&it["created_at"])),
        ]
    });
    let table = view.table(["KEY", "OWNER", "STATE", "EXPIRES", "MADE"], rows);
    format!("{table}{}\n{}", counted(keys.len(), "key"), view.zone_note(&keys[0]["created_at"]))
}

fn show(view: &View, key: Value) -> Output {
    let shown = view.facts(&facts(view, &key));
    Output::new(key, shown)
}

/// A key with its secret, and what to do with it.
fn made(view: &View, key: Value) -> Output {
    let mut facts = facts(view, &key);
    facts.push(("Secret", text(&key["secret"])));
    if key["security_token"].is_string() {
        facts.push(("Token", text(&key["security_token"])));
    }
    let shown = format!(
        "{}\nThe secret is shown this once: put it where the client reads it.\n",
        view.facts(&facts)
    );
    Output::new(key, shown)
}

fn facts(view: &View, key: &Value) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Key", text(&key["id"])),
        ("Account", text(&key["account"])),
        ("Owner", owner(key)),
        ("State", state(key)),
        ("Made", view.moment(&key["created_at"])),
    ];
    let temporary = &key["temporary"];
    if temporary.is_object() {
        facts.push(("Expires", view.moment(&temporary["expires_at"])));
        let narrowed = if temporary["session_policy"].is_string() { "yes" } else { "no" };
        facts.push(("Session policy", narrowed.to_owned()));
        let mfa = if temporary["mfa_present"] == true { "yes" } else { "no" };
        facts.push(("Second factor", mfa.to_owned()));
    }
    facts
}

fn owner(key: &Value) -> String {
    let user = key["user"].as_str().map(|user| format!("user {user}"));
    user.unwrap_or_else(|| "the account".to_owned())
}

fn state(key: &Value) -> String {
    if key["active"] == true { "active" } else { "disabled" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_listed_with_owner_and_state() {
        let keys = [
            json!({
                "id": "LTAI5tFakeAccessKeyId001", "user": null, "active": true, "temporary": null,
                "created_at": "2027-01-15T08:00:00Z",
            }),
            json!({
                "id": "STS.Fake", "user": "ci", "active": false, "created_at": "2027-01-15T08:01:00Z",
                "temporary": { "expires_at": "2027-01-15T09:00:00Z" },
            }),
        ];
        let view = View::for_tests().unlimited();
        let listed = list_text(&view, &keys);
        let lines: Vec<_> = listed.lines().collect();
        assert_eq!(lines[0].split_whitespace().next(), Some("KEY"), "{listed}");
        assert!(lines[1].contains("LTAI5tFakeAccessKeyId001  the account  active"), "{listed}");
        assert!(lines[2].contains("user ci") && lines[2].contains("disabled"), "{listed}");
        assert!(lines[2].contains("2027-01-15 10:00:00"), "{listed}");
        assert_eq!(lines[3], "2 keys");
        assert!(list_text(&view, &[]).contains("rollcall keys create"));
    }

    #[test]
    fn a_secret_comes_with_what_to_do_about_it() {
        let key = json!({
            "id": "LTAI5tFakeAccessKeyId001", "account": "default", "user": null, "active": true,
            "temporary": null, "created_at": "2027-01-15T08:00:00Z", "secret": "FakeSecret",
        });
        let output = made(&View::for_tests(), key);
        assert!(output.text().contains("FakeSecret"), "{}", output.text());
        assert!(output.text().contains("this once"), "{}", output.text());
    }
}

//! `rollcall wabas`

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, View, counted, plain, text};
use super::users::gone;

const EXAMPLES: &str = "\
Examples:
  rollcall wabas list
  rollcall wabas upstream set 102290129340398 --registrar meta --secret-file token.txt
  rollcall wabas upstream check 102290129340398    is it reached, and what does it show
  rollcall wabas upstream set 102290129340398 --registrar alibaba --remote-id cams-8c8f3e \\
      --access-key-id LTAI5tExample --secret-file secret.txt
  rollcall wabas upstream numbers 102290129340398  what is known there, and what differs from here";

/// Show WABAs and set the registrar upstream that is their authority
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
    /// List WABAs
    List {
        /// Only those of this account
        #[arg(long)]
        account: Option<String>,
    },
    /// The registrar upstream of a WABA
    Upstream {
        #[command(subcommand)]
        command: UpstreamCommand,
    },
}

#[derive(Debug, Subcommand)]
enum UpstreamCommand {
    /// Show where a WABA's registrations go
    Show { waba: String },
    /// Forward a WABA's registrations to Meta or Alibaba
    Set(Set),
    /// Stop forwarding: this server is the authority again; nothing changes there
    Remove { waba: String },
    /// Ask the registrar upstream for its numbers
    Check { waba: String },
    /// List what is known about the numbers there
    Numbers {
        waba: String,
        /// Compare with the registrar first
        #[arg(long)]
        compare: bool,
    },
}

#[derive(Debug, Args)]
struct Set {
    waba: String,
    /// Whose registrar
    #[arg(long)]
    registrar: Registrar,
    /// The account there: a WABA id at Meta (this WABA's own if absent), a `CustSpaceId` at Alibaba
    #[arg(long, value_name = "ID")]
    remote_id: Option<String>,
    /// Scheme, host and port; the registrar's public address if absent
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Meta: version segment of the path; v25.0 if absent
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
    /// Alibaba: the `AccessKeyId`
    #[arg(long, value_name = "ID")]
    access_key_id: Option<String>,
    /// A file with the token (Meta) or the `AccessKey` secret (Alibaba); - reads it from standard input
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// A file with the app secret (Meta) or the security token of a temporary key (Alibaba)
    #[arg(long, value_name = "FILE")]
    second_secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Registrar {
    Meta,
    Alibaba,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List { account } => list(client, view, account.as_deref()).await,
        Command::Upstream { command } => upstream(client, view, command).await,
    })
}

async fn upstream(
    client: &Client,
    view: &View,
    command: &UpstreamCommand,
) -> Result<Output, Failure> {
    match command {
        UpstreamCommand::Show { waba } => Ok(show(view, client.get(&path(waba), &[]).await?)),
        UpstreamCommand::Set(set) => {
            let body = set.body()?;
            Ok(show(view, client.write(Method::PUT, &path(&set.waba), Some(body)).await?))
        }
        UpstreamCommand::Remove { waba } => {
            let done = format!("Registrations of {waba} are not forwarded any more.");
            gone(client, &path(waba), &done).await
        }
        UpstreamCommand::Check { waba } => {
            let found = client.post(&format!("{}/check", path(waba)), json!({})).await?;
            let shown = checked(view, &found);
            Ok(Output::new(found, shown))
        }
        UpstreamCommand::Numbers { waba, compare } => {
            let found = if *compare {
                client.post(&format!("{}/compare", path(waba)), json!({})).await?
            } else {
                client.get(&format!("{}/numbers", path(waba)), &[]).await?
            };
            let shown = numbers(view, &found);
            Ok(Output::new(found, shown))
        }
    }
}

impl Set {
    fn body(&self) -> anyhow::Result<Value> {
        let secret = read_secret(&self.secret_file)?;
        let second = self.second_secret_file.as_deref().map(read_secret).transpose()?;
        let second = second.as_ref().map(|text| text.as_str());
        let (registrar, names) = match self.registrar {
            Registrar::Meta => ("meta", ["token", "app_secret"]),
            Registrar::Alibaba => ("alibaba", ["access_key_secret", "security_token"]),
        };
        let mut body = json!({ "registrar": registrar });
        let optional = [
            ("remote_id", self.remote_id.as_deref()),
            ("base_url", self.base_url.as_deref()),
            ("version", self.api_version.as_deref()),
            ("access_key_id", self.access_key_id.as_deref()),
            (names[0], Some(secret.as_str())),
            (names[1], second),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        Ok(body)
    }
}

fn path(waba: &str) -> String {
    format!("/wabas/{}/upstream", segment(waba))
}

/// Secrets come from files, never from the command line, which others can read.
fn read_secret(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        *text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(Zeroizing::new(text.trim().to_owned()))
}

async fn list(client: &Client, view: &View, account: Option<&str>) -> Result<Output, Failure> {
    let query = [("account", account.map(str::to_owned))];
    let wabas = client.all("/wabas", &query).await?;
    let shown = list_text(view, &wabas);
    Ok(Output::new(json!({ "items": wabas }), shown))
}

fn list_text(view: &View, wabas: &[Value]) -> String {
    let rows = wabas
        .iter()
        .map(|it| ["id", "name", "account", "space"].map(|name| plain(text(&it[name]))));
    let table = view.table(["WABA", "NAME", "ACCOUNT", "SPACE"], rows);
    format!("{table}{}\n", counted(wabas.len(), "WABA"))
}

fn show(view: &View, upstream: Value) -> Output {
    let mut facts = vec![
        ("WABA", text(&upstream["waba"])),
        ("Registrar", text(&upstream["registrar"])),
        ("Account there", text(&upstream["remote_id"])),
        ("Address", text(&upstream["base_url"])),
    ];
    for (label, name) in [("Version", "version"), ("Access key", "access_key_id")] {
        if !upstream[name].is_null() {
            facts.push((label, text(&upstream[name])));
        }
    }
    let webhook = &upstream["webhook"];
    if webhook.is_object() {
        facts.push(("Webhook", text(&webhook["callback_url"])));
        facts.push(("Verify token", text(&webhook["verify_token"])));
    }
    let shown = view.facts(&facts);
    Output::new(upstream, shown)
}

fn checked(view: &View, found: &Value) -> String {
    if found["reached"] != true {
        return format!("Not reached: {}\n", text(&found["problem"]));
    }
    let numbers = found["numbers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = numbers.iter().map(|it| {
        [
            plain(text(&it["number"])),
            plain(or_dash(&it["status"])),
            plain(yes_no(&it["registered"])),
            plain(or_dash(&it["name_status"])),
        ]
    });
    let table = view.table(["NUMBER", "STATUS", "REGISTERED", "NAME"], rows);
    format!("Reached.\n{table}{}\n", counted(numbers.len(), "number"))
}

fn numbers(view: &View, found: &Value) -> String {
    let items = found["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = items.iter().map(|it| {
        [
            plain(text(&it["number"])),
            plain(or_dash(&it["status"])),
            plain(yes_no(&it["registered"])),
            plain(if it["pin_kept"] == true { "kept" } else { "-" }.to_owned()),
            plain(match (it["unsettled"] == true, it["drift"].as_str()) {
                (_, Some(drift)) => drift.to_owned(),
                (true, None) => "a call is being settled".to_owned(),
                (false, None) => "-".to_owned(),
            }),
        ]
    });
    let table = view.table(["NUMBER", "STATUS", "REGISTERED", "PIN", "DIFFERENCE"], rows);
    format!("{table}{}\n", counted(items.len(), "number"))
}

fn yes_no(value: &Value) -> String {
    match value.as_bool() {
        Some(true) => "yes".to_owned(),
        Some(false) => "no".to_owned(),
        None => "-".to_owned(),
    }
}

fn or_dash(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_listed() {
        let found = json!({ "items": [
            { "number": "+447700900123", "status": "CONNECTED", "registered": true,
              "pin_kept": true, "unsettled": false, "drift": null },
            { "number": "+447700900124", "status": "BANNED", "registered": false,
              "pin_kept": false, "unsettled": false,
              "drift": "not registered upstream" },
        ] });
        assert_eq!(
            numbers(&View::for_tests(), &found),
            "\
NUMBER         STATUS     REGISTERED  PIN   DIFFERENCE
+447700900123  CONNECTED  yes         kept  -
+447700900124  BANNED     no          -     not registered upstream
2 numbers
"
        );
    }

    #[test]
    fn what_is_not_reached_says_why() {
        let found = json!({ "reached": false, "problem": "no connection", "numbers": [] });
        assert_eq!(checked(&View::for_tests(), &found), "Not reached: no connection\n");
    }
}

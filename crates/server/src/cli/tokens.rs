//! `rollcall tokens`

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, View, counted, plain, text};
use super::users::{gone, names};

const EXAMPLES: &str = "\
Examples:
  rollcall tokens add \"shop backend\"               both scopes, all WABAs of the account; shown once
  rollcall tokens add ci --waba 102290129340398 --scope management
  rollcall tokens add trial --expires \"2027-01-31 12:00\"
  rollcall tokens list
  rollcall tokens revoke gt-1f0c2a77d1e95b40
  curl -H \"Authorization: Bearer EAA…\" http://127.0.0.1:8080/v25.0/WABA/phone_numbers";

/// Manage the bearer tokens of the Graph dialect
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The account whose tokens they are
    #[arg(long, global = true, default_value = "default")]
    account: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the tokens of the account
    List,
    /// Make a token; it is shown once
    Add {
        /// Name for people
        name: String,
        /// What it may do; both scopes if none is named
        #[arg(long, value_enum)]
        scope: Vec<Scope>,
        /// The only WABAs that it shall reach; all of the account if none is named
        #[arg(long, value_name = "ID")]
        waba: Vec<String>,
        /// When it ends; never if absent
        #[arg(long, value_name = "MOMENT")]
        expires: Option<String>,
    },
    /// Revoke a token, by its id
    Revoke { id: String },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// `whatsapp_business_management`: numbers and WABAs
    Management,
    /// `whatsapp_business_messaging`: with the other one, registering a number
    Messaging,
}

impl Scope {
    const fn name(self) -> &'static str {
        match self {
            Self::Management => "whatsapp_business_management",
            Self::Messaging => "whatsapp_business_messaging",
        }
    }
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let account = &arguments.account;
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List => list(client, view, account).await,
        Command::Add { name, scope, waba, expires } => {
            let mut new = json!({ "account": account, "name": name });
            if !scope.is_empty() {
                new["scopes"] = scope.iter().map(|scope| scope.name()).collect();
            }
            if !waba.is_empty() {
                new["wabas"] = json!(waba);
            }
            if let Some(moment) = expires {
                new["expires_at"] = json!(view.parse_moment(moment)?.to_string());
            }
            Ok(made(view, client.post("/graph-tokens", new).await?))
        }
        Command::Revoke { id } => {
            let path = format!("/graph-tokens/{}", segment(id));
            gone(client, &path, &format!("{id} is revoked.")).await
        }
    })
}

async fn list(client: &Client, view: &View, account: &str) -> Result<Output, Failure> {
    let tokens = client.all("/graph-tokens", &[("account", Some(account.to_owned()))]).await?;
    let shown = list_text(view, &tokens);
    Ok(Output::new(json!({ "items": tokens }), shown))
}

fn made(view: &View, token: Value) -> Output {
    let mut shown = view.facts(&[
        ("Token", text(&token["token"])),
        ("Id", text(&token["id"])),
        ("Name", text(&token["name"])),
        ("Scopes", names(&token["scopes"])),
        ("WABAs", reach(&token["wabas"])),
        ("Ends", end(view, &token["expires_at"])),
    ]);
    shown.push_str("The token is not shown again: keep it now.\n");
    Output::new(token, shown)
}

fn list_text(view: &View, tokens: &[Value]) -> String {
    if tokens.is_empty() {
        return "No tokens. Make one: rollcall tokens add NAME\n".to_owned();
    }
    let rows = tokens.iter().map(|it| {
        [
            plain(text(&it["id"])),
            plain(text(&it["name"])),
            plain(names(&it["scopes"])),
            plain(reach(&it["wabas"])),
            plain(end(view, &it["expires_at"])),
        ]
    });
    let table = view.table(["ID", "NAME", "SCOPES", "WABAS", "ENDS"], rows);
    format!("{table}{}\n", counted(tokens.len(), "token"))
}

fn reach(wabas: &Value) -> String {
    if wabas.as_array().is_none_or(Vec::is_empty) { "all".to_owned() } else { names(wabas) }
}

fn end(view: &View, at: &Value) -> String {
    view.moment_if(at).unwrap_or_else(|| "never".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_listed_without_their_text() {
        let tokens = [json!({
            "id": "gt-1", "name": "shop", "scopes": ["whatsapp_business_management"], "wabas": [],
            "expires_at": null,
        })];
        assert_eq!(
            list_text(&View::for_tests(), &tokens),
            "\
ID    NAME  SCOPES                        WABAS  ENDS
gt-1  shop  whatsapp_business_management  all    never
1 token
"
        );
        assert!(list_text(&View::for_tests(), &[]).contains("rollcall tokens add"));
    }
}

//! `rollcall policy`

use core::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, Tone, View, plain, text};
use super::users::gone;

const EXAMPLES: &str = "\
Examples:
  rollcall policy add office-only policy.json      or - for standard input
  rollcall users attach ci office-only
  rollcall policy simulate --user ci --action cams:GetChatappVerifyCode --source-ip 192.0.2.9
  rollcall policy simulate --user ci --action cams:ChatappVerifyAndRegister \\
      --time 2026-11-22T04:29:29Z --mfa false --set acs:ResourceTag/team=berlin
  rollcall policy show AliyunCamsReadOnlyAccess

Every account has AliyunCamsFullAccess and AliyunCamsReadOnlyAccess.";

/// Manage RAM policies, and try out what they come to
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The account whose policies they are
    #[arg(long, global = true, default_value = "default")]
    account: String,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the policies that the account wrote
    List,
    /// Show a policy
    Show { policy: String },
    /// Add a policy; if it is none, every fault is named with its place
    Add {
        policy: String,
        /// The file with its text; - reads standard input
        file: String,
    },
    /// Give a policy another text, which counts at once
    Change {
        policy: String,
        /// The file with its text; - reads standard input
        file: String,
    },
    /// Remove a policy that is attached to nobody
    Remove { policy: String },
    /// Say whether a request would be allowed, and why; exit code 3 if it would not
    Simulate(Request),
}

/// A request that nobody makes.
#[derive(Debug, Args)]
struct Request {
    /// The RAM user who asks; the account itself if absent
    #[arg(long)]
    user: Option<String>,
    /// Service and operation, as cams:GetChatappVerifyCode
    #[arg(long)]
    action: String,
    /// The resource; all of the action's service in the account if absent
    #[arg(long)]
    resource: Option<String>,
    /// Address that the request comes from
    #[arg(long, value_name = "ADDRESS")]
    source_ip: Option<String>,
    /// When: RFC 3339, or date and time in the local zone; now if absent
    #[arg(long, value_name = "MOMENT")]
    time: Option<String>,
    /// Whether the request comes over TLS
    #[arg(long, value_name = "BOOL", default_value = "true")]
    tls: bool,
    /// Whether a second factor was checked; a request without that key if absent
    #[arg(long, value_name = "BOOL")]
    mfa: Option<bool>,
    /// Another key and its value; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    context: Vec<(String, String)>,
    /// A file with the policy of a temporary key
    #[arg(long, value_name = "FILE")]
    session_policy: Option<String>,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let account = &arguments.account;
    let json = context.json;
    let path = |policy: &str| format!("/policies/{}/{}", segment(account), segment(policy));
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::List => {
            let policies = client.all("/policies", &[("account", Some(account.clone()))]).await?;
            let shown = list_text(view, &policies);
            Ok(Output::new(json!({ "items": policies }), shown))
        }
        Command::Show { policy } => {
            let found = client.get(&path(policy), &[]).await?;
            // The text itself, so that it can be kept in a file; a terminal gets no control characters.
            let shown = found["document"].as_str().unwrap_or_default().replace(steers, "?");
            Ok(Output::new(found, shown))
        }
        Command::Add { policy, file } => {
            let new = json!({ "account": account, "name": policy, "document": read(file)? });
            let made = client.post("/policies", new).await;
            let made = made.map_err(|failure| each_fault(failure, json))?;
            Ok(Output::new(made, format!("{policy} is there.")))
        }
        Command::Change { policy, file } => {
            let change = json!({ "document": read(file)? });
            let changed = client.write(Method::PATCH, &path(policy), Some(change)).await;
            let changed = changed.map_err(|failure| each_fault(failure, json))?;
            Ok(Output::new(changed, format!("{policy} is changed.")))
        }
        Command::Remove { policy } => {
            gone(client, &path(policy), &format!("{policy} is removed.")).await
        }
        Command::Simulate(request) => simulate(client, view, account, request).await,
    })
}

async fn simulate(
    client: &Client,
    view: &View,
    account: &str,
    request: &Request,
) -> Result<Output, Failure> {
    let time = request.time.as_ref().map(|time| view.parse_moment(time)).transpose()?;
    let context: Map<_, _> =
        request.context.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    let body = json!({
        "account": account,
        "user": request.user,
        "action": request.action,
        "resource": request.resource,
        "source_ip": request.source_ip,
        "time": time.map(|time| time.to_string()),
        "secure_transport": request.tls,
        "mfa_present": request.mfa,
        "context": context,
        "session_policy": request.session_policy.as_deref().map(read).transpose()?,
    });
    let decided = client.post("/policies/simulate", body).await?;
    let (shown, denied) = (decision_text(view, &decided), decided["allowed"] != true);
    Ok(Output::new(decided, shown).refused_if(denied))
}

fn key_value(text: &str) -> Result<(String, String), &'static str> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or("has the form acs:ResourceTag/team=berlin")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read(file: &str) -> anyhow::Result<String> {
    if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(Path::new(file)).with_context(|| format!("cannot read {file}"))
}

fn steers(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// The faults of a policy on a line each, for people.
fn each_fault(failure: Failure, json: bool) -> Failure {
    let Failure::Answered(body) = &failure else { return failure };
    let details = body["error"]["details"].as_array().into_iter().flatten();
    let faults: Vec<_> = details.filter(|it| it["field"] == "document").collect();
    if json || faults.is_empty() {
        return failure;
    }
    let lines: Vec<_> = faults.iter().map(|it| text(&it["problem"])).collect();
    Failure::Other(anyhow::anyhow!("this is no policy:\n  {}", lines.join("\n  ")))
}

fn list_text(view: &View, policies: &[Value]) -> String {
    if policies.is_empty() {
        return "No policies. Add one: rollcall policy add NAME FILE\n".to_owned();
    }
    let rows = policies
        .iter()
        .map(|it| [plain(text(&it["name"])), plain(view.short_moment(&it["updated_at"]))]);
    let table = view.table(["POLICY", "WRITTEN"], rows);
    let count = if policies.len() == 1 {
        "1 policy".to_owned()
    } else {
        format!("{} policies", policies.len())
    };
    format!("{table}{count}. {}", view.zone_note(&policies[0]["updated_at"]))
}

fn decision_text(view: &View, decided: &Value) -> String {
    let (word, tone) =
        if decided["allowed"] == true { ("allowed", Tone::Good) } else { ("denied", Tone::Bad) };
    let mut shown = format!("{}: {}\n", view.word(word, tone), text(&decided["reason"]));
    for statement in decided["statements"].as_array().into_iter().flatten() {
        let finding = match statement["finding"].as_str() {
            Some("decides") => "decides",
            Some("matches") => "matches, but another decides",
            _ => "does not match",
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            shown,
            "\n{}, statement {}, {}: {finding}",
            text(&statement["policy"]),
            text(&statement["statement"]),
            text(&statement["effect"]),
        );
        for reason in statement["reasons"].as_array().into_iter().flatten() {
            let _ = writeln!(shown, "  {}", view.hanging(&text(reason), 2));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_told_with_what_each_statement_says() {
        let reasons = ["the action is not cams:Get*", "Bool acs:MFAPresent true does not hold"];
        let decided = json!({
            "allowed": false, "reason": "Statement 1 of office denies it.",
            "statements": [
                { "policy": "office", "statement": 0, "effect": "Allow", "finding": "matches",
                  "reasons": [] },
                { "policy": "office", "statement": 1, "effect": "Deny", "finding": "decides",
                  "reasons": [] },
                { "policy": "robots", "statement": 0, "effect": "Allow", "finding": "differs",
                  "reasons": reasons },
            ],
        });
        assert_eq!(
            decision_text(&View::for_tests(), &decided),
            "\
denied: Statement 1 of office denies it.

office, statement 0, Allow: matches, but another decides

office, statement 1, Deny: decides

robots, statement 0, Allow: does not match
  the action is not cams:Get*
  Bool acs:MFAPresent true does not hold
"
        );
    }

    #[test]
    fn each_fault_of_a_policy_has_a_line() {
        let fault = |problem| json!({ "field": "document", "problem": problem });
        let body = json!({ "error": {
            "code": "invalid", "message": "all in one",
            "details": [fault("line 1, column 1, $: one"), fault("line 2, column 3, $: two")],
        }});
        let told = each_fault(Failure::Answered(body.clone()), false).to_string();
        let lines = "this is no policy:\n  line 1, column 1, $: one\n  line 2, column 3, $: two";
        assert_eq!(told, lines);
        assert_eq!(each_fault(Failure::Answered(body), true).to_string(), "all in one");
    }

    #[test]
    fn a_list_of_policies_counts_them() {
        let policy = json!({ "name": "office", "updated_at": "2027-01-15T08:00:00Z" });
        assert_eq!(
            list_text(&View::for_tests(), &[policy.clone(), policy]),
            "\
POLICY  WRITTEN
office  2027-01-15 09:00:00
office  2027-01-15 09:00:00
2 policies. Times are CET (UTC+01:00).
"
        );
    }

    #[test]
    fn a_key_may_have_any_value() {
        assert_eq!(key_value("a:b=c=d"), Ok(("a:b".to_owned(), "c=d".to_owned())));
        assert_eq!(key_value("a:b="), Ok(("a:b".to_owned(), String::new())));
        assert!(key_value("a:b").is_err() && key_value("=c").is_err());
    }
}

//! `rollcall audit`

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use service::audit::ChainVerifier;
use service::ports::{AuditQuery, Store};

use super::Context;
use super::client::{self, Client, Connection, Failure};
use super::output::{Output, View, number, plain, text};

/// Entries read at once while the chain is verified.
const STRIDE: usize = 1000;

const EXAMPLES: &str = "\
Examples:
  rollcall audit verify                       asks the server
  rollcall audit verify --data DIR            reads the database itself, with or without a server
  rollcall audit show +447700900123           everything that happened to a number
  rollcall audit list --account acme --after 1200 --json";

/// Read the audit trail and verify its chain
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
    /// Verify the chain from the first entry to the last; exit code 0 if it holds
    Verify,
    /// Show everything that happened to a number
    Show {
        /// With country code, as +447700900123
        number: String,
    },
    /// List the trail, oldest first
    List {
        /// Only entries of this account
        #[arg(long)]
        account: Option<String>,
        /// Only entries behind this place
        #[arg(long, value_name = "PLACE")]
        after: Option<u64>,
        /// How many, up to 200
        #[arg(long, default_value_t = 50)]
        limit: u8,
    },
}

/// Opens the database in a data folder for reading, whether or not a server is using it.
pub(super) type OpenTrail = fn(&Path) -> anyhow::Result<Arc<dyn Store>>;

pub(super) fn run(
    arguments: &Arguments,
    context: &Context<'_>,
    open: OpenTrail,
) -> anyhow::Result<ExitCode> {
    if let (Command::Verify, Some(folder)) = (&arguments.command, &arguments.connection.data) {
        return verify_offline(folder, context, open);
    }
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::Verify => {
            let report = client.get("/audit/verify", &[]).await?;
            Ok(verdict(report))
        }
        Command::Show { number } => show(client, view, number).await,
        Command::List { account, after, limit } => {
            let query = [
                ("account", account.clone()),
                ("after", after.map(|after| after.to_string())),
                ("limit", Some(limit.to_string())),
            ];
            let page = client.get("/audit", &query).await?;
            let shown = list_text(view, &page);
            Ok(Output::new(page, shown))
        }
    })
}

async fn show(client: &Client, view: &View, of: &str) -> Result<Output, Failure> {
    let entries = client.all("/audit", &[("number", Some(of.replace(' ', "")))]).await?;
    let page = json!({ "items": entries, "next": null });
    let shown = list_text(view, &page);
    Ok(Output::new(page, shown))
}

fn verify_offline(
    folder: &Path,
    context: &Context<'_>,
    open: OpenTrail,
) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let store = open(folder)
            .with_context(|| format!("cannot read the database in {}", folder.display()))?;
        verify(&*store).await
    });
    client::finish(report.map(verdict).map_err(Failure::Other), context.json, &View::of(context))
}

/// Checks the whole chain and says what the admin API says.
async fn verify(store: &dyn Store) -> anyhow::Result<Value> {
    let mut chain = ChainVerifier::new();
    let mut problem = None;
    while problem.is_none() {
        let query = AuditQuery { after: chain.len(), limit: STRIDE, ..AuditQuery::default() };
        let entries = store.audit(&query).await?;
        problem = entries.iter().find_map(|entry| chain.push(entry).err());
        if entries.len() < STRIDE {
            break;
        }
    }
    Ok(json!({
        "holds": problem.is_none(),
        "entries": chain.len(),
        "head": hex::encode(chain.head()),
        "problem": problem.map(|problem| problem.to_string()),
    }))
}

fn verdict(report: Value) -> Output {
    let holds = report["holds"] == true;
    let entries = usize::try_from(report["entries"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    let shown = if holds {
        format!("The chain holds: {}.\nHead {}\n", entry_count(entries), text(&report["head"]))
    } else {
        format!(
            "THE CHAIN IS BROKEN behind {}: {}.\nCompare with a backup; what stands behind that \
             place cannot be trusted.\n",
            entry_count(entries),
            text(&report["problem"]),
        )
    };
    Output::new(report, shown).failed_if(!holds)
}

fn entry_count(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

fn list_text(view: &View, page: &Value) -> String {
    let entries = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(first) = entries.first() else { return "No entries.\n".to_owned() };
    let rows = entries.iter().map(|entry| {
        [
            plain(text(&entry["seq"])),
            plain(view.short_moment(&entry["at"])),
            plain(subject(&entry["subject"])),
            plain(what(entry)),
            plain(text(&entry["actor"])),
        ]
    });
    let table = view.table(["PLACE", "AT", "ABOUT", "WHAT", "BY"], rows);
    let more = match page["next"].as_str() {
        Some(next) => format!("More: --after {next}\n"),
        None => String::new(),
    };
    format!("{table}{}{more}", view.zone_note(&first["at"]))
}

fn subject(subject: &Value) -> String {
    match subject["kind"].as_str() {
        Some("number") => number(&subject["id"]),
        Some("system") => "system".to_owned(),
        _ => format!("{} {}", text(&subject["kind"]), text(&subject["id"])),
    }
}

/// What happened; for a refusal what was refused and why.
pub(super) fn what(entry: &Value) -> String {
    let details = &entry["details"];
    let kind = |it: &Value| text(&it["kind"]).replace('_', " ");
    let along = details["along"].as_array().into_iter().flatten().map(kind);
    let kind = along.chain([kind(entry)]).collect::<Vec<_>>().join(",\n");
    match details["refusal"].as_str() {
        Some(_) => format!(
            "{} refused: {}",
            text(&details["operation"]).replace('_', " "),
            text(&details["refusal"])
        ),
        None => kind,
    }
}

#[cfg(test)]
mod tests {
    use registration::Timestamp;
    use service::ports::{Event, EventId, Subject, Unit};
    use service::testing::MemoryStore;

    use super::*;

    #[test]
    fn a_trail_names_refusals_by_their_rule() {
        let entry = |seq: u64, kind: &str, details: Value| {
            json!({
                "seq": seq, "at": "2027-01-15T08:00:00Z", "kind": kind, "details": details,
                "subject": { "kind": "number", "id": "+447700900123" }, "actor": "operator",
            })
        };
        let page = json!({
            "items": [
                entry(7, "code_requested", json!({ "method": "sms" })),
                entry(8, "refused", json!({ "operation": "request_code", "refusal": "code-too-soon" })),
            ],
            "next": "8",
        });
        let wide = "\
PLACE  AT                   ABOUT            WHAT                                 BY
7      2027-01-15 09:00:00  +44 7700 900123  code requested                       operator
8      2027-01-15 09:00:00  +44 7700 900123  request code refused: code-too-soon  operator
Times are CET (UTC+01:00).
More: --after 8
";
        assert_eq!(list_text(&View::for_tests().unlimited(), &page), wide);
        let narrow = list_text(&View::for_tests(), &page);
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    }

    #[tokio::test]
    async fn a_chain_is_verified_without_a_server() {
        let store = MemoryStore::new();
        let event = |id| Event {
            id: EventId(id),
            at: Timestamp::default(),
            subject: Subject::System,
            account: None,
            actor: "operator".to_owned(),
            kind: "noted".to_owned(),
            details: "{}".to_owned(),
        };
        let events = (1..=2_500).map(event).collect();
        store.commit(Unit { events, ..Unit::default() }).await.expect("committed");
        let report = verify(&store).await.expect("readable");
        assert_eq!((&report["holds"], &report["entries"]), (&json!(true), &json!(2_500)));
        assert_eq!(report["head"].as_str().map(str::len), Some(64));
    }

    #[test]
    fn a_broken_chain_is_a_failure_that_says_what_to_do() {
        let report = json!({ "holds": false, "entries": 1, "head": "00", "problem": "entry 2" });
        let output = verdict(report);
        assert_eq!(output.code(), ExitCode::from(super::super::FAILURE));
        let report = json!({ "holds": true, "entries": 2, "head": "00", "problem": null });
        assert_eq!(verdict(report).code(), ExitCode::SUCCESS);
    }
}

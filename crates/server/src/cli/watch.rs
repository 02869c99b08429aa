//! `rollcall watch`

use core::time::Duration;
use std::collections::HashMap;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::audit::what;
use super::client::{self, Client, Connection, Failure, Feed};
use super::output::{Output, View, number, text};
use super::{Context, print};
use crate::config::duration;

/// Entries in a request: the most that the operator's API gives.
const STRIDE: usize = 200;

/// Messages that are looked at each time: more than a number gets in a day.
const SENDS: usize = 20;

/// Longest pause between two looks at a server that is gone.
const PAUSE_MAX: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  rollcall watch +447700900123                what happens to it, as it happens; Ctrl-C ends
  rollcall watch +447700900123 --last 0       only what is new
  rollcall watch +447700900123 --until registered --json
  rollcall watch                              what happens to all numbers

A line for each event of the audit trail, and for each step of a message: handed over, delivered, failed.";

/// Follow what happens to a number
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// With country code, as +447700900123; all numbers if absent
    number: Option<String>,
    /// How many of the events so far come first
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=200))]
    last: u16,
    /// End with exit code 0 once an event of this kind has come, as registered
    #[arg(long, value_name = "KIND")]
    until: Option<String>,
    /// How often to look, at a server that does not tell by itself
    #[arg(long, value_name = "DURATION", default_value = "500ms", value_parser = duration::parse)]
    every: Duration,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| {
        let number = arguments.number.as_ref().map(|number| number.replace([' ', '-'], ""));
        let (sends, every) = (HashMap::new(), arguments.every.max(Duration::from_millis(50)));
        let mut watch = Watch { client, number, seen: 0, sends, every, feed: None };
        let mut happened = watch.begin(arguments.last).await?;
        loop {
            let of_all = watch.number.is_none();
            for event in &happened {
                let line = if context.json { event.to_string() } else { line(view, of_all, event) };
                print(&format!("{line}\n")).map_err(anyhow::Error::from)?;
                if arguments.until.as_ref().is_some_and(|kind| is_of_kind(event, kind)) {
                    // Everything is printed already.
                    return Ok(Output::silent());
                }
            }
            happened = watch.next().await?;
        }
    })
}

/// A number, or all, and what was seen of it.
struct Watch<'a> {
    client: &'a Client,
    number: Option<String>,
    /// Place of the last event seen.
    seen: u64,
    /// The state in which each message was seen last.
    sends: HashMap<String, String>,
    every: Duration,
    /// What the server tells as it happens.
    feed: Option<Feed>,
}

impl Watch<'_> {
    /// The last events so far, oldest first; from here on nothing is missed.
    async fn begin(&mut self, last: u16) -> Result<Vec<Value>, Failure> {
        let newest = [
            ("number", self.number.clone()),
            ("before", Some("last".to_owned())),
            ("limit", Some(last.max(1).to_string())),
        ];
        let mut events = items(self.client.get("/audit", &newest).await?);
        events.reverse();
        self.seen = events.last().map_or(0, place);
        if self.number.is_none() || self.seen == 0 {
            // A number without a story: what comes stands behind the end of the whole trail.
            let end = [("before", Some("last".to_owned())), ("limit", Some("1".to_owned()))];
            let end = items(self.client.get("/audit", &end).await?);
            self.seen = self.seen.max(end.first().map_or(0, place));
        }
        // Where messages stand now is no news.
        self.messages().await?;
        if last == 0 {
            events.clear();
        }
        Ok(events)
    }

    /// What is new, told by the server as it happens. Whatever ends the telling, what was missed is asked for.
    async fn next(&mut self) -> Result<Vec<Value>, Failure> {
        let Some(feed) = &mut self.feed else {
            let missed = self.look_patiently().await?;
            let query = [("number", self.number.clone()), ("after", Some(self.seen.to_string()))];
            self.feed = self.client.listen("/audit/live", &query).await.ok();
            if self.feed.is_none() && missed.is_empty() {
                tokio::time::sleep(self.every).await;
            }
            return Ok(missed);
        };
        let told = match feed.next().await {
            Some((kind, data)) if kind == "entry" => serde_json::from_str(&data).ok(),
            Some((kind, _)) if kind != "cut_off" => None,
            Some(_) | None => {
                self.feed = None;
                None
            }
        };
        self.seen = told.as_ref().map_or(self.seen, place);
        match self.messages().await {
            Ok(steps) => Ok(told.into_iter().chain(steps).collect()),
            Err(Failure::Unreachable { .. }) => {
                self.feed = None;
                Ok(told.into_iter().collect())
            }
            Err(failure) => Err(failure),
        }
    }

    /// What is new; a server that is gone is waited for.
    async fn look_patiently(&mut self) -> Result<Vec<Value>, Failure> {
        let mut pause = Duration::from_millis(250);
        loop {
            match self.look().await {
                Err(Failure::Unreachable { url, .. }) => {
                    if pause < Duration::from_millis(300) {
                        eprintln!("no server answers at {url}; looking again");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                looked => return looked,
            }
        }
    }

    /// Events and steps of messages since the last look, oldest first.
    async fn look(&mut self) -> Result<Vec<Value>, Failure> {
        let mut news = Vec::new();
        loop {
            let query = [
                ("number", self.number.clone()),
                ("after", Some(self.seen.to_string())),
                ("limit", Some(STRIDE.to_string())),
            ];
            let page = items(self.client.get("/audit", &query).await?);
            self.seen = page.last().map_or(self.seen, place);
            let full = page.len() == STRIDE;
            news.extend(page);
            if !full {
                break;
            }
        }
        news.extend(self.messages().await?);
        news.sort_by(|one, other| moment(one).cmp(moment(other)));
        Ok(news)
    }

    /// Steps that messages have made since the last look. Of one number only: the ledger of all is long.
    async fn messages(&mut self) -> Result<Vec<Value>, Failure> {
        if self.number.is_none() {
            return Ok(Vec::new());
        }
        let query = [("number", self.number.clone()), ("limit", Some(SENDS.to_string()))];
        let mut steps = Vec::new();
        for send in items(self.client.get("/sends", &query).await?) {
            let (id, state) = (text(&send["id"]), text(&send["state"]));
            // Taken in hand is no step that anybody waits for, and it ends in one.
            if state == "claimed" {
                continue;
            }
            if self.sends.insert(id, state.clone()).as_ref() != Some(&state) {
                steps.push(step(&send));
            }
        }
        Ok(steps)
    }
}

/// An event in one line; with its number where events of all are shown.
fn line(view: &View, of_all: bool, event: &Value) -> String {
    let at = view.short_moment(&event["at"]);
    let subject = &event["subject"];
    let about = match (of_all, subject["kind"].as_str()) {
        (false, _) => String::new(),
        (true, Some("number")) => format!("{}  ", number(&subject["id"])),
        (true, _) => format!("{} {}  ", text(&subject["kind"]), text(&subject["id"])),
    };
    format!("{at}  {about}{}  ({})", what(event).replace('\n', " "), text(&event["actor"]))
}

/// A step of a message in the form of an event.
fn step(send: &Value) -> Value {
    let sender = send["sender"].as_str().map_or("delivery".to_owned(), |it| format!("sender {it}"));
    let at = match send["state"].as_str() {
        Some("decided") => &send["decided_at"],
        _ => &send["state_at"],
    };
    json!({
        "at": at,
        "subject": { "kind": "number", "id": send["number"] },
        "kind": format!("message_{}", text(&send["state"])),
        "actor": sender,
        "details": { "send": send["id"], "method": send["method"], "reason": send["reason"] },
    })
}

fn items(mut page: Value) -> Vec<Value> {
    if let Value::Array(items) = page["items"].take() { items } else { Vec::new() }
}

fn place(event: &Value) -> u64 {
    event["seq"].as_u64().unwrap_or(0)
}

fn moment(event: &Value) -> &str {
    event["at"].as_str().unwrap_or_default()
}

/// Whether an event is of a kind, or brought something of that kind along.
fn is_of_kind(event: &Value, kind: &str) -> bool {
    let along = event["details"]["along"].as_array().into_iter().flatten();
    along.chain([event]).any(|it| it["kind"] == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_and_a_step_of_a_message_are_a_line_each() {
        let view = View::for_tests();
        let event = json!({
            "at": "2027-01-15T08:00:00Z", "kind": "registered", "actor": "admin:operator",
            "subject": { "kind": "number", "id": "+447700900123" },
            "details": { "along": [{ "kind": "code_confirmed" }] },
        });
        let line = "2027-01-15 09:00:00  code confirmed, registered  (admin:operator)";
        assert_eq!(super::line(&view, false, &event), line);
        assert!(is_of_kind(&event, "registered") && is_of_kind(&event, "code_confirmed"));
        assert!(!is_of_kind(&event, "refused"));
        let send = json!({
            "id": "1", "number": "+447700900123", "state": "handed_over", "method": "sms",
            "state_at": "2027-01-15T08:00:01Z", "decided_at": "2027-01-15T08:00:00Z", "sender": "inbox",
        });
        let line = "2027-01-15 09:00:01  +44 7700 900123  message handed over  (sender inbox)";
        assert_eq!(super::line(&view, true, &step(&send)), line);
    }
}

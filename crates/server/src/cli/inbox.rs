//! `rollcall inbox`

use core::time::Duration;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{self, Client, Connection, Failure};
use super::output::{Output, View, number, text};
use super::{Context, print};

/// How long one request waits for a message; then it is asked again.
const PATIENCE: Duration = Duration::from_secs(30);

const EXAMPLES: &str = "\
Examples:
  rollcall inbox                                     the latest messages of the sandbox
  rollcall inbox --number +447700900123 --limit 1
  rollcall inbox --number +447700900123 --wait 60    the next message, in a script
  rollcall inbox --follow                            every message as it comes; Ctrl-C ends";

/// Read the messages of a sandbox, codes included
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only messages to this number
    #[arg(long)]
    number: Option<String>,
    /// How many
    #[arg(long, default_value_t = 10)]
    limit: u16,
    /// Go on with every message as it comes
    #[arg(long, conflicts_with = "wait")]
    follow: bool,
    /// Wait for the next message, up to SECONDS (30); exit code 1 if none comes
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "30")]
    wait: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    client::run(&arguments.connection, context, async |client, view| {
        let inbox = Inbox { client, number: arguments.number.as_deref() };
        if arguments.follow {
            return follow(&inbox, view, arguments.limit, context.json).await;
        }
        let Some(seconds) = arguments.wait else {
            let messages = inbox.latest(arguments.limit).await?;
            let shown = list_text(view, &messages);
            return Ok(Output::new(json!({ "messages": messages }), shown));
        };
        let last = inbox.last_id().await?;
        let message = inbox.next(last.as_deref(), Duration::from_secs(seconds)).await?;
        let message = message.ok_or_else(|| anyhow::anyhow!("no message came in {seconds} s"))?;
        let shown = message_text(view, &message);
        Ok(Output::new(message, shown))
    })
}

/// The inbox of a sandbox, of one number or of all.
pub(super) struct Inbox<'a> {
    pub(super) client: &'a Client,
    pub(super) number: Option<&'a str>,
}

impl Inbox<'_> {
    /// The latest messages, newest first.
    pub(super) async fn latest(&self, limit: u16) -> Result<Vec<Value>, Failure> {
        let query =
            [("number", self.number.map(str::to_owned)), ("limit", Some(limit.to_string()))];
        let ask = self.client.sandbox(Method::GET, "/inbox", &query, None, Duration::ZERO);
        let mut answer = ask.await?.unwrap_or_default();
        let messages = answer["messages"].take();
        Ok(if let Value::Array(messages) = messages { messages } else { Vec::new() })
    }

    /// The id of the latest message, if there is one.
    pub(super) async fn last_id(&self) -> Result<Option<String>, Failure> {
        let latest = self.latest(1).await?;
        Ok(latest.first().and_then(|message| message["id"].as_str()).map(str::to_owned))
    }

    /// The first message behind `after`, waited for up to `patience`.
    pub(super) async fn next(
        &self,
        after: Option<&str>,
        patience: Duration,
    ) -> Result<Option<Value>, Failure> {
        let mut left = patience;
        loop {
            let turn = left.min(PATIENCE);
            let query = [
                ("number", self.number.map(str::to_owned)),
                ("after", after.map(str::to_owned)),
                ("timeout", Some(format!("{}s", turn.as_secs()))),
            ];
            let ask = self.client.sandbox(Method::GET, "/inbox/wait", &query, None, turn);
            let found = ask.await?;
            left = left.saturating_sub(turn);
            if found.is_some() || left.is_zero() {
                return Ok(found);
            }
        }
    }
}

/// Prints what is there, then every message as it comes. Ends only with the server, or by Ctrl-C.
async fn follow(
    inbox: &Inbox<'_>,
    view: &View,
    limit: u16,
    as_json: bool,
) -> Result<Output, Failure> {
    let show = |message: &Value| {
        let line = if as_json { format!("{message}\n") } else { message_text(view, message) };
        print(&line).map_err(anyhow::Error::from)
    };
    let mut messages = inbox.latest(limit).await?;
    messages.reverse();
    let mut last = None;
    loop {
        for message in &messages {
            show(message)?;
            last = message["id"].as_str().map(str::to_owned);
        }
        messages = inbox.next(last.as_deref(), PATIENCE).await?.into_iter().collect();
    }
}

fn list_text(view: &View, messages: &[Value]) -> String {
    if messages.is_empty() {
        return "No messages. Order a code: rollcall register\n".to_owned();
    }
    let shown: Vec<String> = messages.iter().map(|message| message_text(view, message)).collect();
    shown.join("\n")
}

fn message_text(view: &View, message: &Value) -> String {
    let head = format!(
        "{}  {}  {}",
        number(&message["number"]),
        text(&message["channel"]),
        view.moment(&message["at"]),
    );
    let code = match message["code"].as_str() {
        Some(_) => format!("  code {}\n", text(&message["code"])),
        None => String::new(),
    };
    format!("{head}\n{code}  {}\n", text(&message["text"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_its_code_on_a_line_of_its_own() {
        let message = json!({
            "id": "1", "number": "+447700900123", "channel": "sms", "code": "493027",
            "text": "Your code is 493-027", "at": "2027-01-15T08:00:00Z",
        });
        assert_eq!(
            message_text(&View::for_tests(), &message),
            "\
+44 7700 900123  sms  2027-01-15 09:00:00 CET (08:00:00 UTC)
  code 493027
  Your code is 493-027
"
        );
    }
}

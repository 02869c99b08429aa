//! Where the codes of an import come from.

mod given;
mod webhook;

use core::time::Duration;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use registration::PhoneNumber;
use serde_json::Value;
use tokio::sync::mpsc;

use super::super::client::{Client, Failure};
use super::super::inbox::Inbox;
use super::super::output::number;
use super::super::terminal::Secret;
use super::progress::Progress;
pub(super) use given::Given;

/// Where codes come from, as it is said on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The sandbox's inbox.
    Inbox,
    /// A person at the terminal.
    Prompt,
    /// A file to which somebody adds lines; `-` is standard input.
    File(PathBuf),
    /// Requests that somebody posts.
    Webhook(SocketAddr, String),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "inbox" => return Ok(Self::Inbox),
            "prompt" => return Ok(Self::Prompt),
            "" => return Err("inbox, prompt, FILE, - or webhook:ADDRESS:PORT/PATH".to_owned()),
            _ => {}
        }
        let Some(target) = text.strip_prefix("webhook:") else {
            return Ok(Self::File(PathBuf::from(text)));
        };
        let target = target.strip_prefix("http://").unwrap_or(target);
        let (address, path) = target.split_once('/').unwrap_or((target, ""));
        let address: SocketAddr = address
            .parse()
            .map_err(|_| format!("{address:?} is no address; write webhook:127.0.0.1:8099/PATH"))?;
        if !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Err("the path has letters, digits, -, _ and . only".to_owned());
        }
        if path.is_empty() && !address.ip().is_loopback() {
            return Err(
                "whoever reaches this address could spend the guesses of a number: end it \
                        with a path that nobody guesses, as webhook:0.0.0.0:8099/SECRET"
                    .to_owned(),
            );
        }
        Ok(Self::Webhook(address, format!("/{path}")))
    }
}

/// The code of a row that is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) number: PhoneNumber,
    /// The claim that ordered it.
    pub(super) claim: &'a str,
    /// When it stops to count: tells the messages of one challenge from those of another.
    pub(super) expires_at: &'a str,
    /// How it travels.
    pub(super) method: &'static str,
    /// Whether nobody else can have ordered a code to this number.
    pub(super) first: bool,
}

/// Where codes come from, opened.
pub(super) enum Codes<'a> {
    Inbox(&'a Client),
    Prompt(tokio::sync::Mutex<mpsc::UnboundedReceiver<String>>),
    Given(Given),
}

impl<'a> Codes<'a> {
    /// Opens a source; from then on codes are taken in.
    pub(super) async fn open(source: &Source, client: &'a Client) -> anyhow::Result<Self> {
        let given = Given::default();
        match source {
            Source::Inbox => return Ok(Self::Inbox(client)),
            Source::Prompt => return Ok(Self::Prompt(tokio::sync::Mutex::new(stdin_lines()))),
            Source::File(path) if path.as_os_str() == "-" => {
                tokio::spawn(given::take_lines(given.clone(), stdin_lines()));
            }
            Source::File(path) => given::follow(given.clone(), path).await?,
            Source::Webhook(address, path) => {
                let address = webhook::listen(given.clone(), *address, path.clone()).await?;
                eprintln!("Codes are taken in at http://{address}{path}");
            }
        }
        Ok(Self::Given(given))
    }

    /// The next code for a row, once it is there; `None` if it did not come in time.
    pub(super) async fn next(
        &self,
        wanted: &Wanted<'_>,
        patience: Duration,
        progress: &Progress,
    ) -> Result<Option<Secret>, Failure> {
        match self {
            Self::Inbox(client) => from_inbox(client, wanted, patience).await,
            Self::Given(given) => {
                Ok(tokio::time::timeout(patience, given.next(wanted.number)).await.ok().flatten())
            }
            Self::Prompt(lines) => {
                let asking = ask(lines, wanted, progress);
                Ok(tokio::time::timeout(patience, asking).await.ok().flatten())
            }
        }
    }

    /// How many rows can be under way at once with sense: a person is asked for one code at a time.
    pub(super) const fn concurrency(&self) -> usize {
        match self {
            Self::Inbox(_) | Self::Given(_) => 16,
            Self::Prompt(_) => 1,
        }
    }
}

/// The code of the challenge that is meant. Others may have ordered codes to the same number; the ledger
/// tells whose a message is.
async fn from_inbox(
    client: &Client,
    wanted: &Wanted<'_>,
    patience: Duration,
) -> Result<Option<Secret>, Failure> {
    let number = wanted.number.to_string();
    let inbox = Inbox { client, number: Some(&number) };
    let mut last = None;
    loop {
        let found = inbox.next(last.as_deref(), patience).await?;
        let Some(message) = found else { return Ok(None) };
        let id = message["id"].as_str().unwrap_or_default();
        let code = message["code"].as_str();
        if let Some(code) = code
            && (wanted.first || is_meant(client, id, wanted).await?)
        {
            return Ok(Some(Secret::from(code)));
        }
        last = Some(id.to_owned());
    }
}

async fn is_meant(client: &Client, id: &str, wanted: &Wanted<'_>) -> Result<bool, Failure> {
    let send = client.get(&format!("/sends/{id}"), &[]).await?;
    Ok(send["claim"] == wanted.claim && send["useless_after"] == wanted.expires_at)
}

/// Asks a person; an empty line means that there is no code.
async fn ask(
    lines: &tokio::sync::Mutex<mpsc::UnboundedReceiver<String>>,
    wanted: &Wanted<'_>,
    progress: &Progress,
) -> Option<Secret> {
    let mut lines = lines.lock().await;
    let shown = number(&Value::from(wanted.number.to_string()));
    progress.say_without_end(&format!("Code for {shown} by {} (empty: skip): ", wanted.method));
    let line = lines.recv().await?;
    let code = line.trim();
    (!code.is_empty()).then(|| Secret::from(code))
}

/// Lines of standard input. A thread that is never waited for reads them: nothing else could end it.
fn stdin_lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Reads all of a source of rows: a file, or standard input.
pub(super) fn read_all(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_in_one_word() {
        for (text, source) in [
            ("inbox", Source::Inbox),
            ("prompt", Source::Prompt),
            ("-", Source::File("-".into())),
            ("codes.csv", Source::File("codes.csv".into())),
            (
                "webhook:127.0.0.1:8099",
                Source::Webhook("127.0.0.1:8099".parse().unwrap(), "/".to_owned()),
            ),
            (
                "webhook:0.0.0.0:8099/s3cret",
                Source::Webhook("0.0.0.0:8099".parse().unwrap(), "/s3cret".to_owned()),
            ),
        ] {
            assert_eq!(text.parse(), Ok(source), "{text}");
        }
        for text in
            ["", "webhook:", "webhook:8099", "webhook:0.0.0.0:8099", "webhook:[::1]:8099/{a}"]
        {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }
}

//! Makes one call, or many at once, through a trunk and tells what became of it, as JSON lines. A rig for
//! the tests with real telephones, and for a first look at a new trunk:
//!
//! ```text
//! cargo run -p outbound --example call -- --host sip.example.com --caller 441632960000 \
//!     --username rollcall --password secret --number +447700900123 --code 493027 --locale de
//! ```

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use outbound::delivery::voice::{
    Credentials, VoiceDelivery, VoiceOptions, VoicePorts, VoiceTransport,
};
use registration::{CodeMethod, Locale, PhoneNumber, VerificationCode};
use service::ports::{
    CodeDelivery as _, CodeMessage, DeliveryError, Receipt, ReceiptOutcome, ReceiptSink, SendId,
};
use service::testing::{ManualClock, SeededEntropy};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

type Failure = Box<dyn core::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let given = Given::read()?;
    let (sink, mut receipts) = mpsc::unbounded_channel();
    let ports = VoicePorts {
        receipts: Arc::new(Sink(sink)),
        clock: Arc::new(ManualClock::default()),
        entropy: Arc::new(SeededEntropy::new(u64::from(std::process::id()))),
    };
    let delivery = Arc::new(VoiceDelivery::new(given.options()?, ports)?);
    delivery.open().await;
    let mut calls = JoinSet::new();
    for _ in 0..given.number("calls", 1)? {
        let (delivery, message) = (Arc::clone(&delivery), given.message()?);
        let give_up = given.0.get("give-up-after-ms").map(|ms| ms.parse()).transpose()?;
        calls.spawn(async move {
            let handed_over = delivery.hand_over(&message);
            let limit = give_up.map_or(Duration::MAX, Duration::from_millis);
            tokio::time::timeout(limit, handed_over).await.ok()
        });
    }
    let mut answered = 0;
    while let Some(result) = calls.join_next().await {
        match result? {
            Some(Ok(_)) => {
                answered += 1;
                println!(r#"{{"handed_over":true}}"#);
            }
            Some(Err(error)) => println!("{}", describe(&error)),
            None => println!(r#"{{"given_up":true}}"#),
        }
    }
    for _ in 0..answered {
        match receipts.recv().await.map(|receipt| receipt.outcome) {
            Some(ReceiptOutcome::Delivered) => println!(r#"{{"receipt":"delivered"}}"#),
            Some(ReceiptOutcome::Failed { reason }) => {
                println!(r#"{{"receipt":"failed","reason":"{reason}"}}"#);
            }
            None => break,
        }
    }
    // What still has to go out, such as a CANCEL and its answer.
    tokio::time::sleep(Duration::from_millis(given.number("linger-ms", 200)?)).await;
    Ok(())
}

fn describe(error: &DeliveryError) -> String {
    match error {
        DeliveryError::Unavailable { reason, retry_after, uncertain, .. } => {
            let retry_after =
                retry_after.map_or(-1, |pause| i64::try_from(pause.as_secs()).unwrap_or(-1));
            format!(
                r#"{{"unavailable":"{reason}","retry_after":{retry_after},"uncertain":{uncertain}}}"#
            )
        }
        DeliveryError::Rejected { reason, .. } => format!(r#"{{"rejected":"{reason}"}}"#),
    }
}

struct Sink(mpsc::UnboundedSender<Receipt>);

#[async_trait]
impl ReceiptSink for Sink {
    async fn receipt(&self, receipt: Receipt) {
        // The other end lives as long as the program.
        _ = self.0.send(receipt);
    }
}

/// `--name value` pairs.
struct Given(HashMap<String, String>);

impl Given {
    fn read() -> Result<Self, Failure> {
        let mut given = HashMap::new();
        let mut words = std::env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            given.insert(name.trim_start_matches('-').to_owned(), value);
        }
        Ok(Self(given))
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.0.get(name).map_or(default, String::as_str).to_owned()
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, Failure> {
        Ok(self.0.get(name).map_or(Ok(default), |value| value.parse())?)
    }

    fn options(&self) -> Result<VoiceOptions, Failure> {
        let mut options =
            VoiceOptions::new(self.text("host", "127.0.0.1"), self.text("caller", "441632960000"));
        options.port = self.0.get("port").map(|port| port.parse()).transpose()?;
        options.transport = match self.text("transport", "udp").as_str() {
            "tcp" => VoiceTransport::Tcp,
            "tls" => VoiceTransport::Tls,
            _ => VoiceTransport::Udp,
        };
        if let Some(username) = self.0.get("username") {
            let (username, password) = (username.clone(), self.text("password", ""));
            options.credentials = Some(Credentials { username, password });
        }
        options.register = self.0.contains_key("register");
        options.ring = Duration::from_millis(self.number("ring-ms", 45_000)?);
        options.ca_pem = self.0.get("ca").map(std::fs::read).transpose()?;
        Ok(options)
    }

    fn message(&self) -> Result<CodeMessage, Failure> {
        let code = self.text("code", "493027");
        Ok(CodeMessage {
            id: SendId(1),
            number: PhoneNumber::parse(&self.text("number", "+447700900123"))?,
            method: CodeMethod::Voice,
            locale: Locale::parse(&self.text("locale", "en")).ok_or("not a locale")?,
            code: VerificationCode::parse(&code)?,
            text: code,
            originator: None,
        })
    }
}

//! `[senders.NAME]`: what carries codes to numbers.
//!
//! Every sender has `type`, and the settings that all have in common are read here. What a type needs
//! besides is read by the file named after it; `server/src/wiring/senders.rs` has an arm per type.

pub mod http;
pub mod smpp;
pub mod voice;

use core::time::Duration;

use registration::CodeMethod;

use super::reader::Reader;

/// The longest time-out: the lease of the outbox is a minute, and a worker must be done before.
const TIMEOUT_MAX: Duration = Duration::from_secs(50);

/// One sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The operator's name for it; in the ledger, in metrics, in routes.
    pub name: String,
    /// How codes may travel with it.
    pub methods: Vec<CodeMethod>,
    /// After this without an answer the next sender gets its turn.
    pub timeout: Duration,
    /// What is particular to its type.
    pub kind: SenderKind,
}

/// What is particular to a type of sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderKind {
    /// A message centre, by SMPP.
    Smpp(smpp::Settings),
    /// A provider's HTTP API.
    Http(Box<http::Settings>),
    /// A telephone call over a SIP trunk.
    Voice(voice::Settings),
}

impl SenderKind {
    /// The hosts that it talks to: in a sandbox all of them must be this machine.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        match self {
            Self::Smpp(settings) => settings.hosts(),
            Self::Http(settings) => settings.hosts(),
            Self::Voice(settings) => settings.hosts(),
        }
    }
}

#[derive(Clone, Copy)]
enum Type {
    Smpp,
    Http,
    Voice,
}

/// Reads `[senders.NAME]`; `None` if its type is not known.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Sender> {
    let types = [("smpp", Type::Smpp), ("http", Type::Http), ("voice", Type::Voice)];
    let known = types.map(|(word, it)| (word, Some(it)));
    let given = reader.rest().iter().any(|key| key == "type");
    let chosen = reader.one_of("type", None, &known);
    if !given {
        reader.missing("type");
    }
    let Some(chosen) = chosen else {
        // Nothing is known about the other settings: one mistake, not one each.
        for key in reader.rest() {
            let _ = reader.value(&key);
        }
        return None;
    };
    let (kind, methods, patience) = match chosen {
        Type::Smpp => (SenderKind::Smpp(smpp::read(reader)), vec![CodeMethod::Sms], 2_500),
        Type::Http => {
            let (settings, methods) = http::read(reader);
            (SenderKind::Http(Box::new(settings)), methods, 2_500)
        }
        // A call has been handed over once it is answered, and people take time to answer.
        Type::Voice => (SenderKind::Voice(voice::read(reader)), vec![CodeMethod::Voice], 45_000),
    };
    let range = Duration::from_millis(100)..=TIMEOUT_MAX;
    let timeout = reader.span("timeout", Duration::from_millis(patience), range);
    Some(Sender { name: reader.name().to_owned(), methods, timeout, kind })
}

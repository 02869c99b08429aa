//! `type = "smpp"`: a message centre.

use core::time::Duration;
use std::path::PathBuf;

use outbound::delivery::smpp::{DefaultAlphabet, MessageIds, SmppOptions, SmppVersion};

use crate::config::HostPort;
use crate::config::reader::Reader;
use crate::config::secret::Secret;

/// What an SMPP sender needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is described in docs/operations.md")]
pub struct Settings {
    pub address: Option<HostPort>,
    pub tls: bool,
    pub ca_file: Option<PathBuf>,
    pub system_id: String,
    pub password: Option<Secret>,
    pub system_type: String,
    pub version: SmppVersion,
    pub originator: Option<String>,
    pub window: usize,
    pub per_second: Option<u32>,
    pub enquire_interval: Duration,
    pub validity: Duration,
    pub alphabet: DefaultAlphabet,
    pub message_ids: MessageIds,
}

impl Settings {
    pub(super) fn hosts(&self) -> Vec<String> {
        self.address.iter().map(|address| address.host.clone()).collect()
    }

    /// What the sender must know, but for TLS.
    #[must_use]
    pub fn options(&self, name: &str) -> SmppOptions {
        let (host, port) =
            self.address.as_ref().map_or(("", 0), |address| (address.host.as_str(), address.port));
        let password = self.password.as_ref().map_or("", Secret::reveal);
        SmppOptions {
            system_type: self.system_type.clone(),
            version: self.version,
            originator: self.originator.clone(),
            window: self.window,
            per_second: self.per_second,
            enquire_interval: self.enquire_interval,
            validity: self.validity,
            default_alphabet: self.alphabet,
            message_ids: self.message_ids,
            ..SmppOptions::new(name, host, port, &self.system_id, password)
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Settings {
    const SECOND: Duration = Duration::from_secs(1);
    let versions = [("3.4", SmppVersion::V34), ("5.0", SmppVersion::V50)];
    let alphabets = [("gsm", DefaultAlphabet::Gsm), ("latin1", DefaultAlphabet::Latin1)];
    let ids = [
        ("same", MessageIds::Same),
        ("hex-then-decimal", MessageIds::HexThenDecimal),
        ("decimal-then-hex", MessageIds::DecimalThenHex),
    ];
    let ca_file = reader.text("ca_file").map(PathBuf::from);
    let per_second = reader.number("per_second", 0, 0..=100_000);
    let (pause, validity) = (30 * SECOND, 600 * SECOND);
    let settings = Settings {
        address: reader.required("address"),
        tls: reader.flag("tls", ca_file.is_some()),
        ca_file,
        system_id: reader.required("system_id").unwrap_or_default(),
        password: reader.secret("password"),
        system_type: reader.text("system_type").unwrap_or_default(),
        version: reader.one_of("version", SmppVersion::V34, &versions),
        originator: reader.text("originator"),
        window: reader.number("window", 50, 1..=10_000),
        per_second: Some(per_second).filter(|rate| *rate > 0),
        enquire_interval: reader.span("enquire_interval", pause, SECOND..=3600 * SECOND),
        validity: reader.span("validity", validity, Duration::ZERO..=86_399 * SECOND),
        alphabet: reader.one_of("alphabet", DefaultAlphabet::Gsm, &alphabets),
        message_ids: reader.one_of("message_ids", MessageIds::Same, &ids),
    };
    if let Err((field, message)) = settings.options("").check() {
        reader.complain(field, message);
    }
    settings
}

//! `type = "voice"`: calls over a SIP trunk.

use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use std::path::PathBuf;

use outbound::delivery::voice::VoiceTransport;

use crate::config::HostPort;
use crate::config::reader::Reader;
use crate::config::secret::Secret;

/// Most calls at once: each takes a socket and fifty packets a second.
const CALLS_MAX: usize = 1000;

/// What a SIP trunk needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The trunk.
    pub trunk: Option<HostPort>,
    /// What SIP is carried by.
    pub transport: VoiceTransport,
    /// The number that calls come from.
    pub caller: String,
    /// What stands in front of the digits of the called number.
    pub prefix: String,
    /// Name and password; none where the trunk knows our address.
    pub credentials: Option<(String, Secret)>,
    /// Whether to register.
    pub register: bool,
    /// Calls at once.
    pub calls_max: usize,
    /// Local address of the signalling.
    pub bind: Option<SocketAddr>,
    /// Our address as the trunk sees it.
    pub public_ip: Option<IpAddr>,
    /// Local ports of the sound.
    pub rtp_ports: Option<RangeInclusive<u16>>,
    /// Certificates to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

impl Settings {
    pub(super) fn hosts(&self) -> Vec<String> {
        self.trunk.iter().map(|address| address.host.clone()).collect()
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Settings {
    let transports =
        [("udp", VoiceTransport::Udp), ("tcp", VoiceTransport::Tcp), ("tls", VoiceTransport::Tls)];
    let settings = Settings {
        trunk: reader.required("trunk"),
        transport: reader.one_of("transport", VoiceTransport::Udp, &transports),
        caller: reader.required("caller").unwrap_or_default(),
        prefix: prefix(reader),
        credentials: credentials(reader),
        register: reader.flag("register", false),
        calls_max: reader.number("calls_max", 50_i64, 1..=1000).try_into().unwrap_or(CALLS_MAX),
        bind: reader.parsed("bind"),
        public_ip: reader.parsed("public_ip"),
        rtp_ports: rtp_ports(reader),
        ca_file: reader.text("ca_file").map(PathBuf::from),
    };
    let users = [
        ("caller", Some(&settings.caller)),
        ("username", settings.credentials.as_ref().map(|it| &it.0)),
    ];
    for (key, user) in users {
        if user.is_some_and(|user| !is_user(user)) {
            reader.complain(key, "letters, digits and + - _ . only, without the part after @");
        }
    }
    if settings.register && settings.credentials.is_none() {
        reader.complain("register", "needs username and password");
    }
    settings
}

fn prefix(reader: &mut Reader<'_>) -> String {
    let Some(list) = reader.list("prefix") else { return "+".to_owned() };
    let prefix = list.concat();
    if !prefix.bytes().all(|byte| byte == b'+' || byte.is_ascii_digit()) {
        reader
            .complain("prefix", "what stands in front of a number, such as \"+\", \"00\" or \"\"");
    }
    prefix
}

fn credentials(reader: &mut Reader<'_>) -> Option<(String, Secret)> {
    let (username, password) = (reader.text("username"), reader.secret("password"));
    if username.is_some() != password.is_some() {
        reader.complain("username", "needs password, and the other way round");
    }
    Some((username?, password?))
}

/// `"20000-20999"`.
fn rtp_ports(reader: &mut Reader<'_>) -> Option<RangeInclusive<u16>> {
    let text = reader.text("rtp_ports")?;
    let range = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (0 < first && first <= last).then_some(first..=last)
    });
    if range.is_none() {
        reader.complain("rtp_ports", format!("`{text}` is no range such as \"20000-20999\""));
    }
    range
}

/// Whether a text can stand in front of the @ of an address without being escaped.
fn is_user(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_.".contains(&byte))
}

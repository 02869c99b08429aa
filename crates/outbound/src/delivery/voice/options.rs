//! How the trunk is reached.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;

/// Longest time that a telephone may ring: the answer has to be there before the outbox's lease of a
/// minute passes.
pub const RING_MAX: Duration = Duration::from_secs(50);

/// What SIP is carried by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VoiceTransport {
    /// Datagrams; what most trunks speak.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// A connection with TLS. The sound itself is not encrypted (RTP/AVP).
    Tls,
}

impl VoiceTransport {
    /// The port that a trunk has unless told.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }
}

/// A name and a password for digest authentication. Redacted in `Debug`.
#[derive(Clone)]
pub struct Credentials {
    /// User name; also the user part of the registered address.
    pub username: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What a [`VoiceDelivery`](super::VoiceDelivery) needs to know.
#[derive(Debug, Clone)]
pub struct VoiceOptions {
    /// Name in the ledger.
    pub name: String,
    /// Host name or address of the trunk.
    pub host: String,
    /// Its port; 5060, or 5061 with TLS, unless given.
    pub port: Option<u16>,
    /// What SIP is carried by.
    pub transport: VoiceTransport,
    /// Number or name that calls come from, as the trunk wants it.
    pub caller: String,
    /// What stands in front of the digits of the called number: `+` for E.164, `00` or nothing where the
    /// trunk wants so.
    pub prefix: String,
    /// For trunks that ask for a password; `None` where they know our address.
    pub credentials: Option<Credentials>,
    /// Registers with the trunk and keeps the registration alive. Needs credentials.
    pub register: bool,
    /// How long a telephone rings before the call is given up; at most [`RING_MAX`].
    pub ring: Duration,
    /// Calls at once; more are told to come back.
    pub calls_max: usize,
    /// The local address of the signalling; the one on the way to the trunk, and any port, unless given.
    pub bind: Option<SocketAddr>,
    /// The address to name in descriptions of the sound, where a translator stands in between.
    pub public_ip: Option<IpAddr>,
    /// Local ports of the sound; any free one unless given.
    pub rtp_ports: Option<RangeInclusive<u16>>,
    /// Certificates (PEM) to trust with TLS instead of the system's.
    pub ca_pem: Option<Vec<u8>>,
}

impl VoiceOptions {
    /// Options with defaults for everything but the trunk and the caller.
    #[must_use]
    pub fn new(host: impl Into<String>, caller: impl Into<String>) -> Self {
        Self {
            name: "voice".to_owned(),
            host: host.into(),
            port: None,
            transport: VoiceTransport::default(),
            caller: caller.into(),
            prefix: "+".to_owned(),
            credentials: None,
            register: false,
            ring: Duration::from_secs(45),
            calls_max: 50,
            bind: None,
            public_ip: None,
            rtp_ports: None,
            ca_pem: None,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(self.transport.port())
    }
}

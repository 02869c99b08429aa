//! The typed settings, section by section. What each means stands in `config.default.toml`; here stand
//! type and range.

use core::time::Duration;
use std::path::PathBuf;

use registration::{AccountId, Limits};
use serde::Deserialize;
use service::ram::Network;
use service::{CallbackPolicy, RamDenial};

use super::money::{DestinationSettings, FuseSettings};
use super::open::Named;
use super::values::{
    HostPort, account_ids, base_url, bool_or_auto, host_port_or_off, log_level, networks, optional,
    size, span, spans, within, within_or_auto,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// What the server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Inbox, clock and magic numbers; nothing leaves the machine.
    Sandbox,
    /// Real numbers.
    Production,
}

/// Every setting, checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the server is for.
    pub mode: Mode,
    /// Where clients reach the server, without a final slash; none: the address it listens on.
    #[serde(deserialize_with = "base_url")]
    pub public_url: Option<String>,
    /// Addresses and what a connection may take.
    pub listen: Listen,
    /// The data folder.
    pub data: Data,
    /// The operator's own certificate.
    pub tls: TlsFiles,
    /// The On-Premises dialect.
    pub onprem: Onprem,
    /// `[graph]`
    pub graph: GraphSettings,
    /// The CAMS dialect.
    pub cams: Cams,
    /// Display names.
    pub names: Names,
    /// Webhooks.
    pub callbacks: Callbacks,
    /// Limits common to all dialects.
    pub limits: LimitSettings,
    /// Registrars upstream.
    pub upstream: UpstreamSettings,
    /// How codes leave.
    pub delivery: Delivery,
    /// Where codes may go.
    pub destinations: DestinationSettings,
    /// What codes may cost.
    pub fuses: FuseSettings,
    /// The mail server.
    pub mail: MailSettings,
    /// Cost of PIN and password hashes.
    pub hashing: Hashing,
    /// Log lines.
    pub log: Log,
    /// The sections whose tables the operator names: senders, routes and what belongs to them.
    #[serde(skip)]
    pub named: Named,
}

/// `[listen]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Listen {
    pub http: HostPort,
    #[serde(deserialize_with = "host_port_or_off")]
    pub https: Option<HostPort>,
    pub remote_sandbox: bool,
    #[serde(deserialize_with = "networks")]
    pub proxies: Vec<Network>,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub connections_max: usize,
    #[serde(deserialize_with = "within_or_auto::<_, 1, 1_000_000>")]
    pub connections_per_source_max: Option<usize>,
    #[serde(deserialize_with = "span::<_, 1, 300>")]
    pub header_timeout: Duration,
    #[serde(deserialize_with = "span::<_, 1, 3600>")]
    pub body_timeout: Duration,
    #[serde(deserialize_with = "size::<_, 1024, 67_108_864>")]
    pub body_max: usize,
    #[serde(deserialize_with = "size::<_, 1_048_576, 1_073_741_824>")]
    pub bodies_max: usize,
    #[serde(deserialize_with = "within::<_, _, 10, 1000>")]
    pub headers_max: usize,
    #[serde(deserialize_with = "size::<_, 8192, 1_048_576>")]
    pub header_bytes_max: usize,
    #[serde(deserialize_with = "span::<_, 0, 3600>")]
    pub drain_timeout: Duration,
}

impl Listen {
    /// Connections that one source may have open; an eighth of all where nothing is set.
    #[must_use]
    pub fn connections_per_source_max(&self) -> usize {
        self.connections_per_source_max.unwrap_or(self.connections_max / 8).max(1)
    }
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Data {
    pub dir: PathBuf,
    #[serde(deserialize_with = "optional")]
    pub master_key_file: Option<PathBuf>,
    #[serde(deserialize_with = "optional")]
    pub master_key_variable: Option<String>,
}

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct TlsFiles {
    #[serde(deserialize_with = "optional")]
    pub certificate_file: Option<PathBuf>,
    #[serde(deserialize_with = "optional")]
    pub key_file: Option<PathBuf>,
}

/// `[onprem]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Onprem {
    pub version: String,
    pub retired: bool,
    #[serde(deserialize_with = "bool_or_auto")]
    pub accept_foreign_certificates: Option<bool>,
    #[serde(deserialize_with = "span::<_, MINUTE, YEAR>")]
    pub token_lifetime: Duration,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub requests_per_second: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub requests_burst: u32,
    #[serde(deserialize_with = "span::<_, 0, HOUR>")]
    pub coreapp_restart: Duration,
    #[serde(deserialize_with = "span::<_, 0, HOUR>")]
    pub coreapp_connect: Duration,
}

/// `[cams]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Cams {
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub requests_per_second: usize,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub requests_per_second_low: usize,
    pub denial: Denial,
}

/// `[names]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Names {
    #[serde(deserialize_with = "bool_or_auto")]
    pub review: Option<bool>,
    #[serde(deserialize_with = "span::<_, MINUTE, YEAR>")]
    pub certificate_lifetime: Duration,
}

/// `cams.denial`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Denial {
    /// Status 400.
    #[serde(rename = "Ram.PermissionDeny")]
    PermissionDeny,
    /// Status 403.
    NoPermission,
}

impl From<Denial> for RamDenial {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::PermissionDeny => Self::PermissionDeny,
            Denial::NoPermission => Self::NoPermission,
        }
    }
}

/// `[callbacks]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Callbacks {
    #[serde(deserialize_with = "spans::<_, YEAR>")]
    pub waits: Vec<Duration>,
    #[serde(deserialize_with = "span::<_, 1, YEAR>")]
    pub off_after: Duration,
    #[serde(deserialize_with = "bool_or_auto")]
    pub public: Option<bool>,
    #[serde(deserialize_with = "bool_or_auto")]
    pub loopback: Option<bool>,
    #[serde(deserialize_with = "account_ids")]
    pub private_accounts: Vec<AccountId>,
}

/// `[graph]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct GraphSettings {
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000_000>")]
    pub app_calls_per_hour: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000_000>")]
    pub waba_calls_per_hour: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000_000>")]
    pub registered_waba_calls_per_hour: u32,
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct LimitSettings {
    #[serde(deserialize_with = "span::<_, 1, DAY>")]
    pub code_lifetime: Duration,
    #[serde(deserialize_with = "spans::<_, DAY>")]
    pub guess_waits: Vec<Duration>,
    #[serde(deserialize_with = "within::<_, _, 1, 1000>")]
    pub failed_guesses_max: usize,
    #[serde(deserialize_with = "span::<_, 1, YEAR>")]
    pub failed_guesses_window: Duration,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub failed_in_a_row_max: u32,
    #[serde(deserialize_with = "spans::<_, DAY>")]
    pub sms_waits: Vec<Duration>,
    #[serde(deserialize_with = "spans::<_, DAY>")]
    pub voice_waits: Vec<Duration>,
    #[serde(deserialize_with = "span::<_, 1, YEAR>")]
    pub ladder_restart: Duration,
    #[serde(deserialize_with = "within::<_, _, 1, 1000>")]
    pub register_calls_max: usize,
    #[serde(deserialize_with = "span::<_, 1, YEAR>")]
    pub register_window: Duration,
    #[serde(deserialize_with = "within::<_, _, 1, 1000>")]
    pub pin_failures_max: u32,
    #[serde(deserialize_with = "span::<_, 1, YEAR>")]
    pub pin_lock: Duration,
    #[serde(deserialize_with = "span::<_, MINUTE, YEAR>")]
    pub verified_idle: Duration,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub country_burst: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 1_000_000>")]
    pub country_per_minute: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 1000>")]
    pub login_failures_max: u32,
    #[serde(deserialize_with = "span::<_, 1, DAY>")]
    pub login_window: Duration,
}

/// `[upstream]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct UpstreamSettings {
    #[serde(deserialize_with = "span::<_, 1, 30>")]
    pub connect_timeout: Duration,
    #[serde(deserialize_with = "span::<_, 1, 30>")]
    pub call_timeout: Duration,
    #[serde(deserialize_with = "span::<_, MINUTE, DAY>")]
    pub compare_every: Duration,
    pub without_senders: bool,
}

/// What a hand-over whose end is unknown means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Hand it over again.
    AtLeastOnce,
    /// Never again.
    NeverTwice,
}

/// `[delivery]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Delivery {
    #[serde(deserialize_with = "span::<_, 1, 55>")]
    pub budget: Duration,
    pub repeat: Repeat,
    #[serde(deserialize_with = "within::<_, _, 1, 1000>")]
    pub breaker_failures: u32,
    #[serde(deserialize_with = "span::<_, 1, 300>")]
    pub breaker_rest: Duration,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Begins in the clear and must switch to TLS.
    StartTls,
    /// TLS from the start.
    Tls,
    /// In the clear.
    None,
}

/// `[mail]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct MailSettings {
    #[serde(deserialize_with = "host_port_or_off")]
    pub server: Option<HostPort>,
    pub security: MailSecurity,
    pub from: String,
    #[serde(deserialize_with = "optional")]
    pub username: Option<String>,
    #[serde(deserialize_with = "optional")]
    pub password_file: Option<PathBuf>,
    #[serde(deserialize_with = "optional")]
    pub ca_file: Option<PathBuf>,
}

/// `[hashing]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Hashing {
    // At least what Argon2 needs for one lane; at most 4 GiB.
    #[serde(deserialize_with = "within::<_, _, 8, 4_194_304>")]
    pub memory_kib: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 100>")]
    pub passes: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 100_000>")]
    pub queue: usize,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Log {
    pub format: LogFormat,
    #[serde(deserialize_with = "log_level")]
    pub level: String,
}

impl Config {
    /// The limits that the rules of registration obey.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limits = &self.limits;
        Limits {
            code_lifetime: limits.code_lifetime,
            guess_waits: limits.guess_waits.clone(),
            failed_guesses_max: limits.failed_guesses_max,
            failed_guesses_window: limits.failed_guesses_window,
            failed_in_a_row_max: limits.failed_in_a_row_max,
            sms_waits: limits.sms_waits.clone(),
            voice_waits: limits.voice_waits.clone(),
            ladder_restart: limits.ladder_restart,
            register_calls_max: limits.register_calls_max,
            register_window: limits.register_window,
            pin_failures_max: limits.pin_failures_max,
            pin_lock: limits.pin_lock,
            verified_idle: limits.verified_idle,
            coreapp_restart: self.onprem.coreapp_restart,
            coreapp_connect: self.onprem.coreapp_connect,
        }
    }

    /// How callbacks are posted.
    #[must_use]
    pub fn callback_policy(&self) -> CallbackPolicy {
        let callbacks = &self.callbacks;
        CallbackPolicy {
            waits: callbacks.waits.clone(),
            off_after: callbacks.off_after,
            public: callbacks.public.unwrap_or(self.mode == Mode::Production),
            loopback: callbacks.loopback.unwrap_or(self.mode == Mode::Sandbox),
            private_accounts: callbacks.private_accounts.clone(),
        }
    }

    /// Whether display names wait for the operator.
    #[must_use]
    pub fn reviews_names(&self) -> bool {
        self.names.review.unwrap_or(self.mode == Mode::Production)
    }

    /// Whether certificates that another authority signed are taken as a claim.
    #[must_use]
    pub fn accepts_foreign_certificates(&self) -> bool {
        self.onprem.accept_foreign_certificates.unwrap_or(self.mode == Mode::Sandbox)
    }
}

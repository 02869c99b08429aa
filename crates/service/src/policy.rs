//! The settings that use cases obey besides the rules' own [`Limits`].

use core::time::Duration;

use registration::{AccountId, Limits};

use crate::graph_usage::GraphLimits;
use crate::message_text::OwnTexts;
use crate::spending::Spending;

/// What an operator may set. Swapped as a whole while serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The limits of the rules.
    pub limits: Limits,
    /// Sends per country and account.
    pub country_sends: Allowance,
    /// Requests per On-Premises client.
    pub client_requests: Allowance,
    /// Calls of the Graph dialect per hour.
    pub graph: GraphLimits,
    /// Failed logins per user and source.
    pub login_failures: Allowance,
    /// Life of an On-Premises token (documented: 7 days).
    pub token_lifetime: Duration,
    /// Life of a certificate of the built-in authority (14 days); for so long an approved display name waits
    /// for its registration.
    pub certificate_lifetime: Duration,
    /// Whether display names that callers bring wait for the operator; else they are approved at once.
    pub review_names: bool,
    /// Certificates that this installation did not issue are accepted as a claim.
    pub accept_foreign_certificates: bool,
    /// Requests per second, account and CAMS operation.
    pub operation_rates: OperationRates,
    /// How CAMS refuses what no policy allows.
    pub ram_denial: RamDenial,
    /// Posting callbacks.
    pub callbacks: CallbackPolicy,
    /// What codes cost and where they may go.
    pub spending: Spending,
    /// What a hand-over whose end is unknown means.
    pub repeat: Repeat,
    /// The operator's own texts.
    pub texts: OwnTexts,
}

/// Requests per second, account and operation (CAMS reference §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationRates {
    /// For most operations.
    pub usual: usize,
    /// For those that are documented with fewer.
    pub low: usize,
}

/// The two documented forms of a denial (CAMS reference §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RamDenial {
    /// Status 400, `Ram.PermissionDeny`.
    #[default]
    PermissionDeny,
    /// Status 403, `NoPermission`.
    NoPermission,
}

/// How callbacks are posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackPolicy {
    /// Pause after each failed attempt; as many further attempts as entries.
    pub waits: Vec<Duration>,
    /// An endpoint that failed for so long is switched off.
    pub off_after: Duration,
    /// Whether endpoints may be on the public internet.
    pub public: bool,
    /// Whether endpoints may be on this machine.
    pub loopback: bool,
    /// Accounts whose endpoints may be on this machine and in private networks.
    pub private_accounts: Vec<AccountId>,
}

impl Default for CallbackPolicy {
    fn default() -> Self {
        let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
        let second = Duration::from_secs(1);
        Self {
            waits: vec![
                5 * second,
                5 * minute,
                30 * minute,
                2 * hour,
                5 * hour,
                10 * hour,
                10 * hour,
            ],
            off_after: 120 * hour,
            public: true,
            loopback: false,
            private_accounts: Vec::new(),
        }
    }
}

/// What a hand-over whose end is unknown means: an answer was lost, or a process died over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeat {
    /// Hand over again: a second message carries the same code.
    #[default]
    AtLeastOnce,
    /// Never again: the ledger says that its end is unknown.
    NeverTwice,
}

/// An allowance that refills steadily: `burst` at once after a rest, then one per `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many at once after a rest.
    pub burst: u32,
    /// Time in which one is earned back.
    pub interval: Duration,
}

impl Default for Policy {
    /// The defaults of the product description, section 4.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            country_sends: Allowance { burst: 50, interval: Duration::from_secs(1) },
            client_requests: Allowance { burst: 60, interval: Duration::from_millis(50) },
            graph: GraphLimits::default(),
            login_failures: Allowance { burst: 10, interval: Duration::from_secs(90) },
            token_lifetime: Duration::from_hours(7 * 24),
            certificate_lifetime: Duration::from_hours(14 * 24),
            review_names: false,
            accept_foreign_certificates: true,
            operation_rates: OperationRates { usual: 10, low: 5 },
            ram_denial: RamDenial::default(),
            callbacks: CallbackPolicy::default(),
            spending: Spending::default(),
            repeat: Repeat::default(),
            texts: OwnTexts::default(),
        }
    }
}

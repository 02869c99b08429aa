//! The settings that use cases obey besides the rules' own [`Limits`].

use core::time::Duration;

use registration::Limits;

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
    /// Failed logins per user and source.
    pub login_failures: Allowance,
    /// Life of an On-Premises token (documented: 7 days).
    pub token_lifetime: Duration,
    /// Life of a certificate of the built-in authority (14 days).
    pub certificate_lifetime: Duration,
    /// Certificates that this installation did not issue are accepted as a claim.
    pub accept_foreign_certificates: bool,
    /// What codes cost and where they may go.
    pub spending: Spending,
    /// What a hand-over whose end is unknown means.
    pub repeat: Repeat,
    /// The operator's own texts.
    pub texts: OwnTexts,
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
            login_failures: Allowance { burst: 10, interval: Duration::from_secs(90) },
            token_lifetime: Duration::from_hours(7 * 24),
            certificate_lifetime: Duration::from_hours(14 * 24),
            accept_foreign_certificates: true,
            spending: Spending::default(),
            repeat: Repeat::default(),
            texts: OwnTexts::default(),
        }
    }
}

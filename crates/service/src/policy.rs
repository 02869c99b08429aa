//! The settings that use cases obey besides the rules' own [`Limits`].

use core::time::Duration;

use registration::Limits;

use crate::graph_usage::GraphLimits;

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
    /// Life of a certificate of the built-in authority (14 days).
    pub certificate_lifetime: Duration,
    /// Certificates that this installation did not issue are accepted as a claim.
    pub accept_foreign_certificates: bool,
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
            accept_foreign_certificates: true,
        }
    }
}

//! Coreapp, the part of an On-Premises client that keeps the link to WhatsApp, as a state machine over
//! time: what it reports follows from the registration and the clock, so it survives restarts, is the
//! same on every node, and turns with the sandbox clock.

use registration::{Limits, Registration, Timestamp};

use crate::directory::Client;

/// What Coreapp reports about itself (On-Premises reference §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoreappStatus {
    /// Running, no number registered.
    Unregistered,
    /// Restarting: another number was registered, or a backup restored. Calls that need Coreapp
    /// answer 1011 until then.
    Restarting {
        /// End of the restart.
        until: Timestamp,
    },
    /// The link is being set up.
    Connecting,
    /// The link is up.
    Connected,
}

/// Whether a restart that ends at `until` is under way. A clock that was turned back does not stretch it
/// beyond its length.
#[must_use]
pub fn restarts(until: Timestamp, now: Timestamp, limits: &Limits) -> bool {
    now < until && until.since(now) <= limits.coreapp_restart
}

/// The status of `client`'s Coreapp at `now`, `held` being the registration it runs.
#[must_use]
pub fn status(
    client: &Client,
    held: Option<&Registration>,
    now: Timestamp,
    limits: &Limits,
) -> CoreappStatus {
    let until =
        held.map_or(client.restarting_until, |r| r.restarting_until.max(client.restarting_until));
    if restarts(until, now, limits) {
        return CoreappStatus::Restarting { until };
    }
    match held {
        None => CoreappStatus::Unregistered,
        Some(held) if now < held.since.max(until) + limits.coreapp_connect => {
            CoreappStatus::Connecting
        }
        Some(_) => CoreappStatus::Connected,
    }
}

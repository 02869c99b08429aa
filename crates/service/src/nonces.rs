//! A signed request is accepted once: on any thread, on any node, also after a restart.
//!
//! The nonce is committed by itself **before** the operation runs, for reads and writes alike. A crash in
//! between costs a request that was never answered, and its repetition by the client carries a new nonce;
//! the other way round the same bytes could be carried out twice.

use core::time::Duration;

use registration::Timestamp;

use crate::error::ServiceError;
use crate::ports::{CommitError, OnceKey, Unit};
use crate::service::{Service, committed};

/// How far the moment of signing may be off, in both directions (documented: 15 minutes).
pub const SIGNED_WINDOW: Duration = Duration::from_mins(15);

/// How long a nonce is remembered, counted from the later of signing and arrival. Twice the window, so
/// that a nonce outlives the last moment at which its request could still be accepted.
pub const NONCE_REMEMBERED: Duration = Duration::from_mins(30);

/// Whether a request was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// No: it may be carried out, and is remembered.
    Fresh,
    /// Yes: it must not be carried out.
    Repeated,
}

/// Whether a request signed at `signed_at` may be accepted at `now`.
#[must_use]
pub fn is_timely(signed_at: Timestamp, now: Timestamp) -> bool {
    signed_at.since(now).max(now.since(signed_at)) <= SIGNED_WINDOW
}

impl Service {
    /// Uses the nonce of a request whose signature was proven; on disk when this returns `Fresh`.
    pub async fn use_nonce(
        &self,
        access_key_id: &str,
        nonce: &str,
        signed_at: Timestamp,
    ) -> Result<Freshness, ServiceError> {
        // No access key id contains a slash, so no two pairs make the same key.
        let key = format!("cams/{access_key_id}/{nonce}");
        let until = signed_at.max(self.now()) + NONCE_REMEMBERED;
        self.use_once(key, until).await
    }

    /// Uses up something that may be used once, remembered until `until`; on disk when this returns
    /// `Fresh`.
    pub async fn use_once(&self, key: String, until: Timestamp) -> Result<Freshness, ServiceError> {
        let unit = Unit { once: vec![OnceKey { key, until }], ..Unit::default() };
        match self.store.commit(unit).await {
            Err(CommitError::Repeated { .. }) => Ok(Freshness::Repeated),
            other => committed(other).map(|()| Freshness::Fresh),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_timely_for_a_quarter_of_an_hour_before_and_after() {
        let signed_at = Timestamp::from_millis(1_800_000_000_000);
        let window = SIGNED_WINDOW;
        let more = window + Duration::from_millis(1);
        assert!(is_timely(signed_at, signed_at));
        assert!(is_timely(signed_at, signed_at + window));
        assert!(is_timely(signed_at, signed_at - window));
        assert!(!is_timely(signed_at, signed_at + more));
        assert!(!is_timely(signed_at, signed_at - more));
    }

    #[test]
    fn a_nonce_outlives_every_moment_at_which_its_request_is_timely() {
        let signed_at = Timestamp::from_millis(1_800_000_000_000);
        for arrived_at in [signed_at - SIGNED_WINDOW, signed_at, signed_at + SIGNED_WINDOW] {
            let until = signed_at.max(arrived_at) + NONCE_REMEMBERED;
            assert!(!is_timely(signed_at, until));
        }
    }
}

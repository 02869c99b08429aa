//! The audit chain: each event carries a hash over itself and the hash before it.

use sha2::{Digest, Sha256};

use crate::ports::{Event, Subject};

/// The hash that stands before the first event.
#[must_use]
pub fn genesis() -> [u8; 32] {
    [0; 32]
}

/// The hash of `event` at place `seq`, chained to `previous`.
#[must_use]
pub fn chain_hash(previous: &[u8; 32], seq: u64, event: &Event) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(seq.to_be_bytes());
    hash.update(event.id.0.to_be_bytes());
    hash.update(event.at.as_millis().to_be_bytes());
    let subject = match &event.subject {
        Subject::Number(number) => number.digits(),
        Subject::Entity(key) => format!("{}:{}", key.kind.as_str(), key.id),
        Subject::System => String::new(),
    };
    let account = event.account.as_ref().map(ToString::to_string).unwrap_or_default();
    for text in [&subject, &account, &event.actor, &event.kind, &event.details] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

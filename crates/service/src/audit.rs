//! The hash chain of the audit trail.
//!
//! Each entry's hash covers its place, its event and the hash before it, so whoever changes, drops,
//! inserts or reorders entries must recompute every hash behind them. The chain shows that: the last hash
//! no longer is what somebody noted down earlier. It cannot show that entries were cut off its end, nor a
//! full recomputation, unless [`ChainVerifier::head`] is compared with such a note.

use registration::TextId as _;
use sha2::{Digest as _, Sha256};

use crate::ports::{AuditEntry, Event, Subject};

/// What stands before the first entry's hash; names the canonical form, so it changes with it.
const GENESIS_TEXT: &[u8] = b"rollcall audit chain 1";

/// The hash that the first entry follows.
#[must_use]
pub fn genesis() -> [u8; 32] {
    Sha256::digest(GENESIS_TEXT).into()
}

/// The hash of the entry at place `seq` behind `previous`:
/// SHA-256 of `previous ‖ seq ‖ id ‖ at ‖ subject ‖ account ‖ actor ‖ kind ‖ details`.
///
/// Integers are big-endian in their full width, texts stand behind their length in 64 bits, choices
/// behind a byte that says which; so no two events have the same canonical form.
#[must_use]
pub fn chain_hash(previous: &[u8; 32], seq: u64, event: &Event) -> [u8; 32] {
    let mut form = Canonical(Sha256::new_with_prefix(previous));
    form.bytes(&seq.to_be_bytes());
    form.bytes(&event.id.0.to_be_bytes());
    form.bytes(&event.at.as_millis().to_be_bytes());
    form.subject(&event.subject);
    match &event.account {
        None => form.bytes(&[0]),
        Some(account) => {
            form.bytes(&[1]);
            form.text(account.as_str());
        }
    }
    form.text(&event.actor);
    form.text(&event.kind);
    form.text(&event.details);
    form.0.finalize().into()
}

/// Feeds the canonical form to the hash piece by piece: nothing is allocated.
struct Canonical(Sha256);

impl Canonical {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(&(text.len() as u64).to_be_bytes());
        self.bytes(text.as_bytes());
    }

    fn subject(&mut self, subject: &Subject) {
        match subject {
            Subject::System => self.bytes(&[0]),
            Subject::Number(number) => {
                self.bytes(&[1]);
                self.bytes(&number.as_u64().to_be_bytes());
            }
            Subject::Entity(entity) => {
                self.bytes(&[2]);
                self.text(entity.kind.as_str());
                self.text(&entity.id);
            }
        }
    }
}

/// Where a chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// Entries are missing, doubled or out of order.
    #[error("entry {expected} should follow, but entry {found} does")]
    Gap {
        /// The place that should have come.
        expected: u64,
        /// The place that came.
        found: u64,
    },
    /// The entry, or one before it, is not what was written.
    #[error("the hash of entry {seq} does not match its content and the entry before it")]
    Mismatch {
        /// The place of the entry.
        seq: u64,
    },
}

/// Checks a chain entry by entry, in ascending order from the first.
#[derive(Debug, Clone)]
pub struct ChainVerifier {
    head: [u8; 32],
    len: u64,
}

impl ChainVerifier {
    /// Expects the first entry.
    #[must_use]
    pub fn new() -> Self {
        Self { head: genesis(), len: 0 }
    }

    /// Takes the next entry. After a break the verifier still stands behind the last entry that held.
    pub fn push(&mut self, entry: &AuditEntry) -> Result<(), ChainBreak> {
        let expected = self.len + 1;
        if entry.seq != expected {
            return Err(ChainBreak::Gap { expected, found: entry.seq });
        }
        if chain_hash(&self.head, entry.seq, &entry.event) != entry.hash {
            return Err(ChainBreak::Mismatch { seq: entry.seq });
        }
        self.head = entry.hash;
        self.len = expected;
        Ok(())
    }

    /// The hash of the last entry that held; [`genesis`] before the first.
    #[must_use]
    pub const fn head(&self) -> [u8; 32] {
        self.head
    }

    /// How many entries held.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether no entry was taken yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Default for ChainVerifier {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

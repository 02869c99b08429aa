//! What a dialect keeps about one number of a WABA.

use registration::{PhoneNumberId, Timestamp, WabaId};

use super::{EntityKind, EntityRef};

/// A named piece of what is kept about a claim: its business profile, its encryption key. Its inside
/// belongs to the dialect that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimDocument {
    /// Which claim.
    pub claim: PhoneNumberId,
    /// Its WABA.
    pub waba: WabaId,
    /// Which piece: `business_profile`, `encryption_public_key`, …
    pub name: String,
    /// Media type of `body`.
    pub content_type: String,
    /// The content.
    pub body: Vec<u8>,
    /// When it was written.
    pub updated_at: Timestamp,
}

impl EntityRef {
    /// Names a document of a claim.
    #[must_use]
    pub fn claim_document(claim: &PhoneNumberId, name: &str) -> Self {
        Self::new(EntityKind::ClaimDocument, format!("{claim}/{name}"))
    }
}

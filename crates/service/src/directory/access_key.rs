//! What signs requests.

use registration::{AccountId, Timestamp};

/// What signs CAMS requests; see [`crate::access_keys`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Identifier, as requests name it (`AccessKeyId`).
    pub id: String,
    /// In whose account it acts.
    pub account: AccountId,
    /// The RAM user whose key it is; `None` is the account itself.
    pub user: Option<String>,
    /// The secret, sealed.
    pub sealed_secret: String,
    /// Requests signed with it are accepted.
    pub active: bool,
    /// What is special about a temporary key.
    pub temporary: Option<TemporaryKey>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The part of an [`AccessKey`] that only temporary keys have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryKey {
    /// SHA-256 of the security token that must come with each request.
    pub security_token_sha256: [u8; 32],
    /// From then on requests are refused.
    pub expires_at: Timestamp,
    /// A policy that narrows what the owner may do, as JSON text.
    pub session_policy: Option<String>,
    /// A second factor was checked when it was made (`acs:MFAPresent`).
    pub mfa_present: bool,
}

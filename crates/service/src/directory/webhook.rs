//! Where to tell what happened.

use registration::{AccountId, CustomerSpaceId, PhoneNumberId, TextId as _, Timestamp, WabaId};

use super::{EntityKind, EntityRef};

/// An endpoint that is told what happens to a number, or to all numbers of a space, WABA or account; see
/// [`crate::callbacks`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// In whose dialect it is told: `cams`, `graph`. One webhook per dialect and scope.
    pub dialect: String,
    /// About what it is told.
    pub scope: WebhookScope,
    /// Whose it is.
    pub account: AccountId,
    /// Where to post; empty: nowhere.
    pub url: String,
    /// Whether to post at all.
    pub active: bool,
    /// The secret that signs, sealed.
    pub sealed_secret: String,
    /// What else its dialect keeps about it, as JSON text. Its inside belongs to that dialect.
    pub details: String,
    /// Since when every post has failed.
    pub failing_since: Option<Timestamp>,
    /// Since when it is switched off because it failed for too long. Setting it again switches it on.
    pub off_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// About what a webhook is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookScope {
    /// Everything of an account.
    Account(AccountId),
    /// Everything of a space.
    Space(CustomerSpaceId),
    /// Everything of a WABA.
    Waba(WabaId),
    /// One number, as claimed by a WABA.
    Number {
        /// The claim.
        claim: PhoneNumberId,
        /// Its WABA.
        waba: WabaId,
    },
}

impl WebhookScope {
    /// The word in ids.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Space(_) => "space",
            Self::Waba(_) => "waba",
            Self::Number { .. } => "number",
        }
    }

    /// The id of what it is about.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Account(id) => id.as_str(),
            Self::Space(id) => id.as_str(),
            Self::Waba(id) => id.as_str(),
            Self::Number { claim, .. } => claim.as_str(),
        }
    }

    /// What a webhook about it is removed together with.
    #[must_use]
    pub fn parent(&self) -> EntityRef {
        match self {
            Self::Account(id) => EntityRef::account(id),
            Self::Space(id) => EntityRef::space(id),
            Self::Waba(id) | Self::Number { waba: id, .. } => EntityRef::waba(id),
        }
    }
}

impl EntityRef {
    /// Names a webhook: `cams/number/1234`.
    #[must_use]
    pub fn webhook(dialect: &str, scope: &WebhookScope) -> Self {
        Self::new(EntityKind::Webhook, format!("{dialect}/{}/{}", scope.word(), scope.id()))
    }
}

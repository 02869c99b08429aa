//! What belongs to the Graph dialect: tokens, webhook subscriptions.

use registration::{AccountId, TextId as _, Timestamp, WabaId};

use super::{EntityKind, EntityRef};

/// What a bearer of a token may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GraphScopes {
    /// `whatsapp_business_management`: numbers and WABAs.
    pub management: bool,
    /// `whatsapp_business_messaging`: with the other one, registering a number.
    pub messaging: bool,
}

impl GraphScopes {
    /// Both.
    pub const ALL: Self = Self { management: true, messaging: true };

    /// The scopes by their documented names.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.management, "whatsapp_business_management"),
            (self.messaging, "whatsapp_business_messaging"),
        ];
        all.into_iter().filter_map(|(has, name)| has.then_some(name)).collect()
    }
}

/// A bearer token; see [`crate::graph_tokens`]. The token itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphToken {
    /// Identifier, by which it is revoked.
    pub id: String,
    /// In whose account it acts.
    pub account: AccountId,
    /// Name for people.
    pub name: String,
    /// SHA-256 of the token, as 64 hexadecimal digits: by it the token is found.
    pub sha256: String,
    /// What its bearer may do.
    pub scopes: GraphScopes,
    /// The only WABAs of the account that it reaches; empty means all.
    pub wabas: Vec<WabaId>,
    /// From then on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl GraphToken {
    /// Whether it reaches this WABA, if the WABA is in its account at all.
    #[must_use]
    pub fn reaches(&self, waba: &WabaId) -> bool {
        self.wabas.is_empty() || self.wabas.contains(waba)
    }
}

/// The app of the account wants the webhooks of this WABA. Where they go is a
/// [`Webhook`](super::Webhook).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphSubscription {
    /// Which WABA.
    pub waba: WabaId,
    /// When it was made.
    pub created_at: Timestamp,
}

impl EntityRef {
    /// Names a token of the Graph dialect.
    #[must_use]
    pub fn graph_token(id: &str) -> Self {
        Self::new(EntityKind::GraphToken, id)
    }

    /// Names the webhook subscription of a WABA.
    #[must_use]
    pub fn graph_subscription(waba: &WabaId) -> Self {
        Self::new(EntityKind::GraphSubscription, waba.as_str())
    }
}

//! What belongs to the Graph dialect: tokens, an account's app, webhook subscriptions.

use registration::{AccountId, Timestamp, WabaId};

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

/// Where webhooks are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The address.
    pub url: String,
    /// What its owner expects in the handshake, sealed.
    pub sealed_verify_token: String,
}

/// The app of an account: the one in whose name its tokens act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphApp {
    /// Whose app.
    pub account: AccountId,
    /// The app secret, sealed: it signs webhooks and proves tokens.
    pub sealed_secret: String,
    /// Where its webhooks go, if anywhere.
    pub callback: Option<Callback>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The app of the account wants the webhooks of this WABA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphSubscription {
    /// Which WABA.
    pub waba: WabaId,
    /// Where they go instead of to the app's own address.
    pub callback: Option<Callback>,
    /// When it was made.
    pub created_at: Timestamp,
}

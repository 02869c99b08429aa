//! Taking an [`Entity`] for the part that it is.

use super::{
    AccessKey, Account, ClaimDocument, Client, CustomPolicy, Document, Entity, GraphSubscription,
    GraphToken, Group, KeyMark, Operator, PinReset, RamUser, Reply, Session, Space, User, Waba,
    Webhook,
};

macro_rules! into_parts {
    ($($(#[$doc:meta])+ $method:ident -> $kind:ident;)+) => {
        impl Entity {$(
            $(#[$doc])+
            #[must_use]
            pub fn $method(self) -> Option<$kind> {
                if let Self::$kind(it) = self { Some(it) } else { None }
            }
        )+}
    };
}

into_parts! {
    /// The account, if it is one.
    into_account -> Account;
    /// The space, if it is one.
    into_space -> Space;
    /// The WABA, if it is one.
    into_waba -> Waba;
    /// The client, if it is one.
    into_client -> Client;
    /// The user, if it is one.
    into_user -> User;
    /// The session, if it is one.
    into_session -> Session;
    /// The document, if it is one.
    into_document -> Document;
    /// The RAM user, if it is one.
    into_ram_user -> RamUser;
    /// The group, if it is one.
    into_group -> Group;
    /// The custom policy, if it is one.
    into_custom_policy -> CustomPolicy;
    /// The reply, if it is one.
    into_reply -> Reply;
    /// The access key, if it is one.
    into_access_key -> AccessKey;
    /// The token, if it is one.
    into_graph_token -> GraphToken;
    /// The subscription, if it is one.
    into_graph_subscription -> GraphSubscription;
    /// The webhook, if it is one.
    into_webhook -> Webhook;
    /// The document of a claim, if it is one.
    into_claim_document -> ClaimDocument;
    /// The link to reset a PIN, if it is one.
    into_pin_reset -> PinReset;
    /// The operator, if it is one.
    into_operator -> Operator;
    /// The mark of a master key, if it is one.
    into_key_mark -> KeyMark;
}

//! What belongs to the Graph dialect.

use std::borrow::Cow;

use registration::TextId as _;
use serde::{Deserialize, Serialize};
use service::directory::{GraphScopes, GraphSubscription, GraphToken};

use super::super::{BadRow, is_default, to_json};
use super::{Reader, at};

#[derive(Serialize, Deserialize)]
struct TokenTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    sha256: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_default")]
    management: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    messaging: bool,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    wabas: Vec<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct SubscriptionTwin {
    at: i64,
}

/// The body of a token.
pub(super) fn token_body(it: &GraphToken) -> String {
    to_json(&TokenTwin {
        account: it.account.as_str().into(),
        name: (&it.name).into(),
        sha256: (&it.sha256).into(),
        management: it.scopes.management,
        messaging: it.scopes.messaging,
        wabas: it.wabas.iter().map(|waba| waba.as_str().into()).collect(),
        expires_at: it.expires_at.map(registration::Timestamp::as_millis),
        at: it.created_at.as_millis(),
    })
}

/// The body of a subscription.
pub(super) fn subscription_body(it: &GraphSubscription) -> String {
    to_json(&SubscriptionTwin { at: it.created_at.as_millis() })
}

impl Reader<'_> {
    pub(super) fn graph_token(&self) -> Result<GraphToken, BadRow> {
        let twin: TokenTwin<'_> = self.twin()?;
        Ok(GraphToken {
            id: self.id.to_owned(),
            account: self.id_in_body(&twin.account)?,
            name: twin.name.into_owned(),
            sha256: twin.sha256.into_owned(),
            scopes: GraphScopes { management: twin.management, messaging: twin.messaging },
            wabas: twin.wabas.iter().map(|it| self.id_in_body(it)).collect::<Result<_, _>>()?,
            expires_at: twin.expires_at.map(at),
            created_at: at(twin.at),
        })
    }

    pub(super) fn graph_subscription(&self) -> Result<GraphSubscription, BadRow> {
        let twin: SubscriptionTwin = self.twin()?;
        Ok(GraphSubscription { waba: self.own_id()?, created_at: at(twin.at) })
    }
}

//! Webhooks.

use std::borrow::Cow;

use registration::TextId as _;
use serde::{Deserialize, Serialize};
use service::directory::{Webhook, WebhookScope};

use super::super::{BadRow, is_default, to_json};
use super::{Reader, at};

#[derive(Serialize, Deserialize)]
struct WebhookTwin<'a> {
    #[serde(borrow)]
    dialect: Cow<'a, str>,
    scope: ScopeTwin,
    #[serde(borrow)]
    scope_id: Cow<'a, str>,
    /// The WABA of a number's claim.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    waba: Option<Cow<'a, str>>,
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_default")]
    active: bool,
    #[serde(borrow)]
    sealed: Cow<'a, str>,
    #[serde(borrow)]
    details: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing_since: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    off_since: Option<i64>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ScopeTwin {
    Account,
    Space,
    Waba,
    Number,
}

/// The body of a webhook.
pub(super) fn webhook_body(it: &Webhook) -> String {
    let (scope, waba) = match &it.scope {
        WebhookScope::Account(_) => (ScopeTwin::Account, None),
        WebhookScope::Space(_) => (ScopeTwin::Space, None),
        WebhookScope::Waba(_) => (ScopeTwin::Waba, None),
        WebhookScope::Number { waba, .. } => (ScopeTwin::Number, Some(waba.as_str().into())),
    };
    to_json(&WebhookTwin {
        dialect: (&it.dialect).into(),
        scope,
        scope_id: it.scope.id().into(),
        waba,
        account: it.account.as_str().into(),
        url: (&it.url).into(),
        active: it.active,
        sealed: (&it.sealed_secret).into(),
        details: (&it.details).into(),
        failing_since: it.failing_since.map(registration::Timestamp::as_millis),
        off_since: it.off_since.map(registration::Timestamp::as_millis),
        at: it.created_at.as_millis(),
    })
}

impl Reader<'_> {
    pub(super) fn webhook(&self) -> Result<Webhook, BadRow> {
        let twin: WebhookTwin<'_> = self.twin()?;
        let scope = match twin.scope {
            ScopeTwin::Account => WebhookScope::Account(self.id_in_body(&twin.scope_id)?),
            ScopeTwin::Space => WebhookScope::Space(self.id_in_body(&twin.scope_id)?),
            ScopeTwin::Waba => WebhookScope::Waba(self.id_in_body(&twin.scope_id)?),
            ScopeTwin::Number => WebhookScope::Number {
                claim: self.id_in_body(&twin.scope_id)?,
                waba: self.id_in_body(twin.waba.as_deref().unwrap_or_default())?,
            },
        };
        Ok(Webhook {
            dialect: twin.dialect.into_owned(),
            scope,
            account: self.id_in_body(&twin.account)?,
            url: twin.url.into_owned(),
            active: twin.active,
            sealed_secret: twin.sealed.into_owned(),
            details: twin.details.into_owned(),
            failing_since: twin.failing_since.map(at),
            off_since: twin.off_since.map(at),
            created_at: at(twin.at),
        })
    }
}

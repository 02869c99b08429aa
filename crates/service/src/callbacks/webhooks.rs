//! Setting, changing and looking up webhooks.

use registration::AccountId;
use serde_json::json;

use super::address::{UrlFault, check_url, host_of};
use crate::access_keys::letters;
use crate::caller::Caller;
use crate::directory::{Entity, EntityRef, Webhook, WebhookScope};
use crate::error::{ServiceError, Unavailable};
use crate::ports::{Callback, CallbackQuery, CommitError, EntityWrite, Subject, Unit, Versioned};
use crate::seed::SecretText;
use crate::service::{Service, committed};

/// Tries before giving up because others change the same webhook at this very moment.
const ATTEMPTS_MAX: u32 = 8;

/// Characters of a secret that is made here: 190 bits.
const SECRET_CHARS: usize = 32;

/// What is asked of a webhook; `None` leaves things as they are.
#[derive(Debug, Clone)]
pub struct WebhookOrder {
    /// In whose dialect: one of [`super::DIALECTS`].
    pub dialect: &'static str,
    /// About what.
    pub scope: WebhookScope,
    /// Whose it is.
    pub account: AccountId,
    /// Where to post; empty: nowhere.
    pub url: Option<String>,
    /// Whether to post.
    pub active: Option<bool>,
    /// What signs; drawn at random for a new webhook without one.
    pub secret: Option<SecretText>,
    /// What else the dialect keeps, JSON text.
    pub details: Option<String>,
}

/// How the setting of a webhook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookSet {
    /// It looks like this now.
    Done(Webhook),
    /// The address is none.
    BadUrl(UrlFault),
    /// What it is about does not exist.
    Unknown,
}

impl Service {
    /// Sets a webhook or changes it. Setting one that was switched off for its failures switches it on.
    pub async fn set_webhook(
        &self,
        caller: &Caller,
        order: &WebhookOrder,
    ) -> Result<WebhookSet, ServiceError> {
        if let Some(url) = order.url.as_deref().filter(|url| !url.is_empty())
            && let Err(fault) = check_url(url)
        {
            return Ok(WebhookSet::BadUrl(fault));
        }
        let key = EntityRef::webhook(order.dialect, &order.scope);
        for _ in 0..ATTEMPTS_MAX {
            let (expected, before) = match self.store.entity(&key).await? {
                Some(Versioned { version, value }) => (version, value.into_webhook()),
                None if self.store.entity(&order.scope.parent()).await?.is_none() => {
                    return Ok(WebhookSet::Unknown);
                }
                None => (0, None),
            };
            let webhook = self.webhook_after(&key, before, order);
            let details = json!({ "host": host_of(&webhook.url), "active": webhook.active });
            let event = self.event(caller, Subject::Entity(key.clone()), "webhook_set", &details);
            let entity = Entity::Webhook(webhook.clone());
            let unit = Unit {
                entities: vec![EntityWrite::Put { expected, entity }],
                events: vec![event],
                ..Unit::default()
            };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| WebhookSet::Done(webhook)),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// The webhook of this dialect and scope.
    pub async fn webhook(
        &self,
        dialect: &str,
        scope: &WebhookScope,
    ) -> Result<Option<Webhook>, ServiceError> {
        let found = self.store.entity(&EntityRef::webhook(dialect, scope)).await?;
        Ok(found.and_then(|found| found.value.into_webhook()))
    }

    /// A page of callbacks, newest first.
    pub async fn callbacks(&self, query: &CallbackQuery) -> Result<Vec<Callback>, ServiceError> {
        Ok(self.store.callbacks(query).await?)
    }

    /// The secret that signs what this webhook is told.
    pub fn webhook_secret(&self, webhook: &Webhook) -> Result<SecretText, ServiceError> {
        let context = context(&webhook.key());
        let plain = self
            .keys
            .open(&context, &webhook.sealed_secret)
            .map_err(|error| ServiceError::Bug(format!("{context}: {error}")))?;
        let text = core::str::from_utf8(&plain)
            .map_err(|_| ServiceError::Bug(format!("{context} is no text")))?;
        Ok(SecretText::new(text))
    }

    fn webhook_after(
        &self,
        key: &EntityRef,
        before: Option<Webhook>,
        order: &WebhookOrder,
    ) -> Webhook {
        let seal = |secret: &SecretText| {
            self.keys.seal(&context(key), secret.reveal().as_bytes(), &*self.entropy)
        };
        let mut webhook = before.unwrap_or_else(|| Webhook {
            dialect: order.dialect.to_owned(),
            scope: order.scope.clone(),
            account: order.account.clone(),
            url: String::new(),
            active: true,
            sealed_secret: match &order.secret {
                Some(_) => String::new(),
                None => seal(&SecretText::new(&letters(&*self.entropy, SECRET_CHARS))),
            },
            details: "{}".to_owned(),
            failing_since: None,
            off_since: None,
            created_at: self.now(),
        });
        webhook.url = order.url.clone().unwrap_or(webhook.url);
        webhook.active = order.active.unwrap_or(webhook.active);
        webhook.details = order.details.clone().unwrap_or(webhook.details);
        webhook.sealed_secret = order.secret.as_ref().map_or(webhook.sealed_secret, seal);
        (webhook.failing_since, webhook.off_since) = (None, None);
        webhook
    }
}

/// Where a sealed secret belongs.
fn context(key: &EntityRef) -> String {
    format!("webhook/{}", key.id)
}

//! Subscriptions of the Graph dialect: an app listens to a WABA, at its own endpoint or at another one for a
//! WABA or a number. An endpoint has to know the verify token before anything is posted there.

use registration::{AccountId, WabaId};
use serde_json::json;

use super::address::{UrlFault, check_url, host_of};
use super::graph;
use super::webhooks::{WebhookOrder, WebhookSet};
use crate::access_keys::letters;
use crate::caller::Caller;
use crate::directory::{Entity, EntityRef, GraphSubscription, Waba, Webhook, WebhookScope};
use crate::error::ServiceError;
use crate::ports::{Callback, CallbackId, CallbackState};
use crate::seed::SecretText;
use crate::service::Service;

/// Digits of the challenge that an endpoint repeats.
const CHALLENGE_CHARS: usize = 20;

/// An endpoint and the token that it has to know.
#[derive(Debug, Clone)]
pub struct Subscriber {
    /// Where to post.
    pub url: String,
    /// What the endpoint compares.
    pub verify_token: SecretText,
    /// What it wants to be told about; empty: everything.
    pub fields: Vec<String>,
}

/// How a subscription ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscribed {
    /// It stands.
    Done,
    /// The address is none.
    BadUrl(UrlFault),
    /// The endpoint did not repeat the challenge.
    Unverified(HandshakeFault),
    /// The app does not listen to the WABA.
    NotListening,
}

/// Why an endpoint did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeFault {
    /// No answer, or one without 200.
    #[error("{0}")]
    Unanswered(String),
    /// An answer that is not the challenge.
    #[error("the answer is not the challenge")]
    WrongAnswer,
}

impl Service {
    /// Lets the account's app listen to a WABA: at `endpoint`, else at the app's own.
    pub async fn subscribe(
        &self,
        caller: &Caller,
        waba: &Waba,
        endpoint: Option<&Subscriber>,
    ) -> Result<Subscribed, ServiceError> {
        if let Some(endpoint) = endpoint
            && let Some(fault) = self.fault_of(&waba.account, endpoint).await
        {
            return Ok(fault);
        }
        let subscription = GraphSubscription { waba: waba.id.clone(), created_at: self.now() };
        self.put_entity(caller, Entity::GraphSubscription(subscription)).await?;
        let scope = WebhookScope::Waba(waba.id.clone());
        self.point(caller, &waba.account, scope, endpoint).await
    }

    /// The app listens to the WABA no more; an endpoint of its own is forgotten.
    pub async fn unsubscribe(&self, caller: &Caller, waba: &Waba) -> Result<(), ServiceError> {
        let scope = WebhookScope::Waba(waba.id.clone());
        self.remove_entity(caller, &EntityRef::webhook("graph", &scope)).await?;
        self.remove_entity(caller, &EntityRef::graph_subscription(&waba.id)).await?;
        Ok(())
    }

    /// Sets where an app is told about all WABAs that it listens to, or about one number (`None`: where its
    /// WABA's posts go).
    pub async fn point_app(
        &self,
        caller: &Caller,
        account: &AccountId,
        scope: WebhookScope,
        endpoint: Option<&Subscriber>,
    ) -> Result<Subscribed, ServiceError> {
        if let WebhookScope::Number { waba, .. } = &scope
            && !self.is_subscribed(waba).await?
        {
            return Ok(Subscribed::NotListening);
        }
        if let Some(endpoint) = endpoint
            && let Some(fault) = self.fault_of(account, endpoint).await
        {
            return Ok(fault);
        }
        self.point(caller, account, scope, endpoint).await
    }

    /// Whether the account's app listens to a WABA.
    pub async fn is_subscribed(&self, waba: &WabaId) -> Result<bool, ServiceError> {
        Ok(self.store.entity(&EntityRef::graph_subscription(waba)).await?.is_some())
    }

    async fn point(
        &self,
        caller: &Caller,
        account: &AccountId,
        scope: WebhookScope,
        endpoint: Option<&Subscriber>,
    ) -> Result<Subscribed, ServiceError> {
        if endpoint.is_none() && self.webhook("graph", &scope).await?.is_none() {
            return Ok(Subscribed::Done);
        }
        let fields = endpoint.map(|it| it.fields.clone()).unwrap_or_default();
        let order = WebhookOrder {
            dialect: "graph",
            secret: self.app_secret(caller, account, &scope).await?,
            scope,
            account: account.clone(),
            url: Some(endpoint.map(|it| it.url.clone()).unwrap_or_default()),
            active: Some(true),
            details: Some(json!({ "fields": fields }).to_string()),
        };
        Ok(match self.set_webhook(caller, &order).await? {
            WebhookSet::Done(_) => Subscribed::Done,
            WebhookSet::BadUrl(fault) => Subscribed::BadUrl(fault),
            WebhookSet::Unknown => Subscribed::NotListening,
        })
    }

    /// The secret of the account's app, which signs whatever it is told: that of its own webhook, made when
    /// it is first needed.
    async fn app_secret(
        &self,
        caller: &Caller,
        account: &AccountId,
        scope: &WebhookScope,
    ) -> Result<Option<SecretText>, ServiceError> {
        let own = WebhookScope::Account(account.clone());
        if *scope == own {
            return Ok(None);
        }
        if let Some(webhook) = self.webhook("graph", &own).await? {
            return self.webhook_secret(&webhook).map(Some);
        }
        let order = WebhookOrder {
            dialect: "graph",
            scope: own,
            account: account.clone(),
            url: None,
            active: None,
            secret: None,
            details: None,
        };
        match self.set_webhook(caller, &order).await? {
            WebhookSet::Done(webhook) => self.webhook_secret(&webhook).map(Some),
            WebhookSet::BadUrl(_) | WebhookSet::Unknown => Ok(None),
        }
    }

    /// Asks the endpoint to repeat a challenge (§7.1); why it may not be told anything, if so.
    async fn fault_of(&self, account: &AccountId, endpoint: &Subscriber) -> Option<Subscribed> {
        if let Err(fault) = check_url(&endpoint.url) {
            return Some(Subscribed::BadUrl(fault));
        }
        let challenge = letters(&*self.entropy, CHALLENGE_CHARS);
        let url = challenge_url(&endpoint.url, &challenge, endpoint.verify_token.reveal());
        let reach = self.policy().callbacks.reach_of(account);
        let answer = match &self.endpoints {
            Some(client) => client.ask(&url, reach).await.map_err(|error| error.to_string()),
            None => Err("this server posts no callbacks".to_owned()),
        };
        let fault = match answer {
            Ok(text) if text.trim() == challenge => return None,
            Ok(_) => HandshakeFault::WrongAnswer,
            Err(why) => HandshakeFault::Unanswered(why),
        };
        tracing::info!(host = host_of(&endpoint.url), %fault, "an endpoint did not verify");
        Some(Subscribed::Unverified(fault))
    }

    /// What the endpoints of the holder's WABA are told when the link that resets its PIN is asked for.
    pub(crate) async fn reset_callbacks(
        &self,
        record: &registration::NumberRecord,
        waba: &Waba,
    ) -> Result<Vec<Callback>, ServiceError> {
        let held = record.registration.as_ref();
        let claim = held.and_then(|held| record.claim(&held.claim));
        let Some(claim) = claim else { return Ok(Vec::new()) };
        let targets = self.targets(waba, &claim.id).await?;
        let now = self.now();
        let told = |webhook: &Webhook| {
            let seconds = now.as_millis().div_euclid(1000);
            let digits = record.number.digits();
            let body = graph::reset_asked(webhook, &waba.id.to_string(), &digits, seconds)?;
            Some(Callback {
                id: CallbackId(self.send_id(now).0),
                webhook: webhook.key().id,
                account: webhook.account.clone(),
                kind: "two_step_reset_asked".to_owned(),
                body,
                decided_at: now,
                state: CallbackState::Due { at: now },
                attempt: 0,
                note: None,
            })
        };
        Ok(targets.iter().filter(|it| it.dialect == "graph").filter_map(told).collect())
    }
}

/// The address with the three parameters of the handshake.
fn challenge_url(url: &str, challenge: &str, token: &str) -> String {
    let glue = if url.contains('?') { '&' } else { '?' };
    let url = url.split('#').next().unwrap_or_default();
    let mut escaped = String::new();
    for byte in token.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = core::fmt::Write::write_fmt(&mut escaped, format_args!("%{byte:02X}"));
        }
    }
    format!("{url}{glue}hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={escaped}")
}

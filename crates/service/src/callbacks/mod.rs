//! Callbacks: endpoints that asked for it are told what happens to numbers.
//!
//! ```text
//! decision ──changes──▶ [Notice] ──rendered per dialect──▶ rows of the same unit
//!                                                             │ worker: lease, sign, post, report
//!                                                             ▼
//!                                       endpoint ◀── CallbackClient (address checked each time)
//! ```
//!
//! A [`Webhook`] says who is told what, and where. Its rows are entered in the unit that decided what they
//! tell, so an acknowledged change is told also after a crash: at least once, with an id by which a
//! repetition is known. What a dialect tells and how it signs is in the file named after it.

mod address;
mod cams;
mod graph;
mod notice;
mod signature;
mod subscriptions;
#[cfg(test)]
mod tests;
mod webhooks;
mod worker;

use registration::{NumberRecord, PhoneNumberId, Timestamp};

pub use address::{URL_CHARS_MAX, UrlFault, check_url, host_of};
pub use graph::FIELDS as GRAPH_FIELDS;
pub use notice::{Happening, Notice};
pub use signature::{HUB_SIGNATURE, ID, SIGNATURE, TIMESTAMP};
pub use subscriptions::{HandshakeFault, Subscribed, Subscriber};
pub use webhooks::{WebhookOrder, WebhookSet};

use crate::caller::Caller;
use crate::directory::{EntityKind, EntityRef, Waba, Webhook, WebhookScope};
use crate::error::ServiceError;
use crate::execute::Step;
use crate::ports::{Callback, CallbackId, CallbackState, NumberWrite};
use crate::service::Service;

/// The dialects that have callbacks.
pub const DIALECTS: [&str; 2] = ["cams", "graph"];

impl Service {
    /// The callbacks that belong into the unit which writes `numbers`.
    ///
    /// Without webhooks that costs one read, and nothing at all if no claim changed its standing.
    pub(crate) async fn callbacks_of(
        &self,
        caller: &Caller,
        before: &NumberRecord,
        step: &Step,
        numbers: &[NumberWrite],
        now: Timestamp,
    ) -> Result<Vec<Callback>, ServiceError> {
        let beside = step.if_registered.iter().map(|it| &it.record.value);
        let known: Vec<_> = core::iter::once(before).chain(beside).collect();
        let mut changes = Vec::new();
        for NumberWrite { record: after, .. } in numbers {
            if let Some(before) = known.iter().find(|it| it.number == after.number) {
                changes.extend(notice::changes(before, after).map(|change| (after, change)));
            }
        }
        if changes.is_empty() || !self.has_webhooks().await? {
            return Ok(Vec::new());
        }
        let mut callbacks = Vec::new();
        for (record, change) in changes {
            let found = self.store.entity(&EntityRef::waba(&change.claim.waba)).await?;
            let Some(waba) = found.and_then(|found| found.value.into_waba()) else { continue };
            let targets = self.targets(&waba, &change.claim.id).await?;
            let notice = Notice::new(record, change, &waba, caller, now);
            callbacks.extend(targets.iter().filter_map(|it| self.callback(it, &notice)));
        }
        Ok(callbacks)
    }

    async fn has_webhooks(&self) -> Result<bool, ServiceError> {
        Ok(!self.store.entities(EntityKind::Webhook, None, None, 1).await?.is_empty())
    }

    /// Who is told about a change of a claim, each endpoint once per dialect.
    async fn targets(
        &self,
        waba: &Waba,
        claim: &PhoneNumberId,
    ) -> Result<Vec<Webhook>, ServiceError> {
        let number = WebhookScope::Number { claim: claim.clone(), waba: waba.id.clone() };
        let of_account = || WebhookScope::Account(waba.account.clone());
        // CAMS tells both that were set; Graph's nearest one overrides the others.
        let cams = [number.clone(), WebhookScope::Space(waba.space.clone()), of_account()];
        let graph = [number, WebhookScope::Waba(waba.id.clone()), of_account()];
        let mut targets: Vec<Webhook> = Vec::new();
        for scope in &cams {
            let found = self.listening("cams", scope).await?;
            targets.extend(found.filter(|new| !targets.iter().any(|it| it.url == new.url)));
        }
        if !self.is_subscribed(&waba.id).await? {
            return Ok(targets);
        }
        for scope in &graph {
            if let Some(found) = self.listening("graph", scope).await? {
                targets.push(found);
                break;
            }
        }
        Ok(targets)
    }

    async fn listening(
        &self,
        dialect: &str,
        scope: &WebhookScope,
    ) -> Result<Option<Webhook>, ServiceError> {
        let found = self.store.entity(&EntityRef::webhook(dialect, scope)).await?;
        let found = found.and_then(|found| found.value.into_webhook());
        Ok(found.filter(Webhook::is_listening))
    }

    fn callback(&self, webhook: &Webhook, notice: &Notice) -> Option<Callback> {
        let body = match webhook.dialect.as_str() {
            "cams" => cams::body(notice),
            "graph" => graph::body(webhook, notice),
            _ => None,
        }?;
        Some(Callback {
            // In the order in which things happened, also within a millisecond.
            id: CallbackId(self.send_id(notice.at).0),
            webhook: webhook.key().id,
            account: webhook.account.clone(),
            kind: notice.happening.kind().to_owned(),
            body,
            decided_at: notice.at,
            state: CallbackState::Due { at: notice.at },
            attempt: 0,
            note: None,
        })
    }
}

impl Webhook {
    /// Its name in the directory.
    #[must_use]
    pub fn key(&self) -> EntityRef {
        EntityRef::webhook(&self.dialect, &self.scope)
    }

    /// Whether anything is posted to it at present.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.active && self.off_since.is_none() && !self.url.is_empty()
    }
}

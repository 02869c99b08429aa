//! The worker that posts callbacks: lease, post, report.

use core::time::Duration;
use std::sync::Arc;

use registration::{AccountId, Timestamp};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tracing::{debug, error, warn};

use super::address::host_of;
use super::signature;
use crate::caller::Caller;
use crate::directory::{Entity, EntityKind, EntityRef, Webhook};
use crate::error::ServiceError;
use crate::policy::CallbackPolicy;
use crate::ports::{
    Callback, CallbackClient, CallbackPost, CallbackReport, CallbackState, EntityWrite,
    EntropyExt as _, Reach, Subject, Unit, Versioned,
};
use crate::service::Service;

/// Posts under way at once. A slow endpoint holds one place per post for as long as the client waits.
const UNDER_WAY_MAX: usize = 64;

/// How long a claim protects a callback from other workers; longer than any client waits.
const LEASE: Duration = Duration::from_mins(2);

/// Longest pause between two looks at the outbox.
const POLL: Duration = Duration::from_millis(500);

/// Time that posts under way get when the server stops; what is not done by then is posted again.
const LAST_WAIT: Duration = Duration::from_secs(5);

impl Service {
    /// Posts callbacks until `stop` turns true.
    pub async fn work_callbacks(
        self: Arc<Self>,
        client: Arc<dyn CallbackClient>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut polls = tokio::time::interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut posts = JoinSet::new();
        while !*stop.borrow() {
            self.start_posts(&client, &mut posts).await;
            tokio::select! {
                _ = polls.tick() => {}
                () = self.callbacks_due.notified() => {}
                Some(_) = posts.join_next() => {}
                _ = stop.changed() => {}
            }
        }
        let finish = async { while posts.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_WAIT, finish).await.is_err() {
            warn!("callbacks were under way at the end; they will be posted again");
        }
    }

    /// Posts everything that is due. For tests, and for callers without a worker.
    pub async fn post_callbacks_due(self: &Arc<Self>, client: &Arc<dyn CallbackClient>) {
        let mut posts = JoinSet::new();
        loop {
            self.start_posts(client, &mut posts).await;
            if posts.join_next().await.is_none() {
                return;
            }
        }
    }

    /// Claims as many as there are places and starts to post them.
    async fn start_posts(
        self: &Arc<Self>,
        client: &Arc<dyn CallbackClient>,
        posts: &mut JoinSet<()>,
    ) {
        let room = UNDER_WAY_MAX.saturating_sub(posts.len());
        if room == 0 {
            return;
        }
        let now = self.now();
        let claimed = match self.store.claim_callbacks(now, now + LEASE, room).await {
            Ok(claimed) => claimed,
            Err(error) => return error!(%error, "the outbox of callbacks cannot be read"),
        };
        for callback in claimed {
            let (service, client) = (Arc::clone(self), Arc::clone(client));
            posts.spawn(async move { service.carry_out_callback(&*client, callback).await });
        }
    }

    async fn carry_out_callback(&self, client: &dyn CallbackClient, callback: Callback) {
        let report = match self.post_callback(client, &callback).await {
            Ok(report) => report,
            // The lease will pass, and it will be posted again: at least once.
            Err(error) => return error!(%error, id = %callback.id, "a callback was not posted"),
        };
        if let Err(error) = self.store.report_callbacks(vec![report]).await {
            error!(%error, id = %callback.id, "what became of a callback cannot be recorded");
        }
    }

    async fn post_callback(
        &self,
        client: &dyn CallbackClient,
        callback: &Callback,
    ) -> Result<CallbackReport, ServiceError> {
        let key = EntityRef::new(EntityKind::Webhook, &callback.webhook);
        let found = self.store.entity(&key).await?;
        let Some(webhook) = found.and_then(|found| found.value.into_webhook()) else {
            return Ok(self.failed_callback(callback, "the webhook was removed"));
        };
        if !webhook.is_listening() {
            return Ok(self.failed_callback(callback, "the webhook is switched off"));
        }
        let policy = self.policy();
        let now = self.now();
        let secret = self.webhook_secret(&webhook)?;
        let post = CallbackPost {
            headers: signature::headers(
                &webhook.dialect,
                callback,
                secret.reveal().as_bytes(),
                now,
            ),
            url: webhook.url.clone(),
            body: callback.body.clone(),
            reach: policy.callbacks.reach_of(&webhook.account),
        };
        let note = match client.post(&post).await {
            Ok(status @ 200..=299) => {
                debug!(id = %callback.id, host = host_of(&webhook.url), status, "told");
                self.note_standing(&webhook, true, &policy.callbacks).await?;
                let state = CallbackState::Delivered { at: self.now() };
                return Ok(report(callback, state, status.to_string()));
            }
            Ok(status) => format!("answered {status}"),
            Err(error) => error.to_string(),
        };
        warn!(id = %callback.id, host = host_of(&webhook.url), note, "not told");
        self.note_standing(&webhook, false, &policy.callbacks).await?;
        let state = self.after_failure(callback, &policy.callbacks);
        Ok(report(callback, state, note))
    }

    /// When the next attempt is due, if there is one.
    fn after_failure(&self, callback: &Callback, policy: &CallbackPolicy) -> CallbackState {
        let now = self.now();
        let attempt = usize::try_from(callback.attempt).unwrap_or(usize::MAX);
        match policy.waits.get(attempt.saturating_sub(1)) {
            // Up to a tenth more, so that endpoints that come back are not met by everybody at once.
            Some(wait) => {
                let share = u32::from(self.entropy.bytes::<1>()[0]);
                CallbackState::Due { at: now + *wait + *wait * share / 2560 }
            }
            None => CallbackState::Failed { at: now },
        }
    }

    /// Notes since when a webhook fails, or that it does not; switches it off if that was too long ago.
    /// Written only where it changes something; lost races are noted by the next post.
    async fn note_standing(
        &self,
        posted: &Webhook,
        is_good: bool,
        policy: &CallbackPolicy,
    ) -> Result<(), ServiceError> {
        let found = self.store.entity(&posted.key()).await?;
        let Some(Versioned { version, value: Entity::Webhook(mut webhook) }) = found else {
            return Ok(());
        };
        if webhook.url != posted.url || webhook.off_since.is_some() {
            return Ok(());
        }
        let now = self.now();
        let mut events = Vec::new();
        match (is_good, webhook.failing_since) {
            (true, None) => return Ok(()),
            (true, Some(_)) => webhook.failing_since = None,
            (false, None) => webhook.failing_since = Some(now),
            (false, Some(since)) if now < since + policy.off_after => return Ok(()),
            (false, Some(since)) => {
                webhook.off_since = Some(now);
                let details = json!({ "host": host_of(&webhook.url), "since": millis(since) });
                let subject = Subject::Entity(webhook.key());
                let mut event = self.event(&Caller::system(), subject, "webhook_off", &details);
                event.account = Some(webhook.account.clone());
                events.push(event);
                warn!(host = host_of(&webhook.url), "a webhook failed for too long: switched off");
            }
        }
        let put = EntityWrite::Put { expected: version, entity: Entity::Webhook(webhook) };
        let unit = Unit { entities: vec![put], events, ..Unit::default() };
        match self.store.commit(unit).await {
            Ok(()) | Err(crate::ports::CommitError::Conflict) => Ok(()),
            other => crate::service::committed(other),
        }
    }

    fn failed_callback(&self, callback: &Callback, why: &str) -> CallbackReport {
        report(callback, CallbackState::Failed { at: self.now() }, why.to_owned())
    }
}

impl CallbackPolicy {
    /// Which addresses what an account's endpoints are told may go to.
    pub(super) fn reach_of(&self, account: &AccountId) -> Reach {
        let is_private = self.private_accounts.contains(account);
        Reach { public: self.public, loopback: self.loopback || is_private, private: is_private }
    }
}

fn report(callback: &Callback, state: CallbackState, note: String) -> CallbackReport {
    CallbackReport { id: callback.id, state, note: Some(note) }
}

fn millis(at: Timestamp) -> i64 {
    at.as_millis()
}

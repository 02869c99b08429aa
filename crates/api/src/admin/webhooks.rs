//! `/admin/v1/webhooks` and `/admin/v1/callbacks`: who is told what happens to numbers, and what became of
//! it. Webhooks are set in the dialects; here stands what an operator needs to know about them.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use registration::AccountId;
use serde::{Deserialize, Serialize};
use service::callbacks::host_of;
use service::directory::{self as domain, Entity, EntityKind};
use service::ports::{self, CallbackId, CallbackQuery, CallbackState};
use utoipa::{IntoParams, ToSchema};

use super::directory::{found, page_where, remove as remove_part};
use super::failure::{Failure, Failures};
use super::input::Query;
use super::wire::{At, Id, Limit, Page};
use crate::state::App;

const KIND: EntityKind = EntityKind::Webhook;

/// An endpoint that is told what happens to numbers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Webhook {
    #[schema(example = "cams/space/cams-test01")]
    id: String,
    account: String,
    dialect: String,
    /// About what it is told: `account`, `space`, `waba` or `number`.
    scope: &'static str,
    /// The id of that: of an account, space, WABA or claim.
    scope_id: String,
    /// Its host; paths may hold secrets of the endpoint and are not shown.
    host: String,
    /// Whether anything is posted to it at present.
    listening: bool,
    /// Since when every post has failed.
    failing_since: Option<At>,
    /// Since when it is switched off for that; setting it again switches it on.
    off_since: Option<At>,
    created_at: At,
}

/// The secret that signs what an endpoint is told.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookSecret {
    id: String,
    /// The key of HMAC-SHA-256.
    secret: String,
}

/// Something that an endpoint is told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Callback {
    /// Also in `X-Rollcall-Callback-Id`.
    id: String,
    webhook: String,
    account: String,
    /// What happened, one word.
    kind: String,
    decided_at: At,
    /// `due`, `claimed`, `delivered` or `failed`.
    state: &'static str,
    /// When it came to this state; for `due` not before when it is posted, for `claimed` until when a
    /// worker has it.
    state_at: At,
    /// Posts begun so far.
    attempts: u32,
    /// What the latest post came to.
    note: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WebhookQuery {
    /// Only webhooks of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only webhooks behind this one.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OutboxQuery {
    /// Only callbacks of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only callbacks for this webhook.
    webhook: Option<String>,
    /// Only callbacks older than this one.
    before: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists webhooks
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", params(WebhookQuery),
    responses((status = 200, body = Page<Webhook>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<WebhookQuery>,
) -> Result<Json<Page<Webhook>>, Failure> {
    let account = query.account.map(|it| it.0);
    let wanted = |entity: &Entity| {
        let Entity::Webhook(webhook) = entity else { return false };
        account.as_ref().is_none_or(|account| webhook.account == *account)
    };
    page_where(&app, KIND, query.after.as_deref(), query.limit, wanted, view).await.map(Json)
}

/// Shows the secret that signs what an endpoint is told
#[utoipa::path(get, path = "/webhooks/{dialect}/{scope}/{scope_id}/secret", tag = "webhooks",
    params(("dialect" = String, Path), ("scope" = String, Path), ("scope_id" = String, Path)),
    responses((status = 200, body = WebhookSecret), Failures))]
pub(crate) async fn secret(
    State(app): State<App>,
    Path((dialect, scope, scope_id)): Path<(String, String, String)>,
) -> Result<Json<WebhookSecret>, Failure> {
    let id = format!("{dialect}/{scope}/{scope_id}");
    let webhook = found(&app, KIND, &id).await?.into_webhook();
    let webhook = webhook.ok_or_else(|| Failure::no_such(KIND.as_str(), &id))?;
    let secret = app.service.webhook_secret(&webhook)?.reveal().to_owned();
    Ok(Json(WebhookSecret { id, secret }))
}

/// Removes a webhook
#[utoipa::path(delete, path = "/webhooks/{dialect}/{scope}/{scope_id}", tag = "webhooks",
    params(("dialect" = String, Path), ("scope" = String, Path), ("scope_id" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path((dialect, scope, scope_id)): Path<(String, String, String)>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, KIND, &format!("{dialect}/{scope}/{scope_id}")).await
}

/// Lists what endpoints are told, newest first
#[utoipa::path(get, path = "/callbacks", tag = "webhooks", params(OutboxQuery),
    responses((status = 200, body = Page<Callback>), Failures))]
pub(crate) async fn callbacks(
    State(app): State<App>,
    Query(query): Query<OutboxQuery>,
) -> Result<Json<Page<Callback>>, Failure> {
    let before = match query.before.as_deref().map(CallbackId::parse) {
        Some(None) => return Err(Failure::invalid("before", "is no id of a callback")),
        Some(before) => before,
        None => None,
    };
    let found = CallbackQuery {
        account: query.account.map(|it| it.0),
        webhook: query.webhook,
        before,
        limit: query.limit.and_one(),
    };
    let found = app.service.callbacks(&found).await?;
    Ok(Json(Page::cut(found, query.limit, |it| it.id.to_string(), Callback::from)))
}

fn view(entity: Entity) -> Option<Webhook> {
    entity.into_webhook().map(Webhook::from)
}

impl From<domain::Webhook> for Webhook {
    fn from(it: domain::Webhook) -> Self {
        Self {
            id: it.key().id,
            listening: it.is_listening(),
            host: host_of(&it.url).to_owned(),
            account: it.account.to_string(),
            scope: it.scope.word(),
            scope_id: it.scope.id().to_owned(),
            dialect: it.dialect,
            failing_since: it.failing_since.map(At::from),
            off_since: it.off_since.map(At::from),
            created_at: it.created_at.into(),
        }
    }
}

impl From<ports::Callback> for Callback {
    fn from(it: ports::Callback) -> Self {
        let (state, state_at) = match it.state {
            CallbackState::Due { at } => ("due", at),
            CallbackState::Claimed { until } => ("claimed", until),
            CallbackState::Delivered { at } => ("delivered", at),
            CallbackState::Failed { at } => ("failed", at),
        };
        Self {
            id: it.id.to_string(),
            webhook: it.webhook,
            account: it.account.to_string(),
            kind: it.kind,
            decided_at: it.decided_at.into(),
            state,
            state_at: state_at.into(),
            attempts: it.attempt,
            note: it.note,
        }
    }
}

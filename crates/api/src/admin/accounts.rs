//! `/admin/v1/accounts`: who pays, is rate-limited, and owns spaces and clients.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use service::directory::{self as domain, Entity, EntityKind};
use utoipa::{IntoParams, ToSchema};

use super::directory::{add, change as change_part, created, found, page, remove as remove_part};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::wire::{At, Id, Label, Limit, Page};
use crate::state::App;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    id: String,
    /// Name for people.
    name: String,
    /// Whether the Chat App product is subscribed (CAMS).
    subscribed: bool,
    created_at: At,
}

/// An account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    #[schema(value_type = String, example = "acme")]
    id: Id<AccountId>,
    /// Name for people; the id if absent.
    #[schema(value_type = Option<String>)]
    name: Option<Label>,
    /// Whether the Chat App product is subscribed (CAMS); yes if absent.
    subscribed: Option<bool>,
}

/// What to change about an account; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    #[schema(value_type = Option<String>)]
    name: Option<Label>,
    subscribed: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountQuery {
    /// Only accounts behind this id.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists accounts
#[utoipa::path(get, path = "/accounts", tag = "accounts", params(AccountQuery),
    responses((status = 200, body = Page<Account>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<AccountQuery>,
) -> Result<Json<Page<Account>>, Failure> {
    let after = query.after.as_deref();
    page(&app, EntityKind::Account, None, after, query.limit, view).await.map(Json)
}

/// Makes an account
#[utoipa::path(post, path = "/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = Account), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewAccount>,
) -> Result<Response, Failure> {
    let id = new.id.0;
    let account = domain::Account {
        name: new.name.map_or_else(|| id.to_string(), |name| name.0),
        subscribed: new.subscribed.unwrap_or(true),
        created_at: app.service.now(),
        id,
    };
    add(&app, Entity::Account(account.clone())).await?;
    Ok(created(&format!("accounts/{}", account.id), Account::from(account)))
}

/// Shows an account
#[utoipa::path(get, path = "/accounts/{account}", tag = "accounts", params(("account" = String, Path)),
    responses((status = 200, body = Account), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Option<Account>>, Failure> {
    found(&app, EntityKind::Account, &id).await.map(|it| Json(view(it)))
}

/// Changes an account
#[utoipa::path(patch, path = "/accounts/{account}", tag = "accounts",
    params(("account" = String, Path)), request_body = AccountChange,
    responses((status = 200, body = Account), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(new): Body<AccountChange>,
) -> Result<Json<Option<Account>>, Failure> {
    let apply = |entity: &mut Entity| {
        if let Entity::Account(account) = entity {
            account.name = new.name.as_ref().map_or(account.name.clone(), |it| it.0.clone());
            account.subscribed = new.subscribed.unwrap_or(account.subscribed);
        }
    };
    change_part(&app, EntityKind::Account, &id, apply).await.map(|it| Json(view(it)))
}

/// Removes an account with its spaces, WABAs and clients, unless numbers are claimed in it
#[utoipa::path(delete, path = "/accounts/{account}", tag = "accounts",
    params(("account" = String, Path)), responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, EntityKind::Account, &id).await
}

fn view(entity: Entity) -> Option<Account> {
    entity.into_account().map(Account::from)
}

impl From<domain::Account> for Account {
    fn from(it: domain::Account) -> Self {
        Self {
            id: it.id.as_str().to_owned(),
            name: it.name,
            subscribed: it.subscribed,
            created_at: it.created_at.into(),
        }
    }
}

//! `/admin/v1/access-keys`: what signs CAMS requests. A secret is shown once, in the answer that made it.

use core::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use service::Caller;
use service::access_keys::{
    ACTIVE_KEYS_MAX, KeyChanged, KeyMade, KeyOwner, NewAccessKey, NewTemporaryKey,
    TEMPORARY_LIFE_MAX, TEMPORARY_LIFE_MIN, TemporaryMade, TemporaryOrder,
};
use service::directory::{self as domain, Entity, EntityKind};
use service::ram::RamName;
use utoipa::{IntoParams, ToSchema};

use super::directory::{created, found, page, page_where, remove as remove_part};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::policies::faulty;
use super::wire::{At, Id, Limit, Page};
use crate::state::App;

const KIND: EntityKind = EntityKind::AccessKey;

/// An access key. Its secret is not here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccessKey {
    #[schema(example = "LTAI5tFakeAccessKeyId001")]
    id: String,
    account: String,
    /// The RAM user whose key it is; `null`: the account's own, which no policy binds.
    user: Option<String>,
    /// Requests signed with it are accepted.
    active: bool,
    /// What is special about a temporary key; `null` for a lasting one.
    temporary: Option<Temporary>,
    created_at: At,
}

/// What is special about a temporary key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Temporary {
    /// From then on requests are refused; a day later the key is forgotten.
    expires_at: At,
    /// A policy that narrows what its owner may do, as JSON text.
    session_policy: Option<String>,
    /// `acs:MFAPresent` of its requests.
    mfa_present: bool,
}

/// A key just made. Secret and token are not shown again.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeKey {
    #[serde(flatten)]
    key: AccessKey,
    secret: String,
    /// The token that must come with each request; of temporary keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    security_token: Option<String>,
}

/// Whose key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    #[schema(value_type = String, example = "default")]
    account: Id<AccountId>,
    /// Which RAM user; the account itself if absent.
    #[schema(value_type = Option<String>, example = "ci")]
    user: Option<Id<RamName>>,
}

/// A temporary key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTemporary {
    #[schema(value_type = String, example = "default")]
    account: Id<AccountId>,
    /// Which RAM user; the account itself if absent.
    #[schema(value_type = Option<String>, example = "ci")]
    user: Option<Id<RamName>>,
    /// 60 to 43200; 3600 if absent.
    #[schema(minimum = 60, maximum = 43_200)]
    life_seconds: Option<u64>,
    /// A policy that narrows what the owner may do, as JSON text.
    session_policy: Option<String>,
    /// Whether a second factor was checked (`acs:MFAPresent`); no if absent.
    #[serde(default)]
    mfa_present: bool,
}

/// What to change about a key; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyChange {
    /// Disabled keys are refused, and may be enabled again.
    active: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeyQuery {
    /// Only keys of this account and of its users.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only keys of this RAM user; needs `account`.
    #[param(value_type = Option<String>)]
    user: Option<Id<RamName>>,
    /// Only keys behind this one.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists access keys
#[utoipa::path(get, path = "/access-keys", tag = "access-keys", params(KeyQuery),
    responses((status = 200, body = Page<AccessKey>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<KeyQuery>,
) -> Result<Json<Page<AccessKey>>, Failure> {
    let after = query.after.as_deref();
    match (query.account, query.user) {
        (None, None) => page(&app, KIND, None, after, query.limit, view).await.map(Json),
        (None, Some(_)) => Err(Failure::invalid("account", "is required where a user is named")),
        (Some(Id(account)), Some(Id(user))) => {
            let parent = domain::EntityRef::ram_user(&account, &user);
            page(&app, KIND, Some(parent), after, query.limit, view).await.map(Json)
        }
        (Some(Id(account)), None) => {
            let wanted = |entity: &Entity| {
                let Entity::AccessKey(key) = entity else { return false };
                key.account == account
            };
            page_where(&app, KIND, after, query.limit, wanted, view).await.map(Json)
        }
    }
}

/// Makes an access key
///
/// An owner has two active keys at most. The secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/access-keys", tag = "access-keys", request_body = NewKey,
    responses((status = 201, body = MadeKey), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewKey>,
) -> Result<Response, Failure> {
    let owner = owner(new.account, new.user);
    match app.service.create_access_key(&Caller::operator(), &owner).await? {
        KeyMade::Made(made) => shown_once(&app, made, None).await,
        KeyMade::Unknown => Err(no_owner(&owner)),
        KeyMade::TooMany => Err(too_many()),
    }
}

/// Makes a temporary access key
///
/// It comes with a token that must stand in each request, and it ends by itself.
#[utoipa::path(post, path = "/temporary-keys", tag = "access-keys", request_body = NewTemporary,
    responses((status = 201, body = MadeKey), Failures))]
pub(crate) async fn create_temporary(
    State(app): State<App>,
    Body(new): Body<NewTemporary>,
) -> Result<Response, Failure> {
    let owner = owner(new.account, new.user);
    let order = TemporaryOrder {
        life: new.life_seconds.map_or(Duration::from_hours(1), Duration::from_secs),
        session_policy: new.session_policy,
        mfa_present: new.mfa_present,
    };
    match app.service.create_temporary_key(&Caller::operator(), &owner, &order).await? {
        TemporaryMade::Made(NewTemporaryKey { key, security_token, .. }) => {
            shown_once(&app, key, Some(security_token.reveal().to_owned())).await
        }
        TemporaryMade::Unknown => Err(no_owner(&owner)),
        TemporaryMade::BadLife => Err(Failure::invalid(
            "life_seconds",
            format!("must be {} to {}", TEMPORARY_LIFE_MIN.as_secs(), TEMPORARY_LIFE_MAX.as_secs()),
        )),
        TemporaryMade::Faulty(error) => Err(faulty("session_policy", &error)),
    }
}

/// Shows an access key, without its secret
#[utoipa::path(get, path = "/access-keys/{key}", tag = "access-keys",
    params(("key" = String, Path)), responses((status = 200, body = AccessKey), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Option<AccessKey>>, Failure> {
    found(&app, KIND, &id).await.map(|it| Json(view(it)))
}

/// Disables an access key, or enables it again
#[utoipa::path(patch, path = "/access-keys/{key}", tag = "access-keys",
    params(("key" = String, Path)), request_body = KeyChange,
    responses((status = 200, body = AccessKey), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(new): Body<KeyChange>,
) -> Result<Json<Option<AccessKey>>, Failure> {
    let Some(active) = new.active else { return show(State(app), Path(id)).await };
    match app.service.set_access_key_active(&Caller::operator(), &id, active).await? {
        KeyChanged::Done => show(State(app), Path(id)).await,
        KeyChanged::Unknown => Err(Failure::no_such(KIND.as_str(), id)),
        KeyChanged::TooMany => Err(too_many()),
    }
}

/// Makes a second key for the owner of a key
///
/// The first goes on working: let clients switch, then disable it.
#[utoipa::path(post, path = "/access-keys/{key}/rotate", tag = "access-keys",
    params(("key" = String, Path)), responses((status = 201, body = MadeKey), Failures))]
pub(crate) async fn rotate(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    match app.service.rotate_access_key(&Caller::operator(), &id).await? {
        KeyMade::Made(made) => shown_once(&app, made, None).await,
        KeyMade::Unknown => Err(Failure::no_such(KIND.as_str(), id)),
        KeyMade::TooMany => Err(too_many()),
    }
}

/// Removes an access key
#[utoipa::path(delete, path = "/access-keys/{key}", tag = "access-keys",
    params(("key" = String, Path)), responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, KIND, &id).await
}

fn owner(account: Id<AccountId>, user: Option<Id<RamName>>) -> KeyOwner {
    KeyOwner { account: account.0, user: user.map(|it| it.0.as_str().to_owned()) }
}

async fn shown_once(
    app: &App,
    made: NewAccessKey,
    security_token: Option<String>,
) -> Result<Response, Failure> {
    let entity = found(app, KIND, &made.id).await?;
    // Somebody removed it at once.
    let key = view(entity).ok_or_else(|| Failure::no_such(KIND.as_str(), &made.id))?;
    let secret = made.secret.reveal().to_owned();
    let path = format!("access-keys/{}", made.id);
    Ok(created(&path, MadeKey { key, secret, security_token }))
}

fn no_owner(owner: &KeyOwner) -> Failure {
    let account = &owner.account;
    match &owner.user {
        None => Failure::invalid("account", format!("there is no account {account}")),
        Some(user) => Failure::invalid("user", format!("there is no user {user} in {account}")),
    }
}

fn too_many() -> Failure {
    Failure::Conflict(format!(
        "The owner has {ACTIVE_KEYS_MAX} active keys, and may not have more: disable or remove one first."
    ))
}

fn view(entity: Entity) -> Option<AccessKey> {
    entity.into_access_key().map(AccessKey::from)
}

impl From<domain::AccessKey> for AccessKey {
    fn from(it: domain::AccessKey) -> Self {
        Self {
            id: it.id,
            account: it.account.as_str().to_owned(),
            user: it.user,
            active: it.active,
            temporary: it.temporary.map(|it| Temporary {
                expires_at: it.expires_at.into(),
                session_policy: it.session_policy,
                mfa_present: it.mfa_present,
            }),
            created_at: it.created_at.into(),
        }
    }
}

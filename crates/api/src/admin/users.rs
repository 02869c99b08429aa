//! `/admin/v1/users`: RAM users, their policies and groups.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use service::Caller;
use service::directory::{Entity, EntityKind, EntityRef, RamUser};
use service::ram::{Holder, Linked, RamName};
use utoipa::{IntoParams, ToSchema};

use super::directory::{
    add, change as change_part, created, found, page, page_where, remove as remove_part,
};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::wire::{At, Id, Label, Limit, Page};
use crate::state::App;

/// A RAM user, who may do what its policies and those of its groups allow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    account: String,
    name: String,
    /// Name for people.
    display_name: String,
    /// Policies attached to the user itself.
    policies: Vec<String>,
    groups: Vec<String>,
    created_at: At,
}

/// A RAM user to be made. It may do nothing until a policy is attached.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    #[schema(value_type = String, example = "default")]
    account: Id<AccountId>,
    /// Unique in its account.
    #[schema(value_type = String, example = "ci")]
    name: Id<RamName>,
    /// Name for people; the name if absent.
    #[schema(value_type = Option<String>)]
    display_name: Option<Label>,
}

/// What to change about a RAM user; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    #[schema(value_type = Option<String>)]
    display_name: Option<Label>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Only users of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only users in this group of the account; needs `account`.
    #[param(value_type = Option<String>)]
    group: Option<Id<RamName>>,
    /// Only users behind this one (`account/name`).
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists RAM users
#[utoipa::path(get, path = "/users", tag = "users", params(UserQuery),
    responses((status = 200, body = Page<User>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<UserQuery>,
) -> Result<Json<Page<User>>, Failure> {
    let after = query.after.as_deref();
    let Some(Id(group)) = query.group else {
        let parent = query.account.map(|it| EntityRef::account(&it.0));
        return page(&app, EntityKind::RamUser, parent, after, query.limit, view).await.map(Json);
    };
    let Some(Id(account)) = query.account else {
        return Err(Failure::invalid("account", "is required where a group is named"));
    };
    let wanted = |entity: &Entity| {
        let user = entity.clone().into_ram_user();
        user.is_some_and(|user| user.account == account && user.groups.contains(&group))
    };
    page_where(&app, EntityKind::RamUser, after, query.limit, wanted, view).await.map(Json)
}

/// Makes a RAM user
#[utoipa::path(post, path = "/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = User), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewUser>,
) -> Result<Response, Failure> {
    let user = RamUser {
        account: new.account.0,
        display_name: new.display_name.map_or_else(|| new.name.0.to_string(), |it| it.0),
        name: new.name.0,
        policies: Vec::new(),
        groups: Vec::new(),
        created_at: app.service.now(),
    };
    add(&app, Entity::RamUser(user.clone())).await?;
    Ok(created(&format!("users/{}/{}", user.account, user.name), User::from(user)))
}

/// Shows a RAM user
#[utoipa::path(get, path = "/users/{account}/{user}", tag = "users",
    params(("account" = String, Path), ("user" = String, Path)),
    responses((status = 200, body = User), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path((account, user)): Path<(String, String)>,
) -> Result<Json<Option<User>>, Failure> {
    let id = format!("{account}/{user}");
    found(&app, EntityKind::RamUser, &id).await.map(|it| Json(view(it)))
}

/// Changes a RAM user
#[utoipa::path(patch, path = "/users/{account}/{user}", tag = "users",
    params(("account" = String, Path), ("user" = String, Path)), request_body = UserChange,
    responses((status = 200, body = User), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path((account, user)): Path<(String, String)>,
    Body(new): Body<UserChange>,
) -> Result<Json<Option<User>>, Failure> {
    let apply = |entity: &mut Entity| {
        if let (Entity::RamUser(user), Some(name)) = (entity, &new.display_name) {
            user.display_name.clone_from(&name.0);
        }
    };
    let id = format!("{account}/{user}");
    change_part(&app, EntityKind::RamUser, &id, apply).await.map(|it| Json(view(it)))
}

/// Removes a RAM user
#[utoipa::path(delete, path = "/users/{account}/{user}", tag = "users",
    params(("account" = String, Path), ("user" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path((account, user)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, EntityKind::RamUser, &format!("{account}/{user}")).await
}

/// Attaches a policy to a RAM user
///
/// One of the account, or `AliyunCamsFullAccess` or `AliyunCamsReadOnlyAccess`, which every account has.
#[utoipa::path(put, path = "/users/{account}/{user}/policies/{policy}", tag = "users",
    params(("account" = String, Path), ("user" = String, Path), ("policy" = String, Path)),
    responses((status = 200, body = User), Failures))]
pub(crate) async fn attach(
    State(app): State<App>,
    Path((account, user, policy)): Path<(String, String, String)>,
) -> Result<Json<Option<User>>, Failure> {
    let link = Link::parse("ram_user", &account, &user, "policy", &policy)?;
    let (caller, holder) = (Caller::operator(), Holder::User(&link.holder));
    let linked = app.service.attach_policy(&caller, &link.account, holder, &link.target).await?;
    link.made(linked)?;
    show(State(app), Path((account, user))).await
}

/// Detaches a policy from a RAM user
#[utoipa::path(delete, path = "/users/{account}/{user}/policies/{policy}", tag = "users",
    params(("account" = String, Path), ("user" = String, Path), ("policy" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn detach(
    State(app): State<App>,
    Path((account, user, policy)): Path<(String, String, String)>,
) -> Result<StatusCode, Failure> {
    let link = Link::parse("ram_user", &account, &user, "policy", &policy)?;
    let (caller, holder) = (Caller::operator(), Holder::User(&link.holder));
    let linked = app.service.detach_policy(&caller, &link.account, holder, &link.target).await?;
    link.made(linked).map(|()| StatusCode::NO_CONTENT)
}

/// Puts a RAM user into a group
#[utoipa::path(put, path = "/users/{account}/{user}/groups/{group}", tag = "users",
    params(("account" = String, Path), ("user" = String, Path), ("group" = String, Path)),
    responses((status = 200, body = User), Failures))]
pub(crate) async fn join(
    State(app): State<App>,
    Path((account, user, group)): Path<(String, String, String)>,
) -> Result<Json<Option<User>>, Failure> {
    let link = Link::parse("ram_user", &account, &user, "group", &group)?;
    let caller = Caller::operator();
    let joined = app.service.join_group(&caller, &link.account, &link.holder, &link.target).await?;
    link.made(joined)?;
    show(State(app), Path((account, user))).await
}

/// Takes a RAM user out of a group
#[utoipa::path(delete, path = "/users/{account}/{user}/groups/{group}", tag = "users",
    params(("account" = String, Path), ("user" = String, Path), ("group" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn leave(
    State(app): State<App>,
    Path((account, user, group)): Path<(String, String, String)>,
) -> Result<StatusCode, Failure> {
    let link = Link::parse("ram_user", &account, &user, "group", &group)?;
    let caller = Caller::operator();
    let left = app.service.leave_group(&caller, &link.account, &link.holder, &link.target).await?;
    link.made(left).map(|()| StatusCode::NO_CONTENT)
}

/// A path that names a user or group, and a policy or group for it.
pub(super) struct Link {
    pub(super) account: AccountId,
    pub(super) holder: RamName,
    pub(super) target: RamName,
    kinds: (&'static str, &'static str),
}

impl Link {
    /// Reads the parts of a path; what has no name's form names nothing.
    pub(super) fn parse(
        holder_kind: &'static str,
        account: &str,
        holder: &str,
        target_kind: &'static str,
        target: &str,
    ) -> Result<Self, Failure> {
        let no_holder = || Failure::no_such(holder_kind, format!("{account}/{holder}"));
        let no_target = || Failure::no_such(target_kind, format!("{account}/{target}"));
        Ok(Self {
            account: AccountId::parse(account).ok_or_else(no_holder)?,
            holder: RamName::parse(holder).ok_or_else(no_holder)?,
            target: RamName::parse(target).ok_or_else(no_target)?,
            kinds: (holder_kind, target_kind),
        })
    }

    /// The outcome of making or taking away what the path names, as success or failure.
    pub(super) fn made(&self, linked: Linked) -> Result<(), Failure> {
        let Self { account, holder, target, kinds: (holder_kind, target_kind) } = self;
        match linked {
            Linked::Done => Ok(()),
            Linked::NoHolder => Err(Failure::no_such(holder_kind, format!("{account}/{holder}"))),
            Linked::NoTarget => Err(Failure::no_such(target_kind, format!("{account}/{target}"))),
            Linked::Full(max) => Err(Failure::Conflict(format!(
                "The {holder_kind} {account}/{holder} has {max} of that kind, and may not have more."
            ))),
        }
    }
}

fn view(entity: Entity) -> Option<User> {
    entity.into_ram_user().map(User::from)
}

impl From<RamUser> for User {
    fn from(it: RamUser) -> Self {
        Self {
            account: it.account.as_str().to_owned(),
            name: it.name.as_str().to_owned(),
            display_name: it.display_name,
            policies: texts(&it.policies),
            groups: texts(&it.groups),
            created_at: it.created_at.into(),
        }
    }
}

/// Names as they are shown.
pub(super) fn texts(names: &[RamName]) -> Vec<String> {
    names.iter().map(RamName::to_string).collect()
}

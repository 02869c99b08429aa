//! `/admin/v1/groups`: RAM users who share policies.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use service::Caller;
use service::directory::{self as domain, Entity, EntityKind, EntityRef};
use service::ram::{Holder, RamName, Removal};
use utoipa::{IntoParams, ToSchema};

use super::directory::{add, created, found, page};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::users::{Link, texts};
use super::wire::{At, Id, Label, Limit, Page};
use crate::state::App;

/// A group of RAM users. `/users?account=…&group=…` lists who is in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    account: String,
    name: String,
    /// Name for people.
    display_name: String,
    /// Policies of all its users.
    policies: Vec<String>,
    created_at: At,
}

/// A group to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGroup {
    #[schema(value_type = String, example = "default")]
    account: Id<AccountId>,
    /// Unique in its account.
    #[schema(value_type = String, example = "robots")]
    name: Id<RamName>,
    /// Name for people; the name if absent.
    #[schema(value_type = Option<String>)]
    display_name: Option<Label>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GroupQuery {
    /// Only groups of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only groups behind this one (`account/name`).
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists groups
#[utoipa::path(get, path = "/groups", tag = "users", params(GroupQuery),
    responses((status = 200, body = Page<Group>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<GroupQuery>,
) -> Result<Json<Page<Group>>, Failure> {
    let parent = query.account.map(|it| EntityRef::account(&it.0));
    let after = query.after.as_deref();
    page(&app, EntityKind::Group, parent, after, query.limit, view).await.map(Json)
}

/// Makes a group
#[utoipa::path(post, path = "/groups", tag = "users", request_body = NewGroup,
    responses((status = 201, body = Group), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewGroup>,
) -> Result<Response, Failure> {
    let group = domain::Group {
        account: new.account.0,
        display_name: new.display_name.map_or_else(|| new.name.0.to_string(), |it| it.0),
        name: new.name.0,
        policies: Vec::new(),
        created_at: app.service.now(),
    };
    add(&app, Entity::Group(group.clone())).await?;
    Ok(created(&format!("groups/{}/{}", group.account, group.name), Group::from(group)))
}

/// Shows a group
#[utoipa::path(get, path = "/groups/{account}/{group}", tag = "users",
    params(("account" = String, Path), ("group" = String, Path)),
    responses((status = 200, body = Group), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path((account, group)): Path<(String, String)>,
) -> Result<Json<Option<Group>>, Failure> {
    let id = format!("{account}/{group}");
    found(&app, EntityKind::Group, &id).await.map(|it| Json(view(it)))
}

/// Removes a group that nobody is in
#[utoipa::path(delete, path = "/groups/{account}/{group}", tag = "users",
    params(("account" = String, Path), ("group" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path((account, group)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let missing = || Failure::no_such("group", format!("{account}/{group}"));
    let names = AccountId::parse(&account).zip(RamName::parse(&group));
    let (account_id, name) = names.ok_or_else(missing)?;
    match app.service.remove_group(&Caller::operator(), &account_id, &name).await? {
        Removal::Done => Ok(StatusCode::NO_CONTENT),
        Removal::Unknown => Err(missing()),
        Removal::InUse(by) => {
            Err(Failure::Conflict(format!("The {} {} is in this group.", by.kind.as_str(), by.id)))
        }
    }
}

/// Attaches a policy to all users of a group
#[utoipa::path(put, path = "/groups/{account}/{group}/policies/{policy}", tag = "users",
    params(("account" = String, Path), ("group" = String, Path), ("policy" = String, Path)),
    responses((status = 200, body = Group), Failures))]
pub(crate) async fn attach(
    State(app): State<App>,
    Path((account, group, policy)): Path<(String, String, String)>,
) -> Result<Json<Option<Group>>, Failure> {
    let link = Link::parse("group", &account, &group, "policy", &policy)?;
    let (caller, holder) = (Caller::operator(), Holder::Group(&link.holder));
    let linked = app.service.attach_policy(&caller, &link.account, holder, &link.target).await?;
    link.made(linked)?;
    show(State(app), Path((account, group))).await
}

/// Detaches a policy from a group
#[utoipa::path(delete, path = "/groups/{account}/{group}/policies/{policy}", tag = "users",
    params(("account" = String, Path), ("group" = String, Path), ("policy" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn detach(
    State(app): State<App>,
    Path((account, group, policy)): Path<(String, String, String)>,
) -> Result<StatusCode, Failure> {
    let link = Link::parse("group", &account, &group, "policy", &policy)?;
    let (caller, holder) = (Caller::operator(), Holder::Group(&link.holder));
    let linked = app.service.detach_policy(&caller, &link.account, holder, &link.target).await?;
    link.made(linked).map(|()| StatusCode::NO_CONTENT)
}

fn view(entity: Entity) -> Option<Group> {
    entity.into_group().map(Group::from)
}

impl From<domain::Group> for Group {
    fn from(it: domain::Group) -> Self {
        Self {
            account: it.account.as_str().to_owned(),
            name: it.name.as_str().to_owned(),
            display_name: it.display_name,
            policies: texts(&it.policies),
            created_at: it.created_at.into(),
        }
    }
}

//! `/admin/v1/spaces`: the customers of an account (CAMS `CustSpaceId`).

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, CustomerSpaceId, TextId as _};
use serde::{Deserialize, Serialize};
use service::directory::{self as domain, Entity, EntityKind, EntityRef};
use service::ports::EntropyExt as _;
use utoipa::{IntoParams, ToSchema};

use super::directory::{add, change as change_part, created, found, page, remove as remove_part};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::wire::{At, Id, Label, Limit, Page};
use crate::state::App;

/// A space.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Space {
    id: String,
    account: String,
    /// Name for people.
    name: String,
    created_at: At,
}

/// A space to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSpace {
    #[schema(value_type = String, example = "acme")]
    account: Id<AccountId>,
    /// A new one if absent.
    #[schema(value_type = Option<String>, example = "cams-customer01")]
    id: Option<Id<CustomerSpaceId>>,
    /// Name for people; the id if absent.
    #[schema(value_type = Option<String>)]
    name: Option<Label>,
}

/// What to change about a space; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceChange {
    #[schema(value_type = Option<String>)]
    name: Option<Label>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SpaceQuery {
    /// Only spaces of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only spaces behind this id.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists spaces
#[utoipa::path(get, path = "/spaces", tag = "spaces", params(SpaceQuery),
    responses((status = 200, body = Page<Space>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<SpaceQuery>,
) -> Result<Json<Page<Space>>, Failure> {
    let parent = query.account.map(|it| EntityRef::account(&it.0));
    let after = query.after.as_deref();
    page(&app, EntityKind::Space, parent, after, query.limit, view).await.map(Json)
}

/// Makes a space
#[utoipa::path(post, path = "/spaces", tag = "spaces", request_body = NewSpace,
    responses((status = 201, body = Space), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewSpace>,
) -> Result<Response, Failure> {
    let id = match new.id {
        Some(id) => id.0,
        None => fresh_id(&app)?,
    };
    let space = domain::Space {
        account: new.account.0,
        name: new.name.map_or_else(|| id.to_string(), |name| name.0),
        created_at: app.service.now(),
        id,
    };
    add(&app, Entity::Space(space.clone())).await?;
    Ok(created(&format!("spaces/{}", space.id), Space::from(space)))
}

/// Shows a space
#[utoipa::path(get, path = "/spaces/{space}", tag = "spaces", params(("space" = String, Path)),
    responses((status = 200, body = Space), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Option<Space>>, Failure> {
    found(&app, EntityKind::Space, &id).await.map(|it| Json(view(it)))
}

/// Changes a space
#[utoipa::path(patch, path = "/spaces/{space}", tag = "spaces", params(("space" = String, Path)),
    request_body = SpaceChange, responses((status = 200, body = Space), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(new): Body<SpaceChange>,
) -> Result<Json<Option<Space>>, Failure> {
    let apply = |entity: &mut Entity| {
        if let (Entity::Space(space), Some(name)) = (entity, &new.name) {
            space.name.clone_from(&name.0);
        }
    };
    change_part(&app, EntityKind::Space, &id, apply).await.map(|it| Json(view(it)))
}

/// Removes a space with its WABAs, unless numbers are claimed in it
#[utoipa::path(delete, path = "/spaces/{space}", tag = "spaces", params(("space" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, EntityKind::Space, &id).await
}

/// An id of the form that CAMS gives to spaces.
fn fresh_id(app: &App) -> Result<CustomerSpaceId, Failure> {
    let id = format!("cams-{}", hex::encode(app.service.entropy().bytes::<8>()));
    CustomerSpaceId::parse(&id).ok_or(Failure::Internal)
}

fn view(entity: Entity) -> Option<Space> {
    entity.into_space().map(Space::from)
}

impl From<domain::Space> for Space {
    fn from(it: domain::Space) -> Self {
        Self {
            id: it.id.as_str().to_owned(),
            account: it.account.as_str().to_owned(),
            name: it.name,
            created_at: it.created_at.into(),
        }
    }
}

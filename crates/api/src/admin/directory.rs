//! What the resources of the directory have in common.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use service::Caller;
use service::clients::Added;
use service::directory::{Entity, EntityKind, EntityRef};
use service::upkeep::{Changed, Removed};

use super::failure::Failure;
use super::wire::{Limit, Page};
use crate::state::App;

/// The part of this kind and id, or 404.
pub(super) async fn found(app: &App, kind: EntityKind, id: &str) -> Result<Entity, Failure> {
    let found = app.service.entity(&EntityRef::new(kind, id)).await?;
    found.map(|found| found.value).ok_or_else(|| Failure::no_such(kind.as_str(), id))
}

/// A page of parts of one kind, below `parent` if given.
pub(super) async fn page<T>(
    app: &App,
    kind: EntityKind,
    parent: Option<EntityRef>,
    after: Option<&str>,
    limit: Limit,
    view: impl Fn(Entity) -> Option<T>,
) -> Result<Page<T>, Failure> {
    let entities = app.service.entities(kind, parent.as_ref(), after, limit.and_one()).await?;
    Ok(cut(entities, limit, view))
}

/// The same for a parent that is not stored as such: parts are read on until a page of `wanted` ones is
/// full.
pub(super) async fn page_where<T>(
    app: &App,
    kind: EntityKind,
    after: Option<&str>,
    limit: Limit,
    wanted: impl Fn(&Entity) -> bool,
    view: impl Fn(Entity) -> Option<T>,
) -> Result<Page<T>, Failure> {
    const STRIDE: usize = 500;
    let mut entities: Vec<Entity> = Vec::new();
    let mut after = after.map(str::to_owned);
    while entities.len() < limit.and_one() {
        let stride = app.service.entities(kind, None, after.as_deref(), STRIDE).await?;
        let more = stride.len() == STRIDE;
        after = stride.last().map(|it| it.key().id);
        entities.extend(stride.into_iter().filter(&wanted));
        if !more {
            break;
        }
    }
    Ok(cut(entities, limit, view))
}

fn cut<T>(entities: Vec<Entity>, limit: Limit, view: impl Fn(Entity) -> Option<T>) -> Page<T> {
    let Page { items, next } = Page::cut(entities, limit, |it| it.key().id, view);
    Page { items: items.into_iter().flatten().collect(), next }
}

/// Adds a part of the directory.
pub(super) async fn add(app: &App, entity: Entity) -> Result<(), Failure> {
    let (key, parent) = (entity.key(), entity.parent());
    let added = app.service.add_entity(&Caller::operator(), entity).await?;
    accept(added, &key, parent.as_ref())
}

/// The outcome of an addition as success or failure.
pub(super) fn accept(
    added: Added,
    key: &EntityRef,
    parent: Option<&EntityRef>,
) -> Result<(), Failure> {
    match (added, parent) {
        (Added::Created, _) => Ok(()),
        (Added::NoParent, Some(parent)) => {
            let kind = parent.kind.as_str();
            Err(Failure::invalid(kind, format!("there is no {kind} {}", parent.id)))
        }
        (Added::Exists | Added::NoParent, _) => {
            Err(Failure::Conflict(format!("There is a {} {} already.", key.kind.as_str(), key.id)))
        }
    }
}

/// Changes a part of the directory; `what` is the event.
pub(super) async fn change(
    app: &App,
    kind: EntityKind,
    id: &str,
    change: impl Fn(&mut Entity) + Send + Sync,
) -> Result<Entity, Failure> {
    let what = format!("{}_changed", kind.as_str());
    let key = EntityRef::new(kind, id);
    match app.service.change_entity(&Caller::operator(), &key, &what, change).await? {
        Changed::Done(entity) => Ok(entity),
        Changed::Unknown => Err(Failure::no_such(kind.as_str(), id)),
        Changed::Taken => Err(Failure::Conflict("Another client has this host.".to_owned())),
    }
}

/// Removes a part of the directory with everything below it: 204.
pub(super) async fn remove(app: &App, kind: EntityKind, id: &str) -> Result<StatusCode, Failure> {
    let key = EntityRef::new(kind, id);
    match app.service.remove_entity(&Caller::operator(), &key).await? {
        Removed::Done => Ok(StatusCode::NO_CONTENT),
        Removed::Unknown => Err(Failure::no_such(kind.as_str(), id)),
        Removed::InUse if kind == EntityKind::Client => {
            Err(Failure::Conflict(format!("Client {id} runs a number; deregister it first.")))
        }
        Removed::InUse => {
            Err(Failure::Conflict(format!("Numbers are claimed in {} {id}.", kind.as_str())))
        }
    }
}

/// 201 with the new resource and where it is found.
pub(super) fn created(path: &str, body: impl Serialize) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/admin/v1/{path}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

//! `/admin/v1/wabas`: WhatsApp Business Accounts, which claim numbers.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, CustomerSpaceId, TextId as _, WabaId};
use serde::{Deserialize, Serialize};
use service::directory::{self as domain, Entity, EntityKind, EntityRef};
use service::pin_reset::is_mail_address;
use service::ports::EntropyExt as _;
use utoipa::{IntoParams, ToSchema};

use super::directory::{
    add, change as change_part, created, found, page, page_where, remove as remove_part,
};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::wire::{At, Id, Label, Limit, Page};
use crate::state::App;

/// A WhatsApp Business Account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Waba {
    id: String,
    account: String,
    space: String,
    /// Name for people.
    name: String,
    /// Where its owner is reached by mail: links to reset a PIN go there.
    contact_email: Option<String>,
    created_at: At,
}

/// A WABA to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWaba {
    /// The customer it belongs to; the account follows from it.
    #[schema(value_type = String, example = "default")]
    space: Id<CustomerSpaceId>,
    /// A new one of 15 digits if absent.
    #[schema(value_type = Option<String>, example = "102290129340398")]
    id: Option<Id<WabaId>>,
    /// Name for people; the id if absent.
    #[schema(value_type = Option<String>)]
    name: Option<Label>,
    /// Where its owner is reached by mail.
    #[schema(example = "owner@shop.example")]
    contact_email: Option<String>,
}

/// What to change about a WABA; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WabaChange {
    #[schema(value_type = Option<String>)]
    name: Option<Label>,
    /// Where its owner is reached by mail; empty takes it away.
    contact_email: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WabaQuery {
    /// Only WABAs of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only WABAs of this space.
    #[param(value_type = Option<String>)]
    space: Option<Id<CustomerSpaceId>>,
    /// Only WABAs behind this id.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists WABAs
#[utoipa::path(get, path = "/wabas", tag = "wabas", params(WabaQuery),
    responses((status = 200, body = Page<Waba>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<WabaQuery>,
) -> Result<Json<Page<Waba>>, Failure> {
    let after = query.after.as_deref();
    let Some(Id(account)) = query.account else {
        let parent = query.space.map(|it| EntityRef::space(&it.0));
        return page(&app, EntityKind::Waba, parent, after, query.limit, view).await.map(Json);
    };
    let wanted = |entity: &Entity| {
        entity.clone().into_waba().is_some_and(|waba| {
            waba.account == account && query.space.as_ref().is_none_or(|it| it.0 == waba.space)
        })
    };
    page_where(&app, EntityKind::Waba, after, query.limit, wanted, view).await.map(Json)
}

/// Makes a WABA
#[utoipa::path(post, path = "/wabas", tag = "wabas", request_body = NewWaba,
    responses((status = 201, body = Waba), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewWaba>,
) -> Result<Response, Failure> {
    let key = EntityRef::space(&new.space.0);
    let space = app.service.entity(&key).await?.and_then(|it| it.value.into_space());
    let missing = || Failure::invalid("space", format!("there is no space {}", new.space.0));
    let space = space.ok_or_else(missing)?;
    let id = match new.id {
        Some(id) => id.0,
        None => WabaId::parse(&app.service.entropy().node_id()).ok_or(Failure::Internal)?,
    };
    let waba = domain::Waba {
        account: space.account,
        space: space.id,
        name: new.name.map_or_else(|| id.to_string(), |name| name.0),
        contact_email: contact(new.contact_email)?,
        created_at: app.service.now(),
        id,
    };
    add(&app, Entity::Waba(waba.clone())).await?;
    Ok(created(&format!("wabas/{}", waba.id), Waba::from(waba)))
}

/// Shows a WABA
#[utoipa::path(get, path = "/wabas/{waba}", tag = "wabas", params(("waba" = String, Path)),
    responses((status = 200, body = Waba), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Option<Waba>>, Failure> {
    found(&app, EntityKind::Waba, &id).await.map(|it| Json(view(it)))
}

/// Changes a WABA
#[utoipa::path(patch, path = "/wabas/{waba}", tag = "wabas", params(("waba" = String, Path)),
    request_body = WabaChange, responses((status = 200, body = Waba), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(new): Body<WabaChange>,
) -> Result<Json<Option<Waba>>, Failure> {
    let given = new.contact_email.is_some();
    let contact_email = contact(new.contact_email)?;
    let apply = |entity: &mut Entity| {
        let Entity::Waba(waba) = entity else { return };
        if let Some(name) = &new.name {
            waba.name.clone_from(&name.0);
        }
        if given {
            waba.contact_email.clone_from(&contact_email);
        }
    };
    change_part(&app, EntityKind::Waba, &id, apply).await.map(|it| Json(view(it)))
}

/// Removes a WABA, unless it claims numbers
#[utoipa::path(delete, path = "/wabas/{waba}", tag = "wabas", params(("waba" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, EntityKind::Waba, &id).await
}

/// A mail address; empty is none.
fn contact(given: Option<String>) -> Result<Option<String>, Failure> {
    let given = given.filter(|text| !text.is_empty());
    if given.as_deref().is_some_and(|text| !is_mail_address(text)) {
        return Err(Failure::invalid("contact_email", "must be a mail address"));
    }
    Ok(given)
}

fn view(entity: Entity) -> Option<Waba> {
    entity.into_waba().map(Waba::from)
}

impl From<domain::Waba> for Waba {
    fn from(it: domain::Waba) -> Self {
        Self {
            id: it.id.as_str().to_owned(),
            account: it.account.as_str().to_owned(),
            space: it.space.as_str().to_owned(),
            name: it.name,
            contact_email: it.contact_email,
            created_at: it.created_at.into(),
        }
    }
}

//! `/admin/v1/clients`: On-Premises deployments.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, ClientId, TextId as _, Timestamp, WabaId};
use serde::{Deserialize, Serialize};
use service::Caller;
use service::clients::FirstPassword;
use service::directory::{self as domain, Entity, EntityKind, EntityRef};
use service::ports::EntropyExt as _;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::directory::{
    accept, change as change_part, created, found, page, remove as remove_part,
};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::wire::{ApiKey, At, Edit, Host, Id, Limit, Page, Password};
use crate::state::App;

/// A client. Its id stands in the path `/clients/{id}/v1/…`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Client {
    id: String,
    account: String,
    /// The WABA that its registrations are for.
    waba: String,
    /// Host name by which it is reached.
    host: Option<String>,
    /// Registration answers as Meta's does today: 1005 `biz_link_on_prem_reg_blocked`.
    retired: bool,
    /// Whether it has an API key for the read endpoints.
    api_key_set: bool,
    shards: u8,
    created_at: At,
    /// The password of its `admin`, shown once: only when it was made up just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_password: Option<String>,
}

/// A client to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClient {
    #[schema(value_type = String, example = "berlin")]
    id: Id<ClientId>,
    /// The WABA that its registrations are for; the account follows from it.
    #[schema(value_type = String)]
    waba: Id<WabaId>,
    /// Host name by which it is reached, besides its path.
    #[schema(value_type = Option<String>, example = "berlin.example.com")]
    host: Option<Host>,
    #[serde(default)]
    retired: bool,
    /// Key for the read endpoints: 16 to 128 visible characters.
    #[schema(value_type = Option<String>, format = Password)]
    api_key: Option<ApiKey>,
    /// Password of its `admin`; made up and shown once if absent.
    #[schema(value_type = Option<String>, format = Password)]
    admin_password: Option<Password>,
    /// The first login must replace the password; yes if absent.
    must_change_password: Option<bool>,
}

/// What to change about a client; what is absent stays, `null` removes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientChange {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    host: Edit<Host>,
    retired: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    api_key: Edit<ApiKey>,
}

/// A new password of a client's `admin`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// Made up and shown once if absent.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Password>,
    /// The next login must replace it; yes if absent.
    must_change: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClientQuery {
    /// Only clients of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only clients behind this id.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists clients
#[utoipa::path(get, path = "/clients", tag = "clients", params(ClientQuery),
    responses((status = 200, body = Page<Client>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<ClientQuery>,
) -> Result<Json<Page<Client>>, Failure> {
    let parent = query.account.map(|it| EntityRef::account(&it.0));
    let after = query.after.as_deref();
    page(&app, EntityKind::Client, parent, after, query.limit, view).await.map(Json)
}

/// Makes a client and its `admin`
#[utoipa::path(post, path = "/clients", tag = "clients", request_body = NewClient,
    responses((status = 201, body = Client), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewClient>,
) -> Result<Response, Failure> {
    let waba = app.service.entity(&EntityRef::waba(&new.waba.0)).await?;
    let missing = || Failure::invalid("waba", format!("there is no WABA {}", new.waba.0));
    let waba = waba.and_then(|it| it.value.into_waba()).ok_or_else(missing)?;
    let client = domain::Client {
        id: new.id.0,
        account: waba.account,
        waba: waba.id,
        host: new.host.map(|host| host.0),
        retired: new.retired,
        api_key_sha256: new.api_key.as_ref().map(digest),
        shards: 1,
        restarting_until: Timestamp::default(),
        created_at: app.service.now(),
    };
    let (first, made_up) = first_password(&app, new.admin_password, new.must_change_password);
    let key = EntityRef::client(&client.id);
    let added = app.service.add_client(&Caller::operator(), client.clone(), &first).await?;
    accept(added, &key, None)?;
    let path = format!("clients/{}", client.id);
    Ok(created(&path, Client { admin_password: made_up, ..Client::from(client) }))
}

/// Shows a client
#[utoipa::path(get, path = "/clients/{client}", tag = "clients", params(("client" = String, Path)),
    responses((status = 200, body = Client), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Option<Client>>, Failure> {
    found(&app, EntityKind::Client, &id).await.map(|it| Json(view(it)))
}

/// Changes a client
#[utoipa::path(patch, path = "/clients/{client}", tag = "clients",
    params(("client" = String, Path)), request_body = ClientChange,
    responses((status = 200, body = Client), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(new): Body<ClientChange>,
) -> Result<Json<Option<Client>>, Failure> {
    let apply = |entity: &mut Entity| {
        let Entity::Client(client) = entity else { return };
        new.host.apply(&mut client.host, |host| host.0.clone());
        new.api_key.apply(&mut client.api_key_sha256, digest);
        client.retired = new.retired.unwrap_or(client.retired);
    };
    change_part(&app, EntityKind::Client, &id, apply).await.map(|it| Json(view(it)))
}

/// Removes a client with its users and documents, unless it runs a number
#[utoipa::path(delete, path = "/clients/{client}", tag = "clients",
    params(("client" = String, Path)), responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, EntityKind::Client, &id).await
}

/// Gives a client's `admin` another password
#[utoipa::path(post, path = "/clients/{client}/admin-password", tag = "clients",
    params(("client" = String, Path)), request_body = NewPassword,
    responses((status = 200, body = Client), Failures))]
pub(crate) async fn reset_admin_password(
    State(app): State<App>,
    Path(id): Path<String>,
    Body(new): Body<NewPassword>,
) -> Result<Json<Client>, Failure> {
    let client = found(&app, EntityKind::Client, &id).await?.into_client();
    let client = client.ok_or_else(|| Failure::no_such("client", &id))?;
    let (first, made_up) = first_password(&app, new.password, new.must_change);
    app.service.put_admin(&Caller::operator(), &client.id, &first).await?;
    Ok(Json(Client { admin_password: made_up, ..Client::from(client) }))
}

/// The password to set, and the same again if it was made up here and has to be shown.
fn first_password(
    app: &App,
    given: Option<Password>,
    must_change: Option<bool>,
) -> (FirstPassword, Option<String>) {
    let made_up = given.is_none().then(|| {
        // 128 random bits; what follows them meets the rule's four kinds of characters.
        format!("{}-Aa1", hex::encode(app.service.entropy().bytes::<16>()))
    });
    let password = given.map(|it| it.0).or_else(|| made_up.clone()).unwrap_or_default();
    (FirstPassword { password, must_change: must_change.unwrap_or(true) }, made_up)
}

fn digest(key: &ApiKey) -> [u8; 32] {
    Sha256::digest(key.0.as_bytes()).into()
}

fn view(entity: Entity) -> Option<Client> {
    entity.into_client().map(Client::from)
}

impl From<domain::Client> for Client {
    fn from(it: domain::Client) -> Self {
        Self {
            id: it.id.as_str().to_owned(),
            account: it.account.as_str().to_owned(),
            waba: it.waba.as_str().to_owned(),
            host: it.host,
            retired: it.retired,
            api_key_set: it.api_key_sha256.is_some(),
            shards: it.shards,
            created_at: it.created_at.into(),
            admin_password: None,
        }
    }
}

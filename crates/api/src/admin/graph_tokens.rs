//! `/admin/v1/graph-tokens`: bearer tokens of the Graph dialect.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, TextId as _, WabaId};
use serde::{Deserialize, Serialize};
use service::Caller;
use service::directory::{Entity, EntityKind, EntityRef, GraphScopes, GraphToken};
use service::graph_tokens::{GraphTokenMade, GraphTokenOrder};
use utoipa::{IntoParams, ToSchema};

use super::directory::{created, page, remove as remove_part};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::wire::{At, Id, Label, Limit, Moment, Page};
use crate::state::App;

/// A bearer token. Its text is shown once, when it is made.
#[derive(Serialize, ToSchema)]
pub(crate) struct GraphTokenView {
    id: String,
    account: String,
    /// Name for people.
    name: String,
    scopes: Vec<Scope>,
    /// The only WABAs that it reaches; empty means all of the account.
    wabas: Vec<String>,
    /// From then on it is refused.
    expires_at: Option<At>,
    created_at: At,
    /// The token itself, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// What a bearer may do, by the names that Meta documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) enum Scope {
    /// Numbers and WABAs.
    #[serde(rename = "whatsapp_business_management")]
    Management,
    /// With the other one, registering a number.
    #[serde(rename = "whatsapp_business_messaging")]
    Messaging,
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGraphToken {
    #[schema(value_type = String, example = "default")]
    account: Id<AccountId>,
    /// Name for people.
    #[schema(value_type = String, example = "shop backend")]
    name: Label,
    /// Both if absent.
    scopes: Option<Vec<Scope>>,
    /// The only WABAs that it shall reach; all of the account if absent.
    #[schema(value_type = Option<Vec<String>>)]
    wabas: Option<Vec<Id<WabaId>>>,
    /// When it ends; never if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Moment>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GraphTokenQuery {
    /// Only tokens of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only tokens behind this id.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists Graph tokens
#[utoipa::path(get, path = "/graph-tokens", tag = "graph-tokens", params(GraphTokenQuery),
    responses((status = 200, body = Page<GraphTokenView>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<GraphTokenQuery>,
) -> Result<Json<Page<GraphTokenView>>, Failure> {
    let parent = query.account.map(|it| EntityRef::account(&it.0));
    let after = query.after.as_deref();
    let view = |entity: Entity| entity.into_graph_token().map(GraphTokenView::from);
    page(&app, EntityKind::GraphToken, parent, after, query.limit, view).await.map(Json)
}

/// Makes a Graph token and shows it once
#[utoipa::path(post, path = "/graph-tokens", tag = "graph-tokens", request_body = NewGraphToken,
    responses((status = 201, body = GraphTokenView), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewGraphToken>,
) -> Result<Response, Failure> {
    let scopes = new.scopes.map_or(GraphScopes::ALL, |named| GraphScopes {
        management: named.contains(&Scope::Management),
        messaging: named.contains(&Scope::Messaging),
    });
    if scopes == GraphScopes::default() {
        return Err(Failure::invalid("scopes", "a token needs a scope at least"));
    }
    let order = GraphTokenOrder {
        account: new.account.0,
        name: new.name.0,
        scopes,
        wabas: new.wabas.into_iter().flatten().map(|waba| waba.0).collect(),
        expires_at: new.expires_at.map(|at| at.0),
    };
    match app.service.create_graph_token(&Caller::operator(), &order).await? {
        GraphTokenMade::Made(token, text) => {
            let path = format!("graph-tokens/{}", token.id);
            let shown = Some(text.reveal().to_owned());
            Ok(created(&path, GraphTokenView { token: shown, ..GraphTokenView::from(token) }))
        }
        GraphTokenMade::NoAccount => {
            Err(Failure::invalid("account", format!("there is no account {}", order.account)))
        }
        GraphTokenMade::NoWaba(waba) => {
            Err(Failure::invalid("wabas", format!("the account has no WABA {waba}")))
        }
    }
}

/// Revokes a Graph token
#[utoipa::path(delete, path = "/graph-tokens/{token}", tag = "graph-tokens",
    params(("token" = String, Path, description = "Its id, not its text")),
    responses((status = 204), Failures))]
pub(crate) async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, EntityKind::GraphToken, &id).await
}

impl From<GraphToken> for GraphTokenView {
    fn from(token: GraphToken) -> Self {
        let scopes = [
            (token.scopes.management, Scope::Management),
            (token.scopes.messaging, Scope::Messaging),
        ];
        Self {
            id: token.id,
            account: token.account.to_string(),
            name: token.name,
            scopes: scopes.into_iter().filter_map(|(has, it)| has.then_some(it)).collect(),
            wabas: token.wabas.iter().map(|waba| waba.as_str().to_owned()).collect(),
            expires_at: token.expires_at.map(At::from),
            created_at: token.created_at.into(),
            token: None,
        }
    }
}

//! `/admin/v1/policies`: what RAM users may do, written down, and what that comes to.

mod simulation;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use service::Caller;
use service::directory::{CustomPolicy, Entity, EntityKind, EntityRef};
use service::ram::{PolicyError, RamName, Removal, Saved, SystemPolicy};
use utoipa::{IntoParams, ToSchema};

use super::directory::{created, found, page};
use super::failure::{Detail, Failure, Failures};
use super::input::{Body, Query};
use super::wire::{At, Id, Limit, Page};
use crate::state::App;
use simulation::{Simulation, SimulationRequest};

/// A policy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Policy {
    account: String,
    name: String,
    /// `custom`, or `system` for one that every account has and nobody changes.
    kind: &'static str,
    /// Its text, JSON as it was written.
    document: String,
    /// When it was made; `null` for a system policy.
    created_at: Option<At>,
    /// When its text was written; `null` for a system policy.
    updated_at: Option<At>,
}

/// A policy to be made. A text that is no policy is refused with every fault and its place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPolicy {
    #[schema(value_type = String, example = "default")]
    account: Id<AccountId>,
    /// Unique in its account; does not begin with `Aliyun`.
    #[schema(value_type = String, example = "office-only")]
    name: Id<RamName>,
    /// The policy as JSON text, at most 6144 characters.
    #[schema(
        example = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:Get*","Resource":"*"}]}"#
    )]
    document: String,
}

/// What to change about a policy; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyChange {
    /// The policy as JSON text, at most 6144 characters.
    document: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PolicyQuery {
    /// Only policies of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only policies behind this one (`account/name`).
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists policies that accounts wrote
#[utoipa::path(get, path = "/policies", tag = "policies", params(PolicyQuery),
    responses((status = 200, body = Page<Policy>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<PolicyQuery>,
) -> Result<Json<Page<Policy>>, Failure> {
    let parent = query.account.map(|it| EntityRef::account(&it.0));
    let after = query.after.as_deref();
    page(&app, EntityKind::CustomPolicy, parent, after, query.limit, view).await.map(Json)
}

/// Makes a policy
#[utoipa::path(post, path = "/policies", tag = "policies", request_body = NewPolicy,
    responses((status = 201, body = Policy), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewPolicy>,
) -> Result<Response, Failure> {
    let (account, name) = (new.account.0, new.name.0);
    let caller = Caller::operator();
    let saved = app.service.create_policy(&caller, &account, &name, &new.document).await?;
    let policy = accept(saved, &account, &name)?;
    Ok(created(&format!("policies/{account}/{name}"), Policy::from(policy)))
}

/// Shows a policy, also a system policy
#[utoipa::path(get, path = "/policies/{account}/{policy}", tag = "policies",
    params(("account" = String, Path), ("policy" = String, Path)),
    responses((status = 200, body = Policy), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path((account, policy)): Path<(String, String)>,
) -> Result<Json<Option<Policy>>, Failure> {
    if let Some(system) = SystemPolicy::parse(&policy) {
        found(&app, EntityKind::Account, &account).await?;
        return Ok(Json(Some(Policy {
            account,
            name: policy,
            kind: "system",
            document: system.text().to_owned(),
            created_at: None,
            updated_at: None,
        })));
    }
    let id = format!("{account}/{policy}");
    found(&app, EntityKind::CustomPolicy, &id).await.map(|it| Json(view(it)))
}

/// Gives a policy another text, which counts from the next request on
#[utoipa::path(patch, path = "/policies/{account}/{policy}", tag = "policies",
    params(("account" = String, Path), ("policy" = String, Path)), request_body = PolicyChange,
    responses((status = 200, body = Policy), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path((account, policy)): Path<(String, String)>,
    Body(new): Body<PolicyChange>,
) -> Result<Json<Option<Policy>>, Failure> {
    let Some(document) = new.document else {
        return show(State(app), Path((account, policy))).await;
    };
    let (account, name) = names(&account, &policy)?;
    let caller = Caller::operator();
    let saved = app.service.change_policy(&caller, &account, &name, &document).await?;
    Ok(Json(Some(accept(saved, &account, &name)?.into())))
}

/// Removes a policy that is attached to nobody
#[utoipa::path(delete, path = "/policies/{account}/{policy}", tag = "policies",
    params(("account" = String, Path), ("policy" = String, Path)),
    responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path((account, policy)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let (account, name) = names(&account, &policy)?;
    match app.service.remove_policy(&Caller::operator(), &account, &name).await? {
        Removal::Done => Ok(StatusCode::NO_CONTENT),
        Removal::Unknown => Err(Failure::no_such("policy", format!("{account}/{name}"))),
        Removal::InUse(by) => Err(Failure::Conflict(format!(
            "The policy is attached to the {} {}.",
            by.kind.as_str(),
            by.id
        ))),
    }
}

/// Says whether a request would be allowed, which statement decides, and why each other does not
#[utoipa::path(post, path = "/policies/simulate", tag = "policies",
    request_body = SimulationRequest, responses((status = 200, body = Simulation), Failures))]
pub(crate) async fn simulate(
    State(app): State<App>,
    Body(request): Body<SimulationRequest>,
) -> Result<Json<Simulation>, Failure> {
    simulation::run(&app, request).await.map(Json)
}

/// The parts of a path; what has no name's form names nothing.
fn names(account: &str, policy: &str) -> Result<(AccountId, RamName), Failure> {
    let names = AccountId::parse(account).zip(RamName::parse(policy));
    names.ok_or_else(|| Failure::no_such("policy", format!("{account}/{policy}")))
}

fn accept(saved: Saved, account: &AccountId, name: &RamName) -> Result<CustomPolicy, Failure> {
    let prefix = SystemPolicy::PREFIX;
    match saved {
        Saved::Done(policy) => Ok(policy),
        Saved::Faulty(error) => Err(faulty("document", &error)),
        Saved::Reserved => {
            Err(Failure::invalid("name", format!("{prefix}… is kept for system policies")))
        }
        Saved::Exists => {
            Err(Failure::Conflict(format!("There is a policy {account}/{name} already.")))
        }
        Saved::NoAccount => {
            Err(Failure::invalid("account", format!("there is no account {account}")))
        }
        Saved::Unknown => Err(Failure::no_such("policy", format!("{account}/{name}"))),
    }
}

/// Every fault of a policy that stands in `field`.
pub(in crate::admin) fn faulty(field: &str, error: &PolicyError) -> Failure {
    let faults = error.faults().iter();
    let detail = |problem: String| Detail { field: field.to_owned(), problem };
    Failure::Invalid(faults.map(|fault| detail(fault.to_string())).collect())
}

fn view(entity: Entity) -> Option<Policy> {
    entity.into_custom_policy().map(Policy::from)
}

impl From<CustomPolicy> for Policy {
    fn from(it: CustomPolicy) -> Self {
        Self {
            account: it.account.as_str().to_owned(),
            name: it.name.as_str().to_owned(),
            kind: "custom",
            document: it.document,
            created_at: Some(it.created_at.into()),
            updated_at: Some(it.updated_at.into()),
        }
    }
}

//! `/admin/v1/operators`: who logs in to the console with a name and a password.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use service::Caller;
use service::directory::{self as domain, Entity, EntityKind, OperatorRole};
use service::operators::OperatorChange;
use service::ports::EntropyExt as _;
use utoipa::{IntoParams, ToSchema};

use super::directory::{created, found, page, remove as remove_part};
use super::failure::{Failure, Failures};
use super::input::{Body, Query};
use super::wire::{At, Limit, Page, Password};
use crate::state::App;

const KIND: EntityKind = EntityKind::Operator;

/// Somebody who logs in to the console.
#[derive(Serialize, ToSchema)]
pub(crate) struct Operator {
    #[schema(example = "eva")]
    name: String,
    role: Role,
    /// When password or role was set; logins from before have ended.
    changed_at: At,
    created_at: At,
    /// The password, shown once, if it was made up here.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// What somebody may do in the console.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Everything.
    Operator,
    /// Look at everything, change nothing.
    #[default]
    Auditor,
}

/// An operator to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOperator {
    /// 2 to 32 small letters, digits, `-` or `_`.
    #[schema(example = "eva")]
    name: String,
    /// Auditor if absent.
    #[serde(default)]
    role: Role,
    /// One is made up and shown once if absent.
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Password>,
}

/// What to change about an operator; what is absent stays. All its logins end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorPatch {
    role: Option<Role>,
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Password>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OperatorQuery {
    /// Only operators behind this one.
    after: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists the operators of the console
#[utoipa::path(get, path = "/operators", tag = "operators", params(OperatorQuery),
    responses((status = 200, body = Page<Operator>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<OperatorQuery>,
) -> Result<Json<Page<Operator>>, Failure> {
    page(&app, KIND, None, query.after.as_deref(), query.limit, view).await.map(Json)
}

/// Makes an operator of the console
#[utoipa::path(post, path = "/operators", tag = "operators", request_body = NewOperator,
    responses((status = 201, body = Operator), Failures))]
pub(crate) async fn create(
    State(app): State<App>,
    Body(new): Body<NewOperator>,
) -> Result<Response, Failure> {
    let made_up = new.password.is_none().then(|| made_up(&app));
    let password = new.password.map(|it| it.0).or_else(|| made_up.clone()).unwrap_or_default();
    let (role, operator) = (new.role.into(), Caller::operator());
    let made = app.service.create_operator(&operator, &new.name, role, &password).await?;
    accept(made, &new.name)?;
    let made = found(&app, KIND, &new.name).await?;
    let made = view(made).ok_or_else(|| Failure::no_such(KIND.as_str(), &new.name))?;
    let path = format!("operators/{}", made.name);
    Ok(created(&path, Operator { password: made_up, ..made }))
}

/// Changes an operator of the console
#[utoipa::path(patch, path = "/operators/{operator}", tag = "operators",
    params(("operator" = String, Path)), request_body = OperatorPatch,
    responses((status = 200, body = Operator), Failures))]
pub(crate) async fn change(
    State(app): State<App>,
    Path(name): Path<String>,
    Body(new): Body<OperatorPatch>,
) -> Result<Json<Option<Operator>>, Failure> {
    let (role, password) =
        (new.role.map(Into::into), new.password.as_ref().map(|it| it.0.as_str()));
    let changed = app.service.change_operator(&Caller::operator(), &name, role, password).await?;
    accept(changed, &name)?;
    found(&app, KIND, &name).await.map(|it| Json(view(it)))
}

/// Gives an operator of the console a new password and shows it once
///
/// All its logins end.
#[utoipa::path(post, path = "/operators/{operator}/reset-password", tag = "operators",
    params(("operator" = String, Path)), responses((status = 200, body = Operator), Failures))]
pub(crate) async fn reset_password(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Operator>, Failure> {
    let password = made_up(&app);
    let operator = Caller::operator();
    let changed = app.service.change_operator(&operator, &name, None, Some(&password)).await?;
    accept(changed, &name)?;
    let changed = view(found(&app, KIND, &name).await?);
    let changed = changed.ok_or_else(|| Failure::no_such(KIND.as_str(), &name))?;
    Ok(Json(Operator { password: Some(password), ..changed }))
}

/// 128 random bits; what follows them meets the rule's four kinds of characters.
fn made_up(app: &App) -> String {
    format!("{}-Aa1", hex::encode(app.service.entropy().bytes::<16>()))
}

/// Removes an operator of the console, whose logins end
#[utoipa::path(delete, path = "/operators/{operator}", tag = "operators",
    params(("operator" = String, Path)), responses((status = 204), Failures))]
pub(crate) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    remove_part(&app, KIND, &name).await
}

fn accept(outcome: OperatorChange, name: &str) -> Result<(), Failure> {
    match outcome {
        OperatorChange::Done => Ok(()),
        OperatorChange::BadName => {
            let rule = "must be 2 to 32 small letters, digits, - or _";
            Err(Failure::invalid("name", rule))
        }
        OperatorChange::PasswordTooWeak => {
            let rule = "must have 8 to 64 characters, among them a capital and a small letter, a digit \
                        and a special character";
            Err(Failure::invalid("password", rule))
        }
        OperatorChange::Taken => {
            Err(Failure::Conflict(format!("There is an operator {name} already.")))
        }
        OperatorChange::Unknown => Err(Failure::no_such(KIND.as_str(), name)),
    }
}

fn view(entity: Entity) -> Option<Operator> {
    entity.into_operator().map(Operator::from)
}

impl From<domain::Operator> for Operator {
    fn from(it: domain::Operator) -> Self {
        Self {
            name: it.name,
            role: it.role.into(),
            changed_at: it.changed_at.into(),
            created_at: it.created_at.into(),
            password: None,
        }
    }
}

impl From<Role> for OperatorRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Operator => Self::Operator,
            Role::Auditor => Self::Auditor,
        }
    }
}

impl From<OperatorRole> for Role {
    fn from(role: OperatorRole) -> Self {
        match role {
            OperatorRole::Operator => Self::Operator,
            OperatorRole::Auditor => Self::Auditor,
        }
    }
}

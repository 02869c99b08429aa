//! `/admin/v1/names`: display names that wait for a verdict, and the verdict.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use registration::{Claim, NameFault, NumberRecord, TextId as _, VerifiedName, WabaId};
use serde::{Deserialize, Serialize};
use service::Caller;
use service::execute::Committed;
use service::numbering::international_format;
use service::ports::NumberQuery;
use utoipa::{IntoParams, ToSchema};

use super::failure::{Failure, Failures};
use super::input::{Body, InPath, Query};
use super::numbers::{NumberAnswer, known, outcome};
use super::wire::{At, Id, Limit, Name, Number, Page};
use crate::state::App;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NamesQuery {
    /// Only numbers behind this one.
    #[param(value_type = Option<String>)]
    after: Option<Number>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// A number with display names that wait for a verdict.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NumberNames {
    /// E.164.
    #[schema(example = "+4915112345667")]
    number: String,
    /// In groups, as people read it.
    international: String,
    /// Oldest claim first.
    names: Vec<WaitingName>,
}

/// A display name that waits.
#[derive(Debug, Serialize, ToSchema)]
struct WaitingName {
    waba: String,
    /// The claim: the phone-number id of Graph.
    claim: String,
    name: String,
    /// The name that it shall replace; `null` where the number has none yet.
    in_force: Option<String>,
    asked_at: At,
}

/// Whose name is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveName {
    /// Whose claim; may be absent where one name waits or there is one claim.
    #[schema(value_type = Option<String>)]
    waba: Option<Id<WabaId>>,
    /// The name that was looked at: 409 if another was asked for meanwhile. Whichever it is, if absent.
    #[schema(value_type = Option<String>)]
    name: Option<Name>,
}

/// Whose name is meant, and what is wrong with it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclineName {
    /// Whose claim; may be absent where one name waits or there is one claim.
    #[schema(value_type = Option<String>)]
    waba: Option<Id<WabaId>>,
    /// The name that was looked at: 409 if another was asked for meanwhile. Whichever it is, if absent.
    #[schema(value_type = Option<String>)]
    name: Option<Name>,
    /// What is told to the caller; `unknown` if absent.
    why: Option<Fault>,
}

/// What is wrong with a display name.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// It is that of an employee.
    Employee,
    /// It has nothing to do with the business.
    Unrelated,
    /// It has a form that names do not have.
    Format,
    /// It is that of a person.
    Individual,
    /// The business is called otherwise elsewhere.
    Inconsistent,
    /// None of these.
    Unknown,
}

/// Lists numbers whose display names wait for a verdict
#[utoipa::path(get, path = "/names", tag = "names", params(NamesQuery),
    responses((status = 200, body = Page<NumberNames>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<NamesQuery>,
) -> Result<Json<Page<NumberNames>>, Failure> {
    let wanted = NumberQuery {
        name_waits: true,
        after: query.after.map(|number| number.0),
        limit: query.limit.and_one(),
        ..NumberQuery::default()
    };
    let records = app.service.numbers(&wanted).await?;
    Ok(Json(Page::cut(
        records,
        query.limit,
        |record| record.number.to_string(),
        |record| NumberNames::of(&record),
    )))
}

/// Approves a display name
///
/// It is the one that the claim waits for, else the one it has. A registered number shows a new name after
/// it was registered again while the certificate of the name is good.
#[utoipa::path(post, path = "/numbers/{number}/name/approve", tag = "names",
    params(("number" = String, Path)), request_body = ApproveName,
    responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn approve(
    State(app): State<App>,
    InPath(number): InPath,
    Body(order): Body<ApproveName>,
) -> Result<Response, Failure> {
    let record = known(&app, number).await?;
    let waba = meant(&record, order.waba)?;
    let (caller, looked_at) = (Caller::operator(), order.name.map(|name| name.0));
    let noted = app.service.approve_name(&caller, &waba, number, looked_at.clone()).await?;
    answer(&app, &noted, &waba, looked_at).await
}

/// Declines a display name
///
/// A number is not registered under a declined name; one that is registered keeps the name it has.
#[utoipa::path(post, path = "/numbers/{number}/name/decline", tag = "names",
    params(("number" = String, Path)), request_body = DeclineName,
    responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn decline(
    State(app): State<App>,
    InPath(number): InPath,
    Body(order): Body<DeclineName>,
) -> Result<Response, Failure> {
    let record = known(&app, number).await?;
    let waba = meant(&record, order.waba)?;
    let why = order.why.unwrap_or(Fault::Unknown).into();
    let (caller, looked_at) = (Caller::operator(), order.name.map(|name| name.0));
    let noted = app.service.decline_name(&caller, &waba, number, looked_at.clone(), why).await?;
    answer(&app, &noted, &waba, looked_at).await
}

/// The number after a verdict, if the verdict was about the name that is asked for.
async fn answer(
    app: &App,
    noted: &Committed,
    waba: &WabaId,
    looked_at: Option<VerifiedName>,
) -> Result<Response, Failure> {
    let asked_for = noted.record.claim_of(waba).map(Claim::name_asked_for);
    if looked_at.is_some() && looked_at.as_ref() != asked_for {
        return Err(Failure::Conflict("Another name was asked for meanwhile.".to_owned()));
    }
    outcome(app, noted).await
}

/// The claim that an order is about.
fn meant(record: &NumberRecord, waba: Option<Id<WabaId>>) -> Result<WabaId, Failure> {
    if let Some(Id(waba)) = waba {
        return match record.claim_of(&waba) {
            Some(_) => Ok(waba),
            None => Err(Failure::invalid("waba", format!("WABA {waba} does not claim the number"))),
        };
    }
    let waiting: Vec<_> = record.claims.iter().filter(|claim| claim.name_waits()).collect();
    match (waiting.as_slice(), record.claims.as_slice()) {
        ([only], _) => Ok(only.waba.clone()),
        ([], [only]) => Ok(only.waba.clone()),
        (_, claims) => {
            let wabas: Vec<_> = claims.iter().map(|claim| claim.waba.as_str()).collect();
            Err(Failure::invalid("waba", format!("name one of {}", wabas.join(", "))))
        }
    }
}

impl NumberNames {
    fn of(record: &NumberRecord) -> Self {
        let waiting = record.claims.iter().filter(|claim| claim.name_waits());
        Self {
            number: record.number.to_string(),
            international: international_format(record.number),
            names: waiting.map(WaitingName::of).collect(),
        }
    }
}

impl WaitingName {
    fn of(claim: &Claim) -> Self {
        let new = claim.new_name.as_ref();
        Self {
            waba: claim.waba.as_str().to_owned(),
            claim: claim.id.as_str().to_owned(),
            name: claim.name_asked_for().as_str().to_owned(),
            in_force: new.map(|_| claim.name.as_str().to_owned()),
            asked_at: new.map_or(claim.added_at, |new| new.asked_at).into(),
        }
    }
}

impl From<Fault> for NameFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Employee => Self::Employee,
            Fault::Unrelated => Self::Unrelated,
            Fault::Format => Self::Format,
            Fault::Individual => Self::Individual,
            Fault::Inconsistent => Self::Inconsistent,
            Fault::Unknown => Self::Unknown,
        }
    }
}

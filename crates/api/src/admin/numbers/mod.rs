//! `/admin/v1/numbers`: what the dialects do with a number, for the operator.

mod orders;
mod reset;
mod view;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use registration::{
    Accepted, AccountId, ClientId, Locale, NumberRecord, PhoneNumber, TextId, WabaId,
};
use serde::Deserialize;
use service::Caller;
use service::execute::Committed;
use service::numbering;
use service::numbers::{ClaimName, CodeAnswer, CodeOrder};
use service::ports::{NumberKey, NumberQuery};
use utoipa::IntoParams;

use super::failure::{Failure, Failures};
use super::input::{Body, InPath, Query};
use super::wire::{Flag, Id, Limit, Number, Page, Prefix};
use crate::state::App;
use orders::{NewNumber, NewPin, Party, RegisterRequest, RequestCode, VerifyCode};
pub(crate) use reset::*;
pub(crate) use view::NumberAnswer;
use view::{NumberDetails, NumberSummary};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct NumbersQuery {
    /// Only numbers that this WABA claims.
    #[param(value_type = Option<String>)]
    waba: Option<Id<WabaId>>,
    /// Only numbers that a WABA of this account claims.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only the number that this client runs.
    #[param(value_type = Option<String>)]
    client: Option<Id<ClientId>>,
    /// Only numbers that begin with these digits.
    #[param(value_type = Option<String>, example = "49151")]
    prefix: Option<Prefix>,
    /// Only numbers that are (or are not) registered.
    #[param(value_type = Option<bool>)]
    registered: Option<Flag>,
    /// Only numbers behind this one.
    #[param(value_type = Option<String>)]
    after: Option<Number>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists numbers
#[utoipa::path(get, path = "/numbers", tag = "numbers", params(NumbersQuery),
    responses((status = 200, body = Page<NumberSummary>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<NumbersQuery>,
) -> Result<Json<Page<NumberSummary>>, Failure> {
    let limit = query.limit;
    let records = records(&app, query).await?;
    let (now, limits) = (app.service.now(), app.service.limits());
    let view = |record| NumberSummary::new(&record, now, &limits);
    Ok(Json(Page::cut(records, limit, |record| record.number.to_string(), view)))
}

/// Claims a number for a WABA; a number it claims already takes the new name
#[utoipa::path(post, path = "/numbers", tag = "numbers", request_body = NewNumber,
    responses((status = 201, body = NumberDetails), Failures))]
pub(crate) async fn add(
    State(app): State<App>,
    Body(new): Body<NewNumber>,
) -> Result<Response, Failure> {
    let number = new.number.0.number;
    let party = Party::find(&app, Some(new.waba), None).await?;
    let name = ClaimName { name: new.name.0, certificate_serial: None, is_vouched_for: true };
    let caller = Caller::operator();
    let done = app.service.add_number(&caller, &party.waba, number, &name).await?;
    let path = format!("numbers/{number}");
    Ok(super::directory::created(&path, details(&app, &done.record).await?))
}

/// Shows a number: claims, registration, what is left of its budgets and when each opens
#[utoipa::path(get, path = "/numbers/{number}", tag = "numbers", params(("number" = String, Path)),
    responses((status = 200, body = NumberDetails), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    InPath(number): InPath,
) -> Result<Json<NumberDetails>, Failure> {
    let record = known(&app, number).await?;
    details(&app, &record).await.map(Json)
}

/// Sends a code; registers at once where an On-Premises client needs none
#[utoipa::path(post, path = "/numbers/{number}/request-code", tag = "numbers",
    params(("number" = String, Path)), request_body = RequestCode,
    responses((status = 202, description = "A code is on its way", body = NumberAnswer),
        (status = 200, description = "No code was needed", body = NumberAnswer), Failures))]
pub(crate) async fn request_code(
    State(app): State<App>,
    InPath(number): InPath,
    Body(asked): Body<RequestCode>,
) -> Result<Response, Failure> {
    let planned = numbering::plan_e164(&number.digits())
        .map_err(|fault| Failure::invalid("number", fault.to_string()))?;
    let party = Party::find(&app, asked.waba, asked.client).await?;
    party.coreapp_up(&app).await?;
    let name = asked.name.map(|name| ClaimName {
        name: name.0,
        certificate_serial: None,
        is_vouched_for: true,
    });
    let order = CodeOrder {
        payer: party.account,
        waba: party.waba,
        client: party.client.map(|client| client.id),
        planned,
        method: asked.method.into(),
        locale: asked.locale.map_or_else(Locale::english, |locale| locale.0),
        pin: orders::pin(asked.pin),
        claim: name,
        only_unproven: false,
    };
    let done = app.service.request_code(&Caller::operator(), &order).await?;
    outcome(&app, &done).await
}

/// Confirms a code, and registers in the same step unless told not to
#[utoipa::path(post, path = "/numbers/{number}/verify-code", tag = "numbers",
    params(("number" = String, Path)), request_body = VerifyCode,
    responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn verify_code(
    State(app): State<App>,
    InPath(number): InPath,
    Body(asked): Body<VerifyCode>,
) -> Result<Response, Failure> {
    let party = Party::find(&app, asked.waba, asked.client).await?;
    party.coreapp_up(&app).await?;
    let order = party.register_order(asked.pin, asked.set_pin);
    let answer = CodeAnswer {
        waba: party.waba,
        number,
        code: Some(asked.code.0),
        register: asked.register.unwrap_or(true).then_some(order),
    };
    let done = app.service.verify_code(&Caller::operator(), &answer).await?;
    outcome(&app, &done).await
}

/// Registers a number whose code was confirmed before
#[utoipa::path(post, path = "/numbers/{number}/register", tag = "numbers",
    params(("number" = String, Path)), request_body = RegisterRequest,
    responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn register(
    State(app): State<App>,
    InPath(number): InPath,
    Body(asked): Body<RegisterRequest>,
) -> Result<Response, Failure> {
    let party = Party::find(&app, asked.waba, asked.client).await?;
    party.coreapp_up(&app).await?;
    let order = party.register_order(asked.pin, asked.set_pin);
    let done = app.service.register(&Caller::operator(), &party.waba, number, &order).await?;
    outcome(&app, &done).await
}

/// Ends a number's registration, whoever holds it
#[utoipa::path(post, path = "/numbers/{number}/deregister", tag = "numbers",
    params(("number" = String, Path)), responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn deregister(
    State(app): State<App>,
    InPath(number): InPath,
) -> Result<Response, Failure> {
    known(&app, number).await?;
    let done = app.service.deregister(&Caller::operator(), None, number).await?;
    outcome(&app, &done).await
}

/// Lifts the lock that too many wrong guesses set
#[utoipa::path(post, path = "/numbers/{number}/unlock", tag = "numbers",
    params(("number" = String, Path)), responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn unlock(
    State(app): State<App>,
    InPath(number): InPath,
) -> Result<Response, Failure> {
    known(&app, number).await?;
    let done = app.service.unlock(&Caller::operator(), number).await?;
    outcome(&app, &done).await
}

/// Switches two-step verification on, or changes its PIN
#[utoipa::path(put, path = "/numbers/{number}/two-step", tag = "numbers",
    params(("number" = String, Path)), request_body = NewPin,
    responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn set_two_step(
    State(app): State<App>,
    InPath(number): InPath,
    Body(new): Body<NewPin>,
) -> Result<Response, Failure> {
    known(&app, number).await?;
    let done = app.service.set_two_step(&Caller::operator(), number, None, &new.pin.0).await?;
    outcome(&app, &done).await
}

/// Switches two-step verification off
#[utoipa::path(delete, path = "/numbers/{number}/two-step", tag = "numbers",
    params(("number" = String, Path)), responses((status = 200, body = NumberAnswer), Failures))]
pub(crate) async fn clear_two_step(
    State(app): State<App>,
    InPath(number): InPath,
) -> Result<Response, Failure> {
    known(&app, number).await?;
    let done = app.service.clear_two_step(&Caller::operator(), number, None).await?;
    outcome(&app, &done).await
}

/// The records that a query asks for, one more than its page holds.
async fn records(app: &App, query: NumbersQuery) -> Result<Vec<NumberRecord>, Failure> {
    let mut wabas = match &query.account {
        Some(account) => Some(app.service.wabas_of_account(&account.0).await?),
        None => None,
    };
    if let Some(Id(waba)) = query.waba {
        let of_account = wabas.as_ref().is_none_or(|wabas| wabas.contains(&waba));
        wabas = Some(if of_account { vec![waba] } else { Vec::new() });
    }
    let mut wanted = NumberQuery {
        wabas,
        prefix: query.prefix.map(|prefix| prefix.0),
        registered: query.registered.map(|flag| flag.0),
        name_waits: false,
        after: query.after.map(|number| number.0),
        limit: query.limit.and_one(),
    };
    if let Some(Id(client)) = query.client {
        // A client runs one number at most; the other conditions are asked of that one.
        let held = app.service.find_number(&NumberKey::HeldBy(client)).await?;
        let Some(held) = held.filter(|held| wanted.after.is_none_or(|after| *held > after)) else {
            return Ok(Vec::new());
        };
        let digits = held.digits();
        if wanted.prefix.is_some_and(|prefix| !digits.starts_with(&prefix)) {
            return Ok(Vec::new());
        }
        wanted.prefix = Some(digits);
        let found = app.service.numbers(&wanted).await?;
        return Ok(found.into_iter().filter(|record| record.number == held).collect());
    }
    Ok(app.service.numbers(&wanted).await?)
}

/// The record of a number that somebody has named before, or 404.
pub(super) async fn known(app: &App, number: PhoneNumber) -> Result<NumberRecord, Failure> {
    let found = app.service.number(number).await?;
    found.ok_or_else(|| Failure::no_such("number", number))
}

/// The record with the accounts of its claims.
async fn details(app: &App, record: &NumberRecord) -> Result<NumberDetails, Failure> {
    let mut accounts = Vec::with_capacity(record.claims.len());
    for claim in &record.claims {
        let key = service::directory::EntityRef::waba(&claim.waba);
        let waba = app.service.entity(&key).await?.and_then(|it| it.value.into_waba());
        accounts.push(waba.map_or_else(String::new, |waba| waba.account.as_str().to_owned()));
    }
    let upstream = app.service.upstream_of(record).await?.into_iter().map(Into::into).collect();
    let (now, limits) = (app.service.now(), app.service.limits());
    Ok(NumberDetails::new(record, &accounts, upstream, now, &limits))
}

/// What was decided, and the number as it is now.
pub(super) async fn outcome(app: &App, done: &Committed) -> Result<Response, Failure> {
    let status = match done.accepted {
        Accepted::CodeSent(_) => StatusCode::ACCEPTED,
        Accepted::NumberAdded(_)
        | Accepted::Verified(_)
        | Accepted::Registered(_)
        | Accepted::AlreadyRegistered(_)
        | Accepted::Restored(_)
        | Accepted::Deregistered
        | Accepted::Done => StatusCode::OK,
    };
    let number = details(app, &done.record).await?;
    Ok((status, Json(NumberAnswer::new(&done.accepted, number))).into_response())
}

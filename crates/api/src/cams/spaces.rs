//! Operations on spaces and WABAs (§8), and the space that every operation on a number names.

use registration::{NumberRecord, PhoneNumber, Refusal, TextId as _, WabaId};
use serde_json::{Value, json};
use service::binding::Bound;
use service::directory::{Entity, EntityKind, EntityRef, Space, Waba};
use service::ports::{NumberQuery, Subject};
use service::turns_of_others::let_others;

use super::call::Call;
use super::failure::Failure;
use super::numbers;
use super::permission;
use super::reply::Body;
use super::webhooks;

/// Parts of the directory, or numbers, read at once.
const PAGE: usize = 500;

/// The WABAs of the space called `CustSpaceId`, else of the caller's oldest one (§2.1), in order of their
/// ids. `operation` says in the audit trail what a refusal was about.
pub(super) async fn wabas(call: &Call, operation: &str) -> Result<Vec<WabaId>, Failure> {
    let space = space(call, operation).await?;
    Ok(wabas_of(call, &space).await?.into_iter().map(|waba| waba.id).collect())
}

/// The space called `CustSpaceId`, else the caller's oldest one.
pub(super) async fn space(call: &Call, operation: &str) -> Result<Space, Failure> {
    let space = match call.parameters.filled("CustSpaceId") {
        Some(id) => own_space(call, id).await?,
        None => oldest_space(call).await?,
    };
    if let Some(space) = space {
        return Ok(space);
    }
    let subject = Subject::Entity(EntityRef::account(call.account()));
    Err(call.refuse(subject, operation, Refusal::ForeignSpace).await)
}

/// The WABAs of a space, in order of their ids.
pub(super) async fn wabas_of(call: &Call, space: &Space) -> Result<Vec<Waba>, Failure> {
    let below = all_below(call, EntityKind::Waba, &EntityRef::space(&space.id)).await?;
    Ok(below.into_iter().filter_map(Entity::into_waba).collect())
}

/// `ChatappBindWaba`: the WABA's space, made if it is new.
pub(super) async fn bind_waba(call: &Call) -> Result<Body, Failure> {
    let waba = WabaId::parse(call.text("WabaId")).ok_or_else(|| Failure::invalid("WabaId"))?;
    if let Some(bound) = own_waba(call, &waba).await? {
        permission::check_space(call, "ChatappBindWaba", &bound.space).await?;
    }
    let bound = call.app.service.bind_waba(&call.caller(), call.account(), &waba).await;
    match bound.map_err(|error| call.failure(error))? {
        Bound::To(space) => {
            let data = json!({ "CustSpaceId": space.as_str(), "WabaId": waba.as_str() });
            Ok(body(json!({ "Data": data })))
        }
        Bound::Foreign => {
            let subject = Subject::Entity(EntityRef::account(call.account()));
            Err(call.refuse(subject, "bind_waba", Refusal::ForeignSpace).await)
        }
    }
}

/// `ChatappSyncPhoneNumber`, `QueryChatappPhoneNumbers`: the numbers of a space, those with this status if
/// one is asked for. An unknown status is no number's.
pub(super) async fn phone_numbers(call: &Call, status: Option<&str>) -> Result<Body, Failure> {
    let wabas = wabas(call, "phone_numbers").await?;
    let records = records_of(call, &wabas).await?;
    let mut shown = Vec::new();
    for (step, record) in records.iter().enumerate() {
        let_others(step).await;
        for claim in record.claims.iter().filter(|claim| wabas.contains(&claim.waba)) {
            let mut number = numbers::show(call, record, claim);
            if status.is_none_or(|status| number["Status"] == status) {
                webhooks::add_urls(call, claim, &mut number).await?;
                shown.push(number);
            }
        }
    }
    Ok(body(json!({ "PhoneNumbers": shown })))
}

async fn records_of(call: &Call, wabas: &[WabaId]) -> Result<Vec<NumberRecord>, Failure> {
    let (mut records, mut after): (Vec<NumberRecord>, Option<PhoneNumber>) = (Vec::new(), None);
    if wabas.is_empty() {
        return Ok(records);
    }
    loop {
        let wabas = Some(wabas.to_vec());
        let query = NumberQuery { wabas, after, limit: PAGE, ..NumberQuery::default() };
        let page = call.app.service.numbers(&query).await.map_err(|error| call.failure(error))?;
        after = page.last().map(|record| record.number);
        let is_last = page.len() < PAGE;
        records.extend(page);
        if is_last {
            return Ok(records);
        }
    }
}

/// A WABA of the caller's account.
pub(super) async fn own_waba(call: &Call, id: &WabaId) -> Result<Option<Waba>, Failure> {
    let found = call.app.service.entity(&EntityRef::waba(id)).await;
    let found = found.map_err(|error| call.failure(error))?;
    let waba = found.and_then(|found| found.value.into_waba());
    Ok(waba.filter(|waba| waba.account == *call.account()))
}

async fn own_space(call: &Call, id: &str) -> Result<Option<Space>, Failure> {
    let key = EntityRef::new(EntityKind::Space, id);
    let found = call.app.service.entity(&key).await.map_err(|error| call.failure(error))?;
    let space = found.and_then(|found| found.value.into_space());
    Ok(space.filter(|space| space.account == *call.account()))
}

/// The space that is meant where none is named (§2.1).
pub(super) async fn oldest_space(call: &Call) -> Result<Option<Space>, Failure> {
    let spaces = all_below(call, EntityKind::Space, &EntityRef::account(call.account())).await?;
    let spaces = spaces.into_iter().filter_map(Entity::into_space);
    Ok(spaces.min_by_key(|space| space.created_at))
}

async fn all_below(
    call: &Call,
    kind: EntityKind,
    parent: &EntityRef,
) -> Result<Vec<Entity>, Failure> {
    let found = call.app.service.entities_below(kind, parent).await;
    found.map_err(|error| call.failure(error))
}

/// The members of an object.
pub(super) fn body(members: Value) -> Body {
    if let Value::Object(members) = members { members } else { Body::new() }
}

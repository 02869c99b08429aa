//! Moving a number here from wherever it is registered (§8): start, code, confirmation, registration.

use registration::{Accepted, TextId as _, VerifiedName};
use serde_json::{Value, json};
use service::execute::Committed;
use service::numbering;
use service::numbers::ClaimName;

use super::call::Call;
use super::codes;
use super::failure::Failure;
use super::numbers::{self, explained};
use super::reply::Body;
use super::spaces::{self, body};

/// `CreateChatappMigrationInitiate`. The answer is the same whoever holds the number, for nothing is
/// proven yet. Its display name arrives with the number; until then it goes by the name of the WABA.
pub(super) async fn start(call: &Call) -> Result<Body, Failure> {
    let space = spaces::space(call, "start_migration").await?;
    let planned = numbering::plan(call.text("CountryCode"), call.text("MobileNumber"))
        .map_err(|fault| explained(codes::PHONE_NUMBER, &fault))?;
    let wabas = spaces::wabas_of(call, &space).await?;
    let record = numbers::record(call, &planned).await?;
    let ids: Vec<_> = wabas.iter().map(|waba| waba.id.clone()).collect();
    let claimed = numbers::claim_in(&record, &ids);
    let waba = claimed.and_then(|claim| wabas.iter().find(|waba| waba.id == claim.waba));
    let waba = waba.or(wabas.first()).ok_or(codes::NO_WABA)?;
    let name = VerifiedName::parse(&waba.name)
        .or_else(|_| VerifiedName::parse(waba.id.as_str()))
        .map_err(|_| Failure::from(codes::INTERNAL))?;
    let name = ClaimName { name, certificate_serial: None, is_vouched_for: false };
    let (service, caller) = (&call.app.service, call.caller());
    let done = service.start_migration(&caller, &waba.id, planned.number, &name).await;
    let mut data = named(&done.map_err(|error| call.failure(error))?);
    data["Status"] = json!("MIGRATING");
    Ok(body(json!({ "Data": data })))
}

/// `GetMigrationVerifyCode`.
pub(super) async fn request_code(call: &Call) -> Result<Body, Failure> {
    let order = numbers::code_order(call, "request_code").await?;
    let sent = call.app.service.request_migration_code(&call.caller(), &order).await;
    let sent = sent.map_err(|error| call.failure(error))?;
    Ok(body(json!({ "Data": named(&sent) })))
}

/// `ChatappMigrationVerified`: the number stays where it is until it is registered here.
pub(super) async fn confirm(call: &Call) -> Result<Body, Failure> {
    let answer = numbers::code_answer(call).await?;
    let done = call.app.service.confirm_migration(&call.caller(), &answer).await;
    let done = done.map_err(|error| call.failure(error))?;
    Ok(body(json!({ "Data": named(&done) })))
}

/// `ChatappMigrationRegister`.
pub(super) async fn register(call: &Call) -> Result<Body, Failure> {
    let (record, claim) = numbers::own_claim(call, "register").await?;
    let (service, caller) = (&call.app.service, call.caller());
    let order = numbers::registration();
    let done = service.register_migrated(&caller, &claim.waba, record.number, &order).await;
    done.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// The claim that a step was about.
fn named(done: &Committed) -> Value {
    let id = match &done.accepted {
        Accepted::NumberAdded(id)
        | Accepted::CodeSent(id)
        | Accepted::Verified(id)
        | Accepted::Registered(id)
        | Accepted::AlreadyRegistered(id)
        | Accepted::Restored(id) => id.as_str(),
        Accepted::Deregistered | Accepted::Done => "",
    };
    json!({ "Id": id, "PhoneNumber": done.record.number.digits() })
}

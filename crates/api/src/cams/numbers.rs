//! Operations on one number: add, request a code, confirm, register, give up (§2, §8).

use registration::{
    Claim, CodeMethod, NameReview, NumberRecord, Platform, Refusal, TextId as _, VerificationCode,
    VerifiedName, WabaId,
};
use serde_json::{Value, json};
use service::numbering::{self, Planned};
use service::numbers::{ClaimName, CodeAnswer, CodeOrder, PinInput, RegisterOrder};
use service::ports::Subject;

use super::call::Call;
use super::codes;
use super::failure::Failure;
use super::locales;
use super::reply::Body;
use super::spaces::{self, body};

/// `AddChatappPhoneNumber`: the national number and its country code, claimed for the space.
pub(super) async fn add(call: &Call) -> Result<Body, Failure> {
    let wabas = spaces::wabas(call, "add_number").await?;
    let planned = numbering::plan(call.text("Cc"), call.text("PhoneNumber"))
        .map_err(|fault| explained(codes::PHONE_NUMBER, &fault))?;
    let name = VerifiedName::parse(call.text("VerifiedName"))
        .map_err(|_| Failure::invalid("VerifiedName"))?;
    let name = ClaimName { name, certificate_serial: None, is_vouched_for: false };
    let record = record(call, &planned).await?;
    let claimed = claim_in(&record, &wabas).map(|claim| claim.waba.clone());
    let waba = claimed.or_else(|| wabas.first().cloned()).ok_or(codes::NO_WABA)?;
    let added = call.app.service.add_number(&call.caller(), &waba, planned.number, &name).await;
    added.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// `GetPhoneNumberVerificationStatus`.
pub(super) async fn verification_status(call: &Call) -> Result<Body, Failure> {
    let (record, claim) = own_claim(call, "verification_status").await?;
    let data = json!({
        "CodeVerificationStatus": verification(call, &record, &claim),
        "Id": claim.id.as_str(),
        "PhoneNumber": record.number.digits(),
    });
    Ok(body(json!({ "Data": data })))
}

/// `GetChatappVerifyCode`: sends a code by SMS or voice.
pub(super) async fn request_code(call: &Call) -> Result<Body, Failure> {
    let order = code_order(call, "request_code").await?;
    let sent = call.app.service.request_code(&call.caller(), &order).await;
    sent.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// `ChatappVerifyAndRegister`: confirms the code and registers in the same step.
pub(super) async fn verify_and_register(call: &Call) -> Result<Body, Failure> {
    let answer = CodeAnswer { register: Some(registration()), ..code_answer(call).await? };
    let done = call.app.service.verify_code(&call.caller(), &answer).await;
    done.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// `ChatappPhoneNumberRegister`: registers a verified number; one that is registered stays so.
pub(super) async fn register(call: &Call) -> Result<Body, Failure> {
    let wabas = spaces::wabas(call, "register").await?;
    let planned = planned(call)?;
    let waba = waba_of(call, &wabas, &planned, "register").await?;
    let (service, caller) = (&call.app.service, call.caller());
    let done = service.register(&caller, &waba, planned.number, &registration()).await;
    done.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// `ChatappPhoneNumberDeregister`.
pub(super) async fn deregister(call: &Call) -> Result<Body, Failure> {
    let wabas = spaces::wabas(call, "deregister").await?;
    let planned = planned(call)?;
    let waba = waba_of(call, &wabas, &planned, "deregister").await?;
    let (service, caller) = (&call.app.service, call.caller());
    let done = service.deregister(&caller, Some(&waba), planned.number).await;
    done.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// A number as a space sees it (`PhoneNumbers[]`). Quality and limits belong to the platform: what stands there is what a number begins with (§8.1).
pub(super) fn show(call: &Call, record: &NumberRecord, claim: &Claim) -> Value {
    let verification = verification(call, record, claim);
    json!({
        "PhoneNumber": record.number.digits(),
        "VerifiedName": claim.name.as_str(),
        "NameStatus": name_status(claim.name_review),
        "CodeVerificationStatus": verification,
        "Status": status(record, claim, verification),
        "QualityRating": "UNKNOWN",
        "MessagingLimitTier": "TIER_250",
        "IsOfficial": "N",
        "NewNameStatus": claim.new_name.as_ref().map(|new| name_status(new.review)),
        // There are neither queues nor calls here.
        "StatusQueue": "",
        "UpQueue": "",
        "CallingConfigure": null,
    })
}

/// What was found about a display name (§8.1).
fn name_status(review: NameReview) -> &'static str {
    match review {
        NameReview::Pending => "Pending_Review",
        NameReview::Approved { .. } => "Approval",
        NameReview::Declined { .. } => "Rejected",
    }
}

/// Where a number stands for those who claim it (§8.1).
fn status(record: &NumberRecord, claim: &Claim, verification: &str) -> &'static str {
    let history = &claim.history;
    match &record.registration {
        Some(held) if held.claim == claim.id => "CONNECTED",
        _ if history.migrating_since.is_some() => "MIGRATING",
        _ if verification == VERIFIED => "PENDING",
        // Registered here once, and elsewhere since.
        Some(_) if history.registered_at.is_some() => "MIGRATED",
        None if history.registered_at.is_some() => "DISCONNECTED",
        Some(_) | None => "UNVERIFIED",
    }
}

const VERIFIED: &str = "VERIFIED";

fn verification(call: &Call, record: &NumberRecord, claim: &Claim) -> &'static str {
    let service = &call.app.service;
    let proven = record.verified_since(claim, service.now(), &service.limits()).is_some();
    if proven || is_registered(record, claim) { VERIFIED } else { "NOT_VERIFIED" }
}

pub(super) fn is_registered(record: &NumberRecord, claim: &Claim) -> bool {
    record.registration.as_ref().is_some_and(|held| held.claim == claim.id)
}

/// This dialect registers on the hosted platform and has no place for a PIN.
pub(super) fn registration() -> RegisterOrder {
    RegisterOrder { platform: Platform::CloudApi, pin: PinInput::NotAsked, set_pin: None }
}

/// `PhoneNumber`: country code and number in one, digits only.
pub(super) fn planned(call: &Call) -> Result<Planned, Failure> {
    let text = call.text("PhoneNumber");
    if text.starts_with('+') {
        return Err(codes::PHONE_NUMBER.into());
    }
    numbering::plan_e164(text).map_err(|fault| explained(codes::PHONE_NUMBER, &fault))
}

pub(super) fn explained(
    words: crate::refusals::CamsWords,
    fault: &dyn core::fmt::Display,
) -> Failure {
    Failure::from(words).with_message(format!("{} {fault}.", words.message))
}

pub(super) async fn record(call: &Call, planned: &Planned) -> Result<NumberRecord, Failure> {
    let found = call.app.service.number(planned.number).await;
    let found = found.map_err(|error| call.failure(error))?;
    Ok(found.unwrap_or_else(|| NumberRecord::absent(planned.number)))
}

/// The claim on a number by one of these WABAs; the one that holds the registration, if one does.
pub(super) fn claim_in<'r>(record: &'r NumberRecord, wabas: &[WabaId]) -> Option<&'r Claim> {
    let ours = || record.claims.iter().filter(|claim| wabas.contains(&claim.waba));
    ours().find(|claim| is_registered(record, claim)).or_else(|| ours().next())
}

/// The number that `PhoneNumber` names, and the claim on it by the space that `CustSpaceId` names.
pub(super) async fn own_claim(
    call: &Call,
    operation: &str,
) -> Result<(NumberRecord, Claim), Failure> {
    let wabas = spaces::wabas(call, operation).await?;
    let planned = planned(call)?;
    let record = record(call, &planned).await?;
    match claim_in(&record, &wabas).cloned() {
        Some(claim) => Ok((record, claim)),
        None => Err(not_claimed(call, &planned, operation).await),
    }
}

/// What a request for a code asks for.
pub(super) async fn code_order(call: &Call, operation: &str) -> Result<CodeOrder, Failure> {
    let wabas = spaces::wabas(call, operation).await?;
    let planned = planned(call)?;
    // Documented in both cases.
    let method = match call.text("Method").to_ascii_lowercase().as_str() {
        "sms" => CodeMethod::Sms,
        "voice" => CodeMethod::Voice,
        _ => return Err(codes::METHOD_OF_CODE.into()),
    };
    let locale = locales::parse(call.text("Locale")).ok_or(codes::LOCALE)?;
    let waba = waba_of(call, &wabas, &planned, operation).await?;
    Ok(CodeOrder {
        payer: call.account().clone(),
        waba,
        client: None,
        planned,
        method,
        locale,
        pin: PinInput::NotAsked,
        claim: None,
        only_unproven: false,
    })
}

/// A code and whose it is; nothing is registered with it.
pub(super) async fn code_answer(call: &Call) -> Result<CodeAnswer, Failure> {
    let wabas = spaces::wabas(call, "verify_code").await?;
    let planned = planned(call)?;
    let code = code(call)?;
    let waba = waba_of(call, &wabas, &planned, "verify_code").await?;
    Ok(CodeAnswer { waba, number: planned.number, code: Some(code), register: None })
}

/// `VerifyCode`. What cannot be a code is as wrong as any other, and no guess.
pub(super) fn code(call: &Call) -> Result<VerificationCode, Failure> {
    VerificationCode::parse(call.text("VerifyCode")).map_err(|_| codes::VERIFY_CODE.into())
}

/// The WABA of the space that claims the number.
pub(super) async fn waba_of(
    call: &Call,
    wabas: &[WabaId],
    planned: &Planned,
    operation: &str,
) -> Result<WabaId, Failure> {
    let record = record(call, planned).await?;
    match claim_in(&record, wabas) {
        Some(claim) => Ok(claim.waba.clone()),
        None => Err(not_claimed(call, planned, operation).await),
    }
}

pub(super) async fn not_claimed(call: &Call, planned: &Planned, operation: &str) -> Failure {
    call.refuse(Subject::Number(planned.number), operation, Refusal::NotClaimed).await
}

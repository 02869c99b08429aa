//! `/v1/account`: request a code, confirm it, shards (On-Premises reference §1).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use registration::{
    Accepted, CodeMethod, Holding, Platform, Refusal, TwoStepPin, VerificationCode,
    VerificationCodeError, WabaId,
};
use serde_json::{Map, Value, json};
use service::certificate::{Certificate, Provenance};
use service::message_text;
use service::numbering::{self, NumberFault, Planned, Region};
use service::numbers::{ClaimName, CodeAnswer, CodeOrder, PinInput, RegisterOrder};
use service::ports::Subject;

use super::call::{AdminCall, Call, RawBody, object, text};
use super::reply::{Backing, Fault, done, success};
use crate::state::App;

/// `POST /v1/account`: 202 when a code is on its way, 201 when nothing is left to do.
pub async fn request_code(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let form = Registration::read(&app, &body)?;
    let method = method(&app, &body)?;
    let pin = pin(&app, &body)?;
    not_retired(&call).await?;
    let claimed = certified(&call, &form).await?;
    call.visit.coreapp_started()?;

    let order = CodeOrder {
        payer: call.visit.client.account.clone(),
        waba: claimed.waba,
        client: Some(call.visit.client.id.clone()),
        locale: message_text::locale_of_region(form.planned.region.as_ref().map(Region::as_str)),
        planned: form.planned,
        method,
        pin,
        claim: Some(claimed.name.clone()),
        only_unproven: false,
    };
    let done = app
        .service
        .request_code(&call.caller(), &order)
        .await
        .map_err(|error| call.visit.fault(error))?;
    let status = match done.accepted {
        Accepted::CodeSent(_) => StatusCode::ACCEPTED,
        Accepted::Registered(_)
        | Accepted::AlreadyRegistered(_)
        | Accepted::NumberAdded(_)
        | Accepted::Verified(_)
        | Accepted::Restored(_)
        | Accepted::Deregistered
        | Accepted::Done => StatusCode::CREATED,
    };
    let payload = json!({ "account": [{ "vname": claimed.name.name.as_str() }] });
    Ok(success(&app, status, Backing::Coreapp, payload))
}

/// `POST /v1/account/verify`: confirms the code and registers, 201.
pub async fn verify(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let code = match VerificationCode::parse(text(&app, &body, "code")?) {
        Ok(code) => Some(code),
        Err(VerificationCodeError::Empty) => None,
        Err(error @ VerificationCodeError::Malformed) => {
            return Err(Fault::invalid(&app, format!("code: {error}")));
        }
    };
    not_retired(&call).await?;
    let client = &call.visit.client;
    call.visit.coreapp_started()?;
    let pending = app
        .service
        .pending_claim(&call.caller(), &client.id)
        .await
        .map_err(|error| call.visit.fault(error))?;
    let answer = CodeAnswer {
        waba: pending.waba,
        number: pending.number,
        code,
        register: Some(RegisterOrder {
            platform: Platform::OnPremise { client: client.id.clone() },
            // The PIN was proven with the code request; there is no place for it here.
            pin: PinInput::Absent,
            set_pin: None,
        }),
    };
    app.service
        .verify_code(&call.caller(), &answer)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::CREATED, Backing::Coreapp))
}

/// `GET /v1/account/shards`.
pub async fn shards(State(app): State<App>, AdminCall(call): AdminCall) -> Response {
    let payload = json!({ "account": { "shards": call.visit.client.shards } });
    success(&app, StatusCode::OK, Backing::Coreapp, payload)
}

/// `POST /v1/account/shards`: 201 when the count was taken; Coreapp restarts if it changed.
pub async fn set_shards(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let form = Registration::read(&app, &body)?;
    let shards = shard_count(&app, &body)?;
    let pin = pin(&app, &body)?;
    not_retired(&call).await?;
    certified(&call, &form).await?;
    let client = &call.visit.client;
    call.visit.coreapp_up().await?;
    app.service
        .set_shards(&call.caller(), client, form.planned.number, pin, shards)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::CREATED, Backing::Coreapp))
}

/// `POST /v1/settings/account/two-step` (§3).
pub async fn set_two_step(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let pin = TwoStepPin::parse(text(&app, &body, "pin")?)
        .map_err(|error| Fault::invalid(&app, format!("pin: {error}")))?;
    let (number, holder) = held(&call).await?;
    app.service
        .set_two_step(&call.caller(), number, Some(holder), &pin)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// `DELETE /v1/settings/account/two-step` (§3): 200 also when it was off.
pub async fn clear_two_step(
    State(app): State<App>,
    AdminCall(call): AdminCall,
) -> Result<Response, Fault> {
    let (number, holder) = held(&call).await?;
    app.service
        .clear_two_step(&call.caller(), number, Some(holder))
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// The number that the client holds, or the refusal that it holds none.
async fn held(call: &Call) -> Result<(registration::PhoneNumber, Holding), Fault> {
    let client = &call.visit.client;
    let service = &call.visit.app.service;
    call.visit.coreapp_up().await?;
    let record =
        service.number_of_client(&client.id).await.map_err(|error| call.visit.fault(error))?;
    if let Some(record) = record {
        return Ok((record.number, Holding::Client(client.id.clone())));
    }
    let refusal = Refusal::NotRegistered;
    let error = service.refuse(&call.caller(), call.subject(), "two_step", refusal).await;
    Err(call.visit.fault(error))
}

/// What request-code and set-shards have in common.
struct Registration {
    planned: Planned,
    certificate: Certificate,
}

impl Registration {
    fn read(app: &App, body: &Map<String, Value>) -> Result<Self, Fault> {
        let cc = digits(app, body, "cc")?;
        let national = digits(app, body, "phone_number")?;
        // All that is missing is named before anything is judged.
        let cert = text(app, body, "cert")?;
        if body.get("method").is_none_or(Value::is_null) && !body.contains_key("shards") {
            return Err(Fault::missing(app, "method"));
        }
        let planned = numbering::plan(&cc, &national).map_err(|fault| {
            let of_cc = fault == NumberFault::UnknownCountryCode;
            let field = if of_cc { "cc" } else { "phone_number" };
            Fault::invalid(app, format!("{field}: {fault}"))
        })?;
        let certificate = Certificate::decode(cert)
            .map_err(|fault| Fault::invalid(app, format!("cert: {fault}")))?;
        Ok(Self { planned, certificate })
    }
}

/// What the certificate claims, once it was accepted.
struct Claimed {
    waba: WabaId,
    name: ClaimName,
}

/// Checks the certificate against the authority and the policy for foreign ones (product §5).
async fn certified(call: &Call, form: &Registration) -> Result<Claimed, Fault> {
    let app = &call.visit.app;
    let policy = app.service.policy();
    let client = &call.visit.client;
    let certificate = &form.certificate;
    let found = app.service.keys().authority().provenance(
        certificate,
        app.service.now(),
        policy.certificate_lifetime,
    );
    let verdict = match found {
        Provenance::Own { number, waba, .. } if number == form.planned.number => Ok(waba),
        // Issued here, but for another number: the link between the two does not hold.
        Provenance::Own { .. } | Provenance::Forged => Err("biz_link_info_invalid_payload"),
        Provenance::OwnExpired { .. } => Err("biz_link_info_expired"),
        Provenance::Foreign if policy.accept_foreign_certificates => Ok(client.waba.clone()),
        Provenance::Foreign => Err("biz_link_info_unknown_issuer"),
    };
    let verdict = match verdict {
        Ok(waba) if waba == client.waba => Ok(waba),
        Ok(waba) => {
            let ours = app
                .service
                .waba_in_account(&waba, &client.account)
                .await
                .map_err(|error| call.visit.fault(error))?;
            if ours { Ok(waba) } else { Err("biz_link_info_invalid_payload") }
        }
        refused => refused,
    };
    match verdict {
        Ok(waba) => Ok(Claimed {
            waba,
            name: ClaimName {
                name: certificate.name.clone(),
                certificate_serial: certificate.serial,
                is_vouched_for: true,
            },
        }),
        Err(reason) => {
            let subject = Subject::Number(form.planned.number);
            let refusal = Refusal::CertificateRefused { reason };
            let caller = call.caller();
            let error = app.service.refuse(&caller, subject, "request_code", refusal).await;
            Err(call.visit.fault(error))
        }
    }
}

async fn not_retired(call: &Call) -> Result<(), Fault> {
    let app = &call.visit.app;
    if !(app.settings.onprem_retired || call.visit.client.retired) {
        return Ok(());
    }
    let refusal = Refusal::Retired;
    let error = app.service.refuse(&call.caller(), call.subject(), "request_code", refusal).await;
    Err(call.visit.fault(error))
}

/// `cc` and `phone_number`: digits as a string; an integer is accepted (§1.1).
fn digits(app: &App, body: &Map<String, Value>, field: &'static str) -> Result<String, Fault> {
    let digits = match body.get(field) {
        None | Some(Value::Null) => return Err(Fault::missing(app, field)),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => return Err(Fault::invalid(app, format!("{field} must be a string of digits"))),
    };
    if digits.is_empty() {
        return Err(Fault::missing(app, field));
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::invalid(
            app,
            format!("{field} must have digits only: no +, spaces or dashes"),
        ));
    }
    Ok(digits)
}

/// `method`: lower case on the wire; other cases are accepted, other words are not.
fn method(app: &App, body: &Map<String, Value>) -> Result<CodeMethod, Fault> {
    let word = text(app, body, "method")?;
    match word.to_ascii_lowercase().as_str() {
        "sms" => Ok(CodeMethod::Sms),
        "voice" => Ok(CodeMethod::Voice),
        _ => Err(Fault::invalid(app, "method must be sms or voice")),
    }
}

/// `pin`: absent, `null` and `""` are none; a number is refused because it loses leading zeros.
fn pin(app: &App, body: &Map<String, Value>) -> Result<PinInput, Fault> {
    match body.get("pin") {
        None | Some(Value::Null) => Ok(PinInput::Absent),
        Some(Value::String(text)) if text.is_empty() => Ok(PinInput::Absent),
        Some(Value::String(text)) => TwoStepPin::parse(text)
            .map(PinInput::Given)
            .map_err(|error| Fault::invalid(app, format!("pin: {error}"))),
        Some(_) => Err(Fault::invalid(app, "pin must be a string of six digits")),
    }
}

/// `shards`: 1, 2, 4, 8, 16 or 32, as a number or quoted (§1.4).
fn shard_count(app: &App, body: &Map<String, Value>) -> Result<u8, Fault> {
    let count = match body.get("shards") {
        None | Some(Value::Null) => return Err(Fault::missing(app, "shards")),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    match count {
        Some(1) => Ok(1),
        Some(2) => Ok(2),
        Some(4) => Ok(4),
        Some(8) => Ok(8),
        Some(16) => Ok(16),
        Some(32) => Ok(32),
        _ => Err(Fault::invalid(app, "shards must be 1, 2, 4, 8, 16 or 32")),
    }
}

//! `GetWhatsappHealthStatus`: whether a number, or a WABA with its numbers, could send.
//!
//! Rollcall sends no messages; what it knows is whether a number is registered.

use registration::TextId as _;
use serde_json::{Value, json};
use service::directory::{Space, Waba};

use super::call::Call;
use super::codes;
use super::failure::Failure;
use super::numbers;
use super::reply::Body;
use super::spaces::{self, body};
use super::wabas::business_id;

/// The code and text of the hosted platform for the same thing.
const NOT_REGISTERED: (&str, &str, &str) = (
    "133010",
    "The phone number is not registered.",
    "Register the number: ChatappVerifyAndRegister, or ChatappPhoneNumberRegister once it is verified.",
);

/// The node asked about, then its WABA and the business.
pub(super) async fn status(call: &Call) -> Result<Body, Failure> {
    let space = spaces::space(call, "health").await?;
    let wabas = spaces::wabas_of(call, &space).await?;
    let mut entities = Vec::new();
    let waba = match call.text("NodeType").to_ascii_lowercase().as_str() {
        "phone" => {
            if call.parameters.filled("PhoneNumber").is_none() {
                return Err(Failure::missing("PhoneNumber"));
            }
            let (record, claim) = numbers::own_claim(call, "health").await?;
            entities.push(phone(&record.number.digits(), numbers::is_registered(&record, &claim)));
            wabas.iter().find(|waba| waba.id == claim.waba)
        }
        "waba" => match call.parameters.filled("WabaId") {
            Some(id) => wabas.iter().find(|waba| waba.id.as_str() == id),
            None => wabas.first(),
        },
        "template" => return Err(codes::TEMPLATE_UNKNOWN.into()),
        _ => return Err(Failure::invalid("NodeType")),
    };
    entities.extend(around(waba.ok_or(codes::WABA_UNKNOWN)?, &space));
    let can = |it: &Value| it["CanSendMessage"] == AVAILABLE;
    let all = if entities.iter().all(can) { AVAILABLE } else { BLOCKED };
    Ok(body(json!({ "Data": { "CanSendMessage": all, "Entities": entities } })))
}

const AVAILABLE: &str = "AVAILABLE";
const BLOCKED: &str = "BLOCKED";

fn phone(number: &str, registered: bool) -> Value {
    let (code, description, solution) = NOT_REGISTERED;
    let error = json!({
        "ErrorCode": code,
        "ErrorDescription": description,
        "PossibleSolution": solution,
    });
    let (can, errors) = if registered { (AVAILABLE, vec![]) } else { (BLOCKED, vec![error]) };
    entity("PHONE_NUMBER", "PhoneNumber", number, can, &errors)
}

fn around(waba: &Waba, space: &Space) -> [Value; 2] {
    [
        entity("WABA", "WabaId", waba.id.as_str(), AVAILABLE, &[]),
        entity("BUSINESS", "BusinessId", &business_id(space), AVAILABLE, &[]),
    ]
}

/// A node: named by the field of its kind, the fields of other kinds `null`.
fn entity(kind: &str, id_field: &str, id: &str, can: &str, errors: &[Value]) -> Value {
    let mut entity = json!({
        "EntityType": kind,
        "PhoneNumber": null,
        "WabaId": null,
        "BusinessId": null,
        "TemplateCode": null,
        "Language": null,
        "CanSendMessage": can,
        "Errors": errors,
    });
    entity[id_field] = json!(id);
    entity
}

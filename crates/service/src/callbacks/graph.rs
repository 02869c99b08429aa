//! What Graph endpoints are told (Cloud API reference §7).
//!
//! That a code was confirmed or a number registered for the first time has no word in this dialect: callers
//! read the node. A PIN that was set through the dialect itself is not told either, as Meta has it.

use registration::{NameFault, TextId as _};
use serde_json::{Value, json};

use super::notice::{Happening, Notice};
use crate::directory::Webhook;

/// The fields that endpoints can subscribe to and that something is told about.
pub const FIELDS: [&str; 4] =
    ["account_update", "phone_number_name_update", "phone_number_quality_update", "security"];

/// The body of a post about this notice; `None` where the dialect has no word for it, or the endpoint does
/// not want the word.
pub(super) fn body(webhook: &Webhook, notice: &Notice) -> Option<String> {
    let (field, value) = change(notice)?;
    wants(webhook, field).then(|| {
        envelope(notice.waba.as_str(), notice.at.as_millis().div_euclid(1000), field, &value)
    })
}

/// That the link which switches two-step verification off was asked for.
pub(super) fn reset_asked(
    webhook: &Webhook,
    waba: &str,
    digits: &str,
    seconds: i64,
) -> Option<String> {
    let value = json!({
        "display_phone_number": digits,
        "event": "PIN_RESET_REQUEST",
        "requester": "operator",
    });
    wants(webhook, "security").then(|| envelope(waba, seconds, "security", &value))
}

fn envelope(waba: &str, seconds: i64, field: &str, value: &Value) -> String {
    let change = json!({ "field": field, "value": value });
    let entry = json!({ "id": waba, "time": seconds, "changes": [change] });
    json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string()
}

/// An endpoint that names no fields is told about all.
fn wants(webhook: &Webhook, field: &str) -> bool {
    let details: Value = serde_json::from_str(&webhook.details).unwrap_or_default();
    let fields = details["fields"].as_array().filter(|fields| !fields.is_empty());
    fields.is_none_or(|fields| fields.iter().any(|it| it == field))
}

fn change(notice: &Notice) -> Option<(&'static str, Value)> {
    let number = notice.number.digits();
    let name = |decision: &str, name: &str, reason: Value| {
        let value = json!({
            "display_phone_number": number,
            "decision": decision,
            "requested_verified_name": name,
            "rejection_reason": reason,
        });
        Some(("phone_number_name_update", value))
    };
    let account = |value: Value| Some(("account_update", value));
    let offboarded = |reason: &str| {
        account(json!({
            "phone_number": number,
            "event": "ACCOUNT_OFFBOARDED",
            "disconnection_info": { "reason": reason, "initiated_by": "USER" },
        }))
    };
    match &notice.happening {
        Happening::NumberAdded => {
            let value = json!({
                "display_phone_number": number,
                "event": "ONBOARDING",
                "current_limit": "TIER_250",
            });
            Some(("phone_number_quality_update", value))
        }
        Happening::NameSubmitted { name: asked } => name("PENDING", asked.as_str(), Value::Null),
        Happening::NameApproved { name: asked } => name("APPROVED", asked.as_str(), Value::Null),
        Happening::NameChanged { was_approved: false, .. } => {
            name("APPROVED", notice.name.as_str(), Value::Null)
        }
        Happening::NameDeclined { name: asked, why } => {
            name("REJECTED", asked.as_str(), json!(reason(*why)))
        }
        Happening::Registered { again: true, .. } => {
            account(json!({ "phone_number": number, "event": "ACCOUNT_RECONNECTED" }))
        }
        Happening::Deregistered => offboarded("ACCOUNT_DISCONNECTED"),
        Happening::LoggedOff => offboarded("USER_RE_REGISTERED"),
        Happening::TwoStepSet if notice.dialect != "graph" => {
            Some(("security", json!({ "display_phone_number": number, "event": "PIN_CHANGED" })))
        }
        Happening::TwoStepCleared => {
            let value = json!({ "display_phone_number": number, "event": "PIN_REQUEST_SUCCESS" });
            Some(("security", value))
        }
        Happening::NameChanged { was_approved: true, .. }
        | Happening::CodeConfirmed
        | Happening::Registered { again: false, .. }
        | Happening::TwoStepSet => None,
    }
}

const fn reason(why: NameFault) -> &'static str {
    match why {
        NameFault::Employee => "NAME_EMPLOYEE_ISSUE",
        NameFault::Unrelated => "NAME_ENDCLIENT_NOTRELATED",
        NameFault::Format => "NAME_FORMAT_UNACCEPTABLE",
        NameFault::Individual => "NAME_INDIVIDUAL_ISSUE",
        NameFault::Inconsistent => "NAME_NOT_CONSISTENT",
        NameFault::Unknown => "UNKNOWN",
    }
}

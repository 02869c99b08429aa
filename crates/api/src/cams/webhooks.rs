//! `UpdatePhoneWebhook` and `UpdateAccountWebhook` (§2, §8): who is told what happens to numbers.
//!
//! The webhook of a number and that of its space are both told when the number's status changes; see
//! [`service::callbacks`]. `UpCallbackUrl` is kept and shown, and never called: messages arrive where the
//! number is registered, not here.

use registration::{Claim, CustomerSpaceId, Refusal};
use serde_json::{Value, json};
use service::callbacks::{UrlFault, WebhookOrder, WebhookSet, check_url};
use service::directory::{EntityKind, EntityRef, WebhookScope};
use service::ports::Subject;

use super::call::Call;
use super::failure::Failure;
use super::reply::Body;
use super::{numbers, spaces};

const DIALECT: &str = "cams";

/// Where inbound messages would go, in the details of a webhook.
const UP_URL: &str = "up_url";

/// `UpdatePhoneWebhook`.
pub(super) async fn update_phone(call: &Call) -> Result<Body, Failure> {
    let wabas = spaces::wabas(call, "update_phone_webhook").await?;
    let planned = numbers::planned(call)?;
    let record = numbers::record(call, &planned).await?;
    let Some(claim) = numbers::claim_in(&record, &wabas) else {
        return Err(numbers::not_claimed(call, &planned, "update_phone_webhook").await);
    };
    let scope = WebhookScope::Number { claim: claim.id.clone(), waba: claim.waba.clone() };
    update(call, scope).await
}

/// `UpdateAccountWebhook`.
pub(super) async fn update_account(call: &Call) -> Result<Body, Failure> {
    let space = own_space(call).await?;
    update(call, WebhookScope::Space(space)).await
}

/// A parameter that is absent changes nothing; an empty address takes the address away.
async fn update(call: &Call, scope: WebhookScope) -> Result<Body, Failure> {
    let active = flag(call, "HttpFlag")?;
    if flag(call, "QueueFlag")? == Some(true) {
        let words = "There are no queues here; use HttpFlag=Y and StatusCallbackUrl.";
        return Err(Failure::invalid("QueueFlag").with_message(words));
    }
    let up_url = call.parameters.value("UpCallbackUrl");
    if let Some(Err(fault)) = up_url.filter(|url| !url.is_empty()).map(check_url) {
        return Err(bad_url("UpCallbackUrl", fault));
    }
    let order = WebhookOrder {
        dialect: DIALECT,
        account: call.account().clone(),
        url: call.parameters.value("StatusCallbackUrl").map(str::to_owned),
        active,
        secret: None,
        details: up_url.map(|url| json!({ UP_URL: url }).to_string()),
        scope,
    };
    let set = call.app.service.set_webhook(&call.caller(), &order).await;
    match set.map_err(|error| call.failure(error))? {
        WebhookSet::Done(_) => Ok(Body::new()),
        WebhookSet::BadUrl(fault) => Err(bad_url("StatusCallbackUrl", fault)),
        // The WABA or space went while it was looked at.
        WebhookSet::Unknown => Err(foreign(call).await),
    }
}

/// `Y` or `N`, in either case; absent and empty alike are nothing said.
fn flag(call: &Call, name: &'static str) -> Result<Option<bool>, Failure> {
    match call.parameters.filled(name) {
        None => Ok(None),
        Some(value) if value.eq_ignore_ascii_case("Y") => Ok(Some(true)),
        Some(value) if value.eq_ignore_ascii_case("N") => Ok(Some(false)),
        Some(_) => Err(Failure::invalid(name).with_message(format!("{name} must be Y or N."))),
    }
}

fn bad_url(parameter: &str, fault: UrlFault) -> Failure {
    Failure::invalid(parameter).with_message(format!("{parameter} is no address: {fault}."))
}

async fn own_space(call: &Call) -> Result<CustomerSpaceId, Failure> {
    let key = EntityRef::new(EntityKind::Space, call.text("CustSpaceId"));
    let found = call.app.service.entity(&key).await.map_err(|error| call.failure(error))?;
    let space = found.and_then(|found| found.value.into_space());
    match space.filter(|space| space.account == *call.account()) {
        Some(space) => Ok(space.id),
        None => Err(foreign(call).await),
    }
}

async fn foreign(call: &Call) -> Failure {
    let subject = Subject::Entity(EntityRef::account(call.account()));
    call.refuse(subject, "update_webhook", Refusal::ForeignSpace).await
}

/// Adds to a number as it is shown where its callbacks go (`StatusCallbackUrl`, `UpCallbackUrl`).
pub(super) async fn add_urls(call: &Call, claim: &Claim, shown: &mut Value) -> Result<(), Failure> {
    let scope = WebhookScope::Number { claim: claim.id.clone(), waba: claim.waba.clone() };
    let found = call.app.service.webhook(DIALECT, &scope).await;
    let (url, details) = match found.map_err(|error| call.failure(error))? {
        Some(webhook) => (webhook.url, serde_json::from_str(&webhook.details).unwrap_or_default()),
        None => (String::new(), Value::Null),
    };
    shown["StatusCallbackUrl"] = url.into();
    shown["UpCallbackUrl"] = details[UP_URL].as_str().unwrap_or_default().into();
    Ok(())
}

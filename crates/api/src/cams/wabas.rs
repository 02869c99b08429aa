//! What is known of a WABA and the business behind it.
//!
//! Nobody reviews WABAs here or looks into businesses, so a WABA is as good as approved and a business as
//! good as unverified. Currency, template namespace and the like belong to the platform and are `null`.

use registration::TextId as _;
use serde_json::json;
use service::directory::Space;

use super::call::Call;
use super::codes;
use super::failure::Failure;
use super::reply::Body;
use super::signup::digits;
use super::spaces::{self, body};

/// `QueryChatappBindWaba`: the oldest WABA of the space.
pub(super) async fn bound(call: &Call) -> Result<Body, Failure> {
    let space = spaces::space(call, "bound_waba").await?;
    let wabas = spaces::wabas_of(call, &space).await?;
    let waba = wabas.iter().min_by_key(|waba| waba.created_at).ok_or(codes::NO_WABA)?;
    let data = json!({
        "Id": waba.id.as_str(),
        "Name": waba.name,
        "AccountReviewStatus": "APPROVED",
        "BusinessId": business_id(&space),
        "BusinessName": space.name,
        "IsOnBizApp": "N",
        "AuthInternationalRateEligibility": {},
        "Currency": null,
        "MarketingMessageLiteStatus": null,
        "MessageTemplateNamespace": null,
        "PrimaryBusinessLocation": null,
    });
    Ok(body(json!({ "Data": data })))
}

/// `QueryWabaBusinessInfo`.
pub(super) async fn business(call: &Call) -> Result<Body, Failure> {
    let space = spaces::space(call, "waba_business").await?;
    let wabas = spaces::wabas_of(call, &space).await?;
    if !wabas.iter().any(|waba| waba.id.as_str() == call.text("WabaId")) {
        return Err(codes::WABA_UNKNOWN.into());
    }
    let data = json!({
        "BusinessId": business_id(&space),
        "BusinessName": space.name,
        "VerificationStatus": "not_verified",
        "Vertical": "OTHER",
    });
    Ok(body(json!({ "Data": data })))
}

/// A space is one customer, so one business.
pub(super) fn business_id(space: &Space) -> String {
    digits(&format!("business/{}", space.id))
}

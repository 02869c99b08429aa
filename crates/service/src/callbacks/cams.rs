//! What CAMS endpoints are told: HTTP and JSON, several reports in one array.
//!
//! The reference documents who may be told (§8: account webhooks get changes of WABAs and numbers) and the
//! values of the fields (§8.1), not the form of a report about a number. The form here is ours, with the
//! names that the operations use.

use registration::TextId as _;
use serde_json::json;

use super::notice::{Happening, Notice};

/// The body of a post about this notice.
#[expect(clippy::unnecessary_wraps, reason = "another dialect has nothing to say about some")]
pub(super) fn body(notice: &Notice) -> Option<String> {
    let status = match (&notice.happening, notice.registered, notice.verified) {
        (Happening::Deregistered | Happening::LoggedOff, false, _) => "DISCONNECTED",
        (_, true, _) => "CONNECTED",
        (_, false, true) => "PENDING",
        (_, false, false) => "UNVERIFIED",
    };
    let report = json!({
        "NoticeType": "phone_number_status",
        "Event": notice.happening.kind(),
        "CustSpaceId": notice.space.as_str(),
        "WabaId": notice.waba.as_str(),
        "PhoneNumber": notice.number.digits(),
        "PhoneNumberId": notice.claim.as_str(),
        "VerifiedName": notice.name.as_str(),
        "Status": status,
        "CodeVerificationStatus": if notice.verified { "VERIFIED" } else { "NOT_VERIFIED" },
        "Timestamp": notice.at.as_millis(),
    });
    Some(json!([report]).to_string())
}

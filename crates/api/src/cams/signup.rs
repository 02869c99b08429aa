//! What stands around the browser's signup dialog (§8): its ids, its code, numbers proven beforehand.
//!
//! There is no such dialog here. Whatever an account may do, it may do from the start, so its code opens
//! nothing; it is checked, and noted in the audit trail.

use registration::{Claim, ClaimPhase, NumberRecord, TextId as _, Timestamp};
use serde_json::json;
use service::directory::{Entity, EntityRef, Waba};
use service::numbers::CodeAnswer;
use sha2::{Digest as _, Sha256};

use super::call::Call;
use super::failure::Failure;
use super::numbers;
use super::permission;
use super::reply::Body;
use super::spaces::{self, body};

/// Longest signup code that is taken (our bound; those of Meta have some 300 characters).
const CODE_CHARS_MAX: usize = 2048;

/// What may be asked for with a code (§2.1).
const PERMISSIONS: [&str; 3] =
    ["whatsapp_business_messaging", "ads_management", "catalog_management"];

/// `IsvGetAppId`: ids for the front end's signup dialog, made of the account's name, so they stay the
/// same.
pub(super) fn app_id(call: &Call) -> Result<Body, Failure> {
    if !call.text("Type").eq_ignore_ascii_case("whatsapp") {
        return Err(Failure::invalid("Type"));
    }
    let id = |purpose: &str| digits(&format!("{purpose}/{}", call.account()));
    Ok(body(json!({ "AppId": id("app"), "ConfigId": id("config") })))
}

/// `GetPermissionByCode`.
pub(super) async fn permission_by_code(call: &Call) -> Result<Body, Failure> {
    let code = call.text("Code");
    if code.len() > CODE_CHARS_MAX || !code.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::invalid("Code"));
    }
    let permissions = match call.parameters.filled("Permissions") {
        None => Vec::new(),
        Some(text) => serde_json::from_str::<Vec<String>>(text)
            .ok()
            .filter(|asked| asked.iter().all(|it| PERMISSIONS.contains(&it.as_str())))
            .ok_or_else(|| Failure::invalid("Permissions"))?,
    };
    if call.parameters.filled("CustSpaceId").is_some() {
        spaces::space(call, "signup").await?;
    }
    let noted = call.app.service.note_signup(&call.caller(), call.account(), &permissions).await;
    noted.map_err(|error| call.failure(error))?;
    Ok(Body::new())
}

/// `GetPreValidatePhoneId`: confirms a code that any space of the account asked for, and names the claim.
pub(super) async fn pre_validate(call: &Call) -> Result<Body, Failure> {
    let planned = numbers::planned(call)?;
    let code = numbers::code(call)?;
    let record = numbers::record(call, &planned).await?;
    let Some((claim, waba)) = claim_of_account(call, &record).await? else {
        return Err(numbers::not_claimed(call, &planned, "verify_code").await);
    };
    permission::check_space(call, "GetPreValidatePhoneId", &waba.space).await?;
    let answer = CodeAnswer {
        waba: claim.waba.clone(),
        number: planned.number,
        code: Some(code),
        register: None,
    };
    let done = call.app.service.verify_code(&call.caller(), &answer).await;
    done.map_err(|error| call.failure(error))?;
    let data = json!({
        "PhoneNumber": planned.number.digits(),
        "PhoneNumberId": claim.id.as_str(),
    });
    Ok(body(json!({ "Data": data })))
}

/// `GetChatappOpenStatus`, `OpenChatappService`: whether the account has the product. Who may have it is
/// the operator's business; an account that has not is told so before it comes here, or told `false`.
pub(super) async fn open_status(call: &Call) -> Result<Body, Failure> {
    let found = call.app.service.entity(&EntityRef::account(call.account())).await;
    let found = found.map_err(|error| call.failure(error))?;
    let account = found.and_then(|found| Entity::into_account(found.value));
    Ok(body(json!({ "OpenStatus": account.is_some_and(|account| account.subscribed) })))
}

/// The claim of the caller's account that asked for a code last, with its WABA; any of its claims if none
/// did.
async fn claim_of_account(
    call: &Call,
    record: &NumberRecord,
) -> Result<Option<(Claim, Waba)>, Failure> {
    let mut best: Option<(Option<Timestamp>, &Claim, Waba)> = None;
    for claim in &record.claims {
        let Some(waba) = spaces::own_waba(call, &claim.waba).await? else { continue };
        let asked_at = match &claim.phase {
            ClaimPhase::AwaitingCode(challenge) => Some(challenge.requested_at),
            ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
        };
        if best.as_ref().is_none_or(|(before, ..)| *before < asked_at) {
            best = Some((asked_at, claim, waba));
        }
    }
    Ok(best.map(|(_, claim, waba)| (claim.clone(), waba)))
}

/// Fifteen digits, the first not zero, as Meta's ids look.
pub(super) fn digits(seed: &str) -> String {
    let digest = Sha256::digest(seed.as_bytes());
    let value = digest.iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    (100_000_000_000_000 + value % 900_000_000_000_000).to_string()
}

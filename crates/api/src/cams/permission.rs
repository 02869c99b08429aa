//! Whether a key may call an operation (§7).
//!
//! The account's own keys may do everything. For keys of RAM users, and for temporary keys with a session
//! policy, a policy has to say so; as long as none is asked here, they may do nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registration::Refusal;
use serde_json::{Value, json};
use service::directory::{AccessKey, EntityRef};
use service::ports::Subject;

use super::call::Call;
use super::failure::Failure;
use super::operation::Operation;

/// Lets a call pass, or refuses it with the detail that clients expose.
pub(super) async fn check(call: &Call, operation: &Operation) -> Result<(), Failure> {
    if is_unrestricted(&call.key) {
        return Ok(());
    }
    let subject = Subject::Entity(EntityRef::access_key(&call.key.id));
    let service = &call.app.service;
    let error = service.refuse(&call.caller(), subject, operation.name, Refusal::NotAdmin).await;
    let detail = access_denied(&call.key, operation, "ImplicitDeny");
    Err(Failure::of(&call.app, error).with_access_denied(detail))
}

fn is_unrestricted(key: &AccessKey) -> bool {
    let session_policy = key.temporary.as_ref().and_then(|it| it.session_policy.as_ref());
    key.user.is_none() && session_policy.is_none()
}

/// `AccessDeniedDetail`; the diagnostic message holds the same once more, as text to hand on.
fn access_denied(key: &AccessKey, operation: &Operation, kind: &str) -> Value {
    let (principal, policy) = match &key.temporary {
        Some(_) => ("AssumedRoleUser", "SessionPolicy"),
        None => ("SubUser", "AccountLevelIdentityBasedPolicy"),
    };
    let mut detail = json!({
        "AuthAction": operation.ram_action(),
        "AuthPrincipalType": principal,
        "AuthPrincipalOwnerId": key.account.to_string(),
        "AuthPrincipalDisplayName": key.user.as_deref().unwrap_or(&key.id),
        "PolicyType": policy,
        "NoPermissionType": kind,
    });
    let encoded = STANDARD.encode(detail.to_string());
    detail["EncodedDiagnosticMessage"] = json!(encoded);
    detail
}

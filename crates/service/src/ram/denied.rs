//! What a caller is told about a denial (CAMS reference §7.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registration::{AccountId, TextId as _};
use serde_json::{Value, json};

use super::evaluate::{
    Decision, Denial, NoPermissionType, Permit, PolicyType, RamPolicy, evaluate,
};
use super::request::{Principal, PrincipalType, Request};
use super::resource::ResourceName;

/// The action that lets a caller see which statement denied a request of its own.
pub const DECODE_DIAGNOSTIC_MESSAGE: &str = "ram:DecodeDiagnosticMessage";

/// Why a call was denied, field by field as the wire has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDeniedDetail {
    /// What was asked for: `cams:ChatappVerifyAndRegister`.
    pub auth_action: String,
    /// Kind of the caller.
    pub auth_principal_type: PrincipalType,
    /// Account of the caller.
    pub auth_principal_owner_id: AccountId,
    /// Name of the caller: the user, or `role:session`.
    pub auth_principal_display_name: String,
    /// Type of the policies that said no.
    pub policy_type: PolicyType,
    /// Whether a Deny matched or no Allow did.
    pub no_permission_type: NoPermissionType,
    /// Base64 of JSON with the particulars. The deciding statement is in it only for callers who may
    /// decode such messages: base64 hides nothing from the others.
    pub encoded_diagnostic_message: String,
}

impl AccessDeniedDetail {
    /// Names and values on the wire, in the documented order.
    #[must_use]
    pub fn members(&self) -> [(&'static str, &str); 7] {
        [
            ("AuthAction", &self.auth_action),
            ("AuthPrincipalType", self.auth_principal_type.as_str()),
            ("AuthPrincipalOwnerId", self.auth_principal_owner_id.as_str()),
            ("AuthPrincipalDisplayName", &self.auth_principal_display_name),
            ("PolicyType", self.policy_type.as_str()),
            ("NoPermissionType", self.no_permission_type.as_str()),
            ("EncodedDiagnosticMessage", &self.encoded_diagnostic_message),
        ]
    }
}

/// Decides a request; a denial comes with what the caller is told.
pub fn authorize<'p>(
    principal: &Principal<'_>,
    request: &Request<'_>,
    policies: &'p [RamPolicy],
) -> Result<Permit<'p>, AccessDeniedDetail> {
    match evaluate(principal, request, policies) {
        Decision::Allowed(permit) => Ok(permit),
        Decision::Denied(denial) => Err(detail(principal, request, policies, &denial)),
    }
}

fn detail(
    principal: &Principal<'_>,
    request: &Request<'_>,
    policies: &[RamPolicy],
    denial: &Denial<'_>,
) -> AccessDeniedDetail {
    let decoding = Request {
        action: DECODE_DIAGNOSTIC_MESSAGE,
        resource: ResourceName { service: "ram", ..request.resource },
        ..*request
    };
    let named = denial.by.filter(|_| evaluate(principal, &decoding, policies).is_allowed());
    let matched: Vec<Value> = named
        .iter()
        .map(|it| {
            json!({
                "PolicyName": it.policy,
                "PolicyType": denial.policy_type.as_str(),
                "StatementIndex": it.index,
            })
        })
        .collect();
    AccessDeniedDetail {
        auth_action: request.action.to_owned(),
        auth_principal_type: principal.principal_type(),
        auth_principal_owner_id: principal.account.clone(),
        auth_principal_display_name: principal.display_name().into_owned(),
        policy_type: denial.policy_type,
        no_permission_type: denial.no_permission_type(),
        encoded_diagnostic_message: diagnostic_message(principal, request, denial, &matched),
    }
}

fn diagnostic_message(
    principal: &Principal<'_>,
    request: &Request<'_>,
    denial: &Denial<'_>,
    matched: &[Value],
) -> String {
    let conditions: Vec<_> = request
        .context
        .all()
        .into_iter()
        .map(|(key, value)| json!({ "Key": key, "Values": [value] }))
        .collect();
    let message = json!({
        "ExplicitDeny": denial.by.is_some(),
        "NoPermissionPolicyType": denial.policy_type.as_str(),
        "AuthAction": request.action,
        "AuthResource": request.resource.to_string(),
        "AuthPrincipal": {
            "AuthPrincipalType": principal.principal_type().as_str(),
            "AuthPrincipalOwnerId": principal.account.as_str(),
            "AuthPrincipalDisplayName": principal.display_name(),
        },
        "AuthConditions": conditions,
        "MatchedPolicies": matched,
    });
    STANDARD.encode(message.to_string())
}

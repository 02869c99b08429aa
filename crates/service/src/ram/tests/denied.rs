//! What a denied caller is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Circumstances, account, library, policy, principal};
use crate::ram::{AccessDeniedDetail, Permit, PolicyType, RamPolicy, authorize};

fn policies(names: &[&str]) -> Vec<RamPolicy> {
    let library = library();
    names.iter().map(|it| policy(PolicyType::Account, it, &library[*it].to_string())).collect()
}

fn denied(caller: &str, policies: &[RamPolicy]) -> AccessDeniedDetail {
    let (account, circumstances) = (account(), Circumstances::parse("ip=192.0.2.9 mfa=no"));
    let request = circumstances
        .request("cams:ChatappPhoneNumberDeregister", "acs:cams:ap-southeast-1:default:*");
    authorize(&principal(&account, caller), &request, policies).expect_err("denied")
}

fn message(detail: &AccessDeniedDetail) -> Value {
    let bytes = STANDARD.decode(&detail.encoded_diagnostic_message).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn a_denial_has_the_documented_members() {
    let detail = denied("user", &policies(&["deny-first"]));
    let members = detail.members();
    assert_eq!(
        members[..6],
        [
            ("AuthAction", "cams:ChatappPhoneNumberDeregister"),
            ("AuthPrincipalType", "SubUser"),
            ("AuthPrincipalOwnerId", "default"),
            ("AuthPrincipalDisplayName", "ci"),
            ("PolicyType", "AccountLevelIdentityBasedPolicy"),
            ("NoPermissionType", "ExplicitDeny"),
        ]
    );
    assert_eq!(members[6].0, "EncodedDiagnosticMessage");
    let role = denied("role", &[]);
    assert_eq!(role.members()[1].1, "AssumedRoleUser");
    assert_eq!(role.members()[3].1, "deployer:nightly");
    assert_eq!(role.members()[5].1, "ImplicitDeny");
}

#[test]
fn the_message_has_the_particulars() {
    assert_eq!(
        message(&denied("user", &policies(&["register"]))),
        json!({
            "ExplicitDeny": false,
            "NoPermissionPolicyType": "AccountLevelIdentityBasedPolicy",
            "AuthAction": "cams:ChatappPhoneNumberDeregister",
            "AuthResource": "acs:cams:ap-southeast-1:default:*",
            "AuthPrincipal": {
                "AuthPrincipalType": "SubUser",
                "AuthPrincipalOwnerId": "default",
                "AuthPrincipalDisplayName": "ci",
            },
            "AuthConditions": [
                { "Key": "acs:CurrentTime", "Values": ["2026-11-22T04:00:00Z"] },
                { "Key": "acs:SecureTransport", "Values": ["true"] },
                { "Key": "acs:SourceIp", "Values": ["192.0.2.9"] },
                { "Key": "acs:MFAPresent", "Values": ["false"] },
            ],
            "MatchedPolicies": [],
        })
    );
}

#[test]
fn the_deciding_statement_is_named_to_those_who_may_know() {
    for (names, matched) in [
        (&["all-but-deregister"][..], json!([])),
        (&["everything", "nothing"], json!([])),
        (
            &["all-but-deregister", "diagnose"],
            json!([{
                "PolicyName": "all-but-deregister",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
                "StatementIndex": 1,
            }]),
        ),
        (&["diagnose"], json!([])),
    ] {
        assert_eq!(message(&denied("user", &policies(names)))["MatchedPolicies"], matched);
    }
}

#[test]
fn an_allowed_request_says_which_statement_allows_it() {
    let (account, circumstances) = (account(), Circumstances::parse("-"));
    let request = circumstances.request("cams:GetX", "acs:cams:ap-southeast-1:default:*");
    let policies = policies(&["two-allows"]);
    let permit = authorize(&principal(&account, "user"), &request, &policies).expect("allowed");
    assert!(matches!(permit, Permit::Statement(it, PolicyType::Account) if it.index == 2));
    assert_eq!(authorize(&principal(&account, "owner"), &request, &[]), Ok(Permit::Owner));
}

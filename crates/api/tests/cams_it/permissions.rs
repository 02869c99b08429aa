//! RAM users and temporary keys at the gateway: which resource, which circumstances, which answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::time::Duration;
use http::HeaderValue;
use http::uri::Scheme;
use registration::{AccountId, TextId as _};
use serde_json::{Value, json};
use service::access_keys::{KeyOwner, TemporaryMade, TemporaryOrder};
use service::directory::EntityRef;
use service::ram::{Holder, Linked, RamName, Saved};
use service::{Caller, Policy, RamDenial};

use crate::fixtures::KEY_ID;
use crate::harness::{Answer, SPACE, USER_KEY_ID, WABA, World, sign_with};

const NUMBER: &str = "8613800001234";

fn account() -> AccountId {
    AccountId::parse("default").unwrap()
}

fn name(text: &str) -> RamName {
    RamName::parse(text).unwrap()
}

fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

fn deny(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Deny", "Action": action, "Resource": resource })
}

fn under(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

fn policy(statements: &[Value]) -> String {
    json!({ "Version": "1", "Statement": statements }).to_string()
}

impl World {
    /// Gives `alice` this policy.
    async fn grant(&self, policy_name: &str, statements: &[Value]) {
        let (caller, account, text) = (Caller::operator(), account(), policy(statements));
        let policy_name = name(policy_name);
        let saved = self.service.create_policy(&caller, &account, &policy_name, &text).await;
        assert!(matches!(saved.unwrap(), Saved::Done(_)));
        self.attach(policy_name.as_str()).await;
    }

    async fn attach(&self, policy: &str) {
        let holder = name("alice");
        let holder = Holder::User(&holder);
        let (caller, policy) = (Caller::operator(), name(policy));
        let linked = self.service.attach_policy(&caller, &account(), holder, &policy).await;
        assert_eq!(linked.unwrap(), Linked::Done);
    }

    async fn as_alice(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call_with(USER_KEY_ID, action, parameters).await
    }

    async fn alice_from(&self, address: &str, scheme: Scheme) -> Answer {
        let request = self.acs3(USER_KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
        self.replay_over(&request, Some((address, scheme))).await
    }

    async fn as_temporary(
        &self,
        user: Option<&str>,
        order: &TemporaryOrder,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Answer {
        let owner = KeyOwner { account: account(), user: user.map(str::to_owned) };
        let made = self.service.create_temporary_key(&Caller::operator(), &owner, order).await;
        let TemporaryMade::Made(new) = made.unwrap() else { panic!("not made") };
        let mut request = self.acs3(KEY_ID, action, parameters);
        request.headers.insert(
            "x-acs-security-token",
            HeaderValue::from_str(new.security_token.reveal()).unwrap(),
        );
        let list = "host;x-acs-action;x-acs-date;x-acs-security-token;x-acs-signature-nonce;\
                    x-acs-version";
        let id = &new.key.id;
        let unsigned = format!("ACS3-HMAC-SHA256 Credential={id},SignedHeaders={list}");
        sign_with(&mut request, &unsigned, new.key.secret.reveal());
        self.replay(&request).await
    }
}

fn denied(answer: &Answer) -> &Value {
    assert_eq!(answer.outcome(), (400, "Ram.PermissionDeny"), "{}", answer.text);
    &answer.body["AccessDeniedDetail"]
}

fn passed(answer: &Answer) {
    let code = answer.outcome().1;
    assert!(!matches!(code, "Ram.PermissionDeny" | "NoPermission"), "{}", answer.text);
}

#[tokio::test]
async fn a_user_may_do_what_its_policies_allow_and_nothing_else() {
    let world = World::new().await;
    world.grant("register", &[allow("cams:ChatappVerifyAndRegister", "*")]).await;
    let parameters = [("CustSpaceId", SPACE), ("PhoneNumber", NUMBER), ("VerifyCode", "123456")];
    let answer = world.as_alice("ChatappVerifyAndRegister", &parameters).await;
    passed(&answer);
    let answer = world.as_alice("ChatappPhoneNumberDeregister", &parameters[..2]).await;
    let detail = denied(&answer);
    assert_eq!(detail["AuthAction"], "cams:ChatappPhoneNumberDeregister");
    assert_eq!(detail["PolicyType"], "AccountLevelIdentityBasedPolicy");
    assert_eq!(detail["NoPermissionType"], "ImplicitDeny");
    assert_eq!(detail.as_object().unwrap().len(), 7);
}

#[tokio::test]
async fn the_read_only_policy_allows_codes_to_be_sent_and_no_queries() {
    let world = World::new().await;
    world.attach("AliyunCamsReadOnlyAccess").await;
    let ask = [("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)];
    passed(&world.as_alice("GetPhoneNumberVerificationStatus", &ask).await);
    denied(&world.as_alice("QueryChatappPhoneNumbers", &[]).await);
    world.attach("AliyunCamsFullAccess").await;
    passed(&world.as_alice("QueryChatappPhoneNumbers", &[]).await);
}

#[tokio::test]
async fn a_deny_wins_over_every_allow() {
    let world = World::new().await;
    world.attach("AliyunCamsFullAccess").await;
    world.grant("no-leaving", &[deny("cams:*Deregister", "*")]).await;
    passed(&world.as_alice("QueryChatappPhoneNumbers", &[]).await);
    let parameters = [("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)];
    let answer = world.as_alice("ChatappPhoneNumberDeregister", &parameters).await;
    assert_eq!(denied(&answer)["NoPermissionType"], "ExplicitDeny");
}

#[tokio::test]
async fn a_policy_may_name_spaces_and_leaving_the_space_out_does_not_get_around_it() {
    let world = World::new().await;
    let own = format!("acs:cams:*:default:space/{SPACE}");
    world.grant("one-space", &[allow("cams:*", &own)]).await;
    passed(&world.as_alice("ChatappSyncPhoneNumber", &[("CustSpaceId", SPACE)]).await);
    denied(&world.as_alice("ChatappSyncPhoneNumber", &[("CustSpaceId", "cams-none")]).await);
    denied(&world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await);
    // Without a name the oldest space is meant, which is this one.
    passed(&world.as_alice("QueryChatappPhoneNumbers", &[]).await);
    world.grant("but-not-this", &[deny("cams:Query*", &own)]).await;
    let answer = world.as_alice("QueryChatappPhoneNumbers", &[]).await;
    assert_eq!(denied(&answer)["NoPermissionType"], "ExplicitDeny");
    let answer = world.as_alice("QueryChatappPhoneNumbers", &[("CustSpaceId", "")]).await;
    assert_eq!(denied(&answer)["NoPermissionType"], "ExplicitDeny");
}

#[tokio::test]
async fn a_key_that_may_do_nothing_cannot_fill_the_trail() {
    let world = World::new().await;
    let noted = async || {
        let query = service::ports::AuditQuery { limit: 500, ..Default::default() };
        world.service.audit(&query).await.unwrap().len()
    };
    let before = noted().await;
    for _ in 0..50 {
        denied(&world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await);
    }
    assert_eq!(noted().await - before, 10);
    world.clock.advance(Duration::from_secs(1));
    denied(&world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await);
    denied(&world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await);
    assert_eq!(noted().await - before, 11);
}

#[tokio::test]
async fn a_name_that_no_space_can_have_is_held_against_no_pattern() {
    let world = World::new().await;
    let pattern = format!("acs:cams:*:default:space/*{}b", "a".repeat(5_000));
    world.grant("costly", &[allow("cams:*", &pattern)]).await;
    let long = "a".repeat(50_000);
    let answer = world.as_alice("ChatappSyncPhoneNumber", &[("CustSpaceId", &long)]).await;
    let message = decoded(denied(&answer));
    assert_eq!(message["AuthResource"], "acs:cams:ap-southeast-1:default:space/-");
}

#[tokio::test]
async fn a_space_that_an_operation_does_not_read_opens_nothing() {
    let world = World::new().await;
    let own = format!("acs:cams:*:default:space/{SPACE}");
    world.grant("one-space", &[allow("cams:*", &own)]).await;
    let (of_space, waba) = (("CustSpaceId", SPACE), ("WabaId", "555000000000001"));
    let check = [of_space, ("PhoneNumber", NUMBER), ("VerifyCode", "123456")];
    for (action, parameters) in [
        ("ChatappBindWaba", &[of_space, waba][..]),
        ("GetPreValidatePhoneId", &check),
        ("IsvGetAppId", &[of_space, ("Type", "whatsapp")]),
        ("OpenChatappService", &[of_space]),
    ] {
        let message = decoded(denied(&world.as_alice(action, parameters).await));
        assert_eq!(message["AuthResource"], "acs:cams:ap-southeast-1:default:*", "{action}");
    }
}

#[tokio::test]
async fn a_space_that_is_denied_is_not_reached_through_the_account() {
    let world = World::new().await;
    let (add, send) = (
        [
            ("CustSpaceId", SPACE),
            ("Cc", "44"),
            ("PhoneNumber", "7700900123"),
            ("VerifiedName", "It"),
        ],
        [("CustSpaceId", SPACE), ("PhoneNumber", "447700900123"), ("Method", "sms")],
    );
    world.call("AddChatappPhoneNumber", &add).await.ok();
    let send = [&send[..], &[("Locale", "en_GB")]].concat();
    world.call("GetChatappVerifyCode", &send).await.ok();
    let code = world.code("447700900123").await;
    let check = [("PhoneNumber", "447700900123"), ("VerifyCode", code.as_str())];
    world.attach("AliyunCamsFullAccess").await;
    let own = format!("acs:cams:*:default:space/{SPACE}");
    world.grant("not-there", &[deny("cams:*", &own)]).await;
    let before = world.records().await;
    for (action, parameters) in
        [("GetPreValidatePhoneId", &check[..]), ("ChatappBindWaba", &[("WabaId", WABA)])]
    {
        let answer = world.as_alice(action, parameters).await;
        assert_eq!(denied(&answer)["NoPermissionType"], "ExplicitDeny", "{action}");
    }
    assert_eq!(world.records().await, before);
    passed(&world.as_alice("ChatappBindWaba", &[("WabaId", "555000000000001")]).await);
    world.call("GetPreValidatePhoneId", &check).await.ok();
}

#[tokio::test]
async fn where_and_how_a_request_came_counts() {
    let world = World::new().await;
    let condition = json!({
        "IpAddress": { "acs:SourceIp": ["192.0.2.0/24", "2001:db8::/32"] },
        "Bool": { "acs:SecureTransport": "true" },
    });
    world.grant("office", &[under(allow("cams:*", "*"), condition)]).await;
    passed(&world.alice_from("192.0.2.9", Scheme::HTTPS).await);
    passed(&world.alice_from("2001:db8::9", Scheme::HTTPS).await);
    passed(&world.alice_from("::ffff:192.0.2.9", Scheme::HTTPS).await);
    denied(&world.alice_from("192.0.2.9", Scheme::HTTP).await);
    denied(&world.alice_from("198.51.100.9", Scheme::HTTPS).await);
    // What the client writes about itself does not count; no connection is no address.
    let mut request = world.acs3(USER_KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
    for field in ["x-forwarded-for", "x-real-ip"] {
        request.headers.insert(field, HeaderValue::from_static("192.0.2.9"));
    }
    denied(&world.replay_over(&request, Some(("198.51.100.9", Scheme::HTTPS))).await);
    let answer = world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await;
    let message = decoded(denied(&answer));
    assert!(!message.to_string().contains("acs:SourceIp"), "{message}");
}

#[tokio::test]
async fn when_a_request_came_counts() {
    let world = World::new().await;
    let until = json!({ "DateLessThan": { "acs:CurrentTime": "2027-01-15T09:00:00Z" } });
    world.grant("till-nine", &[under(allow("cams:*", "*"), until)]).await;
    passed(&world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await);
    world.clock.advance(Duration::from_hours(1));
    denied(&world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await);
}

#[tokio::test]
async fn a_lasting_key_comes_without_a_second_factor() {
    let world = World::new().await;
    let without = json!({ "Bool": { "acs:MFAPresent": "false" } });
    world.attach("AliyunCamsFullAccess").await;
    world.grant("mfa", &[under(deny("cams:IsvGetAppId", "*"), without)]).await;
    let answer = world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await;
    assert_eq!(denied(&answer)["NoPermissionType"], "ExplicitDeny");
    let order = |mfa_present| TemporaryOrder {
        life: Duration::from_mins(15),
        session_policy: None,
        mfa_present,
    };
    let ask = [("Type", "whatsapp")];
    passed(&world.as_temporary(Some("alice"), &order(true), "IsvGetAppId", &ask).await);
    denied(&world.as_temporary(Some("alice"), &order(false), "IsvGetAppId", &ask).await);
}

#[tokio::test]
async fn a_session_policy_narrows_its_owner_and_adds_nothing() {
    let world = World::new().await;
    world.grant("queries", &[allow("cams:Query*", "*"), allow("cams:IsvGetAppId", "*")]).await;
    let session = policy(&[allow("cams:IsvGetAppId", "*"), allow("cams:ChatappSync*", "*")]);
    let order = TemporaryOrder {
        life: Duration::from_mins(15),
        session_policy: Some(session),
        mfa_present: false,
    };
    let ask = [("Type", "whatsapp")];
    passed(&world.as_temporary(Some("alice"), &order, "IsvGetAppId", &ask).await);
    let answer = world.as_temporary(Some("alice"), &order, "QueryChatappPhoneNumbers", &[]).await;
    assert_eq!(denied(&answer)["PolicyType"], "SessionPolicy");
    let sync = [("CustSpaceId", SPACE)];
    let answer = world.as_temporary(Some("alice"), &order, "ChatappSyncPhoneNumber", &sync).await;
    assert_eq!(denied(&answer)["PolicyType"], "AccountLevelIdentityBasedPolicy");
    // The account's own temporary key is bound by its session policy alone.
    passed(&world.as_temporary(None, &order, "ChatappSyncPhoneNumber", &sync).await);
    let answer = world.as_temporary(None, &order, "QueryChatappPhoneNumbers", &[]).await;
    let detail = denied(&answer);
    assert_eq!(detail["PolicyType"], "SessionPolicy");
    assert_eq!(detail["AuthPrincipalType"], "AssumedRoleUser");
}

fn decoded(detail: &Value) -> Value {
    let message = detail["EncodedDiagnosticMessage"].as_str().unwrap();
    serde_json::from_slice(&STANDARD.decode(message).unwrap()).unwrap()
}

#[tokio::test]
async fn the_deciding_statement_is_named_to_those_who_may_decode_messages() {
    let world = World::new().await;
    world.grant("nothing", &[deny("cams:*", "*")]).await;
    let ask = [("Type", "whatsapp")];
    let message = decoded(denied(&world.as_alice("IsvGetAppId", &ask).await));
    assert_eq!((&message["ExplicitDeny"], &message["MatchedPolicies"]), (&json!(true), &json!([])));
    assert_eq!(message["AuthResource"], "acs:cams:ap-southeast-1:default:*");
    world.grant("diagnose", &[allow("ram:DecodeDiagnosticMessage", "*")]).await;
    let message = decoded(denied(&world.as_alice("IsvGetAppId", &ask).await));
    assert_eq!(message["MatchedPolicies"][0]["PolicyName"], "nothing");
    assert_eq!(message["MatchedPolicies"][0]["StatementIndex"], 0);
}

#[tokio::test]
async fn a_denial_has_the_other_documented_form_where_that_is_set() {
    let world = World::new().await;
    let policy = Policy { ram_denial: RamDenial::NoPermission, ..Policy::default() };
    world.service.set_policy(policy);
    let answer = world.as_alice("IsvGetAppId", &[("Type", "whatsapp")]).await;
    assert_eq!(answer.outcome(), (403, "NoPermission"));
    assert_eq!(answer.body["AccessDeniedDetail"]["AuthPrincipalDisplayName"], "alice");
}

#[tokio::test]
async fn a_change_of_policy_counts_from_the_next_request_on_and_keys_die_with_their_user() {
    let world = World::new().await;
    let ask = [("Type", "whatsapp")];
    denied(&world.as_alice("IsvGetAppId", &ask).await);
    world.grant("all", &[allow("cams:*", "*")]).await;
    passed(&world.as_alice("IsvGetAppId", &ask).await);
    let (caller, all) = (Caller::operator(), name("all"));
    let none = policy(&[deny("cams:*", "*")]);
    world.service.change_policy(&caller, &account(), &all, &none).await.unwrap();
    denied(&world.as_alice("IsvGetAppId", &ask).await);
    let user = EntityRef::ram_user(&account(), &name("alice"));
    world.service.remove_entity(&caller, &user).await.unwrap();
    let answer = world.as_alice("IsvGetAppId", &ask).await;
    assert_eq!(answer.outcome(), (404, "InvalidAccessKeyId.NotFound"));
}

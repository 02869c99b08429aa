//! Every answer has the shape that the reference's data promises, so that typed clients parse it.

use std::collections::HashSet;

use api::cams::operation::OPERATIONS;
use serde_json::Value;

use crate::fixtures::KEY_ID;
use crate::harness::{Answer, SPACE, World};

const NUMBER: &str = "447700900123";
const MOVED: &str = "447700900456";
const KEY: &str = "-----BEGIN PUBLIC KEY-----\\nMAMCAQE=\\n-----END PUBLIC KEY-----";

/// Envelope fields of failures besides those of the operation; clients ignore what they do not know.
const BESIDES: [&str; 1] = ["Recommend"];

fn documented(action: &str) -> Value {
    let file: Value =
        serde_json::from_str(include_str!("../fixtures/cams/operations.json")).unwrap();
    let all = file["operations"].as_array().unwrap();
    let found = all.iter().find(|operation| operation["name"] == action).unwrap();
    found["response"].clone()
}

/// What is wrong with `value` where `schema` is promised; `null` fits everything (captured).
fn flaw(schema: &Value, value: &Value, place: &str) -> Option<String> {
    let fits = match schema["type"].as_str().unwrap() {
        _ if value.is_null() => true,
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer(int64)" | "integer(int32)" => value.is_i64(),
        "array" => {
            let Some(items) = value.as_array() else { return Some(format!("{place}: {value}")) };
            return items.iter().find_map(|item| flaw(&schema["items"], item, place));
        }
        "object" if schema["freeform"] == true => value.is_object(),
        "object" => {
            let Some(members) = value.as_object() else {
                return Some(format!("{place}: {value}"));
            };
            return members.iter().find_map(|(name, value)| {
                let place = format!("{place}.{name}");
                match schema["properties"].get(name) {
                    Some(schema) => flaw(schema, value, &place),
                    None if BESIDES.contains(&name.as_str()) => None,
                    None => Some(format!("{place} is not documented")),
                }
            });
        }
        other => panic!("{place}: a type that the test does not know: {other}"),
    };
    (!fits).then(|| format!("{place}: {value}"))
}

/// A field of `schema` that `value` does not have; below `null` and in what has no fixed fields, none is
/// looked for.
fn absent(schema: &Value, value: &Value, place: &str) -> Option<String> {
    if let Some(items) = value.as_array() {
        return items.iter().find_map(|item| absent(&schema["items"], item, place));
    }
    let members = value.as_object().filter(|_| schema["freeform"] != true)?;
    schema["properties"].as_object().unwrap().iter().find_map(|(name, schema)| {
        let place = format!("{place}.{name}");
        // A text about denials in answers that are none: left out, as one page has it.
        if name == "AccessDeniedDetail" {
            return None;
        }
        match members.get(name) {
            Some(value) => absent(schema, value, &place),
            None => Some(format!("{place} is absent")),
        }
    })
}

struct Stage {
    world: World,
    seen: HashSet<String>,
}

impl Stage {
    async fn new() -> Self {
        Self { world: World::new().await, seen: HashSet::new() }
    }

    /// Calls and checks; what is expected besides the shape is the code.
    async fn call(&mut self, action: &str, code: &str, parameters: &[(&str, &str)]) -> Value {
        let answer = self.world.call(action, parameters).await;
        assert_eq!(answer.outcome(), (200, code), "{action}: {}", answer.text);
        let Answer { body, .. } = answer;
        assert_eq!(flaw(&documented(action), &body, action), None);
        assert_eq!(absent(&documented(action), &body, action), None);
        for member in ["RequestId", "Code", "Message"] {
            assert!(body[member].is_string(), "{action}: {member}");
        }
        if code == "OK" {
            self.seen.insert(action.to_owned());
        }
        body
    }

    async fn about(&mut self, action: &str, code: &str, more: &[(&str, &str)]) -> Value {
        let parameters = [&[("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)], more].concat();
        self.call(action, code, &parameters).await
    }

    /// Each operation once: as a failure where it has one, then as a success.
    async fn go_through_everything(&mut self) {
        let send = [("Method", "sms"), ("Locale", "en_GB")];
        self.call("IsvGetAppId", "OK", &[("Type", "whatsapp")]).await;
        let code = [("Code", "AQBxyz"), ("Permissions", "[\"catalog_management\"]")];
        self.call("GetPermissionByCode", "OK", &code).await;
        self.call("GetChatappOpenStatus", "OK", &[]).await;
        self.call("OpenChatappService", "OK", &[]).await;
        let waba = [("WabaId", "102290129340398")];
        self.call("ChatappBindWaba", "OK", &waba).await;
        let in_space = [("CustSpaceId", SPACE), waba[0]];
        self.call("QueryChatappBindWaba", "OK", &[]).await;
        self.call("QueryWabaBusinessInfo", "OK", &in_space).await;
        let no_waba = [("CustSpaceId", SPACE), ("WabaId", "1")];
        let unknown = "InvalidParameter.WabaIdNotExist";
        self.call("QueryWabaBusinessInfo", unknown, &no_waba).await;
        for action in [
            "GetPhoneNumberVerificationStatus",
            "ChatappPhoneNumberRegister",
            "ChatappPhoneNumberDeregister",
            "QueryPhoneBusinessProfile",
            "ModifyPhoneBusinessProfile",
            "ChatappMigrationRegister",
            "GetPhoneEncryptionPublicKey",
            "GetChatappPhoneNumberSetting",
        ] {
            self.about(action, "InvalidParameter.PhoneNumberNotExist", &[]).await;
        }
        let add = [("Cc", "44"), ("PhoneNumber", "7700900123"), ("VerifiedName", "Lucky Shrub")];
        let add = [&[("CustSpaceId", SPACE)], &add[..]].concat();
        self.call("AddChatappPhoneNumber", "OK", &add).await;
        self.about("GetChatappVerifyCode", "OK", &send).await;
        self.about("GetChatappVerifyCode", "System.LimitControl", &send).await;
        let code = self.world.code(NUMBER).await;
        let check = [("PhoneNumber", NUMBER), ("VerifyCode", code.as_str())];
        self.call("GetPreValidatePhoneId", "OK", &check).await;
        self.call("GetPreValidatePhoneId", "VerifyCode.Expired", &check).await;
        self.about("ChatappPhoneNumberRegister", "OK", &[]).await;
        self.about("ChatappPhoneNumberDeregister", "OK", &[]).await;
        self.world.clock.advance(core::time::Duration::from_mins(1));
        self.about("GetChatappVerifyCode", "OK", &send).await;
        let code = self.world.code(NUMBER).await;
        self.about("ChatappVerifyAndRegister", "OK", &[("VerifyCode", &code)]).await;
        self.about("GetPhoneNumberVerificationStatus", "OK", &[]).await;
        self.call("ChatappSyncPhoneNumber", "OK", &[("CustSpaceId", SPACE)]).await;
        self.call("QueryChatappPhoneNumbers", "OK", &[]).await;
        self.about("ModifyPhoneBusinessProfile", "OK", &[("About", "Plants")]).await;
        self.about("QueryPhoneBusinessProfile", "OK", &[]).await;
        self.about("GetPhoneEncryptionPublicKey", "OK", &[]).await;
        self.about("UpdatePhoneEncryptionPublicKey", "OK", &[("EncryptionPublicKey", KEY)]).await;
        self.about("GetPhoneEncryptionPublicKey", "OK", &[]).await;
        self.about("GetChatappPhoneNumberSetting", "OK", &[]).await;
        self.about("GetWhatsappHealthStatus", "OK", &[("NodeType", "phone")]).await;
        let missing = "DetailError.TemplateNotExist";
        self.about("GetWhatsappHealthStatus", missing, &[("NodeType", "template")]).await;
        self.migrate(&send).await;
    }

    async fn migrate(&mut self, send: &[(&str, &str)]) {
        let moved = [("CustSpaceId", SPACE), ("PhoneNumber", MOVED)];
        let start = [("CustSpaceId", SPACE), ("CountryCode", "44"), ("MobileNumber", "7700900456")];
        self.about(
            "ChatappMigrationVerified",
            "Migration.StatusError",
            &[("VerifyCode", "123456")],
        )
        .await;
        self.about("GetMigrationVerifyCode", "Migration.StatusError", send).await;
        self.call("CreateChatappMigrationInitiate", "OK", &start).await;
        self.call("GetMigrationVerifyCode", "OK", &[&moved[..], send].concat()).await;
        let code = self.world.code(MOVED).await;
        let check = [&moved[..], &[("VerifyCode", code.as_str())]].concat();
        self.call("ChatappMigrationVerified", "OK", &check).await;
        self.call("ChatappMigrationRegister", "OK", &moved).await;
    }
}

#[tokio::test]
async fn every_answer_has_the_documented_shape_and_what_is_not_served_says_so() {
    let mut stage = Stage::new().await;
    stage.go_through_everything().await;
    let elsewhere = |name: &str| stage.seen.contains(name) || ELSEWHERE.contains(&name);
    for operation in OPERATIONS.iter().filter(|it| !elsewhere(it.name)) {
        assert!(NOT_SERVED.contains(&operation.name), "{} was not called", operation.name);
        let parameters: Vec<_> = operation
            .required
            .iter()
            .map(|name| (*name, if *name == "CustSpaceId" { SPACE } else { NUMBER }))
            .collect();
        let answer = stage.world.call_with(KEY_ID, operation.name, &parameters).await;
        let name = operation.name;
        assert_eq!(answer.outcome(), (404, "InvalidAction.NotFound"), "{name}: {}", answer.text);
        let message = answer.body["Message"].as_str().unwrap();
        assert!(message.contains("Rollcall registers phone numbers"), "{name}: {message}");
    }
    let served = NOT_SERVED.iter().find(|name| stage.seen.contains(**name));
    assert_eq!(served, None);
}

/// Callbacks, which have tests of their own.
const ELSEWHERE: [&str; 2] = ["UpdatePhoneWebhook", "UpdateAccountWebhook"];

/// Messages, templates, catalogues, instances: what Rollcall is not for.
const NOT_SERVED: [&str; 21] = [
    "GetChatappUploadAuthorization",
    "SubmitIsvCustomerTerms",
    "GetCommerceSetting",
    "UpdateCommerceSetting",
    "ChatappEmbedSignUp",
    "UpdatePhoneMessageQrdl",
    "ListPhoneMessageQrdl",
    "DeletePhoneMessageQrdl",
    "CreatePhoneMessageQrdl",
    "SyncBusinessAppHistory",
    "UpdateWabaMmlStatus",
    "CreateInstance",
    "ListInstance",
    "QueryInstance",
    "UpdateInstance",
    "DeleteInstance",
    "GetConversationalAutomation",
    "UpdateConversationalAutomation",
    "GetWhatsappUserName",
    "UpdateWhatsappUserName",
    "DeleteWhatsappUserName",
];

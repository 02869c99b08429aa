//! Answers against Meta's published OpenAPI description, where it has schemas (v23.0, MIT).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::{WABA, World};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../../tests/upstream/cloud-api-openapi.json");
    serde_json::from_str(text).unwrap()
});

/// Where the description is known to differ from the service and from Meta's own pages: it knows neither
/// `NOT_VERIFIED` nor the states of numbers that are connected or were given up.
const KNOWN: [&str; 5] = [
    "PhoneNumberInfo.code_verification_status: NOT_VERIFIED",
    "WhatsAppCodeVerificationStatus: NOT_VERIFIED",
    "WhatsAppPhoneNumberStatus: CONNECTED",
    "WhatsAppPhoneNumberStatus: DISCONNECTED",
    "WhatsAppPhoneNumberStatus: UNVERIFIED",
];

/// What differs, each once.
#[derive(Default)]
struct Differences(BTreeSet<String>);

impl Differences {
    fn named(&mut self, name: &str, value: &Value) {
        let schema = &DESCRIPTION["components"]["schemas"][name];
        assert!(schema.is_object(), "the description has no {name}");
        self.of(schema, value, name);
    }

    fn of(&mut self, schema: &Value, value: &Value, place: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.named(reference.rsplit('/').next().unwrap(), value);
        }
        if let Some(kinds) = schema["oneOf"].as_array() {
            let fits = |kind: &Value| {
                let mut inner = Self::default();
                inner.of(kind, value, place);
                inner.0.is_empty()
            };
            if !kinds.iter().any(fits) {
                self.0.insert(format!("{place}: none of the forms: {value}"));
            }
            return;
        }
        let fits = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some(other) => panic!("{place}: no test for type {other}"),
            None => true,
        };
        if !fits {
            self.0.insert(format!("{place}: is no {}: {value}", schema["type"]));
        }
        if let Some(known) = schema["enum"].as_array()
            && !known.contains(value)
        {
            self.0.insert(format!("{place}: {}", value.as_str().unwrap_or_default()));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            if value.get(name.as_str().unwrap()).is_none() {
                self.0.insert(format!("{place}: lacks {name}"));
            }
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.of(schema, value, &format!("{place}.{name}"));
            }
        }
        for value in value.as_array().into_iter().flatten() {
            self.of(&schema["items"], value, &format!("{place}[]"));
        }
    }
}

/// The members that a schema has, to ask for all of them.
fn members(name: &str) -> String {
    let properties = &DESCRIPTION["components"]["schemas"][name]["properties"];
    let names: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
    names.join(",")
}

/// Compares every way to read the number as it stands.
async fn read(world: &World, differences: &mut Differences) {
    for name in ["PhoneNumberInfo", "WhatsAppAccountNumber"] {
        let line = format!("GET /v23.0/<phone>?fields={}", members(name));
        differences.named(name, &world.ok("EAAtest", &line).await);
    }
    let row = members("WhatsAppBusinessAccountPhoneNumber");
    let line = format!("GET /v23.0/{WABA}/phone_numbers?fields={row}&limit=1");
    let list = world.ok("EAAtest", &line).await;
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    differences.named("WhatsAppBusinessAccountPhoneNumbersConnection", &list);
}

#[tokio::test]
async fn a_life_is_answered_as_described_but_for_what_is_known_to_differ() {
    let world = World::new().await;
    let mut differences = Differences::default();
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    let added = world.ok("EAAtest", &format!("POST /v23.0/{WABA}/{add}")).await;
    differences.named("PhoneNumberCreateResponse", &added);
    read(&world, &mut differences).await;
    let register = r#"{"messaging_product":"whatsapp","pin":"246810"}"#;
    for (name, call) in [
        ("RequestCodeResponse", "/request_code?code_method=SMS&language=en_US".to_owned()),
        ("VerifyCodeResponse", "/verify_code?code=<code>".to_owned()),
        ("WhatsAppBusinessPhoneNumberRegistrationResponse", format!("/register {register}")),
        ("SuccessResponse", r#" {"pin":"135790"}"#.to_owned()),
        ("SuccessResponse", r#" {"new_display_name":"Jasper's Market"}"#.to_owned()),
        ("DeregisterResponse", "/deregister".to_owned()),
    ] {
        let answer = world.ok("EAAtest", &format!("POST /v23.0/<phone>{call}")).await;
        differences.named(name, &answer);
        read(&world, &mut differences).await;
    }
    let found: Vec<_> = differences.0.iter().map(String::as_str).collect();
    assert_eq!(found, KNOWN);
}

#[tokio::test]
async fn subscriptions_and_refusals_are_answered_as_described() {
    let world = World::new().await;
    let mut differences = Differences::default();
    let apps = format!("/v23.0/{WABA}/subscribed_apps");
    for (method, name) in [
        ("POST", "SubscriptionResponse"),
        ("GET", "SubscribedAppsResponse"),
        ("DELETE", "SubscriptionResponse"),
        ("GET", "SubscribedAppsResponse"),
    ] {
        differences.named(name, &world.ok("EAAtest", &format!("{method} {apps}")).await);
    }
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    world.ok("EAAtest", &format!("POST /v23.0/{WABA}/{add}")).await;
    let register = r#"{"messaging_product":"whatsapp","pin":"246810"}"#;
    for (token, line) in [
        ("EAAtest", format!("POST /v23.0/{WABA}/{add}")),
        ("EAAtest", "POST /v23.0/<phone>/verify_code?code=123456".to_owned()),
        ("EAAtest", "POST /v23.0/<phone>/verify_code".to_owned()),
        ("EAAtest", format!("POST /v23.0/<phone>/register {register}")),
        ("EAAtest", "POST /v23.0/<phone>/deregister".to_owned()),
        ("EAAtest", "GET /v23.0/123456789012345".to_owned()),
        ("EAAmanage", format!("POST /v23.0/<phone>/register {register}")),
        ("EAAexpired", "GET /v23.0/<phone>".to_owned()),
        ("", "GET /v23.0/<phone>".to_owned()),
    ] {
        let answer = world.ask(token, &line).await;
        assert!(!answer.status.is_success(), "{line}");
        differences.named("GraphAPIError", &answer.body);
    }
    assert_eq!(differences.0, BTreeSet::new());
}

#[test]
fn what_does_not_fit_is_found() {
    let mut differences = Differences::default();
    differences.named("PhoneNumberCreateResponse", &serde_json::json!({ "id": 1 }));
    differences.named("PhoneNumberCreateResponse", &serde_json::json!({}));
    differences.named("SubscribedAppsResponse", &serde_json::json!({ "data": [{ "id": 7 }] }));
    differences.named("PhoneNumberInfo", &serde_json::json!({ "quality_rating": "PINK" }));
    assert_eq!(differences.0.len(), 4, "{:?}", differences.0);
}

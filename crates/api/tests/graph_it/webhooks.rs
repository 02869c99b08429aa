//! Webhooks: the handshake, who is told, what, and how it is signed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use registration::{NameFault, PhoneNumber, TextId as _, WabaId};
use serde_json::{Value, json};
use service::callbacks::HUB_SIGNATURE;
use service::directory::WebhookScope;
use service::ports::{CallbackClient, CallbackError, CallbackPost, Reach};
use service::{Caller, Policy};
use sha2::Sha256;

use crate::harness::{FOREIGN, WABA, World};

const NATIONAL: &str = "7700900123";
const TOKEN: &str = "a token & more";

/// Endpoints that know one verify token, and keep what they are told.
#[derive(Default)]
pub(crate) struct Endpoints {
    asked: Mutex<Vec<String>>,
    posts: Mutex<Vec<CallbackPost>>,
}

#[async_trait]
impl CallbackClient for Endpoints {
    async fn post(&self, post: &CallbackPost) -> Result<u16, CallbackError> {
        self.posts.lock().unwrap().push(post.clone());
        Ok(200)
    }

    async fn ask(&self, url: &str, _: Reach) -> Result<String, CallbackError> {
        self.asked.lock().unwrap().push(url.to_owned());
        let query = url.split_once('?').unwrap().1;
        let parameters: BTreeMap<_, _> =
            query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        assert_eq!(parameters["hub.mode"], "subscribe");
        if url.contains("parrot") {
            return Ok("parrot".to_owned());
        }
        if parameters["hub.verify_token"] == "a%20token%20%26%20more" {
            Ok(format!("{}\n", parameters["hub.challenge"]))
        } else {
            Err(CallbackError::Failed("answered 403".to_owned()))
        }
    }
}

impl World {
    async fn subscribe(&self, more: Value) {
        self.ok("EAAtest", &format!("POST /v25.0/{WABA}/subscribed_apps {more}")).await;
    }

    /// Posts what is due: address and change of each, in the order in which they happened.
    async fn told(&self) -> Vec<(String, String, Value)> {
        let client = Arc::clone(&self.endpoints) as Arc<dyn CallbackClient>;
        self.service.post_callbacks_due(&client).await;
        let mut posts = core::mem::take(&mut *self.endpoints.posts.lock().unwrap());
        posts.sort_by_key(|post| post.headers.iter().find(|it| it.0.ends_with("Id")).cloned());
        let told = posts.iter().map(|post| {
            let body: Value = serde_json::from_str(&post.body).unwrap();
            assert_eq!(body["object"], "whatsapp_business_account");
            assert_eq!(body["entry"][0]["id"], WABA);
            assert!(body["entry"][0]["time"].is_i64());
            let change = &body["entry"][0]["changes"][0];
            let field = change["field"].as_str().unwrap().to_owned();
            (post.url.clone(), field, change["value"].clone())
        });
        told.collect()
    }
}

fn operator() -> (Caller, WabaId, PhoneNumber) {
    let number = PhoneNumber::parse("447700900123").unwrap();
    (Caller::operator(), WabaId::parse(WABA).unwrap(), number)
}

fn endpoint(url: &str) -> Value {
    json!({ "override_callback_uri": url, "verify_token": TOKEN })
}

#[tokio::test]
async fn an_endpoint_repeats_the_challenge_before_it_is_told_anything() {
    let world = World::new().await;
    let subscribe = async |body: Value| {
        world.ask("EAAtest", &format!("POST /v25.0/{WABA}/subscribed_apps {body}")).await
    };
    let wrong = json!({ "override_callback_uri": "https://a.example/x", "verify_token": "no" });
    for (body, code, text) in [
        (wrong, 2200, "answered 403"),
        (endpoint("https://parrot.example/"), 2200, "did not repeat"),
        (json!({ "override_callback_uri": "https://a.example/x" }), 100, "verify_token"),
        (endpoint("ftp://a.example/x"), 100, "http"),
        (endpoint("https://user:secret@a.example/x"), 100, "password"),
    ] {
        let answer = subscribe(body).await;
        assert_eq!(answer.outcome(), (400, code, 0), "{}", answer.text);
        assert!(answer.text.contains(text), "{}", answer.text);
    }
    let list = format!("GET /v25.0/{WABA}/subscribed_apps");
    assert_eq!(world.ok("EAAtest", &list).await["data"], json!([]), "nothing was kept");
    world.subscribe(endpoint("https://a.example/x?y=1")).await;
    let shown = world.ok("EAAtest", &list).await;
    assert_eq!(shown["data"][0]["override_callback_uri"], "https://a.example/x?y=1");
    let asked = world.endpoints.asked.lock().unwrap().pop().unwrap();
    assert!(asked.starts_with("https://a.example/x?y=1&hub.mode=subscribe&hub.challenge="));
    world.subscribe(json!({})).await;
    let shown = world.ok("EAAtest", &list).await;
    assert_eq!(shown["data"][0].get("override_callback_uri"), None, "back to the app's own");
}

#[tokio::test]
async fn the_life_of_a_number_is_told_and_signed() {
    let world = World::with(Policy { review_names: true, ..Policy::default() }).await;
    world.subscribe(endpoint("https://a.example/x")).await;
    world.registered("EAAtest", WABA, NATIONAL).await;
    let number = "447700900123";
    let quality = |told: &[(String, String, Value)]| {
        assert_eq!(told.len(), 1, "neither code nor registration has a word: {told:?}");
        assert_eq!(told[0].1, "phone_number_quality_update");
        assert_eq!(told[0].2["event"], "ONBOARDING");
        assert_eq!(told[0].2["display_phone_number"], number);
    };
    quality(&world.told().await);

    let (operator, waba, digits) = operator();
    let mut decisions = Vec::new();
    world.service.approve_name(&operator, &waba, digits, None).await.unwrap();
    world.ok("EAAtest", r#"POST /v25.0/<phone> {"new_display_name":"Jasper's Market"}"#).await;
    let why = NameFault::Unrelated;
    world.service.decline_name(&operator, &waba, digits, None, why).await.unwrap();
    for (_, field, value) in world.told().await {
        assert_eq!(field, "phone_number_name_update");
        assert_eq!(value["display_phone_number"], number);
        let text = |name: &str| value[name].as_str().unwrap_or("null").to_owned();
        decisions.push([
            text("decision"),
            text("requested_verified_name"),
            text("rejection_reason"),
        ]);
    }
    let name = "Jasper's Market";
    assert_eq!(
        decisions,
        [
            ["APPROVED", "Lucky Shrub", "null"],
            ["PENDING", name, "null"],
            ["REJECTED", name, "NAME_ENDCLIENT_NOTRELATED"],
        ]
    );

    world.ok("EAAtest", r#"POST /v25.0/<phone> {"pin":"111111"}"#).await;
    assert_eq!(world.told().await, [], "what is set through the API is not told");
    let pin = registration::TwoStepPin::parse("222222").unwrap();
    world.service.set_two_step(&operator, digits, None, &pin).await.unwrap();
    world.service.clear_two_step(&operator, digits, None).await.unwrap();
    world.ok("EAAtest", "POST /v25.0/<phone>/deregister").await;
    let events: Vec<_> =
        world.told().await.into_iter().map(|it| (it.1, it.2["event"].clone())).collect();
    let expected = [
        ("security", "PIN_CHANGED"),
        ("security", "PIN_REQUEST_SUCCESS"),
        ("account_update", "ACCOUNT_OFFBOARDED"),
    ];
    assert_eq!(events, expected.map(|(field, event)| (field.to_owned(), json!(event))));
}

#[tokio::test]
async fn a_post_is_signed_with_the_secret_of_the_app() {
    let world = World::new().await;
    world.subscribe(endpoint("https://a.example/x")).await;
    world.registered("EAAtest", WABA, NATIONAL).await;
    let client = Arc::clone(&world.endpoints) as Arc<dyn CallbackClient>;
    world.service.post_callbacks_due(&client).await;
    let post = world.endpoints.posts.lock().unwrap().pop().unwrap();
    let app = WebhookScope::Account(registration::AccountId::parse("default").unwrap());
    let app = world.service.webhook("graph", &app).await.unwrap().unwrap();
    let secret = world.service.webhook_secret(&app).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).unwrap();
    mac.update(post.body.as_bytes());
    let wanted = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let signature = post.headers.iter().find(|(name, _)| *name == HUB_SIGNATURE).unwrap();
    assert_eq!(signature.1, wanted);
}

#[tokio::test]
async fn the_nearest_endpoint_is_told_and_only_while_the_app_listens() {
    let world = World::new().await;
    let app = world.ok("EAAtest", "GET /v25.0/debug_token?input_token=EAAtest").await;
    let app = app["data"]["app_id"].as_str().unwrap().to_owned();
    let own = json!({
        "object": "whatsapp_business_account", "callback_url": "https://app.example/",
        "verify_token": TOKEN, "fields": "account_update,messages",
    });
    world.ok("EAAtest", &format!("POST /v25.0/{app}/subscriptions {own}")).await;
    let id = world.registered("EAAtest", WABA, NATIONAL).await;
    assert_eq!(world.told().await, [], "the app does not listen to the WABA");
    let configure = json!({ "webhook_configuration": endpoint("https://number.example/") });
    let early = world.ask("EAAtest", &format!("POST /v25.0/{id} {configure}")).await;
    assert_eq!(early.outcome(), (400, 100, 0));
    assert!(early.text.contains("Before override the current callback uri"), "{}", early.text);

    world.subscribe(json!({})).await;
    let (operator, _, digits) = operator();
    let whom = async || {
        let pin = registration::TwoStepPin::parse("222222").unwrap();
        world.service.set_two_step(&operator, digits, None, &pin).await.unwrap();
        world.service.deregister(&operator, None, digits).await.unwrap();
        let told = world.told().await;
        world.wait(601);
        let call = |call: &str| format!("POST /v25.0/{id}/{call}");
        world.ok("EAAtest", &call("request_code?code_method=SMS&language=en")).await;
        world.ok("EAAtest", &call("verify_code?code=<code>")).await;
        let again = r#"register {"messaging_product":"whatsapp","pin":"222222"}"#;
        world.ok("EAAtest", &call(again)).await;
        let again = world.told().await;
        told.into_iter().chain(again).map(|it| (it.0, it.2["event"].clone())).collect::<Vec<_>>()
    };
    let to = |url: &str, events: &[&str]| {
        events.iter().map(|event| (url.to_owned(), json!(event))).collect::<Vec<_>>()
    };
    let all = ["PIN_CHANGED", "ACCOUNT_OFFBOARDED", "ACCOUNT_RECONNECTED"];
    assert_eq!(whom().await, to("https://app.example/", &all[1..]), "only the fields it wants");
    world.subscribe(endpoint("https://waba.example/")).await;
    assert_eq!(whom().await, to("https://waba.example/", &all));
    world.ok("EAAtest", &format!("POST /v25.0/{id} {configure}")).await;
    assert_eq!(whom().await, to("https://number.example/", &all));
    let shown = world.ok("EAAtest", &format!("GET /v25.0/{id}?fields=webhook_configuration")).await;
    let expected = json!({
        "application": "https://app.example/",
        "whatsapp_business_account": "https://waba.example/",
        "phone_number": "https://number.example/",
    });
    assert_eq!(shown["webhook_configuration"], expected);
    world.ok("EAAtest", &format!("DELETE /v25.0/{WABA}/subscribed_apps")).await;
    assert_eq!(whom().await, []);
}

#[tokio::test]
async fn nobody_sets_endpoints_of_another_account() {
    let world = World::new().await;
    let id = world.registered("EAAtest", WABA, NATIONAL).await;
    world.subscribe(endpoint("https://a.example/x")).await;
    let body = endpoint("https://thief.example/");
    let configure = json!({ "webhook_configuration": body });
    let app = world.ok("EAAtest", "GET /v25.0/debug_token?input_token=EAAtest").await;
    let app = app["data"]["app_id"].as_str().unwrap().to_owned();
    for line in [
        format!("POST /v25.0/{WABA}/subscribed_apps {body}"),
        format!("DELETE /v25.0/{WABA}/subscribed_apps"),
        format!("GET /v25.0/{app}/subscriptions"),
        format!("POST /v25.0/{app}/subscriptions {body}"),
        format!("DELETE /v25.0/{app}/subscriptions"),
        format!("POST /v25.0/{id} {configure}"),
    ] {
        assert_eq!(world.ask("EAAother", &line).await.outcome(), (400, 100, 33), "{line}");
    }
    let list = format!("GET /v25.0/{FOREIGN}/subscribed_apps");
    assert_eq!(world.ask("EAAtest", &list).await.outcome(), (400, 100, 33));
    let kept = world.ok("EAAtest", &format!("GET /v25.0/{WABA}/subscribed_apps")).await;
    assert_eq!(kept["data"][0]["override_callback_uri"], "https://a.example/x");
}

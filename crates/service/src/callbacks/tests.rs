//! From decision to post, over the store in memory.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use registration::{
    CodeMethod, Locale, PhoneNumber, Platform, TextId, Timestamp, VerificationCode, VerifiedName,
    WabaId,
};
use serde_json::Value;
use sha2::Sha256;

use super::{ID, SIGNATURE, TIMESTAMP, UrlFault, WebhookOrder, WebhookSet};
use crate::caller::Caller;
use crate::directory::{Webhook, WebhookScope};
use crate::hashing::{HashCost, Hasher};
use crate::keys::{KeyRing, MasterKeys};
use crate::numbering;
use crate::numbers::{ClaimName, CodeAnswer, CodeOrder, PinInput, RegisterOrder};
use crate::ports::{
    Callback, CallbackClient, CallbackError, CallbackPost, CallbackQuery, CallbackState,
    CodeDelivery, CodeMessage, DeliveryError, HandedOver, NoRehearsal, Reach, SendQuery, Store,
};
use crate::service::{Ports, Service};
use crate::testing::store_contract::sample::{put_all, seed, waba};
use crate::testing::{ManualClock, MemoryStore, SeededEntropy};
use crate::upkeep::Removed;
use crate::{Policy, ServiceError};

const NUMBER: &str = "447700900123";

struct Nobody;

#[async_trait]
impl CodeDelivery for Nobody {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: "nobody".to_owned(), provider_id: None })
    }
}

/// Answers as told, then always 200; keeps what was posted.
#[derive(Default)]
struct Endpoint {
    answers: Mutex<VecDeque<Result<u16, CallbackError>>>,
    posts: Mutex<Vec<CallbackPost>>,
}

#[async_trait]
impl CallbackClient for Endpoint {
    async fn ask(&self, url: &str, _: Reach) -> Result<String, CallbackError> {
        Err(CallbackError::Failed(format!("nobody answers {url}")))
    }

    async fn post(&self, post: &CallbackPost) -> Result<u16, CallbackError> {
        self.posts.lock().expect("unharmed").push(post.clone());
        self.answers.lock().expect("unharmed").pop_front().unwrap_or(Ok(200))
    }
}

/// The account `default` with the WABAs `waba-1` and `waba-2` in the space `default`.
struct World {
    service: Arc<Service>,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    endpoint: Arc<Endpoint>,
}

fn id<T: TextId>(text: &str) -> T {
    T::parse(text).expect("an id")
}

fn number() -> PhoneNumber {
    PhoneNumber::parse(NUMBER).expect("a number")
}

fn caller() -> Caller {
    Caller { account: Some(id("default")), dialect: "cams", actor: "cams:LTAI".into() }
}

fn registration() -> RegisterOrder {
    RegisterOrder { platform: Platform::CloudApi, pin: PinInput::NotAsked, set_pin: None }
}

fn order(scope: WebhookScope, url: &str) -> WebhookOrder {
    WebhookOrder {
        dialect: "cams",
        scope,
        account: id("default"),
        url: Some(url.to_owned()),
        active: None,
        secret: None,
        details: None,
    }
}

fn space() -> WebhookScope {
    WebhookScope::Space(id("default"))
}

impl World {
    async fn new() -> Self {
        let entropy = Arc::new(SeededEntropy::new(7));
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 1, 1);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::default());
        let ports = Ports {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as _,
            entropy,
            delivery: Arc::new(Nobody),
            rehearsal: Arc::new(NoRehearsal),
        };
        let service = Arc::new(Service::new(ports, keys, hasher, Policy::default()));
        seed(&*store).await;
        Self { service, store, clock, endpoint: Arc::default() }
    }

    async fn set(&self, order: &WebhookOrder) -> Webhook {
        match self.service.set_webhook(&caller(), order).await.expect("the store") {
            WebhookSet::Done(webhook) => webhook,
            other @ (WebhookSet::BadUrl(_) | WebhookSet::Unknown) => panic!("{other:?}"),
        }
    }

    async fn add(&self, waba: &str, name: &str) {
        let name = VerifiedName::parse(name).expect("a name");
        let name = ClaimName { name, certificate_serial: None, is_vouched_for: true };
        self.service.add_number(&caller(), &id(waba), number(), &name).await.expect("added");
    }

    /// Requests a code and answers it, with registration if asked.
    async fn confirm(&self, waba: &str, register: Option<RegisterOrder>) {
        let order = CodeOrder {
            payer: id("default"),
            waba: id(waba),
            client: None,
            planned: numbering::plan_e164(NUMBER).expect("a mobile number"),
            method: CodeMethod::Sms,
            locale: Locale::english(),
            pin: PinInput::NotAsked,
            claim: None,
            only_unproven: false,
        };
        self.service.request_code(&caller(), &order).await.expect("sent");
        let code = self.code().await;
        let answer = CodeAnswer { waba: id(waba), number: number(), code: Some(code), register };
        self.service.verify_code(&caller(), &answer).await.expect("confirmed");
        self.clock.advance(Duration::from_hours(1));
    }

    async fn code(&self) -> VerificationCode {
        let query = SendQuery { limit: 1, ..SendQuery::default() };
        let send = self.store.sends(&query).await.expect("store").remove(0);
        self.service.message(&send).expect("its key is there").code
    }

    async fn post_due(&self) {
        let client = Arc::clone(&self.endpoint) as Arc<dyn CallbackClient>;
        self.service.post_callbacks_due(&client).await;
    }

    async fn outbox(&self) -> Vec<Callback> {
        let query = CallbackQuery { limit: 999, ..CallbackQuery::default() };
        let mut all = self.store.callbacks(&query).await.expect("store");
        all.reverse();
        all
    }

    async fn kinds(&self, webhook: &Webhook) -> Vec<String> {
        let id = webhook.key().id;
        let all = self.outbox().await.into_iter().filter(|it| it.webhook == id);
        all.map(|it| it.kind).collect()
    }

    fn posts(&self) -> Vec<CallbackPost> {
        core::mem::take(&mut *self.endpoint.posts.lock().expect("unharmed"))
    }

    fn answer(&self, answers: impl IntoIterator<Item = Result<u16, CallbackError>>) {
        self.endpoint.answers.lock().expect("unharmed").extend(answers);
    }
}

#[tokio::test]
async fn a_number_is_told_about_through_its_life() {
    let world = World::new().await;
    let hook = world.set(&order(space(), "https://callbacks.example/account")).await;
    world.add("waba-1", "Lucky Shrub").await;
    world.add("waba-1", "Lucky Shrub").await;
    world.add("waba-1", "Jasper's Market").await;
    world.confirm("waba-1", None).await;
    let waba: WabaId = id("waba-1");
    let service = &world.service;
    service.register(&caller(), &waba, number(), &registration()).await.expect("registered");
    service.register(&caller(), &waba, number(), &registration()).await.expect("still is");
    service.deregister(&caller(), Some(&waba), number()).await.expect("deregistered");
    let told = ["number_added", "name_changed", "code_confirmed", "registered", "deregistered"];
    assert_eq!(
        world.kinds(&hook).await,
        told,
        "each change once, nothing for what changed nothing"
    );
    let statuses: Vec<Value> = world
        .outbox()
        .await
        .iter()
        .map(|it| serde_json::from_str::<Value>(&it.body).expect("JSON")[0].clone())
        .collect();
    let status = |n: usize| (statuses[n]["Status"].as_str(), statuses[n]["VerifiedName"].as_str());
    assert_eq!(status(0), (Some("UNVERIFIED"), Some("Lucky Shrub")));
    assert_eq!(status(2), (Some("PENDING"), Some("Jasper's Market")));
    assert_eq!(status(3).0, Some("CONNECTED"));
    assert_eq!(status(4).0, Some("DISCONNECTED"));
    assert_eq!(statuses[3]["CodeVerificationStatus"], "VERIFIED");
    assert_eq!(statuses[3]["CustSpaceId"], "default");
    assert_eq!(statuses[3]["PhoneNumber"], NUMBER);
}

#[tokio::test]
async fn a_refused_request_tells_nobody() {
    let world = World::new().await;
    world.set(&order(space(), "https://callbacks.example/account")).await;
    world.add("waba-1", "Lucky Shrub").await;
    let waba: WabaId = id("waba-1");
    let refused = world.service.register(&caller(), &waba, number(), &registration()).await;
    assert!(matches!(refused, Err(ServiceError::Refused(_))));
    assert_eq!(world.outbox().await.len(), 1, "that it was added");
}

#[tokio::test]
async fn who_loses_a_number_is_told_so_and_no_more() {
    let world = World::new().await;
    put_all(&*world.store, vec![waba("waba-3")]).await.expect("new");
    world.add("waba-1", "Lucky Shrub").await;
    world.confirm("waba-1", Some(registration())).await;
    world.add("waba-2", "Jasper's Market").await;
    let claims = world.service.number(number()).await.expect("store").expect("there").claims;
    let scope = |n: usize| WebhookScope::Number {
        claim: claims[n].id.clone(),
        waba: claims[n].waba.clone(),
    };
    let (loser, winner) = (
        world.set(&order(scope(0), "https://callbacks.example/loser")).await,
        world.set(&order(scope(1), "https://callbacks.example/winner")).await,
    );
    let account = world.set(&order(space(), "https://callbacks.example/loser")).await;
    world.confirm("waba-2", Some(registration())).await;
    assert_eq!(world.kinds(&loser).await, ["logged_off"]);
    assert_eq!(world.kinds(&winner).await, ["registered"]);
    assert_eq!(world.kinds(&account).await, ["registered"], "one address is told once");
    for callback in world.outbox().await.iter().filter(|it| it.webhook == loser.key().id) {
        assert!(!callback.body.contains("waba-2"), "{}", callback.body);
        assert!(!callback.body.contains("Jasper"), "{}", callback.body);
    }
}

#[tokio::test]
async fn a_post_is_signed_with_the_secret_of_its_webhook() {
    let world = World::new().await;
    let hook = world.set(&order(space(), "https://callbacks.example/a?b=c")).await;
    world.add("waba-1", "Lucky Shrub").await;
    world.post_due().await;
    let [post] = &world.posts()[..] else { panic!("one") };
    let header = |name: &str| {
        let found = post.headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).expect(name)
    };
    let secret = world.service.webhook_secret(&hook).expect("opens");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("a key");
    mac.update(format!("{}.{}.{}", header(ID), header(TIMESTAMP), post.body).as_bytes());
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(header(SIGNATURE), expected);
    assert_eq!(post.url, "https://callbacks.example/a?b=c");
    assert_eq!(post.reach, Reach::PUBLIC);
    assert_eq!(secret.reveal().len(), 32);
    assert!(!format!("{hook:?}").contains(secret.reveal()), "sealed");
    let [callback] = &world.outbox().await[..] else { panic!("one") };
    assert!(matches!(callback.state, CallbackState::Delivered { .. }));
    assert_eq!(header(ID), callback.id.to_string());
}

#[tokio::test]
async fn failures_are_retried_on_the_schedule_and_then_given_up() {
    let world = World::new().await;
    world.set(&order(space(), "https://callbacks.example/a")).await;
    let failed = || Err(CallbackError::Failed("connection refused".into()));
    world.answer([Ok(500), failed(), Ok(302), Ok(404), failed(), Ok(503), Ok(500), Ok(500)]);
    world.add("waba-1", "Lucky Shrub").await;
    let started = world.service.now();
    let mut ids = Vec::new();
    for wait in Policy::default().callbacks.waits {
        world.post_due().await;
        let [post] = &world.posts()[..] else { panic!("one attempt") };
        ids.push(post.headers.iter().find(|(name, _)| *name == ID).cloned());
        let [callback] = &world.outbox().await[..] else { panic!("one") };
        let CallbackState::Due { at } = callback.state else { panic!("{callback:?}") };
        let pause = at.since(world.service.now());
        assert!(pause >= wait && pause <= wait + wait / 10, "{pause:?} for {wait:?}");
        world.post_due_before(at).await;
    }
    world.post_due().await;
    assert_eq!(world.posts().len(), 1);
    let [callback] = &world.outbox().await[..] else { panic!("one") };
    assert!(matches!(callback.state, CallbackState::Failed { .. }), "{callback:?}");
    assert_eq!((callback.attempt, callback.note.as_deref()), (8, Some("answered 500")));
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "one id in every attempt");
    assert!(world.service.now().since(started) >= Duration::from_hours(27));
}

#[tokio::test]
async fn an_endpoint_that_fails_for_days_is_switched_off_until_it_is_set_again() {
    let world = World::new().await;
    let off_after = Policy::default().callbacks.off_after;
    let hook = world.set(&order(space(), "https://callbacks.example/a")).await;
    world.answer((0..99).map(|_| Ok(500)));
    world.add("waba-1", "A").await;
    world.post_due().await;
    world.clock.advance(off_after.saturating_sub(Duration::from_secs(1)));
    world.add("waba-1", "B").await;
    world.post_due().await;
    let now = world.service.webhook("cams", &space()).await.expect("store").expect("there");
    assert!(now.is_listening(), "not yet");
    world.clock.advance(Duration::from_secs(1));
    world.add("waba-1", "C").await;
    world.post_due().await;
    let now = world.service.webhook("cams", &space()).await.expect("store").expect("there");
    assert_eq!(now.off_since, Some(world.service.now()));
    assert!(!now.is_listening());
    let waiting = world.outbox().await.len();
    world.add("waba-1", "D").await;
    assert_eq!(world.outbox().await.len(), waiting, "nothing more is entered");
    world.clock.advance(Duration::from_hours(48));
    world.posts();
    world.post_due().await;
    assert_eq!(world.posts(), [], "what was left is given up");
    let again = world.set(&order(space(), "https://callbacks.example/a")).await;
    assert!(again.is_listening());
    assert_eq!(again.sealed_secret, hook.sealed_secret, "the secret stays");
    world.endpoint.answers.lock().expect("unharmed").clear();
    world.add("waba-1", "E").await;
    world.post_due().await;
    assert_eq!(world.posts().len(), 1);
}

#[tokio::test]
async fn one_success_ends_a_row_of_failures() {
    let world = World::new().await;
    world.set(&order(space(), "https://callbacks.example/a")).await;
    let failing_since = async || {
        let found = world.service.webhook("cams", &space()).await.expect("store");
        found.expect("there").failing_since
    };
    world.answer([Ok(500)]);
    world.add("waba-1", "A").await;
    world.post_due().await;
    assert_eq!(failing_since().await, Some(world.service.now()));
    world.clock.advance(Duration::from_secs(6));
    world.post_due().await;
    assert_eq!(failing_since().await, None);
}

#[tokio::test]
async fn where_the_webhook_points_when_it_is_posted_counts() {
    let world = World::new().await;
    let hook = world.set(&order(space(), "https://callbacks.example/old")).await;
    world.add("waba-1", "A").await;
    world.set(&order(space(), "https://callbacks.example/new")).await;
    world.post_due().await;
    assert_eq!(world.posts()[0].url, "https://callbacks.example/new");
    world.add("waba-1", "B").await;
    let removed = world.service.remove_entity(&caller(), &hook.key()).await.expect("store");
    assert_eq!(removed, Removed::Done);
    world.post_due().await;
    assert_eq!(world.posts(), []);
    let last = world.outbox().await.pop().expect("one");
    assert_eq!(last.note.as_deref(), Some("the webhook was removed"));
}

#[tokio::test]
async fn an_address_is_checked_before_it_is_kept() {
    let world = World::new().await;
    let service = &world.service;
    let bad = service.set_webhook(&caller(), &order(space(), "ftp://x")).await.expect("store");
    assert_eq!(bad, WebhookSet::BadUrl(UrlFault::Scheme));
    let nowhere = order(WebhookScope::Space(id("other")), "https://callbacks.example/a");
    let unknown = service.set_webhook(&caller(), &nowhere).await.expect("store");
    assert_eq!(unknown, WebhookSet::Unknown);
    assert_eq!(service.webhook("cams", &space()).await.expect("store"), None);
}

#[tokio::test]
async fn how_far_posts_may_reach_is_the_operators_choice() {
    let world = World::new().await;
    world.set(&order(space(), "https://callbacks.example/a")).await;
    let reach = async |policy: &Policy| {
        world.service.set_policy(policy.clone());
        world.add("waba-1", &format!("{:?}", policy.callbacks.private_accounts)).await;
        world.add("waba-1", "and back").await;
        world.post_due().await;
        world.posts()[0].reach
    };
    let mut policy = Policy::default();
    policy.callbacks.loopback = true;
    let machine_too = Reach { loopback: true, ..Reach::PUBLIC };
    assert_eq!(reach(&policy).await, machine_too);
    policy.callbacks.private_accounts = vec![id("other")];
    assert_eq!(reach(&policy).await, machine_too);
    policy.callbacks.private_accounts = vec![id("default")];
    assert_eq!(reach(&policy).await, Reach::ANYWHERE);
    policy.callbacks.public = false;
    policy.callbacks.private_accounts = Vec::new();
    assert_eq!(reach(&policy).await, Reach::MACHINE);
}

impl World {
    /// Nothing is posted a moment before it is due.
    async fn post_due_before(&self, due: Timestamp) {
        self.clock.set(Timestamp::from_millis(due.as_millis() - 1));
        self.post_due().await;
        assert_eq!(self.posts(), []);
        self.clock.set(due);
    }
}

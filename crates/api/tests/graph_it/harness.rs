//! The application in memory with two accounts, their WABAs and tokens; requests into it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use registration::{TextId, Timestamp};
use serde_json::Value;
use service::directory::GraphScopes;
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::ports::{
    Clock as _, CodeDelivery, CodeMessage, DeliveryError, HandedOver, NoRehearsal,
};
use service::seed::{
    SecretText, Seed, SeedAccount, SeedClient, SeedCredentials, SeedGraphToken, SeedSpace,
    SeedWaba, Seeded,
};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Policy, Ports, Service};
use tower::ServiceExt as _;

use crate::webhooks::Endpoints;

/// The WABA that most requests are about.
pub(crate) const WABA: &str = "102290129340398";
/// Another WABA of the same account.
pub(crate) const SECOND: &str = "102290129340399";
/// A WABA of another account.
pub(crate) const FOREIGN: &str = "200000000000001";

pub(crate) struct World {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<ManualClock>,
    delivery: Arc<Delivery>,
    pub(crate) endpoints: Arc<Endpoints>,
    router: Router,
    /// What stands for what the installation made up.
    texts: Mutex<BTreeMap<String, String>>,
}

/// An answer; `body` is `null` where it is not JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

/// Takes every message and remembers its code.
#[derive(Default)]
struct Delivery(Mutex<Option<String>>);

#[async_trait]
impl CodeDelivery for Delivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        *self.0.lock().unwrap() = Some(message.code.reveal().to_owned());
        Ok(HandedOver { sender: "test".to_owned(), provider_id: None })
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Policy::default()).await
    }

    pub(crate) async fn with(policy: Policy) -> Self {
        let (entropy, clock) = (Arc::new(SeededEntropy::new(3)), Arc::new(ManualClock::default()));
        let delivery = Arc::new(Delivery::default());
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 2, 64);
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            clock: clock.clone(),
            entropy,
            delivery: delivery.clone(),
            rehearsal: Arc::new(NoRehearsal),
        };
        let endpoints = Arc::new(Endpoints::default());
        let service = Service::new(ports, keys, hasher, policy);
        let service = Arc::new(service.with_endpoints(endpoints.clone()));
        let prepared = service.prepare_seed(seed(service.now())).await.unwrap();
        let seeded = service.apply_seed(&prepared).await.unwrap();
        assert!(matches!(seeded, Seeded::Done(_)), "{seeded:?}");
        let app = App(Arc::new(AppInner {
            service: Arc::clone(&service),
            stopping: tokio::sync::watch::channel(false).1,
            gauges: Box::new(Vec::new),
            metrics: api::metrics::Metrics::default(),
            settings: Settings {
                onprem_version: "2.45.1".to_owned(),
                onprem_retired: false,
                public_url: "https://rollcall.example".to_owned(),
                operator_token_sha256: [0; 32],
                started_at: clock.now(),
            },
            sandbox: None,
            ca_pem: Box::new(String::new),
            rotate_master: Box::new(|| Err("not here".to_owned())),
        }));
        let texts = [("waba", WABA), ("second", SECOND), ("foreign", FOREIGN)];
        let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let texts = Mutex::new(BTreeMap::from(texts));
        Self { service, clock, delivery, endpoints, router: router(app), texts }
    }

    /// Sends a request, what is due because of it, and remembers what came of it: id and code.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let adds = request.uri().path().contains("phone_numbers") && request.method() == "POST";
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = body.collect().await.unwrap().to_bytes().to_vec();
        let text = String::from_utf8(text).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        self.service.deliver_due().await;
        let mut texts = self.texts.lock().unwrap();
        if let Some(code) = self.delivery.0.lock().unwrap().clone() {
            let wrong = if code == "000000" { "000001" } else { "000000" };
            texts.insert("wrong".to_owned(), wrong.to_owned());
            texts.insert("grouped".to_owned(), format!("{}-{}", &code[..3], &code[3..]));
            texts.insert("code".to_owned(), code);
        }
        if let Some(id) = body["id"].as_str().filter(|_| adds) {
            texts.insert("phone".to_owned(), id.to_owned());
        }
        Answer { status: parts.status, headers: parts.headers, text, body }
    }

    /// `METHOD path` or `METHOD path {json}` with a token.
    pub(crate) async fn ask(&self, token: &str, line: &str) -> Answer {
        let line = self.fill(line);
        let mut parts = line.splitn(3, ' ');
        let (method, path) = (parts.next().unwrap(), parts.next().unwrap());
        let body = parts.next().unwrap_or_default().to_owned();
        let mut request = Request::builder().method(method).uri(path);
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// The same, which must succeed.
    pub(crate) async fn ok(&self, token: &str, line: &str) -> Value {
        let answer = self.ask(token, line).await;
        assert_eq!(answer.status, StatusCode::OK, "{line}\n{}", answer.text);
        answer.body
    }

    /// Puts what was made up in place of `<phone>`, `<code>`, `<waba>` and the like.
    pub(crate) fn fill(&self, text: &str) -> String {
        let texts = self.texts.lock().unwrap();
        let fill = |text: String, (name, made): (&String, &String)| {
            text.replace(&format!("<{name}>"), made)
        };
        texts.iter().fold(text.to_owned(), fill)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.texts.lock().unwrap()[name].clone()
    }

    /// Lets seconds pass.
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.set(self.service.now() + core::time::Duration::from_secs(seconds));
    }

    /// A number of Ofcom's for drama, added, confirmed and registered by `token` for `waba`.
    pub(crate) async fn registered(&self, token: &str, waba: &str, national: &str) -> String {
        let name = r#""verified_name":"Lucky Shrub""#;
        let add = format!(
            r#"POST /v25.0/{waba}/phone_numbers {{"cc":"44","phone_number":"{national}",{name}}}"#
        );
        self.ok(token, &add).await;
        self.ok(token, "POST /v25.0/<phone>/request_code?code_method=SMS&language=en_US").await;
        self.ok(token, "POST /v25.0/<phone>/verify_code?code=<code>").await;
        let register = r#"{"messaging_product":"whatsapp","pin":"246810"}"#;
        self.ok(token, &format!("POST /v25.0/<phone>/register {register}")).await;
        self.text("phone")
    }
}

impl Answer {
    /// HTTP status, `code`, `error_subcode` (0 if there is none).
    pub(crate) fn outcome(&self) -> (u16, u64, u64) {
        let error = &self.body["error"];
        let number = |name: &str| error[name].as_u64().unwrap_or_default();
        (self.status.as_u16(), number("code"), number("error_subcode"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

fn seed(now: Timestamp) -> Seed {
    let token = |text: &str| SeedGraphToken {
        token: SecretText::new(text),
        name: text.to_owned(),
        scopes: GraphScopes::ALL,
        wabas: Vec::new(),
        expires_at: None,
    };
    let waba = |text: &str| SeedWaba {
        id: id(text),
        name: "Test".to_owned(),
        contact_email: None,
        upstream: None,
        numbers: Vec::new(),
    };
    let account = |name: &str, space: &str, wabas, graph_tokens, clients| SeedAccount {
        id: id(name),
        name: name.to_owned(),
        subscribed: true,
        spaces: vec![SeedSpace { id: id(space), name: space.to_owned(), wabas }],
        clients,
        credentials: SeedCredentials { graph_tokens, ..SeedCredentials::default() },
    };
    let client = SeedClient {
        id: id("default"),
        waba: Some(id(WABA)),
        host: None,
        retired: false,
        shards: 1,
        api_key: None,
        admin_password: Some(SecretText::new("Sandbox-1!")),
    };
    let manage = GraphScopes { management: true, messaging: false };
    let own = vec![
        token("EAAtest"),
        SeedGraphToken { scopes: manage, ..token("EAAmanage") },
        SeedGraphToken { wabas: vec![id(SECOND)], ..token("EAAnarrow") },
        SeedGraphToken { expires_at: Some(now), ..token("EAAexpired") },
    ];
    Seed {
        accounts: vec![
            account("default", "one", vec![waba(WABA), waba(SECOND)], own, vec![client]),
            account("other", "two", vec![waba(FOREIGN)], vec![token("EAAother")], Vec::new()),
        ],
    }
}

fn id<T: TextId>(text: &str) -> T {
    T::parse(text).unwrap()
}

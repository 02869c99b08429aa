//! A server in memory, and requests to it.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use registration::{PhoneNumber, TextId as _, WabaId};
use serde_json::{Value, json};

use service::clients::FirstPassword;
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::ports::rehearsal::NoRehearsal;
use service::ports::{
    Clock as _, CodeDelivery, CodeMessage, DeliveryError, HandedOver, SendQuery, Store,
};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Policy, Ports, Service};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

pub(crate) const TOKEN: &str = "operator-token-of-the-tests";

/// The WABA of the default client.
pub(crate) const WABA: &str = "102290129340398";

/// A mobile in a range that Ofcom keeps for drama.
pub(crate) const NUMBER: &str = "+447700900123";

/// The first password of every admin here.
pub(crate) const PASSWORD: &str = "Sandbox-1!";

pub(crate) struct World {
    pub(crate) service: Arc<Service>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    router: Router,
}

/// An answer: status, headers, body as JSON (`null` if empty).
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// Takes every message and keeps none: codes are read with the service's own inbox.
struct Taker;

#[async_trait]
impl CodeDelivery for Taker {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: "inbox".to_owned(), provider_id: None })
    }
}

impl World {
    /// A server after its first start.
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(7));
        let master = MasterKeys::generate(&*entropy);
        let keys = KeyRing::new(&master);
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 2, 64);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let ports = Ports {
            store: Arc::clone(&store),
            clock: clock.clone(),
            entropy,
            delivery: Arc::new(Taker),
            rehearsal: Arc::new(NoRehearsal),
        };
        let service = Arc::new(Service::new(ports, keys, hasher, Policy::default()));
        let first = FirstPassword { password: PASSWORD.to_owned(), must_change: false };
        service.first_start(&WabaId::parse(WABA).unwrap(), &first).await.unwrap();
        let epoch = AtomicU32::new(1);
        let app = App(Arc::new(AppInner {
            service: Arc::clone(&service),
            stopping: tokio::sync::watch::channel(false).1,
            gauges: Box::new(Vec::new),
            metrics: api::metrics::Metrics::default(),
            settings: Settings {
                onprem_version: "2.45.1".to_owned(),
                onprem_retired: false,
                public_url: "https://rollcall.example".to_owned(),
                operator_token_sha256: Sha256::digest(TOKEN.as_bytes()).into(),
                started_at: clock.now(),
            },
            sandbox: None,
            ca_pem: Box::new(String::new),
            rotate_master: Box::new(move || Ok(epoch.fetch_add(1, Ordering::SeqCst) + 1)),
        }));
        Self { service, store, clock, router: router(app) }
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends any request; the answer may never end.
    pub(crate) async fn stream(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends an operator's request with more headers.
    pub(crate) async fn ask_with(
        &self,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/admin/v1{path}"))
            .header("authorization", format!("Bearer {TOKEN}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask_with(Method::GET, path, Value::Null, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask_with(Method::POST, path, body, &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask_with(Method::PATCH, path, body, &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask_with(Method::PUT, path, body, &[]).await
    }

    /// `PUT` without a body.
    pub(crate) async fn put_nothing(&self, path: String) -> Answer {
        self.ask_with(Method::PUT, &path, Value::Null, &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask_with(Method::DELETE, path, Value::Null, &[]).await
    }

    /// The code of the newest message to a number.
    pub(crate) async fn code(&self, number: &str) -> String {
        self.service.deliver_due().await;
        let number = Some(PhoneNumber::parse(number).unwrap());
        let query = SendQuery { number, limit: 1, ..SendQuery::default() };
        let (_, message) = self.service.inbox(query).await.unwrap().pop().unwrap();
        message.code.reveal().to_owned()
    }

    /// Registers a number for the default client.
    pub(crate) async fn register(&self, number: &str) {
        let path = format!("/numbers/{number}");
        let order = json!({ "client": "default", "method": "sms", "name": "Lucky Shrub" });
        self.post(&format!("{path}/request-code"), order).await.expect(202);
        let code = self.code(number).await;
        let answer = json!({ "client": "default", "code": code });
        let done = self.post(&format!("{path}/verify-code"), answer).await.expect(200);
        assert_eq!(done["outcome"], "registered");
    }

    /// A second account `acme` with space `acme-space`, WABA `200` and client `acme-client`.
    pub(crate) async fn add_acme(&self) {
        self.post("/accounts", json!({ "id": "acme" })).await.expect(201);
        let space = json!({ "account": "acme", "id": "acme-space" });
        self.post("/spaces", space).await.expect(201);
        self.post("/wabas", json!({ "space": "acme-space", "id": "200" })).await.expect(201);
        let client = json!({ "id": "acme-client", "waba": "200", "admin_password": PASSWORD });
        self.post("/clients", client).await.expect(201);
    }
}

impl Answer {
    /// The body, the status being the one expected.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// Code and fields at fault of an error.
    pub(crate) fn fault(self, status: u16) -> (String, Vec<String>) {
        let error = self.expect(status)["error"].take();
        assert!(!error["message"].as_str().unwrap().is_empty());
        let fields = error["details"].as_array().unwrap().iter();
        let fields = fields.map(|detail| detail["field"].as_str().unwrap().to_owned()).collect();
        (error["code"].as_str().unwrap().to_owned(), fields)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The ids (or another field) of a page.
pub(crate) fn column(page: &Value, field: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

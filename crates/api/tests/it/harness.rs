//! The application over test adapters, requests into it, replies out of it.

use std::sync::{Arc, Mutex};

use api::metrics::{Family, Kind, Metrics};
use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use registration::{ClientId, NumberRecord, TextId as _, Timestamp, WabaId};
use service::clients::FirstPassword;
use service::directory::{Entity, EntityKind};
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::ports::rehearsal::NoRehearsal;
use service::ports::{
    AuditEntry, AuditQuery, Clock as _, CodeDelivery, CodeMessage, DeliveryError, HandedOver,
    NumberQuery, Send, SendQuery, Store as _, Versioned,
};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Allowance, Policy, Ports, Service};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// Build that `meta.version` names: the one of the captures, so that lengths can be compared.
pub(crate) const VERSION: &str = "2.33.4";

/// The WABA that exists from the first start.
pub(crate) const WABA: &str = "102290129340398";

/// An installation after its first start.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) delivery: Arc<Delivery>,
    router: Router,
}

/// What is stored but for the audit trail.
#[derive(Debug, PartialEq)]
pub(crate) struct Records {
    entities: Vec<Versioned<Entity>>,
    numbers: Vec<NumberRecord>,
    sends: Vec<Send>,
}

/// A reply, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Takes every message and remembers it.
#[derive(Default)]
pub(crate) struct Delivery(Mutex<Vec<CodeMessage>>);

impl World {
    pub(crate) async fn new() -> Self {
        // One seed for all: equal runs, down to the ids.
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(ManualClock::default());
        let store = Arc::new(MemoryStore::new());
        let delivery = Arc::new(Delivery::default());
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 2, 64);
        // The clock stands still, so an allowance would never refill by itself.
        let client_requests = Allowance { burst: 1_000_000, ..Policy::default().client_requests };
        let policy = Policy { client_requests, ..Policy::default() };
        let ports = Ports {
            store: store.clone(),
            clock: clock.clone(),
            entropy,
            delivery: delivery.clone(),
            rehearsal: Arc::new(NoRehearsal),
        };
        let service = Arc::new(Service::new(ports, keys, hasher, policy));
        let first = FirstPassword { password: "secret".to_owned(), must_change: true };
        let waba = WabaId::parse(WABA).expect("an identifier");
        assert!(service.first_start(&waba, &first).await.expect("an empty store"));
        let app = App(Arc::new(AppInner {
            service,
            metrics: Metrics::default(),
            gauges: Box::new(|| vec![Family::single("adapter_up", Kind::Gauge, "Works", 1)]),
            settings: settings(clock.now()),
            sandbox: None,
            stopping: watch::channel(false).1,
            ca_pem: Box::new(|| CA_PEM.to_owned()),
            rotate_master: Box::new(|| Err("not here".to_owned())),
        }));
        let router = router(app.clone());
        Self { app, clock, store, delivery, router }
    }

    /// Sends a request and what is due because of it.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes().to_vec();
        // A store that was closed for the test has nothing due.
        self.app.service.deliver_due().await;
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// The application, for requests that run at once.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// The client that exists from the first start.
    pub(crate) fn default_client() -> ClientId {
        ClientId::parse(service::clients::DEFAULT).expect("an identifier")
    }

    /// Everything that is stored, to compare.
    pub(crate) async fn contents(&self) -> (Records, Vec<AuditEntry>) {
        let all = AuditQuery { limit: usize::MAX, ..AuditQuery::default() };
        (self.records().await, self.store.audit(&all).await.expect("a store in memory"))
    }

    /// Everything but the audit trail.
    pub(crate) async fn records(&self) -> Records {
        let mut entities = Vec::new();
        for kind in EntityKind::ALL {
            let found = self.store.entities(kind, None, None, usize::MAX).await;
            entities.extend(found.expect("a store in memory"));
        }
        let numbers = NumberQuery { limit: usize::MAX, ..NumberQuery::default() };
        let numbers = self.store.numbers(&numbers).await.expect("a store in memory");
        let sends = SendQuery { limit: usize::MAX, ..SendQuery::default() };
        let sends = self.store.sends(&sends).await.expect("a store in memory");
        Records { entities, numbers, sends }
    }
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Delivery {
    /// The code that was sent last.
    pub(crate) fn last_code(&self) -> Option<String> {
        let messages = self.0.lock().expect("no panic while it is held");
        messages.last().map(|message| message.code.reveal().to_owned())
    }

    /// The text that was sent last.
    pub(crate) fn last_text(&self) -> Option<String> {
        let messages = self.0.lock().expect("no panic while it is held");
        messages.last().map(|message| message.text.clone())
    }
}

#[async_trait]
impl CodeDelivery for Delivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        self.0.lock().expect("no panic while it is held").push(message.clone());
        Ok(HandedOver { sender: "test".to_owned(), provider_id: None })
    }
}

fn settings(started_at: Timestamp) -> Settings {
    Settings {
        onprem_version: VERSION.to_owned(),
        onprem_retired: false,
        public_url: "https://rollcall.example".to_owned(),
        operator_token_sha256: [0; 32],
        started_at,
    }
}

/// The shape of a certificate and nothing else.
const CA_PEM: &str = "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n";

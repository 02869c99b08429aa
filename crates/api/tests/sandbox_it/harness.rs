//! A whole application without sockets: requests go straight into the router.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::Arc;

use api::sandbox::{SandboxRehearsal, Tools};
use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use registration::{CodeMethod, Locale, PhoneNumber, TextId as _, Timestamp, VerifiedName, WabaId};
use serde_json::{Value, json};
use service::certificate::NewCertificate;
use service::clients::FirstPassword;
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::numbering::plan_e164;
use service::numbers::{ClaimName, CodeOrder, PinInput};
use service::ports::{
    Clock, CodeDelivery, CodeMessage, DeliveryError, Entropy, HandedOver, NoRehearsal, Rehearsal,
    TurnableClock,
};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Caller, Policy, Ports, Service};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// A number that is fictitious and not magic.
pub(crate) const NUMBER: &str = "+447700900123";
/// The WABA of the default client.
pub(crate) const WABA: &str = "102290129340398";
/// The password that the tests give to the default admin.
pub(crate) const PASSWORD: &str = "Sandbox-1!";

/// A running application and the handles that tests need.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<TestClock>,
    routes: Router,
    // Ends the worker when the test ends.
    _stop: watch::Sender<bool>,
}

/// A reply, its body read as JSON where it is some.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    /// Whether the listener would close the connection instead.
    pub(crate) dropped: bool,
}

impl World {
    /// A sandbox after its first start, its worker running.
    pub(crate) async fn sandbox() -> Self {
        Self::start(true).await
    }

    /// The same in production mode.
    pub(crate) async fn production() -> Self {
        Self::start(false).await
    }

    async fn start(sandbox: bool) -> Self {
        let clock = Arc::new(TestClock::default());
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let rehearsal = Arc::new(SandboxRehearsal::default());
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), Arc::clone(&entropy), HashCost::CHEAPEST, 2, 64);
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            clock: Arc::<TestClock>::clone(&clock),
            entropy,
            delivery: Arc::new(Inbox),
            rehearsal: if sandbox {
                Arc::<SandboxRehearsal>::clone(&rehearsal) as Arc<dyn Rehearsal>
            } else {
                Arc::new(NoRehearsal)
            },
        };
        let service = Arc::new(Service::new(ports, keys, hasher, Policy::default()));
        let turnable = Arc::<TestClock>::clone(&clock);
        let tools = sandbox.then(|| Tools { clock: turnable, rehearsal });
        let app = application(&service, tools);
        let waba = WabaId::parse(WABA).unwrap();
        let first = FirstPassword { password: PASSWORD.to_owned(), must_change: false };
        service.first_start(&waba, &first).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(Arc::clone(&service).work(stopped));
        Self { routes: router(app.clone()), app, service, clock, _stop: stop }
    }

    /// Sends a request and reads the whole reply.
    pub(crate) async fn call(&self, request: Request<Body>) -> Reply {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let dropped = response.extensions().get::<api::middleware::DropConnection>().is_some();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status, body, dropped }
    }

    /// Sends a request and leaves the reply's body to the caller.
    pub(crate) async fn open(&self, path: &str) -> Body {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.call(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_text(path, &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: &str) -> Reply {
        self.call(Request::post(path).body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Sends a request to the On-Premises dialect as the default admin.
    pub(crate) async fn onprem(&self, path: &str, body: &Value) -> Reply {
        let token = self.login("/v1", PASSWORD).await;
        let request = Request::post(format!("/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.call(request).await
    }

    /// A token for the admin of the client under `base`.
    pub(crate) async fn login(&self, base: &str, password: &str) -> String {
        let basic = STANDARD.encode(format!("admin:{password}"));
        let request = Request::post(format!("{base}/users/login"))
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .body(Body::from("{}"))
            .unwrap();
        let reply = self.call(request).await;
        let token = reply.body["users"][0]["token"].as_str();
        token.unwrap_or_else(|| panic!("no token: {reply:?}")).to_owned()
    }

    /// `POST /v1/account` for a number.
    pub(crate) async fn request_code(&self, number: &str, method: &str) -> Reply {
        let planned = plan_e164(number).unwrap();
        let body = json!({
            "cc": planned.country_code.to_string(),
            "phone_number": planned.national(),
            "method": method,
            "cert": self.certificate(number),
        });
        self.onprem("/account", &body).await
    }

    /// `POST /v1/account/verify` with the code of the newest message for a number.
    pub(crate) async fn verify(&self, number: &str) -> Reply {
        let message = self.newest(number).await;
        self.onprem("/account/verify", &json!({ "code": message["code"] })).await
    }

    /// Orders a code without a dialect in between.
    pub(crate) async fn send_code(&self, number: &str) {
        let order = CodeOrder {
            payer: registration::AccountId::parse("default").unwrap(),
            waba: WabaId::parse(WABA).unwrap(),
            client: None,
            planned: plan_e164(number).unwrap(),
            method: CodeMethod::Sms,
            locale: Locale::english(),
            pin: PinInput::NotAsked,
            claim: Some(claim_name()),
        };
        self.service.request_code(&caller(), &order).await.unwrap();
    }

    /// The newest message for a number; waits for it.
    pub(crate) async fn newest(&self, number: &str) -> Value {
        let reply = self.get(&format!("/sandbox/v1/inbox/wait?number={}", escaped(number))).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.body
    }

    fn certificate(&self, number: &str) -> String {
        self.app.service.keys().authority().issue(&NewCertificate {
            number: PhoneNumber::parse(number).unwrap(),
            waba: WabaId::parse(WABA).unwrap(),
            name: claim_name().name,
            issued_at: self.clock.now(),
            serial: 1,
        })
    }
}

/// A caller of the hosted dialect.
pub(crate) fn caller() -> Caller {
    Caller { account: None, dialect: "graph", actor: "graph:test".to_owned() }
}

pub(crate) fn claim_name() -> ClaimName {
    ClaimName { name: VerifiedName::parse("Lucky Shrub").unwrap(), certificate_serial: None }
}

/// A number as it stands in a query.
pub(crate) fn escaped(number: &str) -> String {
    number.replace('+', "%2B")
}

fn application(service: &Arc<Service>, sandbox: Option<Tools>) -> App {
    App(Arc::new(AppInner {
        service: Arc::clone(service),
        stopping: tokio::sync::watch::channel(false).1,
        gauges: Box::new(Vec::new),
        rotate_master: Box::new(|| Err("not here".to_owned())),
        metrics: api::metrics::Metrics::default(),
        settings: Settings {
            onprem_version: "2.53.3".to_owned(),
            onprem_retired: false,
            public_url: String::new(),
            operator_token_sha256: [0; 32],
            started_at: service.now(),
        },
        sandbox,
        ca_pem: Box::new(String::new),
    }))
}

/// The sender of the sandbox, as `outbound` has it.
struct Inbox;

#[async_trait]
impl CodeDelivery for Inbox {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        let sender = service::queries::INBOX.to_owned();
        Ok(HandedOver { sender, provider_id: Some(message.id.to_string()) })
    }
}

/// A clock that stands still even while it says to run, so that tests repeat.
#[derive(Debug, Default)]
pub(crate) struct TestClock {
    hand: ManualClock,
    frozen: AtomicBool,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.hand.now()
    }
}

impl TurnableClock for TestClock {
    fn set(&self, to: Timestamp) {
        self.hand.set(to);
    }

    fn advance(&self, by: Duration) {
        self.hand.advance(by);
    }

    fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    fn resume(&self) {
        self.frozen.store(false, Ordering::Relaxed);
    }

    fn reset(&self) {
        self.hand.set(ManualClock::default().now());
        self.resume();
    }

    fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }
}

//! A whole application without sockets: requests go straight into the router.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::Arc;

use api::sandbox::seed::parse;
use api::sandbox::{SandboxRehearsal, Tools};
use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use registration::{
    ClientId, CodeMethod, Locale, PhoneNumber, TextId as _, Timestamp, VerifiedName, WabaId,
};
use serde_json::{Value, json};
use service::certificate::NewCertificate;
use service::clients::FirstPassword;
use service::directory::{Entity, EntityKind};
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::numbering::plan_e164;
use service::numbers::{ClaimName, CodeOrder, PinInput};
use service::ports::{
    Clock, CodeDelivery, CodeMessage, DeliveryError, Entropy, HandedOver, NoRehearsal, Rehearsal,
    Store as _, TurnableClock, Versioned,
};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Caller, Policy, Ports, Service};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// A number that is fictitious and not magic.
pub(crate) const NUMBER: &str = "+447700900123";
/// The password that the tests give to the default admin.
pub(crate) const PASSWORD: &str = "Sandbox-1!";

/// A running application and the handles that tests need.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Arc<MemoryStore>,
    /// The WABA of the default client.
    pub(crate) waba: WabaId,
    routes: Router,
    /// Asks the server and its worker to stop.
    pub(crate) stop: watch::Sender<bool>,
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
        Self::start(true, None).await
    }

    /// The same with a start seed.
    pub(crate) async fn seeded(seed: &str) -> Self {
        Self::start(true, Some(seed)).await
    }

    /// The same in production mode.
    pub(crate) async fn production() -> Self {
        Self::start(false, None).await
    }

    async fn start(sandbox: bool, seed: Option<&str>) -> Self {
        let clock = Arc::new(TestClock::default());
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let rehearsal = Arc::new(SandboxRehearsal::default());
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), Arc::clone(&entropy), HashCost::CHEAPEST, 2, 64);
        let store = Arc::new(MemoryStore::new());
        let ports = Ports {
            store: Arc::<MemoryStore>::clone(&store),
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
        let seed = match seed {
            Some(text) => Some(service.prepare_seed(parse(text).unwrap()).await.unwrap()),
            None => None,
        };
        let turnable = Arc::<TestClock>::clone(&clock);
        let tools = Tools::new(turnable, rehearsal, seed);
        tools.first_start(&service).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let app = application(&service, sandbox.then_some(tools), stopped.clone());
        let first = FirstPassword { password: PASSWORD.to_owned(), must_change: false };
        let default = ClientId::parse("default").unwrap();
        service.put_admin(&Caller::system(), &default, &first).await.unwrap();
        let waba = service.client(&default).await.unwrap().unwrap().waba;
        tokio::spawn(Arc::clone(&service).work(stopped));
        Self { routes: router(app.clone()), app, service, clock, store, waba, stop }
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

    /// Sends a request and leaves the whole reply to the caller.
    pub(crate) async fn response(&self, request: Request<Body>) -> http::Response<Body> {
        self.routes.clone().oneshot(request).await.unwrap()
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

    /// What the store knows the master keys by.
    pub(crate) async fn key_marks(&self) -> Vec<Versioned<Entity>> {
        self.store.entities(EntityKind::KeyMark, None, None, 10).await.unwrap()
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
        self.onprem_of("default", path, body).await
    }

    /// The same as the admin of another client.
    pub(crate) async fn onprem_of(&self, client: &str, path: &str, body: &Value) -> Reply {
        let base = format!("/clients/{client}/v1");
        let token = self.login(&base, PASSWORD).await;
        let request = Request::post(format!("{base}{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.call(request).await
    }

    /// A token for the admin of the client under `base`.
    pub(crate) async fn login(&self, base: &str, password: &str) -> String {
        let reply = self.login_with(base, password, &json!({})).await;
        let token = reply.body["users"][0]["token"].as_str();
        token.unwrap_or_else(|| panic!("no token: {reply:?}")).to_owned()
    }

    /// A login at the default client, with a new password if one is due.
    pub(crate) async fn try_login(&self, password: &str, new_password: Option<&str>) -> Reply {
        self.login_with("/v1", password, &json!({ "new_password": new_password })).await
    }

    async fn login_with(&self, base: &str, password: &str, body: &Value) -> Reply {
        let basic = STANDARD.encode(format!("admin:{password}"));
        let request = Request::post(format!("{base}/users/login"))
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.call(request).await
    }

    /// `POST /v1/account` for a number.
    pub(crate) async fn request_code(&self, number: &str, method: &str) -> Reply {
        let planned = plan_e164(number).unwrap();
        let body = json!({
            "cc": planned.country_code.to_string(),
            "phone_number": planned.national(),
            "method": method,
            "cert": self.certificate_for(number, self.waba.as_str()),
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
            waba: self.waba.clone(),
            client: None,
            planned: plan_e164(number).unwrap(),
            method: CodeMethod::Sms,
            locale: Locale::english(),
            pin: PinInput::NotAsked,
            claim: Some(claim_name()),
            only_unproven: false,
        };
        self.service.request_code(&caller(), &order).await.unwrap();
    }

    /// The newest message for a number; waits for it.
    pub(crate) async fn newest(&self, number: &str) -> Value {
        let reply = self.get(&format!("/sandbox/v1/inbox/wait?number={}", escaped(number))).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.body
    }

    /// Whether anything is known about a number.
    pub(crate) async fn number_known(&self, number: &str) -> bool {
        let number = PhoneNumber::parse(number).unwrap();
        self.service.number(number).await.unwrap().is_some()
    }

    /// Whether a number is registered.
    pub(crate) async fn number_registered(&self, number: &str) -> bool {
        let number = PhoneNumber::parse(number).unwrap();
        self.service.number(number).await.unwrap().is_some_and(|it| it.registration.is_some())
    }

    /// A certificate for a number, issued here.
    pub(crate) fn certificate_for(&self, number: &str, waba: &str) -> String {
        self.app.service.keys().authority().issue(&NewCertificate {
            number: PhoneNumber::parse(number).unwrap(),
            waba: WabaId::parse(waba).unwrap(),
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
    ClaimName {
        name: VerifiedName::parse("Lucky Shrub").unwrap(),
        certificate_serial: None,
        is_vouched_for: true,
    }
}

/// A number as it stands in a query.
pub(crate) fn escaped(number: &str) -> String {
    number.replace('+', "%2B")
}

fn application(
    service: &Arc<Service>,
    sandbox: Option<Tools>,
    stopping: watch::Receiver<bool>,
) -> App {
    App(Arc::new(AppInner {
        service: Arc::clone(service),
        stopping,
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

/// The sender of the sandbox, as `outbound` has it, but slow enough to be met at work.
struct Inbox;

#[async_trait]
impl CodeDelivery for Inbox {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
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

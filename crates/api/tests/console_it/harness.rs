//! A console in memory, and a browser that keeps its cookies.

use core::fmt::Write as _;
use core::time::Duration;
use std::sync::Arc;

use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use registration::{PhoneNumber, TextId as _, WabaId};
use service::clients::FirstPassword;
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::ports::rehearsal::NoRehearsal;
use service::ports::{Clock as _, CodeDelivery, CodeMessage, DeliveryError, HandedOver, SendQuery};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Policy, Ports, Service};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

pub(crate) const TOKEN: &str = "operator-token-of-the-tests";
pub(crate) const WABA: &str = "102290129340398";
pub(crate) const NUMBER: &str = "447700900123";

pub(crate) struct World {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<ManualClock>,
    router: Router,
}

/// A page, or where it leads.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Somebody with cookies.
pub(crate) struct Browser<'a> {
    world: &'a World,
    pub(crate) session: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

struct Taker;

#[async_trait]
impl CodeDelivery for Taker {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: "inbox".to_owned(), provider_id: None })
    }
}

impl World {
    /// A production server after its first start.
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(7));
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 2, 64);
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            clock: clock.clone(),
            entropy,
            delivery: Arc::new(Taker),
            rehearsal: Arc::new(NoRehearsal),
        };
        let service = Arc::new(Service::new(ports, keys, hasher, Policy::default()));
        let first = FirstPassword { password: "Sandbox-1!".to_owned(), must_change: false };
        service.first_start(&WabaId::parse(WABA).unwrap(), &first).await.unwrap();
        let router = Self::router(&service, &clock);
        Self { service, clock, router }
    }

    /// Another process over the same store.
    pub(crate) fn again(&self) -> Self {
        let (service, clock) = (Arc::clone(&self.service), Arc::clone(&self.clock));
        Self { router: Self::router(&service, &clock), service, clock }
    }

    fn router(service: &Arc<Service>, clock: &ManualClock) -> Router {
        router(App(Arc::new(AppInner {
            service: Arc::clone(service),
            stopping: tokio::sync::watch::channel(false).1,
            gauges: Box::new(Vec::new),
            metrics: api::metrics::Metrics::default(),
            settings: Settings {
                onprem_version: "2.45.1".to_owned(),
                onprem_retired: false,
                public_url: String::new(),
                operator_token_sha256: Sha256::digest(TOKEN.as_bytes()).into(),
                started_at: clock.now(),
            },
            sandbox: None,
            ca_pem: Box::new(String::new),
            rotate_master: Box::new(|| Ok(2)),
        })))
    }

    /// A call of the operator's API.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> Page {
        let request = Request::builder()
            .method(method)
            .uri(format!("/admin/v1{path}"))
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status, headers: parts.headers, text }
    }

    /// Somebody whom nobody knows.
    pub(crate) fn stranger(&self) -> Browser<'_> {
        Browser { world: self, session: None, headers: Vec::new() }
    }

    /// Somebody who has logged in with the operator's token.
    pub(crate) async fn operator(&self) -> Browser<'_> {
        let mut browser = self.stranger();
        let page = browser.post("/console/login", &[("token", TOKEN)]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    /// Somebody who has logged in with a link of this role.
    pub(crate) async fn with_link(&self, role: &str) -> Browser<'_> {
        let link = self.link(role).await;
        let mut browser = self.stranger();
        let page = browser.post(&link, &[]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        browser
    }

    /// The path of a new link.
    pub(crate) async fn link(&self, role: &str) -> String {
        let request = Request::post("/admin/v1/console-links")
            .header("authorization", format!("Bearer {TOKEN}"))
            .body(Body::from(format!(r#"{{"role":"{role}"}}"#)))
            .unwrap();
        let page = self.send(request).await;
        assert_eq!(page.status, StatusCode::CREATED, "{}", page.text);
        let made: serde_json::Value = serde_json::from_str(&page.text).unwrap();
        made["url"].as_str().unwrap().to_owned()
    }

    pub(crate) fn turn(&self, hours: u64) {
        self.clock.advance(Duration::from_hours(hours));
    }

    /// The code of the newest message to a number.
    pub(crate) async fn code(&self, number: &str) -> String {
        self.service.deliver_due().await;
        let number = Some(PhoneNumber::parse(number).unwrap());
        let query = SendQuery { number, limit: 1, ..SendQuery::default() };
        let (_, message) = self.service.inbox(query).await.unwrap().pop().unwrap();
        message.code.reveal().to_owned()
    }
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A form without the token that pages put in.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let form = pairs.collect::<Vec<_>>().join("&");
        let request = self.request("POST", path).header("content-type", FORM);
        self.send(request.body(Body::from(form)).unwrap()).await
    }

    /// A form as a page of this session sends it.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.form_token().await;
        let mut all = vec![("form_token", token.as_str())];
        all.extend_from_slice(fields);
        self.post(path, &all).await
    }

    /// The token in the forms of this session.
    pub(crate) async fn form_token(&mut self) -> String {
        let page = self.get("/console/numbers").await;
        let (_, rest) = page.text.split_once("name=\"form_token\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(session) = &self.session {
            request = request.header("cookie", format!("other=1; {session}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request
    }

    async fn send(&mut self, request: Request<Body>) -> Page {
        let page = self.world.send(request).await;
        for cookie in page.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            if cookie.starts_with("rollcall_console=") {
                self.session = Some(cookie.to_owned());
            }
        }
        page
    }
}

impl Page {
    /// The page, the status being the one expected.
    pub(crate) fn expect(self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.text
    }

    /// Where it leads.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.header("location")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").unwrap();
        encoded
    })
}

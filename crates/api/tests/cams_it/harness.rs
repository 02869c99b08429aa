//! A gateway in memory, and requests to it.

use std::net::SocketAddr;
use std::sync::Arc;

use api::cams::parameters::{Parameter, canonical};
use api::cams::signature::read;
use api::{App, AppInner, Settings, router};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use registration::{NumberRecord, PhoneNumber, TextId, Timestamp};
use serde_json::Value;
use service::directory::GraphScopes;
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::ports::{
    Clock as _, CodeDelivery, CodeMessage, DeliveryError, Entity, EntityKind, HandedOver,
    NoRehearsal, NumberQuery, Send, SendQuery, Store, Versioned,
};
use service::seed::{
    SecretText, Seed, SeedAccessKey, SeedAccount, SeedClient, SeedCredentials, SeedGraphToken,
    SeedRamUser, SeedSpace, SeedTemporaryKey, SeedWaba, Seeded,
};
use service::testing::{ManualClock, MemoryStore, SeededEntropy};
use service::{Policy, Ports, Service};
use sha2::Sha256;
use tower::ServiceExt as _;

use crate::fixtures::{Captured, KEY_ID, SECRET, TOKEN};

/// The space of the captured requests.
pub(crate) const SPACE: &str = "cams-test01";
/// The WABA of that space.
pub(crate) const WABA: &str = "102290129340398";
/// An On-Premises client of that WABA, and the password of its admin.
pub(crate) const CLIENT: &str = "deployment";
pub(crate) const ADMIN_PASSWORD: &str = "Deployment-1!";
/// A token of the account for its WABAs in the Graph dialect.
pub(crate) const GRAPH_TOKEN: &str = "EAAtest";
/// Key of a RAM user of the same account; its secret is [`SECRET`], too.
pub(crate) const USER_KEY_ID: &str = "LTAI5tFakeAccessKeyId002";
/// Key of another account, which has no product; its secret is [`SECRET`], too.
pub(crate) const OTHER_KEY_ID: &str = "LTAI5tFakeAccessKeyId003";

/// Key of a third account, which has the product and this space; its secret is [`SECRET`], too.
pub(crate) const RIVAL_KEY_ID: &str = "LTAI5tFakeAccessKeyId004";
pub(crate) const RIVAL_SPACE: &str = "cams-rival01";

/// What is stored but for the audit trail: directory, numbers, sends.
pub(crate) type Records = (Vec<Versioned<Entity>>, Vec<NumberRecord>, Vec<Send>);

pub(crate) struct World {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    router: Router,
}

/// An answer; `body` is `null` where it is not JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

struct Taker;

#[async_trait]
impl CodeDelivery for Taker {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: "inbox".to_owned(), provider_id: None })
    }
}

impl World {
    /// The account of the captured requests, its key a lasting one.
    pub(crate) async fn new() -> Self {
        Self::with(false).await
    }

    /// The same, its key a temporary one.
    pub(crate) async fn with_temporary_key() -> Self {
        Self::with(true).await
    }

    async fn with(temporary: bool) -> Self {
        let world = Self::on(Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
        let prepared = world.service.prepare_seed(seed(temporary)).await.unwrap();
        let seeded = world.service.apply_seed(&prepared).await.unwrap();
        assert!(matches!(seeded, Seeded::Done(_)), "{seeded:?}");
        world
    }

    /// Another process on the same store.
    pub(crate) fn restarted(&self) -> Self {
        Self::on(Arc::clone(&self.store), Arc::clone(&self.clock))
    }

    fn on(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        let entropy = Arc::new(SeededEntropy::new(7));
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 2, 64);
        let ports = Ports {
            store: Arc::clone(&store),
            clock: clock.clone(),
            entropy,
            delivery: Arc::new(Taker),
            rehearsal: Arc::new(NoRehearsal),
        };
        let service = Arc::new(Service::new(ports, keys, hasher, Policy::default()));
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
        Self { service, clock, store, router: router(app) }
    }

    pub(crate) async fn records(&self) -> Records {
        let mut entities = Vec::new();
        for kind in EntityKind::ALL {
            entities.extend(self.store.entities(kind, None, None, usize::MAX).await.unwrap());
        }
        let numbers = NumberQuery { limit: usize::MAX, ..NumberQuery::default() };
        let numbers = self.store.numbers(&numbers).await.unwrap();
        let sends = SendQuery { limit: usize::MAX, ..SendQuery::default() };
        (entities, numbers, self.store.sends(&sends).await.unwrap())
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = body.collect().await.unwrap().to_bytes().to_vec();
        let text = String::from_utf8(text).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, text, body }
    }

    pub(crate) async fn replay(&self, request: &Captured) -> Answer {
        self.replay_over(request, None).await
    }

    /// The same from this address, over TLS or not.
    pub(crate) async fn replay_over(
        &self,
        request: &Captured,
        connection: Option<(&str, Scheme)>,
    ) -> Answer {
        let mut sent = Request::new(Body::from(request.body.clone()));
        *sent.method_mut() = request.method.clone();
        *sent.uri_mut() = request.uri.clone();
        *sent.headers_mut() = request.headers.clone();
        if let Some((address, scheme)) = connection {
            let address = SocketAddr::new(address.parse().unwrap(), 40_000);
            sent.extensions_mut().insert(ConnectInfo(address));
            sent.extensions_mut().insert(scheme);
        }
        self.send(sent).await
    }

    /// Turns the clock to a moment as requests write it, plus some seconds.
    pub(crate) fn turn(&self, moment: &str, seconds: i64) {
        let moment: jiff::Timestamp = moment.parse().unwrap();
        self.clock.set(Timestamp::from_millis(moment.as_millisecond() + 1_000 * seconds));
    }

    /// Calls an operation with an ACS3 signature by the account's key.
    pub(crate) async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.call_with(KEY_ID, action, parameters).await
    }

    pub(crate) async fn call_with(
        &self,
        key_id: &str,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Answer {
        self.replay(&self.acs3(key_id, action, parameters)).await
    }

    /// An ACS3 request of this moment.
    pub(crate) fn acs3(&self, key_id: &str, action: &str, parameters: &[(&str, &str)]) -> Captured {
        let list = "host;x-acs-action;x-acs-date;x-acs-signature-nonce;x-acs-version";
        let unsigned = format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={list}");
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "rollcall.example"),
            ("x-acs-action", action),
            ("x-acs-date", &self.moment()),
            ("x-acs-signature-nonce", &self.nonce()),
            ("x-acs-version", "2020-06-06"),
        ] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let uri = format!("/?{}", query(parameters)).parse().unwrap();
        let mut request = Captured { method: Method::POST, uri, headers, body: Vec::new() };
        sign(&mut request, &unsigned);
        request
    }

    /// An RPC request of this moment: GET, everything in the query.
    pub(crate) fn rpc(&self, parameters: &[(&str, &str)]) -> Captured {
        let (moment, nonce) = (self.moment(), self.nonce());
        let mut all = vec![
            ("AccessKeyId", KEY_ID),
            ("Version", "2020-06-06"),
            ("Timestamp", &*moment),
            ("SignatureNonce", &*nonce),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("Signature", "none"),
        ];
        all.extend(parameters);
        let uri = |all: &[(&str, &str)]| format!("/?{}", query(all)).parse().unwrap();
        let headers = HeaderMap::new();
        let mut request =
            Captured { method: Method::GET, uri: uri(&all), headers, body: Vec::new() };
        let text = string_to_sign(&request);
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(format!("{SECRET}&").as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        all[6].1 = &signature;
        request.uri = uri(&all);
        request
    }

    /// The code of the newest message to a number.
    pub(crate) async fn code(&self, number: &str) -> String {
        self.service.deliver_due().await;
        let number = Some(PhoneNumber::parse(number).unwrap());
        let query = SendQuery { number, limit: 1, ..SendQuery::default() };
        let (_, message) = self.service.inbox(query).await.unwrap().pop().unwrap();
        message.code.reveal().to_owned()
    }

    fn moment(&self) -> String {
        let now = self.service.now().as_millis().div_euclid(1000);
        jiff::Timestamp::from_second(now).unwrap().to_string()
    }

    fn nonce(&self) -> String {
        use service::ports::EntropyExt as _;
        format!("{:032x}", self.service.entropy().id128())
    }
}

impl Answer {
    /// HTTP status and `Code`.
    pub(crate) fn outcome(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["Code"].as_str().unwrap_or_default())
    }

    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.outcome(), (200, "OK"), "{}", self.text);
        self.body
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Puts an Authorization header, complete but for its signature, on a request and signs it.
pub(crate) fn sign(request: &mut Captured, unsigned: &str) {
    sign_with(request, unsigned, SECRET);
}

/// The same with another secret.
pub(crate) fn sign_with(request: &mut Captured, unsigned: &str, secret: &str) {
    let header = |signature: &str| {
        HeaderValue::from_str(&format!("{unsigned},Signature={signature}")).unwrap()
    };
    request.headers.insert("authorization", header("none"));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(string_to_sign(request).as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    request.headers.insert("authorization", header(&signature));
}

fn query(parameters: &[(&str, &str)]) -> String {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(name, value)| Parameter { name: (*name).into(), value: (*value).into() })
        .collect();
    canonical(parameters.iter())
}

fn string_to_sign(request: &Captured) -> String {
    let parameters = request.parameters();
    let wire = request.wire(&parameters);
    read(wire).unwrap().string_to_sign(wire)
}

fn seed(temporary: bool) -> Seed {
    let key = |id: &str| SeedAccessKey { id: id.to_owned(), secret: SecretText::new(SECRET) };
    let alice = SeedRamUser {
        name: "alice".to_owned(),
        policies: Vec::new(),
        access_keys: vec![key(USER_KEY_ID)],
    };
    let temporary_key = SeedTemporaryKey {
        key: key(KEY_ID),
        security_token: SecretText::new(TOKEN),
        expires_at: Timestamp::from_millis(1_893_456_000_000),
    };
    let account = |name: &str, space: &str, waba: &str, credentials| SeedAccount {
        id: id(name),
        name: name.to_owned(),
        subscribed: name != "other",
        spaces: vec![SeedSpace {
            id: id(space),
            name: space.to_owned(),
            wabas: vec![SeedWaba {
                id: id(waba),
                name: waba.to_owned(),
                contact_email: None,
                upstream: None,
                numbers: Vec::new(),
            }],
        }],
        clients: Vec::new(),
        credentials,
    };
    let client = SeedClient {
        id: id(CLIENT),
        waba: Some(id(WABA)),
        host: None,
        retired: false,
        shards: 1,
        api_key: None,
        admin_password: Some(SecretText::new(ADMIN_PASSWORD)),
    };
    let own = SeedCredentials {
        access_keys: if temporary { vec![] } else { vec![key(KEY_ID)] },
        temporary_keys: if temporary { vec![temporary_key] } else { vec![] },
        users: vec![alice],
        graph_tokens: vec![SeedGraphToken {
            token: SecretText::new(GRAPH_TOKEN),
            name: GRAPH_TOKEN.to_owned(),
            scopes: GraphScopes::ALL,
            wabas: Vec::new(),
            expires_at: None,
        }],
        ..SeedCredentials::default()
    };
    let others =
        SeedCredentials { access_keys: vec![key(OTHER_KEY_ID)], ..SeedCredentials::default() };
    let rivals =
        SeedCredentials { access_keys: vec![key(RIVAL_KEY_ID)], ..SeedCredentials::default() };
    Seed {
        accounts: vec![
            SeedAccount { clients: vec![client], ..account("default", SPACE, WABA, own) },
            account("other", "cams-other01", "200000000000001", others),
            account("rival", RIVAL_SPACE, "200000000000002", rivals),
        ],
    }
}

fn id<T: TextId>(text: &str) -> T {
    T::parse(text).unwrap()
}

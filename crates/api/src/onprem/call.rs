//! What every On-Premises handler is given: the client that is addressed, the caller, the body.

use core::convert::Infallible;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;

use axum::body::Bytes;
use axum::extract::{
    ConnectInfo, FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request,
};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use registration::{ClientId, Refusal, TextId, Timestamp};
use serde_json::{Map, Value};
use service::clients::DEFAULT;
use service::directory::{Client, EntityRef, Role};
use service::login::{Identity, SessionToken};
use service::ports::{Subject, Take};
use service::{Caller, ServiceError, Unavailable, coreapp};

use super::reply::Fault;
use super::strict;
use crate::bushy::has_too_many_values;
use crate::state::App;

/// A request to one client, not yet authenticated. As a handler's input it is one to log in.
pub struct Visit {
    /// Shared state.
    pub app: App,
    /// The client addressed by host name, by `/clients/{name}`, or else the default one.
    pub client: Client,
    /// Where the request came from.
    pub from: IpAddr,
    authorization: Option<HeaderValue>,
    /// Parameters of the path.
    params: Vec<(String, String)>,
}

/// A request by a logged-in user.
pub struct Call {
    /// The request.
    pub visit: Visit,
    /// Who is logged in.
    pub who: Identity,
}

/// A request by the admin; others are refused with 1005.
pub struct AdminCall(pub Call);

/// A request by a logged-in user or with the API key: the read endpoints.
pub struct ReaderCall(pub Visit);

impl Visit {
    /// A failed use case as a failure of this dialect.
    #[must_use]
    pub fn fault(&self, error: ServiceError) -> Fault {
        Fault::of(&self.app, error)
    }

    /// Refuses with 1011 while Coreapp of the client restarts.
    pub async fn coreapp_up(&self) -> Result<(), Fault> {
        self.app.service.coreapp_up(&self.client).await.map_err(|error| self.fault(error))
    }

    /// A parameter of the path.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The client that a request addresses; its session is read in the same go if it brings a `token`.
    async fn find(
        parts: &mut Parts,
        app: &App,
        token: Option<&SessionToken>,
    ) -> Result<Self, Fault> {
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Fault::not_found(app, "The path is not valid"))?;
        let params: Vec<_> = params.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let named = params.iter().find(|(key, _)| key == "client").map(|(_, name)| name.as_str());
        let client = addressed(app, named, &parts.headers, &parts.uri, token)
            .await
            .map_err(|error| Fault::of(app, error))?
            .ok_or_else(|| Fault::not_found(app, "There is no such client"))?;
        let unspecified = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let from = peer.map_or(unspecified, |ConnectInfo(address)| address.ip());
        let authorization = parts.headers.get(header::AUTHORIZATION).cloned();
        Ok(Self { app: app.clone(), client, from, authorization, params })
    }

    /// Refuses while Coreapp restarts for a reason that stands in the client itself. A restart because of a
    /// registration shows in the number's record, which the use case reads anyway.
    pub fn coreapp_started(&self) -> Result<(), Fault> {
        let service = &self.app.service;
        let limits = &service.policy().limits;
        if coreapp::restarts(self.client.restarting_until, service.now(), limits) {
            return Err(self.fault(Unavailable::CoreappRestarting.into()));
        }
        Ok(())
    }

    /// Takes the request from the client's allowance.
    fn admit(&self) -> Result<(), Fault> {
        self.admitted(self.app.service.admit_client(&self.client.id))
    }

    /// Takes a login from what its source may ask of the client.
    fn admit_login(&self) -> Result<(), Fault> {
        self.admitted(self.app.service.admit_login(Some(&self.client.id), self.from))
    }

    fn admitted(&self, taken: Result<(), Timestamp>) -> Result<(), Fault> {
        taken.map_err(|opens_at| {
            let refusal = Refusal::TooManyRequests { opens_at };
            Fault::of_refusal(&self.app, refusal)
        })
    }

    async fn identity(&self, token: Option<&SessionToken>) -> Result<Identity, Fault> {
        let unauthorized = || Fault::unauthorized(&self.app);
        let token = token.ok_or_else(unauthorized)?;
        self.app
            .service
            .authenticate(&self.client, token)
            .await
            .map_err(|error| self.fault(error))?
            .ok_or_else(unauthorized)
    }

    /// User and password of a Basic header. One that is longer than any of ours is nobody's: it shall
    /// neither be hashed nor counted under its name.
    #[must_use]
    pub fn basic(&self) -> Option<(String, String)> {
        let encoded = credentials(self.authorization.as_ref(), "Basic")?;
        if encoded.len() > BASIC_CHARS_MAX {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }
}

impl Call {
    /// The caller as the use cases know it.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller {
            account: Some(self.visit.client.account.clone()),
            dialect: "onprem",
            actor: format!("onprem:{}/{}", self.visit.client.id, self.who.user),
        }
    }

    /// What events about the client itself are about.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject::Entity(EntityRef::client(&self.visit.client.id))
    }

    /// Refuses what only the admin may do.
    ///
    /// Comes before flow control, so the number of notes is what keeps a user who may do nothing from
    /// filling the audit trail.
    pub async fn not_admin(&self, operation: &str) -> Fault {
        let service = &self.visit.app.service;
        let notes = Take {
            key: format!("denied/{}/{}", self.visit.client.id, self.who.user),
            interval: Duration::from_secs(1),
            burst: NOTED_AT_ONCE,
            now: service.now(),
        };
        let (caller, subject, refusal) = (self.caller(), self.subject(), Refusal::NotAdmin);
        let error = service.refuse_noting(&caller, subject, operation, refusal, notes).await;
        self.visit.fault(error)
    }
}

/// Denials of one user that are noted in the audit trail at once; then one a second.
const NOTED_AT_ONCE: u32 = 10;

/// Longest Basic credentials: a name of 32 and a password of 64 characters, four bytes each, in base64.
const BASIC_CHARS_MAX: usize = (4 * (32 + 1 + 64_usize)).div_ceil(3) * 4;

/// The client that a request addresses.
async fn addressed(
    app: &App,
    named: Option<&str>,
    headers: &HeaderMap,
    uri: &http::Uri,
    token: Option<&SessionToken>,
) -> Result<Option<Client>, ServiceError> {
    if let Some(name) = named {
        return match ClientId::parse(name) {
            Some(id) => app.service.client_of_call(&id, token).await,
            None => Ok(None),
        };
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(uri.host());
    let host = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    // Plain addresses and localhost are the default client: no look-up on the common path.
    if let Some(host) = host
        && !host.is_empty()
        && host != "localhost"
        && !host.starts_with('[')
        && host.parse::<IpAddr>().is_err()
        && let Some(client) = app.service.client_by_host(host).await?
    {
        return Ok(Some(client));
    }
    match ClientId::parse(DEFAULT) {
        Some(id) => app.service.client_of_call(&id, token).await,
        None => Ok(None),
    }
}

/// The bearer token of a request, if there is one that was issued here.
fn bearer(parts: &Parts, app: &App) -> Option<SessionToken> {
    let token = credentials(parts.headers.get(header::AUTHORIZATION), "Bearer")?;
    app.service.read_token(token)
}

/// What stands behind `scheme` in the Authorization header; the scheme in any case (RFC 9110 §11.1).
fn credentials<'h>(authorization: Option<&'h HeaderValue>, scheme: &str) -> Option<&'h str> {
    let (given, rest) = authorization?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

impl FromRequestParts<App> for Visit {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let visit = Self::find(parts, app, None).await?;
        visit.admit_login()?;
        Ok(visit)
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = Fault;

    /// 401 first, then 429: a stranger cannot use up the client's allowance.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let token = bearer(parts, app);
        let visit = Visit::find(parts, app, token.as_ref()).await?;
        let who = visit.identity(token.as_ref()).await?;
        visit.admit()?;
        Ok(Self { visit, who })
    }
}

impl FromRequestParts<App> for AdminCall {
    type Rejection = Fault;

    /// 401, then 403, then 429 (On-Premises reference §1.6).
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let token = bearer(parts, app);
        let visit = Visit::find(parts, app, token.as_ref()).await?;
        let who = visit.identity(token.as_ref()).await?;
        let call = Call { visit, who };
        if call.who.role != Role::Admin {
            // Not the path itself, which is as long as the caller likes.
            let route = parts.extensions.get::<MatchedPath>();
            return Err(call.not_admin(route.map_or("", MatchedPath::as_str)).await);
        }
        call.visit.admit()?;
        Ok(Self(call))
    }
}

impl FromRequestParts<App> for ReaderCall {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let token = bearer(parts, app);
        let visit = Visit::find(parts, app, token.as_ref()).await?;
        let by_key = credentials(visit.authorization.as_ref(), "Apikey")
            .is_some_and(|key| app.service.api_key_matches(&visit.client, key));
        if !by_key {
            visit.identity(token.as_ref()).await?;
        }
        visit.admit()?;
        Ok(Self(visit))
    }
}

/// The `format` that the query asks for, if it does.
pub struct Format(pub Option<String>);

impl Format {
    /// Whether Prometheus text is asked for.
    #[must_use]
    pub fn is_prometheus(&self) -> bool {
        self.0.as_deref() == Some("prometheus")
    }
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        let mut named = pairs.filter_map(|pair| pair.strip_prefix("format="));
        Ok(Self(named.next().map(str::to_ascii_lowercase)))
    }
}

/// The raw body of a request, at most what the listener lets through.
pub struct RawBody(pub Bytes);

impl FromRequest<App> for RawBody {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        Bytes::from_request(request, app).await.map(Self).map_err(|rejection| {
            let status = rejection.into_response().status();
            if status == StatusCode::PAYLOAD_TOO_LARGE {
                let title = "Request is not valid";
                Fault::new(app, status, 1025, title, "The body is too large")
            } else {
                Fault::not_json(app)
            }
        })
    }
}

/// The JSON object of a body. An empty body is an empty object, so that what is missing is named.
pub fn object(app: &App, body: &RawBody) -> Result<Map<String, Value>, Fault> {
    if body.0.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    if has_too_many_values(&body.0) {
        let (title, details) = ("Request is not valid", "The body holds too many values");
        return Err(Fault::new(app, StatusCode::BAD_REQUEST, 1025, title, details));
    }
    match strict::parse(&body.0) {
        Some(Value::Object(members)) => Ok(members),
        Some(_) | None => Err(Fault::not_json(app)),
    }
}

/// A required string. Absent or `null` is missing; another type is invalid.
pub fn text<'b>(
    app: &App,
    body: &'b Map<String, Value>,
    field: &'static str,
) -> Result<&'b str, Fault> {
    match body.get(field) {
        None | Some(Value::Null) => Err(Fault::missing(app, field)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Fault::invalid(app, format!("{field} must be a string"))),
    }
}

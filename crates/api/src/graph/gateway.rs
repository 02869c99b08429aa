//! Every request of the dialect: who calls, for what, whether it may, and in which order that is found out.
//!
//! ```text
//! path ─ body ─ parameters ─ token ─ app's hourly calls ─ edge and verb ─ object ─ WABA's hourly calls
//!      ─ scopes ─ parameters of the edge ─ operation
//! ```

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;
use service::graph_tokens::GraphTokenStanding;
use service::graph_usage::GraphParty;

use super::call::Call;
use super::failure::Failure;
use super::parameters::Parameters;
use super::path::Path;
use super::usage::Counted;
use super::{codes, numbers, reply, tokens, wabas, webhooks};
use crate::state::App;

/// Largest body: a sealed backup of an On-Premises client fits.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Every request whose path is one of this dialect.
pub async fn answer(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(path) = Path::parse(parts.uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    #[expect(clippy::disallowed_methods, reason = "measures how long a call took")]
    let begun = std::time::Instant::now();
    let counted = Arc::new(Counted::default());
    let outcome = serve(&app, &parts, &path, body, Arc::clone(&counted)).await;
    counted.spend(&app.service, begun.elapsed());
    let mut response = reply::render(&app, path.version, outcome);
    counted.tell(&app.service, response.headers_mut());
    response
}

async fn serve(
    app: &App,
    parts: &Parts,
    path: &Path<'_>,
    body: Body,
    counted: Arc<Counted>,
) -> Result<Value, Failure> {
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|fault| {
        if fault.is::<LengthLimitError>() {
            Failure::from(codes::TOO_LARGE)
        } else {
            Failure::malformed("The body did not arrive whole")
        }
    })?;
    let query = parts.uri.query().unwrap_or_default();
    let parameters = Parameters::read(query, &parts.headers, body.to_bytes()).await?;
    let token = authenticate(app, &parts.headers, &parameters).await?;
    let limits = app.service.policy().graph;
    let caller = GraphParty::App(token.account.clone());
    counted.on_app(caller.clone(), limits.app_calls);
    app.service.admit_graph(&caller, limits.app_calls).map_err(|opens_at| {
        let wait = opens_at.since(app.service.now()).as_millis().div_ceil(1000);
        Failure::from(codes::APP_LIMIT).with_retry_after(u64::try_from(wait).unwrap_or(u64::MAX))
    })?;
    let call = Call {
        app: app.clone(),
        token,
        parameters,
        verb: verb(&parts.method)?,
        node: path.node.to_owned(),
        url: url(app, parts),
        query: query.to_owned(),
        counted,
    };
    route(&call, path).await
}

/// The endpoints (§2.1). Edges of numbers are refused for WABAs and the other way round.
async fn route(call: &Call, path: &Path<'_>) -> Result<Value, Failure> {
    match (call.verb, path.edge) {
        ("get", "") if path.node == "me" => Ok(tokens::me(call)),
        ("get", "") if path.node == "debug_token" => tokens::debug(call).await,
        ("get", "") => wabas::node(call).await,
        ("post", "") => numbers::change(call).await,
        ("get", "phone_numbers") => wabas::phone_numbers(call).await,
        ("post", "phone_numbers") => numbers::add(call).await,
        ("post", "request_code") => numbers::request_code(call).await,
        ("post", "verify_code") => numbers::verify_code(call).await,
        ("post", "register") => numbers::register(call).await,
        ("post", "deregister") => numbers::deregister(call).await,
        ("get", "subscribed_apps") => webhooks::subscribed_apps(call).await,
        ("post", "subscribed_apps") => webhooks::subscribe(call).await,
        ("delete", "subscribed_apps") => webhooks::unsubscribe(call).await,
        ("get", "subscriptions") => webhooks::subscriptions(call).await,
        ("post", "subscriptions") => webhooks::subscribe_app(call).await,
        ("delete", "subscriptions") => webhooks::unsubscribe_app(call).await,
        (
            _,
            "" | "phone_numbers" | "request_code" | "verify_code" | "register" | "deregister"
            | "subscribed_apps" | "subscriptions",
        ) => Err(call.no_object()),
        (_, edge) => Err(Failure::no_edge(&format!("/{edge}"))),
    }
}

/// The token of the header, else that of the parameter (§1).
async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<service::directory::GraphToken, Failure> {
    let of_header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let of_header = of_header.and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        let fits = ["Bearer", "OAuth"].iter().any(|it| scheme.eq_ignore_ascii_case(it));
        Some(token.trim()).filter(|token| fits && !token.is_empty())
    });
    let text = of_header.map(str::to_owned).or_else(|| parameters.text("access_token"));
    let text = text.ok_or(codes::NO_TOKEN)?;
    match app.service.graph_token(&text).await.map_err(|error| Failure::of(app, error))? {
        GraphTokenStanding::Valid(token) => Ok(token),
        GraphTokenStanding::Expired(_) => Err(codes::EXPIRED_TOKEN.into()),
        GraphTokenStanding::Unknown => Err(codes::BAD_TOKEN.into()),
    }
}

fn verb(method: &Method) -> Result<&'static str, Failure> {
    match *method {
        Method::GET | Method::HEAD => Ok("get"),
        Method::POST => Ok("post"),
        Method::DELETE => Ok("delete"),
        _ => Err(codes::VERB.into()),
    }
}

/// Where the request came in: the public address if there is one, else what the caller wrote.
fn url(app: &App, parts: &Parts) -> String {
    let path = parts.uri.path();
    if !app.settings.public_url.is_empty() {
        return format!("{}{path}", app.settings.public_url);
    }
    let of_header = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = of_header.or_else(|| Some(parts.uri.authority()?.as_str())).unwrap_or("localhost");
    format!("http://{host}{path}")
}

/// The answer to a request that ended before [`answer`] saw it.
pub(crate) fn rejected(app: &App, path: &str, status: StatusCode, words: &str) -> Response {
    let version = Path::parse(path).and_then(|path| path.version.map(str::to_owned));
    let failure = if status.is_server_error() {
        Failure::from(codes::INTERNAL)
    } else {
        Failure::malformed(words).with_status(status)
    };
    reply::render(app, version.as_deref(), Err(failure))
}

//! `/`: who calls, whether it may, and in which order that is found out (§4.3, §5).
//!
//! ```text
//! method ─ parameters ─ Version ─ Action ─ claims ─ time ─ key ─ token ─ body ─ signature ─ nonce
//!        ─ permission ─ flow control ─ required parameters ─ subscription ─ operation
//! ```
//!
//! What is cheap and public comes first. The nonce is used only once the signature is proven, so nobody
//! else can use it up, and before permission and flow control, so a request that is sent twice counts
//! once there.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Request, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::request::Parts;
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt as _, Collected, LengthLimitError, Limited};
use md5::{Digest as _, Md5};
use registration::{Refusal, TextId as _, Timestamp};
use service::access_keys::{SigningKey, TokenVerdict};
use service::directory::{Entity, EntityRef};
use service::nonces::{Freshness, is_timely};
use service::ports::Subject;

use super::call::Call;
use super::codes;
use super::failure::Failure;
use super::operation::Operation;
use super::operations;
use super::parameters::Parameters;
use super::permission::{self, Origin};
use super::reply::{Body, Envelope, Format};
use super::signature::{self, ClaimFault, Claims, Family, Mismatch, Wire};
use crate::refusals::CamsWords;
use crate::router::nowhere;
use crate::state::App;

/// The version that is served.
pub const VERSION: &str = "2020-06-06";

/// The one operation for which an account without the product is no failure but an answer.
const ASKS_WHETHER_SUBSCRIBED: &str = "GetChatappOpenStatus";

/// Largest body: parameters only (§10, point 5).
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Longest nonce; clients send 32 or 64 characters.
const NONCE_CHARS_MAX: usize = 128;

/// Every request to `/`.
pub async fn answer(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map(Collected::to_bytes);
    let is_form = is_form(parts.headers.get(header::CONTENT_TYPE));
    let (body, parameters) = match body {
        Ok(body) => {
            let query = parts.uri.query().unwrap_or_default();
            let form: &[u8] = if is_form { &body } else { b"" };
            let parameters = Parameters::parse(query.as_bytes(), form);
            (body, parameters.map_err(|fault| fault.to_string()))
        }
        Err(fault) if fault.is::<LengthLimitError>() => {
            (Bytes::new(), Err("The request body is too large.".to_owned()))
        }
        Err(_) => (Bytes::new(), Err("The request body is incomplete.".to_owned())),
    };
    let nothing = Parameters::default();
    let wire = Wire {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        parameters: parameters.as_ref().unwrap_or(&nothing),
        body: &body,
    };
    if is_browser(wire) {
        return Redirect::temporary("/console").into_response();
    }
    if is_bare(wire) {
        return nowhere(State(app), OriginalUri(parts.uri), parts.headers).await;
    }
    let envelope = Envelope::new(app.service.entropy(), wire.host(), format(wire));
    let served = match &parameters {
        Ok(_) => serve(&app, wire, Origin::of(&parts)).await,
        Err(what) => {
            let message = format!("{} {what}", codes::FORMAT.message);
            Err(Failure::from(codes::FORMAT).with_message(message))
        }
    };
    match served {
        Ok((operation, body)) => envelope.success(operation, body),
        Err(failure) => envelope.failure(failure),
    }
}

/// The answer to a request that ended before it was read: too large, too late, broken off, or a bug here.
pub(crate) fn rejected(app: &App, head: &Parts, status: StatusCode, words: &str) -> Response {
    let query = head.uri.query().unwrap_or_default();
    let parameters = Parameters::parse(query.as_bytes(), b"").unwrap_or_default();
    let (method, uri, headers) = (&head.method, &head.uri, &head.headers);
    let wire = Wire { method, uri, headers, parameters: &parameters, body: b"" };
    let failure = if status.is_server_error() {
        codes::INTERNAL.into()
    } else {
        let message = format!("{} {words}.", codes::FORMAT.message);
        Failure::from(CamsWords { status, ..codes::FORMAT }).with_message(message)
    };
    Envelope::new(app.service.entropy(), wire.host(), format(wire)).failure(failure)
}

async fn serve(
    app: &App,
    wire: Wire<'_>,
    origin: Origin,
) -> Result<(&'static Operation, Body), Failure> {
    let operation = named_operation(wire)?;
    let claims = signature::read(wire).map_err(unclaimed)?;
    let key = authenticate(app, wire, &claims).await?;
    let (app, parameters) = (app.clone(), wire.parameters.clone());
    let call = Call { app, key: key.key, parameters, origin };
    permission::check(&call, operation).await?;
    call.app
        .service
        .admit_operation(call.account(), operation.name, operation.is_low_rate())
        .map_err(|opens_at| {
            Failure::of_refusal(&call.app, Refusal::TooManyRequests { opens_at })
        })?;
    if let Some(absent) = operation.required.iter().find(|it| call.parameters.filled(it).is_none())
    {
        return Err(Failure::missing(absent));
    }
    if operation.name != ASKS_WHETHER_SUBSCRIBED {
        subscribed(&call, operation).await?;
    }
    match operations::run(&call, operation).await {
        Ok(body) => Ok((operation, body)),
        Err(failure) => Err(failure.of_operation(operation)),
    }
}

/// Method, version and action: what the request wants, before who wants it.
fn named_operation(wire: Wire<'_>) -> Result<&'static Operation, Failure> {
    if !matches!(*wire.method, Method::GET | Method::POST) {
        return Err(codes::METHOD.into());
    }
    let version = system(wire, "x-acs-version", "Version");
    match version.ok_or_else(|| Failure::missing("Version"))? {
        VERSION => {}
        _ => return Err(codes::VERSION.into()),
    }
    let action = system(wire, "x-acs-action", "Action");
    let action = action.ok_or_else(|| Failure::missing("Action"))?;
    Operation::named(action).ok_or_else(Failure::not_served)
}

/// Proves the sender and uses up the nonce.
async fn authenticate(
    app: &App,
    wire: Wire<'_>,
    claims: &Claims<'_>,
) -> Result<SigningKey, Failure> {
    let signed_at = moment(claims.timestamp).ok_or(codes::TIME_FORMAT)?;
    let now = app.service.now();
    if !is_timely(signed_at, now) {
        return Err(codes::TIME_EXPIRED.into());
    }
    let nonce = claims.nonce;
    if nonce.len() > NONCE_CHARS_MAX || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::invalid("SignatureNonce"));
    }
    let found = app.service.signing_key(claims.access_key_id).await;
    let key = found.map_err(|error| Failure::of(app, error))?.ok_or(codes::KEY_UNKNOWN)?;
    if !key.key.active {
        return Err(codes::KEY_INACTIVE.into());
    }
    check_token(&key, claims.security_token, now)?;
    if !md5_holds(wire) {
        return Err(codes::MD5.into());
    }
    claims.check(wire, key.secret.reveal().as_bytes()).map_err(|it| mismatch(claims, &it))?;
    let used = app.service.use_nonce(&key.key.id, nonce, signed_at).await;
    match used.map_err(|error| Failure::of(app, error))? {
        Freshness::Fresh => Ok(key),
        Freshness::Repeated => Err(codes::NONCE_USED.into()),
    }
}

fn check_token(key: &SigningKey, token: Option<&str>, now: Timestamp) -> Result<(), Failure> {
    if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Err(codes::TOKEN_MALFORMED.into());
    }
    match key.judge_token(token, now) {
        TokenVerdict::Fits => Ok(()),
        TokenVerdict::Missing => Err(codes::TOKEN_MISSING.into()),
        TokenVerdict::Mismatch => Err(codes::TOKEN_MISMATCH.into()),
        TokenVerdict::Expired => Err(codes::TOKEN_EXPIRED.into()),
    }
}

/// The account has the product, and is the one that the caller believes to call.
async fn subscribed(call: &Call, operation: &Operation) -> Result<(), Failure> {
    let account = EntityRef::account(call.account());
    let found = call.app.service.entity(&account).await.map_err(|error| call.failure(error))?;
    let found = found.and_then(|found| Entity::into_account(found.value));
    let subject = Subject::Entity(account);
    if !found.is_some_and(|account| account.subscribed) {
        return Err(call.refuse(subject, operation.name, Refusal::NotSubscribed).await);
    }
    match call.parameters.filled("ResourceOwnerId") {
        Some(owner) if owner != call.account().as_str() => {
            Err(call.refuse(subject, operation.name, Refusal::ForeignSpace).await)
        }
        Some(_) | None => Ok(()),
    }
}

/// What clients compare with their own text: one of them splits the message at a colon, so there is one
/// in both forms (§5).
fn mismatch(claims: &Claims<'_>, mismatch: &Mismatch) -> Failure {
    let Mismatch { string_to_sign } = mismatch;
    let told = codes::SIGNATURE.message;
    Failure::from(codes::SIGNATURE).with_message(match claims.family {
        Family::V1 => format!("{told} server string to sign is:{string_to_sign}"),
        Family::V3 => format!("{told} Compare: server StringToSign is [{string_to_sign}]"),
    })
}

fn unclaimed(fault: ClaimFault) -> Failure {
    match fault {
        ClaimFault::Unsigned => Failure::missing("AccessKeyId"),
        ClaimFault::Missing(name) => Failure::missing(name),
        ClaimFault::Invalid(name) => Failure::invalid(name),
        ClaimFault::Method => codes::SIGNATURE_METHOD.into(),
        ClaimFault::Incomplete => codes::INCOMPLETE.into(),
    }
}

/// A system value where the signature of its family covers it: never a header of an RPC request (§3.2).
fn system<'r>(wire: Wire<'r>, header: &str, parameter: &str) -> Option<&'r str> {
    let of_header = wire.headers.get(header).and_then(|value| value.to_str().ok());
    match signature::family(wire) {
        Some(Family::V1) => wire.parameters.filled(parameter),
        Some(Family::V3) | None => of_header
            .filter(|value| !value.is_empty())
            .or_else(|| wire.parameters.filled(parameter)),
    }
}

fn format(wire: Wire<'_>) -> Format {
    let wanted = wire.parameters.filled("Format").unwrap_or("XML");
    let is_rpc = signature::family(wire) == Some(Family::V1);
    if is_rpc && wanted.eq_ignore_ascii_case("XML") { Format::Xml } else { Format::Json }
}

/// Somebody who looks at the address, not a client of the API.
fn is_browser(wire: Wire<'_>) -> bool {
    let accept = wire.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    matches!(*wire.method, Method::GET | Method::HEAD)
        && accept.is_some_and(|accept| accept.contains("text/html"))
        && signature::family(wire).is_none()
        && system(wire, "x-acs-action", "Action").is_none()
}

/// Whether nothing of this dialect is in a request: somebody looks what is here.
fn is_bare(wire: Wire<'_>) -> bool {
    matches!(*wire.method, Method::GET | Method::HEAD)
        && wire.uri.query().is_none_or(str::is_empty)
        && wire.body.is_empty()
        && signature::family(wire).is_none()
        && ["x-acs-action", "x-acs-version"].iter().all(|name| !wire.headers.contains_key(*name))
}

/// A body without a type is read as the only kind there is.
fn is_form(content_type: Option<&http::HeaderValue>) -> bool {
    let Some(content_type) = content_type else { return true };
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// `YYYY-MM-DDThh:mm:ssZ` and nothing else, though the calendar library reads more.
fn moment(text: &str) -> Option<Timestamp> {
    let shape = b"0000-00-00T00:00:00Z";
    let fits = |(shape, byte): (&u8, u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == *shape,
    };
    if text.len() != shape.len() || !shape.iter().zip(text.bytes()).all(fits) {
        return None;
    }
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(moment.as_millisecond()))
}

/// Whether the body is the one that `Content-MD5` was made of, where that header came.
fn md5_holds(wire: Wire<'_>) -> bool {
    wire.headers
        .get("content-md5")
        .is_none_or(|named| named.as_bytes() == STANDARD.encode(Md5::digest(wire.body)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_one_spelling() {
        let at = moment("2026-11-22T04:29:29Z").expect("a moment");
        assert_eq!(at.as_millis(), 1_795_321_769_000);
        for text in [
            "",
            "2026-11-22 04:29:29",
            "2026-11-22T04:29:29",
            "2026-11-22T04:29:29z",
            "2026-11-22T04:29:29.5Z",
            "2026-11-22T04:29:29+00:00",
            "2026-13-22T04:29:29Z",
            "2026-02-30T04:29:29Z",
            "+026-11-22T04:29:29Z",
            "２026-11-22T04:29:2Z",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}

//! What stands before every page: session, role, form token; and the headers on every answer.

use axum::Form;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::Console;
use super::frame::{Frame, Preferences};
use super::session::{Role, Session};
use super::trouble::ErrorPage;
use crate::middleware::same_origin;

/// The cookie of a login.
pub(super) const SESSION_COOKIE: &str = "rollcall_console";

/// Most bytes of a form: the largest, a seed file, fits.
const FORM_BYTES_MAX: usize = 512 * 1024;

/// Name of the field with the form token.
pub(super) const FORM_TOKEN: &str = "form_token";

/// Everything from this server and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// The fields of a form whose token was right.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The trimmed value of a field; `None` if it is absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(field, _)| field == name)?;
        let value = field.1.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The value of a field as it was typed; empty if absent.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }
}

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = core::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.remove().unwrap_or_default())
    }
}

/// Puts the headers on every answer of the console.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Number pages have telephone numbers in their addresses; nobody else is told them.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Lets anybody see the pages that lead in, with what is known of their wishes.
pub(super) async fn anybody(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    // Whoever cannot be recognised at the moment sees the pages of a stranger.
    let session = session(&console, request.headers()).await.ok().flatten();
    let frame = frame(&console, &request, session.as_ref());
    if request.method() == Method::POST {
        if !same_origin(&request) {
            return forged(frame);
        }
        request = match with_fields(request).await {
            Ok((request, _)) => request,
            Err(status) => return ErrorPage::new(frame, status).into_response(),
        };
    }
    request.extensions_mut().insert(frame);
    next.run(request).await
}

/// Lets a request pass that brings a session; one that changes something also needs the form token and
/// the role for it.
pub(super) async fn logged_in(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = match session(&console, request.headers()).await {
        Ok(Some(session)) => session,
        Ok(None) => return to_login(&request),
        Err(error) => {
            tracing::warn!(%error, "a session could not be checked");
            let frame = frame(&console, &request, None);
            return ErrorPage::new(frame, StatusCode::SERVICE_UNAVAILABLE).into_response();
        }
    };
    let frame = frame(&console, &request, Some(&session));
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        if !same_origin(&request) {
            return forged(frame);
        }
        let (with_fields, fields) = match with_fields(request).await {
            Ok(read) => read,
            Err(status) => return ErrorPage::new(frame, status).into_response(),
        };
        request = with_fields;
        if !session.owns_form(&console.app, fields.raw(FORM_TOKEN)) {
            return forged(frame);
        }
        let leaves = request.uri().path().ends_with("/logout");
        if session.role == Role::Auditor && !leaves {
            let sentence = frame.t.common.auditor_only_reads;
            return ErrorPage::new(frame, StatusCode::FORBIDDEN).saying(sentence).into_response();
        }
        let form = request.extensions().get::<MatchedPath>().cloned();
        let form = form.as_ref().map_or("", MatchedPath::as_str);
        if let Err(error) = noted(&console, &session, form).await {
            tracing::warn!(%error, "who acts could not be noted");
            return ErrorPage::new(frame, StatusCode::SERVICE_UNAVAILABLE).into_response();
        }
    }
    request.extensions_mut().insert(session);
    request.extensions_mut().insert(frame);
    next.run(request).await
}

async fn session(
    console: &Console,
    headers: &HeaderMap,
) -> Result<Option<Session>, service::ServiceError> {
    let Some(cookie) = cookie(headers, SESSION_COOKIE) else { return Ok(None) };
    Session::read(&console.app, &cookie, console.session_lifetime).await
}

/// What somebody with a name does is noted under it before it is done: what follows is done by the
/// operator's API and stands under the operator.
async fn noted(
    console: &Console,
    session: &Session,
    form: &str,
) -> Result<(), service::ServiceError> {
    let Some(name) = &session.operator else { return Ok(()) };
    console.app.service.note_form(name, form).await
}

fn frame(console: &Console, request: &Request, session: Option<&Session>) -> Frame {
    let preferences = Preferences::of(request.headers());
    Frame::new(console, request.uri(), preferences, session)
}

fn forged(frame: Frame) -> Response {
    let sentence = frame.t.common.form_is_stale;
    ErrorPage::new(frame, StatusCode::FORBIDDEN).saying(sentence).into_response()
}

/// A page leads to the login and back; a part of a page makes the browser load the login as a whole.
fn to_login(request: &Request) -> Response {
    if request.headers().contains_key("hx-request") {
        let to_login = [(HeaderName::from_static("hx-redirect"), "/console/login")];
        return (StatusCode::UNAUTHORIZED, to_login).into_response();
    }
    if request.method() != Method::GET {
        return Redirect::to("/console/login").into_response();
    }
    let wanted = original_path(request.uri());
    let query = url_encoded(&wanted);
    Redirect::to(&format!("/console/login?to={query}")).into_response()
}

/// The path and query below `/console`, as the browser asked for it.
pub(super) fn original_path(uri: &http::Uri) -> String {
    let below = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let below = if below == "/" { "" } else { below };
    format!("/console{below}")
}

/// Escapes a text for a query string.
pub(super) fn url_encoded(text: &str) -> String {
    use core::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// Reads the form of a request, which gets its body back.
async fn with_fields(request: Request) -> Result<(Request, Fields), StatusCode> {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, FORM_BYTES_MAX).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let form = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.clone()))
        .map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    let read = Form::<Vec<(String, String)>>::from_request(form, &()).await;
    let fields = Fields(read.map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?.0);
    parts.extensions.insert(fields.clone());
    Ok((Request::from_parts(parts, Body::from(body)), fields))
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

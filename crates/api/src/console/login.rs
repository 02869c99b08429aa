//! The way in and out: operator's token, name and password, one-time link, preferences, logout.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;
use service::ServiceError;
use service::directory::EntityKind;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Console;
use super::frame::{Frame, LANGUAGE_COOKIE, THEME_COOKIE, Theme, ok, rendered};
use super::guard::{Fields, SESSION_COOKIE};
use super::session::{Role, Session, use_link};
use super::texts::Language;
use super::trouble::{ErrorPage, Notice, Trouble};

/// A year: preferences are kept that long.
const PREFERENCE_SECONDS: u32 = 365 * 24 * 3600;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    f: Frame,
    /// Where to go afterwards.
    to: String,
    wrong: Wrong,
    /// Whether somebody has a name to log in with.
    named: bool,
    name: String,
}

/// What was wrong with a login.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    Token,
    Password,
    /// Too often, whatever it was.
    TooOften,
}

impl LoginPage {
    async fn new(console: &Console, f: Frame, to: String, wrong: Wrong) -> Self {
        let some = console.app.service.entities(EntityKind::Operator, None, None, 1).await;
        Self { f, to, wrong, named: some.is_ok_and(|some| !some.is_empty()), name: String::new() }
    }

    /// The words for what was wrong: what, and what to do.
    fn trouble(&self) -> Option<(&'static str, &'static str)> {
        let t = &self.f.t.login;
        match self.wrong {
            Wrong::Nothing => None,
            Wrong::Token => Some((t.wrong, t.wrong_remedy)),
            Wrong::Password => Some((t.wrong_password, t.wrong_password_remedy)),
            Wrong::TooOften => Some((t.too_often, t.too_often_remedy)),
        }
    }

    fn is_wrong_token(&self) -> bool {
        self.wrong == Wrong::Token
    }

    fn is_wrong_password(&self) -> bool {
        self.wrong == Wrong::Password
    }

    /// Whether the form for name and password stands first.
    fn name_first(&self) -> bool {
        self.named && self.wrong != Wrong::Token
    }
}

#[derive(Template)]
#[template(path = "enter.html")]
struct LandingPage {
    f: Frame,
    link: String,
}

/// Where a login leads.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Destination {
    #[serde(default)]
    to: String,
}

/// `GET /login`.
pub(super) async fn page(
    State(console): State<Console>,
    frame: Frame,
    Query(destination): Query<Destination>,
) -> Response {
    if frame.role.is_some() {
        return Redirect::to(&inner_path(&destination.to)).into_response();
    }
    ok(&LoginPage::new(&console, frame, inner_path(&destination.to), Wrong::Nothing).await)
}

/// `POST /login`: the operator's token, or a name and a password.
pub(super) async fn log_in(
    State(console): State<Console>,
    scheme: Option<Extension<http::uri::Scheme>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    frame: Frame,
    fields: Fields,
) -> Response {
    let to = inner_path(fields.get("to").unwrap_or_default());
    let https = is_https(&console, scheme);
    if let Some(name) = fields.get("name") {
        let from = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |Extension(peer)| peer.0.ip());
        let found = console.app.service.operator_login(name, fields.raw("password"), from).await;
        let (status, wrong) = match found {
            Ok(Some(operator)) => {
                let session = Session::begin_named(&console.app.service, operator);
                return enter(&console, &session, https, &to);
            }
            Ok(None) => (StatusCode::UNAUTHORIZED, Wrong::Password),
            Err(ServiceError::Refused(_)) => (StatusCode::TOO_MANY_REQUESTS, Wrong::TooOften),
            Err(error) => {
                tracing::warn!(%error, "a login could not be checked");
                let trouble = Trouble::of(StatusCode::SERVICE_UNAVAILABLE);
                return ErrorPage::about(frame, &trouble).into_response();
            }
        };
        let page = LoginPage::new(&console, frame, to, wrong).await;
        return rendered(status, &LoginPage { name: name.to_owned(), ..page });
    }
    let given: [u8; 32] = Sha256::digest(fields.get("token").unwrap_or_default()).into();
    if !bool::from(given.ct_eq(&console.app.settings.operator_token_sha256)) {
        let page = LoginPage::new(&console, frame, to, Wrong::Token).await;
        return rendered(StatusCode::UNAUTHORIZED, &page);
    }
    enter(&console, &Session::begin(&console.app.service, Role::Operator), https, &to)
}

/// `GET /enter/{link}`: a page with a button, so that no program that follows links uses it up.
pub(super) async fn landing(frame: Frame, Path(link): Path<String>) -> Response {
    if frame.role.is_some() {
        return Redirect::to("/console").into_response();
    }
    ok(&LandingPage { f: frame, link })
}

/// `POST /enter/{link}`.
pub(super) async fn with_link(
    State(console): State<Console>,
    scheme: Option<Extension<http::uri::Scheme>>,
    frame: Frame,
    Path(link): Path<String>,
) -> Response {
    match use_link(&console.app, &link).await {
        Ok(Some(role)) => {
            let session = Session::begin(&console.app.service, role);
            enter(&console, &session, is_https(&console, scheme), "/console")
        }
        Ok(None) => {
            let mut notice = Notice::good(frame.t.login.link_is_used);
            notice.tone = "bad";
            notice.remedy = Some(frame.t.login.link_is_used_remedy.to_owned());
            let to = "/console".to_owned();
            let page = LoginPage::new(&console, frame.with(notice), to, Wrong::Nothing).await;
            rendered(StatusCode::UNAUTHORIZED, &page)
        }
        Err(error) => {
            tracing::warn!(%error, "a login link could not be checked");
            let trouble = Trouble::of(StatusCode::SERVICE_UNAVAILABLE);
            ErrorPage::about(frame, &trouble).into_response()
        }
    }
}

/// `POST /logout`.
pub(super) async fn logout(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    frame: Frame,
) -> Response {
    if let Err(error) = session.end(&console.app, console.session_lifetime).await {
        tracing::warn!(%error, "a logout could not be kept");
        let trouble = Trouble::of(StatusCode::SERVICE_UNAVAILABLE);
        return ErrorPage::about(frame, &trouble).into_response();
    }
    let gone = format!("{SESSION_COOKIE}=; Path=/console; Max-Age=0; HttpOnly; SameSite=Strict");
    leading("/console/login", [gone])
}

/// `POST /preferences`: language and theme, for a year.
pub(super) async fn preferences(fields: Fields) -> Response {
    let language = fields.get("language").and_then(Language::parse).map(Language::as_str);
    let theme = fields.get("theme").and_then(Theme::parse).map(Theme::as_str);
    let kept = [(LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)];
    let cookies = kept.into_iter().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{name}={value}; Path=/console; Max-Age={PREFERENCE_SECONDS}; SameSite=Lax"))
    });
    leading(&inner_path(fields.get("to").unwrap_or_default()), cookies)
}

fn enter(console: &Console, session: &Session, https: bool, to: &str) -> Response {
    let cookie = session.cookie(&console.app);
    let secure = if https { "; Secure" } else { "" };
    let cookie =
        format!("{SESSION_COOKIE}={cookie}; Path=/console; HttpOnly; SameSite=Strict{secure}");
    leading(to, [cookie])
}

fn is_https(console: &Console, scheme: Option<Extension<http::uri::Scheme>>) -> bool {
    let behind_proxy = console.app.settings.public_url.starts_with("https://");
    behind_proxy || scheme.is_some_and(|Extension(it)| it == http::uri::Scheme::HTTPS)
}

fn leading(to: &str, cookies: impl IntoIterator<Item = String>) -> Response {
    let mut response = Redirect::to(to).into_response();
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

/// A path of the console, so that a crafted link leads nowhere else; the console's first page for
/// everything else.
fn inner_path(wanted: &str) -> String {
    let sound =
        wanted.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_none() && uri.authority().is_none())
            && (wanted == "/console"
                || wanted.starts_with("/console/")
                || wanted.starts_with("/console?"))
            && !wanted.starts_with("/console/login")
            && !wanted.starts_with("/console/enter");
    if sound { wanted.to_owned() } else { "/console".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_into_the_console_only() {
        assert_eq!(inner_path("/console/numbers?q=44"), "/console/numbers?q=44");
        for elsewhere in [
            "",
            "https://example.com/console",
            "//example.com/console",
            "/consolex",
            "/v1/users",
            "/console/login?to=x",
            "javascript:alert(1)",
            "/console\\..",
            "/console\n",
        ] {
            assert_eq!(inner_path(elsewhere), "/console", "{elsewhere:?}");
        }
    }
}

//! Who is logged in: a signed cookie, a form token derived from it, and links that log in once.
//!
//! A session is nowhere stored. Its cookie carries role, moment, a random name, and who logged in with a
//! name, under a MAC whose key comes from the master key; the operator's token is part of what is signed,
//! so a new token ends every session. Those that were ended before their time are stored, so that a logout
//! holds on every node and after a restart; so are the operators, whose change ends their sessions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::time::Duration;
use registration::Timestamp;
use service::directory::OperatorRole;
use service::nonces::Freshness;
use service::operators::OperatorLogin;
use service::ports::EntropyExt as _;
use service::{Service, ServiceError};
use subtle::ConstantTimeEq as _;

use crate::state::App;

/// How long a login lasts in production: a working day.
pub(super) const LIFETIME: Duration = Duration::from_hours(12);

/// How long a link that logs in can be used.
const LINK_LIFETIME: Duration = Duration::from_mins(10);

/// Longest cookie and link that is looked at; ours have some 120 characters.
const CHARS_MAX: usize = 256;

/// How long it is remembered that a session was ended which has no time of its own, in a sandbox.
const ENDED_REMEMBERED: Duration = Duration::from_hours(365 * 24);

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Operator,
    /// Look at everything, change nothing.
    Auditor,
}

impl Role {
    /// The word in cookies and links.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Operator, Self::Auditor].into_iter().find(|role| role.as_str() == word)
    }
}

impl From<OperatorRole> for Role {
    fn from(role: OperatorRole) -> Self {
        match role {
            OperatorRole::Operator => Self::Operator,
            OperatorRole::Auditor => Self::Auditor,
        }
    }
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub role: Role,
    since: Timestamp,
    name: String,
    /// Who logged in with a name; `None` by token or link.
    pub operator: Option<String>,
    /// The operator's mark when it logged in; empty where there is none.
    mark: String,
}

impl Session {
    /// Begins one.
    pub(super) fn begin(service: &Service, role: Role) -> Self {
        let name = hex::encode(service.entropy().bytes::<16>());
        Self { role, since: service.now(), name, operator: None, mark: String::new() }
    }

    /// Begins one of somebody with a name.
    pub(super) fn begin_named(service: &Service, who: OperatorLogin) -> Self {
        let session = Self::begin(service, who.role.into());
        Self { operator: Some(who.name), mark: who.mark, ..session }
    }

    /// What stands in the cookie.
    pub(super) fn cookie(&self, app: &App) -> String {
        let mut text = format!("{}.{}.{}", self.role.as_str(), self.since.as_millis(), self.name);
        if let Some(operator) = &self.operator {
            text.extend([".", operator, ".", &self.mark]);
        }
        let mac = sign(app, "session", &text);
        format!("{text}.{mac}")
    }

    /// Reads a cookie; `None` if it is not ours, has ended, or is older than `lifetime`.
    pub(super) async fn read(
        app: &App,
        cookie: &str,
        lifetime: Option<Duration>,
    ) -> Result<Option<Self>, ServiceError> {
        let Some(session) = Self::parse(app, cookie, lifetime) else { return Ok(None) };
        if app.service.login_has_ended(&session.name).await? {
            return Ok(None);
        }
        let Some(name) = &session.operator else { return Ok(Some(session)) };
        let holds = app.service.operator_mark(name).await?.is_some_and(|it| it == session.mark);
        Ok(holds.then_some(session))
    }

    fn parse(app: &App, cookie: &str, lifetime: Option<Duration>) -> Option<Self> {
        let text = verified(app, "session", cookie)?;
        let mut parts = text.split('.');
        let role = Role::parse(parts.next()?)?;
        let since = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let name = parts.next()?.to_owned();
        let operator = parts.next().map(str::to_owned);
        let mark = parts.next().unwrap_or_default().to_owned();
        let over = lifetime.is_some_and(|lifetime| app.service.now() >= since + lifetime);
        (!over).then_some(Self { role, since, name, operator, mark })
    }

    /// Ends it, on every node and for good.
    pub(super) async fn end(
        &self,
        app: &App,
        lifetime: Option<Duration>,
    ) -> Result<(), ServiceError> {
        let until = self.since + lifetime.unwrap_or(ENDED_REMEMBERED);
        app.service.end_login(&self.name, until).await
    }

    /// The token that every form of this session carries.
    pub(super) fn form_token(&self, app: &App) -> String {
        sign(app, "form", &self.name)
    }

    /// Whether a form came from a page of this session.
    pub(super) fn owns_form(&self, app: &App, token: &str) -> bool {
        self.form_token(app).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

/// The tail of a link (`/console/enter/…`) that logs somebody in once, and until when.
#[must_use]
pub fn new_link(app: &App, role: Role) -> (String, Timestamp) {
    let until = app.service.now() + LINK_LIFETIME;
    let name = hex::encode(app.service.entropy().bytes::<16>());
    let text = format!("{}.{}.{name}", role.as_str(), until.as_millis());
    let mac = sign(app, "link", &text);
    (format!("{text}.{mac}"), until)
}

/// Uses a link up: the role it gives if it was ours, in time, and never used before.
pub(super) async fn use_link(app: &App, link: &str) -> Result<Option<Role>, ServiceError> {
    let Some((role, until, name)) = read_link(app, link) else { return Ok(None) };
    if app.service.now() >= until {
        return Ok(None);
    }
    let key = format!("console/{name}");
    let used = app.service.use_once(key, until + LINK_LIFETIME).await?;
    Ok((used == Freshness::Fresh).then_some(role))
}

fn read_link<'a>(app: &App, link: &'a str) -> Option<(Role, Timestamp, &'a str)> {
    let mut parts = verified(app, "link", link)?.split('.');
    let role = Role::parse(parts.next()?)?;
    let until = Timestamp::from_millis(parts.next()?.parse().ok()?);
    Some((role, until, parts.next()?))
}

fn sign(app: &App, purpose: &str, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(app.service.keys().sign_token(&message(app, purpose, text)))
}

/// The text in front of a MAC that is right.
fn verified<'a>(app: &App, purpose: &str, whole: &'a str) -> Option<&'a str> {
    if whole.len() > CHARS_MAX {
        return None;
    }
    let (text, mac) = whole.rsplit_once('.')?;
    let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
    app.service.keys().verify_token(&message(app, purpose, text), &mac).then_some(text)
}

/// What is signed. The purpose keeps a link from being read as a session; the zero byte keeps all of it
/// apart from the tokens of the dialects, which the same key signs.
fn message(app: &App, purpose: &str, text: &str) -> Vec<u8> {
    let mut message = b"\0console/".to_vec();
    message.extend_from_slice(purpose.as_bytes());
    message.push(0);
    message.extend_from_slice(&app.settings.operator_token_sha256);
    message.extend_from_slice(text.as_bytes());
    message
}

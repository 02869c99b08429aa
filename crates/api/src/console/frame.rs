//! What every page has around its content: words, language, theme, navigation, form token, time.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};

use super::guard::{cookie, original_path};
use super::session::{Role, Session};
use super::shape::Moment;
use super::texts::{Language, Texts};
use super::trouble::Notice;
use super::{Console, assets};

/// Cookies of preferences.
pub(super) const LANGUAGE_COOKIE: &str = "rollcall_language";
pub(super) const THEME_COOKIE: &str = "rollcall_theme";

/// The part of the console that a page is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    None,
    Overview,
    Numbers,
    Names,
    Register,
    Sandbox,
    Explorer,
    Signature,
    Access,
    Audit,
    Settings,
}

impl Section {
    /// The word in templates.
    const fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Overview => "overview",
            Self::Numbers => "numbers",
            Self::Names => "names",
            Self::Register => "register",
            Self::Sandbox => "sandbox",
            Self::Explorer => "explorer",
            Self::Signature => "signature",
            Self::Access => "access",
            Self::Audit => "audit",
            Self::Settings => "settings",
        }
    }
}

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    Auto,
    Light,
    Dark,
}

impl Theme {
    /// The word in cookie, form and page.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that word.
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == word)
    }

    /// What the button switches to.
    const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::Auto,
        }
    }
}

/// What somebody wishes, from cookies and `Accept-Language`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preferences {
    pub(super) language: Language,
    theme: Theme,
}

impl Preferences {
    /// Reads them.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let language = cookie(headers, LANGUAGE_COOKIE).and_then(|word| Language::parse(&word));
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            language: language.unwrap_or_else(|| Language::accepted(accepted.unwrap_or_default())),
            theme: cookie(headers, THEME_COOKIE)
                .and_then(|word| Theme::parse(&word))
                .unwrap_or(Theme::Auto),
        }
    }
}

/// See the head of this file.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub t: &'static Texts,
    pub language: Language,
    pub theme: Theme,
    pub section: Section,
    /// Path and query of this page: where a change of language or theme comes back to.
    pub here: String,
    /// Fields of every form; empty where nobody is logged in.
    pub form_token: String,
    pub role: Option<Role>,
    /// Who logged in with a name.
    pub operator: Option<String>,
    pub sandbox: bool,
    pub now: Moment,
    pub frozen: bool,
    pub notice: Option<Notice>,
    /// Whether the charts' files are needed.
    pub charts: bool,
    pub assets: &'static str,
    pub version: &'static str,
}

impl Frame {
    pub(super) fn new(
        console: &Console,
        uri: &http::Uri,
        preferences: Preferences,
        session: Option<&Session>,
    ) -> Self {
        let tools = console.app.sandbox.as_ref();
        Self {
            t: preferences.language.texts(),
            language: preferences.language,
            theme: preferences.theme,
            section: Section::None,
            here: original_path(uri),
            form_token: session.map(|it| it.form_token(&console.app)).unwrap_or_default(),
            role: session.map(|it| it.role),
            operator: session.and_then(|it| it.operator.clone()),
            sandbox: tools.is_some(),
            now: Moment::from(console.app.service.now()),
            frozen: tools.is_some_and(|tools| tools.clock.is_frozen()),
            notice: None,
            charts: false,
            assets: assets::version(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// The frame of a page in `section`.
    pub(super) fn in_section(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    /// With a box on top.
    pub(super) fn with(mut self, notice: impl Into<Option<Notice>>) -> Self {
        self.notice = notice.into().or(self.notice);
        self
    }

    /// With the files that draw charts.
    pub(super) fn with_charts(mut self) -> Self {
        self.charts = true;
        self
    }

    /// A count with its thousands apart, as the language writes it.
    pub(super) fn count(&self, count: u64) -> String {
        let mark = match self.language {
            Language::English => ',',
            Language::German => '.',
        };
        let digits = count.to_string();
        let mut shown = String::with_capacity(digits.len() * 4 / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                shown.push(mark);
            }
            shown.push(digit);
        }
        shown
    }

    /// Whether this person may change things.
    pub(super) fn may_act(&self) -> bool {
        self.role == Some(Role::Operator)
    }

    /// `page` where `section` is this page's, for `aria-current`.
    pub(super) fn current(&self, section: &str) -> &'static str {
        if self.section.as_str() == section { "page" } else { "false" }
    }

    /// The theme that the switch leads to.
    pub(super) fn next_theme(&self) -> &'static str {
        self.theme.next().as_str()
    }

    /// The words on the switch of the theme.
    pub(super) fn theme_words(&self) -> &'static str {
        match self.theme {
            Theme::Auto => self.t.nav.theme_auto,
            Theme::Light => self.t.nav.theme_light,
            Theme::Dark => self.t.nav.theme_dark,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Frame {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Every route stands behind a guard that puts one in.
        parts.extensions.get().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// A page, rendered.
pub(super) fn rendered(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "bug: a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page without further ado.
pub(super) fn ok(page: &impl Template) -> Response {
    rendered(StatusCode::OK, page)
}

//! `/settings`: the settings in force and where each was written. To be read, not changed.

use std::sync::{PoisonError, RwLock};

use askama::Template;
use axum::response::Response;

use super::frame::{Frame, Section, ok};

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its dotted key.
    pub key: String,
    /// Its value as written; a secret's is masked when it is shown.
    pub value: String,
    /// Where it was written.
    pub origin: String,
    /// Whether that is the default.
    pub is_default: bool,
}

/// Settings belong to the process; they change when it reads them again.
static SETTINGS: RwLock<Vec<Setting>> = RwLock::new(Vec::new());

/// Words in keys whose values are never shown.
const SECRET: [&str; 6] = ["password", "secret", "token", "credential", "api_key", "auth"];

/// Tells the console the settings in force.
pub fn tell_settings(settings: Vec<Setting>) {
    *SETTINGS.write().unwrap_or_else(PoisonError::into_inner) = settings;
}

/// A row of the page.
struct Row {
    key: String,
    value: String,
    origin: String,
    own: bool,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    f: Frame,
    sections: Vec<(String, Vec<Row>)>,
}

/// The page.
pub(super) async fn page(frame: Frame) -> Response {
    let settings = SETTINGS.read().unwrap_or_else(PoisonError::into_inner).clone();
    let mut sections: Vec<(String, Vec<Row>)> = Vec::new();
    for setting in &settings {
        let (section, key) = setting.key.split_once('.').unwrap_or(("", &setting.key));
        let row = Row {
            key: key.to_owned(),
            value: shown(&setting.key, &setting.value),
            origin: setting.origin.clone(),
            own: !setting.is_default,
        };
        match sections.iter_mut().find(|(name, _)| name == section) {
            Some((_, rows)) => rows.push(row),
            None => sections.push((section.to_owned(), vec![row])),
        }
    }
    // Those of no section first, as in a file.
    sections.sort_by_key(|(name, _)| !name.is_empty());
    ok(&Page { f: frame.in_section(Section::Settings), sections })
}

/// The value, unless it is a secret. Files, lifetimes and names of secrets are none.
fn shown(key: &str, value: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    let harmless = ["_file", "_lifetime", "_variable", "_max", "_window"];
    let is_secret = SECRET.iter().any(|word| last.contains(word))
        && !harmless.iter().any(|end| last.ends_with(end));
    if is_secret && !value.trim_matches('"').is_empty() {
        "••••••".to_owned()
    } else {
        value.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_their_surroundings_are_not() {
        for (key, value, seen) in [
            ("smpp.password", "\"x\"", "••••••"),
            ("http.auth_token", "\"x\"", "••••••"),
            ("smpp.password", "\"\"", "\"\""),
            ("onprem.token_lifetime", "\"7d\"", "\"7d\""),
            ("data.master_key_file", "\"k\"", "\"k\""),
            ("listen.http", "\"127.0.0.1:1\"", "\"127.0.0.1:1\""),
        ] {
            assert_eq!(shown(key, value), seen, "{key}");
        }
    }
}

//! `/v1/settings/application/media/providers`: credentials for fetching media from links
//! (On-Premises reference §5.2). They are secrets: sealed in the store, shown to the admin only.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::call::{AdminCall, RawBody};
use super::reply::{Backing, Fault, done, success};
use super::sealed::SealedDocument;
use super::strict;
use crate::state::App;

const DOCUMENT: SealedDocument = SealedDocument { name: "media_providers" };

/// Most providers (our bound; none is documented).
const PROVIDERS_MAX: usize = 64;

/// Longest name of a provider (our bound; none is documented).
const NAME_CHARS_MAX: usize = 200;

/// `GET …/providers`.
pub async fn show(State(app): State<App>, AdminCall(call): AdminCall) -> Result<Response, Fault> {
    call.visit.coreapp_up().await?;
    let providers = list(DOCUMENT.read(&call.visit).await?);
    let payload = json!({ "settings": { "application": { "media": { "providers": providers } } } });
    Ok(success(&app, StatusCode::OK, Backing::Coreapp, payload))
}

/// `POST …/providers`: adds those of the array; one of a known name takes the place of the old one.
pub async fn add(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let given = providers(&app, &body)?;
    call.visit.coreapp_up().await?;
    let known = list(DOCUMENT.read(&call.visit).await?);
    if merged(known, &given).len() > PROVIDERS_MAX {
        let details = format!("there can be at most {PROVIDERS_MAX} providers");
        return Err(Fault::invalid(&app, details));
    }
    let merge = |old| Some(Value::Array(merged(list(old), &given)).to_string().into_bytes());
    DOCUMENT.edit(&call, merge).await?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// `DELETE …/providers/{name}`.
pub async fn remove(State(app): State<App>, AdminCall(call): AdminCall) -> Result<Response, Fault> {
    call.visit.coreapp_up().await?;
    let name = call.visit.param("provider");
    if !list(DOCUMENT.read(&call.visit).await?).iter().any(|it| it["name"] == name) {
        return Err(Fault::not_found(&app, "No such provider").by_coreapp());
    }
    let without = |old| {
        let rest: Vec<_> = list(old).into_iter().filter(|it| it["name"] != name).collect();
        (!rest.is_empty()).then(|| Value::Array(rest).to_string().into_bytes())
    };
    DOCUMENT.edit(&call, without).await?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

fn list(stored: Option<Vec<u8>>) -> Vec<Value> {
    stored.and_then(|stored| serde_json::from_slice(&stored).ok()).unwrap_or_default()
}

fn merged(mut known: Vec<Value>, given: &[Value]) -> Vec<Value> {
    for provider in given {
        match known.iter_mut().find(|it| it["name"] == provider["name"]) {
            Some(old) => *old = provider.clone(),
            None => known.push(provider.clone()),
        }
    }
    known
}

/// The array of a body, each provider reduced to what is known of it. Errors never repeat a value.
fn providers(app: &App, body: &RawBody) -> Result<Vec<Value>, Fault> {
    let Some(Value::Array(given)) = strict::parse(&body.0) else {
        return Err(Fault::not_json(app));
    };
    if given.is_empty() {
        return Err(Fault::missing(app, "name"));
    }
    given.iter().map(|it| provider(it).map_err(|fault| fault.of(app))).collect()
}

/// What is wrong with a provider: which field is missing or invalid.
enum Wrong {
    Missing(&'static str),
    Invalid(&'static str),
}

impl Wrong {
    fn of(self, app: &App) -> Fault {
        match self {
            Self::Missing(field) => Fault::missing(app, field),
            Self::Invalid(details) => Fault::invalid(app, details),
        }
    }
}

fn provider(given: &Value) -> Result<Value, Wrong> {
    let name = given["name"].as_str().ok_or(Wrong::Missing("name"))?;
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.contains('/') {
        return Err(Wrong::Invalid("name must have 1 to 200 characters and no /"));
    }
    match given["type"].as_str() {
        Some("www") => {}
        Some(_) => return Err(Wrong::Invalid("type must be www")),
        None => return Err(Wrong::Missing("type")),
    }
    let config = given["config"].as_object().ok_or(Wrong::Missing("config"))?;
    let config = match (config.get("bearer"), config.get("basic")) {
        (Some(Value::String(token)), None) => json!({ "bearer": token }),
        (None, Some(basic)) => json!({ "basic": basic_credentials(basic)? }),
        _ => return Err(Wrong::Invalid("config must have either bearer, a text, or basic")),
    };
    Ok(json!({ "name": name, "type": "www", "config": config }))
}

fn basic_credentials(given: &Value) -> Result<Value, Wrong> {
    match (given["username"].as_str(), given["password"].as_str()) {
        (Some(username), Some(password)) => {
            Ok(json!({ "username": username, "password": password }))
        }
        _ => Err(Wrong::Invalid("config.basic must have username and password, both texts")),
    }
}

//! `/v1/settings/backup` and `/v1/settings/restore` (On-Premises reference §4).

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::call::{AdminCall, RawBody, object, text};
use super::reply::{Backing, Fault, done, success};
use crate::state::App;

/// `POST /v1/settings/backup`: the client's settings and registration, sealed, as base64.
pub async fn backup(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let password = password(&app, &body)?;
    let client = &call.visit.client;
    call.visit.coreapp_up().await?;
    let sealed = app
        .service
        .backup(&call.caller(), client, password)
        .await
        .map_err(|error| call.visit.fault(error))?;
    let payload = json!({ "settings": { "data": STANDARD.encode(sealed) } });
    Ok(success(&app, StatusCode::OK, Backing::Coreapp, payload))
}

/// `POST /v1/settings/restore`: moves what the backup holds to this client. A wrong password or a
/// damaged text changes nothing.
pub async fn restore(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    let password = password(&app, &body)?;
    let data: String =
        text(&app, &body, "data")?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let sealed = STANDARD
        .decode(data)
        .map_err(|_| Fault::invalid(&app, "data is not the text of a backup"))?;
    let client = &call.visit.client;
    call.visit.coreapp_up().await?;
    app.service
        .import_backup(&call.caller(), client, password, sealed)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// Longest password, in bytes. (Our bound; none is documented. It is hashed, so length costs.)
const PASSWORD_BYTES_MAX: usize = 1_024;

fn password<'b>(app: &App, body: &'b Map<String, Value>) -> Result<&'b str, Fault> {
    match text(app, body, "password")? {
        "" => {
            Err(Fault::invalid(app, "password must not be empty; at least 8 characters are wise"))
        }
        password if password.len() > PASSWORD_BYTES_MAX => {
            Err(Fault::invalid(app, "password must not be longer than 1024 bytes"))
        }
        password => Ok(password),
    }
}

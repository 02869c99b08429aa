//! `/v1/settings/profile/photo` (On-Premises reference §5.3).

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::call::{AdminCall, Format, RawBody};
use super::reply::{Backing, Fault, done, file, success};
use crate::state::App;

/// Largest picture: 5 MB, as documented. The listener's own bound on bodies counts as well.
pub const BYTES_MAX: usize = 5 * 1024 * 1024;

const DOCUMENT: &str = "photo";

/// `GET /v1/settings/profile/photo`: the picture, or with `?format=link` where it can be had.
pub async fn show(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    OriginalUri(uri): OriginalUri,
    Format(format): Format,
) -> Result<Response, Fault> {
    let visit = &call.visit;
    visit.coreapp_up().await?;
    let found = app.service.document(&visit.client.id, DOCUMENT).await;
    let photo = found
        .map_err(|error| visit.fault(error))?
        .ok_or_else(|| Fault::not_found(&app, "No picture set.").by_coreapp())?;
    if format.as_deref() == Some("link") {
        let link = format!("{}{}", app.settings.public_url, uri.path());
        let payload = json!({ "settings": { "profile": { "photo": { "link": link } } } });
        return Ok(success(&app, StatusCode::OK, Backing::Coreapp, payload));
    }
    let kind = media_type(&photo.body).unwrap_or("application/octet-stream");
    Ok(file(kind, photo.body, Backing::Coreapp))
}

/// `POST /v1/settings/profile/photo`: the body is the picture, JPEG or PNG.
pub async fn change(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    RawBody(picture): RawBody,
) -> Result<Response, Fault> {
    let Some(kind) = media_type(&picture) else {
        return Err(Fault::invalid(&app, "the picture must be JPEG or PNG"));
    };
    call.visit.coreapp_up().await?;
    let put = |_: Option<&_>| Some((kind.to_owned(), picture.to_vec()));
    app.service
        .edit_document(&call.caller(), &call.visit.client.id, DOCUMENT, put)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// `DELETE /v1/settings/profile/photo`: 200 also when there was none.
pub async fn remove(State(app): State<App>, AdminCall(call): AdminCall) -> Result<Response, Fault> {
    call.visit.coreapp_up().await?;
    app.service
        .edit_document(&call.caller(), &call.visit.client.id, DOCUMENT, |_| None)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// What the first bytes say: JPEG (ITU-T T.81: SOI and a marker) or PNG (RFC 2083 §3.1).
fn media_type(picture: &[u8]) -> Option<&'static str> {
    if picture.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    picture.starts_with(b"\x89PNG\r\n\x1a\n").then_some("image/png")
}

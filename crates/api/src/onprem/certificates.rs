//! `/v1/certificates`: of the HTTPS listener, and of those who receive webhooks
//! (On-Premises reference §5.4).
//!
//! Uploads are kept for the programs that make and read them. The listener's certificate is the
//! operator's affair (configuration), and no webhooks are sent in this dialect.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use jiff::fmt::rfc2822::DateTimePrinter;
use registration::Timestamp;

use super::call::{AdminCall, Call, RawBody};
use super::reply::{Backing, Fault, done, file};
use super::sealed::SealedDocument;
use crate::pem::{self, Block};
use crate::state::App;

/// With the private key in it, hence sealed.
const EXTERNAL: SealedDocument = SealedDocument { name: "external_certificate" };

const WEBHOOKS_CA: &str = "webhooks_ca";

/// As captured, without a space.
const TEXT: &str = "text/plain;charset=UTF-8";

/// `POST /v1/certificates/external`: private key, certificate, at least one intermediate, in this order.
pub async fn set_external(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    RawBody(body): RawBody,
) -> Result<Response, Fault> {
    let blocks = core::str::from_utf8(&body).ok().and_then(pem::blocks).unwrap_or_default();
    let chain = |rest: &[Block]| rest.len() >= 2 && rest.iter().all(|it| *it == Block::Certificate);
    let [Block::PrivateKey, rest @ ..] = &blocks[..] else { return Err(bad_chain(&app)) };
    if !chain(rest) {
        return Err(bad_chain(&app));
    }
    EXTERNAL.edit(&call, |_| Some(body.to_vec())).await?;
    Ok(done(&app, StatusCode::OK, Backing::Webapp))
}

/// `GET /v1/certificates/external/ca`: the CA that signed the listener's certificate.
pub async fn external_ca(State(app): State<App>, _call: Call) -> Result<Response, Fault> {
    let ca = (app.ca_pem)();
    if ca.is_empty() {
        return Err(Fault::not_found(&app, "No CA certificate found: HTTPS is off"));
    }
    let mut response = file(TEXT, ca.into_bytes(), Backing::Webapp);
    let headers = response.headers_mut();
    let attachment = HeaderValue::from_static("attachment; filename=\"ca.pem\"");
    headers.insert(header::CONTENT_DISPOSITION, attachment);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(date) = http_date(app.settings.started_at) {
        headers.insert(header::LAST_MODIFIED, date);
    }
    Ok(response)
}

/// `GET /v1/certificates/webhooks/ca`; none: 404 / 1006 as captured.
pub async fn webhooks_ca(State(app): State<App>, call: Call) -> Result<Response, Fault> {
    let visit = &call.visit;
    let found = app.service.document(&visit.client.id, WEBHOOKS_CA).await;
    let ca = found
        .map_err(|error| visit.fault(error))?
        .ok_or_else(|| Fault::not_found(&app, "No webhook CA certificates found").by_coreapp())?;
    Ok(file(TEXT, ca.body, Backing::Coreapp))
}

/// `POST /v1/certificates/webhooks/ca`: one or more certificates; they take the place of the old ones.
pub async fn set_webhooks_ca(
    State(app): State<App>,
    AdminCall(call): AdminCall,
    RawBody(body): RawBody,
) -> Result<Response, Fault> {
    let blocks = core::str::from_utf8(&body).ok().and_then(pem::blocks).unwrap_or_default();
    if blocks.is_empty() || blocks.iter().any(|block| *block != Block::Certificate) {
        return Err(Fault::invalid(&app, "the body must be one or more PEM certificates"));
    }
    let put = |_: Option<&_>| Some((TEXT.to_owned(), body.to_vec()));
    app.service
        .edit_document(&call.caller(), &call.visit.client.id, WEBHOOKS_CA, put)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// `DELETE /v1/certificates/webhooks/ca`: 200 also when there were none.
pub async fn remove_webhooks_ca(
    State(app): State<App>,
    AdminCall(call): AdminCall,
) -> Result<Response, Fault> {
    app.service
        .edit_document(&call.caller(), &call.visit.client.id, WEBHOOKS_CA, |_| None)
        .await
        .map_err(|error| call.visit.fault(error))?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

fn bad_chain(app: &App) -> Fault {
    let details = "the body must be PEM: a private key, its certificate, and at least one intermediate \
                   certificate, in this order";
    Fault::invalid(app, details)
}

/// `Wed, 04 Aug 2021 08:16:17 GMT` (RFC 9110 §5.6.7).
fn http_date(at: Timestamp) -> Option<HeaderValue> {
    let at = jiff::Timestamp::from_second(at.as_seconds()).ok()?;
    let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()?;
    HeaderValue::try_from(text).ok()
}

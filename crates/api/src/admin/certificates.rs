//! `/admin/v1/certificates`: the built-in authority, and any certificate in words.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use registration::{ClientId, TextId as _, WabaId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::Caller;
use service::certificate::{Certificate, NewCertificate, Provenance, Summary};
use service::clients::DEFAULT;
use service::directory::EntityRef;
use service::ports::{EntropyExt as _, Subject};
use utoipa::ToSchema;

use super::failure::{Failure, Failures};
use super::input::Body;
use super::wire::{At, Id, Name, PlannedNumber};
use crate::state::App;

/// A certificate to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateOrder {
    /// The number that it is for.
    #[schema(value_type = String, example = "+4915112345667")]
    number: PlannedNumber,
    /// The approved display name.
    #[schema(value_type = String, example = "Lucky Shrub")]
    name: Name,
    /// The WABA that may register the number with it; that of the client `default` if absent.
    #[schema(value_type = Option<String>)]
    waba: Option<Id<WabaId>>,
}

/// A certificate as text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateText {
    /// Base64, as it is posted as `cert`.
    certificate: String,
}

/// A certificate in words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CertificateView {
    /// Base64, as it is posted as `cert`.
    certificate: String,
    name: String,
    serial: Option<u64>,
    /// Who says to have issued it.
    issuer: String,
    issued_at: Option<At>,
    /// The number that it is for, if that can be read. Believe it only of our own.
    number: Option<String>,
    /// The WABA that it is for, if that can be read. Believe it only of our own.
    waba: Option<String>,
    /// `own`, `own_expired`, `forged` or `foreign`.
    origin: &'static str,
    /// Until when it counts, of our own.
    expires_at: Option<At>,
}

/// Issues a certificate
#[utoipa::path(post, path = "/certificates", tag = "certificates", request_body = CertificateOrder,
    responses((status = 201, body = CertificateView), Failures))]
pub(crate) async fn issue(
    State(app): State<App>,
    Body(order): Body<CertificateOrder>,
) -> Result<Response, Failure> {
    let number = order.number.0.number;
    let new = NewCertificate {
        number,
        waba: waba(&app, order.waba).await?,
        name: order.name.0,
        issued_at: app.service.now(),
        // 15 digits, as Meta's serials have.
        serial: app.service.entropy().node_id().parse().map_err(|_| Failure::Internal)?,
    };
    let certificate = app.service.keys().authority().issue(&new);
    let details = json!({ "waba": new.waba.as_str(), "serial": new.serial });
    let (caller, subject) = (Caller::operator(), Subject::Number(number));
    app.service.record(&caller, subject, "certificate_issued", &details).await?;
    Ok((StatusCode::CREATED, Json(view(&app, certificate)?)).into_response())
}

/// Reads a certificate of any origin
#[utoipa::path(post, path = "/certificates/read", tag = "certificates",
    request_body = CertificateText, responses((status = 200, body = CertificateView), Failures))]
pub(crate) async fn read(
    State(app): State<App>,
    Body(given): Body<CertificateText>,
) -> Result<Json<CertificateView>, Failure> {
    view(&app, given.certificate).map(Json)
}

/// The WABA named, which must exist, or that of the default client.
async fn waba(app: &App, named: Option<Id<WabaId>>) -> Result<WabaId, Failure> {
    if let Some(Id(waba)) = named {
        let known = app.service.entity(&EntityRef::waba(&waba)).await?.is_some();
        let problem = format!("there is no WABA {waba}");
        return if known { Ok(waba) } else { Err(Failure::invalid("waba", problem)) };
    }
    let client = match ClientId::parse(DEFAULT) {
        Some(id) => app.service.client(&id).await?,
        None => None,
    };
    let missing =
        || Failure::invalid("waba", "name one: there is no client default to take it from");
    client.map(|client| client.waba).ok_or_else(missing)
}

fn view(app: &App, text: String) -> Result<CertificateView, Failure> {
    let certificate = Certificate::decode(&text)
        .map_err(|fault| Failure::invalid("certificate", fault.to_string()))?;
    let lifetime = app.service.policy().certificate_lifetime;
    let provenance =
        app.service.keys().authority().provenance(&certificate, app.service.now(), lifetime);
    let (origin, expires_at) = match &provenance {
        Provenance::Own { expires_at, .. } => ("own", Some(*expires_at)),
        Provenance::OwnExpired { expires_at, .. } => ("own_expired", Some(*expires_at)),
        Provenance::Forged => ("forged", None),
        Provenance::Foreign => ("foreign", None),
    };
    let summary = Summary::new(&certificate, provenance);
    Ok(CertificateView {
        certificate: text,
        name: summary.name,
        serial: summary.serial,
        issuer: summary.issuer,
        issued_at: summary.issued_at.map(At::from),
        number: summary.number.map(|number| number.to_string()),
        waba: summary.waba.map(|waba| waba.as_str().to_owned()),
        origin,
        expires_at: expires_at.map(At::from),
    })
}

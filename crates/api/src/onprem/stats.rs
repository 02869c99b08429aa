//! `/metrics`, `/v1/metrics`, `/v1/stats/…`, `/v1/services/message/gc` (On-Premises reference §5.4).

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use service::coreapp::CoreappStatus;
use service::directory::{EntityKind, EntityRef};

use super::call::{AdminCall, Format, ReaderCall, Visit};
use super::reply::{Backing, Fault, done, success};
use crate::metrics::{self, Family, Kind};
use crate::state::App;

/// Most users and documents that are counted one by one.
const COUNT_MAX: usize = 1_000;

/// `GET /metrics`: Webapp's metrics, for programs of the original and for scrapers alike.
///
/// The original answers JSON and asks for a credential; a Prometheus scraper sends none and expects
/// text. So the form is what `format` says; else the first of JSON and text that `Accept` names; else
/// JSON to whoever sends a credential and text to others. Requests are counted by route, which is no
/// secret, so nobody is asked for a credential here; `/v1/metrics` asks.
pub async fn open_metrics(
    State(app): State<App>,
    Format(format): Format,
    headers: HeaderMap,
) -> Response {
    let as_json = match format.as_deref() {
        Some("json") => true,
        Some("prometheus") => false,
        _ => accepts_json(&headers).unwrap_or_else(|| headers.contains_key(header::AUTHORIZATION)),
    };
    webapp_metrics(&app, as_json)
}

/// `GET /v1/metrics`: JSON unless `?format=prometheus`.
pub async fn metrics(State(app): State<App>, _reader: ReaderCall, format: Format) -> Response {
    webapp_metrics(&app, !format.is_prometheus())
}

/// `GET /v1/stats/app`: what Coreapp is at.
pub async fn app(
    State(app): State<App>,
    ReaderCall(visit): ReaderCall,
    format: Format,
) -> Result<Response, Fault> {
    Ok(stats(&app, "app", &coreapp_families(&visit).await?, &format))
}

/// `GET /v1/stats/app/internal`: the same and how long the process runs.
pub async fn app_internal(
    State(app): State<App>,
    ReaderCall(visit): ReaderCall,
    format: Format,
) -> Result<Response, Fault> {
    let mut families = coreapp_families(&visit).await?;
    families.push(uptime(&app));
    Ok(stats(&app, "app", &families, &format))
}

/// `GET /v1/stats/db`: whether the store serves.
pub async fn db(State(app): State<App>, _reader: ReaderCall, format: Format) -> Response {
    stats(&app, "db", &[store_up(&app).await], &format)
}

/// `GET /v1/stats/db/internal`: the same and what the client has in it.
pub async fn db_internal(
    State(app): State<App>,
    ReaderCall(visit): ReaderCall,
    format: Format,
) -> Result<Response, Fault> {
    let mut families = vec![store_up(&app).await];
    for (kind, name, help) in [
        (EntityKind::User, "rollcall_client_users", "Users of the client"),
        (EntityKind::Document, "rollcall_client_documents", "Settings documents of the client"),
    ] {
        let parent = EntityRef::client(&visit.client.id);
        let found = app.service.entities(kind, Some(&parent), None, COUNT_MAX).await;
        let count = found.map_err(|error| visit.fault(error))?.len();
        families.push(Family::single(name, Kind::Gauge, help, count as u64));
    }
    Ok(stats(&app, "db", &families, &format))
}

/// `PUT /v1/services/message/gc`: there are no messages here to delete, so it is done at once.
pub async fn collect_garbage(
    State(app): State<App>,
    AdminCall(call): AdminCall,
) -> Result<Response, Fault> {
    call.visit.coreapp_up().await?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

fn webapp_metrics(app: &App, as_json: bool) -> Response {
    let mut families = app.metrics.families();
    families.extend((app.gauges)());
    families.push(uptime(app));
    if as_json {
        let payload = json!({ "metrics": metrics::to_json(&families) });
        success(app, StatusCode::OK, Backing::Webapp, payload)
    } else {
        text(&families)
    }
}

fn stats(app: &App, what: &str, families: &[Family], format: &Format) -> Response {
    if format.is_prometheus() {
        return text(families);
    }
    let payload: Value = json!({ "stats": { what: metrics::to_json(families) } });
    success(app, StatusCode::OK, Backing::Coreapp, payload)
}

/// Prometheus text.
fn text(families: &[Family]) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics::to_prometheus(families)).into_response()
}

async fn coreapp_families(visit: &Visit) -> Result<Vec<Family>, Fault> {
    let status = visit.app.service.coreapp_status(&visit.client).await;
    let status = status.map_err(|error| visit.fault(error))?;
    let gauge = |name, help, value| Family::single(name, Kind::Gauge, help, value);
    let registered = matches!(status, CoreappStatus::Connecting | CoreappStatus::Connected);
    Ok(vec![
        gauge(
            "rollcall_client_registered",
            "Whether a number runs on the client",
            registered.into(),
        ),
        gauge(
            "rollcall_coreapp_connected",
            "Whether the link is up",
            matches!(status, CoreappStatus::Connected).into(),
        ),
        gauge(
            "rollcall_coreapp_restarting",
            "Whether Coreapp restarts",
            matches!(status, CoreappStatus::Restarting { .. }).into(),
        ),
        gauge("rollcall_client_shards", "Shards of the client", visit.client.shards.into()),
    ])
}

async fn store_up(app: &App) -> Family {
    let up = app.service.ping().await.is_ok();
    Family::single("rollcall_store_up", Kind::Gauge, "Whether the store serves", up.into())
}

fn uptime(app: &App) -> Family {
    let seconds = app.service.now().since(app.settings.started_at).as_secs();
    let help = "Seconds since the server started";
    Family::single("rollcall_uptime_seconds", Kind::Gauge, help, seconds)
}

/// Which of JSON and text `Accept` names first; `None` if neither.
pub(crate) fn accepts_json(headers: &HeaderMap) -> Option<bool> {
    let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
    accept.split(',').find_map(|range| match range.split(';').next().unwrap_or_default().trim() {
        "application/json" => Some(true),
        "text/plain" | "application/openmetrics-text" => Some(false),
        _ => None,
    })
}

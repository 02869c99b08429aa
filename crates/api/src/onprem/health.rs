//! `GET /v1/health` (On-Premises reference §5.1).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use registration::TextId;
use serde_json::{Value, json};
use service::coreapp::CoreappStatus;

use super::call::ReaderCall;
use super::reply::{Backing, Fault, success};
use crate::state::App;

/// One node answers for itself; a client with several shards answers for each of its nodes.
pub async fn health(
    State(app): State<App>,
    ReaderCall(visit): ReaderCall,
) -> Result<Response, Fault> {
    let status = match app.service.coreapp_status(&visit.client).await {
        Ok(status) => status,
        Err(service::ServiceError::Unavailable(service::Unavailable::Store(_))) => {
            let payload = json!({ "health": { "gateway_status": "uninitialized" } });
            return Ok(success(&app, StatusCode::OK, Backing::Coreapp, payload));
        }
        Err(error) => return Err(visit.fault(error)),
    };
    let shards = visit.client.shards;
    if shards > 1 {
        let payload = json!({ "health": cluster(&app, visit.client.id.as_str(), shards, status) });
        return Ok(success(&app, StatusCode::OK, Backing::Coreapp, payload));
    }
    match word(status) {
        Some(word) => {
            let payload = json!({ "health": { "gateway_status": word } });
            Ok(success(&app, StatusCode::OK, Backing::Coreapp, payload))
        }
        None => Err(Fault::not_ready(&app)),
    }
}

/// `gateway_status`; `None` while there is no Coreapp to have one.
fn word(status: CoreappStatus) -> Option<&'static str> {
    match status {
        CoreappStatus::Unregistered => Some("unregistered"),
        CoreappStatus::Restarting { .. } => None,
        CoreappStatus::Connecting => Some("connecting"),
        CoreappStatus::Connected => Some("connected"),
    }
}

/// A client with shards: a primary master, a standby master, and one Coreapp per shard.
fn cluster(app: &App, host: &str, shards: u8, status: CoreappStatus) -> Value {
    let node = |role: &str| match word(status) {
        Some(word) => json!({ "gateway_status": word, "role": role }),
        None => json!({ "errors": [Fault::not_ready(app).error()] }),
    };
    let mut nodes = serde_json::Map::new();
    nodes.insert(format!("{host}:master-1"), node("primary_master"));
    // A standby has no link by design (§5.1: normal for standby nodes).
    let standby = json!({ "gateway_status": "disconnected", "role": "secondary_master" });
    nodes.insert(format!("{host}:master-2"), standby);
    for shard in 1..=shards {
        nodes.insert(format!("{host}:coreapp-{shard}"), node("coreapp"));
    }
    Value::Object(nodes)
}

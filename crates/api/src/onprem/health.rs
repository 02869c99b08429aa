//! `GET /v1/health` (On-Premises reference §5.1).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use service::coreapp::CoreappStatus;
use service::{ServiceError, Unavailable};

use super::call::ReaderCall;
use super::nodes::{Node, Role, nodes};
use super::reply::{Backing, Fault, success};
use crate::state::App;

/// One node answers for itself; a client with several shards answers for each of its nodes.
pub async fn health(
    State(app): State<App>,
    ReaderCall(visit): ReaderCall,
) -> Result<Response, Fault> {
    let status = match app.service.coreapp_status(&visit.client).await {
        Ok(status) => word(status),
        Err(ServiceError::Unavailable(Unavailable::Store(_))) => Some("uninitialized"),
        Err(error) => return Err(visit.fault(error)),
    };
    let nodes = nodes(&visit.client);
    let health = match status {
        Some(status) if nodes.is_empty() => json!({ "gateway_status": status }),
        None if nodes.is_empty() => return Err(Fault::not_ready(&app)),
        status => {
            nodes.iter().map(|node| (node.name.clone(), report(&app, node, status))).collect()
        }
    };
    Ok(success(&app, StatusCode::OK, Backing::Coreapp, json!({ "health": health })))
}

/// `gateway_status`; `None` while there is no Coreapp to have one.
#[must_use]
pub fn word(status: CoreappStatus) -> Option<&'static str> {
    match status {
        CoreappStatus::Unregistered => Some("unregistered"),
        CoreappStatus::Restarting { .. } => None,
        CoreappStatus::Connecting => Some("connecting"),
        CoreappStatus::Connected => Some("connected"),
    }
}

fn report(app: &App, node: &Node, status: Option<&str>) -> Value {
    match (node.role, status) {
        // A standby has no link by design (§5.1: normal for standby nodes).
        (Role::SecondaryMaster, _) => {
            json!({ "gateway_status": "disconnected", "role": node.role.as_str() })
        }
        (Role::PrimaryMaster | Role::Coreapp, Some(status)) => {
            json!({ "gateway_status": status, "role": node.role.as_str() })
        }
        (Role::PrimaryMaster | Role::Coreapp, None) => {
            json!({ "errors": [Fault::not_ready(app).error()] })
        }
    }
}

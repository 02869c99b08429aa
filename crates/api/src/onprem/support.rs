//! `GET /v1/support` (On-Premises reference §5.4).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use registration::{Registration, TextId, Timestamp};
use serde_json::{Value, json};
use service::coreapp::{self, CoreappStatus};

use super::call::Call;
use super::nodes::{Node, Role, nodes};
use super::reply::{Backing, Fault, success};
use crate::state::App;

/// A build of ours does not expire; the latest moment that RFC 3339 can write.
const NEVER: &str = "9999-12-31T23:59:59";

/// What support staff asks for first; one report per node where there are several.
///
/// Keys that would tell about the machine (`free_space_*`) are left out: a dialect does not look
/// outside, and the original's set varied as well.
pub async fn support(State(app): State<App>, call: Call) -> Result<Response, Fault> {
    let visit = &call.visit;
    let held = app.service.number_of_client(&visit.client.id).await;
    let held = held.map_err(|error| visit.fault(error))?;
    let registration = held.as_ref().and_then(|record| record.registration.as_ref());
    let now = app.service.now();
    let status = coreapp::status(&visit.client, registration, now, &app.service.limits());
    let number = held.as_ref().map(|record| record.number.digits());

    let nodes = nodes(&visit.client);
    let report =
        Report { app: &app, now, number, registration, status, cluster: !nodes.is_empty() };
    let support = if nodes.is_empty() {
        report.of(status)
    } else {
        nodes.iter().map(|node| (node.name.clone(), report.of_node(node))).collect()
    };
    Ok(success(&app, StatusCode::OK, Backing::Coreapp, json!({ "support": support })))
}

/// What all nodes of a client have in common.
struct Report<'a> {
    app: &'a App,
    now: Timestamp,
    number: Option<String>,
    registration: Option<&'a Registration>,
    status: CoreappStatus,
    cluster: bool,
}

impl Report<'_> {
    fn of(&self, status: CoreappStatus) -> Value {
        json!({
            "context": "healthcheck",
            // The dialect does not know which store is behind it.
            "db_engine": "UNK",
            "db_info": [],
            "debug_info": self.number.as_deref().unwrap_or("unregistered"),
            "description": self.app.settings.onprem_version,
            "device_iso8601": iso8601(self.now),
            "e2e": {
                "identity_timestamp": iso8601(self.registration.map_or(Timestamp::default(), |it| it.since)),
                "registration_id": self.registration.map_or(0, registration_id),
            },
            "env": [],
            "expire_timestamp": NEVER,
            "lc": "en",
            "lg": "US",
            "multi_connect": self.cluster,
            "os_name": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            "os_version": "",
            "schema": {},
            "socket_conn": socket(status),
        })
    }

    fn of_node(&self, node: &Node) -> Value {
        let mut report = match node.role {
            Role::SecondaryMaster => self.of(CoreappStatus::Unregistered),
            Role::PrimaryMaster | Role::Coreapp => self.of(self.status),
        };
        report["role"] = json!(node.role.as_str());
        report["shards"] = json!(node.shards);
        report
    }
}

/// `socket_conn`: down, connecting, up.
const fn socket(status: CoreappStatus) -> &'static str {
    match status {
        CoreappStatus::Unregistered | CoreappStatus::Restarting { .. } => "DN",
        CoreappStatus::Connecting => "SC",
        CoreappStatus::Connected => "UP",
    }
}

/// A number of 14 bits, as such ids are, that changes when another claim is registered.
fn registration_id(registration: &Registration) -> u64 {
    registration.claim.as_str().parse().map_or(0, |claim: u64| claim % 16_380 + 1)
}

/// `2018-09-27T14:26:07`: without a zone, in UTC.
fn iso8601(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.as_seconds())
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string())
        .unwrap_or_default()
}

//! `/admin/v1/audit`: the trail of everything that happened, and whether its chain holds.

use axum::Json;
use axum::extract::State;
use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::audit::ChainVerifier;
use service::ports::{AuditEntry, AuditQuery, Subject};
use utoipa::{IntoParams, ToSchema};

use super::failure::{Failure, Failures};
use super::input::Query;
use super::wire::{At, Before, Count, Id, Limit, Number, Page};
use crate::state::App;

/// Entries read at once while the chain is verified.
const STRIDE: usize = 1000;

/// An entry of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    /// Place in the chain, from 1.
    seq: u64,
    /// Also the id in explain links, where the entry is a refusal.
    id: String,
    at: At,
    subject: SubjectView,
    /// Whose it is; `null` for the operator's.
    account: Option<String>,
    /// Who did it.
    #[schema(example = "onprem:default/admin")]
    actor: String,
    /// What happened.
    #[schema(example = "code_requested")]
    kind: String,
    #[schema(value_type = Object)]
    details: Value,
    /// SHA-256 over this entry and the hash before it, in hexadecimal.
    hash: String,
}

/// What an entry is about.
#[derive(Debug, Serialize, ToSchema)]
struct SubjectView {
    /// `number`, `account`, `space`, `waba`, `client`, `user`, `document`, … or `system`.
    kind: &'static str,
    /// The number, or the id of that part; `null` for the system.
    id: Option<String>,
}

/// Whether the chain holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChainReport {
    holds: bool,
    /// How many entries held.
    entries: u64,
    /// The hash of the last entry that held, in hexadecimal: note it down, and a later report must
    /// still pass through it.
    head: String,
    /// Where it does not hold.
    problem: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrailQuery {
    /// Only entries about this number.
    #[param(value_type = Option<String>)]
    number: Option<Number>,
    /// Only entries of this account.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only entries behind this place.
    #[param(value_type = Option<u64>)]
    after: Option<Count>,
    /// Only entries in front of this place, and the newest first; `last` begins with the newest.
    #[param(value_type = Option<String>, example = "last")]
    before: Option<Before>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists the audit trail, oldest first unless `before` is given
#[utoipa::path(get, path = "/audit", tag = "audit", params(TrailQuery),
    responses((status = 200, body = Page<Entry>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<TrailQuery>,
) -> Result<Json<Page<Entry>>, Failure> {
    let wanted = AuditQuery {
        number: query.number.map(|number| number.0),
        account: query.account.map(|account| account.0),
        refusal: None,
        after: query.after.map_or(0, |after| after.0),
        before: query.before.map(|before| before.0),
        limit: query.limit.and_one(),
    };
    let entries = app.service.audit(&wanted).await?;
    Ok(Json(Page::cut(entries, query.limit, |entry| entry.seq.to_string(), Entry::from)))
}

/// Verifies the whole chain, from the first entry to the last
#[utoipa::path(get, path = "/audit/verify", tag = "audit",
    responses((status = 200, body = ChainReport), Failures))]
pub(crate) async fn verify(State(app): State<App>) -> Result<Json<ChainReport>, Failure> {
    let mut chain = ChainVerifier::new();
    loop {
        let query = AuditQuery { after: chain.len(), limit: STRIDE, ..AuditQuery::default() };
        let entries = app.service.audit(&query).await?;
        let last = entries.len() < STRIDE;
        for entry in &entries {
            if let Err(broken) = chain.push(entry) {
                return Ok(Json(report(&chain, Some(broken.to_string()))));
            }
        }
        if last {
            return Ok(Json(report(&chain, None)));
        }
    }
}

fn report(chain: &ChainVerifier, problem: Option<String>) -> ChainReport {
    ChainReport {
        holds: problem.is_none(),
        entries: chain.len(),
        head: hex::encode(chain.head()),
        problem,
    }
}

impl From<AuditEntry> for Entry {
    fn from(it: AuditEntry) -> Self {
        let event = it.event;
        Self {
            seq: it.seq,
            id: event.id.to_string(),
            at: event.at.into(),
            subject: match event.subject {
                Subject::Number(number) => {
                    SubjectView { kind: "number", id: Some(number.to_string()) }
                }
                Subject::Entity(part) => {
                    SubjectView { kind: part.kind.as_str(), id: Some(part.id) }
                }
                Subject::System => SubjectView { kind: "system", id: None },
            },
            account: event.account.map(|account| account.as_str().to_owned()),
            actor: event.actor,
            kind: event.kind,
            details: serde_json::from_str(&event.details).unwrap_or(Value::Null),
            hash: hex::encode(it.hash),
        }
    }
}

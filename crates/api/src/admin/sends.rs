//! `/admin/v1/sends`: the ledger of messages. It never shows a code.

use axum::Json;
use axum::extract::{Path, State};
use registration::{AccountId, TextId as _};
use serde::{Deserialize, Serialize};
use service::ports::{Attempt, AttemptOutcome, Send, SendId, SendQuery, SendState};
use utoipa::{IntoParams, ToSchema};

use super::failure::{Failure, Failures};
use super::input::Query;
use super::wire::{At, Id, Limit, Number, Page};
use crate::state::App;

/// A message and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SendView {
    id: String,
    number: String,
    /// Who pays.
    account: String,
    waba: String,
    /// The claim that asked.
    claim: String,
    /// `onprem`, `cams`, `graph` or `admin`.
    dialect: String,
    /// `sms` or `voice`.
    method: &'static str,
    #[schema(example = "de")]
    locale: String,
    decided_at: At,
    /// `decided`, `claimed`, `handed_over`, `delivered` or `failed`.
    state: &'static str,
    /// When it came to this state; for `decided` not before when it is tried, for `claimed` until when
    /// a worker has it.
    state_at: At,
    /// Why it failed.
    reason: Option<String>,
    /// Hand-overs begun so far.
    attempts: u32,
    /// After this the message would carry a dead code.
    useless_after: At,
    /// Which sender has or had it.
    sender: Option<String>,
    /// The provider's id for it.
    provider_id: Option<String>,
    /// When a provider acknowledged it.
    handed_over_at: Option<At>,
    /// When its code was used.
    confirmed_at: Option<At>,
    /// A provider may have taken it without our knowing: an answer was lost, or the server was killed.
    in_doubt: bool,
    /// What it costs, in millionths of the currency; while it is under way, the most that it can cost.
    price: u64,
    /// Every try of every sender.
    tries: Vec<TryView>,
}

/// One sender's try.
#[derive(Debug, Serialize, ToSchema)]
struct TryView {
    sender: String,
    started_at: At,
    ended_at: At,
    /// `taken`, `unavailable`, `uncertain` (the provider may have taken it) or `rejected`.
    result: &'static str,
    /// What the provider said.
    reason: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerQuery {
    /// Only messages to this number.
    #[param(value_type = Option<String>)]
    number: Option<Number>,
    /// Only messages that this account pays for.
    #[param(value_type = Option<String>)]
    account: Option<Id<AccountId>>,
    /// Only messages that this sender took.
    sender: Option<String>,
    /// Only messages older than this one.
    before: Option<String>,
    /// 1 to 200, 50 if absent.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Lists messages, newest first
#[utoipa::path(get, path = "/sends", tag = "sends", params(LedgerQuery),
    responses((status = 200, body = Page<SendView>), Failures))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<LedgerQuery>,
) -> Result<Json<Page<SendView>>, Failure> {
    let before = query.before.map(|id| {
        SendId::parse(&id).ok_or_else(|| Failure::invalid("before", "is no id of a message"))
    });
    let wanted = SendQuery {
        number: query.number.map(|number| number.0),
        account: query.account.map(|account| account.0),
        sender: query.sender,
        before: before.transpose()?,
        limit: query.limit.and_one(),
        ..SendQuery::default()
    };
    let sends = app.service.sends(&wanted).await?;
    Ok(Json(Page::cut(sends, query.limit, |send| send.id.to_string(), SendView::from)))
}

/// Shows a message
#[utoipa::path(get, path = "/sends/{send}", tag = "sends", params(("send" = String, Path)),
    responses((status = 200, body = SendView), Failures))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<SendView>, Failure> {
    let missing = || Failure::no_such("message", &id);
    let wanted = SendId::parse(&id).ok_or_else(missing)?;
    let query = SendQuery { id: Some(wanted), limit: 1, ..SendQuery::default() };
    let found = app.service.sends(&query).await?.pop().ok_or_else(missing)?;
    Ok(Json(found.into()))
}

impl From<Send> for SendView {
    fn from(it: Send) -> Self {
        let (state, state_at, reason) = match it.state {
            SendState::Decided { due_at } => ("decided", due_at, None),
            SendState::Claimed { until, .. } => ("claimed", until, None),
            SendState::HandedOver { at } => ("handed_over", at, None),
            SendState::Delivered { at } => ("delivered", at, None),
            SendState::Failed { at, reason } => ("failed", at, Some(reason)),
        };
        Self {
            id: it.id.to_string(),
            number: it.number.to_string(),
            account: it.account.as_str().to_owned(),
            waba: it.what.waba.as_str().to_owned(),
            claim: it.what.claim.as_str().to_owned(),
            dialect: it.dialect,
            method: it.what.method.as_str(),
            locale: it.what.locale.as_str().to_owned(),
            decided_at: it.decided_at.into(),
            state,
            state_at: state_at.into(),
            reason,
            attempts: it.attempt,
            useless_after: it.what.useless_after.into(),
            sender: it.sender,
            provider_id: it.provider_id,
            handed_over_at: it.handed_over_at.map(At::from),
            confirmed_at: it.confirmed_at.map(At::from),
            in_doubt: it.in_doubt,
            price: it.charged,
            tries: it.tries.into_iter().map(TryView::from).collect(),
        }
    }
}

impl From<Attempt> for TryView {
    fn from(it: Attempt) -> Self {
        let (result, reason) = match it.outcome {
            AttemptOutcome::Taken => ("taken", None),
            AttemptOutcome::Unavailable { reason, uncertain: false } => {
                ("unavailable", Some(reason))
            }
            AttemptOutcome::Unavailable { reason, uncertain: true } => ("uncertain", Some(reason)),
            AttemptOutcome::Rejected { reason } => ("rejected", Some(reason)),
        };
        Self {
            sender: it.sender,
            started_at: it.started_at.into(),
            ended_at: it.ended_at.into(),
            result,
            reason,
        }
    }
}

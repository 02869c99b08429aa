//! The outbox of callbacks.

use registration::{TextId as _, Timestamp};
use rusqlite::{Connection, Row, params};
use service::ports::{
    CALLBACKS_KEPT, Callback, CallbackId, CallbackQuery, CallbackReport, CallbackState,
};

use super::failure::Failure;
use super::select::Select;
use crate::row::Place;

const COLUMNS: &str =
    "SELECT id, webhook, account, kind, state, at, attempt, decided_at, note, body
     FROM callbacks";

/// State and time as two columns. States below 2 are open to workers.
fn columns(state: &CallbackState) -> (i64, i64) {
    match state {
        CallbackState::Due { at } => (0, at.as_millis()),
        CallbackState::Claimed { until } => (1, until.as_millis()),
        CallbackState::Delivered { at } => (2, at.as_millis()),
        CallbackState::Failed { at } => (3, at.as_millis()),
    }
}

fn state(state: i64, at: i64) -> Option<CallbackState> {
    let at = Timestamp::from_millis(at);
    match state {
        0 => Some(CallbackState::Due { at }),
        1 => Some(CallbackState::Claimed { until: at }),
        2 => Some(CallbackState::Delivered { at }),
        3 => Some(CallbackState::Failed { at }),
        _ => None,
    }
}

/// Enters a callback; a conflict if its id was used.
pub(super) fn enter(conn: &Connection, it: &Callback) -> Result<(), Failure> {
    let (state, at) = columns(&it.state);
    let entered = conn
        .prepare_cached(
            "INSERT INTO callbacks
             (id, webhook, account, kind, state, at, attempt, decided_at, note, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            sql_id(it.id),
            it.webhook,
            it.account.as_str(),
            it.kind,
            state,
            at,
            it.attempt,
            it.decided_at.as_millis(),
            it.note,
            it.body,
        ])?;
    if entered == 0 { Err(Failure::Conflict) } else { Ok(()) }
}

/// Whether a worker would find anything to do.
pub(super) fn any_due(conn: &Connection, now: Timestamp) -> Result<bool, Failure> {
    let mut statement =
        conn.prepare_cached("SELECT 1 FROM callbacks WHERE state < 2 AND at <= $1 LIMIT 1")?;
    Ok(statement.exists([now.as_millis()])?)
}

/// Makes every leased callback due: whoever leased them is gone.
pub(super) fn orphan(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("UPDATE callbacks SET state = 0, at = 0 WHERE state = 1", []).map(drop)
}

/// Leases up to `limit` due callbacks until `until`, the longest due first.
pub(super) fn claim(
    conn: &Connection,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Callback>, Failure> {
    let due = Select::new(&format!("{COLUMNS} WHERE state < 2 AND at <= $1"), now.as_millis());
    let mut claimed = due.page(conn, "at, id", limit, read)?;
    for it in &mut claimed {
        it.state = CallbackState::Claimed { until };
        it.attempt = it.attempt.saturating_add(1);
        conn.prepare_cached("UPDATE callbacks SET state = 1, at = $1, attempt = $2 WHERE id = $3")?
            .execute(params![until.as_millis(), it.attempt, sql_id(it.id)])?;
    }
    Ok(claimed)
}

/// Records what became of a callback, once.
pub(super) fn report(conn: &Connection, report: &CallbackReport) -> Result<(), Failure> {
    let (state, at) = columns(&report.state);
    conn.prepare_cached(
        "UPDATE callbacks SET state = $1, at = $2, note = $3 WHERE id = $4 AND state < 2",
    )?
    .execute(params![state, at, report.note, sql_id(report.id)])?;
    Ok(())
}

/// A page of callbacks, newest first.
pub(super) fn page(conn: &Connection, query: &CallbackQuery) -> Result<Vec<Callback>, Failure> {
    // Every id is greater than the empty blob.
    let mut select = Select::new(&format!("{COLUMNS} WHERE id > $1"), Vec::new());
    select.and("id < ?", query.before.map(|id| sql_id(id).to_vec()));
    select.and("account = ?", query.account.as_ref().map(ToString::to_string));
    select.and("webhook = ?", query.webhook.clone());
    select.page(conn, "id DESC", query.limit, read)
}

/// Forgets up to `limit` callbacks that were done long ago; returns how many.
pub(super) fn sweep(conn: &Connection, now_ms: i64, limit: usize) -> Result<usize, Failure> {
    let kept = i64::try_from(CALLBACKS_KEPT.as_millis()).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(conn
        .prepare_cached(
            "DELETE FROM callbacks WHERE id IN
             (SELECT id FROM callbacks WHERE state >= 2 AND at <= $1 LIMIT $2)",
        )?
        .execute([now_ms.saturating_sub(kept), limit])?)
}

fn sql_id(id: CallbackId) -> [u8; 16] {
    id.0.to_be_bytes()
}

fn read(row: &Row<'_>) -> Result<Callback, Failure> {
    let id = CallbackId(u128::from_be_bytes(row.get(0)?));
    let place = Place { table: "callbacks", id: &id };
    let account: String = row.get(2)?;
    Ok(Callback {
        id,
        webhook: row.get(1)?,
        account: place.ok("account", registration::AccountId::parse(&account))?,
        kind: row.get(3)?,
        state: place.ok("state", state(row.get(4)?, row.get(5)?))?,
        attempt: row.get(6)?,
        decided_at: Timestamp::from_millis(row.get(7)?),
        note: row.get(8)?,
        body: row.get(9)?,
    })
}

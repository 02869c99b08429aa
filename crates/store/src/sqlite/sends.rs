//! The ledger of sends.

use registration::Timestamp;
use rusqlite::{Connection, Row, params};
use service::ports::{Send, SendId, SendQuery, SendReport, SendState};

use super::failure::Failure;
use super::numbers::{phone_number, sql_number};
use super::select::Select;
use crate::row::{SendRow, state_to_columns};

const COLUMNS: &str =
    "SELECT id, number, account, state, at, attempt, sender, provider_id, reason, body
     FROM sends";

/// Enters a send.
pub(super) fn enter(conn: &Connection, row: &SendRow) -> Result<(), Failure> {
    conn.prepare_cached(
        "INSERT INTO sends
         (id, number, account, state, at, attempt, sender, provider_id, reason, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )?
    .execute(params![
        sql_id(row.id),
        sql_number(row.number),
        row.account,
        row.state,
        row.at,
        row.attempt,
        row.sender,
        row.provider_id,
        row.reason,
        row.body,
    ])?;
    Ok(())
}

/// Whether a worker would find anything to do: answered by a reader, so that idling costs no commit.
pub(super) fn any_due(conn: &Connection, now: Timestamp) -> Result<bool, Failure> {
    let mut statement =
        conn.prepare_cached("SELECT 1 FROM sends WHERE state < 2 AND at <= $1 LIMIT 1")?;
    Ok(statement.exists([now.as_millis()])?)
}

/// Makes every leased send due: this process has just become the only owner of the database, so whoever
/// leased them is gone.
pub(super) fn orphan(conn: &Connection) -> rusqlite::Result<()> {
    // No value of `at` is below; zero is due whatever the clock shows.
    conn.execute("UPDATE sends SET state = 0, at = 0 WHERE state = 1", []).map(drop)
}

/// Leases up to `limit` due sends until `until`, the longest due first.
pub(super) fn claim(
    conn: &Connection,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Send>, Failure> {
    let due = Select::new(&format!("{COLUMNS} WHERE state < 2 AND at <= $1"), now.as_millis());
    let mut sends = due.page(conn, "at, id", limit, read)?;
    for send in &mut sends {
        send.state = SendState::Claimed { until };
        send.attempt = send.attempt.saturating_add(1);
        conn.prepare_cached("UPDATE sends SET state = 1, at = $1, attempt = $2 WHERE id = $3")?
            .execute(params![until.as_millis(), send.attempt, sql_id(send.id)])?;
    }
    Ok(sends)
}

/// Records what became of a send: never backwards, never twice.
pub(super) fn report(conn: &Connection, report: SendReport) -> Result<(), Failure> {
    let (state, at, reason) = state_to_columns(report.state);
    conn.prepare_cached(
        "UPDATE sends SET state = $1, at = $2, reason = $3, sender = COALESCE($4, sender),
         provider_id = COALESCE($5, provider_id)
         WHERE id = $6 AND (state < 2 OR (state = 2 AND $1 > 2))",
    )?
    .execute(params![
        state,
        at,
        reason,
        report.sender,
        report.provider_id,
        sql_id(report.id)
    ])?;
    Ok(())
}

/// A page of the ledger, newest first.
pub(super) fn page(conn: &Connection, query: &SendQuery) -> Result<Vec<Send>, Failure> {
    let after = query.after.map_or_else(Vec::new, |id| sql_id(id).to_vec());
    // Every id is greater than the empty blob.
    let mut select = Select::new(&format!("{COLUMNS} WHERE id > $1"), after);
    select.and("id < ?", query.before.map(|id| sql_id(id).to_vec()));
    select.and("id = ?", query.id.map(|id| sql_id(id).to_vec()));
    select.and("number = ?", query.number.map(sql_number));
    select.and("account = ?", query.account.as_ref().map(ToString::to_string));
    select.and("sender = ?", query.sender.clone());
    select.page(conn, "id DESC", query.limit, read)
}

fn sql_id(id: SendId) -> [u8; 16] {
    id.0.to_be_bytes()
}

fn read(row: &Row<'_>) -> Result<Send, Failure> {
    let row = SendRow {
        id: SendId(u128::from_be_bytes(row.get(0)?)),
        number: phone_number("sends", row.get(1)?)?,
        account: row.get(2)?,
        state: row.get(3)?,
        at: row.get(4)?,
        attempt: row.get(5)?,
        sender: row.get(6)?,
        provider_id: row.get(7)?,
        reason: row.get(8)?,
        body: row.get(9)?,
    };
    Ok(row.into_send()?)
}

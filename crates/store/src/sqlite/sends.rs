//! The ledger of sends.

use registration::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use service::ports::{
    Confirmed, Receipt, ReceiptOutcome, Send, SendId, SendQuery, SendReport, SendState,
};

use super::budgets::{self, sql_amount};
use super::failure::Failure;
use super::numbers::{phone_number, sql_number};
use super::select::Select;
use crate::row::{SendRow, challenge_to_column, state_to_columns, tries_to_column};

const COLUMNS: &str =
    "SELECT id, number, account, state, at, attempt, sender, provider_id, reason, body,
     handed_over_at, confirmed_at, in_doubt, charged, tries
     FROM sends";

/// Enters a send.
pub(super) fn enter(conn: &Connection, row: &SendRow) -> Result<(), Failure> {
    conn.prepare_cached(
        "INSERT INTO sends
         (id, number, account, state, at, attempt, sender, provider_id, reason, body,
          handed_over_at, confirmed_at, in_doubt, charged, tries)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
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
        row.handed_over_at,
        row.confirmed_at,
        row.in_doubt,
        sql_amount(row.charged),
        row.tries,
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
/// leased them is gone, and may have handed over before it went what it had begun.
pub(super) fn orphan(conn: &Connection) -> rusqlite::Result<()> {
    // No value of `at` is below; zero is due whatever the clock shows.
    let orphans = "UPDATE sends SET state = 0, at = 0, in_doubt = in_doubt OR state = 1
                   WHERE state IN (-1, 1)";
    conn.execute(orphans, []).map(drop)
}

/// Leases up to `limit` due sends until `until`, the longest due first.
pub(super) fn claim(
    conn: &Connection,
    now: Timestamp,
    until: Timestamp,
    begun: bool,
    limit: usize,
) -> Result<Vec<Send>, Failure> {
    let due = Select::new(&format!("{COLUMNS} WHERE state < 2 AND at <= $1"), now.as_millis());
    let mut sends = due.page(conn, "at, id", limit, read)?;
    for send in &mut sends {
        send.in_doubt |= matches!(send.state, SendState::Claimed { begun: true, .. });
        send.state = SendState::Claimed { until, begun };
        send.attempt = send.attempt.saturating_add(1);
        let (state, at, _) = state_to_columns(&send.state);
        conn.prepare_cached(
            "UPDATE sends SET state = $1, at = $2, attempt = $3, in_doubt = $4 WHERE id = $5",
        )?
        .execute(params![state, at, send.attempt, send.in_doubt, sql_id(send.id)])?;
    }
    Ok(sends)
}

/// Records that a hand-over begins; whether the lease until `until` still stood.
pub(super) fn begin(conn: &Connection, id: SendId, until: Timestamp) -> Result<bool, Failure> {
    let begun = conn
        .prepare_cached("UPDATE sends SET state = 1 WHERE id = $1 AND state = -1 AND at = $2")?
        .execute(params![sql_id(id), until.as_millis()])?;
    Ok(begun == 1)
}

/// Records what became of a send. Which report counts is [`SendReport::moves`] in SQL; what was tried is
/// kept in any case.
pub(super) fn report(conn: &Connection, report: &SendReport) -> Result<(), Failure> {
    let id = sql_id(report.id);
    let tries = tries_to_column(&report.tries);
    let before = match &report.settled {
        Some(_) => conn
            .prepare_cached("SELECT charged FROM sends WHERE id = $1")?
            .query_row([id], |row| row.get(0))
            .optional()?,
        None => None,
    };
    let (state, at, reason) = state_to_columns(&report.state);
    let moved = conn
        .prepare_cached(
            "UPDATE sends SET state = $1, at = $2, reason = $3, sender = COALESCE($4, sender),
             provider_id = COALESCE($5, provider_id), charged = COALESCE($6, charged),
             handed_over_at = CASE WHEN $1 = 2 THEN $2 ELSE handed_over_at END,
             in_doubt = in_doubt OR $7, tries = CASE WHEN $8 = '' THEN tries
             ELSE COALESCE(tries || ',', '') || $8 END
             WHERE id = $9 AND
             (state < 2 OR (state = 4 AND handed_over_at IS NULL AND $1 = 2))",
        )?
        .execute(params![
            state,
            at,
            reason,
            report.sender,
            report.provider_id,
            report.settled.as_ref().map(|it| sql_amount(it.charged)),
            report.in_doubt,
            tries,
            id,
        ])?;
    if moved == 0 && (report.in_doubt || !tries.is_empty()) {
        conn.prepare_cached(
            "UPDATE sends SET in_doubt = in_doubt OR $1, tries = CASE WHEN $2 = '' THEN tries
             ELSE COALESCE(tries || ',', '') || $2 END WHERE id = $3",
        )?
        .execute(params![report.in_doubt, tries, id])?;
    }
    match (moved, before, &report.settled) {
        (1, Some(before), Some(settled)) => {
            let before: i64 = before;
            budgets::settle(conn, u64::try_from(before).unwrap_or(0), settled)
        }
        _ => Ok(()),
    }
}

/// Records a receipt; whether there is such a send.
pub(super) fn receive(conn: &Connection, receipt: &Receipt) -> Result<bool, Failure> {
    let at = receipt.at;
    let state = match &receipt.outcome {
        ReceiptOutcome::Delivered => SendState::Delivered { at },
        ReceiptOutcome::Failed { reason } => SendState::Failed { at, reason: reason.clone() },
    };
    let (state, at, reason) = state_to_columns(&state);
    // The condition on the inbox is the one of the index.
    let found: Option<[u8; 16]> = conn
        .prepare_cached(
            "SELECT id FROM sends WHERE provider_id = $1 AND sender = $2 AND sender <> 'inbox'
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([&receipt.provider_id, &receipt.sender], |row| row.get(0))
        .optional()?;
    let Some(id) = found else { return Ok(false) };
    conn.prepare_cached(
        "UPDATE sends SET state = $1, at = $2, reason = $3 WHERE id = $4 AND state = 2",
    )?
    .execute(params![state, at, reason, id])?;
    Ok(true)
}

/// Notes that a code was used.
pub(super) fn confirm(conn: &Connection, confirmed: &Confirmed) -> Result<(), Failure> {
    conn.prepare_cached(
        "UPDATE sends SET confirmed_at = $1
         WHERE number = $2 AND confirmed_at IS NULL AND json_extract(body, '$.c') = $3",
    )?
    .execute(params![
        confirmed.at.as_millis(),
        sql_number(confirmed.number),
        challenge_to_column(confirmed.challenge)
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
        handed_over_at: row.get(10)?,
        confirmed_at: row.get(11)?,
        in_doubt: row.get(12)?,
        charged: u64::try_from(row.get::<_, i64>(13)?).unwrap_or(0),
        tries: row.get(14)?,
    };
    Ok(row.into_send()?)
}

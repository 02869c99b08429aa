//! Allowances that callers share.

use rusqlite::{Connection, OptionalExtension, params};
use service::ports::Take;

use super::failure::Failure;

/// Takes one request, or says when one will be earned. The rule itself is [`Take::draw`].
pub(super) fn take(conn: &Connection, take: &Take) -> Result<(), Failure> {
    let arrival_us = conn
        .prepare_cached("SELECT arrival_us FROM allowances WHERE key = $1")?
        .query_row([&take.key], |row| row.get(0))
        .optional()?;
    let next = take
        .draw(arrival_us)
        .map_err(|opens_at| Failure::Throttled { key: take.key.clone(), opens_at })?;
    conn.prepare_cached(
        "INSERT INTO allowances (key, arrival_us) VALUES ($1, $2)
         ON CONFLICT (key) DO UPDATE SET arrival_us = excluded.arrival_us",
    )?
    .execute(params![take.key, next])?;
    Ok(())
}

/// Gives an allowance back in full: one never used is not stored.
pub(super) fn forgive(conn: &Connection, key: &str) -> Result<(), Failure> {
    conn.prepare_cached("DELETE FROM allowances WHERE key = $1")?.execute([key])?;
    Ok(())
}

/// Removes up to `limit` allowances that are whole again, which is the same as never used; returns how
/// many.
pub(super) fn sweep(conn: &Connection, now_ms: i64, limit: usize) -> Result<usize, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(conn
        .prepare_cached(
            "DELETE FROM allowances WHERE key IN
             (SELECT key FROM allowances WHERE arrival_us <= $1 LIMIT $2)",
        )?
        .execute([now_ms.saturating_mul(1000), limit])?)
}

//! What may happen once.

use rusqlite::{Connection, params};
use service::ports::OnceKey;

use super::failure::Failure;

/// Remembers `once`, unless it is remembered already.
pub(super) fn enter(conn: &Connection, once: &OnceKey) -> Result<(), Failure> {
    let entered = conn
        .prepare_cached(
            "INSERT INTO nonces (key, until) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
        )?
        .execute(params![once.key, once.until.as_millis()])?;
    if entered == 0 { Err(Failure::Repeated { key: once.key.clone() }) } else { Ok(()) }
}

/// Forgets up to `limit` keys whose time has passed; returns how many.
pub(super) fn sweep(conn: &Connection, now_ms: i64, limit: usize) -> Result<usize, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(conn
        .prepare_cached(
            "DELETE FROM nonces WHERE key IN (SELECT key FROM nonces WHERE until <= $1 LIMIT $2)",
        )?
        .execute([now_ms, limit])?)
}

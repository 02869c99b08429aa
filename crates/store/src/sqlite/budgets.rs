//! Budgets of money.

use registration::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use service::ports::{Budget, Settlement, Spend};

use super::failure::Failure;

/// Takes money from a budget. The rule itself is [`Spend::draw`].
pub(super) fn spend(conn: &Connection, spend: &Spend) -> Result<(), Failure> {
    let before = conn
        .prepare_cached("SELECT key, spent, would_refuse, resets_at FROM budgets WHERE key = $1")?
        .query_row([&spend.key], read)
        .optional()?;
    let overspent = || Failure::Overspent { key: spend.key.clone(), resets_at: spend.resets_at };
    let after = spend.draw(before.as_ref()).ok_or_else(overspent)?;
    conn.prepare_cached(
        "INSERT INTO budgets (key, spent, would_refuse, resets_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO UPDATE SET
         spent = excluded.spent, would_refuse = excluded.would_refuse",
    )?
    .execute(params![
        after.key,
        sql_amount(after.spent),
        sql_amount(after.would_refuse),
        after.resets_at.as_millis()
    ])?;
    Ok(())
}

/// Gives budgets the difference between what a send was charged `before` and what it costs in the end.
pub(super) fn settle(conn: &Connection, before: u64, settled: &Settlement) -> Result<(), Failure> {
    let difference = sql_amount(settled.charged).saturating_sub(sql_amount(before));
    for key in settled.budgets.iter().filter(|_| difference != 0) {
        conn.prepare_cached("UPDATE budgets SET spent = MAX(0, spent + $1) WHERE key = $2")?
            .execute(params![difference, key])?;
    }
    Ok(())
}

/// All budgets whose keys begin with `prefix`.
pub(super) fn page(conn: &Connection, prefix: &str) -> Result<Vec<Budget>, Failure> {
    let mut statement = conn.prepare_cached(
        "SELECT key, spent, would_refuse, resets_at FROM budgets
         WHERE substr(key, 1, length($1)) = $1 ORDER BY key",
    )?;
    let rows = statement.query_map([prefix], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes up to `limit` budgets that have started anew under another key; returns how many.
pub(super) fn sweep(conn: &Connection, now_ms: i64, limit: usize) -> Result<usize, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(conn
        .prepare_cached(
            "DELETE FROM budgets WHERE key IN
             (SELECT key FROM budgets WHERE resets_at <= $1 LIMIT $2)",
        )?
        .execute([now_ms, limit])?)
}

/// An amount as SQLite keeps it; nobody has more than nine million millions.
pub(super) fn sql_amount(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Budget> {
    let amount = |it: i64| u64::try_from(it).unwrap_or(0);
    Ok(Budget {
        key: row.get(0)?,
        spent: amount(row.get(1)?),
        would_refuse: amount(row.get(2)?),
        resets_at: Timestamp::from_millis(row.get(3)?),
    })
}

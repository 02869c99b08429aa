//! Emptying the database, keeping a copy of it, returning to one. Sandbox only.
//!
//! Rows are replaced inside one transaction of the writer, never the file: open readers go on and see
//! either the old state or the new one.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use service::ports::is_snapshot_name;

use super::connect::{self, OpenError, beside};
use super::failure::Failure;
use super::migrate::migrate;

/// All tables with content, those that are referred to first.
const TABLES: [&str; 9] = [
    "entities",
    "numbers",
    "claims",
    "audit",
    "allowances",
    "nonces",
    "sends",
    "callbacks",
    "budgets",
];

/// The file of the snapshot `name` of the database at `path`: `rollcall.db.snapshot-NAME`.
pub(super) fn file(path: &Path, name: &str) -> Result<PathBuf, Failure> {
    if !is_snapshot_name(name) {
        return Err(Failure::SnapshotName);
    }
    Ok(beside(path, &format!(".snapshot-{name}")))
}

/// Removes every row.
pub(super) fn clear(conn: &Connection) -> Result<(), Failure> {
    replace_rows(conn, |_| Ok(()))
}

/// Copies the database to `file`, replacing an older copy only once the new one is complete.
pub(super) fn save(conn: &Connection, file: &Path) -> Result<(), Failure> {
    let unfinished = beside(file, ".new");
    let failed = |error| Failure::File(file.display().to_string(), error);
    if unfinished.exists() {
        std::fs::remove_file(&unfinished).map_err(failed)?;
    }
    // SQLite fills an empty file and leaves its mode alone.
    connect::make_private(&unfinished).map_err(not_opened)?;
    conn.execute("VACUUM INTO $1", [path_text(&unfinished)])?;
    std::fs::rename(&unfinished, file).map_err(failed)
}

/// Replaces every row by those in `file`; `false` if there is no such file.
pub(super) fn load(conn: &Connection, file: &Path) -> Result<bool, Failure> {
    if !file.exists() {
        return Ok(false);
    }
    // A snapshot of an older program is brought to the present schema first.
    migrate(&mut connect::writing(file)?, file).map_err(not_opened)?;
    conn.execute("ATTACH DATABASE $1 AS kept", [path_text(file)])?;
    let copied = replace_rows(conn, |tx| {
        for table in TABLES {
            tx.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM kept.{table}"))?;
        }
        Ok(())
    });
    conn.execute_batch("DETACH DATABASE kept")?;
    copied.map(|()| true)
}

/// Empties all tables and lets `fill` fill them, in one transaction.
///
/// Foreign keys are off meanwhile: what goes in is consistent as a whole, and emptying a table without
/// looking at each row takes no time.
fn replace_rows(
    conn: &Connection,
    fill: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<(), Failure> {
    conn.execute_batch("PRAGMA foreign_keys = OFF")?;
    let replaced =
        Transaction::new_unchecked(conn, TransactionBehavior::Immediate).and_then(|tx| {
            for table in TABLES {
                tx.execute_batch(&format!("DELETE FROM main.{table}"))?;
            }
            fill(&tx)?;
            tx.commit()
        });
    conn.execute_batch("PRAGMA foreign_keys = ON")?;
    Ok(replaced?)
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn not_opened(error: OpenError) -> Failure {
    match error {
        OpenError::Sqlite(error) => Failure::Sql(error),
        OpenError::File(path, error) => Failure::File(path.display().to_string(), error),
        other @ (OpenError::InUse(_)
        | OpenError::Foreign(_)
        | OpenError::Newer { .. }
        | OpenError::ChangedMigration { .. }
        | OpenError::Thread(_)) => Failure::Snapshot(other.to_string()),
    }
}

//! Schema versions: forward only, each step once, each step unchanged ever after.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::connect::OpenError;

/// One step of the schema.
pub(super) struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// All steps; the place in this list, from 1, is the schema version.
const MIGRATIONS: &[Migration] = &[
    Migration { name: "init", sql: include_str!("../../migrations/sqlite/0001_init.sql") },
    Migration {
        name: "callbacks",
        sql: include_str!("../../migrations/sqlite/0002_callbacks.sql"),
    },
    Migration { name: "delivery", sql: include_str!("../../migrations/sqlite/0003_delivery.sql") },
    Migration {
        name: "hosted_codes",
        sql: include_str!("../../migrations/sqlite/0004_hosted_codes.sql"),
    },
    Migration {
        name: "display_names",
        sql: include_str!("../../migrations/sqlite/0005_display_names.sql"),
    },
    Migration {
        name: "claim_moments",
        sql: include_str!("../../migrations/sqlite/0006_claim_moments.sql"),
    },
    Migration {
        name: "number_states",
        sql: include_str!("../../migrations/sqlite/0007_number_states.sql"),
    },
];

/// Marks the file as ours ("Roll").
const APPLICATION_ID: i32 = 0x526f_6c6c;

/// Brings the database to the newest schema; a few reads if it is there already.
pub(super) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let application_id: i32 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application_id != APPLICATION_ID {
        let tables: i64 =
            conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if application_id != 0 || tables != 0 {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        begin(conn)?;
    }
    bring_to(conn, MIGRATIONS)
}

fn begin(conn: &mut Connection) -> Result<(), OpenError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.execute_batch(
        "CREATE TABLE migrations (
            version  INTEGER NOT NULL PRIMARY KEY,
            name     TEXT    NOT NULL,
            checksum TEXT    NOT NULL
        ) STRICT",
    )?;
    Ok(tx.commit()?)
}

fn bring_to(conn: &mut Connection, steps: &'static [Migration]) -> Result<(), OpenError> {
    let done = check(conn, steps)?;
    for (version, step) in (1..).zip(steps).skip(done) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step.sql)?;
        record(&tx, version, step)?;
        tx.commit()?;
        tracing::debug!(version, name = step.name, "step of the schema taken");
    }
    if done > 0 && done < steps.len() {
        tracing::info!(from = done, to = steps.len(), "database migrated");
    }
    Ok(())
}

/// Compares the steps the database went through with ours; returns how many there were.
fn check(conn: &Connection, steps: &'static [Migration]) -> Result<usize, OpenError> {
    let mut statement =
        conn.prepare("SELECT version, checksum FROM migrations ORDER BY version")?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let done = rows.collect::<Result<Vec<_>, _>>()?;
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if let Some((found, _)) = done.last().filter(|(version, _)| *version > known) {
        return Err(OpenError::Newer { found: *found, known });
    }
    for ((version, checksum), step) in done.iter().zip(steps) {
        if *checksum != step.checksum() {
            return Err(OpenError::ChangedMigration { version: *version, name: step.name });
        }
    }
    Ok(done.len())
}

fn record(tx: &Transaction<'_>, version: i64, step: &Migration) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO migrations (version, name, checksum) VALUES ($1, $2, $3)",
        params![version, step.name, step.checksum()],
    )?;
    Ok(())
}

impl Migration {
    /// SHA-256 of the step's text, in hexadecimal.
    fn checksum(&self) -> String {
        use std::fmt::Write;
        Sha256::digest(self.sql).iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[Migration] =
        &[Migration { name: "one", sql: "CREATE TABLE a (x INTEGER) STRICT" }];
    const NEW: &[Migration] = &[
        Migration { name: "one", sql: "CREATE TABLE a (x INTEGER) STRICT" },
        Migration { name: "two", sql: "ALTER TABLE a ADD COLUMN y INTEGER" },
    ];
    const EDITED: &[Migration] =
        &[Migration { name: "one", sql: "CREATE TABLE a (z TEXT) STRICT" }];
    const BROKEN: &[Migration] = &[
        Migration { name: "one", sql: "CREATE TABLE a (x INTEGER) STRICT" },
        Migration {
            name: "two",
            sql: "CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE a (x TEXT)",
        },
    ];

    fn database(steps: &'static [Migration]) -> Connection {
        let mut conn = Connection::open_in_memory().expect("memory");
        begin(&mut conn).expect("empty");
        bring_to(&mut conn, steps).expect("fresh");
        conn
    }

    #[test]
    fn each_step_is_done_once_and_a_later_program_does_the_rest() {
        let mut conn = database(OLD);
        bring_to(&mut conn, OLD).expect("nothing to do");
        bring_to(&mut conn, NEW).expect("one step");
        conn.execute("INSERT INTO a (x, y) VALUES (1, 2)", []).expect("both columns");
    }

    #[test]
    fn a_newer_database_and_a_changed_step_are_refused() {
        let error = bring_to(&mut database(NEW), OLD).expect_err("newer");
        assert!(matches!(error, OpenError::Newer { found: 2, known: 1 }), "{error}");
        let error = bring_to(&mut database(OLD), EDITED).expect_err("changed");
        assert!(matches!(error, OpenError::ChangedMigration { version: 1, .. }), "{error}");
    }

    #[test]
    fn the_moments_of_claims_are_read_from_the_records_there_are() {
        let mut conn = database(&MIGRATIONS[..5]);
        conn.execute_batch(
            r#"PRAGMA foreign_keys = OFF;
            INSERT INTO numbers (number, version, body) VALUES
                (1, 1, '{"c":[{"i":"x","w":"w","n":"n","a":10},{"i":"y","w":"v","n":"n","a":20}],
                         "r":{"i":"y","w":"v","a":30,"u":30,"k":"0"}}');
            INSERT INTO claims (id, number, waba) VALUES ('x', 1, 'w'), ('y', 1, 'v');"#,
        )
        .expect("rows of before");
        bring_to(&mut conn, MIGRATIONS).expect("the rest");
        let mut found = conn.prepare("SELECT id, added_at, onboarded_at FROM claims").expect("sql");
        let found = found.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let found: Vec<_> = found.expect("rows").map(|row| row.expect("a row")).collect();
        assert_eq!(found, [("x".to_owned(), 10, 10), ("y".to_owned(), 20, 30)]);
    }

    #[test]
    fn the_states_of_numbers_are_read_from_the_records_there_are() {
        let mut conn = database(&MIGRATIONS[..6]);
        conn.execute_batch(
            r#"PRAGMA foreign_keys = OFF;
            INSERT INTO numbers (number, version, body) VALUES
                (1, 1, '{"c":[{"i":"x","w":"w","n":"n","a":10,"p":{"v":[11,null]}},
                              {"i":"y","w":"v","n":"n","a":20,"p":{"c":{"i":"0","a":21,"r":22}}},
                              {"i":"z","w":"u","n":"n","a":30}]}'),
                (2, 1, '{"b":{"l":40}}');
            INSERT INTO claims (id, number, waba, pending_since) VALUES
                ('x', 1, 'w', NULL), ('y', 1, 'v', 22), ('z', 1, 'u', NULL);"#,
        )
        .expect("rows of before");
        bring_to(&mut conn, MIGRATIONS).expect("the rest");
        let column = |sql: &str| -> Vec<Option<i64>> {
            let mut found = conn.prepare(sql).expect("sql");
            let found = found.query_map([], |row| row.get(0)).expect("rows");
            found.map(|it| it.expect("a row")).collect()
        };
        assert_eq!(column("SELECT proof_at FROM claims ORDER BY id"), [Some(11), Some(21), None]);
        assert_eq!(column("SELECT locked_since FROM numbers ORDER BY number"), [None, Some(40)]);
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let mut conn = database(OLD);
        assert!(bring_to(&mut conn, BROKEN).is_err());
        assert!(conn.prepare("SELECT x FROM b").is_err());
        bring_to(&mut conn, NEW).expect("the database is still usable");
    }

    #[test]
    fn a_file_of_another_program_is_left_alone() {
        let mut conn = Connection::open_in_memory().expect("memory");
        conn.execute_batch("CREATE TABLE theirs (x)").expect("table");
        let error = migrate(&mut conn, Path::new("x.db")).expect_err("foreign");
        assert!(matches!(error, OpenError::Foreign(_)), "{error}");
    }
}

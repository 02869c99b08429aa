//! The files: who may read them, who may open them, what is in them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use registration::NumberRecord;
use rusqlite::Connection;
use service::ports::{CommitError, Store, Unit};
use service::testing::store_contract::sample::{event, full, number, seed, write};
use store::{OpenError, SqliteOptions, SqliteStore};

use crate::{Database, verified_chain};

fn open_error(database: &Database) -> OpenError {
    SqliteStore::open(&database.path(), &SqliteOptions::default()).expect_err("does not open")
}

/// Changes a closed database by hand.
fn tamper(database: &Database, sql: &str) {
    let conn = Connection::open(database.path()).expect("opens");
    conn.execute_batch(sql).expect(sql);
}

#[tokio::test]
async fn every_file_is_readable_by_its_owner_alone() {
    let database = Database::new();
    fs::write(database.path(), "").expect("writes");
    fs::set_permissions(database.path(), fs::Permissions::from_mode(0o644)).expect("changes mode");
    let store = database.open();
    seed(&*store).await;
    store.save_snapshot("one").await.expect("saves");
    let files: Vec<_> = fs::read_dir(database.folder.path()).expect("lists").collect();
    assert!(files.len() >= 4, "database, log, lock, snapshot: {files:?}");
    for file in files {
        let file = file.expect("lists");
        let mode = file.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn a_database_has_one_writer_at_a_time() {
    let database = Database::new();
    let store = database.open();
    assert!(matches!(open_error(&database), OpenError::InUse(_)));
    store.close().await.expect("closes");
    database.open().ping().await.expect("open again");
}

#[tokio::test]
async fn a_running_store_can_be_read_by_others_but_not_written() {
    let database = Database::new();
    let store = database.open();
    let event =
        |n| Unit { events: vec![event(n, service::ports::Subject::System)], ..Unit::default() };
    store.commit(event(1)).await.expect("new");
    let reader = SqliteStore::open_read_only(&database.path()).expect("opens");
    assert_eq!(verified_chain(&reader).await.len(), 1);
    store.commit(event(2)).await.expect("new");
    assert_eq!(verified_chain(&reader).await.len(), 2);
    let refused = reader.commit(event(3)).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    assert!(reader.clear().await.is_err());
    reader.close().await.expect("closes");
    drop(store);
    let reader = SqliteStore::open_read_only(&database.path()).expect("opens when stopped, too");
    assert_eq!(verified_chain(&reader).await.len(), 2);
}

#[tokio::test]
async fn a_database_of_a_newer_or_another_program_is_left_alone() {
    let database = Database::new();
    drop(database.open());
    tamper(&database, "INSERT INTO migrations VALUES (999, 'later', 'x')");
    let error = open_error(&database);
    assert!(matches!(error, OpenError::Newer { found: 999, .. }), "{error}");
    tamper(&database, "DELETE FROM migrations WHERE version = 999");
    tamper(&database, "UPDATE migrations SET checksum = 'x' WHERE version = 1");
    let error = open_error(&database);
    assert!(matches!(error, OpenError::ChangedMigration { version: 1, .. }), "{error}");
    let foreign = Database::new();
    tamper(&foreign, "CREATE TABLE theirs (x)");
    let error = open_error(&foreign);
    assert!(matches!(error, OpenError::Foreign(_)), "{error}");
}

#[tokio::test]
async fn a_damaged_row_is_named_and_harms_no_other() {
    let database = Database::new();
    let store = database.open();
    seed(&*store).await;
    write(&*store, 0, full(number(1))).await.expect("new");
    write(&*store, 0, NumberRecord::absent(number(2))).await.expect("new");
    drop(store);
    tamper(
        &database,
        "UPDATE numbers SET body = '{\"t\":[\"$argon2id$secret\"]}' WHERE number % 2 = 1",
    );
    let store = database.open();
    let error = store.number(number(1)).await.expect_err("damaged").to_string();
    assert!(error.contains("numbers.body of +44770*****01 is damaged"), "{error}");
    assert!(!error.contains("secret"), "{error}");
    let refused = write(&*store, 1, full(number(1))).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    assert!(store.number(number(2)).await.expect("readable").is_some());
}

//! What was acknowledged is there afterwards, however the store ended.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use registration::ClaimPhase;
use service::ports::{CommitError, NumberWrite, SendQuery, Store, Subject, Unit};
use service::testing::store_contract::sample::{
    at, claimed, event, full, number, once, seed, send, take, write,
};
use store::{SqliteOptions, SqliteStore};

use crate::{Database, verified_chain};

/// Puts something into every table.
async fn fill(store: &SqliteStore) {
    seed(store).await;
    let unit = Unit {
        numbers: vec![NumberWrite { expected: 0, record: full(number(1)) }],
        once: vec![once("cams/a/1", 60_000)],
        takes: vec![take("a", core::time::Duration::from_hours(1), 1, at(0))],
        events: vec![event(1, Subject::Number(number(1))), event(2, Subject::System)],
        sends: vec![send(1, number(1), 0)],
        ..Unit::default()
    };
    store.commit(unit).await.expect("new");
}

async fn assert_filled(store: &SqliteStore) {
    let stored = store.number(number(1)).await.expect("readable").expect("there");
    assert_eq!((stored.version, stored.value), (1, full(number(1))));
    assert_eq!(verified_chain(store).await.len(), 2);
    let sends = SendQuery { limit: 9, ..SendQuery::default() };
    assert_eq!(store.sends(&sends).await.expect("readable"), [send(1, number(1), 0)]);
    let again = take("a", core::time::Duration::from_hours(1), 1, at(0));
    store.commit(Unit { takes: vec![again], ..Unit::default() }).await.expect_err("used up");
    let repeated = Unit { once: vec![once("cams/a/1", 60_000)], ..Unit::default() };
    let refused = store.commit(repeated).await;
    assert!(matches!(refused, Err(CommitError::Repeated { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_closed_store_is_found_again_and_its_chain_goes_on() {
    let database = Database::new();
    let store = database.open();
    fill(&store).await;
    store.close().await.expect("closes");
    let log = fs::metadata(database.path().with_extension("db-wal")).map_or(0, |it| it.len());
    assert_eq!(log, 0, "everything is in the database file");
    drop(store);
    let store = database.open();
    assert_filled(&store).await;
    store
        .commit(Unit { events: vec![event(3, Subject::System)], ..Unit::default() })
        .await
        .expect("new");
    assert_eq!(verified_chain(&store).await.len(), 3);
}

#[tokio::test]
async fn a_store_that_was_dropped_has_lost_nothing() {
    let database = Database::new();
    let store = database.open();
    fill(&store).await;
    drop(store);
    assert_filled(&database.open()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_copied_under_load_hold_every_unit_acknowledged_before() {
    let database = Database::new();
    let store = database.open();
    seed(&*store).await;
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..16)
        .map(|n| {
            tokio::spawn(commit_on_and_on(store.clone(), n, acknowledged.clone(), stop.clone()))
        })
        .collect();
    for _ in 0..5 {
        let copy = Database::new();
        let before = loop {
            let before = acknowledged.lock().expect("not poisoned").clone();
            if !before.is_empty() && copy_files(&database.path(), &copy.path()) {
                break before;
            }
            tokio::task::yield_now().await;
        };
        let store = copy.open();
        let chain = verified_chain(&store).await;
        let found: BTreeSet<_> = chain.iter().map(|entry| entry.event.id.0).collect();
        assert!(found.is_superset(&before), "{} of {}", found.len(), before.len());
        assert_units_are_whole(&store, &found).await;
    }
    stop.store(true, Relaxed);
    for task in load {
        task.await.expect("no panic");
    }
}

/// Unit `n * 2^32 + version` writes version `version` of number `n`, an event and a send of that id.
async fn commit_on_and_on(
    store: Arc<SqliteStore>,
    n: u64,
    acknowledged: Arc<Mutex<BTreeSet<u128>>>,
    stop: Arc<AtomicBool>,
) {
    let mut expected = 0;
    while !stop.load(Relaxed) {
        let record = claimed(number(n), ClaimPhase::Unverified);
        let unit_id = u128::from(n) << 32 | u128::from(expected + 1);
        let unit = Unit {
            numbers: vec![NumberWrite { expected, record }],
            events: vec![event(unit_id, Subject::Number(number(n)))],
            sends: vec![send(unit_id, number(n), 0)],
            ..Unit::default()
        };
        store.commit(unit).await.expect("nobody else writes this number");
        acknowledged.lock().expect("not poisoned").insert(unit_id);
        expected += 1;
    }
}

async fn assert_units_are_whole(store: &SqliteStore, units: &BTreeSet<u128>) {
    let sends = store.sends(&SendQuery { limit: usize::MAX, ..SendQuery::default() }).await;
    let sends: BTreeSet<_> = sends.expect("readable").iter().map(|send| send.id.0).collect();
    assert_eq!(sends, *units);
    for n in 0..16 {
        let last =
            units.iter().rfind(|id| *id >> 32 == n).map_or(0, |id| id & u128::from(u32::MAX));
        let n = u64::try_from(n).expect("small");
        let version = store.number(number(n)).await.expect("readable").map_or(0, |it| it.version);
        assert_eq!(u128::from(version), last);
    }
}

/// Copies database and log as a power cut would leave them; `false` if the log started again meanwhile,
/// so that the two copies do not belong together.
fn copy_files(from: &Path, to: &Path) -> bool {
    let log = |path: &Path| path.with_extension("db-wal");
    // Bytes 16 to 24 of the log are the salt that changes with each new start.
    let salt = || fs::read(log(from)).ok().and_then(|bytes| bytes.get(16..24).map(<[u8]>::to_vec));
    let before = salt();
    fs::copy(from, to).expect("copies");
    fs::copy(log(from), log(to)).expect("copies");
    before.is_some() && before == salt()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_log_that_has_grown_is_made_to_start_again() {
    let database = Database::new();
    let log_bytes_max = 256 << 10;
    let store = database.open_with(&SqliteOptions { log_bytes_max, ..SqliteOptions::default() });
    seed(&*store).await;
    let acknowledged = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..8)
        .map(|n| {
            let acknowledged = Arc::clone(&acknowledged);
            tokio::spawn(commit_on_and_on(store.clone(), n, acknowledged, stop.clone()))
        })
        .collect();
    let deadline = tokio::time::timeout(core::time::Duration::from_mins(5), async {
        while store.stats().log_restarts < 2 {
            tokio::task::yield_now().await;
        }
    });
    deadline.await.expect("the checkpointer looks four times a second");
    stop.store(true, Relaxed);
    for task in load {
        task.await.expect("no panic");
    }
    let units = acknowledged.lock().expect("not poisoned").clone();
    assert_units_are_whole(&store, &units).await;
    write(&*store, 0, claimed(number(99), ClaimPhase::Unverified)).await.expect("goes on");
    assert_eq!(verified_chain(&store).await.len(), units.len());
}

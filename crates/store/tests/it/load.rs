//! Many callers at once.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use registration::{NumberRecord, TextId as _, Timestamp, WabaId};
use rusqlite::Connection;
use service::ports::{
    AuditQuery, CallbackQuery, ClaimMoment, ClaimQuery, CommitError, EntityKind, EntityWrite,
    LiveProofs, NumberQuery, NumberWrite, SendQuery, Store, Unit,
};
use service::testing::store_contract::sample::{number, seed, space, waba};
use store::SqliteOptions;

use crate::Database;

fn new_number(n: u64) -> Unit {
    let numbers = vec![NumberWrite { expected: 0, record: NumberRecord::absent(number(n)) }];
    Unit { numbers, ..Unit::default() }
}

#[tokio::test]
async fn a_full_queue_refuses_instead_of_growing() {
    let database = Database::new();
    let options = SqliteOptions { queue_max: 3, ..SqliteOptions::default() };
    let store = database.open_with(&options);
    // Somebody else's transaction keeps the writer waiting.
    let other = Connection::open(database.path()).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("begins");
    let commits: Vec<_> = (0..10)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(new_number(n)).await })
        })
        .collect();
    let mut waiting = Vec::new();
    let mut refused = 0;
    for (n, commit) in commits.into_iter().enumerate() {
        // The writer holds one at most and the queue three: the others are refused.
        if n < 4 {
            waiting.push(commit);
            continue;
        }
        let outcome = commit.await.expect("no panic");
        refused += usize::from(matches!(outcome, Err(CommitError::Unavailable(_))));
    }
    assert_eq!(refused, 6);
    other.execute_batch("ROLLBACK").expect("ends");
    let mut stored = 0;
    for commit in waiting {
        stored += usize::from(commit.await.expect("no panic").is_ok());
    }
    assert!(stored >= 3, "what was in the queue is done: {stored}");
}

#[tokio::test]
async fn commits_that_wait_share_a_transaction_and_reads_wait_for_none() {
    let database = Database::new();
    let store = database.open();
    let other = Connection::open(database.path()).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("begins");
    let commits: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(new_number(n)).await })
        })
        .collect();
    // With one thread, all fifty have run up to their first wait before this goes on.
    tokio::task::yield_now().await;
    assert_eq!(store.number(number(1)).await.expect("readable"), None);
    other.execute_batch("ROLLBACK").expect("ends");
    for commit in commits {
        commit.await.expect("no panic").expect("new");
    }
    let stats = store.stats();
    assert_eq!((stats.units, stats.transactions), (50, 1));
    assert!(stats.committing <= stats.busy, "{stats:?}");
}

/// Numbers that readers and writers fight for in the next test.
const CONTESTED: usize = 4;

/// Raises the version of contested numbers, one after another, and notes each acknowledged version.
async fn write(store: &dyn Store, seen: &[AtomicU64]) {
    for turn in 0..200 {
        let n = turn % CONTESTED;
        let stored = store.number(number(n as u64)).await.expect("readable").expect("stored");
        let mut record = stored.value;
        record.budgets.failed_in_a_row += 1;
        let numbers = vec![NumberWrite { expected: stored.version, record }];
        match store.commit(Unit { numbers, ..Unit::default() }).await {
            Ok(()) => drop(seen[n].fetch_max(stored.version + 1, SeqCst)),
            Err(CommitError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_read_is_older_than_a_commit_that_returned_before_it() {
    let database = Database::new();
    let store = database.open();
    for n in 0..CONTESTED {
        store.commit(new_number(n as u64)).await.expect("new");
    }
    let seen: Arc<Vec<AtomicU64>> = Arc::new((0..CONTESTED).map(|_| AtomicU64::new(1)).collect());
    let writers: Vec<_> = (0..3)
        .map(|_| {
            let (store, seen) = (store.clone(), seen.clone());
            tokio::spawn(async move { write(&*store, &seen).await })
        })
        .collect();
    let mut reads = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        for n in 0..CONTESTED {
            let known = seen[n].load(SeqCst);
            let read = store.number(number(n as u64)).await.expect("readable").expect("stored");
            assert!(read.version >= known, "read {} after {known} was acknowledged", read.version);
            let counted = u64::from(read.value.budgets.failed_in_a_row);
            assert_eq!(read.version, counted + 1, "record and version belong together");
            reads += 1;
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.expect("no panic");
    }
    assert!(reads > 0);
}

/// Runs a test that asks [`is_done_at_once`].
fn with_one_other_thread(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().max_blocking_threads(1).build().expect("a runtime").block_on(test);
}

/// Whether a read is done when it is first asked for, while the one other thread has something else to do: then it
/// was done on this thread.
async fn is_done_at_once(read: impl Future) -> bool {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let busy = tokio::task::spawn_blocking(move || wait.recv());
    let at_once = tokio::select! {
        biased;
        _ = read => true,
        () = std::future::ready(()) => false,
    };
    drop(done);
    assert!(busy.await.expect("no panic").is_err());
    at_once
}

macro_rules! elsewhere {
    ($($read:expr),+ $(,)?) => {$(
        assert!(!is_done_at_once($read).await, "{} held up this thread", stringify!($read));
    )+};
}

#[test]
fn lists_and_counts_are_read_on_a_thread_that_serves_nobody() {
    with_one_other_thread(async {
        let database = Database::new();
        let store = database.open();
        let waba = WabaId::parse("102290129340398").expect("an id");
        let claims = ClaimQuery {
            waba: waba.clone(),
            by: ClaimMoment::Added,
            ascending: true,
            behind: None,
            limit: 1,
        };
        let live =
            LiveProofs { codes_after: Timestamp::default(), verified_after: Timestamp::default() };
        elsewhere!(
            store.numbers(&NumberQuery { limit: 1, ..NumberQuery::default() }),
            store.claimed(&claims),
            store.claim_count(&waba),
            store.number_counts(live),
            store.audit(&AuditQuery { limit: 1, ..AuditQuery::default() }),
            store.sends(&SendQuery { limit: 1, ..SendQuery::default() }),
            store.callbacks(&CallbackQuery { limit: 1, ..CallbackQuery::default() }),
            store.budgets("account-day/"),
            store.entities(EntityKind::Document, None, None, 1),
        );
    });
}

#[test]
fn a_long_list_of_the_directory_holds_up_nobody_and_a_short_one_waits_for_nobody() {
    with_one_other_thread(async {
        let database = Database::new();
        let store = database.open();
        seed(&*store).await;
        let space = space("default").key();
        let list = |limit| store.entities(EntityKind::Waba, Some(&space), None, limit);
        assert!(is_done_at_once(list(500)).await, "a space has few WABAs");
        let names: Vec<_> = (0..50).map(|n| format!("waba-{n:02}")).collect();
        let put = |name: &String| EntityWrite::Put { expected: 0, entity: waba(name) };
        let entities = names.iter().map(put).collect();
        store.commit(Unit { entities, ..Unit::default() }).await.expect("new");
        elsewhere!(list(500));
        for (limit, read) in [(500, 52), (30, 30), (1, 1)] {
            let found = list(limit).await.expect("readable");
            assert_eq!(found.len(), read, "the whole list, and each part of it once");
        }
    });
}

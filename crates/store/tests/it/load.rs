//! Many callers at once.

use registration::NumberRecord;
use rusqlite::Connection;
use service::ports::{CommitError, NumberWrite, Store, Unit};
use service::testing::store_contract::sample::number;
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

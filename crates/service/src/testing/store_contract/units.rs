//! Compare-and-set, all or nothing.

use core::time::Duration;
use std::sync::Arc;

use registration::{ClaimPhase, NumberRecord};

use super::sample::{
    account, at, awaiting, callback, claimed, commit, commit_in_parallel, event, is_conflict,
    number, once, put_all, seed, send, spend, take, write,
};
use crate::ports::{
    AuditQuery, CommitError, EntityRef, EntityWrite, NumberWrite, SendQuery, Store, Subject, Unit,
};

pub async fn a_write_on_an_old_version_is_a_conflict(store: Arc<dyn Store>) {
    let record = NumberRecord::absent(number(1));
    let one_failure = || {
        let mut record = NumberRecord::absent(number(1));
        record.budgets.failed_in_a_row = 1;
        record
    };
    assert!(is_conflict(&write(&*store, 1, record.clone()).await), "not there yet");
    write(&*store, 0, record.clone()).await.expect("new");
    assert!(is_conflict(&write(&*store, 0, record.clone()).await), "there already");
    write(&*store, 1, one_failure()).await.expect("version 1");
    assert!(is_conflict(&write(&*store, 1, record.clone()).await), "version 2 by now");
    assert!(is_conflict(&write(&*store, 3, record).await), "a version yet to come");
    let stored = store.number(number(1)).await.expect("store").expect("there");
    assert_eq!((stored.version, stored.value), (2, one_failure()));
}

pub async fn one_of_many_racing_writers_wins(store: Arc<dyn Store>) {
    for version in 0..5 {
        let unit = |failures| {
            let mut record = NumberRecord::absent(number(1));
            record.budgets.failed_in_a_row = failures;
            Unit { numbers: vec![NumberWrite { expected: version, record }], ..Unit::default() }
        };
        let outcomes = commit_in_parallel(&store, (0..32).map(unit).collect()).await;
        let winners: Vec<_> = (0..).zip(&outcomes).filter(|(_, it)| it.is_ok()).collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(outcomes.iter().filter(|it| is_conflict(it)).count(), 31);
        let stored = store.number(number(1)).await.expect("store").expect("there");
        assert_eq!(stored.value.budgets.failed_in_a_row, winners[0].0);
        assert_eq!(stored.version, version + 1);
    }
}

pub async fn a_conflict_does_not_harm_its_neighbours(store: Arc<dyn Store>) {
    // Conflicts of each kind, spread among units that are fine.
    let unit = |n: u64| {
        let record = NumberRecord::absent(number(n));
        let mut unit = Unit { events: vec![event(n.into(), Subject::System)], ..Unit::default() };
        match n % 4 {
            1 => unit.numbers.push(NumberWrite { expected: 7, record }),
            3 => unit.numbers.push(NumberWrite {
                expected: 0,
                record: claimed(number(n), ClaimPhase::Unverified),
            }),
            _ => unit.numbers.push(NumberWrite { expected: 0, record }),
        }
        unit
    };
    let outcomes = commit_in_parallel(&store, (0..64).map(unit).collect()).await;
    for (n, outcome) in (0..).zip(outcomes) {
        let stored = store.number(number(n)).await.expect("store");
        assert_eq!(stored.is_some(), n % 2 == 0, "number {n}: {outcome:?}");
        assert_eq!(is_conflict(&outcome), n % 2 == 1, "number {n}: {outcome:?}");
    }
    let events = store.audit(&AuditQuery { limit: 99, ..AuditQuery::default() }).await;
    assert_eq!(events.expect("store").len(), 32);
}

pub async fn a_conflict_leaves_nothing_of_its_unit(store: Arc<dyn Store>) {
    seed(&*store).await;
    write(&*store, 0, NumberRecord::absent(number(1))).await.expect("new");
    let mut unit = everything(&[]);
    unit.numbers.push(NumberWrite { expected: 0, record: NumberRecord::absent(number(1)) });
    assert!(is_conflict(&commit(&*store, unit).await));
    assert_untouched(&*store).await;
    commit(&*store, everything(&["a", "b"])).await.expect("nothing of it was there before");
}

pub async fn a_throttled_unit_leaves_nothing(store: Arc<dyn Store>) {
    seed(&*store).await;
    let one = |key| Unit { takes: vec![allowance(key)], ..Unit::default() };
    commit(&*store, one("b")).await.expect("a fresh allowance");
    let refused = commit(&*store, everything(&["a", "b"])).await;
    let Err(CommitError::Throttled { key, opens_at }) = refused else { panic!("{refused:?}") };
    assert_eq!((key.as_str(), opens_at), ("b", at(61_000)));
    assert_untouched(&*store).await;
    commit(&*store, one("a")).await.expect("the refused unit did not pay");
}

pub async fn ids_of_sends_are_used_once(store: Arc<dyn Store>) {
    let with_send = |n| Unit { sends: vec![send(n, number(1), 0)], ..Unit::default() };
    commit(&*store, with_send(1)).await.expect("new");
    assert!(is_conflict(&commit(&*store, with_send(1)).await));
    let mut twice = with_send(2);
    twice.sends.push(send(2, number(1), 0));
    assert!(is_conflict(&commit(&*store, twice).await));
    commit(&*store, with_send(2)).await.expect("the refused unit did not use it");
}

fn allowance(key: &str) -> crate::ports::Take {
    take(key, Duration::from_mins(1), 1, at(1_000))
}

/// A unit with one of everything.
fn everything(takes: &[&str]) -> Unit {
    let record = claimed(number(2), awaiting(Some("client-1"), 5));
    Unit {
        numbers: vec![NumberWrite { expected: 0, record }],
        entities: vec![EntityWrite::Put { expected: 0, entity: account("other") }],
        takes: takes.iter().map(|key| allowance(key)).collect(),
        once: vec![once("all/1", 60_000)],
        spends: vec![spend("all", 1, 9)],
        confirmed: Vec::new(),
        forgive: Vec::new(),
        events: vec![event(9, Subject::Number(number(2)))],
        sends: vec![send(9, number(2), 0)],
        callbacks: vec![callback(9, 0)],
    }
}

async fn assert_untouched(store: &dyn Store) {
    let audit = AuditQuery { limit: 9, ..AuditQuery::default() };
    let sends = SendQuery { limit: 9, ..SendQuery::default() };
    let other = EntityRef::account(&super::sample::id("other"));
    assert_eq!(store.number(number(2)).await.expect("store"), None);
    assert_eq!(store.entity(&other).await.expect("store"), None);
    assert_eq!(store.audit(&audit).await.expect("store"), []);
    assert_eq!(store.sends(&sends).await.expect("store"), []);
    assert_eq!(store.budgets("").await.expect("store"), []);
    // The rows that only serve look-ups are gone as well.
    let pending = crate::ports::NumberKey::PendingFor(super::sample::id("client-1"));
    assert_eq!(store.find_number(&pending).await.expect("store"), None);
    put_all(store, vec![]).await.expect("the store goes on");
}

//! What may happen once.

use std::sync::Arc;

use super::sample::{account, at, commit, commit_in_parallel, event, id, once};
use crate::ports::{AuditQuery, CommitError, EntityRef, EntityWrite, Store, Subject, Unit};

fn unit(key: &str) -> Unit {
    Unit { once: vec![once(key, 60_000)], ..Unit::default() }
}

/// The key that was used already; `None` if the unit passed.
fn repeated(outcome: Result<(), CommitError>) -> Option<String> {
    match outcome {
        Ok(()) => None,
        Err(CommitError::Repeated { key }) => Some(key),
        Err(other) => panic!("{other}"),
    }
}

pub async fn a_key_for_once_is_taken_once(store: Arc<dyn Store>) {
    assert_eq!(repeated(commit(&*store, unit("cams/a/1")).await), None);
    assert_eq!(repeated(commit(&*store, unit("cams/a/1")).await), Some("cams/a/1".into()));
    for other in ["cams/a/2", "cams/b/1", "CAMS/A/1"] {
        assert_eq!(repeated(commit(&*store, unit(other)).await), None, "{other}");
    }
    let twice = Unit { once: vec![once("x", 1), once("x", 2)], ..Unit::default() };
    assert_eq!(repeated(commit(&*store, twice).await), Some("x".into()));
    assert_eq!(repeated(commit(&*store, unit("x")).await), None, "the refused unit left it free");
}

pub async fn one_of_many_racing_for_a_key_wins(store: Arc<dyn Store>) {
    for round in 0..5 {
        let key = format!("cams/a/{round}");
        let outcomes = commit_in_parallel(&store, vec![unit(&key); 32]).await;
        let won = outcomes.into_iter().map(repeated).filter(Option::is_none).count();
        assert_eq!(won, 1);
    }
}

pub async fn a_repeated_unit_leaves_nothing(store: Arc<dyn Store>) {
    commit(&*store, unit("taken")).await.expect("new");
    let everything = || Unit {
        entities: vec![EntityWrite::Put { expected: 0, entity: account("other") }],
        events: vec![event(1, Subject::System)],
        once: vec![once("free", 60_000)],
        ..Unit::default()
    };
    let mut refused = everything();
    refused.once.push(once("taken", 60_000));
    assert_eq!(repeated(commit(&*store, refused).await), Some("taken".into()));
    let other = EntityRef::account(&id("other"));
    assert_eq!(store.entity(&other).await.expect("store"), None);
    let audit = AuditQuery { limit: 9, ..AuditQuery::default() };
    assert_eq!(store.audit(&audit).await.expect("store"), []);
    assert_eq!(repeated(commit(&*store, everything()).await), None);
}

pub async fn a_key_is_remembered_until_it_is_swept_in_its_time(store: Arc<dyn Store>) {
    let many = (0..1_200).map(|n| once(&format!("old/{n}"), 1_000)).collect();
    let unit_of = |once| Unit { once, ..Unit::default() };
    commit(&*store, unit_of(many)).await.expect("new");
    commit(&*store, unit_of(vec![once("young", 1_001)])).await.expect("new");
    store.sweep(at(999)).await.expect("store");
    assert_eq!(repeated(commit(&*store, unit("old/0")).await), Some("old/0".into()));
    store.sweep(at(1_000)).await.expect("store");
    for n in [0, 1_199] {
        assert_eq!(repeated(commit(&*store, unit(&format!("old/{n}"))).await), None);
    }
    assert_eq!(repeated(commit(&*store, unit("young")).await), Some("young".into()));
}

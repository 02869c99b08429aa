//! The generic cell rate algorithm of `Take`.

use core::time::Duration;
use std::sync::Arc;

use registration::Timestamp;

use super::sample::{at, commit, commit_in_parallel, take};
use crate::ports::{CommitError, Store, Take, Unit};

fn unit(takes: Vec<Take>) -> Unit {
    Unit { takes, ..Unit::default() }
}

/// When the allowance opens; `None` if the take passed.
async fn opens_at(store: &dyn Store, takes: Vec<Take>) -> Option<Timestamp> {
    match commit(store, unit(takes)).await {
        Ok(()) => None,
        Err(CommitError::Throttled { opens_at, .. }) => Some(opens_at),
        Err(other) => panic!("{other}"),
    }
}

pub async fn an_allowance_is_exact_under_parallel_takes(store: Arc<dyn Store>) {
    let now = at(50_000);
    let second = Duration::from_secs(1);
    let units = (0..64).map(|_| unit(vec![take("many", second, 10, now)])).collect();
    let outcomes = commit_in_parallel(&store, units).await;
    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 10);
    for outcome in outcomes.into_iter().filter_map(Result::err) {
        let CommitError::Throttled { key, opens_at } = outcome else { panic!("{outcome}") };
        assert_eq!((key.as_str(), opens_at), ("many", now + second));
    }
    assert_eq!(opens_at(&*store, vec![take("one", second, 10, now)]).await, None, "another key");
}

pub async fn an_allowance_earns_its_requests_back_one_by_one(store: Arc<dyn Store>) {
    // Three a second: an interval that milliseconds cannot hold.
    let third = Duration::from_secs(1) / 3;
    let try_at = |ms| opens_at(&*store, vec![take("a", third, 2, at(ms))]);
    for (ms, opens) in [
        (0, None),
        (0, None),
        (0, Some(334)),
        (333, Some(334)),
        (334, None),
        (334, Some(667)),
        (667, None),
        // A rest earns back the burst and no more.
        (9_000, None),
        (9_000, None),
        (9_000, Some(9_334)),
    ] {
        assert_eq!(try_at(ms).await, opens.map(at), "at {ms} ms");
    }
}

pub async fn a_unit_pays_for_each_of_its_takes_or_for_none(store: Arc<dyn Store>) {
    let one = || take("a", Duration::from_secs(1), 3, at(0));
    assert_eq!(opens_at(&*store, vec![one(), one()]).await, None);
    assert_eq!(opens_at(&*store, vec![one(), one()]).await, Some(at(1_000)), "one is left");
    assert_eq!(opens_at(&*store, vec![one()]).await, None, "and stays left");
    assert_eq!(opens_at(&*store, vec![one()]).await, Some(at(1_000)));
}

pub async fn a_forgiven_allowance_is_whole_again(store: Arc<dyn Store>) {
    let now = at(50_000);
    let try_once = || opens_at(&*store, vec![take("a", Duration::from_mins(1), 1, now)]);
    assert_eq!(try_once().await, None);
    assert!(try_once().await.is_some());
    let forgive = vec!["a".to_owned(), "never-used".to_owned()];
    commit(&*store, Unit { forgive, ..Unit::default() }).await.expect("forgiven");
    assert_eq!(try_once().await, None);
}

pub async fn a_clock_turned_back_does_not_lock_an_allowance(store: Arc<dyn Store>) {
    let minute = Duration::from_mins(1);
    assert_eq!(opens_at(&*store, vec![take("a", minute, 1, at(500_000_000))]).await, None);
    let opens = opens_at(&*store, vec![take("a", minute, 1, at(0))]).await;
    assert_eq!(opens, Some(at(0) + minute), "waits for one interval, not for the difference");
}

//! Budgets of money.

use std::sync::Arc;

use super::sample::{at, commit, commit_in_parallel, event, number, send, spend};
use crate::ports::{
    Budget, CommitError, SendId, SendReport, SendState, Settlement, Spend, Store, Subject, Unit,
};

fn unit(spends: Vec<Spend>) -> Unit {
    Unit { spends, ..Unit::default() }
}

async fn spent(store: &dyn Store, key: &str) -> Option<(u64, u64)> {
    let found = store.budgets(key).await.expect("store");
    found.first().map(|it| (it.spent, it.would_refuse))
}

pub async fn a_budget_is_spent_to_its_limit_under_parallel_orders(store: Arc<dyn Store>) {
    let units = (0..64).map(|_| unit(vec![spend("day/a", 30, 1_000)])).collect();
    let outcomes = commit_in_parallel(&store, units).await;
    assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 33, "33 times 30 are 990");
    for outcome in outcomes.into_iter().filter_map(Result::err) {
        let CommitError::Overspent { key, resets_at } = outcome else { panic!("{outcome}") };
        assert_eq!((key.as_str(), resets_at), ("day/a", at(9_000)));
    }
    assert_eq!(spent(&*store, "day/a").await, Some((990, 0)));
    commit(&*store, unit(vec![spend("day/a", 10, 1_000)])).await.expect("exactly the rest");
    assert_eq!(spent(&*store, "day/a").await, Some((1_000, 0)));
}

pub async fn an_overspent_unit_leaves_nothing(store: Arc<dyn Store>) {
    let overspent = Unit {
        sends: vec![send(1, number(1), 0)],
        events: vec![event(1, Subject::System)],
        ..unit(vec![spend("day/a", 10, 100), spend("hour/49", 10, 9)])
    };
    let refused = commit(&*store, overspent).await;
    assert!(matches!(refused, Err(CommitError::Overspent { .. })), "{refused:?}");
    assert_eq!(store.budgets("").await.expect("store"), []);
    assert_eq!(
        store
            .sends(&crate::ports::SendQuery { limit: 9, ..Default::default() })
            .await
            .expect("store"),
        []
    );
}

pub async fn one_unit_can_draw_twice_from_a_budget(store: Arc<dyn Store>) {
    let twice = |limit| unit(vec![spend("day/a", 10, limit), spend("day/a", 10, limit)]);
    assert!(commit(&*store, twice(19)).await.is_err());
    assert_eq!(spent(&*store, "day/a").await, None);
    commit(&*store, twice(20)).await.expect("both");
    assert_eq!(spent(&*store, "day/a").await, Some((20, 0)));
}

pub async fn a_budget_that_only_watches_counts_what_it_would_have_refused(store: Arc<dyn Store>) {
    let watching = || Spend { enforced: false, ..spend("day/a", 40, 100) };
    for _ in 0..5 {
        commit(&*store, unit(vec![watching()])).await.expect("never refused");
    }
    assert_eq!(spent(&*store, "day/a").await, Some((80, 3)));
}

pub async fn what_a_send_costs_in_the_end_is_settled_once(store: Arc<dyn Store>) {
    let mut first = send(1, number(1), 0);
    first.charged = 50;
    first.budgets = vec!["day/a".into(), "hour/49".into()];
    let spends = vec![spend("day/a", 50, 100), spend("hour/49", 50, 100)];
    commit(&*store, Unit { sends: vec![first], ..unit(spends) }).await.expect("new");
    let settle = |state, charged| {
        let budgets = vec!["day/a".into(), "hour/49".into(), "gone".into()];
        let settled = Some(Settlement { charged, budgets });
        SendReport { settled, ..SendReport::new(SendId(1), state) }
    };
    let failed = || SendState::Failed { at: at(5), reason: String::new() };
    let taken = || SendState::HandedOver { at: at(6) };
    // Failed twice, then an acknowledgement that overrides it, twice, then a late failure.
    for (report, left) in [
        (settle(failed(), 0), 0),
        (settle(failed(), 0), 0),
        (settle(taken(), 30), 30),
        (settle(taken(), 10), 30),
        (settle(failed(), 0), 30),
    ] {
        store.report_sends(vec![report]).await.expect("store");
        assert_eq!(spent(&*store, "day/a").await, Some((left, 0)));
        assert_eq!(spent(&*store, "hour/49").await, Some((left, 0)));
    }
}

pub async fn budgets_are_listed_by_their_beginning_and_swept_when_they_start_anew(
    store: Arc<dyn Store>,
) {
    let until = |key: &str, end| Spend { resets_at: at(end), ..spend(key, 1, 9) };
    let spends = vec![until("day/b", 100), until("day/a", 200), until("dayx", 200)];
    commit(&*store, unit(spends)).await.expect("new");
    let keys = async |prefix| -> Vec<String> {
        let found: Vec<Budget> = store.budgets(prefix).await.expect("store");
        found.into_iter().map(|it| it.key).collect()
    };
    assert_eq!(keys("day/").await, ["day/a", "day/b"]);
    store.sweep(at(100)).await.expect("store");
    assert_eq!(keys("").await, ["day/a", "dayx"]);
}

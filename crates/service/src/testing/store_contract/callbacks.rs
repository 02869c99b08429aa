//! The outbox of callbacks and the workers that share it.

use std::collections::BTreeSet;
use std::sync::Arc;

use registration::NumberRecord;

use super::sample::{at, callback, commit, id, is_conflict, number};
use crate::ports::{
    CALLBACKS_KEPT, Callback, CallbackId, CallbackQuery, CallbackReport, CallbackState,
    NumberWrite, Store, Unit,
};

async fn enter(store: &dyn Store, callbacks: Vec<Callback>) {
    commit(store, Unit { callbacks, ..Unit::default() }).await.expect("new callbacks");
}

async fn claim(store: &dyn Store, now: i64, until: i64, limit: usize) -> Vec<Callback> {
    store.claim_callbacks(at(now), at(until), limit).await.expect("store")
}

async fn all(store: &dyn Store) -> Vec<Callback> {
    store.callbacks(&CallbackQuery { limit: 999, ..CallbackQuery::default() }).await.expect("store")
}

fn ids(callbacks: &[Callback]) -> Vec<u128> {
    callbacks.iter().map(|it| it.id.0).collect()
}

pub async fn every_field_of_a_callback_is_kept(store: Arc<dyn Store>) {
    let states = [
        CallbackState::Due { at: at(1) },
        CallbackState::Claimed { until: at(2) },
        CallbackState::Delivered { at: at(3) },
        CallbackState::Failed { at: at(4) },
    ];
    let full = (1..).zip(states).map(|(n, state)| Callback {
        state,
        attempt: u32::MAX,
        note: Some("503 \"busy\"".into()),
        decided_at: at(-5),
        ..callback(n << 100, 0)
    });
    let full: Vec<_> = full.collect();
    enter(&*store, full.clone()).await;
    assert_eq!(all(&*store).await, full.into_iter().rev().collect::<Vec<_>>());
}

pub async fn due_callbacks_are_leased_longest_due_first(store: Arc<dyn Store>) {
    let entered = [(3, 30), (1, 10), (5, 500), (2, 20)];
    enter(&*store, entered.map(|(n, due)| callback(n, due)).to_vec()).await;
    assert_eq!(ids(&claim(&*store, 9, 99, 9).await), [0; 0], "nothing is due");
    let leased = claim(&*store, 100, 200, 2).await;
    assert_eq!(ids(&leased), [1, 2]);
    assert!(leased.iter().all(|it| it.attempt == 1));
    assert!(leased.iter().all(|it| it.state == CallbackState::Claimed { until: at(200) }));
    assert_eq!(ids(&claim(&*store, 199, 300, 9).await), [3], "the others are leased");
    assert_eq!(ids(&claim(&*store, 200, 400, 9).await), [1, 2], "the lease has passed");
    assert_eq!(ids(&claim(&*store, 9_000, 9_999, 9).await), [3, 1, 2, 5]);
}

pub async fn a_callback_is_leased_to_one_worker_at_a_time(store: Arc<dyn Store>) {
    enter(&*store, (0..60).map(|n| callback(n, 0)).collect()).await;
    let worker = || {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let leased = store.claim_callbacks(at(1), at(2), 7).await.expect("store");
                if leased.is_empty() {
                    return mine;
                }
                mine.extend(ids(&leased));
            }
        })
    };
    let workers: Vec<_> = (0..6).map(|_| worker()).collect();
    let mut leased = Vec::new();
    for worker in workers {
        leased.extend(worker.await.expect("no panic"));
    }
    assert_eq!(leased.len(), 60);
    assert_eq!(leased.into_iter().collect::<BTreeSet<_>>().len(), 60);
}

pub async fn what_is_done_stays_done(store: Arc<dyn Store>) {
    let report = |n, state, note: &str| CallbackReport {
        id: CallbackId(n),
        state,
        note: Some(note.to_owned()),
    };
    enter(&*store, vec![callback(1, 0), callback(2, 0)]).await;
    claim(&*store, 1, 50, 9).await;
    let first = vec![
        report(1, CallbackState::Delivered { at: at(2) }, "200"),
        report(2, CallbackState::Due { at: at(9) }, "503"),
        report(3, CallbackState::Failed { at: at(2) }, "nobody's"),
    ];
    store.report_callbacks(first).await.expect("store");
    let late = vec![
        report(1, CallbackState::Due { at: at(3) }, "late"),
        report(2, CallbackState::Failed { at: at(4) }, "gone"),
    ];
    store.report_callbacks(late).await.expect("store");
    let [two, one] = &all(&*store).await[..] else { panic!("two") };
    assert_eq!(one.state, CallbackState::Delivered { at: at(2) });
    assert_eq!(one.note.as_deref(), Some("200"));
    assert_eq!(two.state, CallbackState::Failed { at: at(4) });
    assert_eq!(two.note.as_deref(), Some("gone"));
    assert_eq!(ids(&claim(&*store, 999, 9_999, 9).await), [0; 0]);
}

pub async fn a_refused_unit_enters_no_callback(store: Arc<dyn Store>) {
    let record = NumberRecord::absent(number(1));
    let numbers = vec![NumberWrite { expected: 7, record }];
    let callbacks = vec![callback(1, 0)];
    assert!(is_conflict(&commit(&*store, Unit { numbers, callbacks, ..Unit::default() }).await));
    assert_eq!(all(&*store).await, []);
    enter(&*store, vec![callback(1, 0)]).await;
    let again = Unit { callbacks: vec![callback(1, 0)], ..Unit::default() };
    assert!(is_conflict(&commit(&*store, again).await), "an id is used once");
    let twice = Unit { callbacks: vec![callback(2, 0), callback(2, 0)], ..Unit::default() };
    assert!(is_conflict(&commit(&*store, twice).await));
    assert_eq!(ids(&all(&*store).await), [1]);
}

pub async fn callbacks_are_paged_newest_first(store: Arc<dyn Store>) {
    let mut entered: Vec<_> = (1..=5).map(|n| callback(n, 0)).collect();
    entered[1].account = id("other");
    entered[2].webhook = "graph/waba/1".into();
    entered[4].id = CallbackId(1 << 100);
    enter(&*store, entered).await;
    let page = async |query: CallbackQuery| ids(&store.callbacks(&query).await.expect("store"));
    let every = CallbackQuery { limit: 99, ..CallbackQuery::default() };
    assert_eq!(page(every.clone()).await, [1 << 100, 4, 3, 2, 1]);
    assert_eq!(page(CallbackQuery { limit: 2, ..every.clone() }).await, [1 << 100, 4]);
    let before = CallbackQuery { before: Some(CallbackId(3)), ..every.clone() };
    assert_eq!(page(before).await, [2, 1]);
    assert_eq!(page(CallbackQuery { account: Some(id("other")), ..every.clone() }).await, [2]);
    let webhook = Some("graph/waba/1".into());
    assert_eq!(page(CallbackQuery { webhook, ..every }).await, [3]);
}

pub async fn a_sweep_forgets_callbacks_done_long_ago(store: Arc<dyn Store>) {
    let done = |n, state| Callback { state, ..callback(n, 0) };
    let callbacks = vec![
        done(1, CallbackState::Delivered { at: at(10) }),
        done(2, CallbackState::Failed { at: at(11) }),
        done(3, CallbackState::Delivered { at: at(12) }),
        done(4, CallbackState::Claimed { until: at(0) }),
        callback(5, 0),
    ];
    enter(&*store, callbacks).await;
    store.sweep(at(11) + CALLBACKS_KEPT).await.expect("store");
    assert_eq!(ids(&all(&*store).await), [5, 4, 3]);
}

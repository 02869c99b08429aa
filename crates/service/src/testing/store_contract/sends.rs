//! The ledger of sends and the workers that share it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::sample::{at, commit, id, number, send};
use crate::ports::{Send, SendId, SendQuery, SendReport, SendState, Store, Unit};

async fn enter(store: &dyn Store, sends: Vec<Send>) {
    commit(store, Unit { sends, ..Unit::default() }).await.expect("new sends");
}

async fn claim(store: &dyn Store, now: i64, until: i64, limit: usize) -> Vec<Send> {
    store.claim_sends(at(now), at(until), limit).await.expect("store")
}

fn ids(sends: &[Send]) -> Vec<u128> {
    sends.iter().map(|send| send.id.0).collect()
}

pub async fn due_sends_are_leased_oldest_first(store: Arc<dyn Store>) {
    // Entered out of order; 5 is not due before 500.
    let sends = [(3, 30), (1, 10), (5, 500), (2, 20), (4, 40)];
    enter(&*store, sends.map(|(n, due)| send(n, number(1), due)).to_vec()).await;
    assert_eq!(ids(&claim(&*store, 9, 99, 9).await), [0; 0], "nothing is due");
    let leased = claim(&*store, 100, 200, 2).await;
    let expected = [1, 2].map(|n| Send {
        state: SendState::Claimed { until: at(200) },
        attempt: 1,
        ..send(n, number(1), i64::try_from(n * 10).expect("small"))
    });
    assert_eq!(leased, expected);
    assert_eq!(ids(&claim(&*store, 100, 300, 9).await), [3, 4], "the others");
    assert_eq!(ids(&claim(&*store, 199, 300, 9).await), [0; 0], "all are leased");
    let again = claim(&*store, 200, 400, 9).await;
    assert_eq!(ids(&again), [1, 2], "the lease has passed");
    assert!(again.iter().all(|send| send.attempt == 2));
    assert_eq!(ids(&claim(&*store, 9_000, 9_999, 9).await), [3, 4, 1, 2, 5], "longest due first");
    let query = SendQuery { id: Some(SendId(1)), limit: 1, ..SendQuery::default() };
    assert_eq!(store.sends(&query).await.expect("store")[0].attempt, 3);
}

pub async fn a_send_is_leased_to_one_worker_at_a_time(store: Arc<dyn Store>) {
    enter(&*store, (0..100).map(|n| send(n, number(1), 0)).collect()).await;
    let worker = || {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let leased = store.claim_sends(at(1), at(2), 7).await.expect("store");
                if leased.is_empty() {
                    return mine;
                }
                mine.extend(ids(&leased));
            }
        })
    };
    let workers: Vec<_> = (0..8).map(|_| worker()).collect();
    let mut leased = Vec::new();
    for worker in workers {
        leased.extend(worker.await.expect("no panic"));
    }
    assert_eq!(leased.len(), 100);
    assert_eq!(leased.into_iter().collect::<BTreeSet<_>>().len(), 100);
}

pub async fn a_report_never_moves_a_send_backwards(store: Arc<dyn Store>) {
    let states = [
        SendState::Decided { due_at: at(1) },
        SendState::Claimed { until: at(2) },
        SendState::HandedOver { at: at(3) },
        SendState::Delivered { at: at(4) },
        SendState::Failed { at: at(5), reason: "blocked".into() },
    ];
    // Row: where the send stands. Column: what is reported.
    let moves = [
        [true, true, true, true, true],
        [true, true, true, true, true],
        [false, false, false, true, true],
        [false, false, false, false, false],
        [false, false, false, false, false],
    ];
    let report = |id, state: &SendState, by: Option<&str>| SendReport {
        id,
        state: state.clone(),
        sender: by.map(str::to_owned),
        provider_id: by.map(|by| format!("{by}-id")),
    };
    let mut n = 0;
    for (from, row) in states.iter().zip(moves) {
        for (to, moves) in states.iter().zip(row) {
            n += 1;
            let first = Send { state: from.clone(), ..send(n, number(1), 0) };
            let id = first.id;
            enter(&*store, vec![first]).await;
            let reports = vec![report(id, to, Some("smpp")), report(SendId(9_999), to, None)];
            store.report_sends(reports).await.expect("store");
            let query = SendQuery { id: Some(id), limit: 1, ..SendQuery::default() };
            let stored = store.sends(&query).await.expect("store").remove(0);
            assert_eq!(stored.state, if moves { to.clone() } else { from.clone() });
            let sender = moves.then_some("smpp");
            assert_eq!(stored.sender.as_deref(), sender, "{from:?} to {to:?}");
            // Who had it stays known when a later report does not say.
            store.report_sends(vec![report(id, &states[3], None)]).await.expect("store");
            let stored = store.sends(&query).await.expect("store").remove(0);
            assert_eq!(stored.sender.as_deref(), sender);
            assert_eq!(stored.provider_id.as_deref(), moves.then_some("smpp-id"));
        }
    }
}

pub async fn the_ledger_is_paged_newest_first(store: Arc<dyn Store>) {
    let mut sends: Vec<_> = (1..=6).map(|n| send(n, number(1), 0)).collect();
    sends[1].number = number(2);
    sends[2].account = id("other");
    sends[3].sender = Some("smpp".into());
    // Ids order as numbers, beyond 64 bits too.
    sends[5].id = SendId(1 << 100);
    enter(&*store, sends.clone()).await;
    let page = async |query: SendQuery| ids(&store.sends(&query).await.expect("store"));
    let all = SendQuery { limit: 99, ..SendQuery::default() };
    assert_eq!(page(all.clone()).await, [1 << 100, 5, 4, 3, 2, 1]);
    assert_eq!(page(SendQuery { limit: 2, ..all.clone() }).await, [1 << 100, 5]);
    let after = |n| SendQuery { after: Some(SendId(n)), ..all.clone() };
    let before = |n| SendQuery { before: Some(SendId(n)), ..all.clone() };
    assert_eq!(page(after(4)).await, [1 << 100, 5]);
    assert_eq!(page(before(3)).await, [2, 1]);
    let between = SendQuery { before: Some(SendId(5)), ..after(2) };
    assert_eq!(page(between).await, [4, 3]);
    assert_eq!(page(SendQuery { number: Some(number(2)), ..all.clone() }).await, [2]);
    assert_eq!(page(SendQuery { account: Some(id("other")), ..all.clone() }).await, [3]);
    assert_eq!(page(SendQuery { sender: Some("smpp".into()), ..all.clone() }).await, [4]);
    assert_eq!(page(SendQuery { id: Some(SendId(5)), ..all.clone() }).await, [5]);
    assert_eq!(page(SendQuery { id: Some(SendId(5)), ..after(5) }).await, [0; 0]);
    let whole = store.sends(&SendQuery { number: Some(number(2)), ..all }).await.expect("store");
    assert_eq!(whole, [sends[1].clone()]);
}

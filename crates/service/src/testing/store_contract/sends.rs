//! The ledger of sends and the workers that share it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::sample::{at, commit, id, number, send};
use crate::ports::{
    Attempt, AttemptOutcome, Confirmed, Receipt, ReceiptOutcome, Send, SendId, SendQuery,
    SendReport, SendState, Store, Unit,
};

async fn enter(store: &dyn Store, sends: Vec<Send>) {
    commit(store, Unit { sends, ..Unit::default() }).await.expect("new sends");
}

async fn claim(store: &dyn Store, now: i64, until: i64, limit: usize) -> Vec<Send> {
    store.claim_sends(at(now), at(until), true, limit).await.expect("store")
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
        state: SendState::Claimed { until: at(200), begun: true },
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
                let leased = store.claim_sends(at(1), at(2), true, 7).await.expect("store");
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

async fn stored(store: &dyn Store, id: SendId) -> Send {
    let query = SendQuery { id: Some(id), limit: 1, ..SendQuery::default() };
    store.sends(&query).await.expect("store").remove(0)
}

async fn report(store: &dyn Store, reports: Vec<SendReport>) {
    store.report_sends(reports).await.expect("store");
}

fn handed_over(id: SendId, sender: &str, provider_id: &str) -> SendReport {
    SendReport {
        sender: Some(sender.into()),
        provider_id: Some(provider_id.into()),
        ..SendReport::new(id, SendState::HandedOver { at: at(3) })
    }
}

fn failed(reason: &str) -> SendState {
    SendState::Failed { at: at(5), reason: reason.into() }
}

pub async fn a_report_never_moves_a_send_backwards(store: Arc<dyn Store>) {
    let states = [
        SendState::Decided { due_at: at(1) },
        SendState::Claimed { until: at(2), begun: true },
        SendState::HandedOver { at: at(3) },
        SendState::Delivered { at: at(4) },
        failed("blocked"),
    ];
    // Row: where the send stands. Column: what a worker reports.
    let moves = [
        [true, true, true, true, true],
        [true, true, true, true, true],
        // An acknowledgement is a fact: another worker, who found the code expired, undoes nothing.
        [false, false, false, false, false],
        [false, false, false, false, false],
        // And it counts although that other worker was first.
        [false, false, true, false, false],
    ];
    let mut n = 0;
    for (from, row) in states.iter().zip(moves) {
        for (to, moves) in states.iter().zip(row) {
            n += 1;
            let first = Send { state: from.clone(), ..send(n, number(1), 0) };
            let id = first.id;
            enter(&*store, vec![first]).await;
            let by =
                |it| SendReport { sender: Some("smpp".into()), ..SendReport::new(it, to.clone()) };
            report(&*store, vec![by(id), by(SendId(9_999))]).await;
            let found = stored(&*store, id).await;
            assert_eq!(found.state, *if moves { to } else { from }, "{from:?} to {to:?}");
            assert_eq!(found.sender.as_deref(), moves.then_some("smpp"), "{from:?} to {to:?}");
        }
    }
}

pub async fn what_a_provider_said_is_kept_by_later_reports(store: Arc<dyn Store>) {
    let id = SendId(1);
    enter(&*store, vec![send(1, number(1), 0)]).await;
    report(&*store, vec![handed_over(id, "smpp", "p-1")]).await;
    report(&*store, vec![SendReport::new(id, failed("expired"))]).await;
    let found = stored(&*store, id).await;
    assert_eq!(found.state, SendState::HandedOver { at: at(3) });
    assert_eq!(found.handed_over_at, Some(at(3)));
    assert_eq!(found.sender.as_deref(), Some("smpp"));
    assert_eq!(found.provider_id.as_deref(), Some("p-1"));
}

fn tried(sender: &str, outcome: AttemptOutcome) -> Attempt {
    Attempt { sender: sender.into(), started_at: at(1), ended_at: at(2), outcome }
}

pub async fn every_try_is_kept_whoever_reports_it(store: Arc<dyn Store>) {
    let id = SendId(1);
    enter(&*store, vec![send(1, number(1), 0)]).await;
    let reason = || "\"busy\", it said".to_owned();
    let first = vec![
        tried("a", AttemptOutcome::Unavailable { reason: reason(), uncertain: false }),
        tried("b", AttemptOutcome::Rejected { reason: reason() }),
    ];
    let again = SendState::Decided { due_at: at(9) };
    report(&*store, vec![SendReport { tries: first.clone(), ..SendReport::new(id, again) }]).await;
    let second = vec![tried("a", AttemptOutcome::Taken)];
    let taken = SendReport { tries: second.clone(), ..handed_over(id, "a", "p-1") };
    report(&*store, vec![taken]).await;
    // Another worker, whose report moves nothing.
    let third = vec![tried("b", AttemptOutcome::Unavailable { reason: reason(), uncertain: true })];
    let late =
        SendReport { tries: third.clone(), in_doubt: true, ..SendReport::new(id, failed("")) };
    report(&*store, vec![late]).await;
    let found = stored(&*store, id).await;
    assert_eq!(found.tries, [first, second, third].concat());
    assert!(found.in_doubt);
    assert_eq!(found.state, SendState::HandedOver { at: at(3) });
}

pub async fn a_lease_that_passed_leaves_a_doubt(store: Arc<dyn Store>) {
    enter(&*store, vec![send(1, number(1), 0)]).await;
    assert!(!claim(&*store, 1, 10, 1).await[0].in_doubt, "nobody had it before");
    let again = SendReport::new(SendId(1), SendState::Decided { due_at: at(5) });
    report(&*store, vec![again]).await;
    assert!(!claim(&*store, 6, 10, 1).await[0].in_doubt, "it was given back in order");
    assert!(claim(&*store, 10, 20, 1).await[0].in_doubt, "its worker died over it");
    assert!(stored(&*store, SendId(1)).await.in_doubt);
}

pub async fn a_hand_over_that_had_not_begun_leaves_no_doubt(store: Arc<dyn Store>) {
    enter(&*store, vec![send(1, number(1), 0), send(2, number(1), 0)]).await;
    let leased = store.claim_sends(at(1), at(10), false, 9).await.expect("store");
    assert!(leased.iter().all(|it| it.state == SendState::Claimed { until: at(10), begun: false }));
    assert!(store.begin_send(SendId(1), at(10)).await.expect("store"));
    assert!(!store.begin_send(SendId(1), at(10)).await.expect("store"), "it has begun");
    assert!(!store.begin_send(SendId(2), at(11)).await.expect("store"), "another lease");
    assert!(!store.begin_send(SendId(3), at(10)).await.expect("store"), "nobody's");
    let found = stored(&*store, SendId(1)).await;
    assert_eq!(found.state, SendState::Claimed { until: at(10), begun: true });
    let again = store.claim_sends(at(10), at(20), false, 9).await.expect("store");
    assert_eq!(again.iter().map(|it| it.in_doubt).collect::<Vec<_>>(), [true, false]);
    assert!(!store.begin_send(SendId(2), at(10)).await.expect("store"), "that lease has passed");
    let ended = SendReport::new(SendId(2), failed("expired"));
    report(&*store, vec![ended]).await;
    assert!(!store.begin_send(SendId(2), at(20)).await.expect("store"), "it has ended");
}

pub async fn the_first_receipt_counts_and_finds_the_newest_send_of_its_sender(
    store: Arc<dyn Store>,
) {
    // Provider ids come round again after a while.
    enter(&*store, (1..=4).map(|n| send(n, number(1), 0)).collect()).await;
    let given = [(1, "smpp", "p-1"), (2, "smpp", "p-1"), (3, "http", "p-1"), (4, "smpp", "p-4")];
    for (n, sender, id) in given {
        report(&*store, vec![handed_over(SendId(n), sender, id)]).await;
    }
    let receipt = |sender: &str, id: &str, outcome| Receipt {
        sender: sender.into(),
        provider_id: id.into(),
        outcome,
        at: at(7),
    };
    let bad = || ReceiptOutcome::Failed { reason: "absent subscriber".into() };
    let receipts = vec![
        receipt("smpp", "p-1", ReceiptOutcome::Delivered),
        receipt("smpp", "p-1", bad()),
        receipt("smpp", "p-4", bad()),
        receipt("smpp", "p-4", ReceiptOutcome::Delivered),
        receipt("smpp", "p-9", ReceiptOutcome::Delivered),
        receipt("voice", "p-1", ReceiptOutcome::Delivered),
    ];
    let known = store.receive(receipts).await.expect("store");
    assert_eq!(known, [true, true, true, true, false, false]);
    let mut states = Vec::new();
    for n in 1..=4 {
        states.push(stored(&*store, SendId(n)).await.state);
    }
    let taken = SendState::HandedOver { at: at(3) };
    let ended = SendState::Failed { at: at(7), reason: "absent subscriber".into() };
    assert_eq!(states, [taken.clone(), SendState::Delivered { at: at(7) }, taken, ended]);
    // A worker that comes late changes neither.
    for (n, state) in [(2, &states[1]), (4, &states[3])] {
        report(&*store, vec![handed_over(SendId(n), "other", "p-0")]).await;
        let found = stored(&*store, SendId(n)).await;
        assert_eq!((&found.state, found.sender.as_deref()), (state, Some("smpp")));
    }
}

pub async fn a_receipt_needs_an_acknowledged_send(store: Arc<dyn Store>) {
    let mut waiting = send(1, number(1), 0);
    waiting.sender = Some("smpp".into());
    waiting.provider_id = Some("p-1".into());
    enter(&*store, vec![waiting.clone()]).await;
    let outcome = ReceiptOutcome::Delivered;
    let receipt = Receipt { sender: "smpp".into(), provider_id: "p-1".into(), outcome, at: at(7) };
    assert_eq!(store.receive(vec![receipt]).await.expect("store"), [true]);
    assert_eq!(stored(&*store, SendId(1)).await, waiting);
}

pub async fn a_used_code_is_noted_in_all_its_sends(store: Arc<dyn Store>) {
    let mut sends: Vec<_> = (1..=4).map(|n| send(n, number(1), 0)).collect();
    sends[2].what.challenge = registration::ChallengeId(6);
    sends[3].number = number(2);
    enter(&*store, sends).await;
    let challenge = registration::ChallengeId(5);
    for time in [20, 30] {
        let confirmed = vec![Confirmed { number: number(1), challenge, at: at(time) }];
        commit(&*store, Unit { confirmed, ..Unit::default() }).await.expect("store");
    }
    for (n, expected) in [(1, Some(at(20))), (2, Some(at(20))), (3, None), (4, None)] {
        assert_eq!(stored(&*store, SendId(n)).await.confirmed_at, expected, "{n}");
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

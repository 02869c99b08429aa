//! Claim, hand over, record: at least once, never after an acknowledgement, and at whose cost.

use registration::Refusal;

use super::*;
use crate::policy::Repeat;
use crate::ports::{AttemptOutcome, SendReport, SendState};

fn is_refused(answer: &Result<Committed, ServiceError>, wanted: &str) -> bool {
    matches!(answer, Err(ServiceError::Refused(refused)) if refused.refusal.id() == wanted)
}

#[tokio::test]
async fn a_send_that_waited_beyond_its_lease_is_left_to_the_outbox() {
    let rig = Rig::new().await;
    rig.order(number(1)).await.unwrap();
    // It was leased with its order. The process stalls, and another one takes it and hands it over.
    rig.clock.advance(61 * SECOND);
    let now = rig.service.now();
    let taken = rig.store.claim_sends(now, now + MINUTE, true, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    let report = SendReport::new(taken[0].id, SendState::HandedOver { at: now });
    rig.store.report_sends(vec![report]).await.unwrap();
    rig.service.deliver_due().await;
    assert!(rig.provider.messages().is_empty(), "handed over twice");
    assert_eq!(rig.only_send().await.attempt, 2);
}

#[tokio::test]
async fn an_acknowledged_send_is_not_failed_by_a_worker_that_finds_the_code_expired() {
    let rig = Rig::new().await;
    let (waiting, mut at_provider) = tokio::sync::mpsc::unbounded_channel();
    *rig.provider.meanwhile.lock().unwrap() = Some(waiting);
    rig.order(number(1)).await.unwrap();
    let first = tokio::spawn({
        let service = Arc::clone(&rig.service);
        async move { service.deliver_due().await }
    });
    let go_on = at_provider.recv().await.unwrap();
    // The first worker is at the provider for so long that lease and code pass; a second one sees that.
    rig.clock.advance(10 * MINUTE);
    rig.service.deliver_due().await;
    let given_up = rig.only_send().await;
    assert!(matches!(given_up.state, SendState::Failed { .. }), "{:?}", given_up.state);
    assert!(given_up.in_doubt, "somebody had it, and nobody knows");
    go_on.send(()).unwrap();
    first.await.unwrap();
    let send = rig.only_send().await;
    assert!(matches!(send.state, SendState::HandedOver { .. }), "{:?}", send.state);
    assert_eq!(send.provider_id.as_deref(), Some("p-1"));
    assert_eq!(rig.provider.messages().len(), 1);
}

#[tokio::test]
async fn an_unavailable_provider_is_tried_again_and_costs_the_caller_one_step() {
    let rig = Rig::new().await;
    rig.provider.does(&[Does::Fails, Does::Fails, Does::Takes]);
    rig.order(number(1)).await.unwrap();
    rig.service.deliver_due().await;
    let SendState::Decided { due_at } = rig.only_send().await.state else { panic!("not waiting") };
    assert!(due_at > rig.service.now());
    // Whoever asks again, however often, hears that it is on its way.
    for _ in 0..20 {
        let committed = rig.order(number(1)).await.unwrap();
        assert_eq!(committed.record.budgets.sms.taken, 1);
    }
    assert_eq!(rig.sends().await.len(), 1);
    rig.after(4 * SECOND).await;
    rig.after(8 * SECOND).await;
    let send = rig.only_send().await;
    assert!(matches!(send.state, SendState::HandedOver { .. }), "{:?}", send.state);
    assert_eq!(send.tries.len(), 3);
    assert_eq!(send.tries[2].outcome, AttemptOutcome::Taken);
    let codes: Vec<_> = rig.provider.messages().iter().map(|it| it.text.clone()).collect();
    assert!(codes.windows(2).all(|pair| pair[0] == pair[1]), "the same code each time");
    assert!(is_refused(&rig.order(number(1)).await, "code-too-soon"), "now it counts");
}

#[tokio::test]
async fn what_found_no_provider_while_its_code_lived_gives_its_step_back() {
    let rig = Rig::new().await;
    rig.provider.does(&[Does::Fails]);
    rig.order(number(1)).await.unwrap();
    for _ in 0..70 {
        rig.after(10 * SECOND).await;
    }
    let send = rig.only_send().await;
    let SendState::Failed { reason, .. } = &send.state else { panic!("{:?}", send.state) };
    assert!(reason.contains("expired"), "{reason}");
    let record = rig.service.number(number(1).number).await.unwrap().unwrap();
    assert_eq!(record.budgets.sms.taken, 0);
    rig.provider.does(&[Does::Takes]);
    let committed = rig.order(number(1)).await.unwrap();
    assert_eq!(committed.record.budgets.sms.taken, 1);
}

#[tokio::test]
async fn a_step_is_not_given_back_where_a_provider_may_have_taken_the_message() {
    let rig = Rig::new().await;
    rig.provider.does(&[Does::LosesTheAnswer, Does::Fails]);
    rig.order(number(1)).await.unwrap();
    for _ in 0..70 {
        rig.after(10 * SECOND).await;
    }
    let send = rig.only_send().await;
    assert!(matches!(send.state, SendState::Failed { .. }) && send.in_doubt, "{send:?}");
    let record = rig.service.number(number(1).number).await.unwrap().unwrap();
    assert_eq!(record.budgets.sms.taken, 1);
}

#[tokio::test]
async fn a_lost_answer_is_repeated_or_not_as_the_operator_wants() {
    for (repeat, messages, word) in
        [(Repeat::AtLeastOnce, 2, "handed over"), (Repeat::NeverTwice, 1, "failed")]
    {
        let rig = Rig::with(Policy { repeat, ..Policy::default() }).await;
        rig.provider.does(&[Does::LosesTheAnswer, Does::Takes]);
        rig.order(number(1)).await.unwrap();
        rig.service.deliver_due().await;
        rig.after(10 * SECOND).await;
        assert_eq!(rig.provider.messages().len(), messages, "{repeat:?}");
        let send = rig.only_send().await;
        assert!(send.in_doubt, "the row says so");
        let state = if let SendState::Failed { reason, .. } = &send.state {
            assert!(reason.contains("unknown"), "{reason}");
            "failed"
        } else {
            assert!(matches!(send.state, SendState::HandedOver { .. }), "{send:?}");
            "handed over"
        };
        assert_eq!(state, word);
    }
}

#[tokio::test]
async fn a_worker_that_died_before_the_hand_over_loses_no_send_and_leaves_no_doubt_where_it_matters()
 {
    for (repeat, in_doubt) in [(Repeat::AtLeastOnce, true), (Repeat::NeverTwice, false)] {
        let rig = Rig::with(Policy { repeat, ..Policy::default() }).await;
        rig.order(number(1)).await.unwrap();
        rig.service.fresh_sends().clear();
        rig.after(61 * SECOND).await;
        assert_eq!(rig.provider.messages().len(), 1, "{repeat:?}");
        assert_eq!(rig.only_send().await.in_doubt, in_doubt, "{repeat:?}");
    }
}

#[tokio::test]
async fn a_worker_that_died_over_a_hand_over_leaves_a_doubt_that_never_twice_respects() {
    let rig = Rig::with(Policy { repeat: Repeat::NeverTwice, ..Policy::default() }).await;
    let (waiting, mut at_provider) = tokio::sync::mpsc::unbounded_channel();
    *rig.provider.meanwhile.lock().unwrap() = Some(waiting);
    rig.order(number(1)).await.unwrap();
    let worker = tokio::spawn({
        let service = Arc::clone(&rig.service);
        async move { service.deliver_due().await }
    });
    let _never_answered = at_provider.recv().await.unwrap();
    assert!(matches!(rig.only_send().await.state, SendState::Claimed { begun: true, .. }));
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    rig.after(61 * SECOND).await;
    let send = rig.only_send().await;
    assert!(matches!(send.state, SendState::Failed { .. }) && send.in_doubt, "{send:?}");
    assert_eq!(rig.provider.messages().len(), 1);
}

#[tokio::test]
async fn whose_lease_was_taken_over_begins_no_hand_over() {
    let rig = Rig::with(Policy { repeat: Repeat::NeverTwice, ..Policy::default() }).await;
    rig.order(number(1)).await.unwrap();
    // Another process, whose clock is ahead of ours, thinks that the lease has passed.
    let ahead = rig.service.now() + 61 * SECOND;
    let taken = rig.store.claim_sends(ahead, ahead + MINUTE, false, 9).await.unwrap();
    assert_eq!((taken.len(), taken[0].in_doubt), (1, false));
    rig.service.deliver_due().await;
    assert!(rig.provider.messages().is_empty(), "it is the other's");
}

#[tokio::test]
async fn a_rejected_message_is_the_end_of_it_and_stays_counted() {
    let rig = Rig::new().await;
    rig.provider.does(&[Does::Rejects]);
    rig.order(number(1)).await.unwrap();
    rig.service.deliver_due().await;
    let send = rig.only_send().await;
    let SendState::Failed { reason, .. } = &send.state else { panic!("{:?}", send.state) };
    assert_eq!(reason, "no such number");
    assert!(is_refused(&rig.order(number(1)).await, "code-too-soon"));
}

#[tokio::test]
async fn a_provider_that_throttles_is_asked_again_when_it_wants() {
    let rig = Rig::new().await;
    rig.provider.does(&[Does::Throttles(20 * SECOND), Does::Takes]);
    rig.order(number(1)).await.unwrap();
    rig.service.deliver_due().await;
    rig.after(19 * SECOND).await;
    assert_eq!(rig.provider.messages().len(), 1);
    rig.after(12 * SECOND).await;
    assert_eq!(rig.provider.messages().len(), 2);
}

#[tokio::test]
async fn a_closed_way_is_refused_before_anything_is_spent() {
    let provider = Provider { no_sender: true, ..Provider::default() };
    let rig = Rig::on(Policy::default(), provider).await;
    let answer = rig.order(number(1)).await;
    let Err(ServiceError::Refused(refused)) = answer else { panic!("{answer:?}") };
    assert!(matches!(refused.refusal, Refusal::DestinationClosed { .. }));
    assert!(rig.sends().await.is_empty());
    assert_eq!(rig.service.number(number(1).number).await.unwrap(), None);
}

/// Waits until so many messages are at the provider.
async fn gather(
    at_provider: &mut tokio::sync::mpsc::UnboundedReceiver<tokio::sync::oneshot::Sender<()>>,
    count: usize,
) -> Vec<tokio::sync::oneshot::Sender<()>> {
    let mut waiting = Vec::new();
    while waiting.len() < count {
        waiting.push(at_provider.recv().await.unwrap());
    }
    waiting
}

#[tokio::test]
async fn a_slow_send_holds_up_nobody_else() {
    let rig = Rig::new().await;
    let (waiting, mut at_provider) = tokio::sync::mpsc::unbounded_channel();
    *rig.provider.meanwhile.lock().unwrap() = Some(waiting);
    let stop = tokio::sync::watch::Sender::new(false);
    let worker = tokio::spawn(Arc::clone(&rig.service).work(stop.subscribe()));
    let mut recorded = rig.service.watch_handed_over();
    rig.order(number(1)).await.unwrap();
    let slow = at_provider.recv().await.unwrap();
    for tail in 2..40 {
        rig.order(number(tail)).await.unwrap();
        at_provider.recv().await.unwrap().send(()).unwrap();
        let batch = recorded.recv().await.unwrap();
        assert_eq!(batch[0].number, number(tail).number);
    }
    slow.send(()).unwrap();
    assert_eq!(recorded.recv().await.unwrap()[0].number, number(1).number);
    stop.send_replace(true);
    worker.await.unwrap();
    assert!(rig.sends().await.iter().all(|it| matches!(it.state, SendState::HandedOver { .. })));
}

#[tokio::test]
async fn after_an_outage_the_outbox_is_drained_with_bounded_concurrency() {
    let rig = Rig::new().await;
    rig.provider.does(&[Does::Fails]);
    for tail in 0..500 {
        rig.order(number(tail)).await.unwrap();
    }
    rig.service.deliver_due().await;
    // The retries are spread, so that they do not come back together.
    let due: std::collections::BTreeSet<_> = rig
        .sends()
        .await
        .iter()
        .map(|it| {
            let SendState::Decided { due_at } = it.state else { panic!("{it:?}") };
            due_at
        })
        .collect();
    assert!(due.len() > 200, "{} moments for 500 sends", due.len());

    rig.provider.does(&[Does::Takes]);
    rig.clock.advance(MINUTE);
    let (waiting, mut at_provider) = tokio::sync::mpsc::unbounded_channel();
    *rig.provider.meanwhile.lock().unwrap() = Some(waiting);
    let stop = tokio::sync::watch::Sender::new(false);
    let worker = tokio::spawn(Arc::clone(&rig.service).work(stop.subscribe()));
    let drained = gather(&mut at_provider, 64).await;
    tokio::task::yield_now().await;
    assert!(at_provider.try_recv().is_err(), "no more than 64 at once");
    // What is fresh does not wait for them.
    rig.order(number(999)).await.unwrap();
    let fresh = at_provider.recv().await.unwrap();
    assert_eq!(rig.provider.messages().last().unwrap().number, number(999).number);
    fresh.send(()).unwrap();
    *rig.provider.meanwhile.lock().unwrap() = None;
    for it in drained {
        it.send(()).unwrap();
    }
    while let Ok(it) = at_provider.try_recv() {
        it.send(()).unwrap();
    }
    let mut recorded = rig.service.watch_ledger();
    while rig.sends().await.iter().any(|it| !matches!(it.state, SendState::HandedOver { .. })) {
        recorded.changed().await.unwrap();
    }
    stop.send_replace(true);
    worker.await.unwrap();
}

//! Receipts: twice, early, late, for nobody.

use super::*;
use crate::ports::{Receipt, ReceiptOutcome, ReceiptSink as _, SendState};

fn receipt(rig: &Rig, id: &str, outcome: ReceiptOutcome) -> Receipt {
    Receipt {
        sender: "smpp".to_owned(),
        provider_id: id.to_owned(),
        outcome,
        at: rig.service.now(),
    }
}

fn bad() -> ReceiptOutcome {
    ReceiptOutcome::Failed { reason: "absent subscriber".to_owned() }
}

#[tokio::test]
async fn a_receipt_ends_the_send_and_the_first_word_counts() {
    let rig = Rig::new().await;
    rig.order(number(1)).await.unwrap();
    rig.service.deliver_due().await;
    rig.clock.advance(SECOND);
    let at = rig.service.now();
    rig.service.receipt(receipt(&rig, "p-1", ReceiptOutcome::Delivered)).await;
    for outcome in [ReceiptOutcome::Delivered, bad()] {
        rig.clock.advance(SECOND);
        rig.service.receipt(receipt(&rig, "p-1", outcome)).await;
    }
    let send = rig.only_send().await;
    assert_eq!(send.state, SendState::Delivered { at });
    assert!(send.handed_over_at.is_some_and(|taken| taken < at), "both times are kept");
    assert_eq!(rig.service.unknown_receipts(), 0);
}

#[tokio::test]
async fn a_receipt_that_comes_before_the_hand_over_is_recorded_is_joined() {
    let rig = Rig::new().await;
    let (waiting, mut at_provider) = tokio::sync::mpsc::unbounded_channel();
    *rig.provider.meanwhile.lock().unwrap() = Some(waiting);
    rig.order(number(1)).await.unwrap();
    let worker = tokio::spawn({
        let service = Arc::clone(&rig.service);
        async move { service.deliver_due().await }
    });
    let go_on = at_provider.recv().await.unwrap();
    rig.service.receipt(receipt(&rig, "p-1", bad())).await;
    rig.service.receipt(receipt(&rig, "p-1", ReceiptOutcome::Delivered)).await;
    assert!(matches!(rig.only_send().await.state, SendState::Claimed { .. }));
    go_on.send(()).unwrap();
    worker.await.unwrap();
    let send = rig.only_send().await;
    let SendState::Failed { reason, .. } = &send.state else { panic!("{:?}", send.state) };
    assert_eq!(reason, "absent subscriber");
    assert_eq!(rig.service.sender_tallies()["smpp"].failed, 1);
}

#[tokio::test]
async fn a_receipt_for_nobody_is_counted_after_a_while() {
    let rig = Rig::new().await;
    for n in 0..3 {
        rig.service.receipt(receipt(&rig, &format!("x-{n}"), ReceiptOutcome::Delivered)).await;
    }
    rig.service.sweep().await.unwrap();
    assert_eq!(rig.service.unknown_receipts(), 0, "they may only be early");
    rig.clock.advance(10 * MINUTE);
    rig.service.sweep().await.unwrap();
    assert_eq!(rig.service.unknown_receipts(), 3);
}

#[tokio::test]
async fn receipts_for_nobody_take_bounded_room() {
    let rig = Rig::new().await;
    for n in 0..10_005 {
        rig.service.receipt(receipt(&rig, &format!("x-{n}"), ReceiptOutcome::Delivered)).await;
    }
    assert_eq!(rig.service.unknown_receipts(), 5);
}

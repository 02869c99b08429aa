//! A sender that takes the row and nothing else: handed over by the commit that orders.

use super::*;
use crate::ports::SendState;
use crate::spending::{Price, Prices, Spending};

/// A provider that keeps what it takes in the ledger, and what a code costs by the name of its sender.
async fn rig(prices: &[(&str, u64)]) -> Rig {
    let price = |(sender, amount): &(&str, u64)| Price {
        sender: (*sender).to_owned(),
        method: CodeMethod::Sms,
        prefix: String::new(),
        amount: *amount,
    };
    let prices = Prices { rows: prices.iter().map(price).collect(), ..Prices::default() };
    let spending = Spending { prices, ..Spending::default() };
    let provider = Provider { in_ledger: true, ..Provider::default() };
    Rig::on(Policy { spending, ..Policy::default() }, provider).await
}

#[tokio::test]
async fn what_the_ledger_keeps_is_handed_over_with_its_order_and_announced_once() {
    let rig = rig(&[("smpp", 7), ("http", 7)]).await;
    let mut news = rig.service.watch_handed_over();
    rig.order(number(1)).await.unwrap();
    let send = rig.only_send().await;
    let now = rig.service.now();
    assert_eq!((&send.state, send.attempt), (&SendState::HandedOver { at: now }, 1));
    assert_eq!(send.provider_id, Some(send.id.to_string()));
    assert_eq!((send.sender.as_deref(), send.handed_over_at), (Some("smpp"), Some(now)));
    assert!(news.try_recv().is_err(), "the worker tells");
    rig.service.deliver_due().await;
    assert_eq!(*news.try_recv().unwrap(), *core::slice::from_ref(&send));
    assert_eq!(rig.service.sender_tallies()["smpp"].cost, 7);
    rig.after(2 * MINUTE).await;
    assert!(news.try_recv().is_err(), "once");
    assert_eq!(rig.only_send().await, send);
    assert!(rig.provider.messages().is_empty(), "nobody is asked");
}

#[tokio::test]
async fn what_died_unannounced_stands_in_the_ledger_and_is_not_handed_over_again() {
    let rig = rig(&[]).await;
    rig.order(number(1)).await.unwrap();
    let send = rig.only_send().await;
    rig.service.taken_sends().clear();
    rig.after(2 * MINUTE).await;
    assert_eq!(rig.only_send().await, send);
    assert!(rig.provider.messages().is_empty());
}

#[tokio::test]
async fn what_was_charged_more_than_the_ledger_takes_is_settled_by_the_worker() {
    let rig = rig(&[("smpp", 7), ("http", 9)]).await;
    rig.order(number(1)).await.unwrap();
    let send = rig.only_send().await;
    assert!(matches!(send.state, SendState::Claimed { .. }), "{send:?}");
    assert_eq!(send.charged, 9);
    rig.service.deliver_due().await;
    let send = rig.only_send().await;
    assert!(matches!(send.state, SendState::HandedOver { .. }), "{send:?}");
    assert_eq!(send.charged, 7);
}

#[tokio::test]
async fn what_was_taken_before_everything_was_emptied_is_not_announced_after_it() {
    let rig = rig(&[]).await;
    let mut news = rig.service.watch_handed_over();
    rig.order(number(1)).await.unwrap();
    rig.service.clear().await.unwrap();
    rig.service.deliver_due().await;
    assert!(news.try_recv().is_err());
}

#[tokio::test]
async fn what_was_ordered_by_somebody_who_went_away_is_announced_all_the_same() {
    let rig = rig(&[]).await;
    let mut news = rig.service.watch_handed_over();
    // Each goes away at another await of its order, or never.
    let mut at = 0;
    while {
        let order = rig.order(number(at));
        futures_util::pin_mut!(order);
        let mut ended = false;
        for _ in 0..at {
            ended = futures_util::poll!(&mut order).is_ready();
            if ended {
                break;
            }
            tokio::task::yield_now().await;
        }
        !ended
    } {
        at += 1;
    }
    tokio::task::yield_now().await;
    rig.service.deliver_due().await;
    let stored = rig.sends().await;
    let mut announced: Vec<Send> = Vec::new();
    while let Ok(batch) = news.try_recv() {
        announced.extend(batch.iter().cloned());
    }
    assert!(stored.len() > 1, "somebody went away between commit and answer");
    announced.reverse();
    assert_eq!(announced, stored);
}

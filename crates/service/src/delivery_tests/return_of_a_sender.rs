//! What comes to a sender that was away, once it is back.

use super::*;
use crate::ports::SendState;

/// How long a sender that fails rests, as the breaker has it.
const REST: u64 = 60_000;

/// Lets `ms` pass in steps of `step`; before `back` the sender rests, and tells how long.
async fn pass(rig: &Rig, began: registration::Timestamp, back: u64, ms: u64, step: u64) {
    let at = |rig: &Rig| u64::try_from(rig.service.now().since(began).as_millis()).unwrap();
    let end = at(rig) + ms;
    while at(rig) < end {
        let now = at(rig);
        let rests_until = (now / REST + 1) * REST;
        let wait = Duration::from_millis(rests_until.min(back.max(now)) - now);
        rig.provider.does(&[if now < back { Does::Throttles(wait) } else { Does::Takes }]);
        rig.service.deliver_due().await;
        rig.clock.advance(Duration::from_millis(step));
    }
}

fn handed_over_at(send: &Send) -> registration::Timestamp {
    let SendState::HandedOver { at } = send.state else { panic!("{send:?}") };
    at
}

#[tokio::test]
async fn codes_that_waited_for_a_sender_do_not_come_together_when_it_is_back() {
    // The second turn of the outage ends sooner than the rest, as where a clock is turned.
    for back in [240_000, 302_000] {
        let rig = Rig::new().await;
        let began = rig.service.now();
        for tail in 0..400 {
            rig.order(number(tail)).await.unwrap();
            pass(&rig, began, back, 600, 300).await;
        }
        pass(&rig, began, back, 360_000 - 240_000, 250).await;
        let mut times: Vec<_> = rig.sends().await.iter().map(handed_over_at).collect();
        times.sort_unstable();
        let waited: Vec<_> =
            times.into_iter().filter(|at| *at < began + Duration::from_mins(6)).collect();
        assert_eq!(waited.len(), 400);
        let within = |from| waited.iter().filter(|at| (from..from + SECOND).contains(*at)).count();
        let busiest = waited.iter().map(|from| within(*from)).max().unwrap();
        assert!(busiest <= 100, "{busiest} of 400 in one second");
    }
}

#[tokio::test]
async fn no_code_dies_because_its_retry_is_spread() {
    let rig = Rig::new().await;
    let began = rig.service.now();
    for tail in 0..200 {
        rig.order(number(tail)).await.unwrap();
    }
    // It is back five seconds before the codes die.
    pass(&rig, began, 595_000, 610_000, 500).await;
    let sends = rig.sends().await;
    let late = |send: &&Send| !matches!(send.state, SendState::HandedOver { .. });
    assert_eq!(sends.iter().filter(late).count(), 0, "of {}", sends.len());
}

#[tokio::test]
async fn codes_of_a_turned_clock_do_not_come_together_either() {
    // Minutes pass at once, and the rest of the sender is the same few seconds all the while.
    let rig = Rig::new().await;
    rig.provider.does(&[Does::Throttles(4 * SECOND)]);
    for minute in 0..9 {
        for tail in 0..50 {
            rig.order(number(minute * 50 + tail)).await.unwrap();
        }
        rig.after(MINUTE).await;
    }
    let back = rig.service.now() + 4 * SECOND;
    rig.provider.does(&[Does::Takes]);
    for _ in 0..400 {
        rig.after(Duration::from_millis(100)).await;
    }
    let times: Vec<_> = rig.sends().await.iter().map(handed_over_at).collect();
    assert!(times.iter().all(|at| *at >= back), "none before its time");
    let within = |from| times.iter().filter(|at| (from..from + SECOND).contains(*at)).count();
    let busiest = times.iter().map(|from| within(*from)).max().unwrap();
    assert!(busiest * 3 <= times.len(), "{busiest} of {} in one second", times.len());
}

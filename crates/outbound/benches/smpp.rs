//! Submits per second on one bind with a window of 50.
//!
//! `cargo bench -p outbound` measures against an SMSC within the process;
//! `cargo bench -p outbound --bench smpp -- 127.0.0.1:2775` against any other that knows
//! `rollcall`/`secret`. Prints rate and latency; nothing is asserted.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _};
use outbound::delivery::SenderPorts;
use outbound::delivery::contract::message;
use outbound::delivery::smpp::{SmppDelivery, SmppOptions};
use registration::{CodeMethod, Timestamp};
use service::ports::{CodeDelivery as _, Receipt, ReceiptSink};
use service::testing::{ManualClock, SeededEntropy};
use tokio::time::{Instant, sleep};

#[expect(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../tests/it/smsc.rs"]
mod smsc;

/// Submits measured.
const SUBMITS: u64 = 20_000;

struct Nobody;

#[async_trait]
impl ReceiptSink for Nobody {
    async fn receipt(&self, _: Receipt) {}
}

#[tokio::main]
async fn main() {
    let named = std::env::args().skip(1).find_map(|it| it.parse().ok());
    let own = if named.is_none() { Some(smsc::Smsc::start().await) } else { None };
    let address: std::net::SocketAddr = named.unwrap_or_else(|| own.as_ref().unwrap().address);
    let (host, port) = (address.ip().to_string(), address.port());
    let options = SmppOptions::new("smsc", &host, port, "rollcall", "secret");
    let ports = SenderPorts {
        clock: Arc::new(ManualClock::new(Timestamp::from_millis(0))),
        entropy: Arc::new(SeededEntropy::new(1)),
        receipts: Arc::new(Nobody),
    };
    let sender = SmppDelivery::start(options, ports);
    while sender.trouble().is_some() {
        sleep(Duration::from_millis(10)).await;
    }
    for window in [1, 50] {
        measure(&sender, window).await;
    }
    sender.close().await;
}

/// Keeps `window` submits under way and prints how fast they were answered.
async fn measure(sender: &SmppDelivery, window: usize) {
    let begun = Instant::now();
    let count = if window == 1 { SUBMITS / 10 } else { SUBMITS };
    let mut took: Vec<Duration> = stream::iter(0..count)
        .map(|place| async move {
            let message = message(place % 900, CodeMethod::Sms);
            let begun = Instant::now();
            sender.hand_over(&message).await.unwrap();
            begun.elapsed()
        })
        .buffer_unordered(window)
        .collect()
        .await;
    let seconds = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| took[took.len() * share / 100 - 1];
    let rate = f64::from(u32::try_from(count).unwrap()) / seconds;
    println!("window {window:2}: {rate:7.0} submits/s, p50 {:?}, p99 {:?}", at(50), at(99));
}

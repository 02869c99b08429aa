//! What the tests of all senders share.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use registration::Timestamp;
use service::ports::{Receipt, ReceiptSink};
use service::testing::ManualClock;
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};

/// Longer than anything here takes, also where the machine is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// An address that stays taken while nobody listens there: whoever stops finds it free when it comes back.
pub(crate) fn held_address() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

/// Keeps receipts; can be slow about it.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) receipts: Mutex<Vec<Receipt>>,
    pub(crate) slow: Option<Duration>,
}

impl Ledger {
    pub(crate) fn all(&self) -> Vec<Receipt> {
        self.receipts.lock().unwrap().clone()
    }
}

#[async_trait]
impl ReceiptSink for Ledger {
    async fn receipt(&self, receipt: Receipt) {
        if let Some(slow) = self.slow {
            sleep(slow).await;
        }
        self.receipts.lock().unwrap().push(receipt);
    }
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_millis(1_764_000_000_000)))
}

/// Waits until `fact` holds.
pub(crate) async fn until(what: &str, fact: impl Fn() -> bool) {
    let done = timeout(PATIENCE, async {
        while !fact() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(done.await.is_ok(), "it never happened: {what}");
}

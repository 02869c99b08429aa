//! What the tests of all senders share.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use registration::Timestamp;
use service::ports::{Receipt, ReceiptSink};
use service::testing::ManualClock;
use tokio::time::{sleep, timeout};

/// Longer than anything here takes, also where the machine is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

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

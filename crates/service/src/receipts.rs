//! What providers say later about messages that they took.

use async_trait::async_trait;

use crate::ports::{Receipt, ReceiptSink};
use crate::service::Service;

#[async_trait]
impl ReceiptSink for Service {
    async fn receipt(&self, receipt: Receipt) {
        tracing::debug!(sender = receipt.sender, "receipt");
    }
}

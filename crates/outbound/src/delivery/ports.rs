//! What senders work with.

use std::sync::Arc;

use service::ports::{Clock, Entropy, ReceiptSink};

/// The ports that senders call.
#[derive(Clone)]
pub struct SenderPorts {
    /// Dates receipts and signatures.
    pub clock: Arc<dyn Clock>,
    /// Spreads attempts to connect; makes links that nobody guesses.
    pub entropy: Arc<dyn Entropy>,
    /// Takes receipts.
    pub receipts: Arc<dyn ReceiptSink>,
}

//! What providers say later about messages that they took.
//!
//! A receipt is matched by sender and provider id. One that comes before its hand-over was recorded is kept
//! for a while and joined then; what stays unmatched is counted, and logged once per sender. The first
//! word about a message counts, so a receipt that comes twice changes nothing.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use registration::Timestamp;
use tracing::{debug, error, warn};

use crate::ports::{Receipt, ReceiptOutcome, ReceiptSink, Send};
use crate::service::Service;

/// How long a receipt waits for its hand-over to be recorded: far longer than the lease of a worker.
const KEPT: Duration = Duration::from_mins(10);

/// Receipts kept at most; the oldest are in the ledger long before so many come early.
const KEPT_MAX: usize = 10_000;

/// Receipts without a message, by sender and provider id.
#[derive(Debug, Default)]
pub(crate) struct EarlyReceipts(Mutex<Early>);

#[derive(Debug, Default)]
struct Early {
    waiting: BTreeMap<(String, String), (Timestamp, Receipt)>,
    /// Senders that have sent a receipt for a message that nobody knows.
    complained_of: Vec<String>,
}

impl EarlyReceipts {
    fn lock(&self) -> MutexGuard<'_, Early> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a receipt; `false` if there are too many.
    fn keep(&self, receipt: Receipt, now: Timestamp) -> bool {
        let mut early = self.lock();
        if early.waiting.len() >= KEPT_MAX {
            return false;
        }
        let key = (receipt.sender.clone(), receipt.provider_id.clone());
        // The first word counts here too.
        early.waiting.entry(key).or_insert((now, receipt));
        true
    }

    fn take(&self, sender: &str, provider_id: &str) -> Option<Receipt> {
        let mut early = self.lock();
        if early.waiting.is_empty() {
            return None;
        }
        let key = (sender.to_owned(), provider_id.to_owned());
        early.waiting.remove(&key).map(|(_, receipt)| receipt)
    }

    /// Removes what has waited too long.
    fn expired(&self, now: Timestamp) -> Vec<Receipt> {
        let mut early = self.lock();
        let old = |(since, _): &(Timestamp, Receipt)| now.since(*since) >= KEPT;
        let keys: Vec<_> =
            early.waiting.iter().filter(|(_, it)| old(it)).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| early.waiting.remove(key)).map(|(_, it)| it).collect()
    }

    /// Whether this is the first time for the sender.
    fn first_complaint(&self, sender: &str) -> bool {
        let mut early = self.lock();
        let first = !early.complained_of.iter().any(|it| it == sender);
        if first {
            early.complained_of.push(sender.to_owned());
        }
        first
    }
}

#[async_trait]
impl ReceiptSink for Service {
    async fn receipt(&self, receipt: Receipt) {
        if self.received(&receipt).await {
            return;
        }
        let key = (receipt.sender.clone(), receipt.provider_id.clone());
        if !self.early_receipts.keep(receipt, self.now()) {
            return self.unknown_receipt(&key.0);
        }
        // Its hand-over may have been recorded meanwhile, by a worker that found nothing to join.
        if let Some(kept) = self.early_receipts.take(&key.0, &key.1)
            && !self.received(&kept).await
        {
            self.early_receipts.keep(kept, self.now());
        }
    }
}

impl Service {
    /// Joins the receipts that came before these hand-overs were recorded.
    pub(crate) async fn join_receipts(&self, handed_over: &[Send]) {
        for send in handed_over {
            let (Some(sender), Some(id)) = (&send.sender, &send.provider_id) else { continue };
            if let Some(receipt) = self.early_receipts.take(sender, id)
                && !self.received(&receipt).await
            {
                self.early_receipts.keep(receipt, self.now());
            }
        }
    }

    /// Tries once more what waits, and gives up what has waited too long.
    pub(crate) async fn sweep_receipts(&self) {
        for receipt in self.early_receipts.expired(self.now()) {
            if !self.received(&receipt).await {
                self.unknown_receipt(&receipt.sender);
            }
        }
    }

    /// Records a receipt; `false` if no message is known by its id, or the store cannot be asked.
    async fn received(&self, receipt: &Receipt) -> bool {
        match self.store.receive(vec![receipt.clone()]).await {
            Ok(known) if known == [true] => {
                debug!(sender = receipt.sender, outcome = ?receipt.outcome, "receipt");
                self.tallies.change(&receipt.sender, |tally| match receipt.outcome {
                    ReceiptOutcome::Delivered => tally.delivered += 1,
                    ReceiptOutcome::Failed { .. } => tally.failed += 1,
                });
                self.ledger_changed.send_modify(|count| *count += 1);
                true
            }
            Ok(_) => false,
            Err(error) => {
                error!(%error, "a receipt cannot be recorded; it is kept");
                false
            }
        }
    }

    fn unknown_receipt(&self, sender: &str) {
        self.tallies.unknown_receipts.fetch_add(1, Ordering::Relaxed);
        if self.early_receipts.first_complaint(sender) {
            warn!(sender, "receipts for messages that nobody knows; further ones are only counted");
        }
    }
}

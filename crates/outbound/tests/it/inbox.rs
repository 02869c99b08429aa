//! The inbox keeps the contract of senders.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use outbound::delivery::InboxDelivery;
use outbound::delivery::contract::{Counterpart, Mood, check};
use registration::{CodeMethod, PhoneNumber};
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver};
use service::queries::INBOX;

/// The inbox is a view on the ledger: what it took is what is in it.
#[derive(Default)]
struct Inbox(Mutex<Vec<(PhoneNumber, String)>>);

#[async_trait]
impl CodeDelivery for Inbox {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        let taken = InboxDelivery.hand_over(message).await?;
        self.0.lock().unwrap().push((message.number, message.text.clone()));
        Ok(taken)
    }
}

struct Here(CodeMethod, Arc<Inbox>);

#[async_trait]
impl Counterpart for Here {
    fn name(&self) -> &str {
        INBOX
    }

    fn method(&self) -> CodeMethod {
        self.0
    }

    fn delivery(&self) -> Arc<dyn CodeDelivery> {
        Arc::clone(&self.1) as Arc<dyn CodeDelivery>
    }

    async fn arrived(&self) -> Vec<(PhoneNumber, String)> {
        self.1.0.lock().unwrap().clone()
    }

    async fn turn(&self, _: Mood) -> bool {
        false
    }
}

#[tokio::test]
async fn the_inbox_keeps_the_contract() {
    for method in [CodeMethod::Sms, CodeMethod::Voice] {
        check(&Here(method, Arc::default())).await;
    }
}

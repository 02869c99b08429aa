//! stand-in
use async_trait::async_trait;
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver};
use service::queries::INBOX;
/// x
#[derive(Debug, Clone, Copy, Default)]
pub struct InboxDelivery;
#[async_trait]
impl CodeDelivery for InboxDelivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: INBOX.to_owned(), provider_id: Some(message.id.to_string()) })
    }
}

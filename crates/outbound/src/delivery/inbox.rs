//! The sender of the sandbox: messages go to its inbox.

use async_trait::async_trait;
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver};
use service::queries::INBOX;

/// Acknowledges each message at once and keeps nothing.
///
/// The inbox is a view on the send ledger: a row that names this sender is a message in it, and the code
/// is derived again whenever somebody reads it ([`service::Service::inbox`]). So no code is stored for
/// the inbox, and a message is there exactly if its send was decided.
#[derive(Debug, Clone, Copy, Default)]
pub struct InboxDelivery;

#[async_trait]
impl CodeDelivery for InboxDelivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: INBOX.to_owned(), provider_id: Some(message.id.to_string()) })
    }

    fn in_ledger(&self) -> Option<&str> {
        Some(INBOX)
    }
}

#[cfg(test)]
mod tests {
    use registration::{CodeMethod, Locale, PhoneNumber, VerificationCode};
    use service::ports::SendId;

    use super::*;

    #[tokio::test]
    async fn a_message_is_acknowledged_in_the_name_of_the_inbox() {
        let message = CodeMessage {
            id: SendId(0x2a),
            number: PhoneNumber::parse("+447700900123").expect("fictitious"),
            method: CodeMethod::Sms,
            locale: Locale::english(),
            code: VerificationCode::parse("123456").expect("six digits"),
            text: "123456".to_owned(),
            originator: None,
        };
        let handed_over = InboxDelivery.hand_over(&message).await.expect("always taken");
        assert_eq!(handed_over.sender, INBOX);
        assert_eq!(handed_over.provider_id.as_deref(), Some("0000000000000000000000000000002a"));
    }
}

//! The provider of the simulation: takes messages, or not, and notes each one.

use std::sync::Arc;

use async_trait::async_trait;
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver};

use crate::faults::Faults;
use crate::gate::Gate;
use crate::journal::{Fate, Journal, Seen, current_call};
use crate::sabotage::Sabotage;

/// Name of the sender in ledger and reports.
const SENDER: &str = "simulated";

/// A provider that is slow, absent, picky, or loses acknowledgements.
#[derive(Debug)]
pub struct SimDelivery {
    gate: Arc<Gate>,
    faults: Arc<Faults>,
    journal: Arc<Journal>,
    sabotage: Sabotage,
}

impl SimDelivery {
    /// A provider behind `gate`.
    #[must_use]
    pub const fn new(
        gate: Arc<Gate>,
        faults: Arc<Faults>,
        journal: Arc<Journal>,
        sabotage: Sabotage,
    ) -> Self {
        Self { gate, faults, journal, sabotage }
    }

    fn fate(&self) -> Fate {
        if self.faults.strikes(|odds| odds.provider_unavailable) {
            Fate::Unavailable
        } else if self.faults.strikes(|odds| odds.provider_rejects) {
            Fate::Rejected
        } else if self.faults.strikes(|odds| odds.acknowledgement_lost) {
            Fate::AcknowledgementLost
        } else {
            Fate::Acknowledged
        }
    }
}

#[async_trait]
impl CodeDelivery for SimDelivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        let (id, number) = (message.id, message.number);
        let (code, text) = (message.code.reveal().to_owned(), message.text.clone());
        self.journal.note(Seen::Message { worker: current_call(), id, number, code, text });
        self.gate.pass().await;
        while self.faults.strikes(|odds| odds.provider_slow) {
            self.gate.pass().await;
        }
        let fate = self.fate();
        self.journal.note(Seen::Fate { id, fate });
        self.gate.pass().await;
        let (sender, reason) = (SENDER.to_owned(), format!("simulated: {fate:?}"));
        match fate {
            Fate::Acknowledged => {
                let provider_id = Some(self.sabotage.provider_id(id, &message.code));
                Ok(HandedOver { sender, provider_id })
            }
            Fate::AcknowledgementLost | Fate::Unavailable => {
                let uncertain = fate == Fate::AcknowledgementLost;
                Err(DeliveryError::Unavailable { sender, reason, uncertain, retry_after: None })
            }
            Fate::Rejected => Err(DeliveryError::Rejected { sender, reason }),
        }
    }
}

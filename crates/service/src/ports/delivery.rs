//! Handing a code to somebody who brings it to the number.

use core::fmt;

use core::time::Duration;

use async_trait::async_trait;
use registration::{CodeMethod, Locale, PhoneNumber, Timestamp, VerificationCode};

use super::store::SendId;

/// A message that carries a code. Redacted in `Debug`.
#[derive(Clone)]
pub struct CodeMessage {
    /// The ledger row; also the idempotency key for providers that take one.
    pub id: SendId,
    /// Whom to reach.
    pub number: PhoneNumber,
    /// SMS or voice.
    pub method: CodeMethod,
    /// Language asked for.
    pub locale: Locale,
    /// The code itself, for senders that render it themselves (voice).
    pub code: VerificationCode,
    /// The text to send or to speak.
    pub text: String,
    /// Who the message shall seem to come from: a sender id or number chosen for the country; `None`
    /// leaves it to the sender.
    pub originator: Option<String>,
}

impl fmt::Debug for CodeMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeMessage")
            .field("id", &self.id)
            .field("number", &self.number)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A provider took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// Name of the sender that took it.
    pub sender: String,
    /// The provider's own id for it, if it gave one.
    pub provider_id: Option<String>,
}

/// A provider did not take the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// Trying again later may help.
    #[error("{sender} is unavailable: {reason}")]
    Unavailable {
        /// Name of the sender.
        sender: String,
        /// What happened, without the code.
        reason: String,
        /// The provider may have taken the message all the same: the answer was lost on the way.
        uncertain: bool,
        /// How long the provider wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// The provider refused this message for good.
    #[error("{sender} rejected the message: {reason}")]
    Rejected {
        /// Name of the sender.
        sender: String,
        /// What the provider said, without the code.
        reason: String,
    },
}

/// One sender's try at a message, for the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Name of the sender.
    pub sender: String,
    /// When it was given the message.
    pub started_at: Timestamp,
    /// When it answered, or was waited for no longer.
    pub ended_at: Timestamp,
    /// How that ended.
    pub outcome: AttemptOutcome,
}

/// How one sender's try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// Its provider acknowledged the message.
    Taken,
    /// It could not; somebody else, or the same one later, may.
    Unavailable {
        /// What happened, without the code.
        reason: String,
        /// The provider may have taken the message all the same.
        uncertain: bool,
    },
    /// Its provider refused the message.
    Rejected {
        /// What the provider said, without the code.
        reason: String,
    },
}

/// Everything that came of handing a message over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatched {
    /// Each try, in order. Left empty by a single sender, whose one try follows from `outcome`.
    pub attempts: Vec<Attempt>,
    /// The end of it.
    pub outcome: Result<HandedOver, DeliveryError>,
}

/// Brings codes to numbers. Called at least once per decided send, and never again for a send whose
/// acknowledgement was recorded.
///
/// A sender implements [`hand_over`](Self::hand_over) and nothing else; the other methods are for what
/// chooses among senders.
#[async_trait]
pub trait CodeDelivery: Send + Sync + 'static {
    /// Hands `message` over; returns once the provider has acknowledged it.
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError>;

    /// Hands `message` over and tells of every try.
    async fn dispatch(&self, message: &CodeMessage) -> Dispatched {
        Dispatched { attempts: Vec::new(), outcome: self.hand_over(message).await }
    }

    /// The name of the sender, if it takes everything and all that it takes is the row in the ledger: such
    /// a message is handed over by the commit that orders it, under its own id, and
    /// [`hand_over`](Self::hand_over) is asked only for what was left over.
    fn in_ledger(&self) -> Option<&str> {
        None
    }

    /// Names of the senders that could carry a code to this number: nobody, if the list is empty.
    /// `None` is not known beforehand, which is anybody.
    fn candidates(&self, method: CodeMethod, number: PhoneNumber) -> Option<Vec<String>> {
        let _ = (method, number);
        None
    }
}

/// What a provider says later about a message that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the sender that took the message.
    pub sender: String,
    /// The provider's id for the message, as told in [`HandedOver::provider_id`].
    pub provider_id: String,
    /// What became of it.
    pub outcome: ReceiptOutcome,
    /// When, by the provider's word or, without one, when the receipt came in.
    pub at: Timestamp,
}

/// How a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// It arrived.
    Delivered,
    /// It will not arrive.
    Failed {
        /// Why, without the code.
        reason: String,
    },
}

/// Takes receipts from senders into the ledger. A receipt may come twice, late, before the hand-over was
/// recorded, or for a message nobody knows; none of that is the sender's concern.
#[async_trait]
pub trait ReceiptSink: Send + Sync + 'static {
    /// Records `receipt`.
    async fn receipt(&self, receipt: Receipt);
}

//! Senders, one file each.
//!
//! **Adding one** takes a file here, an arm in the server's wiring and a section in its configuration.
//! A sender implements [`CodeDelivery`](service::ports::CodeDelivery) and keeps these promises:
//!
//! - It answers `Ok` only when the provider has acknowledged the message: that send is never handed over
//!   again. `HandedOver::sender` is its own name, `provider_id` the provider's id if there is one.
//! - It may see the same message twice, after a crash between hand-over and record. Where the provider
//!   takes an idempotency key, that key is `CodeMessage::id`.
//! - `DeliveryError::Unavailable` is tried again with growing pauses for as long as the code lives;
//!   `DeliveryError::Rejected` is final. Both carry a reason for the operator, without the code.
//! - It gives up in less than a minute, the lease of the outbox; it takes time-outs, addresses and
//!   credentials in an option struct of its own and knows no configuration.
//! - Neither the code nor the text reaches a log; the number only in its masked `Debug` form.

mod inbox;
pub mod voice;

pub use inbox::InboxDelivery;
pub use voice::VoiceDelivery;

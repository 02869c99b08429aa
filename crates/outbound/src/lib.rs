//! Senders: what carries codes to numbers, behind the port [`service::ports::CodeDelivery`].

pub mod delivery;
pub mod mail;

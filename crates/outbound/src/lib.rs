//! What leaves this machine: senders that carry codes to numbers, behind the port
//! [`service::ports::CodeDelivery`], and posts to endpoints, behind [`service::ports::CallbackClient`].

pub mod callbacks;
pub mod delivery;
pub mod mail;

//! What leaves this machine: senders that carry codes to numbers, behind the port
//! [`service::ports::CodeDelivery`]; posts to endpoints, behind [`service::ports::CallbackClient`]; and
//! registrars upstream, behind [`service::ports::UpstreamRegistrar`].

pub mod callbacks;
pub mod delivery;
pub mod mail;
pub mod registrar;

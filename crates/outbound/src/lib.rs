//! What leaves the machine: senders that carry codes to numbers, behind
//! [`service::ports::CodeDelivery`], and registrars upstream, behind [`service::ports::UpstreamRegistrar`].

pub mod delivery;
pub mod registrar;

//! Senders, a file or folder each, and [`Routing`], which chooses among them.
//!
//! # Adding a sender
//!
//! 1. **The sender** goes into a file or folder here: an option struct and `XxxDelivery::new(options, …)`.
//!    It implements [`CodeDelivery::hand_over`](service::ports::CodeDelivery::hand_over).
//! 2. **Its settings** go into `server/src/config/senders/xxx.rs`: a `Settings` struct and
//!    `read(&mut Reader)`, which takes them one by one from `[senders.NAME]`, and an arm in
//!    `config/senders.rs`. The [`Reader`](../../server/config/reader/index.html) notes mistakes with file,
//!    line and key; secrets come by value, file or variable. `type`, `timeout` and the check that a
//!    sandbox reaches nothing but this machine are there already.
//! 3. **Its arm** goes into `server/src/wiring/senders.rs`: settings to options.
//!
//! Nothing else changes: routing, failover, breaker, ledger, prices, fuses and metrics work for every
//! sender.
//!
//! # What a sender promises
//!
//! - It answers `Ok` only when the provider has acknowledged the message: that send is never handed over
//!   again. `HandedOver::provider_id` is the provider's id, if there is one: receipts name it.
//!   `HandedOver::sender` is its configured name, and so is `Receipt::sender`.
//! - It may see the same message twice, after a crash between hand-over and record. Where the provider
//!   takes an idempotency key, that key is `CodeMessage::id`.
//! - `Unavailable` is what another sender, or the same one later, may cure: the next sender of the route
//!   gets its turn, and the outbox tries again for as long as the code lives. `uncertain` says that the
//!   provider may have taken the message although no answer came; say it when the request was written
//!   and no answer read. `retry_after` is what a provider that throttles asks for
//!   (`ESME_RTHROTTLED` without a time: one second); such a sender rests so long and is not held to be
//!   broken. It does not wait by itself.
//! - `Rejected` is this provider's last word on this message; the next sender of the route is still asked.
//! - It may be dropped at any await: routing gives each sender its time (`timeout`, 2.5 s for a message,
//!   45 s for a call) and then asks the next one. It reconnects in tasks of its own, not on the caller's
//!   time: while there is no link it answers `Unavailable` at once, so that failover is quick.
//! - Receipts go to [`ReceiptSink`](service::ports::ReceiptSink), as they come: twice, early, late, unknown are the
//!   ledger's concern.
//! - What a provider asks of us by HTTP (a delivery status, the words of a call) comes through
//!   [`Callbacks`].
//! - It takes time-outs, addresses and credentials in its options and knows no configuration. Neither the
//!   code nor the text reaches a log; the number only in its masked `Debug` form.

mod breaker;
mod callbacks;
#[cfg(any(test, feature = "testing"))]
pub mod contract;
pub mod http;
mod inbox;
mod ports;
mod routing;
pub mod smpp;
pub mod voice;

pub use breaker::{BreakerOptions, Health};
pub use callbacks::Callbacks;
pub use inbox::InboxDelivery;
pub use ports::SenderPorts;
pub use routing::{Member, Route, RouteTable, Routing, RoutingOptions};
pub use voice::VoiceDelivery;

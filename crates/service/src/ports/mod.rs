//! The ports: what the use cases need from the world, as traits that adapters implement.

pub mod budgets;
pub mod callbacks;
mod claims;
pub mod clock;
mod counts;
pub mod delivery;
pub mod entropy;
pub mod ledger;
pub mod mail;
pub mod registrar;
pub mod rehearsal;
pub mod store;

pub use budgets::{Budget, Spend};
pub use callbacks::{
    CALLBACKS_KEPT, Callback, CallbackClient, CallbackError, CallbackId, CallbackPost,
    CallbackQuery, CallbackReport, CallbackState, Reach,
};
pub use claims::{ClaimMoment, ClaimQuery};
pub use clock::{Clock, TurnableClock};
pub use counts::{LiveProofs, NumberCounts};
pub use delivery::{
    Attempt, AttemptOutcome, CodeDelivery, CodeMessage, DeliveryError, Dispatched, HandedOver,
    Receipt, ReceiptOutcome, ReceiptSink,
};
pub use entropy::{Entropy, EntropyExt};
pub use ledger::{Confirmed, Send, SendQuery, SendReport, SendState, Settlement};
pub use mail::{Mail, MailError, Mailer};
pub use registrar::{
    CodeAccepted, Credentials, Doubt, Errand, ForeignBackup, ForeignWords, Link, Pace, Registrar,
    UpstreamError, UpstreamRegistrar, UpstreamState,
};
pub use rehearsal::{Ending, NoRehearsal, OPERATIONS, Occasion, Rehearsal, Twist};
pub use store::{
    AuditEntry, AuditQuery, CommitError, Entity, EntityKind, EntityRef, EntityWrite, Event,
    EventId, NumberKey, NumberQuery, NumberWrite, OnceKey, SendId, Store, StoreError, Subject,
    Take, Unit, Version, Versioned, is_snapshot_name,
};

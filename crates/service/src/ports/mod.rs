//! The ports: what the use cases need from the world, as traits that adapters implement.

pub mod callbacks;
pub mod clock;
pub mod delivery;
pub mod entropy;
pub mod rehearsal;
pub mod store;

pub use callbacks::{
    CALLBACKS_KEPT, Callback, CallbackClient, CallbackError, CallbackId, CallbackPost,
    CallbackQuery, CallbackReport, CallbackState, Reach,
};
pub use clock::{Clock, TurnableClock};
pub use delivery::{
    CodeDelivery, CodeMessage, DeliveryError, HandedOver, Receipt, ReceiptOutcome, ReceiptSink,
};
pub use entropy::{Entropy, EntropyExt};
pub use rehearsal::{Ending, NoRehearsal, OPERATIONS, Occasion, Rehearsal, Twist};
pub use store::{
    AuditEntry, AuditQuery, CommitError, Entity, EntityKind, EntityRef, EntityWrite, Event,
    EventId, NumberCounts, NumberKey, NumberQuery, NumberWrite, OnceKey, Send, SendId, SendQuery,
    SendReport, SendState, Store, StoreError, Subject, Take, Unit, Version, Versioned,
    is_snapshot_name,
};

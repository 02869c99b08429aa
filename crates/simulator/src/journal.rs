//! What really happened behind the ports, in the order in which it did.

use std::sync::{Mutex, MutexGuard, PoisonError};

use registration::{NumberRecord, PhoneNumber, Timestamp};
use service::ports::{Event, Send, SendId, SendReport, Version};

/// Identifies one call of the workload, or one run of a worker.
pub type CallId = u64;

/// The call under which everything happens that no call asked for.
pub const NOBODY: CallId = 0;

tokio::task_local! {
    /// The call that the running task works for.
    pub static CALL: CallId;
}

/// The call that the running task works for, or [`NOBODY`].
#[must_use]
pub fn current_call() -> CallId {
    CALL.try_with(|call| *call).unwrap_or(NOBODY)
}

/// A number's record before and after a unit.
#[derive(Debug, Clone)]
pub struct Change {
    /// What the unit replaced.
    pub before: NumberRecord,
    /// What it put there.
    pub after: NumberRecord,
    /// The version that `after` has.
    pub version: Version,
}

/// A unit that the store took, whether or not its caller ever learned that.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Who committed.
    pub call: CallId,
    /// Records that it replaced.
    pub changes: Vec<Change>,
    /// Sends that it decided.
    pub sends: Vec<Send>,
    /// How many allowances it took from.
    pub takes: usize,
    /// Events that it appended.
    pub events: Vec<Event>,
}

/// What a provider made of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Taken, and the sender was told so.
    Acknowledged,
    /// Taken, but the acknowledgement got lost.
    AcknowledgementLost,
    /// Not taken, another try may help.
    Unavailable,
    /// Refused for good.
    Rejected,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Seen {
    /// The store took a unit.
    Commit(Commit),
    /// A message arrived at the provider.
    Message {
        /// The worker.
        worker: CallId,
        /// Its send.
        id: SendId,
        /// Where to.
        number: PhoneNumber,
        /// The code in it.
        code: String,
        /// The text around the code.
        text: String,
    },
    /// The provider made up its mind.
    Fate {
        /// Which send.
        id: SendId,
        /// What became of it.
        fate: Fate,
    },
    /// The store took reports about sends.
    Reports(Vec<SendReport>),
    /// A worker leased sends.
    Leases(CallId, Vec<Send>),
    /// The clock was turned to this.
    Clock(Timestamp),
    /// A process died, or a report did not reach the store: what was acknowledged may be handed over
    /// again.
    Forgotten,
}

/// The list of what happened since it was last read.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Vec<Seen>>);

impl Journal {
    /// Adds to the list.
    pub fn note(&self, seen: Seen) {
        self.lock().push(seen);
    }

    /// Takes the list.
    #[must_use]
    pub fn drain(&self) -> Vec<Seen> {
        core::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

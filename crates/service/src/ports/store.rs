//! Whole records in, whole records out, and one atomic unit of work.
//!
//! A backend implements [`Store`] in an afternoon: load by key, list by page, commit a [`Unit`] all or
//! nothing with compare-and-set, claim and report sends. No rule lives behind this port.

use core::fmt;
use core::time::Duration;

use async_trait::async_trait;
use registration::{
    AccountId, ClientId, NumberRecord, PhoneNumber, TextId as _, Timestamp, WabaId,
};

use super::callbacks::{Callback, CallbackQuery, CallbackReport};
use super::claims::{ClaimQuery, all_claimed};
use super::counts::{LiveProofs, NumberCounts};
pub use crate::directory::{Entity, EntityKind, EntityRef};

use super::budgets::{Budget, Spend};
use super::delivery::Receipt;
use super::ledger::{Confirmed, Send, SendQuery, SendReport};

/// How often a record was written; 0 stands for "not there yet".
pub type Version = u64;

/// A record together with the version that a change of it must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The version of `value`; 0 if it was made up because nothing was stored.
    pub version: Version,
    /// The record.
    pub value: T,
}

/// Identifies an event of the audit trail; unguessable, so that it can stand in an explain link.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u128);

/// Identifies a row of the send ledger; ids grow with time (UUID v7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId(pub u128);

/// Identifies a callback, also towards its endpoint; ids grow with time (UUID v7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallbackId(pub u128);

macro_rules! hex_id {
    ($name:ident) => {
        impl $name {
            /// Reads 32 hexadecimal digits, hyphens ignored.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let digits: String = text.chars().filter(|c| *c != '-').collect();
                (digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
                    .then(|| u128::from_str_radix(&digits, 16).ok().map(Self))
                    .flatten()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:032x})", stringify!($name), self.0)
            }
        }
    };
}

hex_id!(EventId);
hex_id!(SendId);
hex_id!(CallbackId);

/// Finds a number by something other than itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberKey {
    /// The number that this client runs.
    HeldBy(ClientId),
    /// The number that this client requested a code for most recently, if that challenge still waits.
    PendingFor(ClientId),
    /// The number that this WABA requested a code for most recently without a client (in a hosted
    /// dialect), if that challenge still waits.
    PendingIn(WabaId),
    /// The number that this claim is on.
    Claim(registration::PhoneNumberId),
}

/// A page of numbers, in ascending order of the number.
#[derive(Debug, Clone, Default)]
pub struct NumberQuery {
    /// Only numbers claimed by one of these; `None` means all.
    pub wabas: Option<Vec<WabaId>>,
    /// Only numbers whose digits start like this.
    pub prefix: Option<String>,
    /// Only numbers that are (or are not) registered.
    pub registered: Option<bool>,
    /// Only numbers of which a display name waits for a verdict.
    pub name_waits: bool,
    /// Only numbers behind this one.
    pub after: Option<PhoneNumber>,
    /// At most so many.
    pub limit: usize,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A phone number.
    Number(PhoneNumber),
    /// A part of the directory.
    Entity(EntityRef),
    /// The installation itself.
    System,
}

/// An event to append to the audit trail. The store adds its place and hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Identifier; also the tail of explain links.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What it is about.
    pub subject: Subject,
    /// Whose it is, for tenants' views; `None` for the operator's.
    pub account: Option<AccountId>,
    /// Who did it: `onprem:default/admin`, `operator`, `cams:LTAI…`.
    pub actor: String,
    /// What happened, one word (`code_requested`, `refused`, `user_created`, …).
    pub kind: String,
    /// Particulars as JSON text; never a code, PIN, password or key.
    pub details: String,
}

/// An event as it stands in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Place in the chain, from 1.
    pub seq: u64,
    /// The event.
    pub event: Event,
    /// `SHA-256(previous hash ‖ canonical form of this event)`; see [`crate::audit`].
    pub hash: [u8; 32],
}

/// A page of the audit trail: in ascending order, or the newest first where `before` is given.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Only events about this number.
    pub number: Option<PhoneNumber>,
    /// Only events of this account.
    pub account: Option<AccountId>,
    /// Only the refusal with this id: other events are not found by their ids.
    pub refusal: Option<EventId>,
    /// Only events behind this place.
    pub after: u64,
    /// Only events in front of this place, and the newest first; `u64::MAX` begins with the last.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// A write of a number's record, valid only if its stored version is still `expected`.
#[derive(Debug, Clone)]
pub struct NumberWrite {
    /// Version the decision was made on.
    pub expected: Version,
    /// The record to store, at version `expected + 1`.
    pub record: NumberRecord,
}

/// A change of the directory, valid only if the stored version is still the expected one.
#[derive(Debug, Clone)]
pub enum EntityWrite {
    /// Store at version `expected + 1`.
    Put {
        /// Version the change was made on; 0 to create.
        expected: Version,
        /// What to store.
        entity: Entity,
    },
    /// Remove, together with everything below it.
    Delete {
        /// Version the change was made on.
        expected: Version,
        /// What to remove.
        entity: EntityRef,
    },
}

/// One request taken from a shared allowance (generic cell rate algorithm, one number per key).
///
/// Passes if the key's theoretical arrival time is at most `burst - 1` intervals ahead of `now`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Whose allowance of what: `country/default/49`.
    pub key: String,
    /// Time in which one request is earned back.
    pub interval: Duration,
    /// How many may be taken at once after a rest; at least 1.
    pub burst: u32,
    /// The present moment.
    pub now: Timestamp,
}

impl Take {
    /// Takes this request from an allowance that stands at `arrival_us`.
    ///
    /// The state of an allowance is its theoretical arrival time in microseconds since the Unix epoch
    /// (milliseconds would not do for a rate like three a second); `None` stands for one never used.
    /// Answers with the next state or, refused, with the moment from which the same request passes.
    pub fn draw(&self, arrival_us: Option<i64>) -> Result<i64, Timestamp> {
        let now = self.now.as_millis().saturating_mul(1000);
        let interval = i64::try_from(self.interval.as_micros()).unwrap_or(i64::MAX);
        let ahead = interval.saturating_mul(i64::from(self.burst.saturating_sub(1)));
        // No allowance is ever further ahead than when its last request has just passed; what is, is left
        // over from before the clock was turned back.
        let furthest = now.saturating_add(ahead).saturating_add(interval);
        let arrival = arrival_us.map_or(now, |arrival| arrival.min(furthest));
        if arrival <= now.saturating_add(ahead) {
            return Ok(arrival.max(now).saturating_add(interval));
        }
        // Rounded up, so that a request at the announced moment does pass.
        let opens_us = arrival.saturating_sub(ahead).saturating_add(999);
        Err(Timestamp::from_millis(opens_us.div_euclid(1000)))
    }
}

/// Something that may happen once: a signed request, named by its key and nonce.
///
/// Presence is what counts: a key once committed is refused until a sweep at `until` or later removes it,
/// also if the clock is turned back meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnceKey {
    /// What may happen once: `cams/LTAI…/nonce`.
    pub key: String,
    /// From then on it may be forgotten.
    pub until: Timestamp,
}

/// Whether a snapshot may be called `name`: 1 to 64 letters, digits, `-`, `_`, `.`, no dot in front.
///
/// A backend makes a file name of it, so it is checked again behind the port.
#[must_use]
pub fn is_snapshot_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Work that happens as a whole or not at all.
///
/// Checks come first: every version, every allowance, every budget, every
/// key for once. If one fails, nothing of the unit is stored and no
/// other unit is affected. A unit names each number at most once. The directory changes before the
/// numbers do, so a unit may create a WABA together with a claim of it; a WABA that still has claims
/// cannot be removed ([`CommitError::Conflict`]).
#[derive(Debug, Clone, Default)]
pub struct Unit {
    /// Records of numbers to store.
    pub numbers: Vec<NumberWrite>,
    /// Changes of the directory, in this order.
    pub entities: Vec<EntityWrite>,
    /// Allowances to take from.
    pub takes: Vec<Take>,
    /// What this unit does that may be done once.
    pub once: Vec<OnceKey>,
    /// What its sends cost, from budgets that must have it.
    pub spends: Vec<Spend>,
    /// Codes that were used: their sends have served their purpose.
    pub confirmed: Vec<Confirmed>,
    /// Allowances to give back in full, by their keys.
    pub forgive: Vec<String>,
    /// Events to append, in this order.
    pub events: Vec<Event>,
    /// Sends to enter into the ledger, due at once.
    pub sends: Vec<Send>,
    /// Callbacks to enter into their outbox.
    pub callbacks: Vec<Callback>,
}

/// The store could not do it. Always worth another try later.
#[derive(Debug, thiserror::Error)]
#[error("the store is unavailable: {reason}")]
pub struct StoreError {
    /// What happened, for the operator.
    pub reason: String,
    /// The backend's own error.
    #[source]
    pub source: Option<Box<dyn core::error::Error + core::marker::Send + Sync>>,
}

/// Why a unit was not stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A version was not the expected one: load again, decide again.
    #[error("another change came first")]
    Conflict,
    /// An allowance is used up.
    #[error("the allowance {key} is used up")]
    Throttled {
        /// Which allowance.
        key: String,
        /// When the next request is earned.
        opens_at: Timestamp,
    },
    /// A budget has not got so much left.
    #[error("the budget {key} is spent")]
    Overspent {
        /// Which budget.
        key: String,
        /// When it starts anew.
        resets_at: Timestamp,
    },
    /// Something that may happen once has happened already.
    #[error("{key} was used already")]
    Repeated {
        /// Which key.
        key: String,
    },
    /// The store could not do it.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Durable, atomic storage of whole records.
///
/// `commit` returns `Ok` only when the unit is on disk. Reads see every unit whose commit returned.
#[async_trait]
pub trait Store: core::marker::Send + Sync + 'static {
    /// The record of a number.
    async fn number(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<Versioned<NumberRecord>>, StoreError>;

    /// Finds a number by what it is used for.
    async fn find_number(&self, key: &NumberKey) -> Result<Option<PhoneNumber>, StoreError>;

    /// A page of numbers.
    async fn numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRecord>, StoreError>;

    /// How many numbers there are. A backend that can count answers without reading the records.
    async fn number_counts(&self, live: LiveProofs) -> Result<NumberCounts, StoreError> {
        let mut counts = NumberCounts::default();
        let mut query = NumberQuery { limit: 1000, ..NumberQuery::default() };
        loop {
            let page = self.numbers(&query).await?;
            for record in &page {
                counts.add(record, live);
            }
            match page.last() {
                Some(last) if page.len() == query.limit => query.after = Some(last.number),
                Some(_) | None => return Ok(counts),
            }
        }
    }

    /// A page of a WABA's numbers by a moment of its claims. A backend that keeps the moments reads only the
    /// records of the page.
    async fn claimed(&self, query: &ClaimQuery) -> Result<Vec<NumberRecord>, StoreError> {
        let mut found = Vec::new();
        for record in all_claimed(self, &query.waba).await? {
            let Some(claim) = record.claim_of(&query.waba) else { continue };
            let place = (query.by.of(&record, claim), claim.id.as_str().to_owned());
            let is_behind = query.behind.as_ref().is_none_or(|behind| {
                if query.ascending { place > *behind } else { place < *behind }
            });
            if is_behind {
                found.push((place, record));
            }
        }
        found.sort_by(|(a, _), (b, _)| if query.ascending { a.cmp(b) } else { b.cmp(a) });
        found.truncate(query.limit);
        Ok(found.into_iter().map(|(_, record)| record).collect())
    }

    /// How many numbers a WABA claims.
    async fn claim_count(&self, waba: &WabaId) -> Result<u64, StoreError> {
        Ok(all_claimed(self, waba).await?.len() as u64)
    }

    /// A part of the directory.
    async fn entity(&self, key: &EntityRef) -> Result<Option<Versioned<Entity>>, StoreError>;

    /// Hears that a call of a client has come in with a `session`: what calls ask for (both, the number that the
    /// client holds, and the one of which it awaits a code) a store may read in one go. Changes no answer, so that
    /// there is nothing to fail.
    async fn read_ahead(&self, _client: &ClientId, _session: &EntityRef) {}

    /// The one part of the directory of this kind whose [`Entity::lookup`] is `lookup`.
    async fn entity_by_lookup(
        &self,
        kind: EntityKind,
        lookup: &str,
    ) -> Result<Option<Versioned<Entity>>, StoreError>;

    /// Parts of the directory of one kind, below `parent` if given, in order of their id, behind `after`.
    async fn entities(
        &self,
        kind: EntityKind,
        parent: Option<&EntityRef>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Versioned<Entity>>, StoreError>;

    /// Stores a unit as a whole or not at all.
    async fn commit(&self, unit: Unit) -> Result<(), CommitError>;

    /// A page of the audit trail.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// Leases up to `limit` due sends until `until`, oldest first, and counts the attempt. A send whose
    /// lease has passed is due again, and in doubt if its hand-over may have begun. `begun` says so of
    /// these, unless [`begin_send`](Self::begin_send) is to say it of each.
    async fn claim_sends(
        &self,
        now: Timestamp,
        until: Timestamp,
        begun: bool,
        limit: usize,
    ) -> Result<Vec<Send>, StoreError>;

    /// Records that the hand-over of a send begins that was leased until `until` and not begun; `false`
    /// if that lease does not stand any more.
    async fn begin_send(&self, id: SendId, until: Timestamp) -> Result<bool, StoreError>;

    /// Records what became of sends, as workers saw it; see [`SendReport`] for which report counts.
    async fn report_sends(&self, reports: Vec<SendReport>) -> Result<(), StoreError>;

    /// Records what providers say later, each about the newest send that its sender took under that id:
    /// the first word counts. Answers for each receipt whether there is such a send.
    async fn receive(&self, receipts: Vec<Receipt>) -> Result<Vec<bool>, StoreError>;

    /// All budgets whose keys begin like this, in order of their keys.
    async fn budgets(&self, prefix: &str) -> Result<Vec<Budget>, StoreError>;

    /// A page of the ledger.
    async fn sends(&self, query: &SendQuery) -> Result<Vec<Send>, StoreError>;

    /// Leases up to `limit` due callbacks until `until`, the longest due first, and counts the attempt. A
    /// callback whose lease has passed is due again.
    async fn claim_callbacks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Callback>, StoreError>;

    /// Records what became of callbacks. `Delivered` and `Failed` are final.
    async fn report_callbacks(&self, reports: Vec<CallbackReport>) -> Result<(), StoreError>;

    /// A page of callbacks, newest first.
    async fn callbacks(&self, query: &CallbackQuery) -> Result<Vec<Callback>, StoreError>;

    /// Removes what has expired: sessions, spent allowances, keys for once, callbacks done for long.
    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Fails if the store cannot serve: it is closed, or what it was last given did not reach the disk. Asked
    /// often, so it writes nothing; a store that failed finds out by itself when it can serve again.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Waits until everything accepted is on disk and takes no more.
    async fn close(&self) -> Result<(), StoreError>;

    /// Empties the store, audit trail included. Sandbox only: wiring never hands it to production.
    async fn clear(&self) -> Result<(), StoreError>;

    /// Keeps the whole state under `name`. Sandbox only.
    async fn save_snapshot(&self, name: &str) -> Result<(), StoreError>;

    /// Returns to the state kept under `name`; `false` if there is none. Sandbox only.
    async fn load_snapshot(&self, name: &str) -> Result<bool, StoreError>;
}

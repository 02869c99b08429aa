//! What was read or written lately, so that a caller who comes back costs no read.
//!
//! One process owns the database, so this memory can be exact: the writer changes it right after a
//! `COMMIT`, before anybody is answered. A reader that finds nothing takes a ticket, reads the
//! database, and leaves what it found only if nothing was written to that stripe meanwhile; otherwise
//! its row may be from before the write.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use registration::{ClaimPhase, ClientId, NumberRecord, PhoneNumber, Platform};
use service::ports::{Entity, EntityKind, EntityRef, EntityWrite, NumberKey, Versioned};

use super::failure::Failure;

/// Stripes of each memory: enough that two threads rarely meet.
const STRIPES: usize = 16;

/// Entries per stripe and generation: 4,000 clients and numbers at a time, at some 500 bytes each and below 10 MB for
/// all memories together. Not more, because those who come once pay for it: what they leave has gone from the
/// processor's caches by the time its place is used again (measured: 128 against 512 saves 3 % of a registration).
const ENTRIES_MAX: usize = 128;

/// The memories of one store.
#[derive(Default)]
pub(super) struct Recent {
    entities: Memory<EntityRef, Option<Versioned<Entity>>>,
    numbers: Memory<PhoneNumber, Option<Versioned<NumberRecord>>>,
    held: Memory<ClientId, Option<PhoneNumber>>,
    pending: Memory<ClientId, Option<PhoneNumber>>,
    /// Whether there is any entity of a kind.
    kinds: Memory<EntityKind, bool>,
    /// Whether any code is awaited that was requested without a client.
    hosted: Memory<(), bool>,
}

/// What a unit changes in the memories once it is on disk.
#[derive(Default)]
pub(super) struct Touched {
    entities: Vec<EntityRef>,
    /// Something with children was removed, and they with it.
    subtree: bool,
    numbers: Vec<Versioned<NumberRecord>>,
    /// Clients that lose or gain the number they run.
    holders: Vec<ClientId>,
    /// Clients of which a code is or was awaited.
    asking: Vec<ClientId>,
    /// A code was or is awaited without a client.
    hosted: bool,
}

impl Touched {
    /// Notes a write of a number's record that was `old` before.
    pub(super) fn number(&mut self, old: Option<&NumberRecord>, new: Versioned<NumberRecord>) {
        let (before, after) = (old.and_then(holder), holder(&new.value));
        if before != after {
            self.holders.extend(before.cloned());
        }
        for record in old.into_iter().chain([&new.value]) {
            for claim in &record.claims {
                match &claim.phase {
                    ClaimPhase::AwaitingCode(challenge) => match &challenge.client {
                        Some(client) => self.asking.push(client.clone()),
                        None => self.hosted = true,
                    },
                    ClaimPhase::Unverified | ClaimPhase::Verified { .. } => {}
                }
            }
        }
        self.numbers.push(new);
    }

    /// Notes a write of the directory.
    pub(super) fn entity(&mut self, write: &EntityWrite) {
        match write {
            EntityWrite::Put { entity, .. } => self.entities.push(entity.key()),
            EntityWrite::Delete { entity, .. } => {
                self.subtree |= entity.kind != EntityKind::Session;
                self.entities.push(entity.clone());
            }
        }
    }
}

impl Recent {
    /// An entity from memory or, failing that, from `read`.
    pub(super) fn entity(
        &self,
        key: &EntityRef,
        read: impl FnOnce() -> Result<Option<Versioned<Entity>>, Failure>,
    ) -> Result<Option<Versioned<Entity>>, Failure> {
        if is_kept(key) { self.entities.get_or(key, read) } else { read() }
    }

    /// Brings two entities into memory by one `read`, unless one of them is there: then it saves nothing.
    pub(super) fn entities_ahead(
        &self,
        keys: [&EntityRef; 2],
        read: impl FnOnce() -> Result<[Option<Versioned<Entity>>; 2], Failure>,
    ) -> Result<(), Failure> {
        let [first, second] = keys;
        if !(is_kept(first) && is_kept(second)) {
            return Ok(());
        }
        let (Some(before_first), Some(before_second)) =
            (self.entities.ticket(first), self.entities.ticket(second))
        else {
            return Ok(());
        };
        let [one, other] = read()?;
        self.entities.leave(first, before_first, one);
        self.entities.leave(second, before_second, other);
        Ok(())
    }

    /// A number's record from memory or from `read`.
    pub(super) fn number(
        &self,
        number: PhoneNumber,
        read: impl FnOnce() -> Result<Option<Versioned<NumberRecord>>, Failure>,
    ) -> Result<Option<Versioned<NumberRecord>>, Failure> {
        self.numbers.get_or(&number, read)
    }

    /// What `key` leads to, from memory or from `read`. `any_hosted` reads whether any code at all is awaited
    /// without a client: where only clients ask, a client's own look for one costs nothing.
    pub(super) fn found(
        &self,
        key: &NumberKey,
        read: impl FnOnce() -> Result<Option<PhoneNumber>, Failure>,
        any_hosted: impl FnOnce() -> Result<bool, Failure>,
    ) -> Result<Option<PhoneNumber>, Failure> {
        match key {
            NumberKey::HeldBy(client) => self.held.get_or(client, read),
            NumberKey::PendingFor(client) => self.pending.get_or(client, read),
            NumberKey::PendingIn(_) if !self.hosted.get_or(&(), any_hosted)? => Ok(None),
            NumberKey::PendingIn(_) | NumberKey::Claim(_) => read(),
        }
    }

    /// Whether there is any entity of `kind`, from memory or from `read`. Webhooks are looked for with each
    /// decision, and most installations have none.
    pub(super) fn has_kind(
        &self,
        kind: EntityKind,
        read: impl FnOnce() -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        self.kinds.get_or(&kind, read)
    }

    /// Brings the memories up to what has just been committed. Only the writer calls this.
    pub(super) fn committed(&self, touched: Touched) {
        if touched.subtree {
            self.forget_entities();
        }
        for key in &touched.entities {
            self.entities.forget(key);
            self.kinds.forget(&key.kind);
        }
        if touched.hosted {
            self.hosted.clear();
        }
        touched.holders.iter().for_each(|client| self.held.forget(client));
        touched.asking.iter().for_each(|client| self.pending.forget(client));
        for record in touched.numbers {
            if let Some(client) = holder(&record.value) {
                self.held.put(client.clone(), Some(record.value.number));
            }
            self.numbers.put(record.value.number, Some(record));
        }
    }

    /// Forgets the directory: a sweep has removed parts of it.
    pub(super) fn forget_entities(&self) {
        self.entities.clear();
        self.kinds.clear();
    }

    /// Forgets everything: all rows were replaced.
    pub(super) fn clear(&self) {
        self.forget_entities();
        self.numbers.clear();
        self.held.clear();
        self.pending.clear();
        self.hosted.clear();
    }
}

/// Documents and kept replies can be large and are asked for rarely: they stay in the database.
fn is_kept(key: &EntityRef) -> bool {
    !matches!(key.kind, EntityKind::Document | EntityKind::ClaimDocument | EntityKind::Reply)
}

fn holder(record: &NumberRecord) -> Option<&ClientId> {
    match &record.registration.as_ref()?.platform {
        Platform::OnPremise { client } => Some(client),
        Platform::CloudApi => None,
    }
}

/// A bounded memory in stripes, each of two generations: what the old one still holds when the young
/// one is full is forgotten.
struct Memory<K, V> {
    hasher: RandomState,
    stripes: [Mutex<Stripe<K, V>>; STRIPES],
}

struct Stripe<K, V> {
    writes: u64,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        let stripe =
            |_| Mutex::new(Stripe { writes: 0, young: HashMap::new(), old: HashMap::new() });
        Self { hasher: RandomState::new(), stripes: core::array::from_fn(stripe) }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Memory<K, V> {
    fn get_or(&self, key: &K, read: impl FnOnce() -> Result<V, Failure>) -> Result<V, Failure> {
        let ticket = {
            let mut stripe = self.stripe(key);
            if let Some(value) = stripe.get(key) {
                return Ok(value);
            }
            stripe.writes
        };
        let value = read()?;
        self.leave(key, ticket, value.clone());
        Ok(value)
    }

    /// With what to [`leave`](Self::leave) a value that is going to be read; `None` if it need not be.
    fn ticket(&self, key: &K) -> Option<u64> {
        let stripe = self.stripe(key);
        let is_there = stripe.young.contains_key(key) || stripe.old.contains_key(key);
        (!is_there).then_some(stripe.writes)
    }

    /// Keeps what was read, unless something was written to the stripe since the ticket was taken.
    fn leave(&self, key: &K, ticket: u64, value: V) {
        let mut stripe = self.stripe(key);
        if stripe.writes == ticket {
            stripe.insert(key.clone(), value);
        }
    }

    fn put(&self, key: K, value: V) {
        let mut stripe = self.stripe(&key);
        stripe.writes += 1;
        stripe.old.remove(&key);
        stripe.insert(key, value);
    }

    fn forget(&self, key: &K) {
        let mut stripe = self.stripe(key);
        stripe.writes += 1;
        stripe.young.remove(key);
        stripe.old.remove(key);
    }

    fn clear(&self) {
        for stripe in &self.stripes {
            let mut stripe = stripe.lock().unwrap_or_else(PoisonError::into_inner);
            stripe.writes += 1;
            stripe.young.clear();
            stripe.old.clear();
        }
    }

    fn stripe(&self, key: &K) -> MutexGuard<'_, Stripe<K, V>> {
        let place = self.hasher.hash_one(key) % STRIPES as u64;
        // Below the number of stripes, so the conversion cannot fail on any width of `usize`.
        let stripe = &self.stripes[usize::try_from(place).unwrap_or(0)];
        stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Stripe<K, V> {
    fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= ENTRIES_MAX {
            // Swapped and not replaced: a map that was full once need not grow again.
            core::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> [EntityRef; 2] {
        ["one", "two"].map(|id| EntityRef::new(EntityKind::Session, id))
    }

    #[test]
    fn what_was_read_ahead_is_not_read_again() {
        let (recent, keys) = (Recent::default(), two());
        let [one, other] = &keys;
        recent.entities_ahead([one, other], || Ok([None, None])).expect("read");
        for key in &keys {
            assert_eq!(recent.entity(key, || unreachable!()).expect("kept"), None);
        }
        recent.entities_ahead([one, other], || unreachable!()).expect("nothing to read");
    }

    #[test]
    fn what_was_read_ahead_before_a_write_is_not_kept_after_it() {
        let (recent, keys) = (Recent::default(), two());
        let [one, other] = &keys;
        let written = || {
            let touched = Touched { entities: keys.to_vec(), ..Touched::default() };
            recent.committed(touched);
            Ok([None, None])
        };
        recent.entities_ahead([one, other], written).expect("read");
        for key in &keys {
            assert!(recent.entity(key, || Err(Failure::Closed)).is_err(), "kept");
        }
    }

    #[test]
    fn a_row_read_before_a_write_is_not_kept_after_it() {
        let memory = Memory::default();
        let read = memory.get_or(&1, || {
            memory.put(1, "new");
            Ok("old")
        });
        assert_eq!(read.expect("read"), "old");
        assert_eq!(memory.get_or(&1, || unreachable!()).expect("kept"), "new");
    }

    #[test]
    fn a_row_read_before_its_removal_is_not_kept_after_it() {
        let memory = Memory::default();
        let read = memory.get_or(&1, || {
            memory.forget(&1);
            Ok("old")
        });
        assert_eq!(read.expect("read"), "old");
        assert_eq!(memory.get_or(&1, || Ok("read again")).expect("read"), "read again");
    }

    #[test]
    fn a_failed_read_leaves_nothing() {
        let memory: Memory<u32, &str> = Memory::default();
        assert!(memory.get_or(&1, || Err(Failure::Closed)).is_err());
        assert_eq!(memory.get_or(&1, || Ok("read")).expect("read"), "read");
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let memory = Memory::default();
        for key in 0..200_000_u32 {
            memory.put(key, key);
            assert_eq!(memory.get_or(&7, || Ok(7)).expect("read"), 7);
        }
        let held: usize = memory
            .stripes
            .iter()
            .map(|stripe| stripe.lock().expect("not poisoned"))
            .map(|stripe| stripe.young.len() + stripe.old.len())
            .sum();
        assert!(held <= 2 * STRIPES * ENTRIES_MAX, "{held}");
        assert_eq!(memory.get_or(&7, || unreachable!()).expect("kept"), 7);
    }
}

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

/// Entries per stripe and generation. Two generations of some 500 bytes each keep the memories
/// together below 20 MB.
const ENTRIES_MAX: usize = 512;

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
    clients: Vec<ClientId>,
    /// A code was or is awaited without a client.
    hosted: bool,
}

impl Touched {
    /// Notes a write of a number's record that was `old` before.
    pub(super) fn number(&mut self, old: Option<&NumberRecord>, new: Versioned<NumberRecord>) {
        for record in old.into_iter().chain([&new.value]) {
            self.clients.extend(holder(record).cloned());
            for claim in &record.claims {
                match &claim.phase {
                    ClaimPhase::AwaitingCode(challenge) => match &challenge.client {
                        Some(client) => self.clients.push(client.clone()),
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
    /// An entity from memory or, failing that, from `read`. Documents and kept replies can be large
    /// and are asked for rarely: they stay in the database.
    pub(super) fn entity(
        &self,
        key: &EntityRef,
        read: impl FnOnce() -> Result<Option<Versioned<Entity>>, Failure>,
    ) -> Result<Option<Versioned<Entity>>, Failure> {
        if matches!(key.kind, EntityKind::Document | EntityKind::ClaimDocument | EntityKind::Reply)
        {
            return read();
        }
        self.entities.get_or(key, read)
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
        for client in &touched.clients {
            self.held.forget(client);
            self.pending.forget(client);
        }
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
        let mut stripe = self.stripe(key);
        if stripe.writes == ticket {
            stripe.insert(key.clone(), value.clone());
        }
        Ok(value)
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
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

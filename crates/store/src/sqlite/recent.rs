//! What was read or written lately, so that a caller who comes back costs no read.
//!
//! One process owns the database, so this memory can be exact: the writer changes it right after a
//! `COMMIT`, before anybody is answered. A reader that finds nothing takes a ticket, reads the
//! database, and leaves what it found only if nothing was written to that stripe meanwhile; otherwise
//! its row may be from before the write.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use registration::{ClaimPhase, ClientId, NumberRecord, PhoneNumber, Platform, TextId as _};
use service::ports::{Entity, EntityKind, EntityRef, EntityWrite, NumberKey, Versioned};

use super::ahead::Ahead;
use super::entities;
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
    /// Clients that await or awaited a code, each with the number if it is awaited of that now.
    asking: Vec<(ClientId, Option<PhoneNumber>)>,
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
        let number = Some(new.value.number);
        for (record, number) in old.map(|it| (it, None)).into_iter().chain([(&new.value, number)]) {
            for claim in &record.claims {
                match &claim.phase {
                    ClaimPhase::AwaitingCode(challenge) => match &challenge.client {
                        Some(client) => self.asking.push((client.clone(), number)),
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
        if entities::may_be_large(key.kind) {
            return read();
        }
        self.entities.get_or(key, read)
    }

    /// Brings into memory, by one `read`, what a call of `client` by `session` asks for, unless some of it is there:
    /// whoever was here lately comes back for little.
    pub(super) fn ahead(
        &self,
        client: &EntityRef,
        session: &EntityRef,
        read: impl FnOnce() -> Result<Ahead, Failure>,
    ) -> Result<(), Failure> {
        let Some(id) = ClientId::parse(&client.id) else { return Ok(()) };
        let before = (|| {
            let entities = (self.entities.ticket(client)?, self.entities.ticket(session)?);
            Some((entities, self.held.ticket(&id)?, self.pending.ticket(&id)?))
        })();
        let Some(((of_client, of_session), of_held, of_pending)) = before else { return Ok(()) };
        let found = read()?;
        self.entities.leave(client, of_client, found.client);
        self.entities.leave(session, of_session, found.session);
        self.held.leave(&id, of_held, found.held);
        self.pending.leave(&id, of_pending, found.pending);
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
        for (client, number) in touched.asking {
            // The only one if there was none before; which of several was requested last, the database says.
            if number.is_some() && self.pending.holds(&client, &None) {
                self.pending.put(client, number);
            } else {
                self.pending.forget(&client);
            }
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
        self.leave(key, ticket, value.clone());
        Ok(value)
    }

    /// With what to [`leave`](Self::leave) a value that is going to be read; `None` if it need not be.
    fn ticket(&self, key: &K) -> Option<u64> {
        let stripe = self.stripe(key);
        let is_there = stripe.young.contains_key(key) || stripe.old.contains_key(key);
        (!is_there).then_some(stripe.writes)
    }

    /// Whether `value` is what is known of `key`.
    fn holds(&self, key: &K, value: &V) -> bool
    where
        V: PartialEq,
    {
        let stripe = self.stripe(key);
        stripe.young.get(key).or_else(|| stripe.old.get(key)) == Some(value)
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

    fn caller() -> (ClientId, EntityRef, EntityRef) {
        let id = ClientId::parse("one").expect("an id");
        (id.clone(), EntityRef::client(&id), EntityRef::new(EntityKind::Session, "s"))
    }

    fn nothing<T>() -> Result<T, Failure> {
        Err(Failure::Closed)
    }

    #[test]
    fn what_was_read_ahead_is_not_read_again() {
        let (recent, (id, client, session)) = (Recent::default(), caller());
        let number = PhoneNumber::parse("15550000001").expect("a number");
        let found = Ahead { held: Some(number), ..Ahead::default() };
        recent.ahead(&client, &session, || Ok(found)).expect("read");
        assert_eq!(recent.entity(&client, nothing).expect("kept"), None);
        assert_eq!(recent.entity(&session, nothing).expect("kept"), None);
        let (held, pending) = (NumberKey::HeldBy(id.clone()), NumberKey::PendingFor(id));
        assert_eq!(recent.found(&held, nothing, nothing).expect("kept"), Some(number));
        assert_eq!(recent.found(&pending, nothing, nothing).expect("kept"), None);
        recent.ahead(&client, &session, nothing).expect("nothing to read");
    }

    #[test]
    fn what_was_read_ahead_before_a_write_is_not_kept_after_it() {
        let (recent, (id, client, session)) = (Recent::default(), caller());
        let written = || {
            recent.committed(Touched {
                entities: vec![client.clone(), session.clone()],
                holders: vec![id.clone()],
                asking: vec![(id.clone(), None)],
                ..Touched::default()
            });
            Ok(Ahead::default())
        };
        recent.ahead(&client, &session, written).expect("read");
        for key in [&client, &session] {
            assert!(recent.entity(key, nothing).is_err(), "kept");
        }
        for key in [NumberKey::HeldBy(id.clone()), NumberKey::PendingFor(id)] {
            assert!(recent.found(&key, nothing, nothing).is_err(), "kept");
        }
    }

    #[test]
    fn a_first_code_of_a_client_is_known_and_a_second_is_asked_for() {
        let (recent, (id, client, session)) = (Recent::default(), caller());
        let pending = NumberKey::PendingFor(id.clone());
        let asks = |digits: &str| {
            let number = Some(PhoneNumber::parse(digits).expect("a number"));
            recent.committed(Touched { asking: vec![(id.clone(), number)], ..Touched::default() });
            recent.found(&pending, nothing, nothing).ok().flatten()
        };
        assert_eq!(asks("15550000001"), None, "nothing was known before");
        recent.ahead(&client, &session, || Ok(Ahead::default())).expect("read");
        assert!(asks("15550000001").is_some());
        assert_eq!(asks("15550000002"), None, "either may be the later one");
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

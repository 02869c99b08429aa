//! The store port over maps in memory, for tests and for as long as the process lives.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use registration::{
    Challenge, Claim, ClaimPhase, ClientId, NumberRecord, PhoneNumber, Platform, Timestamp,
};

use super::memory_callbacks::Callbacks;
use super::memory_ledger::Ledger;
use crate::audit::{chain_hash, genesis};
use crate::ports::{
    AuditEntry, AuditQuery, Budget, Callback, CallbackQuery, CallbackReport, CommitError, Entity,
    EntityKind, EntityRef, EntityWrite, Event, NumberKey, NumberQuery, NumberWrite, OnceKey,
    Receipt, Send, SendId, SendQuery, SendReport, Store, StoreError, Subject, Take, Unit, Version,
    Versioned, is_snapshot_name,
};

/// A store that keeps everything in memory, with the semantics of a durable one.
#[derive(Debug, Default)]
pub struct MemoryStore {
    contents: Mutex<Contents>,
}

#[derive(Debug, Default)]
struct Contents {
    state: State,
    snapshots: BTreeMap<String, State>,
    closed: bool,
}

#[derive(Debug, Default, Clone)]
struct State {
    numbers: BTreeMap<PhoneNumber, Versioned<NumberRecord>>,
    entities: BTreeMap<EntityRef, Versioned<Entity>>,
    allowances: BTreeMap<String, i64>,
    once: BTreeMap<String, Timestamp>,
    audit: Vec<AuditEntry>,
    ledger: Ledger,
    callbacks: Callbacks,
}

/// What a unit overwrote, so that a refused unit leaves no trace.
#[derive(Default)]
struct Undo {
    numbers: Vec<(PhoneNumber, Option<Versioned<NumberRecord>>)>,
    entities: Vec<(EntityRef, Option<Versioned<Entity>>)>,
    allowances: Vec<(String, Option<i64>)>,
    once: Vec<(String, Option<Timestamp>)>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn open(&self) -> Result<MutexGuard<'_, Contents>, StoreError> {
        // Every change is undone before an early return, so a panic elsewhere spoils nothing here.
        let contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        if contents.closed { Err(unavailable("the store is closed")) } else { Ok(contents) }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn number(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<Versioned<NumberRecord>>, StoreError> {
        Ok(self.open()?.state.numbers.get(&number).cloned())
    }

    async fn find_number(&self, key: &NumberKey) -> Result<Option<PhoneNumber>, StoreError> {
        Ok(self.open()?.state.find_number(key))
    }

    async fn numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRecord>, StoreError> {
        let contents = self.open()?;
        let records = contents.state.numbers.values().map(|stored| &stored.value);
        Ok(records.filter(|record| wanted(record, query)).take(query.limit).cloned().collect())
    }

    async fn entity(&self, key: &EntityRef) -> Result<Option<Versioned<Entity>>, StoreError> {
        Ok(self.open()?.state.entities.get(key).cloned())
    }

    async fn entity_by_lookup(
        &self,
        kind: EntityKind,
        lookup: &str,
    ) -> Result<Option<Versioned<Entity>>, StoreError> {
        let contents = self.open()?;
        let mut all = contents.state.entities.iter();
        let found = all.find(|(key, it)| key.kind == kind && it.value.lookup() == Some(lookup));
        Ok(found.map(|(_, it)| it.clone()))
    }

    async fn entities(
        &self,
        kind: EntityKind,
        parent: Option<&EntityRef>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Versioned<Entity>>, StoreError> {
        let contents = self.open()?;
        let all = contents.state.entities.iter().filter(|(key, it)| {
            key.kind == kind
                && after.is_none_or(|after| key.id.as_str() > after)
                && parent.is_none_or(|parent| it.value.parent().as_ref() == Some(parent))
        });
        Ok(all.take(limit).map(|(_, it)| it.clone()).collect())
    }

    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        self.open()?.state.commit(unit)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let contents = self.open()?;
        let all = contents.state.audit.iter().filter(|entry| {
            let event = &entry.event;
            entry.seq > query.after
                && query.before.is_none_or(|before| entry.seq < before)
                && query.number.is_none_or(|number| event.subject == Subject::Number(number))
                && (query.account.is_none() || query.account == event.account)
                && query.refusal.is_none_or(|id| id == event.id && event.kind == "refused")
        });
        Ok(if query.before.is_some() {
            all.rev().take(query.limit).cloned().collect()
        } else {
            all.take(query.limit).cloned().collect()
        })
    }

    async fn claim_sends(
        &self,
        now: Timestamp,
        until: Timestamp,
        begun: bool,
        limit: usize,
    ) -> Result<Vec<Send>, StoreError> {
        Ok(self.open()?.state.ledger.claim(now, until, begun, limit))
    }

    async fn begin_send(&self, id: SendId, until: Timestamp) -> Result<bool, StoreError> {
        Ok(self.open()?.state.ledger.begin(id, until))
    }

    async fn report_sends(&self, reports: Vec<SendReport>) -> Result<(), StoreError> {
        self.open()?.state.ledger.report(reports);
        Ok(())
    }

    async fn receive(&self, receipts: Vec<Receipt>) -> Result<Vec<bool>, StoreError> {
        Ok(self.open()?.state.ledger.receive(receipts))
    }

    async fn budgets(&self, prefix: &str) -> Result<Vec<Budget>, StoreError> {
        Ok(self.open()?.state.ledger.budgets(prefix))
    }

    async fn sends(&self, query: &SendQuery) -> Result<Vec<Send>, StoreError> {
        Ok(self.open()?.state.ledger.page(query))
    }

    async fn claim_callbacks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Callback>, StoreError> {
        Ok(self.open()?.state.callbacks.claim(now, until, limit))
    }

    async fn report_callbacks(&self, reports: Vec<CallbackReport>) -> Result<(), StoreError> {
        self.open()?.state.callbacks.report(reports);
        Ok(())
    }

    async fn callbacks(&self, query: &CallbackQuery) -> Result<Vec<Callback>, StoreError> {
        Ok(self.open()?.state.callbacks.page(query))
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let state = &mut self.open()?.state;
        state.callbacks.sweep(now);
        state.ledger.sweep(now);
        state.allowances.retain(|_, arrival_us| *arrival_us > now.as_millis().saturating_mul(1000));
        state.once.retain(|_, until| *until > now);
        let expired = |it: &Versioned<Entity>| it.value.expires_at().is_some_and(|at| at <= now);
        let keys: Vec<_> = state
            .entities
            .iter()
            .filter(|(_, it)| expired(it))
            .map(|(key, _)| key.clone())
            .collect();
        for key in state.tree(keys) {
            state.entities.remove(&key);
        }
        Ok(())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.open().map(drop)
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        Ok(())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.open()?.state = State::default();
        Ok(())
    }

    async fn save_snapshot(&self, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let mut contents = self.open()?;
        let state = contents.state.clone();
        contents.snapshots.insert(name.to_owned(), state);
        Ok(())
    }

    async fn load_snapshot(&self, name: &str) -> Result<bool, StoreError> {
        check_name(name)?;
        let mut contents = self.open()?;
        let Some(state) = contents.snapshots.get(name).cloned() else { return Ok(false) };
        contents.state = state;
        Ok(true)
    }
}

impl State {
    fn commit(&mut self, unit: Unit) -> Result<(), CommitError> {
        let mut undo = Undo::default();
        // Money comes last: it is taken for nothing that another check refuses.
        let result = self
            .change(&unit, &mut undo)
            .and_then(|()| self.check_fresh(&unit))
            .and_then(|()| self.ledger.spend(&unit.spends));
        if let Err(error) = result {
            undo.revert(self);
            return Err(error);
        }
        for key in &unit.forgive {
            self.allowances.remove(key);
        }
        for event in unit.events {
            self.append(event);
        }
        self.ledger.confirm(&unit.confirmed);
        self.ledger.enter(unit.sends);
        self.callbacks.enter(unit.callbacks);
        Ok(())
    }

    fn change(&mut self, unit: &Unit, undo: &mut Undo) -> Result<(), CommitError> {
        for write in &unit.entities {
            self.write_entity(write, undo)?;
        }
        self.write_numbers(&unit.numbers, undo)?;
        unit.takes.iter().try_for_each(|take| self.take(take, undo))?;
        unit.once.iter().try_for_each(|once| self.use_once(once, undo))
    }

    fn write_entity(&mut self, write: &EntityWrite, undo: &mut Undo) -> Result<(), CommitError> {
        match write {
            EntityWrite::Put { expected, entity } => {
                let key = entity.key();
                require(self.entity_version(&key) == *expected)?;
                require(entity.parent().is_none_or(|it| self.entities.contains_key(&it)))?;
                require(entity.lookup().is_none_or(|lookup| {
                    let other = |(k, it): (&EntityRef, &Versioned<Entity>)| {
                        k.kind == key.kind && *k != key && it.value.lookup() == Some(lookup)
                    };
                    !self.entities.iter().any(other)
                }))?;
                let stored = Versioned { version: expected + 1, value: entity.clone() };
                undo.entities.push((key.clone(), self.entities.insert(key, stored)));
            }
            EntityWrite::Delete { expected, entity } => {
                require(*expected > 0 && self.entity_version(entity) == *expected)?;
                for key in self.tree(vec![entity.clone()]) {
                    require(!self.has_claims(&key))?;
                    let removed = self.entities.remove(&key);
                    undo.entities.push((key, removed));
                }
            }
        }
        Ok(())
    }

    fn write_numbers(
        &mut self,
        writes: &[NumberWrite],
        undo: &mut Undo,
    ) -> Result<(), CommitError> {
        for write in writes {
            let version = self.numbers.get(&write.record.number).map_or(0, |it| it.version);
            require(version == write.expected)?;
        }
        for NumberWrite { expected, record } in writes {
            let stored = Versioned { version: expected + 1, value: record.clone() };
            undo.numbers.push((record.number, self.numbers.insert(record.number, stored)));
        }
        for write in writes {
            require(self.is_sound(&write.record))?;
        }
        Ok(())
    }

    /// Whether claims and client of `record` are nobody else's and its WABAs exist.
    fn is_sound(&self, record: &NumberRecord) -> bool {
        let client = holder(record);
        let clashes = |other: &NumberRecord| {
            other.number != record.number
                && (client.is_some() && holder(other) == client
                    || record.claims.iter().any(|claim| other.claim(&claim.id).is_some()))
        };
        record.claims.iter().all(|it| self.entities.contains_key(&EntityRef::waba(&it.waba)))
            && !self.numbers.values().any(|other| clashes(&other.value))
    }

    fn take(&mut self, take: &Take, undo: &mut Undo) -> Result<(), CommitError> {
        let before = self.allowances.get(&take.key).copied();
        let arrival_us = take
            .draw(before)
            .map_err(|opens_at| CommitError::Throttled { key: take.key.clone(), opens_at })?;
        self.allowances.insert(take.key.clone(), arrival_us);
        undo.allowances.push((take.key.clone(), before));
        Ok(())
    }

    fn use_once(&mut self, once: &OnceKey, undo: &mut Undo) -> Result<(), CommitError> {
        if self.once.contains_key(&once.key) {
            return Err(CommitError::Repeated { key: once.key.clone() });
        }
        self.once.insert(once.key.clone(), once.until);
        undo.once.push((once.key.clone(), None));
        Ok(())
    }

    /// Ids of sends are used once, in the store and in the unit.
    fn check_fresh(&self, unit: &Unit) -> Result<(), CommitError> {
        require(self.ledger.are_fresh(&unit.sends))?;
        require(self.callbacks.are_fresh(&unit.callbacks))
    }

    fn append(&mut self, event: Event) {
        let (last, previous) =
            self.audit.last().map_or((0, genesis()), |entry| (entry.seq, entry.hash));
        let seq = last + 1;
        self.audit.push(AuditEntry { seq, hash: chain_hash(&previous, seq, &event), event });
    }

    fn entity_version(&self, key: &EntityRef) -> Version {
        self.entities.get(key).map_or(0, |it| it.version)
    }

    /// `roots` and everything below them.
    fn tree(&self, roots: Vec<EntityRef>) -> Vec<EntityRef> {
        let mut keys = roots;
        let mut next = 0;
        while let Some(key) = keys.get(next).cloned() {
            let below =
                self.entities.iter().filter(|(_, it)| it.value.parent().as_ref() == Some(&key));
            keys.extend(below.map(|(child, _)| child.clone()));
            next += 1;
        }
        keys
    }

    fn has_claims(&self, key: &EntityRef) -> bool {
        let claims = self.numbers.values().flat_map(|it| &it.value.claims);
        key.kind == EntityKind::Waba
            && claims.into_iter().any(|it| EntityRef::waba(&it.waba) == *key)
    }

    fn find_number(&self, key: &NumberKey) -> Option<PhoneNumber> {
        let records = || self.numbers.values().map(|it| &it.value);
        match key {
            NumberKey::HeldBy(client) => {
                records().find(|it| it.held_by(client)).map(|it| it.number)
            }
            NumberKey::Claim(id) => records().find(|it| it.claim(id).is_some()).map(|it| it.number),
            NumberKey::PendingFor(client) => {
                let asked =
                    |_: &Claim, challenge: &Challenge| challenge.client.as_ref() == Some(client);
                let since = |it: &NumberRecord| Some((pending_since(it, asked)?, it.number));
                records().filter_map(since).max().map(|(_, number)| number)
            }
            NumberKey::PendingIn(waba) => {
                let asked = |claim: &Claim, challenge: &Challenge| {
                    claim.waba == *waba && challenge.client.is_none()
                };
                let since = |it: &NumberRecord| Some((pending_since(it, asked)?, it.number));
                records().filter_map(since).max().map(|(_, number)| number)
            }
        }
    }
}

impl Undo {
    fn revert(self, state: &mut State) {
        revert(&mut state.numbers, self.numbers);
        revert(&mut state.entities, self.entities);
        revert(&mut state.allowances, self.allowances);
        revert(&mut state.once, self.once);
    }
}

/// Puts back what was overwritten, the latest change first.
fn revert<K: Ord, V>(map: &mut BTreeMap<K, V>, changes: Vec<(K, Option<V>)>) {
    for (key, before) in changes.into_iter().rev() {
        match before {
            Some(value) => map.insert(key, value),
            None => map.remove(&key),
        };
    }
}

fn require(holds: bool) -> Result<(), CommitError> {
    if holds { Ok(()) } else { Err(CommitError::Conflict) }
}

fn holder(record: &NumberRecord) -> Option<&ClientId> {
    match &record.registration.as_ref()?.platform {
        Platform::OnPremise { client } => Some(client),
        Platform::CloudApi => None,
    }
}

/// When whoever is meant last asked for a code that still waits on this number.
fn pending_since(
    record: &NumberRecord,
    is_meant: impl Fn(&Claim, &Challenge) -> bool,
) -> Option<Timestamp> {
    let waiting = record.claims.iter().filter_map(|claim| match &claim.phase {
        ClaimPhase::AwaitingCode(challenge) => is_meant(claim, challenge).then_some(challenge),
        ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
    });
    waiting.map(|it| it.requested_at).max()
}

fn wanted(record: &NumberRecord, query: &NumberQuery) -> bool {
    let digits = || record.number.digits();
    query.after.is_none_or(|after| record.number > after)
        && query.registered.is_none_or(|wanted| record.registration.is_some() == wanted)
        && (!query.name_waits || record.claims.iter().any(Claim::name_waits))
        && query.prefix.as_ref().is_none_or(|prefix| digits().starts_with(prefix))
        && query
            .wabas
            .as_ref()
            .is_none_or(|wabas| record.claims.iter().any(|claim| wabas.contains(&claim.waba)))
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if is_snapshot_name(name) { Ok(()) } else { Err(unavailable("no name for a snapshot")) }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError { reason: reason.to_owned(), source: None }
}

#[cfg(test)]
mod tests {
    crate::store_contract!((std::sync::Arc::new(super::MemoryStore::new()), ()));
}

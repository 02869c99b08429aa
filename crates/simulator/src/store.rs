//! The store of the simulation: a store in memory behind a gate, with faults, that keeps a journal.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use registration::{NumberRecord, PhoneNumber, Timestamp};
use service::ports::{
    AuditEntry, AuditQuery, Budget, Callback, CallbackQuery, CallbackReport, CommitError, Entity,
    EntityKind, EntityRef, NumberKey, NumberQuery, NumberWrite, Receipt, Send, SendId, SendQuery,
    SendReport, SendState, Store, StoreError, Unit, Versioned,
};
use service::testing::MemoryStore;

use crate::chance::Chance;
use crate::faults::{Faults, Odds};
use crate::gate::Gate;
use crate::journal::{Change, Commit, Journal, Seen, current_call};
use crate::sabotage::Sabotage;

/// A [`MemoryStore`] that fails before or after it acted, lets the seed decide who goes first, and notes
/// in the journal what really happened.
#[derive(Debug)]
pub struct SimStore {
    memory: MemoryStore,
    gate: Arc<Gate>,
    faults: Arc<Faults>,
    journal: Arc<Journal>,
    sabotage: Sabotage,
    latest: Mutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    send: Option<Send>,
    /// Final reports, to be repeated.
    reports: Vec<SendReport>,
    dropped: u32,
}

impl SimStore {
    /// An empty store.
    #[must_use]
    pub fn new(
        gate: Arc<Gate>,
        faults: Arc<Faults>,
        journal: Arc<Journal>,
        sabotage: Sabotage,
    ) -> Self {
        let memory = MemoryStore::new();
        Self { memory, gate, faults, journal, sabotage, latest: Mutex::default() }
    }

    /// Reports once more what was reported earlier, as a provider does that repeats its acknowledgement.
    pub async fn repeat_report(&self, chance: &mut Chance) -> Result<(), StoreError> {
        let report = {
            let latest = self.latest();
            if latest.reports.is_empty() {
                return Ok(());
            }
            chance.pick(&latest.reports).clone()
        };
        self.memory.report_sends(vec![report]).await
    }

    /// Everything in the store as text, as a dump would show it.
    #[must_use]
    pub fn dump(&self) -> String {
        format!("{:?}", self.memory)
    }

    async fn before(&self, odds: impl Fn(&Odds) -> u64) -> Result<(), StoreError> {
        self.gate.pass().await;
        if self.faults.strikes(odds) { Err(fault("before")) } else { Ok(()) }
    }

    async fn after(&self) -> Result<(), StoreError> {
        let fails = self.faults.strikes(|odds| odds.write_fails_after);
        self.gate.pass().await;
        if fails { Err(fault("after")) } else { Ok(()) }
    }

    /// Stores the unit and notes what it changed.
    async fn apply(&self, mut unit: Unit) -> Result<(), CommitError> {
        let stored = self.stored(&unit).await?;
        let current =
            stored.iter().zip(&unit.numbers).all(|(it, write)| it.version == write.expected);
        let before: Vec<_> = stored.into_iter().map(|it| it.value).collect();
        self.sabotage.of_unit(&mut unit, &before, self.latest().send.as_ref());
        let after = unit.numbers.iter();
        let changes = before.into_iter().zip(after).map(|(before, write)| Change {
            before,
            after: write.record.clone(),
            version: write.expected + 1,
        });
        let commit = Commit {
            call: current_call(),
            changes: changes.collect(),
            sends: unit.sends.clone(),
            takes: unit.takes.len(),
            events: unit.events.clone(),
        };
        if !(current && self.drops(&unit)) {
            self.memory.commit(unit).await?;
        }
        if let Some(send) = commit.sends.last() {
            self.latest().send = Some(send.clone());
        }
        self.journal.note(Seen::Commit(commit));
        Ok(())
    }

    /// Whether a broken store says yes to this unit and forgets it.
    fn drops(&self, unit: &Unit) -> bool {
        if self.sabotage != Sabotage::DropsUnits || unit.numbers.is_empty() {
            return false;
        }
        let mut latest = self.latest();
        latest.dropped += 1;
        latest.dropped.is_multiple_of(7)
    }

    async fn stored(&self, unit: &Unit) -> Result<Vec<Versioned<NumberRecord>>, StoreError> {
        let mut records = Vec::new();
        for NumberWrite { record: NumberRecord { number, .. }, .. } in &unit.numbers {
            let absent = || Versioned { version: 0, value: NumberRecord::absent(*number) };
            records.push(self.memory.number(*number).await?.unwrap_or_else(absent));
        }
        Ok(records)
    }

    fn latest(&self) -> std::sync::MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for SimStore {
    async fn number(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<Versioned<NumberRecord>>, StoreError> {
        self.before(|odds| odds.read_fails).await?;
        self.memory.number(number).await
    }

    async fn find_number(&self, key: &NumberKey) -> Result<Option<PhoneNumber>, StoreError> {
        self.before(|odds| odds.read_fails).await?;
        self.memory.find_number(key).await
    }

    async fn numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRecord>, StoreError> {
        self.memory.numbers(query).await
    }

    async fn entity(&self, key: &EntityRef) -> Result<Option<Versioned<Entity>>, StoreError> {
        self.memory.entity(key).await
    }

    async fn entity_by_lookup(
        &self,
        kind: EntityKind,
        lookup: &str,
    ) -> Result<Option<Versioned<Entity>>, StoreError> {
        self.memory.entity_by_lookup(kind, lookup).await
    }

    async fn entities(
        &self,
        kind: EntityKind,
        parent: Option<&EntityRef>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Versioned<Entity>>, StoreError> {
        self.memory.entities(kind, parent, after, limit).await
    }

    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        self.before(|odds| odds.write_fails_before).await?;
        if self.faults.strikes(|odds| odds.conflict) {
            return Err(CommitError::Conflict);
        }
        if self.sabotage == Sabotage::AnswersEarly && !unit.numbers.is_empty() {
            return Ok(());
        }
        self.apply(unit).await?;
        Ok(self.after().await?)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.sabotage.of_audit(self.memory.audit(query).await?))
    }

    async fn claim_sends(
        &self,
        now: Timestamp,
        until: Timestamp,
        begun: bool,
        limit: usize,
    ) -> Result<Vec<Send>, StoreError> {
        self.before(|odds| odds.read_fails).await?;
        if self.sabotage == Sabotage::SkipsOutbox {
            return Ok(Vec::new());
        }
        let claimed = self.memory.claim_sends(now, until, begun, limit).await?;
        self.journal.note(Seen::Leases(current_call(), claimed.clone()));
        self.after().await?;
        Ok(claimed)
    }

    async fn begin_send(&self, id: SendId, until: Timestamp) -> Result<bool, StoreError> {
        self.before(|odds| odds.write_fails_before).await?;
        let stands = self.memory.begin_send(id, until).await?;
        self.after().await?;
        Ok(stands)
    }

    async fn report_sends(&self, reports: Vec<SendReport>) -> Result<(), StoreError> {
        if let Err(error) = self.before(|odds| odds.write_fails_before).await {
            self.journal.note(Seen::Forgotten);
            return Err(error);
        }
        self.memory.report_sends(self.sabotage.of_reports(reports.clone())).await?;
        let end = |it: &&SendReport| !matches!(it.state, SendState::Decided { .. });
        self.latest().reports.extend(reports.iter().filter(end).cloned());
        self.journal.note(Seen::Reports(reports));
        self.after().await
    }

    async fn receive(&self, receipts: Vec<Receipt>) -> Result<Vec<bool>, StoreError> {
        self.memory.receive(receipts).await
    }

    async fn budgets(&self, prefix: &str) -> Result<Vec<Budget>, StoreError> {
        self.memory.budgets(prefix).await
    }

    async fn sends(&self, query: &SendQuery) -> Result<Vec<Send>, StoreError> {
        self.memory.sends(query).await
    }

    async fn claim_callbacks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Callback>, StoreError> {
        self.memory.claim_callbacks(now, until, limit).await
    }

    async fn report_callbacks(&self, reports: Vec<CallbackReport>) -> Result<(), StoreError> {
        self.memory.report_callbacks(reports).await
    }

    async fn callbacks(&self, query: &CallbackQuery) -> Result<Vec<Callback>, StoreError> {
        self.memory.callbacks(query).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.memory.sweep(now).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.memory.ping().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.memory.close().await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.memory.clear().await
    }

    async fn save_snapshot(&self, name: &str) -> Result<(), StoreError> {
        self.memory.save_snapshot(name).await
    }

    async fn load_snapshot(&self, name: &str) -> Result<bool, StoreError> {
        self.memory.load_snapshot(name).await
    }
}

fn fault(when: &str) -> StoreError {
    StoreError { reason: format!("a simulated fault {when} the effect"), source: None }
}

//! The port, call by call: which thread does what.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};

use async_trait::async_trait;
use registration::{ClientId, NumberRecord, PhoneNumber, Timestamp, WabaId};
use rusqlite::Connection;
use service::ports::{
    AuditEntry, AuditQuery, Budget, Callback, CallbackQuery, CallbackReport, ClaimQuery,
    CommitError, Entity, EntityKind, EntityRef, LiveProofs, NumberCounts, NumberKey, NumberQuery,
    Receipt, Send, SendId, SendQuery, SendReport, Store, StoreError, Unit, Versioned,
};

use super::failure::Failure;
use super::unit::UnitRows;
use super::writer::Queue;
use super::{
    SqliteStore, ahead, allowances, audit, budgets, callbacks, entities, nonces, numbers, sends,
    snapshot,
};

/// Rows that one transaction of a sweep removes at most, so that commits pass in between.
const SWEEP_ROWS: usize = 1000;

/// Parts of the directory that a list has at most if it is read at once: a tenth of a millisecond. A longer one is
/// read as a whole on a thread for such work.
const AT_ONCE: usize = 20;

impl SqliteStore {
    /// The way to the writer, as long as it lives.
    fn queue(&self) -> Result<&Queue, Failure> {
        self.queue.as_ref().filter(|queue| !queue.is_closed()).ok_or(Failure::Closed)
    }

    /// Whether nobody but this store writes, so that memory can stand in for a read. Its writer must
    /// still live: a store without one is no store any more, even if something is remembered.
    fn is_owner(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| !queue.is_closed())
    }

    /// A look-up, done at once.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        self.lives()?;
        self.readers.with(work)
    }

    /// A list or a count: takes as long as there are rows, and holds up nobody.
    async fn walk<T: core::marker::Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + core::marker::Send + 'static,
    ) -> Result<T, Failure> {
        self.lives()?;
        self.readers.walk(work).await
    }

    /// A store without its writer is no store any more, even if the file can still be read.
    fn lives(&self) -> Result<(), Failure> {
        match &self.queue {
            Some(queue) if queue.is_closed() => Err(Failure::Closed),
            _ => Ok(()),
        }
    }

    async fn commit_unit(&self, unit: Unit) -> Result<(), Failure> {
        let queue = self.queue()?;
        let epoch = self.epoch.load(Acquire);
        let (rows, touched) = UnitRows::prepare(&self.readers, &self.recent, unit)?;
        let current = Arc::clone(&self.epoch);
        let apply = move |conn: &Connection, head: &mut audit::AuditHead| {
            if current.load(Acquire) != epoch {
                return Err(Failure::Conflict);
            }
            *head = rows.apply(conn, *head)?;
            Ok(())
        };
        let recent = Arc::clone(&self.recent);
        queue.shared_then(apply, move |()| recent.committed(touched)).await
    }

    /// Replaces all rows by `work`.
    async fn replace<T: core::marker::Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + core::marker::Send + 'static,
    ) -> Result<T, Failure> {
        let (epoch, recent) = (Arc::clone(&self.epoch), Arc::clone(&self.recent));
        let replace = move |conn: &Connection| {
            let outcome = work(conn);
            epoch.fetch_add(1, Release);
            recent.clear();
            outcome
        };
        self.queue()?.alone(replace).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn number(
        &self,
        number: PhoneNumber,
    ) -> Result<Option<Versioned<NumberRecord>>, StoreError> {
        let read = || self.read(|conn| numbers::load(conn, number));
        Ok(if self.is_owner() { self.recent.number(number, read) } else { read() }?)
    }

    async fn find_number(&self, key: &NumberKey) -> Result<Option<PhoneNumber>, StoreError> {
        let read = || self.read(|conn| numbers::find(conn, key));
        let any_hosted = || self.read(numbers::any_hosted);
        Ok(if self.is_owner() { self.recent.found(key, read, any_hosted) } else { read() }?)
    }

    async fn numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRecord>, StoreError> {
        let query = query.clone();
        Ok(self.walk(move |conn| numbers::page(conn, &query)).await?)
    }

    async fn claimed(&self, query: &ClaimQuery) -> Result<Vec<NumberRecord>, StoreError> {
        let query = query.clone();
        Ok(self.walk(move |conn| numbers::claimed(conn, &query)).await?)
    }

    async fn claim_count(&self, waba: &WabaId) -> Result<u64, StoreError> {
        let waba = waba.clone();
        Ok(self.walk(move |conn| numbers::claim_count(conn, &waba)).await?)
    }

    async fn number_counts(&self, live: LiveProofs) -> Result<NumberCounts, StoreError> {
        Ok(self.walk(move |conn| numbers::counts(conn, live)).await?)
    }

    async fn entity(&self, key: &EntityRef) -> Result<Option<Versioned<Entity>>, StoreError> {
        let read = || self.read(|conn| entities::load(conn, key));
        Ok(if self.is_owner() { self.recent.entity(key, read) } else { read() }?)
    }

    async fn read_ahead(&self, client: &ClientId, session: &EntityRef) {
        if self.is_owner() {
            let client = EntityRef::client(client);
            let read = || self.read(|conn| ahead::load(conn, &client, session));
            // What could not be read is read again when it is asked for, and fails there.
            let _ = self.recent.ahead(&client, session, read);
        }
    }

    async fn entity_by_lookup(
        &self,
        kind: EntityKind,
        lookup: &str,
    ) -> Result<Option<Versioned<Entity>>, StoreError> {
        Ok(self.read(|conn| entities::by_lookup(conn, kind, lookup))?)
    }

    async fn entities(
        &self,
        kind: EntityKind,
        parent: Option<&EntityRef>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Versioned<Entity>>, StoreError> {
        // Asked with each decision, and nearly always answered from memory: whether there is any webhook.
        if self.is_owner() && limit > 0 && kind == EntityKind::Webhook {
            let any =
                || Ok(!self.read(|conn| entities::page(conn, kind, None, None, 1))?.is_empty());
            if !self.recent.has_kind(kind, any)? {
                return Ok(Vec::new());
            }
        }
        // Asked with most calls of the hosted dialects, and nearly always short. What may hold pictures is not.
        if !entities::may_be_large(kind) {
            let short = limit.min(AT_ONCE);
            let page = self.read(|conn| entities::page(conn, kind, parent, after, short))?;
            if page.len() < short || short == limit {
                return Ok(page);
            }
        }
        let (parent, after) = (parent.cloned(), after.map(str::to_owned));
        let page = move |conn: &Connection| {
            entities::page(conn, kind, parent.as_ref(), after.as_deref(), limit)
        };
        Ok(self.walk(page).await?)
    }

    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        Ok(self.commit_unit(unit).await?)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let query = query.clone();
        Ok(self.walk(move |conn| audit::page(conn, &query)).await?)
    }

    async fn claim_sends(
        &self,
        now: Timestamp,
        until: Timestamp,
        begun: bool,
        limit: usize,
    ) -> Result<Vec<Send>, StoreError> {
        if !self.read(|conn| sends::any_due(conn, now))? {
            return Ok(Vec::new());
        }
        let claim =
            move |conn: &Connection, _: &mut _| sends::claim(conn, now, until, begun, limit);
        Ok(self.queue()?.shared(claim).await?)
    }

    async fn begin_send(&self, id: SendId, until: Timestamp) -> Result<bool, StoreError> {
        let begin = move |conn: &Connection, _: &mut _| sends::begin(conn, id, until);
        Ok(self.queue()?.shared(begin).await?)
    }

    async fn report_sends(&self, reports: Vec<SendReport>) -> Result<(), StoreError> {
        let report = move |conn: &Connection, _: &mut _| {
            reports.iter().try_for_each(|report| sends::report(conn, report))
        };
        Ok(self.queue()?.shared(report).await?)
    }

    async fn receive(&self, receipts: Vec<Receipt>) -> Result<Vec<bool>, StoreError> {
        let receive = move |conn: &Connection, _: &mut _| {
            receipts.iter().map(|receipt| sends::receive(conn, receipt)).collect()
        };
        Ok(self.queue()?.shared(receive).await?)
    }

    async fn budgets(&self, prefix: &str) -> Result<Vec<Budget>, StoreError> {
        let prefix = prefix.to_owned();
        Ok(self.walk(move |conn| budgets::page(conn, &prefix)).await?)
    }

    async fn sends(&self, query: &SendQuery) -> Result<Vec<Send>, StoreError> {
        let query = query.clone();
        Ok(self.walk(move |conn| sends::page(conn, &query)).await?)
    }

    async fn claim_callbacks(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Callback>, StoreError> {
        if !self.read(|conn| callbacks::any_due(conn, now))? {
            return Ok(Vec::new());
        }
        let claim = move |conn: &Connection, _: &mut _| callbacks::claim(conn, now, until, limit);
        Ok(self.queue()?.shared(claim).await?)
    }

    async fn report_callbacks(&self, reports: Vec<CallbackReport>) -> Result<(), StoreError> {
        let report = move |conn: &Connection, _: &mut _| {
            reports.iter().try_for_each(|report| callbacks::report(conn, report))
        };
        Ok(self.queue()?.shared(report).await?)
    }

    async fn callbacks(&self, query: &CallbackQuery) -> Result<Vec<Callback>, StoreError> {
        let query = query.clone();
        Ok(self.walk(move |conn| callbacks::page(conn, &query)).await?)
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let now_ms = now.as_millis();
        let sweep = move |conn: &Connection, _: &mut _| {
            let entities = entities::sweep(conn, now_ms, SWEEP_ROWS)?;
            let nonces = nonces::sweep(conn, now_ms, SWEEP_ROWS)?;
            let allowances = allowances::sweep(conn, now_ms, SWEEP_ROWS)?;
            let callbacks = callbacks::sweep(conn, now_ms, SWEEP_ROWS)?;
            let budgets = budgets::sweep(conn, now_ms, SWEEP_ROWS)?;
            let most = entities.max(nonces).max(allowances).max(callbacks).max(budgets);
            Ok((entities, most))
        };
        loop {
            let recent = Arc::clone(&self.recent);
            let swept = move |(entities, _): &(usize, usize)| {
                if *entities > 0 {
                    recent.forget_entities();
                }
            };
            if self.queue()?.shared_then(sweep, swept).await?.1 < SWEEP_ROWS {
                return Ok(());
            }
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.counters.is_failing() {
            return Err(Failure::Failing.into());
        }
        Ok(self.read(|conn| Ok(conn.query_row("SELECT 1", [], |_| Ok(()))?))?)
    }

    async fn close(&self) -> Result<(), StoreError> {
        if let Some(queue) = &self.queue {
            queue.close().await?;
        }
        let threads = self.threads.lock().await.take();
        let ended = tokio::task::spawn_blocking(|| drop(threads)).await;
        ended.map_err(|error| StoreError {
            reason: "the store did not end".into(),
            source: Some(error.into()),
        })
    }

    async fn clear(&self) -> Result<(), StoreError> {
        Ok(self.replace(snapshot::clear).await?)
    }

    async fn save_snapshot(&self, name: &str) -> Result<(), StoreError> {
        let file = snapshot::file(&self.path, name)?;
        Ok(self.queue()?.alone(move |conn| snapshot::save(conn, &file)).await?)
    }

    async fn load_snapshot(&self, name: &str) -> Result<bool, StoreError> {
        let file = snapshot::file(&self.path, name)?;
        Ok(self.replace(move |conn| snapshot::load(conn, &file)).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::SqliteOptions;

    #[tokio::test]
    async fn a_store_that_failed_serves_again_once_the_disk_takes_something_though_nobody_asks() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rollcall.db");
        let store = SqliteStore::open(&path, &SqliteOptions::default()).expect("opens");
        store.ping().await.expect("serves");
        // As a commit that fails does; while another holds the file, nothing can be written.
        let other = Connection::open(&path).expect("opens");
        other.execute_batch("BEGIN IMMEDIATE").expect("holds the file");
        store.counters.reached_disk(false);
        let told = store.ping().await.expect_err("cannot store").to_string();
        assert_eq!(told, "the store is unavailable: the last transaction did not reach the disk");
        store
            .number(PhoneNumber::parse("+447700900123").expect("E.164"))
            .await
            .expect("still reads");
        other.execute_batch("ROLLBACK").expect("lets go");
        let recovered = async {
            while store.ping().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), recovered).await.expect("serves again");
    }
}

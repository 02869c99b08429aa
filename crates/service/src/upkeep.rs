//! Changes of the directory that an operator makes, with the outcomes an operator must be told apart.

use registration::{AccountId, ClientId, TextId, WabaId};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::directory::{Entity, EntityKind, EntityRef};
use crate::error::{ServiceError, Unavailable};
use crate::ports::{CommitError, EntityWrite, NumberKey, Subject, Unit};
use crate::service::{Service, committed};
use crate::turns_of_others::let_others;

/// Parts of the directory read at once where all of them are needed.
const PAGE: usize = 500;

/// Tries before giving up because others change the same part at this very moment.
const ATTEMPTS_MAX: u32 = 4;

/// How a change of the directory ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It looks like this now.
    Done(Entity),
    /// There is no such part.
    Unknown,
    /// Another part has the second name that this one should get (a client's host).
    Taken,
}

/// How a removal from the directory ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone, with everything below it.
    Done,
    /// There is no such part.
    Unknown,
    /// A number hangs on it: a claim of a WABA, or the registration that a client runs.
    InUse,
}

impl Service {
    /// Changes a part of the directory and records `what` happened. `change` may run more than once.
    pub async fn change_entity(
        &self,
        caller: &Caller,
        key: &EntityRef,
        what: &str,
        change: impl Fn(&mut Entity) + core::marker::Send + Sync,
    ) -> Result<Changed, ServiceError> {
        let mut seen = None;
        for _ in 0..ATTEMPTS_MAX {
            let Some(found) = self.store.entity(key).await? else { return Ok(Changed::Unknown) };
            // The version did not move and yet the store refused: the second name is taken.
            if seen == Some(found.version) {
                return Ok(Changed::Taken);
            }
            seen = Some(found.version);
            let mut entity = found.value;
            change(&mut entity);
            let put = EntityWrite::Put { expected: found.version, entity: entity.clone() };
            let unit = Unit {
                entities: vec![put],
                events: vec![self.event(caller, Subject::Entity(key.clone()), what, &json!({}))],
                ..Unit::default()
            };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| Changed::Done(entity)),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// Puts a part of the directory in place of the one that is there, if one is, and records it.
    pub async fn put_entity(&self, caller: &Caller, entity: Entity) -> Result<(), ServiceError> {
        let key = entity.key();
        for _ in 0..ATTEMPTS_MAX {
            let expected = self.store.entity(&key).await?.map_or(0, |found| found.version);
            let what = if expected == 0 { "created" } else { "changed" };
            let kind = format!("{}_{what}", key.kind.as_str());
            let unit = Unit {
                entities: vec![EntityWrite::Put { expected, entity: entity.clone() }],
                events: vec![self.event(caller, Subject::Entity(key.clone()), &kind, &json!({}))],
                ..Unit::default()
            };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// Removes a part of the directory and everything below it, unless a number hangs on it.
    pub async fn remove_entity(
        &self,
        caller: &Caller,
        key: &EntityRef,
    ) -> Result<Removed, ServiceError> {
        let mut seen = None;
        for _ in 0..ATTEMPTS_MAX {
            let Some(found) = self.store.entity(key).await? else { return Ok(Removed::Unknown) };
            if seen == Some(found.version) || self.runs_a_number(key).await? {
                return Ok(Removed::InUse);
            }
            seen = Some(found.version);
            let kind = format!("{}_deleted", key.kind.as_str());
            let delete = EntityWrite::Delete { expected: found.version, entity: key.clone() };
            let unit = Unit {
                entities: vec![delete],
                events: vec![self.event(caller, Subject::Entity(key.clone()), &kind, &json!({}))],
                ..Unit::default()
            };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| Removed::Done),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// The WABAs of an account, over all its spaces.
    pub async fn wabas_of_account(&self, account: &AccountId) -> Result<Vec<WabaId>, ServiceError> {
        let account = EntityRef::account(account);
        let mut wabas = Vec::new();
        let spaces = self.entities_below(EntityKind::Space, &account).await?;
        for (step, space) in spaces.into_iter().enumerate() {
            let_others(step).await;
            let found = self.entities_below(EntityKind::Waba, &space.key()).await?;
            wabas.extend(found.into_iter().filter_map(|it| Some(it.into_waba()?.id)));
        }
        Ok(wabas)
    }

    /// Records something that changed neither a number nor the directory.
    pub async fn record(
        &self,
        caller: &Caller,
        subject: Subject,
        what: &str,
        details: &Value,
    ) -> Result<(), ServiceError> {
        let events = vec![self.event(caller, subject, what, details)];
        self.commit(Unit { events, ..Unit::default() }).await
    }

    async fn runs_a_number(&self, key: &EntityRef) -> Result<bool, ServiceError> {
        match (key.kind, ClientId::parse(&key.id)) {
            (EntityKind::Client, Some(client)) => {
                Ok(self.store.find_number(&NumberKey::HeldBy(client)).await?.is_some())
            }
            _ => Ok(false),
        }
    }

    /// Everything of one kind below `parent`.
    pub async fn entities_below(
        &self,
        kind: EntityKind,
        parent: &EntityRef,
    ) -> Result<Vec<Entity>, ServiceError> {
        let mut all: Vec<Entity> = Vec::new();
        loop {
            let after = all.last().map(|it| it.key().id);
            let page = self.entities(kind, Some(parent), after.as_deref(), PAGE).await?;
            let last = page.len() < PAGE;
            all.extend(page);
            if last {
                return Ok(all);
            }
        }
    }
}

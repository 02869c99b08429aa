//! Users, groups and policies of an account.
//!
//! What a user or group names exists: whoever attaches a policy or joins a group writes that policy or
//! group again, unchanged, in the same unit. A removal that looked for uses meanwhile named the version
//! before, so it conflicts and looks again.

use registration::{AccountId, TextId as _};
use serde_json::{Value, json};

use super::document::PolicyDocument;
use super::name::RamName;
use super::parse::PolicyError;
use super::system::SystemPolicy;
use crate::caller::Caller;
use crate::clients::Added;
use crate::directory::{CustomPolicy, Entity, EntityKind, EntityRef};
use crate::error::{ServiceError, Unavailable};
use crate::ports::{CommitError, EntityWrite, Subject, Unit, Versioned};
use crate::service::{Service, committed};
use crate::upkeep::Changed;

/// Most policies attached to one user or group. Bounds what a request has to read (our choice).
pub const POLICIES_MAX: usize = 20;

/// Most groups that one user is in (our choice).
pub const GROUPS_MAX: usize = 10;

/// Tries before giving up because others change the same part at this very moment.
const ATTEMPTS_MAX: u32 = 4;

/// How a policy was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It looks like this now.
    Done(CustomPolicy),
    /// Its text is no policy; nothing was changed.
    Faulty(PolicyError),
    /// Its name is kept for system policies.
    Reserved,
    /// There is one of this name already.
    Exists,
    /// There is no such account.
    NoAccount,
    /// There is no policy of this name to change.
    Unknown,
}

/// How a policy was attached or detached, a group joined or left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked {
    /// It is so now, or was before.
    Done,
    /// There is no such user, or no such group to attach to.
    NoHolder,
    /// There is no such policy or group; or it is not there to be detached or left.
    NoTarget,
    /// That would be more than this many.
    Full(usize),
}

/// How the removal of a policy or group ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Done,
    /// There is no such policy or group.
    Unknown,
    /// This user or group names it.
    InUse(EntityRef),
}

/// To whom a policy is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A RAM user.
    User(&'a RamName),
    /// All users of a group.
    Group(&'a RamName),
}

impl Holder<'_> {
    fn key(self, account: &AccountId) -> EntityRef {
        match self {
            Self::User(name) => EntityRef::ram_user(account, name),
            Self::Group(name) => EntityRef::group(account, name),
        }
    }
}

impl Service {
    /// Adds a policy to an account, if its text is one.
    pub async fn create_policy(
        &self,
        caller: &Caller,
        account: &AccountId,
        name: &RamName,
        document: &str,
    ) -> Result<Saved, ServiceError> {
        if name.as_str().starts_with(SystemPolicy::PREFIX) {
            return Ok(Saved::Reserved);
        }
        if let Err(error) = PolicyDocument::parse(document) {
            return Ok(Saved::Faulty(error));
        }
        let now = self.now();
        let policy = CustomPolicy {
            account: account.clone(),
            name: name.clone(),
            document: document.to_owned(),
            created_at: now,
            updated_at: now,
        };
        Ok(match self.add_entity(caller, Entity::CustomPolicy(policy.clone())).await? {
            Added::Created => Saved::Done(policy),
            Added::Exists => Saved::Exists,
            Added::NoParent => Saved::NoAccount,
        })
    }

    /// Gives a policy another text, if that is a policy. It counts from the next request on.
    pub async fn change_policy(
        &self,
        caller: &Caller,
        account: &AccountId,
        name: &RamName,
        document: &str,
    ) -> Result<Saved, ServiceError> {
        if let Err(error) = PolicyDocument::parse(document) {
            return Ok(Saved::Faulty(error));
        }
        let key = EntityRef::custom_policy(account, name);
        let now = self.now();
        let write = |entity: &mut Entity| {
            if let Entity::CustomPolicy(policy) = entity {
                document.clone_into(&mut policy.document);
                policy.updated_at = now;
            }
        };
        match self.change_entity(caller, &key, "policy_changed", write).await? {
            Changed::Done(entity) => {
                Ok(entity.into_custom_policy().map_or(Saved::Unknown, Saved::Done))
            }
            Changed::Unknown => Ok(Saved::Unknown),
            // A policy has no second name: only somebody who writes all the time gets us here.
            Changed::Taken => Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into()),
        }
    }

    /// Attaches a system policy or one of the account's own.
    pub async fn attach_policy(
        &self,
        caller: &Caller,
        account: &AccountId,
        holder: Holder<'_>,
        policy: &RamName,
    ) -> Result<Linked, ServiceError> {
        let is_system = SystemPolicy::parse(policy.as_str()).is_some();
        let target = (!is_system).then(|| EntityRef::custom_policy(account, policy));
        self.link(caller, &holder.key(account), LinkKind::Policy, policy, target).await
    }

    /// Detaches a policy.
    pub async fn detach_policy(
        &self,
        caller: &Caller,
        account: &AccountId,
        holder: Holder<'_>,
        policy: &RamName,
    ) -> Result<Linked, ServiceError> {
        self.unlink(caller, &holder.key(account), LinkKind::Policy, policy).await
    }

    /// Puts a user into a group.
    pub async fn join_group(
        &self,
        caller: &Caller,
        account: &AccountId,
        user: &RamName,
        group: &RamName,
    ) -> Result<Linked, ServiceError> {
        let target = Some(EntityRef::group(account, group));
        self.link(caller, &EntityRef::ram_user(account, user), LinkKind::Group, group, target).await
    }

    /// Takes a user out of a group.
    pub async fn leave_group(
        &self,
        caller: &Caller,
        account: &AccountId,
        user: &RamName,
        group: &RamName,
    ) -> Result<Linked, ServiceError> {
        self.unlink(caller, &EntityRef::ram_user(account, user), LinkKind::Group, group).await
    }

    /// Removes a policy that is attached to nobody.
    pub async fn remove_policy(
        &self,
        caller: &Caller,
        account: &AccountId,
        name: &RamName,
    ) -> Result<Removal, ServiceError> {
        let key = EntityRef::custom_policy(account, name);
        self.remove_unused(caller, account, &key, LinkKind::Policy, name).await
    }

    /// Removes a group that nobody is in.
    pub async fn remove_group(
        &self,
        caller: &Caller,
        account: &AccountId,
        name: &RamName,
    ) -> Result<Removal, ServiceError> {
        let key = EntityRef::group(account, name);
        self.remove_unused(caller, account, &key, LinkKind::Group, name).await
    }

    async fn link(
        &self,
        caller: &Caller,
        holder: &EntityRef,
        kind: LinkKind,
        name: &RamName,
        target: Option<EntityRef>,
    ) -> Result<Linked, ServiceError> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(mut found) = self.store.entity(holder).await? else {
                return Ok(Linked::NoHolder);
            };
            let mut entities = Vec::with_capacity(2);
            if let Some(target) = &target {
                let Some(target) = self.store.entity(target).await? else {
                    return Ok(Linked::NoTarget);
                };
                entities.push(put(target));
            }
            let Some(names) = kind.names(&mut found.value) else { return Ok(Linked::NoHolder) };
            if names.contains(name) {
                return Ok(Linked::Done);
            }
            if names.len() >= kind.max() {
                return Ok(Linked::Full(kind.max()));
            }
            names.push(name.clone());
            entities.push(put(found));
            match self.write(caller, holder, kind.added(), kind.details(name), entities).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| Linked::Done),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    async fn unlink(
        &self,
        caller: &Caller,
        holder: &EntityRef,
        kind: LinkKind,
        name: &RamName,
    ) -> Result<Linked, ServiceError> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(mut found) = self.store.entity(holder).await? else {
                return Ok(Linked::NoHolder);
            };
            let Some(names) = kind.names(&mut found.value) else { return Ok(Linked::NoHolder) };
            let Some(place) = names.iter().position(|it| it == name) else {
                return Ok(Linked::NoTarget);
            };
            names.remove(place);
            let entities = vec![put(found)];
            match self.write(caller, holder, kind.removed(), kind.details(name), entities).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| Linked::Done),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    async fn remove_unused(
        &self,
        caller: &Caller,
        account: &AccountId,
        key: &EntityRef,
        kind: LinkKind,
        name: &RamName,
    ) -> Result<Removal, ServiceError> {
        for _ in 0..ATTEMPTS_MAX {
            // The version comes first, then the search: see the module's promise.
            let Some(found) = self.store.entity(key).await? else { return Ok(Removal::Unknown) };
            let account = EntityRef::account(account);
            let mut holders = self.entities_below(EntityKind::RamUser, &account).await?;
            holders.extend(self.entities_below(EntityKind::Group, &account).await?);
            let uses = |it: &mut Entity| kind.names(it).is_some_and(|names| names.contains(name));
            if let Some(user) = holders.iter_mut().find_map(|it| uses(it).then(|| it.key())) {
                return Ok(Removal::InUse(user));
            }
            let what = format!("{}_deleted", key.kind.as_str());
            let delete = EntityWrite::Delete { expected: found.version, entity: key.clone() };
            match self.write(caller, key, &what, json!({}), vec![delete]).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| Removal::Done),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    async fn write(
        &self,
        caller: &Caller,
        about: &EntityRef,
        what: &str,
        details: Value,
        entities: Vec<EntityWrite>,
    ) -> Result<(), CommitError> {
        let events = vec![self.event(caller, Subject::Entity(about.clone()), what, &details)];
        self.store.commit(Unit { entities, events, ..Unit::default() }).await
    }
}

fn put(found: Versioned<Entity>) -> EntityWrite {
    EntityWrite::Put { expected: found.version, entity: found.value }
}

/// What a user or group names.
#[derive(Clone, Copy)]
enum LinkKind {
    Policy,
    Group,
}

impl LinkKind {
    /// The names that stand in `holder`; `None` if it can have none.
    fn names(self, holder: &mut Entity) -> Option<&mut Vec<RamName>> {
        match (self, holder) {
            (Self::Policy, Entity::RamUser(user)) => Some(&mut user.policies),
            (Self::Policy, Entity::Group(group)) => Some(&mut group.policies),
            (Self::Group, Entity::RamUser(user)) => Some(&mut user.groups),
            _ => None,
        }
    }

    const fn max(self) -> usize {
        match self {
            Self::Policy => POLICIES_MAX,
            Self::Group => GROUPS_MAX,
        }
    }

    const fn added(self) -> &'static str {
        match self {
            Self::Policy => "policy_attached",
            Self::Group => "group_joined",
        }
    }

    const fn removed(self) -> &'static str {
        match self {
            Self::Policy => "policy_detached",
            Self::Group => "group_left",
        }
    }

    fn details(self, name: &RamName) -> Value {
        match self {
            Self::Policy => json!({ "policy": name.as_str() }),
            Self::Group => json!({ "group": name.as_str() }),
        }
    }
}

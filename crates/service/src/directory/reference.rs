//! Names of the parts of the directory.

use registration::{AccountId, ClientId, CustomerSpaceId, TextId as _, WabaId};

use super::EntityKind;
use crate::ram::RamName;

/// Names a part of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityRef {
    /// Of which kind.
    pub kind: EntityKind,
    /// Its id, unique within the kind: users and documents carry their client, what belongs to RAM its
    /// account (`default/admin`).
    pub id: String,
}

impl EntityRef {
    /// Names an entity of `kind`.
    #[must_use]
    pub fn new(kind: EntityKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }

    /// Names an account.
    #[must_use]
    pub fn account(id: &AccountId) -> Self {
        Self::new(EntityKind::Account, id.as_str())
    }

    /// Names a space.
    #[must_use]
    pub fn space(id: &CustomerSpaceId) -> Self {
        Self::new(EntityKind::Space, id.as_str())
    }

    /// Names a WABA.
    #[must_use]
    pub fn waba(id: &WabaId) -> Self {
        Self::new(EntityKind::Waba, id.as_str())
    }

    /// Names a client.
    #[must_use]
    pub fn client(id: &ClientId) -> Self {
        Self::new(EntityKind::Client, id.as_str())
    }

    /// Names a user of a client.
    #[must_use]
    pub fn user(client: &ClientId, name: &str) -> Self {
        Self::new(EntityKind::User, format!("{client}/{name}"))
    }

    /// Names an operator.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        Self::new(EntityKind::Operator, name)
    }

    /// Names a login that was ended.
    #[must_use]
    pub fn ended_login(id: &str) -> Self {
        Self::new(EntityKind::EndedLogin, id)
    }

    /// Names the mark of a master key.
    #[must_use]
    pub fn key_mark(epoch: u32) -> Self {
        Self::new(EntityKind::KeyMark, epoch.to_string())
    }

    /// Names an access key.
    #[must_use]
    pub fn access_key(id: &str) -> Self {
        Self::new(EntityKind::AccessKey, id)
    }

    /// Names a document of a client.
    #[must_use]
    pub fn document(client: &ClientId, name: &str) -> Self {
        Self::new(EntityKind::Document, format!("{client}/{name}"))
    }

    /// Names a RAM user.
    #[must_use]
    pub fn ram_user(account: &AccountId, name: &RamName) -> Self {
        Self::new(EntityKind::RamUser, format!("{account}/{name}"))
    }

    /// Names a group.
    #[must_use]
    pub fn group(account: &AccountId, name: &RamName) -> Self {
        Self::new(EntityKind::Group, format!("{account}/{name}"))
    }

    /// Names a custom policy.
    #[must_use]
    pub fn custom_policy(account: &AccountId, name: &RamName) -> Self {
        Self::new(EntityKind::CustomPolicy, format!("{account}/{name}"))
    }
}

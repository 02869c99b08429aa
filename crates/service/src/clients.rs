//! The directory: accounts, spaces, WABAs, clients and their documents.

use registration::{AccountId, ClientId, CustomerSpaceId, TextId, Timestamp, WabaId};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::caller::Caller;
use crate::coreapp::{self, CoreappStatus};
use crate::directory::{
    Account, Client, Document, Entity, EntityKind, EntityRef, Role, Space, User, Waba,
};
use crate::error::{ServiceError, Unavailable};
use crate::login::{ADMIN, SessionToken};
use crate::ports::{CommitError, EntityWrite, Subject, Unit, Versioned};
use crate::service::{Service, committed};

/// Name of the account, space, WABA-owner and client that exist from the first start.
pub const DEFAULT: &str = "default";

/// How an addition to the directory ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It is there now.
    Created,
    /// One of this name was there already; nothing was changed.
    Exists,
    /// What it should belong to does not exist.
    NoParent,
}

/// First password of a client's admin.
#[derive(Clone)]
pub struct FirstPassword {
    /// The password.
    pub password: String,
    /// The first login must replace it.
    pub must_change: bool,
}

impl Service {
    /// The client called `id`.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>, ServiceError> {
        let found = self.store.entity(&EntityRef::client(id)).await?;
        Ok(found.and_then(|found| found.value.into_client()))
    }

    /// The same, for a caller whose `token` is looked at next: its session is read in the same go.
    pub async fn client_of_call(
        &self,
        id: &ClientId,
        token: Option<&SessionToken>,
    ) -> Result<Option<Client>, ServiceError> {
        if let Some(token) = token {
            self.store.read_ahead(id, token.session()).await;
        }
        self.client(id).await
    }

    /// The client that is reached by this host name (without port).
    pub async fn client_by_host(&self, host: &str) -> Result<Option<Client>, ServiceError> {
        let host = host.to_ascii_lowercase();
        let found = self.store.entity_by_lookup(EntityKind::Client, &host).await?;
        Ok(found.and_then(|found| found.value.into_client()))
    }

    /// Any part of the directory.
    pub async fn entity(&self, key: &EntityRef) -> Result<Option<Versioned<Entity>>, ServiceError> {
        Ok(self.store.entity(key).await?)
    }

    /// A page of one kind, below `parent` if given.
    pub async fn entities(
        &self,
        kind: EntityKind,
        parent: Option<&EntityRef>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Entity>, ServiceError> {
        let page = self.store.entities(kind, parent, after, limit).await?;
        Ok(page.into_iter().map(|found| found.value).collect())
    }

    /// Adds a part of the directory, together with the event that says so.
    pub async fn add_entity(&self, caller: &Caller, entity: Entity) -> Result<Added, ServiceError> {
        let key = entity.key();
        if self.store.entity(&key).await?.is_some() {
            return Ok(Added::Exists);
        }
        if let Some(parent) = entity.parent()
            && self.store.entity(&parent).await?.is_none()
        {
            return Ok(Added::NoParent);
        }
        let kind = format!("{}_created", key.kind.as_str());
        let unit = Unit {
            entities: vec![EntityWrite::Put { expected: 0, entity }],
            events: vec![self.event(caller, Subject::Entity(key), &kind, &json!({}))],
            ..Unit::default()
        };
        match self.store.commit(unit).await {
            Err(CommitError::Conflict) => Ok(Added::Exists),
            other => committed(other).map(|()| Added::Created),
        }
    }

    /// Adds a client and its admin.
    pub async fn add_client(
        &self,
        caller: &Caller,
        client: Client,
        first: &FirstPassword,
    ) -> Result<Added, ServiceError> {
        let id = client.id.clone();
        let added = self.add_entity(caller, Entity::Client(client)).await?;
        if added == Added::Created {
            self.put_admin(caller, &id, first).await?;
        }
        Ok(added)
    }

    /// Makes the admin of a client, or gives it this password again (the operator's way back in).
    pub async fn put_admin(
        &self,
        caller: &Caller,
        client: &ClientId,
        first: &FirstPassword,
    ) -> Result<(), ServiceError> {
        let expected = self.user(client, ADMIN).await?.map_or(0, |found| found.version);
        let admin = User {
            client: client.clone(),
            name: ADMIN.to_owned(),
            role: Role::Admin,
            password: self.hasher.hash_password(&first.password).await?,
            must_change_password: first.must_change,
            created_at: self.now(),
        };
        let subject = Subject::Entity(EntityRef::user(client, ADMIN));
        self.commit(Unit {
            entities: vec![EntityWrite::Put { expected, entity: Entity::User(admin) }],
            events: vec![self.event(caller, subject, "admin_password_set", &json!({}))],
            ..Unit::default()
        })
        .await
    }

    /// Removes a part of the directory and everything below it; `false` if it was not there.
    pub async fn delete_entity(
        &self,
        caller: &Caller,
        key: &EntityRef,
    ) -> Result<bool, ServiceError> {
        let Some(found) = self.store.entity(key).await? else { return Ok(false) };
        let kind = format!("{}_deleted", key.kind.as_str());
        self.commit(Unit {
            entities: vec![EntityWrite::Delete { expected: found.version, entity: key.clone() }],
            events: vec![self.event(caller, Subject::Entity(key.clone()), &kind, &json!({}))],
            ..Unit::default()
        })
        .await?;
        Ok(true)
    }

    /// Changes a client's own settings (host, retirement, API key, shards).
    pub async fn change_client(
        &self,
        caller: &Caller,
        id: &ClientId,
        what: &str,
        change: impl Fn(&mut Client) + core::marker::Send + Sync,
    ) -> Result<Option<Client>, ServiceError> {
        let Some(found) = self.store.entity(&EntityRef::client(id)).await? else {
            return Ok(None);
        };
        let Some(mut client) = found.value.into_client() else { return Ok(None) };
        change(&mut client);
        let entity = Entity::Client(client.clone());
        let subject = Subject::Entity(EntityRef::client(id));
        self.commit(Unit {
            entities: vec![EntityWrite::Put { expected: found.version, entity }],
            events: vec![self.event(caller, subject, what, &json!({}))],
            ..Unit::default()
        })
        .await?;
        Ok(Some(client))
    }

    /// Whether `key` is the client's API key, compared in constant time.
    #[must_use]
    pub fn api_key_matches(&self, client: &Client, key: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        client.api_key_sha256.is_some_and(|kept| kept.ct_eq(&given).into())
    }

    /// A document of a client.
    pub async fn document(
        &self,
        client: &ClientId,
        name: &str,
    ) -> Result<Option<Document>, ServiceError> {
        let found = self.store.entity(&EntityRef::document(client, name)).await?;
        Ok(found.and_then(|found| found.value.into_document()))
    }

    /// Writes a document of a client: `edit` turns the stored content into the new one, `None` removes
    /// it. Repeated when another change came first, so that concurrent partial updates both count.
    pub async fn edit_document(
        &self,
        caller: &Caller,
        client: &ClientId,
        name: &str,
        edit: impl Fn(Option<&Document>) -> Option<(String, Vec<u8>)> + core::marker::Send + Sync,
    ) -> Result<(), ServiceError> {
        let key = EntityRef::document(client, name);
        for _ in 0..8 {
            let found = self.store.entity(&key).await?;
            let expected = found.as_ref().map_or(0, |found| found.version);
            let old = found.and_then(|found| found.value.into_document());
            let write = match edit(old.as_ref()) {
                Some((content_type, body)) => EntityWrite::Put {
                    expected,
                    entity: Entity::Document(Document {
                        client: client.clone(),
                        name: name.to_owned(),
                        content_type,
                        body,
                        updated_at: self.now(),
                    }),
                },
                None if expected == 0 => return Ok(()),
                None => EntityWrite::Delete { expected, entity: key.clone() },
            };
            let subject = Subject::Entity(key.clone());
            let unit = Unit {
                entities: vec![write],
                events: vec![self.event(caller, subject, "document_changed", &json!({}))],
                ..Unit::default()
            };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other),
            }
        }
        Err(Unavailable::Contended { attempts: 8 }.into())
    }

    /// What Coreapp of a client reports.
    pub async fn coreapp_status(&self, client: &Client) -> Result<CoreappStatus, ServiceError> {
        let record = self.number_of_client(&client.id).await?;
        let held = record.as_ref().and_then(|record| record.registration.as_ref());
        Ok(coreapp::status(client, held, self.now(), &self.policy().limits))
    }

    /// Refuses while Coreapp of the client restarts.
    pub async fn coreapp_up(&self, client: &Client) -> Result<(), ServiceError> {
        match self.coreapp_status(client).await? {
            CoreappStatus::Restarting { .. } => Err(Unavailable::CoreappRestarting.into()),
            CoreappStatus::Unregistered | CoreappStatus::Connecting | CoreappStatus::Connected => {
                Ok(())
            }
        }
    }

    /// Makes what exists from the first start: account, space, WABA and client called `default`. Does
    /// nothing where the default client exists. `true` if it was made now.
    pub async fn first_start(
        &self,
        waba: &WabaId,
        first: &FirstPassword,
    ) -> Result<bool, ServiceError> {
        let caller = Caller::system();
        let now = self.now();
        let Some(names) = DefaultNames::new() else {
            return Err(ServiceError::Bug("the default names are no identifiers".to_owned()));
        };
        if self.client(&names.client).await?.is_some() {
            return Ok(false);
        }
        for entity in names.directory(waba, now) {
            self.add_entity(&caller, entity).await?;
        }
        let client = Client {
            id: names.client.clone(),
            account: names.account.clone(),
            waba: waba.clone(),
            host: None,
            retired: false,
            api_key_sha256: None,
            shards: 1,
            restarting_until: Timestamp::default(),
            created_at: now,
        };
        Ok(self.add_client(&caller, client, first).await? == Added::Created)
    }
}

struct DefaultNames {
    account: AccountId,
    space: CustomerSpaceId,
    client: ClientId,
}

impl DefaultNames {
    fn new() -> Option<Self> {
        Some(Self {
            account: AccountId::parse(DEFAULT)?,
            space: CustomerSpaceId::parse(DEFAULT)?,
            client: ClientId::parse(DEFAULT)?,
        })
    }

    fn directory(&self, waba: &WabaId, now: Timestamp) -> [Entity; 3] {
        let name = DEFAULT.to_owned();
        [
            Entity::Account(Account {
                id: self.account.clone(),
                name: name.clone(),
                subscribed: true,
                created_at: now,
            }),
            Entity::Space(Space {
                id: self.space.clone(),
                account: self.account.clone(),
                name: name.clone(),
                created_at: now,
            }),
            Entity::Waba(Waba {
                id: waba.clone(),
                account: self.account.clone(),
                space: self.space.clone(),
                name,
                contact_email: None,
                created_at: now,
            }),
        ]
    }
}

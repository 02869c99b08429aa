//! The directory of a seed: accounts, spaces, WABAs, clients and their admins.

use registration::{ClientId, TextId as _, Timestamp, WabaId};
use sha2::{Digest as _, Sha256};

use super::apply::Draft;
use super::{SecretText, SeedAccount, SeedClient};
use crate::clients::DEFAULT;
use crate::directory::{Account, Client, Entity, EntityKind, EntityRef, Role, Space, User, Waba};
use crate::error::ServiceError;
use crate::login::ADMIN;
use crate::ports::{EntityWrite, Link};
use crate::service::Service;

impl Service {
    pub(super) async fn draft_directory(
        &self,
        draft: &mut Draft<'_>,
        account: &SeedAccount,
    ) -> Result<(), ServiceError> {
        let created_at = draft.now;
        let entity = Entity::Account(Account {
            id: account.id.clone(),
            name: account.name.clone(),
            subscribed: account.subscribed,
            created_at,
        });
        self.draft_entity(draft, entity).await?;
        draft.tally.accounts += 1;
        for space in &account.spaces {
            let entity = Entity::Space(Space {
                id: space.id.clone(),
                account: account.id.clone(),
                name: space.name.clone(),
                created_at,
            });
            self.draft_entity(draft, entity).await?;
            draft.tally.spaces += 1;
            for waba in &space.wabas {
                let entity = Entity::Waba(Waba {
                    id: waba.id.clone(),
                    account: account.id.clone(),
                    space: space.id.clone(),
                    name: waba.name.clone(),
                    contact_email: waba.contact_email.clone(),
                    created_at,
                });
                self.draft_entity(draft, entity).await?;
                draft.tally.wabas += 1;
                if let Some(link) = &waba.upstream {
                    self.draft_upstream(draft, &waba.id, link).await?;
                }
            }
        }
        for client in &account.clients {
            self.draft_client(draft, account, client).await?;
            draft.tally.clients += 1;
        }
        self.draft_ram(draft, account).await?;
        self.draft_access_keys(draft, account).await?;
        self.draft_graph_tokens(draft, account).await
    }

    async fn draft_upstream(
        &self,
        draft: &mut Draft<'_>,
        waba: &WabaId,
        link: &Link,
    ) -> Result<(), ServiceError> {
        match self.upstream.as_ref().map(|port| port.check(link)) {
            Some(Ok(())) => {
                let upstream = self.sealed_upstream(waba, link);
                self.draft_entity(draft, Entity::Upstream(Box::new(upstream))).await
            }
            Some(Err(reason)) => {
                draft.clash(format!("upstream of waba {waba}: {reason}"));
                Ok(())
            }
            None => {
                draft.clash("this server does not forward to registrars upstream".to_owned());
                Ok(())
            }
        }
    }

    /// Puts an entity at the version that is stored; one below another parent is a clash.
    pub(super) async fn draft_entity(
        &self,
        draft: &mut Draft<'_>,
        entity: Entity,
    ) -> Result<(), ServiceError> {
        let key = entity.key();
        let found = self.store.entity(&key).await?;
        let expected = found.as_ref().map_or(0, |found| found.version);
        if found.is_some_and(|found| found.value.parent() != entity.parent()) {
            draft.clash(format!("{} {} exists and is another's", key.kind.as_str(), key.id));
        }
        draft.unit.entities.push(EntityWrite::Put { expected, entity });
        Ok(())
    }

    async fn draft_client(
        &self,
        draft: &mut Draft<'_>,
        account: &SeedAccount,
        client: &SeedClient,
    ) -> Result<(), ServiceError> {
        let Some(waba) = self.waba_for(account, client).await? else {
            draft.clash(format!("client {} needs a waba that its account has", client.id));
            return Ok(());
        };
        if let Some(host) = &client.host {
            let holder = self.store.entity_by_lookup(EntityKind::Client, host).await?;
            if holder.is_some_and(|it| it.value.key() != EntityRef::client(&client.id)) {
                draft.clash(format!("host {host} is another client's"));
            }
        }
        let key = |key: &SecretText| Sha256::digest(key.reveal().as_bytes()).into();
        let entity = Entity::Client(Client {
            id: client.id.clone(),
            account: account.id.clone(),
            waba,
            host: client.host.clone(),
            retired: client.retired,
            api_key_sha256: client.api_key.as_ref().map(key),
            shards: client.shards,
            restarting_until: Timestamp::default(),
            created_at: draft.now,
        });
        self.draft_entity(draft, entity).await?;
        let admin = self.store.entity(&EntityRef::user(&client.id, ADMIN)).await?;
        let must_change_password = client.admin_password.is_none();
        let password = draft.prepared.passwords.get(&client.id);
        let Some(password) = password.filter(|_| admin.is_none() || !must_change_password) else {
            return Ok(());
        };
        let entity = Entity::User(User {
            client: client.id.clone(),
            name: ADMIN.to_owned(),
            role: Role::Admin,
            password: password.clone(),
            must_change_password,
            created_at: draft.now,
        });
        self.draft_entity(draft, entity).await
    }

    /// The WABA that a client registers for; `None` if there is none, or not in its account.
    async fn waba_for(
        &self,
        account: &SeedAccount,
        client: &SeedClient,
    ) -> Result<Option<WabaId>, ServiceError> {
        let wabas = || account.spaces.iter().flat_map(|space| &space.wabas).map(|waba| &waba.id);
        if let Some(waba) = &client.waba {
            let known =
                wabas().any(|id| id == waba) || self.waba_in_account(waba, &account.id).await?;
            return Ok(known.then(|| waba.clone()));
        }
        if let Some(existing) = self.client(&client.id).await? {
            return Ok(Some(existing.waba));
        }
        if let Some(first) = wabas().next() {
            return Ok(Some(first.clone()));
        }
        // The default account has a WABA from the first start on, which no seed needs to know.
        let default = ClientId::parse(DEFAULT).filter(|_| account.id.as_str() == DEFAULT);
        match default {
            Some(default) => Ok(self.client(&default).await?.map(|client| client.waba)),
            None => Ok(None),
        }
    }
}

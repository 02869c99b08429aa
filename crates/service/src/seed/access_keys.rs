//! The access keys of a seed, with the id, secret and token that it names, so that captured requests can be
//! replayed. The limit of active keys does not count here.

use super::apply::Draft;
use super::{SeedAccessKey, SeedAccount};
use crate::access_keys::{KeyOwner, is_key_id};
use crate::directory::{Entity, TemporaryKey};
use crate::error::ServiceError;
use crate::service::Service;

impl Service {
    pub(super) async fn draft_access_keys(
        &self,
        draft: &mut Draft<'_>,
        account: &SeedAccount,
    ) -> Result<(), ServiceError> {
        let credentials = &account.credentials;
        let owner = |user: Option<&str>| KeyOwner {
            account: account.id.clone(),
            user: user.map(str::to_owned),
        };
        for key in &credentials.access_keys {
            self.draft_access_key(draft, key, &owner(None), None).await?;
        }
        for user in &credentials.users {
            for key in &user.access_keys {
                self.draft_access_key(draft, key, &owner(Some(&user.name)), None).await?;
            }
        }
        for temporary in &credentials.temporary_keys {
            let token = temporary.security_token.reveal();
            let special = TemporaryKey::of(token, temporary.expires_at, None);
            self.draft_access_key(draft, &temporary.key, &owner(None), Some(special)).await?;
        }
        Ok(())
    }

    async fn draft_access_key(
        &self,
        draft: &mut Draft<'_>,
        seed: &SeedAccessKey,
        owner: &KeyOwner,
        temporary: Option<TemporaryKey>,
    ) -> Result<(), ServiceError> {
        if !is_key_id(&seed.id) {
            let id = seed.id.escape_debug();
            draft.clash(format!("access key {id}: an id has letters, digits, '.', '-', '_'"));
            return Ok(());
        }
        let mut key = self.sealed_key(&seed.id, &seed.secret, owner);
        key.temporary = temporary;
        self.draft_entity(draft, Entity::AccessKey(key)).await
    }
}

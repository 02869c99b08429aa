//! Access keys: what signs CAMS requests.
//!
//! The secret has to be known in clear to check a signature, so it is sealed at rest rather than hashed
//! ([`KeyRing::seal`](crate::keys::KeyRing::seal)) and bound to its id: moved to another row it does not
//! open. It is shown once, when it is made. An owner has two active keys at most: rotation makes the second
//! while the first still works, clients switch, then the first is disabled. Keys of a RAM user lie below the
//! user and go with it.

use core::time::Duration;

use registration::{AccountId, TextId as _, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::caller::Caller;
use crate::directory::{AccessKey, Entity, EntityKind, EntityRef, TemporaryKey};
use crate::error::{ServiceError, Unavailable};
use crate::ports::{CommitError, EntityWrite, Entropy, EntropyExt as _, Subject, Unit, Versioned};
use crate::ram::{PolicyDocument, PolicyError};
use crate::seed::SecretText;
use crate::service::{Service, committed};
use crate::upkeep::Removed;

/// Most active keys of one owner, temporary ones apart (as in Alibaba Cloud RAM).
pub const ACTIVE_KEYS_MAX: usize = 2;

/// Life of a temporary key: at least this (our choice; Alibaba Cloud STS: 15 minutes).
pub const TEMPORARY_LIFE_MIN: Duration = Duration::from_mins(1);

/// Life of a temporary key: at most this (as in Alibaba Cloud STS).
pub const TEMPORARY_LIFE_MAX: Duration = Duration::from_hours(12);

/// Keys read at once where all of an owner are needed.
const PAGE: usize = 500;

/// Tries before giving up because others change keys of the account at this very moment.
const ATTEMPTS_MAX: u32 = 8;

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// In which account.
    pub account: AccountId,
    /// Which RAM user of it; `None` is the account itself.
    pub user: Option<String>,
}

/// A key just made. The secret is not shown again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessKey {
    /// Identifier.
    pub id: String,
    /// Secret.
    pub secret: SecretText,
}

/// A temporary key just made. Secret and token are not shown again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTemporaryKey {
    /// Identifier and secret.
    pub key: NewAccessKey,
    /// The token that must come with each request.
    pub security_token: SecretText,
    /// From then on requests are refused.
    pub expires_at: Timestamp,
}

/// What a temporary key shall be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryOrder {
    /// How long it is valid: [`TEMPORARY_LIFE_MIN`] to [`TEMPORARY_LIFE_MAX`].
    pub life: Duration,
    /// A policy that narrows what the owner may do, as JSON text.
    pub session_policy: Option<String>,
    /// A second factor was checked.
    pub mfa_present: bool,
}

/// How the making of a temporary key ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemporaryMade {
    /// Here it is.
    Made(NewTemporaryKey),
    /// There is no such account or user.
    Unknown,
    /// Its life is too short or too long.
    BadLife,
    /// Its session policy is no policy.
    Faulty(PolicyError),
}

/// How the making of a key ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMade {
    /// Here it is.
    Made(NewAccessKey),
    /// There is no such account or user, or no such key to rotate.
    Unknown,
    /// The owner has [`ACTIVE_KEYS_MAX`] active keys: one has to be disabled first.
    TooMany,
}

/// How a change of a key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChanged {
    /// It is as asked.
    Done,
    /// There is no such key.
    Unknown,
    /// The owner has [`ACTIVE_KEYS_MAX`] other active keys.
    TooMany,
}

/// A key as it is needed to check a request.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The key; its secret in clear stands beside it.
    pub key: AccessKey,
    /// The secret.
    pub secret: SecretText,
}

/// What a request's security token is to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenVerdict {
    /// The token of this key, in its time; or none where none is needed.
    Fits,
    /// A temporary key came without its token.
    Missing,
    /// The token of another key, or a token for a key that has none.
    Mismatch,
    /// The key's time is over.
    Expired,
}

impl SigningKey {
    /// Judges the security token that came with a request.
    #[must_use]
    pub fn judge_token(&self, token: Option<&str>, now: Timestamp) -> TokenVerdict {
        match (&self.key.temporary, token) {
            (None, None) => TokenVerdict::Fits,
            (None, Some(_)) => TokenVerdict::Mismatch,
            (Some(_), None) => TokenVerdict::Missing,
            (Some(kept), Some(token)) => {
                let given: [u8; 32] = Sha256::digest(token.as_bytes()).into();
                if !bool::from(kept.security_token_sha256.ct_eq(&given)) {
                    TokenVerdict::Mismatch
                } else if now >= kept.expires_at {
                    TokenVerdict::Expired
                } else {
                    TokenVerdict::Fits
                }
            }
        }
    }
}

impl Service {
    /// The key called `id`, ready to check a signature: one read, one unsealing.
    pub async fn signing_key(&self, id: &str) -> Result<Option<SigningKey>, ServiceError> {
        let Some(Versioned { value: key, .. }) = self.access_key(id).await? else {
            return Ok(None);
        };
        // The error names neither the secret nor the key that sealed it.
        let plain = self
            .keys
            .open(&context(&key.id), &key.sealed_secret)
            .map_err(|error| ServiceError::Bug(format!("access key {}: {error}", key.id)))?;
        let text = core::str::from_utf8(&plain)
            .map_err(|_| ServiceError::Bug(format!("the secret of {} is no text", key.id)))?;
        let secret = SecretText::new(text);
        Ok(Some(SigningKey { key, secret }))
    }

    /// Makes a key for `owner`.
    pub async fn create_access_key(
        &self,
        caller: &Caller,
        owner: &KeyOwner,
    ) -> Result<KeyMade, ServiceError> {
        let made = NewAccessKey {
            id: format!("LTAI{}", letters(&*self.entropy, 20)),
            secret: SecretText::new(&letters(&*self.entropy, 30)),
        };
        for _ in 0..ATTEMPTS_MAX {
            let same_owner = match self.room(owner).await? {
                Room::Free(same_owner) => same_owner,
                Room::Full => return Ok(KeyMade::TooMany),
                Room::NoOwner => return Ok(KeyMade::Unknown),
            };
            let key = self.sealed_key(&made.id, &made.secret, owner);
            let entity = Entity::AccessKey(key);
            let writes = vec![*same_owner, EntityWrite::Put { expected: 0, entity }];
            match self.change_keys(caller, &made.id, "access_key_created", owner, writes).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| KeyMade::Made(made)),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// Makes a second key for the owner of `id`, which goes on working until it is disabled.
    pub async fn rotate_access_key(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<KeyMade, ServiceError> {
        match self.access_key(id).await? {
            Some(Versioned { value: key, .. }) => {
                self.create_access_key(caller, &key.owner()).await
            }
            None => Ok(KeyMade::Unknown),
        }
    }

    /// Makes a temporary key for `owner`, beyond the limit of lasting ones.
    pub async fn create_temporary_key(
        &self,
        caller: &Caller,
        owner: &KeyOwner,
        order: &TemporaryOrder,
    ) -> Result<TemporaryMade, ServiceError> {
        if !(TEMPORARY_LIFE_MIN..=TEMPORARY_LIFE_MAX).contains(&order.life) {
            return Ok(TemporaryMade::BadLife);
        }
        let policy = order.session_policy.as_deref().map(PolicyDocument::parse);
        if let Some(Err(error)) = policy {
            return Ok(TemporaryMade::Faulty(error));
        }
        if self.store.entity(&owner.entity()).await?.is_none() {
            return Ok(TemporaryMade::Unknown);
        }
        let new = NewAccessKey {
            id: format!("STS.{}", letters(&*self.entropy, 24)),
            secret: SecretText::new(&letters(&*self.entropy, 44)),
        };
        let security_token = SecretText::new(&letters(&*self.entropy, 64));
        let expires_at = self.now() + order.life;
        let mut key = self.sealed_key(&new.id, &new.secret, owner);
        let special =
            TemporaryKey::of(security_token.reveal(), expires_at, order.session_policy.clone());
        key.temporary = Some(TemporaryKey { mfa_present: order.mfa_present, ..special });
        let writes = vec![EntityWrite::Put { expected: 0, entity: Entity::AccessKey(key) }];
        match self.change_keys(caller, &new.id, "temporary_key_created", owner, writes).await {
            // The owner went meanwhile: an id like this is not drawn twice.
            Err(CommitError::Conflict) => Ok(TemporaryMade::Unknown),
            other => {
                let made = NewTemporaryKey { key: new, security_token, expires_at };
                committed(other).map(|()| TemporaryMade::Made(made))
            }
        }
    }

    /// Disables a key, or enables it again.
    pub async fn set_access_key_active(
        &self,
        caller: &Caller,
        id: &str,
        active: bool,
    ) -> Result<KeyChanged, ServiceError> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(Versioned { version, value: mut key }) = self.access_key(id).await? else {
                return Ok(KeyChanged::Unknown);
            };
            let owner = key.owner();
            let mut writes = Vec::new();
            if active && !key.active && key.temporary.is_none() {
                match self.room(&owner).await? {
                    Room::Free(same_owner) => writes.push(*same_owner),
                    Room::Full => return Ok(KeyChanged::TooMany),
                    Room::NoOwner => return Ok(KeyChanged::Unknown),
                }
            }
            key.active = active;
            writes.push(EntityWrite::Put { expected: version, entity: Entity::AccessKey(key) });
            let what = if active { "access_key_enabled" } else { "access_key_disabled" };
            match self.change_keys(caller, id, what, &owner, writes).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| KeyChanged::Done),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// Removes a key; `false` if there is none.
    pub async fn delete_access_key(&self, caller: &Caller, id: &str) -> Result<bool, ServiceError> {
        Ok(self.remove_entity(caller, &EntityRef::access_key(id)).await? == Removed::Done)
    }

    /// The keys of `owner`, oldest first. What is sealed in them stays sealed.
    pub async fn access_keys(&self, owner: &KeyOwner) -> Result<Vec<AccessKey>, ServiceError> {
        let parent = owner.entity();
        let (mut keys, mut after): (Vec<AccessKey>, Option<String>) = (Vec::new(), None);
        loop {
            let kind = EntityKind::AccessKey;
            let page = self.entities(kind, Some(&parent), after.as_deref(), PAGE).await?;
            after = page.last().map(|it| it.key().id);
            let is_last = page.len() < PAGE;
            keys.extend(page.into_iter().filter_map(Entity::into_access_key));
            if is_last {
                keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
                return Ok(keys);
            }
        }
    }

    async fn access_key(&self, id: &str) -> Result<Option<Versioned<AccessKey>>, ServiceError> {
        let found = self.store.entity(&EntityRef::access_key(id)).await?;
        Ok(found.and_then(|Versioned { version, value }| {
            Some(Versioned { version, value: value.into_access_key()? })
        }))
    }

    /// Whether `owner` may have one more active key.
    async fn room(&self, owner: &KeyOwner) -> Result<Room, ServiceError> {
        let found = self.store.entity(&owner.entity()).await?;
        let Some(Versioned { version, value }) = found else { return Ok(Room::NoOwner) };
        let keys = self.access_keys(owner).await?;
        let active = keys.iter().filter(|key| key.active && key.temporary.is_none()).count();
        if active >= ACTIVE_KEYS_MAX {
            return Ok(Room::Full);
        }
        Ok(Room::Free(Box::new(EntityWrite::Put { expected: version, entity: value })))
    }

    /// An active key that does not expire.
    pub(crate) fn sealed_key(&self, id: &str, secret: &SecretText, owner: &KeyOwner) -> AccessKey {
        let sealed = self.keys.seal(&context(id), secret.reveal().as_bytes(), &*self.entropy);
        AccessKey {
            id: id.to_owned(),
            account: owner.account.clone(),
            user: owner.user.clone(),
            sealed_secret: sealed,
            active: true,
            temporary: None,
            created_at: self.now(),
        }
    }

    async fn change_keys(
        &self,
        caller: &Caller,
        id: &str,
        what: &str,
        owner: &KeyOwner,
        entities: Vec<EntityWrite>,
    ) -> Result<(), CommitError> {
        let subject = Subject::Entity(EntityRef::access_key(id));
        let details = json!({ "account": owner.account.as_str(), "user": owner.user });
        let events = vec![self.event(caller, subject, what, &details)];
        self.store.commit(Unit { entities, events, ..Unit::default() }).await
    }
}

impl KeyOwner {
    /// What the keys are removed together with.
    fn entity(&self) -> EntityRef {
        match &self.user {
            None => EntityRef::account(&self.account),
            Some(user) => EntityRef::new(EntityKind::RamUser, format!("{}/{user}", self.account)),
        }
    }
}

impl AccessKey {
    /// What it is removed together with.
    #[must_use]
    pub fn parent(&self) -> EntityRef {
        self.owner().entity()
    }

    /// Whose key it is.
    #[must_use]
    pub fn owner(&self) -> KeyOwner {
        KeyOwner { account: self.account.clone(), user: self.user.clone() }
    }
}

impl TemporaryKey {
    /// What is kept of a security token and its end.
    #[must_use]
    pub fn of(token: &str, expires_at: Timestamp, session_policy: Option<String>) -> Self {
        let security_token_sha256 = Sha256::digest(token.as_bytes()).into();
        Self { security_token_sha256, expires_at, session_policy, mfa_present: false }
    }
}

/// Whether an owner may have one more active key.
enum Room {
    /// Yes. The owner, unchanged, belongs into the same unit: of two that counted at once, the second
    /// finds its version moved.
    Free(Box<EntityWrite>),
    Full,
    NoOwner,
}

/// Where a sealed secret belongs.
fn context(id: &str) -> String {
    format!("access-key/{id}")
}

/// Whether a key may be called `id`: letters, digits, `.`, `-`, `_`. No slash, because nonces are
/// remembered under `{id}/{nonce}`.
pub(crate) fn is_key_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// `count` random letters and digits, each as likely as the others (5.95 bits).
pub(crate) fn letters(entropy: &dyn Entropy, count: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(count);
    while text.len() < count {
        // Six bits at a time; the two values beyond the alphabet are drawn again.
        let drawn = entropy.bytes::<64>().map(|byte| ALPHABET.get(usize::from(byte & 63)));
        text.extend(drawn.into_iter().flatten().map(|byte| char::from(*byte)));
    }
    text.truncate(count);
    text
}

#[cfg(test)]
mod tests;

//! Binding a WABA: an account takes a WABA into a space of its own.

use registration::{AccountId, CustomerSpaceId, TextId as _, WabaId};
use serde_json::json;

use crate::caller::Caller;
use crate::directory::{Entity, EntityRef, Space, Waba};
use crate::error::{ServiceError, Unavailable};
use crate::ports::{CommitError, EntityWrite, EntropyExt as _, Subject, Unit};
use crate::service::{Service, committed};

/// Tries before giving up because others bind the same WABA at this very moment.
const ATTEMPTS_MAX: u32 = 4;

/// Where a WABA belongs after it was bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// To this space of the account.
    To(CustomerSpaceId),
    /// To another account.
    Foreign,
}

impl Service {
    /// The space of a WABA; one is made, with the WABA in it, if nobody has bound it yet.
    pub async fn bind_waba(
        &self,
        caller: &Caller,
        account: &AccountId,
        waba: &WabaId,
    ) -> Result<Bound, ServiceError> {
        let key = EntityRef::waba(waba);
        for _ in 0..ATTEMPTS_MAX {
            let found = self.store.entity(&key).await?.and_then(|it| it.value.into_waba());
            if let Some(found) = found {
                let is_own = found.account == *account;
                return Ok(if is_own { Bound::To(found.space) } else { Bound::Foreign });
            }
            let name = format!("cams-{:016x}", self.entropy.id128() >> 64);
            let space = CustomerSpaceId::parse(&name)
                .ok_or_else(|| ServiceError::Bug(format!("{name} is no identifier")))?;
            let entities = self.new_space(account, &space, waba);
            let put = |entity| EntityWrite::Put { expected: 0, entity };
            let details = json!({ "space": space.as_str() });
            let event = self.event(caller, Subject::Entity(key.clone()), "waba_bound", &details);
            let unit =
                Unit { entities: entities.map(put).into(), events: vec![event], ..Unit::default() };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| Bound::To(space)),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// Notes that a signup dialog was gone through; it opens nothing that was closed.
    pub async fn note_signup(
        &self,
        caller: &Caller,
        account: &AccountId,
        permissions: &[String],
    ) -> Result<(), ServiceError> {
        let subject = Subject::Entity(EntityRef::account(account));
        let details = json!({ "dialect": caller.dialect, "permissions": permissions });
        let event = self.event(caller, subject, "signup_completed", &details);
        self.commit(Unit { events: vec![event], ..Unit::default() }).await
    }

    fn new_space(
        &self,
        account: &AccountId,
        space: &CustomerSpaceId,
        waba: &WabaId,
    ) -> [Entity; 2] {
        let created_at = self.now();
        [
            Entity::Space(Space {
                id: space.clone(),
                account: account.clone(),
                name: space.to_string(),
                created_at,
            }),
            Entity::Waba(Waba {
                id: waba.clone(),
                account: account.clone(),
                space: space.clone(),
                name: waba.to_string(),
                contact_email: None,
                created_at,
            }),
        ]
    }
}

//! What dialects keep about a claim: profiles, keys.

use registration::{Claim, PhoneNumberId};
use serde_json::json;

use crate::caller::Caller;
use crate::directory::{ClaimDocument, Entity, EntityRef};
use crate::error::{ServiceError, Unavailable};
use crate::ports::{CommitError, EntityWrite, Subject, Unit};
use crate::service::{Service, committed};

/// Tries before giving up because others change the same document at this very moment.
const ATTEMPTS_MAX: u32 = 8;

impl Service {
    /// A document of a claim.
    pub async fn claim_document(
        &self,
        claim: &PhoneNumberId,
        name: &str,
    ) -> Result<Option<ClaimDocument>, ServiceError> {
        let found = self.store.entity(&EntityRef::claim_document(claim, name)).await?;
        Ok(found.and_then(|found| found.value.into_claim_document()))
    }

    /// Writes a document of a claim: `edit` turns the stored content into the new type and content.
    /// Repeated when another change came first, so that concurrent partial updates both count.
    pub async fn edit_claim_document(
        &self,
        caller: &Caller,
        claim: &Claim,
        name: &str,
        edit: impl Fn(Option<&ClaimDocument>) -> (String, Vec<u8>) + core::marker::Send + Sync,
    ) -> Result<(), ServiceError> {
        let key = EntityRef::claim_document(&claim.id, name);
        for _ in 0..ATTEMPTS_MAX {
            let found = self.store.entity(&key).await?;
            let expected = found.as_ref().map_or(0, |found| found.version);
            let old = found.and_then(|found| found.value.into_claim_document());
            let (content_type, body) = edit(old.as_ref());
            let entity = Entity::ClaimDocument(ClaimDocument {
                claim: claim.id.clone(),
                waba: claim.waba.clone(),
                name: name.to_owned(),
                content_type,
                body,
                updated_at: self.now(),
            });
            let subject = Subject::Entity(key.clone());
            let unit = Unit {
                entities: vec![EntityWrite::Put { expected, entity }],
                events: vec![self.event(caller, subject, "document_changed", &json!({}))],
                ..Unit::default()
            };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other),
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }
}

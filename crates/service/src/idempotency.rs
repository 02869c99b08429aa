//! Requests with an idempotency key: the first one is carried out, its repetitions get the same answer.
//!
//! What is remembered lies in the store, so it holds across restarts and nodes. It is sealed, because
//! requests and answers may carry PINs and passwords. Between the first request's start and end the key is
//! held by a short lease: if the process dies meanwhile, the repetition is carried out after it.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::directory::{Entity, EntityKind, EntityRef, Reply};
use crate::error::{ServiceError, Unavailable};
use crate::ports::{CommitError, EntityWrite, Unit, Version};
use crate::service::{Service, committed};

/// Most characters of an idempotency key.
pub const KEY_CHARS_MAX: usize = 255;

/// How long an answer is remembered.
pub const REMEMBERED: Duration = Duration::from_hours(24);

/// How long a request may take before its repetition is carried out in its place. Longer than any
/// operation of the admin API takes, the slowest being a handful of password hashes.
const LEASE: Duration = Duration::from_mins(1);

/// Tries before giving up because others use the same key at this very moment.
const ATTEMPTS_MAX: u32 = 4;

/// An answer as it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// The `Location` header, where there was one.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

/// What becomes of a request with an idempotency key.
#[derive(Debug)]
pub enum Once {
    /// Carry it out, then [`Service::keep_answer`] or [`Service::forget_request`].
    First(Ticket),
    /// It was carried out; this was the answer.
    Repeated(KeptAnswer),
    /// It is being carried out at this moment.
    Running,
    /// The key was used for another request.
    OtherRequest,
}

/// The right to carry a request out.
#[derive(Debug)]
pub struct Ticket {
    key: EntityRef,
    request: [u8; 32],
    version: Version,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Memory {
    request: [u8; 32],
    answer: Option<KeptAnswer>,
}

impl Service {
    /// Asks whether the request with this digest is the first under its idempotency key.
    pub async fn first_request(&self, key: &str, request: [u8; 32]) -> Result<Once, ServiceError> {
        let key = EntityRef::new(EntityKind::Reply, hex::encode(Sha256::digest(key.as_bytes())));
        for _ in 0..ATTEMPTS_MAX {
            let found = self.store.entity(&key).await?;
            let version = found.as_ref().map_or(0, |found| found.version);
            let alive = found
                .and_then(|found| found.value.into_reply())
                .filter(|reply| self.now() < reply.expires_at);
            // What cannot be opened was sealed with a key that is gone: it is as good as forgotten.
            if let Some(memory) = alive.and_then(|reply| self.open_memory(&reply)) {
                return Ok(match memory.answer {
                    _ if memory.request != request => Once::OtherRequest,
                    Some(answer) => Once::Repeated(answer),
                    None => Once::Running,
                });
            }
            let memory = Memory { request, answer: None };
            match self.put_memory(&key, version, &memory, LEASE).await {
                Err(CommitError::Conflict) => {}
                other => {
                    committed(other)?;
                    return Ok(Once::First(Ticket { key, request, version: version + 1 }));
                }
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// Remembers the answer to a request that was carried out.
    pub async fn keep_answer(
        &self,
        ticket: Ticket,
        answer: KeptAnswer,
    ) -> Result<(), ServiceError> {
        let memory = Memory { request: ticket.request, answer: Some(answer) };
        committed(self.put_memory(&ticket.key, ticket.version, &memory, REMEMBERED).await)
    }

    /// Gives the key back: the request had no effect, so its repetition may be carried out.
    pub async fn forget_request(&self, ticket: Ticket) -> Result<(), ServiceError> {
        self.commit(Unit {
            entities: vec![EntityWrite::Delete { expected: ticket.version, entity: ticket.key }],
            ..Unit::default()
        })
        .await
    }

    async fn put_memory(
        &self,
        key: &EntityRef,
        expected: Version,
        memory: &Memory,
        lifetime: Duration,
    ) -> Result<(), CommitError> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(memory).unwrap_or_default());
        let reply = Reply {
            id: key.id.clone(),
            sealed: self.keys.seal(&context(&key.id), &plain, &*self.entropy),
            expires_at: self.now() + lifetime,
        };
        let entities = vec![EntityWrite::Put { expected, entity: Entity::Reply(reply) }];
        self.store.commit(Unit { entities, ..Unit::default() }).await
    }

    fn open_memory(&self, reply: &Reply) -> Option<Memory> {
        let plain = self.keys.open(&context(&reply.id), &reply.sealed).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

fn context(id: &str) -> String {
    format!("reply/{id}")
}

//! Bearer tokens of the Graph dialect.
//!
//! A token is 60 random letters and digits behind `EAA`, shown once when it is made. What is kept is its
//! SHA-256, by which it is found: with 357 bits behind it, a slow hash would protect nothing more. A token
//! acts in one account, for all its WABAs or some of them, with the scopes that Meta documents.

use registration::{AccountId, TextId, Timestamp, WabaId};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::access_keys::letters;
use crate::caller::Caller;
use crate::clients::Added;
use crate::directory::{Entity, EntityKind, EntityRef, GraphScopes, GraphToken};
use crate::error::ServiceError;
use crate::ports::{CommitError, EntityWrite, EntropyExt as _, Subject, Unit};
use crate::seed::SecretText;
use crate::service::{Service, committed};

/// Longest text that is looked up as a token; Meta's have some 200 characters.
pub const TOKEN_BYTES_MAX: usize = 1024;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct GraphTokenOrder {
    /// In whose account it acts.
    pub account: AccountId,
    /// Name for people.
    pub name: String,
    /// What its bearer may do.
    pub scopes: GraphScopes,
    /// The only WABAs that it reaches; empty means all of the account.
    pub wabas: Vec<WabaId>,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// How the making of a token ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphTokenMade {
    /// Here it is; the text is not shown again.
    Made(GraphToken, SecretText),
    /// There is no such account.
    NoAccount,
    /// The account has no such WABA.
    NoWaba(WabaId),
}

/// What a text is that somebody shows as a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphTokenStanding {
    /// A token that counts.
    Valid(GraphToken),
    /// A token that ended.
    Expired(GraphToken),
    /// No token, or a revoked one.
    Unknown,
}

impl Service {
    /// Judges a text that came as a token.
    pub async fn graph_token(&self, text: &str) -> Result<GraphTokenStanding, ServiceError> {
        if text.is_empty() || text.len() > TOKEN_BYTES_MAX {
            return Ok(GraphTokenStanding::Unknown);
        }
        let found = self.store.entity_by_lookup(EntityKind::GraphToken, &sha256_hex(text)).await?;
        let token = found.and_then(|found| found.value.into_graph_token());
        let now = self.now();
        Ok(match token {
            None => GraphTokenStanding::Unknown,
            Some(token) if token.expires_at.is_some_and(|end| now >= end) => {
                GraphTokenStanding::Expired(token)
            }
            Some(token) => GraphTokenStanding::Valid(token),
        })
    }

    /// Makes a token.
    pub async fn create_graph_token(
        &self,
        caller: &Caller,
        order: &GraphTokenOrder,
    ) -> Result<GraphTokenMade, ServiceError> {
        for waba in &order.wabas {
            if !self.waba_in_account(waba, &order.account).await? {
                return Ok(GraphTokenMade::NoWaba(waba.clone()));
            }
        }
        let text = SecretText::new(&format!("EAA{}", letters(&*self.entropy, 60)));
        let token = GraphToken {
            id: format!("gt-{:016x}", self.entropy.id128() >> 64),
            account: order.account.clone(),
            name: order.name.clone(),
            sha256: sha256_hex(text.reveal()),
            scopes: order.scopes,
            wabas: order.wabas.clone(),
            expires_at: order.expires_at,
            created_at: self.now(),
        };
        match self.add_graph_token(caller, &token).await? {
            Added::Created => Ok(GraphTokenMade::Made(token, text)),
            Added::NoParent => Ok(GraphTokenMade::NoAccount),
            // Sixty-four random bits were drawn twice.
            Added::Exists => Err(ServiceError::Bug(format!("token {} exists", token.id))),
        }
    }

    async fn add_graph_token(
        &self,
        caller: &Caller,
        token: &GraphToken,
    ) -> Result<Added, ServiceError> {
        if self.store.entity(&EntityRef::account(&token.account)).await?.is_none() {
            return Ok(Added::NoParent);
        }
        let subject = Subject::Entity(EntityRef::graph_token(&token.id));
        let wabas: Vec<_> = token.wabas.iter().map(TextId::as_str).collect();
        let details = json!({
            "account": token.account.as_str(),
            "name": token.name,
            "scopes": token.scopes.names(),
            "wabas": wabas,
        });
        let entity = Entity::GraphToken(token.clone());
        let unit = Unit {
            entities: vec![EntityWrite::Put { expected: 0, entity }],
            events: vec![self.event(caller, subject, "graph_token_created", &details)],
            ..Unit::default()
        };
        match self.store.commit(unit).await {
            Err(CommitError::Conflict) => Ok(Added::Exists),
            other => committed(other).map(|()| Added::Created),
        }
    }
}

/// By which a token is found.
pub(crate) fn sha256_hex(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests;

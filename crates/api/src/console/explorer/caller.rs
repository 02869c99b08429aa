//! As whom a call is made: with something lent for a quarter of an hour, or with what somebody typed.
//!
//! The operator may act for everybody already, so nothing is gained by reading anybody's lasting secret.
//! What is lent is new: a temporary key, a token. It is made under the operator's name, so the audit trail
//! tells of it; it ends by itself; and the secrets of those for whom it acts stay sealed.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use registration::{AccountId, ClientId, TextId as _};
use service::access_keys::{KeyOwner, TemporaryMade, TemporaryOrder};
use service::directory::GraphScopes;
use service::graph_tokens::{GraphTokenMade, GraphTokenOrder, GraphTokenStanding};
use service::{Caller, Service, ServiceError};

use super::data::{Auth, Dialect, Operation};
use crate::console::guard::Fields;

/// How long something is lent.
const LIFE: Duration = Duration::from_mins(15);

/// What is lent no longer than this is not used any more.
const REST: Duration = Duration::from_secs(30);

/// What shows who calls.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// An access key, with the token of a temporary one.
    Key { id: String, secret: String, token: Option<String> },
    /// A token.
    Bearer(String),
    /// User and password.
    Basic { user: String, password: String },
    /// Nothing: the server shall say so.
    Nobody,
}

/// What is lent, by for whom it acts. Lives as long as the process.
#[derive(Default)]
pub(in crate::console) struct Lent(Mutex<HashMap<String, Credential>>);

impl Lent {
    /// What a call is made with: what was typed, else something lent for the party chosen.
    pub(super) async fn credential(
        &self,
        service: &Service,
        operation: &Operation,
        fields: &Fields,
    ) -> Result<Credential, ServiceError> {
        if let Some(typed) = typed(operation, fields) {
            return Ok(typed);
        }
        let party = fields.get("party").unwrap_or_default();
        let name = format!("{}/{party}", operation.dialect.as_str());
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        if let Some(kept) = kept
            && still_good(service, party, &kept).await?
        {
            return Ok(kept);
        }
        let Some(lent) = lend(service, operation.dialect, party).await? else {
            return Ok(Credential::Nobody);
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, lent.clone());
        Ok(lent)
    }
}

/// What somebody typed, if the operation takes it.
fn typed(operation: &Operation, fields: &Fields) -> Option<Credential> {
    let of = |name: &str| fields.get(name).map(str::to_owned);
    match (operation.dialect, operation.auth) {
        (_, Some(Auth::Basic)) => {
            let (user, password) = (of("own.user")?, fields.raw("own.password").to_owned());
            Some(Credential::Basic { user, password })
        }
        (Dialect::Cams, None) => {
            let (id, secret) = (of("own.key")?, of("own.secret").unwrap_or_default());
            Some(Credential::Key { id, secret, token: of("own.security_token") })
        }
        (Dialect::Onprem | Dialect::Graph, None) => of("own.token").map(Credential::Bearer),
    }
}

async fn lend(
    service: &Service,
    dialect: Dialect,
    party: &str,
) -> Result<Option<Credential>, ServiceError> {
    let operator = Caller::operator();
    match (dialect, party.split_once(':')) {
        (Dialect::Cams, Some((kind, name))) => {
            let Some(owner) = owner(kind, name) else { return Ok(None) };
            let order = TemporaryOrder { life: LIFE, session_policy: None, mfa_present: false };
            let made = service.create_temporary_key(&operator, &owner, &order).await?;
            let TemporaryMade::Made(made) = made else { return Ok(None) };
            Ok(Some(Credential::Key {
                id: made.key.id,
                secret: made.key.secret.reveal().to_owned(),
                token: Some(made.security_token.reveal().to_owned()),
            }))
        }
        (Dialect::Graph, Some(("account", name))) => {
            let Some(account) = AccountId::parse(name) else { return Ok(None) };
            let order = GraphTokenOrder {
                account,
                name: "console explorer".to_owned(),
                scopes: GraphScopes::ALL,
                wabas: Vec::new(),
                expires_at: Some(service.now() + LIFE),
            };
            let made = service.create_graph_token(&operator, &order).await?;
            let GraphTokenMade::Made(_, text) = made else { return Ok(None) };
            Ok(Some(Credential::Bearer(text.reveal().to_owned())))
        }
        (Dialect::Onprem, Some(("client", name))) => {
            let client = ClientId::parse(name);
            let Some(client) = client else { return Ok(None) };
            let Some(client) = service.client(&client).await? else { return Ok(None) };
            let token = service.lend_token(&operator, &client, LIFE).await?;
            Ok(Some(Credential::Bearer(token.token)))
        }
        _ => Ok(None),
    }
}

fn owner(kind: &str, name: &str) -> Option<KeyOwner> {
    match kind {
        "account" => Some(KeyOwner { account: AccountId::parse(name)?, user: None }),
        "user" => {
            let (account, user) = name.split_once('/')?;
            Some(KeyOwner { account: AccountId::parse(account)?, user: Some(user.to_owned()) })
        }
        _ => None,
    }
}

/// Whether something lent is there still: a reset takes it away, a clock that is turned ends it.
async fn still_good(
    service: &Service,
    party: &str,
    lent: &Credential,
) -> Result<bool, ServiceError> {
    let later = service.now() + REST;
    Ok(match lent {
        Credential::Key { id, .. } => {
            let key = service.signing_key(id).await?.map(|it| it.key);
            let ends = key.filter(|it| it.active).and_then(|it| it.temporary);
            ends.is_some_and(|it| it.expires_at > later)
        }
        Credential::Bearer(token) => {
            match party.strip_prefix("client:").and_then(ClientId::parse) {
                Some(client) => match service.client(&client).await? {
                    Some(client) => match service.read_token(token) {
                        Some(token) => service.authenticate(&client, &token).await?.is_some(),
                        None => false,
                    },
                    None => false,
                },
                None => match service.graph_token(token).await? {
                    GraphTokenStanding::Valid(token) => {
                        token.expires_at.is_none_or(|it| it > later)
                    }
                    GraphTokenStanding::Expired(_) | GraphTokenStanding::Unknown => false,
                },
            }
        }
        Credential::Basic { .. } | Credential::Nobody => false,
    })
}

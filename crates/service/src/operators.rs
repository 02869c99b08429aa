//! People who log in to the console with a name and a password, and logins that were ended.
//!
//! There is none from the beginning: the first one is made by whoever holds the operator's token. A login
//! counts until its time is over, its operator's password or role is changed, or somebody logs out; the
//! last is kept in the store, so that it holds on every node and after a restart. That something was changed
//! is told by a mark of the operator as it was when the password was checked, not by time: a password may be
//! changed while a login with the old one is under way, and a clock may stand.

use core::net::IpAddr;

use registration::{Refusal, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::caller::Caller;
use crate::clients::Added;
use crate::directory::{EndedLogin, Entity, EntityRef, Operator, OperatorRole};
use crate::error::{Refused, ServiceError};
use crate::login::{password_is_strong, source_of};
use crate::ports::{CommitError, EntityWrite, Subject, Take, Unit, Versioned};
use crate::service::{Service, committed};

/// Longest name.
const NAME_CHARS_MAX: usize = 32;

/// Tries before giving up because others change the operator at this very moment.
const ATTEMPTS_MAX: u32 = 8;

/// What became of making or changing an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatorChange {
    /// Done.
    Done,
    /// The name is not 2 to 32 small letters, digits, `-` or `_`.
    BadName,
    /// The password does not meet the rule of all passwords.
    PasswordTooWeak,
    /// The name is taken.
    Taken,
    /// No such operator.
    Unknown,
}

/// Somebody whose name and password were right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorLogin {
    /// Who.
    pub name: String,
    /// What it may do.
    pub role: OperatorRole,
    /// The login counts while [`Service::operator_mark`] says the same.
    pub mark: String,
}

/// Whether an operator may be called so.
#[must_use]
pub fn is_operator_name(name: &str) -> bool {
    (2..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
}

impl Service {
    /// Makes an operator.
    pub async fn create_operator(
        &self,
        caller: &Caller,
        name: &str,
        role: OperatorRole,
        password: &str,
    ) -> Result<OperatorChange, ServiceError> {
        if !is_operator_name(name) {
            return Ok(OperatorChange::BadName);
        }
        if !password_is_strong(password) {
            return Ok(OperatorChange::PasswordTooWeak);
        }
        let now = self.now();
        let operator = Operator {
            name: name.to_owned(),
            role,
            password: self.hasher.hash_password(password).await?,
            changed_at: now,
            created_at: now,
        };
        Ok(match self.add_entity(caller, Entity::Operator(operator)).await? {
            Added::Created => OperatorChange::Done,
            Added::Exists | Added::NoParent => OperatorChange::Taken,
        })
    }

    /// Gives an operator another password, role, or both; all its logins end.
    pub async fn change_operator(
        &self,
        caller: &Caller,
        name: &str,
        role: Option<OperatorRole>,
        password: Option<&str>,
    ) -> Result<OperatorChange, ServiceError> {
        if password.is_some_and(|password| !password_is_strong(password)) {
            return Ok(OperatorChange::PasswordTooWeak);
        }
        let hashed = match password {
            Some(password) => Some(self.hasher.hash_password(password).await?),
            None => None,
        };
        for _ in 0..ATTEMPTS_MAX {
            let Some(Versioned { version, value: mut operator }) = self.operator(name).await?
            else {
                return Ok(OperatorChange::Unknown);
            };
            operator.role = role.unwrap_or(operator.role);
            if let Some(hashed) = &hashed {
                operator.password.clone_from(hashed);
            }
            operator.changed_at = self.now();
            let details = json!({ "role": operator.role.as_str(), "password": hashed.is_some() });
            let subject = Subject::Entity(EntityRef::operator(name));
            let entity = Entity::Operator(operator);
            let unit = Unit {
                entities: vec![EntityWrite::Put { expected: version, entity }],
                events: vec![self.event(caller, subject, "operator_changed", &details)],
                ..Unit::default()
            };
            match self.store.commit(unit).await {
                Err(CommitError::Conflict) => {}
                other => return committed(other).map(|()| OperatorChange::Done),
            }
        }
        Err(crate::Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    /// An operator.
    pub async fn operator(&self, name: &str) -> Result<Option<Versioned<Operator>>, ServiceError> {
        let found = self.store.entity(&EntityRef::operator(name)).await?;
        Ok(found.and_then(|found| {
            found.value.into_operator().map(|value| Versioned { version: found.version, value })
        }))
    }

    /// What changes whenever an operator does, also when one is removed and made again; `None` if there is
    /// none.
    pub async fn operator_mark(&self, name: &str) -> Result<Option<String>, ServiceError> {
        Ok(self.operator(name).await?.as_ref().map(mark))
    }

    /// Checks name and password: who it is, `None` if they are not right.
    ///
    /// A try is taken from the allowance of name and source before the password is hashed, and given back
    /// when it was right. A name that nobody has takes as long as one that somebody has; of ever new names, a
    /// source has no more tried than it may ask for.
    pub async fn operator_login(
        &self,
        name: &str,
        password: &str,
        from: IpAddr,
    ) -> Result<Option<OperatorLogin>, ServiceError> {
        self.admit_login(None, from).map_err(|opens_at| {
            let refusal = Refusal::TooManyRequests { opens_at };
            ServiceError::Refused(Refused { refusal, id: None, number: None, at: self.now() })
        })?;
        if !is_operator_name(name) || password.len() > 256 {
            self.hasher.burn("").await?;
            return Ok(None);
        }
        let caller = Caller { account: None, dialect: "admin", actor: format!("console:{name}") };
        let key = format!("console-login/{name}/{}", source_of(from));
        self.take_operator_login(&caller, &key).await?;
        let found = self.operator(name).await?;
        let right = if let Some(operator) = &found {
            self.hasher.check_password(password, &operator.value.password).await?
        } else {
            self.hasher.burn(password).await?;
            false
        };
        let Some(operator) = found.filter(|_| right) else { return Ok(None) };
        let subject = Subject::Entity(EntityRef::operator(name));
        self.commit(Unit {
            forgive: vec![key],
            events: vec![self.event(&caller, subject, "logged_in", &json!({}))],
            ..Unit::default()
        })
        .await?;
        let mark = mark(&operator);
        let Operator { name, role, .. } = operator.value;
        Ok(Some(OperatorLogin { name, role, mark }))
    }

    async fn take_operator_login(&self, caller: &Caller, key: &str) -> Result<(), ServiceError> {
        let rule = self.policy().login_failures;
        let (interval, now) = (rule.interval, self.now());
        let take = Take { key: key.to_owned(), interval, burst: rule.burst, now };
        match self.store.commit(Unit { takes: vec![take], ..Unit::default() }).await {
            Err(CommitError::Throttled { opens_at, .. }) => {
                let refusal = Refusal::TooManyRequests { opens_at };
                // Whoever goes on needs no password to do so, and is noted as often as tries are earned.
                let notes = Take { key: format!("{key}/noted"), interval, burst: 1, now };
                Err(self.refuse_noting(caller, Subject::System, "login", refusal, notes).await)
            }
            other => committed(other),
        }
    }

    /// Notes who sends which form of the console, before it is carried out.
    pub async fn note_form(&self, name: &str, form: &str) -> Result<(), ServiceError> {
        let caller = Caller { account: None, dialect: "admin", actor: format!("console:{name}") };
        let subject = Subject::Entity(EntityRef::operator(name));
        let details = json!({ "form": form });
        let events = vec![self.event(&caller, subject, "form_sent", &details)];
        self.commit(Unit { events, ..Unit::default() }).await
    }

    /// Ends a login to the console, which would have ended by itself at `expires_at`; on disk when this
    /// returns.
    pub async fn end_login(&self, id: &str, expires_at: Timestamp) -> Result<(), ServiceError> {
        let entity = Entity::EndedLogin(EndedLogin { id: id.to_owned(), expires_at });
        let unit =
            Unit { entities: vec![EntityWrite::Put { expected: 0, entity }], ..Unit::default() };
        match self.store.commit(unit).await {
            // It was ended already.
            Err(CommitError::Conflict) => Ok(()),
            other => committed(other),
        }
    }

    /// Whether a login to the console was ended.
    pub async fn login_has_ended(&self, id: &str) -> Result<bool, ServiceError> {
        Ok(self.store.entity(&EntityRef::ended_login(id)).await?.is_some())
    }
}

/// Made of the version, and of the password with its salt, which no two operators share.
fn mark(found: &Versioned<Operator>) -> String {
    let Versioned { version, value } = found;
    let digest = Sha256::new_with_prefix(version.to_be_bytes()).chain_update(&value.password);
    hex::encode(&digest.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for name in ["eva", "night-shift_2", "ab"] {
            assert!(is_operator_name(name), "{name}");
        }
        for name in ["", "a", "Eva", "eva.b", "eva/b", "eva b", "évа", &"a".repeat(33)] {
            assert!(!is_operator_name(name), "{name}");
        }
    }
}

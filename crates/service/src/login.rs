//! Logins of On-Premises clients: passwords, tokens, users.

use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use registration::{ClientId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::caller::Caller;
use crate::directory::{Client, Entity, EntityKind, EntityRef, Role, Session, User};
use crate::error::ServiceError;
use crate::ports::{CommitError, EntityWrite, EntropyExt, Subject, Take, Unit, Versioned};
use crate::service::{Service, committed};

/// Name of the one user that may register, change settings and manage users.
pub const ADMIN: &str = "admin";

/// The token's header as captured, spaces included (On-Premises reference §2.3).
const TOKEN_HEADER: &str = r#"{"alg": "HS256", "typ": "JWT"}"#;

/// The special characters of the password rule, as the original lists them.
pub const PASSWORD_SPECIALS: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;

/// A token, ready to be sent.
#[derive(Clone)]
pub struct IssuedToken {
    /// The JWT.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What became of a login.
#[derive(Clone)]
pub enum LoginOutcome {
    /// In.
    Token(IssuedToken),
    /// No such user, or another password; the two look and take alike.
    WrongCredentials,
    /// The password is right and must be replaced, but no new one came along.
    PasswordChangeRequired,
    /// The new password does not meet the rule.
    PasswordTooWeak,
}

/// Who a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Which client.
    pub client: ClientId,
    /// Which user.
    pub user: String,
    /// What it may do.
    pub role: Role,
    /// The login behind the token.
    pub session: String,
}

/// What became of a change of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserChange {
    /// Done.
    Done,
    /// No such user.
    Unknown,
    /// The name is taken.
    Taken,
    /// The name is not 4 to 32 characters.
    BadName,
    /// The name holds a colon, a slash or a control character.
    BadCharacter,
    /// The password does not meet the rule.
    PasswordTooWeak,
    /// The admin cannot be deleted.
    Protected,
}

/// A bearer token that was issued here. Whether its session still stands, [`Service::authenticate`] says.
pub struct SessionToken {
    user: String,
    session: EntityRef,
}

impl SessionToken {
    /// The session that it is for.
    pub(crate) const fn session(&self) -> &EntityRef {
        &self.session
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    user: String,
    iat: i64,
    exp: i64,
    #[serde(rename = "wa:rand")]
    rand: String,
}

/// Whether a password is 8 to 64 characters with an upper-case and a lower-case letter, a digit and a
/// special character (On-Premises reference §2.2).
#[must_use]
pub fn password_is_strong(password: &str) -> bool {
    (8..=64).contains(&password.chars().count())
        && password.bytes().any(|b| b.is_ascii_uppercase())
        && password.bytes().any(|b| b.is_ascii_lowercase())
        && password.bytes().any(|b| b.is_ascii_digit())
        && password.chars().any(|c| PASSWORD_SPECIALS.contains(c))
}

/// Whoever can change addresses at no cost, as one source: an IPv4 address, or the first address of the /64 that
/// an IPv6 host is given. Logins and connections are counted by it.
#[must_use]
pub fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

/// Longest name of a user (On-Premises reference §2).
const NAME_CHARS_MAX: usize = 32;

impl Service {
    /// Logs a user in, changing its password first if it brings a new one and a change is due.
    ///
    /// A try is taken from the allowance of user and source before the password is hashed and given
    /// back when it was right, so parallel guesses cannot outrun the limit.
    pub async fn login(
        &self,
        client: &Client,
        name: &str,
        password: &str,
        new_password: Option<&str>,
        from: IpAddr,
    ) -> Result<LoginOutcome, ServiceError> {
        let caller = user_caller(client, name);
        // A name that nobody can have needs no row of its own, and not one as long as a header may be.
        let counted = if name.chars().count() <= NAME_CHARS_MAX { name } else { "" };
        let key = format!("login/{}/{counted}/{}", client.id, source_of(from));
        self.take_login(&caller, client, &key).await?;
        let user = self.user(&client.id, name).await?;
        let right = if let Some(user) = &user {
            self.hasher.check_password(password, &user.value.password).await?
        } else {
            self.hasher.burn(password).await?;
            false
        };
        let Some(Versioned { version, value: mut user }) = user.filter(|_| right) else {
            return Ok(LoginOutcome::WrongCredentials);
        };
        let mut unit = Unit { forgive: vec![key], ..Unit::default() };
        if user.must_change_password {
            let Some(new_password) = new_password else {
                self.commit(unit).await?;
                return Ok(LoginOutcome::PasswordChangeRequired);
            };
            if !password_is_strong(new_password) {
                self.commit(unit).await?;
                return Ok(LoginOutcome::PasswordTooWeak);
            }
            user.password = self.hasher.hash_password(new_password).await?;
            user.must_change_password = false;
            let subject = Subject::Entity(EntityRef::user(&client.id, name));
            unit.events.push(self.event(&caller, subject, "password_changed", &json!({})));
            unit.entities.push(EntityWrite::Put { expected: version, entity: Entity::User(user) });
        }
        let (token, session) = self.mint_token(client, name);
        unit.entities.push(EntityWrite::Put { expected: 0, entity: Entity::Session(session) });
        let subject = Subject::Entity(EntityRef::user(&client.id, name));
        unit.events.push(self.event(&caller, subject, "logged_in", &json!({})));
        self.commit(unit).await?;
        Ok(LoginOutcome::Token(token))
    }

    /// Who a bearer token belongs to; `None` if it has expired, was revoked, or is of another client.
    pub async fn authenticate(
        &self,
        client: &Client,
        token: &SessionToken,
    ) -> Result<Option<Identity>, ServiceError> {
        let Some(Versioned { value: Entity::Session(found), .. }) =
            self.store.entity(&token.session).await?
        else {
            return Ok(None);
        };
        if found.client != client.id || found.user != token.user || self.now() >= found.expires_at {
            return Ok(None);
        }
        let role = if found.user == ADMIN { Role::Admin } else { Role::User };
        Ok(Some(Identity { client: found.client, user: found.user, role, session: found.id }))
    }

    /// Ends the login behind one token; other tokens of the user stay.
    pub async fn logout(&self, client: &Client, who: &Identity) -> Result<(), ServiceError> {
        let key = EntityRef::new(EntityKind::Session, &who.session);
        let Some(found) = self.store.entity(&key).await? else { return Ok(()) };
        let caller = user_caller(client, &who.user);
        let subject = Subject::Entity(EntityRef::user(&client.id, &who.user));
        self.commit(Unit {
            entities: vec![EntityWrite::Delete { expected: found.version, entity: key }],
            events: vec![self.event(&caller, subject, "logged_out", &json!({}))],
            ..Unit::default()
        })
        .await
    }

    /// A user of a client.
    pub async fn user(
        &self,
        client: &ClientId,
        name: &str,
    ) -> Result<Option<Versioned<User>>, ServiceError> {
        let found = self.store.entity(&EntityRef::user(client, name)).await?;
        Ok(found.and_then(|found| {
            found.value.into_user().map(|value| Versioned { version: found.version, value })
        }))
    }

    /// Makes an ordinary user.
    pub async fn create_user(
        &self,
        caller: &Caller,
        client: &ClientId,
        name: &str,
        password: &str,
    ) -> Result<UserChange, ServiceError> {
        if !(4..=NAME_CHARS_MAX).contains(&name.chars().count()) {
            return Ok(UserChange::BadName);
        }
        // Such a user could neither log in (Basic ends the name at the colon) nor stand in a path or a log.
        if name.contains(['/', ':']) || name.chars().any(char::is_control) {
            return Ok(UserChange::BadCharacter);
        }
        if !password_is_strong(password) {
            return Ok(UserChange::PasswordTooWeak);
        }
        if name == ADMIN || self.user(client, name).await?.is_some() {
            return Ok(UserChange::Taken);
        }
        let user = User {
            client: client.clone(),
            name: name.to_owned(),
            role: Role::User,
            password: self.hasher.hash_password(password).await?,
            must_change_password: false,
            created_at: self.now(),
        };
        let subject = Subject::Entity(EntityRef::user(client, name));
        let unit = Unit {
            entities: vec![EntityWrite::Put { expected: 0, entity: Entity::User(user) }],
            events: vec![self.event(caller, subject, "user_created", &json!({}))],
            ..Unit::default()
        };
        match self.store.commit(unit).await {
            Err(CommitError::Conflict) => Ok(UserChange::Taken),
            other => committed(other).map(|()| UserChange::Done),
        }
    }

    /// Gives a user another password; its tokens stay valid, as documented.
    pub async fn change_password(
        &self,
        caller: &Caller,
        client: &ClientId,
        name: &str,
        password: &str,
    ) -> Result<UserChange, ServiceError> {
        if !password_is_strong(password) {
            return Ok(UserChange::PasswordTooWeak);
        }
        let Some(Versioned { version, value: mut user }) = self.user(client, name).await? else {
            return Ok(UserChange::Unknown);
        };
        user.password = self.hasher.hash_password(password).await?;
        user.must_change_password = false;
        let subject = Subject::Entity(EntityRef::user(client, name));
        self.commit(Unit {
            entities: vec![EntityWrite::Put { expected: version, entity: Entity::User(user) }],
            events: vec![self.event(caller, subject, "password_changed", &json!({}))],
            ..Unit::default()
        })
        .await?;
        Ok(UserChange::Done)
    }

    /// Removes a user together with its tokens.
    pub async fn delete_user(
        &self,
        caller: &Caller,
        client: &ClientId,
        name: &str,
    ) -> Result<UserChange, ServiceError> {
        if name == ADMIN {
            return Ok(UserChange::Protected);
        }
        let Some(found) = self.user(client, name).await? else { return Ok(UserChange::Unknown) };
        let entity = EntityRef::user(client, name);
        let subject = Subject::Entity(entity.clone());
        self.commit(Unit {
            entities: vec![EntityWrite::Delete { expected: found.version, entity }],
            events: vec![self.event(caller, subject, "user_deleted", &json!({}))],
            ..Unit::default()
        })
        .await?;
        Ok(UserChange::Done)
    }

    /// A token of the client's admin for somebody who may act for it anyway, for a short while. The audit
    /// trail tells who asked.
    pub async fn lend_token(
        &self,
        caller: &Caller,
        client: &Client,
        lifetime: Duration,
    ) -> Result<IssuedToken, ServiceError> {
        let (token, session) = self.mint(client, ADMIN, lifetime);
        let subject = Subject::Entity(EntityRef::user(&client.id, ADMIN));
        self.commit(Unit {
            entities: vec![EntityWrite::Put { expected: 0, entity: Entity::Session(session) }],
            events: vec![self.event(caller, subject, "token_lent", &json!({}))],
            ..Unit::default()
        })
        .await?;
        Ok(token)
    }

    /// Makes a token and the session that keeps it valid, without storing the session: for the login,
    /// and for seeding many clients at once.
    #[must_use]
    pub fn mint_token(&self, client: &Client, user: &str) -> (IssuedToken, Session) {
        self.mint(client, user, self.policy().token_lifetime)
    }

    fn mint(&self, client: &Client, user: &str, lifetime: Duration) -> (IssuedToken, Session) {
        let now = self.now();
        let rand = hex::encode(self.entropy.bytes::<16>());
        let claims = Claims {
            user: user.to_owned(),
            iat: now.as_seconds(),
            exp: (now + lifetime).as_seconds(),
            rand,
        };
        let body = serde_json::to_string(&claims).unwrap_or_default();
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(TOKEN_HEADER), URL_SAFE_NO_PAD.encode(body));
        let mac = URL_SAFE_NO_PAD.encode(self.keys.sign_token(signed.as_bytes()));
        let expires_at = Timestamp::from_millis(claims.exp * 1000);
        let session = Session {
            id: session_id(&claims.rand),
            client: client.id.clone(),
            user: user.to_owned(),
            expires_at,
        };
        (IssuedToken { token: format!("{signed}.{mac}"), expires_at }, session)
    }

    /// A bearer token; `None` if it is malformed or forged.
    #[must_use]
    pub fn read_token(&self, token: &str) -> Option<SessionToken> {
        // A token of ours has some 250 bytes; anything huge is not decoded at all.
        if token.len() > 4096 {
            return None;
        }
        let (signed, mac) = token.rsplit_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        if !self.keys.verify_token(signed.as_bytes(), &mac) {
            return None;
        }
        let (_, body) = signed.split_once('.')?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        let session = EntityRef::new(EntityKind::Session, session_id(&claims.rand));
        Some(SessionToken { user: claims.user, session })
    }

    async fn take_login(
        &self,
        caller: &Caller,
        client: &Client,
        key: &str,
    ) -> Result<(), ServiceError> {
        let rule = self.policy().login_failures;
        let (interval, now) = (rule.interval, self.now());
        let take = Take { key: key.to_owned(), interval, burst: rule.burst, now };
        match self.store.commit(Unit { takes: vec![take], ..Unit::default() }).await {
            Err(CommitError::Throttled { opens_at, .. }) => {
                let subject = Subject::Entity(EntityRef::client(&client.id));
                let refusal = Refusal::TooManyRequests { opens_at };
                // Whoever goes on needs no password to do so, and is noted as often as tries are earned.
                let notes = Take { key: format!("{key}/noted"), interval, burst: 1, now };
                Err(self.refuse_noting(caller, subject, "login", refusal, notes).await)
            }
            other => committed(other),
        }
    }
}

fn user_caller(client: &Client, user: &str) -> Caller {
    // A login name comes from outside; only a short, harmless form of it enters the trail.
    let shown: String = user.chars().filter(|c| !c.is_control()).take(32).collect();
    Caller {
        account: Some(client.account.clone()),
        dialect: "onprem",
        actor: format!("onprem:{}/{shown}", client.id),
    }
}

fn session_id(rand: &str) -> String {
    hex::encode(Sha256::digest(rand.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_needs_all_four_kinds_and_a_fitting_length() {
        assert!(password_is_strong("Sandbox-1!"));
        assert!(password_is_strong("Aa1`aaaa"));
        for weak in ["Aa1!aaa", "sandbox-1!", "SANDBOX-1!", "Sandbox--!", "Sandbox11", "Ää1aaaaa"]
        {
            assert!(!password_is_strong(weak), "{weak}");
        }
        assert!(!password_is_strong(&format!("Aa1!{}", "a".repeat(61))));
    }

    #[test]
    fn an_ipv6_source_counts_by_its_64() {
        let source = |text: &str| source_of(text.parse().expect("address"));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:127.0.0.1").to_string(), "127.0.0.1");
    }
}

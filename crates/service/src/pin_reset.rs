//! A mailed link that switches two-step verification off, for who has lost the PIN.
//!
//! The link goes to the address of the WABA that holds the registration. Its token has 128 random bits; the
//! store knows only its SHA-256. It counts once, for a day, and only for the PIN that was in force when it
//! was asked for. That it is spent and that two-step verification is off stand in one unit, so two who
//! follow it at once cannot both succeed. A link that does not count is answered alike, whatever the reason.

use core::time::Duration;

use async_trait::async_trait;
use registration::{Command, Holding, Locale, NumberRecord, PhoneNumber, Refusal, Timestamp};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::caller::Caller;
use crate::directory::{Entity, EntityKind, EntityRef, PinReset};
use crate::error::{Refused, ServiceError, Unavailable};
use crate::execute::{Proposal, Step};
use crate::policy::Allowance;
use crate::ports::{CommitError, EntityWrite, EntropyExt as _, Mail, Subject, Take, Unit};
use crate::service::{Service, committed};

/// How long a link counts.
pub const LIFETIME: Duration = Duration::from_hours(24);

/// Links for one number: three at once, then one in eight hours (our estimate; nobody loses a PIN often).
const ASKS: Allowance = Allowance { burst: 3, interval: Duration::from_hours(8) };

/// Where a link begins to be ours; the token follows.
pub const PATH: &str = "/two-step/reset/";

/// Longest token that is looked at.
const TOKEN_CHARS_MAX: usize = 200;

/// What became of asking for a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetAsked {
    /// It is on its way.
    Mailed {
        /// To whom, masked.
        to: String,
        /// How long it counts.
        expires_at: Timestamp,
    },
    /// Nobody holds a registration of the number.
    NotRegistered,
    /// Two-step verification is off, so there is nothing to reset.
    NoPin,
    /// The WABA that holds it has no address.
    NoAddress,
    /// Too many were asked for.
    TooMany {
        /// When one may be asked for again.
        opens_at: Timestamp,
    },
}

impl Service {
    /// Mails a link for a number. Answers once the mail server has taken it.
    pub async fn ask_pin_reset(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        locale: &Locale,
    ) -> Result<ResetAsked, ServiceError> {
        let record = self.load(number).await?.value;
        let Some(registration) = &record.registration else { return Ok(ResetAsked::NotRegistered) };
        let Some(two_step) = &record.two_step else { return Ok(ResetAsked::NoPin) };
        let waba = self.store.entity(&EntityRef::waba(&registration.waba)).await?;
        let Some(waba) = waba.and_then(|it| it.value.into_waba()) else {
            return Ok(ResetAsked::NoAddress);
        };
        let Some(address) = waba.contact_email.clone() else { return Ok(ResetAsked::NoAddress) };
        let now = self.now();
        let token = hex::encode(self.entropy.bytes::<16>());
        let reset = PinReset {
            id: id_of(&token),
            number,
            waba: registration.waba.clone(),
            pin_set_at: two_step.set_at,
            expires_at: now + LIFETIME,
        };
        let key = EntityRef::new(EntityKind::PinReset, &reset.id);
        let details = json!({ "dialect": caller.dialect, "waba": reset.waba.to_string() });
        let take = Take {
            key: format!("pin-reset/{}", number.digits()),
            interval: ASKS.interval,
            burst: ASKS.burst,
            now,
        };
        let asked = Unit {
            entities: vec![EntityWrite::Put { expected: 0, entity: Entity::PinReset(reset) }],
            takes: vec![take],
            events: vec![self.event(caller, Subject::Number(number), "pin_reset_asked", &details)],
            callbacks: self.reset_callbacks(&record, &waba).await?,
            ..Unit::default()
        };
        match self.store.commit(asked).await {
            Err(CommitError::Throttled { opens_at, .. }) => {
                return Ok(ResetAsked::TooMany { opens_at });
            }
            other => committed(other)?,
        }
        self.callbacks_due.notify_one();
        let mail = mail(&address, number, locale, &self.mails.link(&token));
        if let Err(error) = self.mails.send(&mail, self.send_id(now), now).await {
            tracing::warn!(?number, %error, "a link to reset a PIN was not mailed");
            // Nobody has the link; if this fails, too, it runs out by itself.
            let entities = vec![EntityWrite::Delete { expected: 1, entity: key }];
            _ = self.commit(Unit { entities, ..Unit::default() }).await;
            return Err(Unavailable::Mail.into());
        }
        Ok(ResetAsked::Mailed { to: masked(&address), expires_at: now + LIFETIME })
    }

    /// Follows a link: switches two-step verification off. `false` if the link does not count, whatever the
    /// reason.
    pub async fn confirm_pin_reset(&self, token: &str) -> Result<bool, ServiceError> {
        if token.len() > TOKEN_CHARS_MAX {
            return Ok(false);
        }
        let key = EntityRef::new(EntityKind::PinReset, id_of(token));
        let found = self.store.entity(&key).await?.and_then(|it| it.value.into_pin_reset());
        let Some(reset) = found else { return Ok(false) };
        let caller = Caller { account: None, dialect: "admin", actor: "mail:pin-reset".to_owned() };
        match self.execute(&caller, reset.number, &Follow { key }).await {
            Ok(_) => Ok(true),
            Err(ServiceError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A link that is followed.
struct Follow {
    key: EntityRef,
}

#[async_trait]
impl Proposal for Follow {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        now: Timestamp,
    ) -> Result<Step, ServiceError> {
        // Read at each try: another who follows the same link may have been quicker.
        let found = service.store.entity(&self.key).await?;
        let version = found.as_ref().map_or(0, |it| it.version);
        let pin_set_at = record.two_step.as_ref().map(|it| it.set_at);
        let counts = |it: &PinReset| now < it.expires_at && pin_set_at == Some(it.pin_set_at);
        let reset = found.and_then(|it| it.value.into_pin_reset()).filter(counts);
        let refusal = Refusal::NotRegistered;
        let number = Some(record.number);
        let Some(reset) = reset else {
            return Err(ServiceError::Refused(Refused { refusal, id: None, number, at: now }));
        };
        let holder = Some(Holding::Waba(reset.waba));
        let spent = EntityWrite::Delete { expected: version, entity: self.key.clone() };
        let mut step = Step::new(Command::ClearTwoStep { holder });
        step.entities.push(spent);
        Ok(step)
    }
}

/// Whether a text has the form of a mail address. Whether it exists, only a mail can tell.
#[must_use]
pub fn is_mail_address(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else { return false };
    let sound = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | ':' | '"' | '(' | ')')
    };
    text.len() <= 254
        && text.chars().all(sound)
        && !user.is_empty()
        && !user.contains('@')
        && !host.is_empty()
        && host.split('.').all(|label| !label.is_empty())
}

fn id_of(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// `o•••@shop.example`
fn masked(address: &str) -> String {
    match address.split_once('@') {
        Some((user, host)) => {
            let first: String = user.chars().take(1).collect();
            format!("{first}•••@{host}")
        }
        None => "•••".to_owned(),
    }
}

fn mail(to: &str, number: PhoneNumber, locale: &Locale, link: &str) -> Mail {
    // The person who asked knows the number; whoever reads along need not.
    let shown = number.masked();
    let german = crate::message_text::language(locale) == "de";
    let (subject, text) = if german {
        (
            "PIN der zweistufigen Verifizierung zurücksetzen",
            format!(
                "Jemand möchte die PIN der Nummer {shown} zurücksetzen.\n\nWenn Sie das sind, öffnen Sie \
                 diese Seite und bestätigen Sie dort; danach ist die zweistufige Verifizierung aus, und Sie \
                 können eine neue PIN setzen:\n\n{link}\n\nDer Link gilt einmal und 24 Stunden. Wenn Sie es \
                 nicht waren, brauchen Sie nichts zu tun.\n"
            ),
        )
    } else {
        (
            "Reset the PIN of two-step verification",
            format!(
                "Somebody asked to reset the PIN of the number {shown}.\n\nIf that was you, open this page and \
                 confirm there; two-step verification is off then, and you can set a new PIN:\n\n{link}\n\n\
                 The link counts once and for 24 hours. If it was not you, you need not do anything.\n"
            ),
        )
    };
    Mail { to: to.to_owned(), subject: subject.to_owned(), text, number, locale: locale.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_recognised_by_who_knows_it() {
        assert_eq!(masked("owner@shop.example"), "o•••@shop.example");
        assert_eq!(masked("nonsense"), "•••");
    }

    #[test]
    fn the_mail_has_the_link_and_not_the_number() {
        let number = PhoneNumber::parse("+447700900123").unwrap();
        for language in ["en", "de_AT", "sv"] {
            let locale = Locale::parse(language).unwrap();
            let mail =
                mail("owner@shop.example", number, &locale, "https://x.example/two-step/reset/ab");
            assert!(mail.text.contains("https://x.example/two-step/reset/ab\n"));
            assert!(!mail.text.contains("447700900123") && !format!("{mail:?}").contains("/ab"));
        }
    }
}

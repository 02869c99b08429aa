//! Asking a registrar upstream: Meta's Cloud API, Alibaba's CAMS.
//!
//! An adapter speaks one call at a time and knows no rule: it translates what is asked into a request and
//! the answer into [`UpstreamState`], a refusal of this installation's own ([`Refusal`]), or
//! [`UpstreamError::Unavailable`]. What may be asked is decided before, by the rules; what an answer
//! changes is decided after, by the rules (the module `forward`).

use core::time::Duration;

use async_trait::async_trait;
use registration::{
    CodeMethod, Locale, PhoneNumber, Refusal, Timestamp, TwoStepPin, VerificationCode, VerifiedName,
};

use crate::seed::SecretText;

/// Which registrar is the authority for a WABA, if not this installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registrar {
    /// Meta's Cloud API (Graph).
    Meta,
    /// Alibaba Cloud's Chat App Message Service.
    Alibaba,
}

impl Registrar {
    /// `meta` or `alibaba`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Alibaba => "alibaba",
        }
    }

    /// The registrar that `word` stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Meta, Self::Alibaba].into_iter().find(|it| it.as_str() == word)
    }

    /// Whether another display name can be asked for there.
    #[must_use]
    pub const fn takes_names(self) -> bool {
        matches!(self, Self::Meta)
    }

    /// Whether it asks for a two-step PIN. One that does not leaves PINs to the rules here.
    #[must_use]
    pub const fn asks_for_pins(self) -> bool {
        matches!(self, Self::Meta)
    }
}

/// Where an upstream is and how one shows oneself there. Secrets are in clear: made for one call, not kept.
#[derive(Debug, Clone)]
pub struct Link {
    /// Scheme, host and port, without a final slash.
    pub base_url: String,
    /// Our account there: a WABA id at Meta, a `CustSpaceId` at Alibaba.
    pub remote_id: String,
    /// The credentials, which also say whose registrar it is.
    pub credentials: Credentials,
}

/// What proves who calls.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Of the Graph API.
    Meta {
        /// A system user's token.
        token: SecretText,
        /// The app's secret, for apps that demand `appsecret_proof`.
        app_secret: Option<SecretText>,
        /// Version segment of the path: `v25.0`.
        version: String,
    },
    /// Of Alibaba Cloud.
    Alibaba {
        /// `AccessKeyId`.
        access_key_id: String,
        /// Its secret.
        access_key_secret: SecretText,
        /// The token that goes with a temporary key.
        security_token: Option<SecretText>,
    },
}

impl Link {
    /// Whose registrar it is.
    #[must_use]
    pub const fn registrar(&self) -> Registrar {
        match self.credentials {
            Credentials::Meta { .. } => Registrar::Meta,
            Credentials::Alibaba { .. } => Registrar::Alibaba,
        }
    }
}

/// What an errand is about.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// Whom to ask.
    pub link: &'a Link,
    /// About which number.
    pub number: PhoneNumber,
    /// Its id there, where it is known; not every upstream has ids.
    pub remote_id: Option<&'a str>,
    /// The present moment: signatures name it, and waits count from it.
    pub now: Timestamp,
}

/// What an upstream says about a number. `None` stands for "it did not say", which is not "no".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpstreamState {
    /// Its id there.
    pub id: String,
    /// The digits, for lists.
    pub digits: String,
    /// Whether it is registered there, for our account.
    pub registered: Option<bool>,
    /// Whether its code was confirmed, lately enough to register.
    pub verified: Option<bool>,
    /// Whether registering it takes a PIN that was set before.
    pub pin_enabled: Option<bool>,
    /// Its status in their words (`CONNECTED`).
    pub status: Option<String>,
    /// Where the review of its name stands, in their words.
    pub name_status: Option<String>,
    /// Its quality, in their words.
    pub quality: Option<String>,
    /// The display names that it has or that were asked for, without those that were declined.
    pub names: Vec<String>,
}

/// How much of its limits a registrar upstream says that our account has used, and what that does to calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Of the limit that is nearest, in percent.
    pub percent: u64,
    /// Whether each call waits a little.
    pub slowed: bool,
    /// Until when no calls are made at all.
    pub closed_until: Option<Timestamp>,
}

/// A backup of the retired On-Premises client, for Meta to move a number by.
#[derive(Debug, Clone)]
pub struct ForeignBackup {
    /// The sealed text as the client gave it.
    pub data: SecretText,
    /// The password it was made with.
    pub password: SecretText,
}

/// What an upstream said about a refusal, in its own words.
pub use registration::ForeignWords;

/// Why an upstream did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It said no.
    #[error("refused upstream: {words}")]
    Refused {
        /// What that means here.
        refusal: Refusal,
        /// What it said.
        words: Box<ForeignWords>,
        /// Its words stand for several refusals, of which this is the likeliest, or leave the length of a wait open.
        is_vague: bool,
    },
    /// It did not answer, or said that it cannot at the moment.
    #[error("{reason}")]
    Unavailable {
        /// What happened, without secrets.
        reason: String,
        /// Whether the call may have been carried out all the same.
        doubt: Doubt,
        /// How long it wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
}

/// Whether a call without a clear answer was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// No: it never left, or the answer says so.
    NotDone,
    /// Perhaps; but whatever was done is done by now (an error came back).
    Settled,
    /// Perhaps, and it may still be under way (no answer came back).
    UnderWay,
}

/// An upstream said yes to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeAccepted {
    /// The number was registered in the same step: there is nothing more to ask for.
    pub registered: bool,
}

/// Speaks with registrars upstream. One call of the port is one errand there; adapters repeat on their own
/// only what reads, and what never left.
#[async_trait]
pub trait UpstreamRegistrar: Send + Sync + 'static {
    /// Whether `link` may be called at all; the reason if not (a sandbox keeps to loopback).
    fn check(&self, link: &Link) -> Result<(), String>;

    /// How fast `link` may be called now, as far as this process was told; nothing if it was not, or too long
    /// ago.
    fn pace(&self, _link: &Link, _now: Timestamp) -> Option<Pace> {
        None
    }

    /// Every number of our account there.
    async fn numbers(
        &self,
        link: &Link,
        now: Timestamp,
    ) -> Result<Vec<UpstreamState>, UpstreamError>;

    /// The number's state; it is taken into our account there if it is not in it yet.
    async fn find_or_add(
        &self,
        errand: Errand<'_>,
        name: &VerifiedName,
    ) -> Result<UpstreamState, UpstreamError>;

    /// The number's state; `None` if it is not in our account there.
    async fn read_back(&self, errand: Errand<'_>) -> Result<Option<UpstreamState>, UpstreamError>;

    /// Sends a code.
    async fn request_code(
        &self,
        errand: Errand<'_>,
        method: CodeMethod,
        locale: &Locale,
    ) -> Result<(), UpstreamError>;

    /// Confirms a code.
    async fn verify_code(
        &self,
        errand: Errand<'_>,
        code: &VerificationCode,
    ) -> Result<CodeAccepted, UpstreamError>;

    /// Registers.
    async fn register(
        &self,
        errand: Errand<'_>,
        pin: Option<&TwoStepPin>,
        backup: Option<&ForeignBackup>,
    ) -> Result<(), UpstreamError>;

    /// Gives the registration up.
    async fn deregister(&self, errand: Errand<'_>) -> Result<(), UpstreamError>;

    /// Sets the PIN.
    async fn set_two_step(&self, errand: Errand<'_>, pin: &TwoStepPin)
    -> Result<(), UpstreamError>;

    /// Asks for another display name. Only of registrars that take names ([`Registrar::takes_names`]); the others
    /// have no such call, and whoever asks them all the same is told so.
    async fn change_name(
        &self,
        errand: Errand<'_>,
        _name: &VerifiedName,
    ) -> Result<(), UpstreamError> {
        Err(UpstreamError::Unavailable {
            reason: format!("{} takes no other name of a number", errand.link.registrar().as_str()),
            doubt: Doubt::NotDone,
            retry_after: None,
        })
    }
}

//! What the world must do after a decision, and what the audit trail says about it.

use core::fmt;
use std::sync::Arc;

use crate::{
    ChallengeId, ClientId, NameFault, PhoneNumberId, Platform, Refusal, Timestamp, VerifiedName,
    WabaId,
};

/// How a code travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeMethod {
    /// A text message.
    Sms,
    /// A voice call.
    Voice,
}

impl CodeMethod {
    /// `sms` or `voice`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Voice => "voice",
        }
    }
}

/// The language a code message is asked in: a BCP 47 tag or an underscore form (`en_US`), kept as given.
///
/// At most 35 ASCII letters, digits, `-`, `_` (BCP 47 §4.4.1 asks for buffers of 35).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locale(Arc<str>);

impl Locale {
    /// Takes the text if it has the form of a language tag.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (2..=35).contains(&text.len())
            && text.as_bytes()[0].is_ascii_alphabetic()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        fits.then(|| Self(text.into()))
    }

    /// English, the language of last resort.
    #[must_use]
    pub fn english() -> Self {
        Self("en".into())
    }

    /// The tag as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A code to hand to a sender. It names the challenge; the code is derived when the message is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSend {
    /// The claim that asked.
    pub claim: PhoneNumberId,
    /// Its WABA.
    pub waba: WabaId,
    /// The challenge that determines the code.
    pub challenge: ChallengeId,
    /// Epoch of the key that the code is derived with.
    pub key_epoch: u32,
    /// SMS or voice.
    pub method: CodeMethod,
    /// Language of the message.
    pub locale: Locale,
    /// After this the message would carry a dead code.
    pub useless_after: Timestamp,
}

/// What must happen after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A code must reach the number.
    SendCode(CodeSend),
}

/// What happened, for the audit trail: one fact or more per decision, refusals included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A WABA claimed the number.
    NumberAdded {
        /// Who claims.
        waba: WabaId,
    },
    /// A WABA began to move the number to itself.
    MigrationStarted {
        /// Where it shall go.
        waba: WabaId,
    },
    /// The display name of a claim was replaced.
    NameChanged {
        /// The new name.
        name: VerifiedName,
    },
    /// A display name was asked for; it has to be looked at.
    NameSubmitted {
        /// The name.
        name: VerifiedName,
    },
    /// A display name was approved.
    NameApproved {
        /// The name.
        name: VerifiedName,
    },
    /// A display name was declined.
    NameDeclined {
        /// The name.
        name: VerifiedName,
        /// Why.
        why: NameFault,
    },
    /// A code was ordered.
    CodeRequested {
        /// By which channel.
        method: CodeMethod,
        /// Whether a code of an earlier request was still alive and is sent again.
        resend: bool,
    },
    /// A code was asked for whose message is ordered and has found no sender yet; nothing was ordered.
    CodeAwaited {
        /// By which channel.
        method: CodeMethod,
    },
    /// A message that was ordered found no sender while its code lived; its step was given back.
    CodeNotSent {
        /// By which channel.
        method: CodeMethod,
    },
    /// The right code was given.
    CodeConfirmed,
    /// The number was registered.
    Registered {
        /// Where it runs now.
        platform: Platform,
    },
    /// The number left the one who held it.
    HolderLoggedOff {
        /// The WABA that held it.
        waba: WabaId,
        /// The client that ran it, on-premises.
        client: Option<ClientId>,
    },
    /// The number was deregistered.
    Deregistered,
    /// The registration moved to another client by a backup.
    Restored {
        /// The client that runs it now.
        client: ClientId,
    },
    /// Two-step verification was switched on, or its PIN changed.
    TwoStepSet,
    /// Two-step verification was switched off.
    TwoStepCleared,
    /// An operator unlocked the number.
    Unlocked,
    /// The number was locked after too many wrong guesses in a row.
    Locked,
    /// The command was refused.
    Refused {
        /// Which command, by its name.
        command: &'static str,
        /// Why.
        refusal: Refusal,
    },
}

impl Fact {
    /// The kind of event, as it stands in the audit trail.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NumberAdded { .. } => "number_added",
            Self::MigrationStarted { .. } => "migration_started",
            Self::NameChanged { .. } => "name_changed",
            Self::NameSubmitted { .. } => "name_submitted",
            Self::NameApproved { .. } => "name_approved",
            Self::NameDeclined { .. } => "name_declined",
            Self::CodeRequested { .. } => "code_requested",
            Self::CodeAwaited { .. } => "code_awaited",
            Self::CodeNotSent { .. } => "code_not_sent",
            Self::CodeConfirmed => "code_confirmed",
            Self::Registered { .. } => "registered",
            Self::HolderLoggedOff { .. } => "holder_logged_off",
            Self::Deregistered => "deregistered",
            Self::Restored { .. } => "restored",
            Self::TwoStepSet => "two_step_set",
            Self::TwoStepCleared => "two_step_cleared",
            Self::Unlocked => "unlocked",
            Self::Locked => "locked",
            Self::Refused { .. } => "refused",
        }
    }
}

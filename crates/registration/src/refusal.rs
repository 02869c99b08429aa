//! Every business "no", with the moment it opens again.

use crate::{Closed, CodeMethod, Fuse, NumberKind, Timestamp};

/// Why a command was refused. A normal answer, not an error: it is recorded and explained.
///
/// The variants up to [`Refusal::BackupOutdated`] come from [`decide`](crate::decide()); the others are
/// refused before a number's record is asked, and stand here so that one table words them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Too soon after the last code by this channel.
    CodeTooSoon {
        /// Which channel.
        method: CodeMethod,
        /// When the next one may be sent.
        opens_at: Timestamp,
    },
    /// All SMS of the ladder are used; voice may work.
    SmsExhausted {
        /// When the ladder starts again.
        opens_at: Timestamp,
    },
    /// All voice calls of the ladder are used.
    VoiceExhausted {
        /// When the ladder starts again.
        opens_at: Timestamp,
    },
    /// This kind of number cannot take a code by this channel.
    ChannelImpossible {
        /// The channel asked for.
        method: CodeMethod,
        /// What the number is.
        kind: NumberKind,
    },
    /// The code is wrong.
    CodeMismatch {
        /// Guesses left for this code.
        guesses_left: u32,
    },
    /// Nothing to confirm: none requested, expired, used, empty, or somebody else's.
    CodeMissing,
    /// Too soon after the last wrong guess.
    GuessTooSoon {
        /// When the next guess may be made.
        opens_at: Timestamp,
    },
    /// All guesses for this code are spent; a new code is needed.
    OutOfGuesses,
    /// Too many wrong guesses for this number today.
    GuessesExhausted {
        /// When the next guess may be made.
        opens_at: Timestamp,
    },
    /// Locked after too many wrong guesses in a row; an operator must unlock it.
    NumberLocked,
    /// Two-step verification is on and no PIN was given.
    PinRequired,
    /// The PIN is wrong.
    PinMismatch {
        /// Tries left before the daily lock.
        tries_left: u32,
    },
    /// Too many wrong PINs.
    PinLocked {
        /// When the next try may be made.
        opens_at: Timestamp,
    },
    /// Too many register (or deregister) calls for this number.
    RegisterLimit {
        /// When the next call may be made.
        opens_at: Timestamp,
    },
    /// The number's code was not confirmed, or too long ago.
    NotVerified,
    /// The WABA has no claim on this number.
    NotClaimed,
    /// The WABA has added this number before.
    AlreadyAdded,
    /// The number is registered for another WABA.
    HeldElsewhere,
    /// The claim needs no code: it is verified or registered.
    AlreadyVerified,
    /// The caller does not hold the registration, or there is none.
    NotRegistered,
    /// A step of a migration out of order: none was started, or the number has arrived.
    NotMigrating,
    /// The display name was declined: the number is not registered under it.
    NameDeclined,
    /// The backup is of a registration that no longer exists.
    BackupOutdated,
    /// Too many sends to this country for this account.
    CountryLimit {
        /// When the next send may be ordered.
        opens_at: Timestamp,
    },
    /// Codes are not sent there by this method.
    DestinationClosed {
        /// The method asked for.
        method: CodeMethod,
        /// Why.
        why: Closed,
    },
    /// Too few of the codes sent to this range of numbers were used lately.
    LowConversion {
        /// When the next one may be sent.
        opens_at: Timestamp,
    },
    /// What may be spent is spent.
    SpendLimit {
        /// Which budget.
        fuse: Fuse,
        /// When it starts anew.
        opens_at: Timestamp,
    },
    /// Too many requests by this caller.
    TooManyRequests {
        /// When the next request may be made.
        opens_at: Timestamp,
    },
    /// The caller's role does not allow it.
    NotAdmin,
    /// On-Premises registration is switched off for this client.
    Retired,
    /// The certificate was read and refused.
    CertificateRefused {
        /// The reason, one word, as it stands behind `Unknown error: `.
        reason: &'static str,
    },
    /// The backup could not be opened: wrong password or damaged.
    BackupUnreadable,
    /// The space belongs to another account, or does not exist.
    ForeignSpace,
    /// The account has not subscribed to the product.
    NotSubscribed,
    /// The registrar upstream said no for a reason that has no counterpart here.
    Upstream(Box<ForeignWords>),
}

/// What a registrar upstream said, for the caller to read: never interpreted here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignWords {
    /// Its code (`131031`, `InvalidParameter.X`).
    pub code: String,
    /// The part of the code that tells cases apart, where there is one.
    pub subcode: Option<String>,
    /// Its message.
    pub message: String,
    /// What it wrote for the end user, where that is another text.
    pub user_message: Option<String>,
    /// What its support asks for (`fbtrace_id`, `RequestId`).
    pub trace: Option<String>,
}

/// The stable name of a kind of refusal, as in `/explain/{id}`.
pub type RefusalId = &'static str;

impl Refusal {
    /// The stable name of this kind.
    #[must_use]
    pub const fn id(&self) -> RefusalId {
        match self {
            Self::CodeTooSoon { .. } => "code-too-soon",
            Self::SmsExhausted { .. } => "sms-exhausted",
            Self::VoiceExhausted { .. } => "voice-exhausted",
            Self::ChannelImpossible { .. } => "channel-impossible",
            Self::CodeMismatch { .. } => "code-mismatch",
            Self::CodeMissing => "code-missing",
            Self::GuessTooSoon { .. } => "guess-too-soon",
            Self::OutOfGuesses => "out-of-guesses",
            Self::GuessesExhausted { .. } => "guesses-exhausted",
            Self::NumberLocked => "number-locked",
            Self::PinRequired => "pin-required",
            Self::PinMismatch { .. } => "pin-mismatch",
            Self::PinLocked { .. } => "pin-locked",
            Self::RegisterLimit { .. } => "register-limit",
            Self::NotVerified => "not-verified",
            Self::NotClaimed => "not-claimed",
            Self::AlreadyAdded => "already-added",
            Self::HeldElsewhere => "held-elsewhere",
            Self::AlreadyVerified => "already-verified",
            Self::NotRegistered => "not-registered",
            Self::NotMigrating => "not-migrating",
            Self::NameDeclined => "name-declined",
            Self::BackupOutdated => "backup-outdated",
            Self::CountryLimit { .. } => "country-limit",
            Self::DestinationClosed { .. } => "destination-closed",
            Self::LowConversion { .. } => "low-conversion",
            Self::SpendLimit { .. } => "spend-limit",
            Self::TooManyRequests { .. } => "too-many-requests",
            Self::NotAdmin => "not-admin",
            Self::Retired => "retired",
            Self::CertificateRefused { .. } => "certificate-refused",
            Self::BackupUnreadable => "backup-unreadable",
            Self::ForeignSpace => "foreign-space",
            Self::NotSubscribed => "not-subscribed",
            Self::Upstream(_) => "upstream",
        }
    }

    /// When the same request may succeed, where waiting is the cure.
    #[must_use]
    pub const fn opens_at(&self) -> Option<Timestamp> {
        match self {
            Self::CodeTooSoon { opens_at, .. }
            | Self::SmsExhausted { opens_at }
            | Self::VoiceExhausted { opens_at }
            | Self::GuessTooSoon { opens_at }
            | Self::GuessesExhausted { opens_at }
            | Self::PinLocked { opens_at }
            | Self::RegisterLimit { opens_at }
            | Self::CountryLimit { opens_at }
            | Self::LowConversion { opens_at }
            | Self::SpendLimit { opens_at, .. }
            | Self::TooManyRequests { opens_at } => Some(*opens_at),
            Self::ChannelImpossible { .. }
            | Self::DestinationClosed { .. }
            | Self::CodeMismatch { .. }
            | Self::CodeMissing
            | Self::OutOfGuesses
            | Self::NumberLocked
            | Self::PinRequired
            | Self::PinMismatch { .. }
            | Self::NotVerified
            | Self::NotClaimed
            | Self::AlreadyAdded
            | Self::HeldElsewhere
            | Self::AlreadyVerified
            | Self::NotRegistered
            | Self::NotMigrating
            | Self::NameDeclined
            | Self::BackupOutdated
            | Self::NotAdmin
            | Self::Retired
            | Self::CertificateRefused { .. }
            | Self::BackupUnreadable
            | Self::ForeignSpace
            | Self::NotSubscribed
            | Self::Upstream(_) => None,
        }
    }
}

impl core::fmt::Display for ForeignWords {
    /// Both texts, the code, and what support asks for: `Message: for users (131031/2388001, trace A1b2)`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(user_message) = &self.user_message {
            write!(f, ": {user_message}")?;
        }
        write!(f, " ({}", self.code)?;
        if let Some(subcode) = &self.subcode {
            write!(f, "/{subcode}")?;
        }
        if let Some(trace) = &self.trace {
            write!(f, ", trace {trace}")?;
        }
        f.write_str(")")
    }
}

//! WABAs whose authority is elsewhere, and what is known about their numbers there.

use registration::{
    ClientId, CodeMethod, PhoneNumber, TextId as _, Timestamp, VerifiedName, WabaId,
};

use super::{Entity, EntityKind, EntityRef};
use crate::ports::Registrar;

/// The registrar upstream of a WABA. Its secrets are sealed; see [`crate::upstreams`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Whose: at most one per WABA.
    pub waba: WabaId,
    /// Which registrar.
    pub registrar: Registrar,
    /// Where it is, without a final slash.
    pub base_url: String,
    /// The account there: a WABA id at Meta, a `CustSpaceId` at Alibaba.
    pub remote_id: String,
    /// Meta: the version segment of the path.
    pub version: Option<String>,
    /// Alibaba: which key signs. Not a secret.
    pub access_key_id: Option<String>,
    /// The secrets, sealed as one text.
    pub sealed: String,
    /// When it was set.
    pub created_at: Timestamp,
}

/// What is known about a number upstream: the mirror beside the number's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamNumber {
    /// Through which WABA.
    pub waba: WabaId,
    /// Which number.
    pub number: PhoneNumber,
    /// Its id there, where there is one.
    pub remote_id: Option<String>,
    /// The state it was last seen in.
    pub seen: Option<Seen>,
    /// A call that has no recorded answer: read back before anything else is asked.
    pub under_way: Option<UnderWay>,
    /// Mark of the code that was confirmed there, while the registration that belongs to it is still due.
    pub confirmed: Option<String>,
    /// The code on its way was made and sent here, since none was to be had there: it is checked here.
    pub own_code: bool,
    /// The PIN in force there, sealed, where this installation knows it.
    pub sealed_pin: Option<String>,
    /// A PIN that goes with the next registration, sealed; in force once that succeeds.
    pub sealed_candidate: Option<String>,
    /// What differs between there and here, in words, if anything does.
    pub drift: Option<String>,
}

/// A number as an upstream showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// Whether it is registered there.
    pub registered: Option<bool>,
    /// Whether its code is confirmed there.
    pub verified: Option<bool>,
    /// Whether a PIN is set there.
    pub pin_enabled: Option<bool>,
    /// Its status in their words.
    pub status: Option<String>,
    /// The review of its name, in their words.
    pub name_status: Option<String>,
    /// Its quality, in their words.
    pub quality: Option<String>,
}

/// A call upstream whose answer is not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// What was asked.
    pub what: Call,
    /// When.
    pub since: Timestamp,
    /// From then on a state read there that does not show it proves that it was not done.
    pub settles_at: Timestamp,
}

/// A call upstream, with what is needed to catch up if only its answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A code was asked for.
    RequestCode {
        /// By which channel.
        method: CodeMethod,
        /// For which On-Premises client, if one asked.
        client: Option<ClientId>,
    },
    /// A code was submitted.
    VerifyCode {
        /// A keyed mark of it, to know it again.
        mark: String,
    },
    /// The number was to be registered, to run on this client or on the hosted platform.
    Register {
        /// The client.
        client: Option<ClientId>,
    },
    /// The registration was to be given up.
    Deregister,
    /// Another display name was asked for.
    ChangeName {
        /// Which.
        name: VerifiedName,
    },
}

impl UpstreamNumber {
    /// Nothing is known yet.
    #[must_use]
    pub const fn unknown(waba: WabaId, number: PhoneNumber) -> Self {
        Self {
            waba,
            number,
            remote_id: None,
            seen: None,
            under_way: None,
            confirmed: None,
            own_code: false,
            sealed_pin: None,
            sealed_candidate: None,
            drift: None,
        }
    }
}

impl EntityRef {
    /// Names the upstream of a WABA.
    #[must_use]
    pub fn upstream(waba: &WabaId) -> Self {
        Self::new(EntityKind::Upstream, waba.as_str())
    }

    /// Names what is known about a number upstream.
    #[must_use]
    pub fn upstream_number(waba: &WabaId, number: PhoneNumber) -> Self {
        Self::new(EntityKind::UpstreamNumber, format!("{waba}/{}", number.digits()))
    }
}

impl Entity {
    /// The upstream, if it is one.
    #[must_use]
    pub fn into_upstream(self) -> Option<Upstream> {
        if let Self::Upstream(it) = self { Some(*it) } else { None }
    }

    /// The number upstream, if it is one.
    #[must_use]
    pub fn into_upstream_number(self) -> Option<UpstreamNumber> {
        if let Self::UpstreamNumber(it) = self { Some(*it) } else { None }
    }
}

//! Who asks for what, and under which circumstances.

use core::net::IpAddr;
use std::borrow::Cow;

use registration::{AccountId, TextId as _, Timestamp};

use super::resource::ResourceName;
use super::value::Actual;

/// Whose key signed the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal<'a> {
    /// The account that is asked to act and pays.
    pub account: &'a AccountId,
    /// Who of that account.
    pub identity: Identity<'a>,
}

/// Who within an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    /// The account itself. Control and identity policies do not bind it; the session policy of a
    /// temporary key does.
    Owner,
    /// A RAM user.
    User {
        /// Its name.
        name: &'a str,
    },
    /// A role that somebody took on.
    Role {
        /// The role's name.
        role: &'a str,
        /// The name of the session.
        session: &'a str,
    },
    /// Somebody whom a partner vouches for.
    Federated {
        /// The name that the partner gives.
        name: &'a str,
    },
}

/// How a refusal names the kind of an identity (CAMS reference §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalType {
    /// A RAM user.
    SubUser,
    /// A role, or a temporary key of the account itself: nothing else of an owner can be refused.
    AssumedRoleUser,
    /// A partner's user.
    Federated,
}

impl PrincipalType {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SubUser => "SubUser",
            Self::AssumedRoleUser => "AssumedRoleUser",
            Self::Federated => "Federated",
        }
    }
}

impl<'a> Principal<'a> {
    /// Its kind, for refusals.
    #[must_use]
    pub const fn principal_type(&self) -> PrincipalType {
        match self.identity {
            Identity::User { .. } => PrincipalType::SubUser,
            Identity::Owner | Identity::Role { .. } => PrincipalType::AssumedRoleUser,
            Identity::Federated { .. } => PrincipalType::Federated,
        }
    }

    /// Its name, for refusals: the user, or `role:session`.
    #[must_use]
    pub fn display_name(&self) -> Cow<'a, str> {
        match self.identity {
            Identity::Owner => self.account.as_str().into(),
            Identity::User { name } | Identity::Federated { name } => name.into(),
            Identity::Role { role, session } => format!("{role}:{session}").into(),
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Service and operation: `cams:ChatappVerifyAndRegister`.
    pub action: &'a str,
    /// What it touches.
    pub resource: ResourceName<'a>,
    /// The circumstances.
    pub context: Context<'a>,
}

/// The circumstances that conditions look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// `acs:CurrentTime`.
    pub current_time: Timestamp,
    /// `acs:SecureTransport`: whether the request came over TLS.
    pub secure_transport: bool,
    /// `acs:SourceIp`; absent if unknown.
    pub source_ip: Option<IpAddr>,
    /// `acs:MFAPresent`: whether a second factor was checked; absent if nobody asked.
    pub mfa_present: Option<bool>,
    /// Other keys and their values.
    pub more: &'a [(&'a str, &'a str)],
}

impl<'a> Context<'a> {
    /// The value of a key; `None` if the request does not have it.
    pub(super) fn value(&self, key: &str) -> Option<Actual<'a>> {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        if is("acs:CurrentTime") {
            Some(Actual::Time(self.current_time))
        } else if is("acs:SecureTransport") {
            Some(Actual::Flag(self.secure_transport))
        } else if is("acs:SourceIp") {
            self.source_ip.map(Actual::Address)
        } else if is("acs:MFAPresent") {
            self.mfa_present.map(Actual::Flag)
        } else {
            let found = self.more.iter().find(|(name, _)| is(name));
            found.map(|(_, value)| Actual::Text(value))
        }
    }

    /// Every key that the request has, with its value.
    pub(super) fn all(&self) -> Vec<(&'a str, String)> {
        let own = ["acs:CurrentTime", "acs:SecureTransport", "acs:SourceIp", "acs:MFAPresent"];
        let names = own.into_iter().chain(self.more.iter().map(|(name, _)| *name));
        names.filter_map(|name| Some((name, self.value(name)?.to_string()))).collect()
    }
}

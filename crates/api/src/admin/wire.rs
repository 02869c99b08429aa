//! The twins of domain types on the wire: text is parsed once, here, and is the type from then on.

use core::net::IpAddr;

use registration::{PhoneNumber, TextId, Timestamp, TwoStepPin, VerificationCode, VerifiedName};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use service::numbering::{Planned, plan_e164};
use utoipa::ToSchema;

use crate::explain::rfc3339;

/// A moment: RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2027-01-15T08:00:00Z")]
pub(crate) struct At(String);

impl From<Timestamp> for At {
    fn from(at: Timestamp) -> Self {
        Self(rfc3339(at))
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What stands on this page.
    pub items: Vec<T>,
    /// What to ask the next page with (`after`, or `before` where the newest comes first); `null` on the
    /// last page.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of what was found, one more than `limit` having been asked for; `key` names an entry.
    pub(crate) fn cut<F>(
        mut found: Vec<F>,
        limit: Limit,
        key: impl Fn(&F) -> String,
        view: impl Fn(F) -> T,
    ) -> Self {
        let more = found.len() > limit.0;
        found.truncate(limit.0);
        let next = found.last().filter(|_| more).map(key);
        Self { items: found.into_iter().map(view).collect(), next }
    }
}

/// Entries on a page: 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub usize);

impl Limit {
    /// One more than the page holds, so that it is known whether another page follows.
    pub(crate) const fn and_one(self) -> usize {
        self.0 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// Declares a type that is read from a string by a function and described in OpenAPI as a string.
macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident($inner:ty) = $parse:expr;)+) => {$(
        $(#[$doc])+
        #[derive(Clone)]
        pub(crate) struct $name(pub $inner);

        /// Redacted: some of these are secrets, others are somebody's number.
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(……)"))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let parse: fn(&str) -> Result<$inner, String> = $parse;
                parse(&text(from)?).map(Self).map_err(D::Error::custom)
            }
        }
    )+};
}

texts! {
    /// A number that a numbering plan knows.
    PlannedNumber(Planned) = |text| plan_e164(text.trim()).map_err(|fault| fault.to_string());
    /// Any number in E.164 form. A `+` that a query string turned into a space is forgiven.
    Number(PhoneNumber) = |text| PhoneNumber::parse(text.trim()).map_err(|fault| fault.to_string());
    /// The first digits of numbers, with or without `+`.
    Prefix(String) = prefix;
    /// A display name.
    Name(VerifiedName) = |text| VerifiedName::parse(text).map_err(|fault| fault.to_string());
    /// A name for people: 1 to 256 characters.
    Label(String) = |text| VerifiedName::parse(text)
        .map(|name| name.as_str().to_owned())
        .map_err(|_| "a name has 1 to 256 characters and no control characters".to_owned());
    /// A two-step verification PIN.
    Pin(TwoStepPin) = |text| TwoStepPin::parse(text).map_err(|fault| fault.to_string());
    /// A verification code.
    Code(VerificationCode) = |text| VerificationCode::parse(text).map_err(|fault| fault.to_string());
    /// A host name, in lower case without port.
    Host(String) = host;
    /// A client's API key.
    ApiKey(String) = api_key;
    /// A password that meets the On-Premises rule.
    Password(String) = password;
    /// An address of IPv4 or IPv6.
    Address(IpAddr) = |text| text.parse().map_err(|_| "an address of IPv4 or IPv6".to_owned());
    /// A moment with its offset.
    Moment(Timestamp) = moment;
    /// Whole digits of a query parameter.
    Count(u64) = |text| text.parse().map_err(|_| "a whole number".to_owned());
    /// A place in the audit trail, or `last` for behind its end.
    Before(u64) = |text| match text {
        "last" => Ok(u64::MAX),
        _ => text.parse().map_err(|_| "a whole number, or last".to_owned()),
    };
    /// `true` or `false` as a query parameter.
    Flag(bool) = |text| text.parse().map_err(|_| "true or false".to_owned());
}

/// An identifier of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Id<T>(pub T);

impl<'de, T: TextId> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let problem = "an identifier has 1 to 64 letters, digits, -, _ or .";
        T::parse(&text(from)?).map(Self).ok_or_else(|| D::Error::custom(problem))
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let limit = text(from)?.parse().ok().filter(|limit| (1..=200).contains(limit));
        limit.map(Self).ok_or_else(|| D::Error::custom("a whole number from 1 to 200"))
    }
}

/// What a change asks of a field that may be empty. Goes with `#[serde(default)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Edit<T> {
    /// The field is not there: leave it as it is.
    #[default]
    Keep,
    /// The field is `null`: empty it.
    Clear,
    /// The field has a value: take it.
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Clear, Self::Set))
    }
}

impl<T> Edit<T> {
    /// Changes `field`, a value being turned into what is kept of it.
    pub(crate) fn apply<K>(&self, field: &mut Option<K>, keep: impl Fn(&T) -> K) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(keep(value)),
        }
    }
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from)
}

fn prefix(text: &str) -> Result<String, String> {
    let digits = text.trim().trim_start_matches('+');
    let fits =
        digits.len() <= PhoneNumber::DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(digits.to_owned()) } else { Err("up to 15 digits".to_owned()) }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let at: jiff::Timestamp = text
        .parse()
        .map_err(|_| "a moment in RFC 3339, such as 2026-11-22T04:29:29Z".to_owned())?;
    Ok(Timestamp::from_millis(at.as_millisecond()))
}

fn host(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // RFC 1035 §2.3.4: 255 octets, labels of 63.
    if text.len() <= 253 && text.split('.').all(label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a host name without scheme and port".to_owned())
    }
}

fn api_key(text: &str) -> Result<String, String> {
    let fits = (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(text.to_owned())
    } else {
        Err("an API key has 16 to 128 visible characters".to_owned())
    }
}

fn password(text: &str) -> Result<String, String> {
    if service::login::password_is_strong(text) {
        Ok(text.to_owned())
    } else {
        Err("a password has 8 to 64 characters with upper and lower case, a digit and a special \
             character"
            .to_owned())
    }
}

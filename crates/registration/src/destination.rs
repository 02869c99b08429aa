//! Where codes may be sent, before anything is spent.

use crate::{CodeMethod, PhoneNumber, Timestamp};

/// Ranges of the whole world that no code is ever sent to: what a call or message there costs is out of
/// all proportion, and no business registers such a number. (ITU-T E.164 assigned codes.)
const NEVER: [(&str, Closed); 6] = [
    ("870", Closed::Satellite),
    ("881", Closed::Satellite),
    ("882", Closed::Satellite),
    ("883", Closed::Satellite),
    ("808", Closed::Premium),
    ("979", Closed::Premium),
];

/// What is known of the way to a number when a code for it is asked: a verdict that arrives as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Nothing stands against it.
    #[default]
    Open,
    /// It may not be reached by this method.
    Closed(Closed),
    /// Too few of the codes sent to its range were ever used.
    Stopped {
        /// When the next one may be sent.
        opens_at: Timestamp,
    },
}

/// Why no code is sent somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The operator has not opened it for this account and method.
    NotOpened,
    /// No sender carries codes there by this method.
    NoSender,
    /// A satellite telephone.
    Satellite,
    /// A number of the whole world at a premium or shared-cost rate.
    Premium,
}

impl Closed {
    /// `not-opened`, `no-sender`, `satellite` or `premium`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotOpened => "not-opened",
            Self::NoSender => "no-sender",
            Self::Satellite => "satellite",
            Self::Premium => "premium",
        }
    }

    /// Whether `number` is one that no code is ever sent to, whatever the operator opened.
    #[must_use]
    pub fn always(number: PhoneNumber) -> Option<Self> {
        let digits = number.digits();
        NEVER.iter().find(|(code, _)| digits.starts_with(code)).map(|(_, why)| *why)
    }
}

/// Which numbers may be reached by each method, as beginnings of their digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destinations {
    /// By SMS.
    pub sms: Vec<String>,
    /// By voice call.
    pub voice: Vec<String>,
}

impl Destinations {
    /// Everywhere, by both methods.
    #[must_use]
    pub fn everywhere() -> Self {
        Self { sms: vec![String::new()], voice: vec![String::new()] }
    }

    /// Whether a code may go to `number` by `method`.
    #[must_use]
    pub fn allow(&self, method: CodeMethod, number: PhoneNumber) -> bool {
        let digits = number.digits();
        let open = match method {
            CodeMethod::Sms => &self.sms,
            CodeMethod::Voice => &self.voice,
        };
        open.iter().any(|beginning| digits.starts_with(beginning.as_str()))
    }
}

/// A fuse that guards money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fuse {
    /// What one account may spend in a day (UTC).
    AccountDay,
    /// What all accounts together may spend on one country in an hour.
    CountryHour,
}

impl Fuse {
    /// `account-day` or `country-hour`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountDay => "account-day",
            Self::CountryHour => "country-hour",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satellites_and_international_premium_rates_are_never_reached() {
        for (number, why) in [
            ("+870773111632", Some(Closed::Satellite)),
            ("+881622212345", Some(Closed::Satellite)),
            ("+979123456789", Some(Closed::Premium)),
            ("+80812345678", Some(Closed::Premium)),
            ("+447700900123", None),
        ] {
            assert_eq!(Closed::always(PhoneNumber::parse(number).unwrap()), why, "{number}");
        }
    }

    #[test]
    fn a_destination_is_open_by_the_beginning_of_its_digits() {
        let number = |digits| PhoneNumber::parse(digits).unwrap();
        let only = Destinations { sms: vec!["44".into(), "1876".into()], voice: Vec::new() };
        assert!(only.allow(CodeMethod::Sms, number("+447700900123")));
        assert!(only.allow(CodeMethod::Sms, number("+18765550123")));
        assert!(!only.allow(CodeMethod::Sms, number("+15550100123")));
        assert!(!only.allow(CodeMethod::Voice, number("+447700900123")));
        assert!(Destinations::everywhere().allow(CodeMethod::Voice, number("+15550100123")));
    }
}

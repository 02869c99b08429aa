//! Phone numbers and what their type allows.

use core::fmt;
use core::str::FromStr;

use crate::CodeMethod;

/// A phone number in E.164 form: country code and national number, 15 digits at most.
///
/// Holds the digits as an integer, which loses nothing: no country code starts with 0, and zeros
/// inside the national part (Italy) stand behind it. Whether the number is assigned and of which
/// [`NumberKind`] it is, is knowledge that changes every fortnight; it arrives as a value.
///
/// `Debug` masks the middle so that a number never reaches a log in full; `Display` writes `+` and all
/// digits and is for the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

/// Why some text is no E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneNumberError {
    /// Something other than an optional leading `+` and ASCII digits.
    #[error("a phone number has only digits after an optional `+`")]
    NotDigits,
    /// Fewer than 7 digits: a short code or a fragment.
    #[error("a phone number with country code has at least 7 digits")]
    TooShort,
    /// More than the 15 digits of ITU-T E.164.
    #[error("a phone number has at most 15 digits")]
    TooLong,
    /// A country code never starts with 0 (ITU-T E.164 §6.2.1).
    #[error("a country code does not start with 0")]
    LeadingZero,
}

impl PhoneNumber {
    /// Fewest digits accepted. The shortest numbers in use with country code have 7 (Saint Helena,
    /// Niue with 4 national digits); anything below is a short code.
    pub const DIGITS_MIN: usize = 7;
    /// Most digits of an E.164 number.
    pub const DIGITS_MAX: usize = 15;

    /// Reads digits with or without a leading `+`.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PhoneNumberError::NotDigits);
        }
        if digits.len() < Self::DIGITS_MIN {
            return Err(PhoneNumberError::TooShort);
        }
        if digits.len() > Self::DIGITS_MAX {
            return Err(PhoneNumberError::TooLong);
        }
        if digits.starts_with('0') {
            return Err(PhoneNumberError::LeadingZero);
        }
        digits.parse().map(Self).map_err(|_| PhoneNumberError::TooLong)
    }

    /// The digits as an integer, country code first.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The digits without `+`.
    #[must_use]
    pub fn digits(self) -> String {
        self.0.to_string()
    }

    /// The number with its middle hidden, as it may stand in a log: `+49151*****67`.
    #[must_use]
    pub fn masked(self) -> String {
        let digits = self.digits();
        let head = digits.len().saturating_sub(7).clamp(2, 5);
        let tail = digits.len() - 2;
        format!("+{}{}{}", &digits[..head], "*".repeat(tail - head), &digits[tail..])
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// What a numbering plan says a number is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberKind {
    /// Mobile.
    Mobile,
    /// Geographic landline.
    FixedLine,
    /// The plan does not tell the two apart (North America).
    FixedLineOrMobile,
    /// Free for the caller.
    TollFree,
    /// Charged above the usual rate.
    PremiumRate,
    /// Cost split between the two ends.
    SharedCost,
    /// Internet telephony.
    Voip,
    /// Follows a person, not a line.
    PersonalNumber,
    /// Pager.
    Pager,
    /// Universal access number of a company.
    UniversalAccess,
    /// Voicemail access.
    Voicemail,
}

/// Which channels can carry a code to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// A text message arrives.
    pub sms: bool,
    /// A voice call is answered.
    pub voice: bool,
}

impl Channels {
    /// Whether `method` is among them.
    #[must_use]
    pub const fn allow(self, method: CodeMethod) -> bool {
        match method {
            CodeMethod::Sms => self.sms,
            CodeMethod::Voice => self.voice,
        }
    }
}

impl NumberKind {
    /// The channel rule (product §4; On-Premises reference §7.1).
    #[must_use]
    pub const fn channels(self) -> Channels {
        match self {
            Self::Mobile | Self::FixedLineOrMobile => Channels { sms: true, voice: true },
            Self::FixedLine | Self::TollFree | Self::Voip | Self::UniversalAccess => {
                Channels { sms: false, voice: true }
            }
            Self::PremiumRate
            | Self::SharedCost
            | Self::PersonalNumber
            | Self::Pager
            | Self::Voicemail => Channels { sms: false, voice: false },
        }
    }

    /// The name used in events, tables and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::FixedLine => "fixed_line",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Voip => "voip",
            Self::PersonalNumber => "personal_number",
            Self::Pager => "pager",
            Self::UniversalAccess => "universal_access",
            Self::Voicemail => "voicemail",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_e164_number_is_refused() {
        for (text, error) in [
            ("", PhoneNumberError::TooShort),
            ("+", PhoneNumberError::TooShort),
            ("123456", PhoneNumberError::TooShort),
            ("1234567890123456", PhoneNumberError::TooLong),
            ("0491511234567", PhoneNumberError::LeadingZero),
            ("+49 151 1234567", PhoneNumberError::NotDigits),
            ("++491511234567", PhoneNumberError::NotDigits),
            ("４９１５１１２３４", PhoneNumberError::NotDigits),
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn display_keeps_every_digit_and_debug_hides_the_middle() {
        let number = PhoneNumber::parse("4915112345667").expect("valid");
        assert_eq!(number.to_string(), "+4915112345667");
        assert_eq!(format!("{number:?}"), "+49151******67");
        let short = PhoneNumber::parse("2901234").expect("valid");
        assert_eq!(format!("{short:?}"), "+29***34");
    }
}

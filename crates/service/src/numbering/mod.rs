//! What the world's numbering plans say about a number: whole form, country, kind.
//!
//! A numbering plan tells which channel can reach a number before anything is paid for
//! ([`NumberKind::channels`]). [`plan`] reads a number whose country code came apart from the rest
//! (On-Premises `cc` and `phone_number`), [`plan_e164`] one in a single piece (CAMS, Graph). Both
//! accept what callers really send, in this order, and take the first reading that a plan knows:
//!
//! 1. the digits as they are;
//! 2. as dialled at home, without the trunk prefix (`0151…` under 49, `011 15…` under 54);
//! 3. with the `1` that Mexico dropped in 2019 and that WhatsApp ids still carry (`52 1 55…`);
//! 4. `plan` only: with the country code repeated in front (`49` and `49151…`);
//! 5. `plan` only: with a leading zero restored that was lost where a caller sent a JSON number
//!    (`39` and `612345678` for Rome, `06 1234 5678`).
//!
//! The country code always decides where national ranges collide: `800…` is toll-free in each of its
//! countries, and a whole number of its own under the code 800.
//!
//! Ranges that regulators keep for fiction count as numbers of their kind even where the metadata
//! knows no such range ([`FICTITIOUS`]), so that tests and demonstrations touch nobody.
//!
//! The metadata is Google's, through `rlibphonenumber`; only `library.rs` names it. It is compared
//! with an independent port on 1600 numbers (`fixtures/numbering`).

mod fictitious;
mod library;

#[cfg(test)]
mod tests;

use core::fmt;

use registration::{NumberKind, PhoneNumber, PhoneNumberError};

pub use fictitious::{FICTITIOUS, FictitiousRange, fictitious};

/// A number that a numbering plan knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The whole number.
    pub number: PhoneNumber,
    /// Its country calling code: 1 to 3 digits.
    pub country_code: u16,
    /// Its country; none for numbers of the whole world (+800).
    pub region: Option<Region>,
    /// What it is for.
    pub kind: NumberKind,
}

/// A country, by its ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; 2]);

/// Why digits are no number that can be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// Something other than ASCII digits.
    #[error("a phone number has only digits")]
    NotDigits,
    /// No country has this code, or there is none.
    #[error("no country has this calling code")]
    UnknownCountryCode,
    /// Three to six digits that are no number of the country: a short code or a service number.
    #[error("short codes are no international numbers")]
    ShortCode,
    /// Fewer digits than any number of the country; the area code may be missing.
    #[error("the number is too short for its country")]
    TooShort,
    /// More digits than any number of the country.
    #[error("the number is too long for its country")]
    TooLong,
    /// Of a possible length, but in no range that the country uses.
    #[error("the number is in no range that its country uses")]
    NotAssigned,
}

/// Loads the metadata and the patterns of North America, the only ones that take long: some 40 ms.
///
/// Patterns of other countries are compiled when a number first needs them, 1 to 14 ms each. All of
/// them at once would take 0.3 s and keep 130 MB, for countries that most installations never see.
pub fn warm_up() {
    library::warm_up();
}

/// Reads a number given as country code and national number, both digits only.
///
/// ```
/// use service::numbering::plan;
/// let planned = plan("44", "07700900123").expect("Ofcom keeps this range for drama");
/// assert_eq!(planned.number.digits(), "447700900123");
/// ```
pub fn plan(country_code: &str, national: &str) -> Result<Planned, NumberFault> {
    check_digits(country_code)?;
    check_digits(national)?;
    let code = parse_country_code(country_code).ok_or(NumberFault::UnknownCountryCode)?;
    read(code, national)
        .or_else(|| read(code, national.strip_prefix(country_code)?))
        .or_else(|| look_up(code, &format!("0{national}")))
        .ok_or_else(|| fault(code, national))
}

/// Reads a number in one piece, country code first, with or without `+`.
pub fn plan_e164(digits: &str) -> Result<Planned, NumberFault> {
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    check_digits(digits)?;
    let (code, national) = split(digits).ok_or(match digits.len() {
        0..3 => NumberFault::TooShort,
        3..=6 => NumberFault::ShortCode,
        _ => NumberFault::UnknownCountryCode,
    })?;
    read(code, national).ok_or_else(|| fault(code, national))
}

/// The number in groups as people read it: `+49 1522 8817386`.
#[must_use]
pub fn international_format(number: PhoneNumber) -> String {
    split(&number.digits())
        .map_or_else(|| number.to_string(), |(code, national)| library::format(code, national))
}

impl Planned {
    /// The digits after the country code, zeros in front included (Italy).
    #[must_use]
    pub fn national(&self) -> String {
        let mut digits = self.number.digits();
        digits.drain(..digit_count(self.country_code));
        digits
    }
}

impl Region {
    /// The country with this code; `None` unless it is two capital letters.
    const fn new(code: [u8; 2]) -> Option<Self> {
        if code[0].is_ascii_uppercase() && code[1].is_ascii_uppercase() {
            Some(Self(code))
        } else {
            None
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Longest input looked at: 15 digits of a number and room for prefixes. Bounds the work.
const DIGITS_MAX: usize = 24;

fn check_digits(text: &str) -> Result<(), NumberFault> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        Err(NumberFault::NotDigits)
    } else if text.len() > DIGITS_MAX {
        Err(NumberFault::TooLong)
    } else {
        Ok(())
    }
}

fn parse_country_code(digits: &str) -> Option<u16> {
    let code = digits.parse().ok().filter(|_| (1..=3).contains(&digits.len()))?;
    (digit_count(code) == digits.len() && library::is_country_code(code)).then_some(code)
}

/// Country codes are prefix-free, so the first that fits is the only one (ITU-T E.164 §6.2.1).
fn split(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        Some((parse_country_code(code)?, national))
    })
}

const fn digit_count(country_code: u16) -> usize {
    match country_code {
        0..10 => 1,
        10..100 => 2,
        _ => 3,
    }
}

/// Readings 1 to 3 of the module documentation.
fn read(country_code: u16, national: &str) -> Option<Planned> {
    const MEXICO: u16 = 52;
    look_up(country_code, national)
        .or_else(|| look_up(country_code, &library::without_trunk_prefix(country_code, national)?))
        .or_else(|| match (country_code, national.strip_prefix('1')) {
            (MEXICO, Some(rest)) => look_up(MEXICO, rest),
            _ => None,
        })
}

/// The number made of exactly these digits, if a plan knows it.
fn look_up(country_code: u16, national: &str) -> Option<Planned> {
    let number = join(country_code, national).ok()?;
    let (kind, region) = match fictitious::reserved(number) {
        Some(range) => (range.kind, Some(range.region)),
        None => library::classify(country_code, national)?,
    };
    Some(Planned { number, country_code, region, kind })
}

fn join(country_code: u16, national: &str) -> Result<PhoneNumber, PhoneNumberError> {
    let mut digits = [0; PhoneNumber::DIGITS_MAX];
    let head = digit_count(country_code);
    let length = head + national.len();
    let whole = digits.get_mut(..length).ok_or(PhoneNumberError::TooLong)?;
    whole[head..].copy_from_slice(national.as_bytes());
    let mut rest = country_code;
    for digit in whole[..head].iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    str::from_utf8(whole).map_err(|_| PhoneNumberError::NotDigits).and_then(PhoneNumber::parse)
}

/// Why no reading of these digits is a number.
fn fault(country_code: u16, national: &str) -> NumberFault {
    match national.len() {
        0..3 => NumberFault::TooShort,
        3..=6 => NumberFault::ShortCode,
        _ => library::length_fault(country_code, national).unwrap_or(NumberFault::NotAssigned),
    }
}

//! Values of conditions: what stands in a policy, and what a request brings.

use core::fmt;
use core::net::IpAddr;
use std::borrow::Cow;

use registration::Timestamp;

use super::condition::{Comparison, Relation};
use super::network::Network;
use super::wildcard::{Case, Pattern};

/// An exact decimal number: up to 18 digits before the point and 9 behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    billionths: i128,
}

const ONE: i128 = 1_000_000_000;
const FRACTION_DIGITS_MAX: usize = 9;
const WHOLE_DIGITS_MAX: usize = 18;

impl Decimal {
    /// Reads digits, with a sign before and a fraction behind them where there is one. No exponents.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = (1..=WHOLE_DIGITS_MAX).contains(&whole.len())
            && fraction.len() <= FRACTION_DIGITS_MAX
            && all_digits(whole)
            && all_digits(fraction);
        if !fits {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let fraction: i128 = format!("{fraction:0<FRACTION_DIGITS_MAX$}").parse().ok()?;
        Some(Self { billionths: sign * (whole * ONE + fraction) })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.billionths < 0 { "-" } else { "" };
        let (whole, fraction) = (self.billionths.abs() / ONE, self.billionths.abs() % ONE);
        write!(f, "{sign}{whole}")?;
        if fraction == 0 {
            return Ok(());
        }
        let fraction = format!("{fraction:0>FRACTION_DIGITS_MAX$}");
        write!(f, ".{}", fraction.trim_end_matches('0'))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

/// A value in a policy, in the form that its operator compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    Text(Box<str>, TextCase),
    Like(Pattern),
    Number(Relation, Decimal),
    Date(Relation, Timestamp),
    Flag(bool),
    Network(Network),
}

/// How whole texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextCase {
    Exact,
    /// Letters of any script without regard to case.
    Ignored,
}

/// A value that a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actual<'a> {
    Text(&'a str),
    Time(Timestamp),
    Flag(bool),
    Address(IpAddr),
}

impl Expected {
    /// Reads a value for a comparison, or says what it should look like.
    pub(super) fn parse(comparison: Comparison, text: &str) -> Result<Self, &'static str> {
        let number = "a number of up to 18 digits, behind a point up to 9 more";
        let date = "a date in the form 2026-11-22T00:00:00+08:00";
        let network = "an address or a range of addresses, such as 10.0.0.0/8";
        match comparison {
            Comparison::Text(case) => Ok(Self::Text(text.into(), case)),
            Comparison::Like => Ok(Self::Like(Pattern::new(text, Case::Exact))),
            Comparison::Number(relation) => {
                Decimal::parse(text).map(|it| Self::Number(relation, it)).ok_or(number)
            }
            Comparison::Date(relation) => {
                parse_date(text).map(|it| Self::Date(relation, it)).ok_or(date)
            }
            Comparison::Flag => parse_flag(text).map(Self::Flag).ok_or("true or false"),
            Comparison::Network => Network::parse(text).map(Self::Network).ok_or(network),
        }
    }

    /// Whether `actual` is what a plain operator asks for. What cannot be read as the operator's type
    /// is not.
    pub(super) fn fits(&self, actual: Actual<'_>) -> bool {
        match self {
            Self::Text(text, TextCase::Exact) => *actual.text() == **text,
            Self::Text(text, TextCase::Ignored) => {
                let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect();
                let (one, other): (String, String) = (lower(&actual.text()), lower(text));
                one == other
            }
            Self::Like(pattern) => pattern.matches(&actual.text()),
            Self::Number(relation, value) => {
                actual.number().is_some_and(|it| relation.holds(it.cmp(value)))
            }
            Self::Date(relation, value) => {
                actual.time().is_some_and(|it| relation.holds(it.cmp(value)))
            }
            Self::Flag(value) => actual.flag() == Some(*value),
            Self::Network(network) => actual.address().is_some_and(|it| network.contains(it)),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text, _) => f.write_str(text),
            Self::Like(pattern) => pattern.fmt(f),
            Self::Number(_, number) => number.fmt(f),
            Self::Date(_, at) => f.write_str(&date_text(*at)),
            Self::Flag(flag) => flag.fmt(f),
            Self::Network(network) => network.fmt(f),
        }
    }
}

impl<'a> Actual<'a> {
    fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Flag(true) => Cow::Borrowed("true"),
            Self::Flag(false) => Cow::Borrowed("false"),
            Self::Time(at) => Cow::Owned(date_text(*at)),
            Self::Address(address) => Cow::Owned(address.to_canonical().to_string()),
        }
    }

    fn number(&self) -> Option<Decimal> {
        match self {
            Self::Text(text) => Decimal::parse(text),
            Self::Time(_) | Self::Flag(_) | Self::Address(_) => None,
        }
    }

    fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(at) => Some(*at),
            Self::Text(text) => parse_date(text),
            Self::Flag(_) | Self::Address(_) => None,
        }
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Text(text) => parse_flag(text),
            Self::Time(_) | Self::Address(_) => None,
        }
    }

    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Text(text) => text.parse().ok(),
            Self::Time(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Actual<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

fn parse_flag(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else {
        text.eq_ignore_ascii_case("false").then_some(false)
    }
}

/// Date, `T`, time and offset. The names of zones, which jiff would read as well, are no part of it.
fn parse_date(text: &str) -> Option<Timestamp> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-+:.TZ".contains(&byte));
    let at: jiff::Timestamp = text.parse().ok().filter(|_| plain && text.contains('T'))?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

fn date_text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| format!("{} ms since 1970", at.as_millis()), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        for (one, other, expected) in [
            ("1", "1.0", core::cmp::Ordering::Equal),
            ("-1.5", "-1.4", core::cmp::Ordering::Less),
            ("0.1", "0.09", core::cmp::Ordering::Greater),
            ("999999999999999999", "999999999999999998.999999999", core::cmp::Ordering::Greater),
            ("-0", "0", core::cmp::Ordering::Equal),
            ("007", "7", core::cmp::Ordering::Equal),
        ] {
            let number = |text| Decimal::parse(text).expect("a number");
            assert_eq!(number(one).cmp(&number(other)), expected, "{one} {other}");
        }
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1_0", "0.0000000001", "1234567890123456789"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        for text in ["0", "-12.5", "0.000000001", "999999999999999999.999999999"] {
            assert_eq!(Decimal::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn dates_are_moments_whatever_their_offset() {
        let at = parse_date("2026-11-22T00:00:00+08:00").expect("a date");
        assert_eq!(date_text(at), "2026-11-21T16:00:00Z");
        for same in ["2026-11-21T16:00:00Z", "2026-11-21T16:00Z", "2026-11-21T10:00:00.000-06:00"] {
            assert_eq!(parse_date(same), Some(at), "{same}");
        }
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T00:00:00",
            "2026-11-22 00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-22T00:00:00+08:00[Asia/Shanghai]",
            "1763769600",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}

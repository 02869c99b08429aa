//! How values are shown: moments, numbers, states.

use registration::{PhoneNumber, Timestamp};
use serde::{Deserialize, Deserializer};
use service::numbering::international_format;

use super::texts::Texts;
use crate::explain::rfc3339;

/// A moment. Pages show it in UTC; the script turns it into local time and keeps UTC for the pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(Timestamp);

impl Moment {
    /// Reads RFC 3339.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Self(Timestamp::from_millis(at.as_millisecond())))
    }

    /// For programs.
    pub(super) fn iso(self) -> String {
        rfc3339(self.0)
    }

    /// For people: `2026-11-27 20:36:05 UTC`.
    pub(super) fn utc(self) -> String {
        let whole = rfc3339(self.0);
        let short = whole.get(..19).unwrap_or(&whole);
        format!("{} UTC", short.replace('T', " "))
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn millis(self) -> i64 {
        self.0.as_millis()
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no moment"))
    }
}

/// How far a number, or one claim on it, has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    Unverified,
    AwaitingCode,
    Verified,
    Registered,
}

impl Phase {
    /// The word in styles and addresses.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::AwaitingCode => "awaiting",
            Self::Verified => "verified",
            Self::Registered => "registered",
        }
    }

    /// The word for people.
    pub(super) const fn words(self, t: &'static Texts) -> &'static str {
        match self {
            Self::Unverified => t.state.unverified,
            Self::AwaitingCode => t.state.awaiting,
            Self::Verified => t.state.verified,
            Self::Registered => t.state.registered,
        }
    }
}

/// `+44 7700 900123` of `+447700900123`; the text itself if it is no number.
pub(super) fn international(number: &str) -> String {
    PhoneNumber::parse(number).map_or_else(|_| number.to_owned(), international_format)
}

/// The digits of a number, for addresses.
pub(super) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// What somebody typed as a number, without the marks that people put between digits. `00` in front
/// means `+`.
pub(super) fn typed_number(text: &str) -> String {
    let kept: String =
        text.chars().filter(|c| !" ()-./\u{a0}\u{202f}\u{2011}".contains(*c)).collect();
    let kept = kept.replace('+', "");
    kept.strip_prefix("00").map_or(kept.clone(), str::to_owned)
}

/// Words with one gap, filled.
pub(super) fn fill(text: &str, value: impl core::fmt::Display) -> String {
    text.replacen("{}", &value.to_string(), 1)
}

/// A name inside a sentence or a choice, where no element can set it apart: whatever direction it is written in,
/// its neighbours stay where they are (U+2068 and U+2069). What controls direction inside is made visible.
pub(super) fn isolated(name: &str) -> String {
    let shown = name
        .replace(|it| matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'), "\u{fffd}");
    format!("\u{2068}{shown}\u{2069}")
}

/// The word for a kind of number.
pub(super) fn kind_words(t: &'static Texts, kind: &str) -> &'static str {
    let k = &t.kinds;
    match kind {
        "mobile" => k.mobile,
        "fixed_line" => k.fixed_line,
        "fixed_line_or_mobile" => k.fixed_line_or_mobile,
        "toll_free" => k.toll_free,
        "premium_rate" => k.premium_rate,
        "shared_cost" => k.shared_cost,
        "voip" => k.voip,
        "personal_number" => k.personal_number,
        "pager" => k.pager,
        "universal_access" => k.universal_access,
        "voicemail" => k.voicemail,
        _ => k.unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_between_digits_is_no_part_of_the_number() {
        for (typed, number) in [
            ("+44 7700 900123", "447700900123"),
            ("0044 (7700) 900-123", "447700900123"),
            ("447700\u{a0}900123", "447700900123"),
            ("44 77oo", "4477oo"),
        ] {
            assert_eq!(typed_number(typed), number, "{typed}");
        }
    }
}

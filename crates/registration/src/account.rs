//! Identifiers of owners, and the display name.

use core::fmt;
use std::sync::Arc;

/// An opaque identifier as text: at most 64 bytes of letters, digits, `-`, `_`, `.`.
///
/// The types below wrap it so that two kinds of identifier never mix. A clone shares the text: a record is cloned
/// several times on its way through a decision.
pub trait TextId: Sized {
    /// Takes the text if it has the form of an identifier.
    fn parse(text: &str) -> Option<Self>;
    /// The text.
    fn as_str(&self) -> &str;
}

fn is_identifier(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

macro_rules! text_ids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl TextId for $name {
            fn parse(text: &str) -> Option<Self> {
                is_identifier(text).then(|| Self(text.into()))
            }

            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

text_ids! {
    /// Who pays, is rate-limited and owns access keys.
    AccountId;
    /// One customer of an account (CAMS `CustSpaceId`).
    CustomerSpaceId;
    /// A WhatsApp Business Account.
    WabaId;
    /// A claim of one WABA on one phone number (Graph phone-number id).
    PhoneNumberId;
    /// One On-Premises deployment.
    ClientId;
}

/// The display name approved for a number: 1 to 256 characters, at least one of them visible, none that
/// controls or hides.
///
/// The upper bound is ours; WhatsApp Manager stops well below it. So is the ban on characters that show nothing
/// and turn what is beside them: a name stands in lists, messages and logs next to words of others. Joiners and
/// marks of direction are letters' own business in Persian, Hindi, Arabic or Hebrew, and stay.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifiedName(Arc<str>);

/// Why some text is no display name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifiedNameError {
    /// Nothing but white space.
    #[error("a display name is not empty")]
    Empty,
    /// More than 256 characters.
    #[error("a display name has at most 256 characters")]
    TooLong,
    /// A line break, NUL or the like.
    #[error("a display name has no control characters")]
    Control,
    /// A character that shows nothing, and may turn or hide what is beside it.
    #[error("a display name has no invisible character such as U+{:04X}", u32::from(*.0))]
    Hidden(char),
}

impl VerifiedName {
    /// Most characters of a display name.
    pub const CHARS_MAX: usize = 256;

    /// Takes the text, trimmed, if it can be a display name.
    pub fn parse(text: &str) -> Result<Self, VerifiedNameError> {
        let name = Self::kept(text)?;
        if let Some(hidden) = name.0.chars().find(|it| is_hidden(*it)) {
            return Err(VerifiedNameError::Hidden(hidden));
        }
        if name.0.chars().all(|it| it.is_whitespace() || is_mark(it)) {
            return Err(VerifiedNameError::Empty);
        }
        Ok(name)
    }

    /// Takes a name that was accepted at some time: what is kept stays readable when the rules for new names
    /// become stricter.
    pub fn kept(text: &str) -> Result<Self, VerifiedNameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(VerifiedNameError::Empty);
        }
        if text.chars().count() > Self::CHARS_MAX {
            return Err(VerifiedNameError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(VerifiedNameError::Control);
        }
        Ok(Self(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether it shows nothing and is no part of any writing: overrides, embeddings and isolates of direction,
/// spaces without width, fillers, separators of lines, tags.
const fn is_hidden(it: char) -> bool {
    matches!(it, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{200b}' | '\u{2028}'..='\u{202e}')
        || matches!(it, '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
        || matches!(it, '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether it only says how letters beside it are joined, turned or drawn.
const fn is_mark(it: char) -> bool {
    matches!(it, '\u{61c}' | '\u{200c}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_turns_and_hides_nothing() {
        for it in [
            '\u{202a}',
            '\u{202b}',
            '\u{202c}',
            '\u{202d}',
            '\u{202e}',
            '\u{2066}',
            '\u{2067}',
            '\u{2068}',
            '\u{2069}',
            '\u{200b}',
            '\u{2060}',
            '\u{feff}',
            '\u{ad}',
            '\u{2028}',
            '\u{3164}',
            '\u{e0041}',
        ] {
            let name = format!("Lucky {it}Shrub");
            assert_eq!(VerifiedName::parse(&name), Err(VerifiedNameError::Hidden(it)), "{it:?}");
            assert_eq!(VerifiedName::kept(&name).expect("of before").as_str(), name);
        }
        let fault = VerifiedName::parse("Pay\u{202e}moc.knab").expect_err("turned");
        assert_eq!(fault.to_string(), "a display name has no invisible character such as U+202E");
    }

    #[test]
    fn a_display_name_is_written_in_any_script() {
        for name in [
            "مطعم الياسمين",
            "بيت \u{200f}(1)",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "בית קפה",
            "株式会社",
            "Café ☕\u{fe0f}",
            "👩\u{200d}🍳 Cooks",
        ] {
            assert_eq!(VerifiedName::parse(name).expect("a name").as_str(), name);
        }
        for nothing in ["\u{200e}", "\u{200d}\u{fe0f} \u{200f}"] {
            assert_eq!(VerifiedName::parse(nothing), Err(VerifiedNameError::Empty), "{nothing:?}");
        }
    }

    #[test]
    fn identifiers_are_short_plain_text() {
        assert!(WabaId::parse("102290129340398").is_some());
        assert!(CustomerSpaceId::parse("cams-test01").is_some());
        for bad in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert_eq!(WabaId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_display_name_is_visible_text() {
        assert_eq!(VerifiedName::parse("  Lucky Shrub ").expect("ok").as_str(), "Lucky Shrub");
        assert_eq!(VerifiedName::parse(" \t"), Err(VerifiedNameError::Empty));
        assert_eq!(VerifiedName::parse("a\nb"), Err(VerifiedNameError::Control));
        assert_eq!(VerifiedName::parse(&"ü".repeat(257)), Err(VerifiedNameError::TooLong));
    }
}

//! Identifiers of owners, and the display name.

use core::fmt;

/// An opaque identifier as text: at most 64 bytes of letters, digits, `-`, `_`, `.`.
///
/// The types below wrap it so that two kinds of identifier never mix.
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
        pub struct $name(Box<str>);

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

/// The display name approved for a number: 1 to 256 characters, no control characters.
///
/// The upper bound is ours; WhatsApp Manager stops well below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifiedName(Box<str>);

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
}

impl VerifiedName {
    /// Most characters of a display name.
    pub const CHARS_MAX: usize = 256;

    /// Takes the text, trimmed, if it can be a display name.
    pub fn parse(text: &str) -> Result<Self, VerifiedNameError> {
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

#[cfg(test)]
mod tests {
    use super::*;

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

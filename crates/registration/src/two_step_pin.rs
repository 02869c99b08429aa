//! The owner's long-lived six digits.

use core::fmt;

use zeroize::Zeroize;

use crate::Timestamp;

/// A two-step verification PIN as submitted: exactly six digits. Redacted in `Debug`, wiped on drop.
#[derive(Clone)]
pub struct TwoStepPin([u8; 6]);

/// Why some text is no PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a two-step verification PIN has exactly six digits")]
pub struct TwoStepPinError;

impl TwoStepPin {
    /// Takes exactly six ASCII digits.
    pub fn parse(text: &str) -> Result<Self, TwoStepPinError> {
        let digits: [u8; 6] = text.as_bytes().try_into().map_err(|_| TwoStepPinError)?;
        if digits.iter().all(u8::is_ascii_digit) { Ok(Self(digits)) } else { Err(TwoStepPinError) }
    }

    /// The digits, for the hash alone.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for TwoStepPin {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for TwoStepPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TwoStepPin(……)")
    }
}

/// What is kept of a PIN: an opaque verifier (a salted, peppered hash in PHC text form).
///
/// The rules never look inside; they only keep it beside the number. Redacted in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PinVerifier(Box<str>);

impl PinVerifier {
    /// Wraps a hash made elsewhere.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The hash, for the store and for the check.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PinVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinVerifier(……)")
    }
}

/// Two-step verification that is switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoStep {
    /// What a submitted PIN is checked against.
    pub verifier: PinVerifier,
    /// When this PIN was set. Proofs of an earlier one are taken back then.
    pub set_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_exactly_six_ascii_digits() {
        assert_eq!(TwoStepPin::parse("012345").expect("ok").reveal(), b"012345");
        for bad in ["", "12345", "1234567", "12345a", "123-456", " 12345", "１２３"] {
            assert_eq!(TwoStepPin::parse(bad).unwrap_err(), TwoStepPinError, "{bad:?}");
        }
        assert!(!format!("{:?}", TwoStepPin::parse("987654").expect("ok")).contains('9'));
    }
}

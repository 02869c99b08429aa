//! The short-lived code sent by SMS or voice.

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Six decimal digits, leading zeros kept. Redacted in `Debug`, wiped on drop, compared in constant time.
#[derive(Clone)]
pub struct VerificationCode([u8; 6]);

/// Why some text is no verification code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerificationCodeError {
    /// Nothing was submitted.
    #[error("no code was given")]
    Empty,
    /// Not six digits, with at most one hyphen or space between the halves.
    #[error("a code has six digits, as in 123456, 123-456 or 123 456")]
    Malformed,
}

impl VerificationCode {
    /// Digits of a code (On-Premises reference §7.2).
    pub const DIGITS: usize = 6;

    /// Accepts `123456`, `123-456` and `123 456`.
    pub fn parse(text: &str) -> Result<Self, VerificationCodeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(VerificationCodeError::Empty);
        }
        let bytes = text.as_bytes();
        let digits: [u8; 6] = match bytes.len() {
            6 => bytes.try_into().map_err(|_| VerificationCodeError::Malformed)?,
            7 if matches!(bytes[3], b'-' | b' ') => {
                [bytes[0], bytes[1], bytes[2], bytes[4], bytes[5], bytes[6]]
            }
            _ => return Err(VerificationCodeError::Malformed),
        };
        if digits.iter().all(u8::is_ascii_digit) {
            Ok(Self(digits))
        } else {
            Err(VerificationCodeError::Malformed)
        }
    }

    /// The code that a 31-bit truncated MAC stands for (RFC 4226 §5.3; the bias of the remainder is
    /// below one part in two thousand).
    #[must_use]
    pub fn from_truncated_mac(value: u32) -> Self {
        let mut rest = value % 1_000_000;
        let mut digits = [b'0'; 6];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        Self(digits)
    }

    /// Whether both are the same code, in time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// The digits, for the message that carries them.
    #[must_use]
    pub fn reveal(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The digits in two groups as On-Premises shows them: `123-456`.
    #[must_use]
    pub fn reveal_grouped(&self) -> String {
        let digits = self.reveal();
        format!("{}-{}", &digits[..3], &digits[3..])
    }
}

impl Drop for VerificationCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerificationCode(……)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_callers_paste_it() {
        for text in ["012345", "012-345", "012 345", " 012345\n"] {
            assert_eq!(VerificationCode::parse(text).expect(text).reveal(), "012345");
        }
        assert_eq!(VerificationCode::parse("  ").unwrap_err(), VerificationCodeError::Empty);
        for text in ["12345", "1234567", "12-3456", "123_456", "123--456", "12345a", "１２３４５６"]
        {
            assert_eq!(
                VerificationCode::parse(text).unwrap_err(),
                VerificationCodeError::Malformed,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_mac_keeps_its_leading_zeros_and_debug_shows_no_digit() {
        let code = VerificationCode::from_truncated_mac(2_000_000_042);
        assert_eq!(code.reveal(), "000042");
        assert_eq!(code.reveal_grouped(), "000-042");
        assert!(!format!("{code:?}").contains("42"));
    }
}

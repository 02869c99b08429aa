//! The master keys and the text of `rollcall.key`.

use core::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use crate::ports::{Entropy, EntropyExt as _};

/// Comment at the head of a key file, for the person who finds it.
const HEADER: &str = "\
# Rollcall master keys, one line per epoch: epoch, key (32 random bytes in hexadecimal).
# Whoever reads this file can compute every code. Keep it secret, and keep a copy apart from the data:
# without it PINs, tokens, sealed secrets and pending codes are lost.
";

/// One or more master keys, each with its epoch. Redacted in `Debug`, wiped on drop.
pub struct MasterKeys {
    /// In ascending order of the epoch, never empty.
    keys: Vec<MasterKey>,
}

pub(super) struct MasterKey {
    pub(super) epoch: u32,
    pub(super) secret: Zeroizing<[u8; 32]>,
}

/// Why some text is no key file. Names lines and faults, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Nothing but comments.
    #[error("the key file holds no key")]
    Empty,
    /// Every line at fault.
    #[error("the key file has faults: {}", list(.0))]
    Lines(Vec<LineFault>),
}

/// A line at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineFault {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: KeyFileFault,
}

/// What is wrong with a line of a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileFault {
    /// Not exactly an epoch and a key.
    #[error("a line is an epoch, a space and a key")]
    Fields,
    /// The epoch is no number in range.
    #[error("an epoch is a whole number from 1 to {}", MasterKeys::EPOCH_MAX)]
    Epoch,
    /// Another line has the same epoch.
    #[error("the epoch stands on an earlier line too")]
    RepeatedEpoch,
    /// The key is not 32 bytes in hexadecimal or base64.
    #[error("a key is 32 bytes: 64 hexadecimal digits or 43 characters of base64")]
    Key,
    /// All bytes of the key are the same: a placeholder that was never filled in.
    #[error("the key is a placeholder, not random")]
    Placeholder,
}

impl MasterKeys {
    /// Largest epoch that is read. It counts rotations, so a larger one is a slip; and adding to it
    /// cannot overflow.
    pub const EPOCH_MAX: u32 = 1_000_000;

    /// Reads a key file: `#` starts a comment line, blank lines are skipped, each other line is an epoch
    /// and a key in hexadecimal or base64. All faults are reported at once.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut keys: Vec<MasterKey> = Vec::new();
        let mut faults = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line_text = line.trim();
            if line_text.is_empty() || line_text.starts_with('#') {
                continue;
            }
            match parse_line(line_text, &keys) {
                Ok(key) => keys.push(key),
                Err(fault) => faults.push(LineFault { line: index + 1, fault }),
            }
        }
        if !faults.is_empty() {
            return Err(KeyFileError::Lines(faults));
        }
        if keys.is_empty() {
            return Err(KeyFileError::Empty);
        }
        keys.sort_by_key(|key| key.epoch);
        Ok(Self { keys })
    }

    /// The text that [`MasterKeys::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        // Large enough from the start: a string that grows leaves copies of keys behind.
        let mut text =
            Zeroizing::new(String::with_capacity(HEADER.len() + self.keys.len() * (10 + 1 + 65)));
        text.push_str(HEADER);
        for key in &self.keys {
            let digits = Zeroizing::new(hex::encode(*key.secret));
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{} {}", key.epoch, *digits);
        }
        text
    }

    /// A fresh key of epoch 1.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self { keys: vec![MasterKey::generate(1, entropy)] }
    }

    /// The same keys and a fresh one of the next epoch, which becomes the current one.
    #[must_use]
    pub fn rotated(&self, entropy: &dyn Entropy) -> Self {
        let mut keys: Vec<MasterKey> = self
            .keys
            .iter()
            .map(|key| MasterKey { epoch: key.epoch, secret: key.secret.clone() })
            .collect();
        keys.push(MasterKey::generate(self.epoch() + 1, entropy));
        Self { keys }
    }

    /// The current epoch: the largest.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.keys.last().map_or(0, |key| key.epoch)
    }

    /// All keys in ascending order of the epoch.
    pub(super) fn iter(&self) -> impl Iterator<Item = &MasterKey> {
        self.keys.iter()
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epochs: Vec<u32> = self.keys.iter().map(|key| key.epoch).collect();
        f.debug_struct("MasterKeys").field("epochs", &epochs).finish_non_exhaustive()
    }
}

impl MasterKey {
    fn generate(epoch: u32, entropy: &dyn Entropy) -> Self {
        Self { epoch, secret: Zeroizing::new(entropy.bytes()) }
    }
}

fn list(faults: &[LineFault]) -> String {
    let texts: Vec<String> =
        faults.iter().map(|it| format!("line {}: {}", it.line, it.fault)).collect();
    texts.join("; ")
}

fn parse_line(line: &str, earlier: &[MasterKey]) -> Result<MasterKey, KeyFileFault> {
    let mut fields = line.split_whitespace();
    let (Some(epoch), Some(secret), None) = (fields.next(), fields.next(), fields.next()) else {
        return Err(KeyFileFault::Fields);
    };
    let epoch = parse_epoch(epoch).ok_or(KeyFileFault::Epoch)?;
    if earlier.iter().any(|key| key.epoch == epoch) {
        return Err(KeyFileFault::RepeatedEpoch);
    }
    let secret = parse_secret(secret).ok_or(KeyFileFault::Key)?;
    if secret.iter().all(|byte| *byte == secret[0]) {
        return Err(KeyFileFault::Placeholder);
    }
    Ok(MasterKey { epoch, secret })
}

fn parse_epoch(text: &str) -> Option<u32> {
    let epoch = text.parse().ok()?;
    (text.bytes().all(|b| b.is_ascii_digit()) && (1..=MasterKeys::EPOCH_MAX).contains(&epoch))
        .then_some(epoch)
}

/// The lengths of the two forms differ, so neither is ever taken for the other.
fn parse_secret(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut secret = Zeroizing::new([0; 32]);
    if text.len() == 64 {
        hex::decode_to_slice(text, &mut *secret).ok()?;
    } else {
        let decoded = Zeroizing::new(STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?);
        *secret = decoded.as_slice().try_into().ok()?;
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededEntropy;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn hexadecimal_and_base64_name_the_same_key_in_any_order_of_epochs() {
        let keys = MasterKeys::parse(&format!("# two\r\n\r\n 7\t{BASE64}\r\n3 {HEX}")).expect("ok");
        assert_eq!(keys.epoch(), 7);
        let epochs: Vec<u32> = keys.iter().map(|key| key.epoch).collect();
        assert_eq!(epochs, [3, 7]);
        assert!(keys.iter().all(|key| key.secret[..4] == [0, 1, 2, 3]));
        assert!(MasterKeys::parse(&format!("1 {}", BASE64.trim_end_matches('='))).is_ok());
    }

    #[test]
    fn every_fault_is_named_with_its_line_and_nothing_of_the_key() {
        let zeros = "0".repeat(64);
        let short = &HEX[..62];
        let text = format!(
            "# head\n1 {HEX}\n{HEX}\n0 {HEX}\n1000001 {HEX}\n+2 {HEX}\n1 {HEX}\n2 {short}\n2 {zeros}\n\
             3 {HEX} x\n"
        );
        let error = MasterKeys::parse(&text).expect_err("faults");
        let KeyFileError::Lines(faults) = &error else { panic!("{error:?}") };
        let found: Vec<_> = faults.iter().map(|it| (it.line, it.fault)).collect();
        assert_eq!(
            found,
            [
                (3, KeyFileFault::Fields),
                (4, KeyFileFault::Epoch),
                (5, KeyFileFault::Epoch),
                (6, KeyFileFault::Epoch),
                (7, KeyFileFault::RepeatedEpoch),
                (8, KeyFileFault::Key),
                (9, KeyFileFault::Placeholder),
                (10, KeyFileFault::Fields),
            ]
        );
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("line 8: a key is 32 bytes"), "{shown}");
        assert!(!shown.contains("0001020304"), "{shown}");
    }

    #[test]
    fn a_file_without_a_key_is_refused() {
        for text in ["", "\n\n", "# nothing\n"] {
            assert_eq!(MasterKeys::parse(text).expect_err("empty"), KeyFileError::Empty);
        }
    }

    #[test]
    fn rotation_adds_the_next_epoch_and_keeps_the_old_keys() {
        let entropy = SeededEntropy::new(1);
        let first = MasterKeys::generate(&entropy);
        let second = first.rotated(&entropy);
        assert_eq!((first.epoch(), second.epoch()), (1, 2));
        let (before, after) = (first.to_text(), second.to_text());
        assert!(after.starts_with(before.as_str()));
        let lines: Vec<&str> = after.lines().rev().take(2).collect();
        assert_ne!(lines[0][2..], lines[1][2..]);
        assert_eq!(*MasterKeys::parse(&after).expect("own text").to_text(), *after);
    }

    #[test]
    fn debug_shows_epochs_only() {
        let keys = MasterKeys::parse(&format!("5 {HEX}")).expect("ok");
        assert_eq!(format!("{keys:?}"), "MasterKeys { epochs: [5], .. }");
    }
}

//! Small secrets at rest: access key secrets, generated PINs, provider passwords.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::key_ring::KeyRing;
use crate::ports::{Entropy, EntropyExt as _};
use crate::sealing::aead;

/// Name and version of the text form.
const VERSION: &str = "sealed1";

/// Why a sealed secret did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It does not have the form of a sealed secret.
    #[error("this is no sealed secret of a known version")]
    Malformed,
    /// The key of its epoch is not in the key file.
    #[error("the key of epoch {0} is missing from the key file")]
    UnknownEpoch(u32),
    /// It was changed, sealed for another place, or sealed with another key of the same epoch.
    #[error("the sealed secret is damaged or belongs elsewhere")]
    Damaged,
}

impl KeyRing {
    /// Seals a secret for the store with the current epoch: XChaCha20-Poly1305 under a random nonce.
    ///
    /// `context` says where it belongs (`access-key/LTAI…`); it must be given again to open, so a sealed
    /// secret moved to another row does not open there.
    ///
    /// The text is `sealed1.{epoch}.{base64url(nonce ‖ ciphertext ‖ tag)}`.
    #[must_use]
    pub fn seal(&self, context: &str, plaintext: &[u8], entropy: &dyn Entropy) -> String {
        let ring = self.ring();
        let keys = ring.current();
        let head = format!("{VERSION}.{}.", keys.epoch);
        let nonce = entropy.bytes();
        let sealed = aead::seal(&keys.sealing, &nonce, &associated_data(&head, context), plaintext);
        let mut body = nonce.to_vec();
        body.extend_from_slice(&sealed);
        head + &URL_SAFE_NO_PAD.encode(body)
    }

    /// Opens what [`KeyRing::seal`] made in the same context, in this epoch or an older one.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (head, epoch, body) = split(sealed).ok_or(SealError::Malformed)?;
        let ring = self.ring();
        let keys = ring.find(epoch).ok_or(SealError::UnknownEpoch(epoch))?;
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| SealError::Malformed)?;
        let (nonce, sealed) = body.split_first_chunk().ok_or(SealError::Malformed)?;
        aead::open(&keys.sealing, nonce, &associated_data(head, context), sealed)
            .ok_or(SealError::Damaged)
    }
}

/// Unambiguous because the head ends with its second full stop.
fn associated_data(head: &str, context: &str) -> Vec<u8> {
    [head.as_bytes(), context.as_bytes()].concat()
}

/// Head as written, epoch, body.
fn split(sealed: &str) -> Option<(&str, u32, &str)> {
    let rest = sealed.strip_prefix(VERSION)?.strip_prefix('.')?;
    let (epoch, body) = rest.split_once('.')?;
    let head = &sealed[..sealed.len() - body.len()];
    Some((head, epoch.parse().ok()?, body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keys::MasterKeys;
    use crate::testing::SeededEntropy;

    const CONTEXT: &str = "access-key/example";

    fn ring(seed: u64) -> (MasterKeys, KeyRing) {
        let keys = MasterKeys::generate(&SeededEntropy::new(seed));
        let ring = KeyRing::new(&keys);
        (keys, ring)
    }

    #[test]
    fn a_sealed_secret_opens_in_its_context_and_nowhere_else() {
        let (_, ring) = ring(1);
        let sealed = ring.seal(CONTEXT, b"secret", &SeededEntropy::new(2));
        assert!(sealed.starts_with("sealed1.1."), "{sealed}");
        assert_eq!(**ring.open(CONTEXT, &sealed).expect("own secret"), *b"secret");
        for context in ["", "access-key/exampl", "access-key/example2", ".access-key/example"] {
            assert_eq!(ring.open(context, &sealed), Err(SealError::Damaged), "{context}");
        }
        let (_, stranger) = self::ring(3);
        assert_eq!(stranger.open(CONTEXT, &sealed), Err(SealError::Damaged));
    }

    #[test]
    fn equal_secrets_look_different() {
        let (_, ring) = ring(1);
        let entropy = SeededEntropy::new(2);
        assert_ne!(ring.seal(CONTEXT, b"x", &entropy), ring.seal(CONTEXT, b"x", &entropy));
    }

    #[test]
    fn rotation_keeps_old_secrets_readable_until_their_epoch_is_dropped() {
        let (keys, ring) = ring(1);
        let entropy = SeededEntropy::new(2);
        let old = ring.seal(CONTEXT, b"old", &entropy);
        let rotated = keys.rotated(&entropy);
        ring.replace(&rotated);
        assert!(ring.seal(CONTEXT, b"new", &entropy).starts_with("sealed1.2."));
        assert_eq!(**ring.open(CONTEXT, &old).expect("old epoch"), *b"old");
        let text = rotated.to_text();
        let newest = text.lines().last().expect("two keys");
        ring.replace(&MasterKeys::parse(newest).expect("one key"));
        assert_eq!(ring.open(CONTEXT, &old), Err(SealError::UnknownEpoch(1)));
    }

    #[test]
    fn text_of_another_form_is_malformed() {
        let (_, ring) = ring(1);
        for text in ["", "sealed1", "sealed1.1", "sealed2.1.AAAA", "sealed1.x.AAAA", "sealed1.1.A*"]
        {
            assert_eq!(ring.open(CONTEXT, text), Err(SealError::Malformed), "{text}");
        }
        assert_eq!(ring.open(CONTEXT, "sealed1.01.AAAA"), Err(SealError::Malformed));
        let sealed = ring.seal(CONTEXT, b"x", &SeededEntropy::new(2));
        let padded_epoch = sealed.replacen(".1.", ".01.", 1);
        assert_eq!(ring.open(CONTEXT, &padded_epoch), Err(SealError::Damaged));
    }

    proptest! {
        #[test]
        fn any_changed_character_is_refused(
            secret in proptest::collection::vec(any::<u8>(), 0..80),
            place in any::<proptest::sample::Index>(),
            replacement in "[ -~]",
        ) {
            let (_, ring) = ring(1);
            let sealed = ring.seal(CONTEXT, &secret, &SeededEntropy::new(2));
            let opened = ring.open(CONTEXT, &sealed).map(|it| it.to_vec());
            prop_assert_eq!(opened, Ok(secret));
            let at = place.index(sealed.len());
            let changed = format!("{}{replacement}{}", &sealed[..at], &sealed[at + 1..]);
            prop_assume!(changed != sealed);
            prop_assert!(ring.open(CONTEXT, &changed).is_err());
        }
    }
}

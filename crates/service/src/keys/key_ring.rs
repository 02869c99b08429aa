//! What is derived from the master keys, ready for use.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use registration::{ChallengeId, PhoneNumber, PhoneNumberId, TextId as _, VerificationCode};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use super::master_keys::{MasterKey, MasterKeys};
use crate::certificate::Authority;

/// Salt of the derivation: sets this program's keys apart from any other use of the same secret.
const HKDF_SALT: &[u8] = b"rollcall master key";

/// A 256-bit key for one purpose, wiped on drop.
pub(super) type Subkey = Zeroizing<[u8; 32]>;

/// The keys in use, shared by all threads; clones see the same keys, also after [`KeyRing::replace`].
///
/// All subkeys are derived when the ring is built, so a use costs one MAC and no derivation.
#[derive(Clone)]
pub struct KeyRing(Arc<RwLock<Arc<Ring>>>);

/// One state of the ring; a use that started with it finishes with it.
pub(super) struct Ring {
    /// In ascending order of the epoch, never empty: [`MasterKeys`] is not.
    epochs: Vec<EpochKeys>,
    authority: Arc<Authority>,
}

/// The subkeys of one epoch.
pub(super) struct EpochKeys {
    pub(super) epoch: u32,
    code: Subkey,
    pin_pepper: Subkey,
    token: Subkey,
    pub(super) sealing: Subkey,
    authority: Subkey,
    fingerprint: Subkey,
}

impl KeyRing {
    /// Derives all subkeys.
    #[must_use]
    pub fn new(keys: &MasterKeys) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Ring::derive(keys)))))
    }

    /// Swaps the keys while others use them: each use sees the old keys or the new ones, never a mix.
    pub fn replace(&self, keys: &MasterKeys) {
        let ring = Arc::new(Ring::derive(keys));
        // A panic elsewhere cannot leave half a ring behind: the lock guards one pointer.
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = ring;
    }

    /// The current epoch: what is made now is made with its keys.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.ring().current().epoch
    }

    /// All epochs, ascending.
    #[must_use]
    pub fn epochs(&self) -> Vec<u32> {
        self.ring().epochs.iter().map(|keys| keys.epoch).collect()
    }

    /// The code of a challenge; `None` if its epoch is unknown.
    ///
    /// `HMAC-SHA-256(code key, number ‖ claim ‖ challenge)`, truncated as in RFC 4226 §5.3. A code of one
    /// claim tells nothing about the code of another, and the store alone tells nothing at all.
    #[must_use]
    pub fn code(
        &self,
        epoch: u32,
        number: PhoneNumber,
        claim: &PhoneNumberId,
        challenge: ChallengeId,
    ) -> Option<VerificationCode> {
        let ring = self.ring();
        let mut mac = keyed(&ring.find(epoch)?.code);
        mac.update(&number.as_u64().to_be_bytes());
        update_with_length(&mut mac, claim.as_str().as_bytes());
        mac.update(&challenge.0.to_be_bytes());
        Some(VerificationCode::from_truncated_mac(truncate(&finish(mac))))
    }

    /// The key that PINs are mixed with before they are hashed; `None` if the epoch is unknown.
    #[must_use]
    pub fn pepper(&self, epoch: u32) -> Option<Zeroizing<[u8; 32]>> {
        self.ring().find(epoch).map(|keys| keys.pin_pepper.clone())
    }

    /// The current epoch and its pepper, taken together so that a rotation cannot come between.
    pub(crate) fn current_pepper(&self) -> (u32, Zeroizing<[u8; 32]>) {
        let ring = self.ring();
        (ring.current().epoch, ring.current().pin_pepper.clone())
    }

    /// Signs an On-Premises token with the current epoch (HMAC-SHA-256, in JWT terms HS256).
    #[must_use]
    pub fn sign_token(&self, message: &[u8]) -> [u8; 32] {
        *mac_of(&self.ring().current().token, message)
    }

    /// Whether any epoch signed `message` with `mac`. Tries all of them, each in constant time.
    #[must_use]
    pub fn verify_token(&self, message: &[u8], mac: &[u8]) -> bool {
        let accept = |found: Choice, keys: &EpochKeys| {
            found | mac_of(&keys.token, message).as_slice().ct_eq(mac)
        };
        self.ring().epochs.iter().fold(Choice::from(0), accept).into()
    }

    /// The Ed25519 seed of the built-in certificate authority; `None` if the epoch is unknown.
    #[must_use]
    pub fn authority_seed(&self, epoch: u32) -> Option<Zeroizing<[u8; 32]>> {
        self.ring().find(epoch).map(|keys| keys.authority.clone())
    }

    /// The built-in certificate authority of all epochs: the present one signs, all are recognised.
    #[must_use]
    pub fn authority(&self) -> Arc<Authority> {
        Arc::clone(&self.ring().authority)
    }

    /// A keyed hash of `bytes` that only this installation can compute; values of different purposes
    /// cannot be compared.
    ///
    /// It follows the current epoch: good for what is compared within a short time, not for a column
    /// that must be found again after a rotation.
    #[must_use]
    pub fn fingerprint(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let ring = self.ring();
        let mut mac = keyed(&ring.current().fingerprint);
        update_with_length(&mut mac, purpose.as_bytes());
        mac.update(bytes);
        *finish(mac)
    }

    /// As [`fingerprint`](Self::fingerprint), but it follows the oldest epoch: it stays what it is until
    /// that epoch is dropped. For addresses and links that others keep.
    #[must_use]
    pub fn lasting_fingerprint(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let ring = self.ring();
        let mut mac = keyed(&ring.oldest().fingerprint);
        update_with_length(&mut mac, purpose.as_bytes());
        mac.update(bytes);
        *finish(mac)
    }

    /// What each epoch can be known by, ascending: a MAC that nothing else is made with.
    #[must_use]
    pub(crate) fn marks(&self) -> Vec<(u32, [u8; 32])> {
        let mark = |keys: &EpochKeys| (keys.epoch, *mac_of(&keys.fingerprint, b"key mark"));
        self.ring().epochs.iter().map(mark).collect()
    }

    /// The keys of this moment.
    pub(super) fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("epochs", &self.epochs()).finish_non_exhaustive()
    }
}

impl Ring {
    fn derive(keys: &MasterKeys) -> Self {
        let epochs: Vec<_> = keys.iter().map(EpochKeys::derive).collect();
        let seeds = epochs.iter().map(|keys| (keys.epoch, *keys.authority));
        let authority =
            Authority::new(seeds).expect("a ring is made of master keys, which are never empty");
        Self { epochs, authority: Arc::new(authority) }
    }

    pub(super) fn current(&self) -> &EpochKeys {
        self.epochs.last().expect("a ring is made of master keys, which are never empty")
    }

    fn oldest(&self) -> &EpochKeys {
        self.epochs.first().expect("a ring is made of master keys, which are never empty")
    }

    pub(super) fn find(&self, epoch: u32) -> Option<&EpochKeys> {
        self.epochs.iter().find(|keys| keys.epoch == epoch)
    }
}

impl EpochKeys {
    /// The labels are part of every stored hash and sealed secret: they never change.
    fn derive(master: &MasterKey) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(HKDF_SALT), &*master.secret);
        let derive = |label: &str| {
            let mut key = Subkey::default();
            hkdf.expand_multi_info(&[label.as_bytes(), &master.epoch.to_be_bytes()], &mut *key)
                .expect("HKDF-SHA256 yields up to 8160 bytes");
            key
        };
        Self {
            epoch: master.epoch,
            code: derive("verification code"),
            pin_pepper: derive("two-step pin pepper"),
            token: derive("onprem token"),
            sealing: derive("sealed secret"),
            authority: derive("certificate authority"),
            fingerprint: derive("fingerprint"),
        }
    }
}

/// `HMAC-SHA-256(key, message)`, wiped on drop.
pub(crate) fn mac_of(key: &[u8; 32], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = keyed(key);
    mac.update(message);
    finish(mac)
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn finish(mac: Hmac<Sha256>) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Feeds bytes behind their length, so that no two sequences of fields read alike.
fn update_with_length(mac: &mut Hmac<Sha256>, bytes: &[u8]) {
    mac.update(&(bytes.len() as u64).to_be_bytes());
    mac.update(bytes);
}

/// Dynamic truncation to 31 bits (RFC 4226 §5.3); the last byte picks the place, as RFC 6238 has it for
/// longer hashes.
fn truncate(mac: &[u8; 32]) -> u32 {
    let at = usize::from(mac[31] & 0x0f);
    u32::from_be_bytes([mac[at], mac[at + 1], mac[at + 2], mac[at + 3]]) & 0x7fff_ffff
}

#[cfg(test)]
mod tests;

//! XChaCha20-Poly1305: a random 192-bit nonce never repeats in practice, so no counter must be kept.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes of the tag behind the ciphertext.
pub(crate) const TAG_BYTES: usize = 16;

/// Encrypts `plaintext` and authenticates it together with `associated_data`.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    associated_data: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    XChaCha20Poly1305::new(&Key::from(*key))
        .encrypt(&XNonce::from(*nonce), Payload { msg: plaintext, aad: associated_data })
        .expect("XChaCha20-Poly1305 takes up to 256 GiB")
}

/// The plaintext, if nothing was changed; `None` otherwise.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: &[u8; NONCE_BYTES],
    associated_data: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: associated_data })
        .map(Zeroizing::new)
        .ok()
}

//! Backups: sealed under a password, readable by whoever knows it and nobody else.
//!
//! | Bytes | Field |
//! |---|---|
//! | 0..5 | `WABIZ`, as the original's backups begin (On-Premises reference §4) |
//! | 5..8 | `R`, 0, 1: ours, format 1 (the original has 2, 0, 5) |
//! | 8..20 | Argon2id memory in KiB, passes, lanes: 32 bits each, big-endian |
//! | 20..36 | salt |
//! | 36..60 | nonce |
//! | 60.. | XChaCha20-Poly1305 of the content, then the tag |
//!
//! All 60 bytes before the ciphertext are associated data, so none of them can be changed unnoticed.

pub(crate) mod aead;

use zeroize::Zeroizing;

use crate::hashing::{HashCost, HashError, OutOfMemory};
use crate::ports::{Entropy, EntropyExt as _};
use aead::{NONCE_BYTES, TAG_BYTES};

/// Most bytes of content in a backup: settings, profile and a photo fit many times (our choice).
pub const BACKUP_CONTENT_BYTES_MAX: usize = 1024 * 1024;

const MAGIC: [u8; 8] = *b"WABIZR\x00\x01";

/// How the backups of the retired original begin, ours included.
const ORIGINAL: &[u8] = b"WABIZ";
const SALT_BYTES: usize = 16;
const COST_AT: usize = MAGIC.len();
const SALT_AT: usize = COST_AT + 3 * 4;
const NONCE_AT: usize = SALT_AT + SALT_BYTES;
const HEADER_BYTES: usize = NONCE_AT + NONCE_BYTES;

/// Whether this is a backup that the retired original made, which only Meta can open.
#[must_use]
pub fn is_of_the_original(blob: &[u8]) -> bool {
    blob.starts_with(ORIGINAL) && !blob.starts_with(&MAGIC)
}

/// Why a backup was not made or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// Not a backup of a version that this program knows.
    #[error("this is no backup, or one of an unsupported version")]
    NotABackup,
    /// The tag does not fit: which of the two it is cannot be told.
    #[error("the password is wrong or the backup is damaged")]
    WrongPasswordOrDamaged,
    /// More than [`BACKUP_CONTENT_BYTES_MAX`].
    #[error("a backup holds at most {BACKUP_CONTENT_BYTES_MAX} bytes")]
    TooLarge,
    /// The key was not derived: the pool is busy, or no memory was left.
    #[error("the backup key could not be derived")]
    Hash(#[from] HashError),
}

/// Seals `plaintext` so that only `password` opens it. Blocks for about 0.2 s: async callers go through
/// [`Hasher::seal_backup`](crate::hashing::Hasher::seal_backup).
pub fn seal_with_password(
    password: &str,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, BackupError> {
    seal_at_cost(HashCost::BACKUP, password, plaintext, entropy)
}

/// Opens what [`seal_with_password`] made. Blocks for about 0.2 s, and at most a second whatever a forged
/// header asks for: async callers go through
/// [`Hasher::open_backup`](crate::hashing::Hasher::open_backup).
pub fn open_with_password(password: &str, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let (header, sealed) =
        blob.split_first_chunk::<HEADER_BYTES>().ok_or(BackupError::NotABackup)?;
    if !header.starts_with(&MAGIC) {
        return Err(BackupError::NotABackup);
    }
    if sealed.len() > BACKUP_CONTENT_BYTES_MAX + TAG_BYTES {
        return Err(BackupError::TooLarge);
    }
    let cost = read_cost(header).ok_or(BackupError::NotABackup)?;
    let key = derive(cost, password, &field(header, SALT_AT))?;
    aead::open(&key, &field(header, NONCE_AT), header, sealed)
        .ok_or(BackupError::WrongPasswordOrDamaged)
}

fn seal_at_cost(
    cost: HashCost,
    password: &str,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, BackupError> {
    if plaintext.len() > BACKUP_CONTENT_BYTES_MAX {
        return Err(BackupError::TooLarge);
    }
    let (salt, nonce) = (entropy.bytes(), entropy.bytes());
    let key = derive(cost, password, &salt)?;
    let mut blob = Vec::with_capacity(HEADER_BYTES + plaintext.len() + TAG_BYTES);
    blob.extend_from_slice(&MAGIC);
    for number in [cost.memory_kib(), cost.passes(), cost.lanes()] {
        blob.extend_from_slice(&number.to_be_bytes());
    }
    blob.extend_from_slice(&salt);
    blob.extend_from_slice(&nonce);
    let sealed = aead::seal(&key, &nonce, &blob, plaintext);
    blob.extend_from_slice(&sealed);
    Ok(blob)
}

fn derive(
    cost: HashCost,
    password: &str,
    salt: &[u8; SALT_BYTES],
) -> Result<Zeroizing<[u8; 32]>, BackupError> {
    cost.derive(password.as_bytes(), salt).map_err(|OutOfMemory| HashError::Failed.into())
}

/// `None` if the cost is out of bounds.
fn read_cost(header: &[u8; HEADER_BYTES]) -> Option<HashCost> {
    let number = |index: usize| u32::from_be_bytes(field(header, COST_AT + 4 * index));
    HashCost::new(number(0), number(1), number(2))
}

/// The `N` bytes at `at`, which the constants above keep inside the header.
fn field<const N: usize>(header: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[at..at + N]);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::SeededEntropy;

    fn cheap(plaintext: &[u8]) -> Vec<u8> {
        let entropy = SeededEntropy::new(1);
        seal_at_cost(HashCost::CHEAPEST, "correct horse", plaintext, &entropy).expect("small")
    }

    #[test]
    fn a_backup_of_full_cost_opens_with_its_password_alone() {
        let entropy = SeededEntropy::new(1);
        let blob = seal_with_password("correct horse", b"settings", &entropy).expect("small");
        assert_eq!(blob[..8], *b"WABIZR\x00\x01");
        assert_eq!(blob.len(), 60 + 8 + 16);
        assert_eq!(blob[8..20], [0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1]);
        assert!(!blob.windows(8).any(|it| it == b"settings"));
        let opened = open_with_password("correct horse", &blob).expect("own backup");
        assert_eq!(**opened, *b"settings");
        let wrong = open_with_password("correct horsf", &blob).expect_err("wrong password");
        assert_eq!(wrong, BackupError::WrongPasswordOrDamaged);
    }

    #[test]
    fn salt_and_nonce_are_fresh_for_every_backup() {
        let entropy = SeededEntropy::new(1);
        let seal = || seal_at_cost(HashCost::CHEAPEST, "pw", b"same", &entropy).expect("small");
        let (one, two) = (seal(), seal());
        assert_ne!(one[SALT_AT..NONCE_AT], two[SALT_AT..NONCE_AT]);
        assert_ne!(one[NONCE_AT..HEADER_BYTES], two[NONCE_AT..HEADER_BYTES]);
    }

    #[test]
    fn what_is_no_backup_of_ours_is_told_apart_from_a_wrong_password() {
        let blob = cheap(b"settings");
        let mut theirs = blob.clone();
        theirs[5..8].copy_from_slice(&[2, 0, 5]);
        let mut absurd = blob.clone();
        absurd[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
        let mut endless = blob.clone();
        endless[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
        for not_ours in [&[], &blob[..59], &theirs, &absurd, &endless, b"PK\x03\x04".as_slice()] {
            let error = open_with_password("correct horse", not_ours).expect_err("no backup");
            assert_eq!(error, BackupError::NotABackup);
        }
        let cut = open_with_password("correct horse", &blob[..60]).expect_err("no tag");
        assert_eq!(cut, BackupError::WrongPasswordOrDamaged);
    }

    #[test]
    fn content_beyond_one_mebibyte_is_refused_both_ways() {
        let full = vec![7; BACKUP_CONTENT_BYTES_MAX];
        let mut blob = cheap(&full);
        assert_eq!(**open_with_password("correct horse", &blob).expect("full"), *full);
        blob.push(0);
        let error = open_with_password("correct horse", &blob).expect_err("too long");
        assert_eq!(error, BackupError::TooLarge);
        let more = vec![7; BACKUP_CONTENT_BYTES_MAX + 1];
        let error = seal_with_password("pw", &more, &SeededEntropy::new(1)).expect_err("too long");
        assert_eq!(error, BackupError::TooLarge);
    }

    #[test]
    fn every_flipped_bit_of_header_and_tag_is_refused() {
        let blob = cheap(b"");
        for place in 0..blob.len() * 8 {
            let mut damaged = blob.clone();
            damaged[place / 8] ^= 1 << (place % 8);
            let opened = open_with_password("correct horse", &damaged);
            assert!(opened.is_err(), "bit {place}");
        }
    }

    proptest! {
        #[test]
        fn any_content_comes_back_and_any_flipped_byte_is_refused(
            plaintext in proptest::collection::vec(any::<u8>(), 0..300),
            place in any::<proptest::sample::Index>(),
            flip in 1_u8..,
        ) {
            let mut blob = cheap(&plaintext);
            let opened = open_with_password("correct horse", &blob).map(|it| it.to_vec());
            prop_assert_eq!(opened, Ok(plaintext));
            let at = HEADER_BYTES + place.index(blob.len() - HEADER_BYTES);
            blob[at] ^= flip;
            let error = open_with_password("correct horse", &blob).expect_err("damaged");
            prop_assert_eq!(error, BackupError::WrongPasswordOrDamaged);
        }
    }
}

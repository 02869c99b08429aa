//! Slow hashes: PINs, passwords and the keys of backups, on bounded pools.
//!
//! A hash takes tens of milliseconds of a core. At most as many run as there are cores, a few wait, and
//! the rest is told [`HashError::Busy`] at once: under a flood the server stays responsive and says so
//! instead of piling up work. Whoever calls checks its limits first, so a refused request hashes nothing.
//!
//! PINs, passwords and backups have a pool each. Strangers bring passwords, and one client may bring backups
//! faster than they can be opened; neither keeps anybody else's number from being registered.

mod cost;
mod pool;
mod stored;

use core::fmt;
use std::sync::Arc;

use registration::{PinVerifier, TwoStepPin};
use zeroize::Zeroizing;

pub use cost::HashCost;
pub(crate) use cost::OutOfMemory;
use pool::Pool;
use stored::StoredHash;

use crate::keys::{KeyRing, mac_of};
use crate::ports::{Entropy, EntropyExt as _};
use crate::sealing::{BackupError, open_with_password, seal_with_password};

/// Why a hash was not made or not compared. None of them says anything about a PIN or password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// All cores hash and the waiting line is full: worth another try in a moment.
    #[error("too many hashes at once")]
    Busy,
    /// The stored hash is not one this program wrote, or asks for an absurd cost.
    #[error("the stored hash is unreadable")]
    Corrupt,
    /// The stored hash was made with a key that the key file no longer has.
    #[error("the key of epoch {0} is missing from the key file")]
    UnknownEpoch(u32),
    /// No memory, or the work was cut off by the end of the program.
    #[error("the hash could not be finished")]
    Failed,
}

/// Hashes and checks PINs and passwords. Cheap to clone; clones share the pools.
#[derive(Clone)]
pub struct Hasher {
    keys: KeyRing,
    entropy: Arc<dyn Entropy>,
    cost: HashCost,
    pins: Pool,
    passwords: Pool,
    backups: Pool,
}

/// A backup takes so many times as long as a PIN or password (the work of [`HashCost::BACKUP`] by that of
/// [`HashCost::LOGIN`], and more where its header asks for it), so that fewer wait.
const BACKUP_WEIGHT: usize = 8;

impl Hasher {
    /// How many hashes may wait for a core unless told otherwise.
    pub const QUEUE_DEFAULT: usize = 64;

    /// A hasher that runs up to `cores` hashes of a kind at a time and lets `queue` more wait; of backups, half
    /// as many run and an eighth wait.
    #[must_use]
    pub fn new(
        keys: KeyRing,
        entropy: Arc<dyn Entropy>,
        cost: HashCost,
        cores: usize,
        queue: usize,
    ) -> Self {
        Self {
            keys,
            entropy,
            cost,
            pins: Pool::new(cores, queue),
            passwords: Pool::new(cores, queue),
            backups: Pool::new(cores.div_ceil(2), queue / BACKUP_WEIGHT),
        }
    }

    /// Makes the verifier of a PIN: Argon2id over HMAC(pepper, PIN). It names the pepper's epoch, so it
    /// outlives a rotation.
    pub async fn hash_pin(&self, pin: &TwoStepPin) -> Result<PinVerifier, HashError> {
        let (epoch, pepper) = self.keys.current_pepper();
        let peppered = mac_of(&pepper, pin.reveal());
        let stored = self.hash(&self.pins, peppered.to_vec().into(), Some(epoch)).await?;
        Ok(PinVerifier::new(&stored))
    }

    /// Whether `pin` is the one that `verifier` was made of.
    pub async fn check_pin(
        &self,
        pin: &TwoStepPin,
        verifier: &PinVerifier,
    ) -> Result<bool, HashError> {
        let stored = StoredHash::parse(verifier.as_str()).ok_or(HashError::Corrupt)?;
        let epoch = stored.pepper_epoch.ok_or(HashError::Corrupt)?;
        let pepper = self.keys.pepper(epoch).ok_or(HashError::UnknownEpoch(epoch))?;
        let peppered = mac_of(&pepper, pin.reveal());
        check(&self.pins, peppered.to_vec().into(), stored).await
    }

    /// Hashes a password into PHC text form.
    pub async fn hash_password(&self, password: &str) -> Result<String, HashError> {
        self.hash(&self.passwords, owned(password), None).await
    }

    /// Whether `password` is the one that `phc` was made of.
    pub async fn check_password(&self, password: &str, phc: &str) -> Result<bool, HashError> {
        let stored = StoredHash::parse(phc).ok_or(HashError::Corrupt)?;
        if stored.pepper_epoch.is_some() {
            return Err(HashError::Corrupt);
        }
        check(&self.passwords, owned(password), stored).await
    }

    /// Does the work of [`Hasher::check_password`] for a user who does not exist, so that the time of the
    /// answer does not tell.
    pub async fn burn(&self, password: &str) -> Result<(), HashError> {
        let nobody =
            StoredHash { cost: self.cost, pepper_epoch: None, salt: [0; 16], hash: [0; 32].into() };
        check(&self.passwords, owned(password), nobody).await.map(drop)
    }

    /// Seals a backup, see [`seal_with_password`].
    pub async fn seal_backup(
        &self,
        password: &str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, BackupError> {
        let (password, plaintext) = (Zeroizing::new(password.to_owned()), plaintext.to_vec());
        let (plaintext, entropy) = (Zeroizing::new(plaintext), Arc::clone(&self.entropy));
        self.backups.run(move || seal_with_password(&password, &plaintext, &*entropy)).await?
    }

    /// Opens a backup, see [`open_with_password`].
    pub async fn open_backup(
        &self,
        password: &str,
        blob: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let password = Zeroizing::new(password.to_owned());
        self.backups.run(move || open_with_password(&password, &blob)).await?
    }

    async fn hash(
        &self,
        pool: &Pool,
        secret: Zeroizing<Vec<u8>>,
        pepper_epoch: Option<u32>,
    ) -> Result<String, HashError> {
        let (cost, salt) = (self.cost, self.entropy.bytes());
        let hash = pool.run(move || cost.derive(&secret, &salt)).await??;
        Ok(StoredHash { cost, pepper_epoch, salt, hash }.to_text())
    }
}

async fn check(
    pool: &Pool,
    secret: Zeroizing<Vec<u8>>,
    stored: StoredHash,
) -> Result<bool, HashError> {
    pool.run(move || stored.is_of(&secret)).await?.map_err(HashError::from)
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher")
            .field("cost", &self.cost)
            .field("pins", &self.pins)
            .field("passwords", &self.passwords)
            .field("backups", &self.backups)
            .finish_non_exhaustive()
    }
}

impl From<OutOfMemory> for HashError {
    fn from(_: OutOfMemory) -> Self {
        Self::Failed
    }
}

fn owned(password: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(password.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;

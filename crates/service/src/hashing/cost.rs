//! What one Argon2id hash costs.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

/// Memory, passes and lanes of one Argon2id hash; within bounds by construction, because costs are read
/// back from stored hashes and from backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The memory for a hash could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl HashCost {
    /// For PINs and passwords: 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet).
    pub const LOGIN: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// For backups, which leave the house and can be attacked at leisure: 64 MiB, 3 passes, 1 lane
    /// (the memory and passes of RFC 9106 §4, second choice).
    pub const BACKUP: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// As cheap as Argon2id can be: keeps tests fast and protects nothing.
    #[cfg(any(test, feature = "testing"))]
    pub const CHEAPEST: Self = Self { memory_kib: Self::MEMORY_KIB_MIN, passes: 1, lanes: 1 };

    /// Least memory per lane (RFC 9106 §3.1).
    const MEMORY_KIB_MIN: u32 = 8;
    /// Most memory: twice what a backup takes (our choice).
    const MEMORY_KIB_MAX: u32 = 128 * 1024;
    /// Most memory times passes: nearly three times what a backup takes, under a second of work
    /// (our choice).
    const WORK_KIB_MAX: u32 = 512 * 1024;
    /// Most lanes (our choice); they run one after the other here and add no work.
    const LANES_MAX: u32 = 16;

    /// The cost, if it is within bounds.
    #[must_use]
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let within = lanes >= 1
            && lanes <= Self::LANES_MAX
            && passes >= 1
            && memory_kib >= Self::MEMORY_KIB_MIN * lanes
            && memory_kib <= Self::MEMORY_KIB_MAX
            && passes <= Self::WORK_KIB_MAX / memory_kib;
        if within { Some(Self { memory_kib, passes, lanes }) } else { None }
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes that the memory is divided into.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// Argon2id of a secret. Blocks for the time that the cost implies.
    pub(crate) fn derive(
        self,
        secret: &[u8],
        salt: &[u8; 16],
    ) -> Result<Zeroizing<[u8; 32]>, OutOfMemory> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .expect("the bounds of a cost are inside those of Argon2");
        let mut key = Zeroizing::new([0; 32]);
        // Secret, salt and output have lengths that Argon2 takes, so only memory can be wanting.
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret, salt, &mut *key)
            .map_err(|_| OutOfMemory)?;
        Ok(key)
    }
}

impl Default for HashCost {
    fn default() -> Self {
        Self::LOGIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_out_of_bounds_cannot_be_made() {
        for cost in [HashCost::LOGIN, HashCost::BACKUP, HashCost::CHEAPEST] {
            assert_eq!(HashCost::new(cost.memory_kib, cost.passes, cost.lanes), Some(cost));
        }
        for (memory_kib, passes, lanes) in [
            (0, 1, 1),
            (7, 1, 1),
            (8, 0, 1),
            (8, 1, 0),
            (15, 1, 2),
            (128 * 1024 + 1, 1, 1),
            (128 * 1024, 5, 1),
            (8, 64 * 1024 + 1, 1),
            (1024, 1, 17),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert_eq!(HashCost::new(memory_kib, passes, lanes), None, "{memory_kib} {passes}");
        }
    }
}

//! Random bytes that repeat.

use core::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::ports::Entropy;

/// An [`Entropy`] whose bytes follow from its seed and from how much was drawn before:
/// block `n` is `SHA-256(seed ‖ n)`, and each draw starts with a fresh block.
///
/// Threads that share one get distinct bytes; which thread gets which depends on their order.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    next_block: AtomicU64,
}

impl SeededEntropy {
    /// The source that belongs to `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { seed, next_block: AtomicU64::new(0) }
    }

    fn block(&self) -> [u8; 32] {
        let index = self.next_block.fetch_add(1, Ordering::Relaxed);
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(index.to_be_bytes());
        hash.finalize().into()
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            chunk.copy_from_slice(&self.block()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::EntropyExt;

    #[test]
    fn equal_seeds_give_equal_bytes_and_no_draw_repeats() {
        let (one, same, other) =
            (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
        let first: [u8; 80] = one.bytes();
        assert_eq!(first, same.bytes());
        assert_ne!(first, other.bytes());
        assert_ne!(first, one.bytes());
        assert_ne!(first[..32], first[32..64]);
    }
}

//! Chance, from the operating system.

use service::ports::Entropy;

/// The operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // A machine that cannot give random bytes cannot make keys: to stop is the only safe answer.
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use service::ports::EntropyExt;

    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(OsEntropy.bytes::<32>(), OsEntropy.bytes::<32>());
    }
}

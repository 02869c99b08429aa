//! Chance.

/// A source of random bytes fit for keys and identifiers: the operating system's in production, a
/// seeded one in tests.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// What use cases draw from an [`Entropy`].
pub trait EntropyExt {
    /// 128 random bits.
    fn id128(&self) -> u128;
    /// `N` random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N];
    /// A number of 15 decimal digits as Meta gives to its nodes (first digit 1 to 9).
    fn node_id(&self) -> String;
}

impl<E: Entropy + ?Sized> EntropyExt for E {
    fn id128(&self) -> u128 {
        u128::from_be_bytes(self.bytes())
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    fn node_id(&self) -> String {
        let value = u64::from_be_bytes(self.bytes());
        (100_000_000_000_000 + value % 900_000_000_000_000).to_string()
    }
}

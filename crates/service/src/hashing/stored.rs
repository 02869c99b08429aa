//! The text form of a hash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::cost::{HashCost, OutOfMemory};

/// Algorithm and version as every text begins: Argon2id, 0x13.
const HEAD: &str = "$argon2id$v=19$";

/// A hash as it stands in the store, in PHC text form; the epoch of the pepper is its `keyid`:
/// `$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAAAQ$salt$hash`.
pub(super) struct StoredHash {
    pub(super) cost: HashCost,
    /// Epoch of the pepper; passwords have none.
    pub(super) pepper_epoch: Option<u32>,
    pub(super) salt: [u8; 16],
    pub(super) hash: Zeroizing<[u8; 32]>,
}

impl StoredHash {
    /// Reads exactly what [`StoredHash::to_text`] writes, within the bounds of [`HashCost`].
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(HEAD)?.split('$');
        let (cost, pepper_epoch) = parse_parameters(parts.next()?)?;
        let salt = decode(parts.next()?)?;
        let hash = Zeroizing::new(decode(parts.next()?)?);
        let stored = Self { cost, pepper_epoch, salt, hash };
        // Leaves one spelling only: no signs, no leading zeros, nothing behind the hash.
        (stored.to_text() == text).then_some(stored)
    }

    pub(super) fn to_text(&self) -> String {
        let (m, t, p) = (self.cost.memory_kib(), self.cost.passes(), self.cost.lanes());
        let key_id = self.pepper_epoch.map_or_else(String::new, |epoch| {
            format!(",keyid={}", STANDARD_NO_PAD.encode(epoch.to_be_bytes()))
        });
        let salt = STANDARD_NO_PAD.encode(self.salt);
        let hash = STANDARD_NO_PAD.encode(*self.hash);
        format!("{HEAD}m={m},t={t},p={p}{key_id}${salt}${hash}")
    }

    /// Whether it is the hash of `secret`. Blocks for the time that the cost implies.
    pub(super) fn is_of(&self, secret: &[u8]) -> Result<bool, OutOfMemory> {
        let hash = self.cost.derive(secret, &self.salt)?;
        Ok(hash.ct_eq(&*self.hash).into())
    }
}

fn parse_parameters(text: &str) -> Option<(HashCost, Option<u32>)> {
    let mut parameters = text.split(',');
    let mut number = |prefix| parameters.next()?.strip_prefix(prefix)?.parse().ok();
    let cost = HashCost::new(number("m=")?, number("t=")?, number("p=")?)?;
    let pepper_epoch = match parameters.next() {
        Some(key_id) => Some(u32::from_be_bytes(decode(key_id.strip_prefix("keyid=")?)?)),
        None => None,
    };
    Some((cost, pepper_epoch))
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use argon2::{Argon2, PasswordVerifier as _};

    use super::*;

    fn stored(pepper_epoch: Option<u32>) -> StoredHash {
        let (cost, salt) = (HashCost::CHEAPEST, *b"sixteen bytes ok");
        let hash = cost.derive(b"secret", &salt).expect("8 KiB");
        StoredHash { cost, pepper_epoch, salt, hash }
    }

    #[test]
    fn the_text_is_read_back_and_any_other_phc_program_reads_it_too() {
        for epoch in [None, Some(0), Some(1), Some(u32::MAX)] {
            let text = stored(epoch).to_text();
            let read = StoredHash::parse(&text).expect("own text");
            assert_eq!((read.pepper_epoch, read.cost), (epoch, HashCost::CHEAPEST));
            assert_eq!((read.is_of(b"secret"), read.is_of(b"Secret")), (Ok(true), Ok(false)));
            assert!(Argon2::default().verify_password(b"secret", text.as_str()).is_ok(), "{text}");
        }
        assert!(stored(Some(1)).to_text().starts_with("$argon2id$v=19$m=8,t=1,p=1,keyid=AAAAAQ$"));
    }

    #[test]
    fn text_of_another_form_or_of_absurd_cost_is_refused() {
        let good = stored(None).to_text();
        assert!(StoredHash::parse(&good).is_some());
        for (from, to) in [
            ("argon2id", "argon2i"),
            ("v=19", "v=16"),
            ("m=8", "m=7"),
            ("m=8", "m=08"),
            ("m=8", "m=+8"),
            ("m=8", "m=4294967295"),
            ("m=8", "m=99999999999"),
            ("t=1", "t=4000000000"),
            ("t=1,p=1", "p=1,t=1"),
            ("p=1", "p=0"),
            ("p=1", "p=1,keyid=AAAA"),
            ("p=1", "p=1,keyid=AAAAAQ,data=AAAA"),
            ("p=1$", "p=1$$"),
            ("$c2l4", "$c2l"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            assert!(StoredHash::parse(&bad).is_none(), "{bad}");
        }
        for cut in 0..good.len() {
            assert!(StoredHash::parse(&good[..cut]).is_none(), "{cut}");
        }
        assert!(StoredHash::parse(&format!("{good}$")).is_none());
        assert!(StoredHash::parse(&format!("{good} ")).is_none());
    }
}

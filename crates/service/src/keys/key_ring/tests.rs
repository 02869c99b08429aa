use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::testing::SeededEntropy;

/// The bytes 0 to 31 as the master key of epoch 7.
const KNOWN: &str = "7 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn known() -> KeyRing {
    KeyRing::new(&MasterKeys::parse(KNOWN).expect("valid"))
}

fn number(digits: &str) -> PhoneNumber {
    PhoneNumber::parse(digits).expect("valid")
}

fn claim(text: &str) -> PhoneNumberId {
    PhoneNumberId::parse(text).expect("valid")
}

fn code(ring: &KeyRing, challenge: u128) -> String {
    let code = ring.code(7, number("12025550123"), &claim("1"), ChallengeId(challenge));
    code.expect("known epoch").reveal().to_owned()
}

/// The expected values were computed by another implementation (HKDF and HMAC of Python's standard
/// library). They stand for data on disk: if one changes, old codes, PINs and tokens die.
#[test]
fn derivations_never_change() {
    let ring = known();
    let challenge = ChallengeId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let code = ring.code(7, number("491511234567"), &claim("106540352242922"), challenge);
    assert_eq!(code.expect("known epoch").reveal(), "800696");
    assert_eq!(
        hex::encode(*ring.pepper(7).expect("known epoch")),
        "174992d05dc5e2c6f1c3a60ba094deedc04d08bcf7669b23dbf3bf7c731f2624"
    );
    assert_eq!(
        hex::encode(*ring.authority_seed(7).expect("known epoch")),
        "c148b2a00f6e35bb60d947dd1c977929b1805001e0b009f6686e7843d78aa29a"
    );
    assert_eq!(
        hex::encode(ring.sign_token(b"header.payload")),
        "a9723bf963fb7e5a0e75ca02eab3a46ba779d25ad85f52419b09d1bda0fa0346"
    );
    assert_eq!(
        hex::encode(ring.fingerprint("nonce", b"abc")),
        "c3abeea91d4fe0254fff9e174970aed7ad3f09a2191cf233a0e9ce4f83590c72"
    );
    assert_eq!(
        ring.marks().first().map(|(epoch, mark)| (*epoch, hex::encode(mark))),
        Some((7, "1d0d7fb9146d7ba48e300dd9dba06b531e24da0da4c4ac5ba51a15e10a7c847e".to_owned()))
    );
}

/// The value and the offset are the worked example of RFC 4226 §5.4, moved to the end of 32 bytes.
#[test]
fn truncation_takes_31_bits_at_the_place_that_the_last_byte_names() {
    let mut mac = [0xee; 32];
    mac[10..14].copy_from_slice(&[0x50, 0xef, 0x7f, 0x19]);
    mac[31] = 0x5a;
    assert_eq!(truncate(&mac), 0x50ef_7f19);
    mac[15..19].copy_from_slice(&[0xff; 4]);
    mac[31] = 0x0f;
    assert_eq!(truncate(&mac), 0x7fff_ffff);
}

#[test]
fn all_ten_digits_occur_in_every_position_about_equally_often() {
    let ring = known();
    let mut counts = [[0_u32; 10]; 6];
    for challenge in 0..10_000 {
        for (place, digit) in code(&ring, challenge).bytes().enumerate() {
            counts[place][usize::from(digit - b'0')] += 1;
        }
    }
    // 1000 expected, standard deviation 30: five of them on either side.
    for (place, digits) in counts.iter().enumerate() {
        assert!(digits.iter().all(|count| (850..=1150).contains(count)), "{place}: {digits:?}");
    }
}

#[test]
fn codes_of_different_claims_agree_no_more_often_than_chance() {
    let ring = known();
    let (one, two) = (claim("1"), claim("2"));
    let agree = (0..10_000)
        .filter(|n| {
            let of = |claim| ring.code(7, number("12025550123"), claim, ChallengeId(*n));
            of(&one).expect("known").matches(&of(&two).expect("known"))
        })
        .count();
    assert!(agree <= 2, "{agree} of 10000 agree; chance is one in a million each");
}

#[test]
fn number_claim_challenge_and_epoch_each_change_the_code() {
    let keys = MasterKeys::parse(KNOWN).expect("valid").rotated(&SeededEntropy::new(1));
    let ring = KeyRing::new(&keys);
    let codes: HashSet<String> = [
        (7, "12025550123", "1", 1),
        (8, "12025550123", "1", 1),
        (7, "12025550124", "1", 1),
        (7, "12025550123", "11", 1),
        (7, "12025550123", "1", 2),
    ]
    .into_iter()
    .map(|(epoch, digits, id, challenge)| {
        let code = ring.code(epoch, number(digits), &claim(id), ChallengeId(challenge));
        code.expect("known epoch").reveal().to_owned()
    })
    .collect();
    assert_eq!(codes.len(), 5);
}

#[test]
fn an_unknown_epoch_yields_nothing() {
    let ring = known();
    assert!(ring.code(6, number("12025550123"), &claim("1"), ChallengeId(1)).is_none());
    assert!(ring.pepper(6).is_none());
    assert!(ring.authority_seed(8).is_none());
}

#[test]
fn purposes_and_epochs_never_share_a_key() {
    let text = format!("{KNOWN}\n8{}", &KNOWN[1..]);
    let ring = KeyRing::new(&MasterKeys::parse(&text).expect("same key under two epochs"));
    let ring = ring.ring();
    let keys: HashSet<[u8; 32]> = ring
        .epochs
        .iter()
        .flat_map(|it| {
            [&it.code, &it.pin_pepper, &it.token, &it.sealing, &it.authority, &it.fingerprint]
        })
        .map(|key| **key)
        .collect();
    assert_eq!(keys.len(), 12);
}

#[test]
fn tokens_outlive_a_rotation_and_end_with_their_epoch() {
    let keys = MasterKeys::parse(KNOWN).expect("valid");
    let ring = KeyRing::new(&keys);
    let clone = ring.clone();
    let mac = ring.sign_token(b"token");
    let rotated = keys.rotated(&SeededEntropy::new(1));
    ring.replace(&rotated);
    assert_eq!((clone.epoch(), clone.epochs()), (8, vec![7, 8]));
    assert_ne!(clone.sign_token(b"token"), mac);
    assert!(clone.verify_token(b"token", &mac));
    assert!(clone.verify_token(b"token", &clone.sign_token(b"token")));
    ring.replace(&MasterKeys::generate(&SeededEntropy::new(2)));
    assert!(!clone.verify_token(b"token", &mac));
}

#[test]
fn fingerprints_of_different_purposes_differ() {
    let ring = known();
    assert_eq!(ring.fingerprint("a", b"bc"), ring.fingerprint("a", b"bc"));
    assert_ne!(ring.fingerprint("a", b"bc"), ring.fingerprint("b", b"bc"));
    assert_ne!(ring.fingerprint("a", b"bc"), ring.fingerprint("ab", b"c"));
}

#[test]
fn debug_shows_epochs_only() {
    assert_eq!(format!("{:?}", known()), "KeyRing { epochs: [7], .. }");
}

#[test]
fn readers_see_the_old_keys_or_the_new_ones_while_they_are_swapped() {
    let old = MasterKeys::parse(KNOWN).expect("valid");
    let new = old.rotated(&SeededEntropy::new(1));
    let ring = KeyRing::new(&old);
    let macs = [ring.sign_token(b"t"), KeyRing::new(&new).sign_token(b"t")];
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    assert!(macs.contains(&ring.sign_token(b"t")));
                }
            });
        }
        for _ in 0..100 {
            ring.replace(&new);
            ring.replace(&old);
        }
    });
}

proptest! {
    #[test]
    fn a_token_with_any_flipped_bit_or_other_length_is_refused(
        message in proptest::collection::vec(any::<u8>(), 0..64),
        place in 0_usize..256,
        len in 0_usize..32,
    ) {
        let ring = known();
        let mac = ring.sign_token(&message);
        prop_assert!(ring.verify_token(&message, &mac));
        let mut damaged = mac;
        damaged[place / 8] ^= 1 << (place % 8);
        prop_assert!(!ring.verify_token(&message, &damaged));
        prop_assert!(!ring.verify_token(&message, &mac[..len]));
        let mut longer = message.clone();
        longer.push(0);
        prop_assert!(!ring.verify_token(&longer, &mac));
    }
}

//! Magic numbers: each gives one documented error, always.
//!
//! They are the last hundred of the mobile numbers that ARCEP keeps for films and books:
//! **+33 6 39 98 99 00 to +33 6 39 98 99 99**. Nothing else in the fictitious ranges is magic. The last
//! two digits are part of the interface: a number that has a meaning keeps it, gaps leave room.
//!
//! A few errors need no rehearsal, since the numbering plan itself gives them: those numbers stand in
//! [`BY_PLAN`], and any other number of their kind does the same.

use registration::{CodeMethod, PhoneNumber};
use service::ports::Occasion;

use super::Effect;

/// First of the numbers reserved for magic.
pub(in crate::sandbox) const FIRST: u64 = 33_639_989_900;
/// Last of the numbers reserved for magic.
pub(in crate::sandbox) const LAST: u64 = 33_639_989_999;

/// A magic number and its trouble.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Magic {
    /// The last two digits.
    tail: u64,
    /// The operation that it disturbs; all others work as ever.
    pub(in crate::sandbox) operation: &'static str,
    /// Only codes by this channel; `None` means both.
    pub(in crate::sandbox) method: Option<CodeMethod>,
    /// What happens.
    pub(in crate::sandbox) effect: Effect,
}

/// A number that its kind makes impossible: number, the channel that fails, what would work.
pub(in crate::sandbox) const BY_PLAN: [(u64, CodeMethod, &str); 3] = [
    (33_199_009_900, CodeMethod::Sms, "A landline: choose voice."),
    (448_081_570_999, CodeMethod::Sms, "A toll-free number: choose voice."),
    (449_098_790_999, CodeMethod::Voice, "A premium-rate number takes neither SMS nor calls."),
];

/// All magic numbers, ascending.
#[rustfmt::skip]
pub(in crate::sandbox) const MAGIC: &[Magic] = &[
    refusing( 0, "request_code", "code-too-soon"),
    Magic { method: Some(CodeMethod::Sms), ..refusing(1, "request_code", "sms-exhausted") },
    Magic { method: Some(CodeMethod::Voice), ..refusing(2, "request_code", "voice-exhausted") },
    refusing( 3, "request_code", "number-locked"),
    refusing( 4, "request_code", "pin-required"),
    refusing( 5, "request_code", "pin-mismatch"),
    refusing( 6, "request_code", "pin-locked"),
    refusing( 7, "request_code", "certificate-refused"),
    refusing( 8, "request_code", "country-limit"),
    refusing( 9, "request_code", "too-many-requests"),
    refusing(10, "request_code", "retired"),
    refusing(11, "request_code", "not-claimed"),
    refusing(12, "request_code", "destination-closed"),
    refusing(13, "request_code", "low-conversion"),
    refusing(14, "request_code", "spend-limit"),
    refusing(15, "request_code", "already-verified"),
    magic(   18, "request_code", Effect::Unavailable),
    magic(   19, "request_code", Effect::Drop),
    refusing(20, "verify_code", "code-mismatch"),
    refusing(21, "verify_code", "code-missing"),
    refusing(22, "verify_code", "guess-too-soon"),
    refusing(23, "verify_code", "out-of-guesses"),
    refusing(24, "verify_code", "guesses-exhausted"),
    refusing(25, "verify_code", "register-limit"),
    refusing(26, "verify_code", "pin-required"),
    refusing(27, "verify_code", "number-locked"),
    magic(   38, "verify_code", Effect::Unavailable),
    magic(   39, "verify_code", Effect::Drop),
    refusing(40, "register", "not-verified"),
    refusing(41, "register", "pin-required"),
    refusing(42, "register", "pin-mismatch"),
    refusing(43, "register", "pin-locked"),
    refusing(44, "register", "register-limit"),
    refusing(45, "register", "not-migrating"),
    refusing(46, "register", "name-declined"),
    magic(   58, "register", Effect::Unavailable),
    magic(   59, "register", Effect::Drop),
    refusing(60, "deregister", "not-registered"),
    refusing(61, "deregister", "register-limit"),
    refusing(70, "set_two_step", "not-registered"),
    refusing(80, "restore", "backup-outdated"),
    refusing(81, "restore", "backup-unreadable"),
    refusing(90, "add_number", "already-added"),
    refusing(91, "add_number", "held-elsewhere"),
    magic(   98, "add_number", Effect::Unavailable),
    magic(   99, "add_number", Effect::Drop),
];

impl Magic {
    /// The number.
    pub(in crate::sandbox) const fn number(&self) -> u64 {
        FIRST + self.tail
    }
}

/// What a magic number does on this occasion.
pub(super) fn effect(occasion: &Occasion<'_>) -> Option<Effect> {
    let number = occasion.number.map(PhoneNumber::as_u64)?;
    if !(FIRST..=LAST).contains(&number) {
        return None;
    }
    let disturbs = |magic: &&Magic| {
        magic.number() == number
            && magic.operation == occasion.operation
            && magic.method.is_none_or(|method| Some(method) == occasion.method)
    };
    MAGIC.iter().find(disturbs).map(|magic| magic.effect)
}

const fn refusing(tail: u64, operation: &'static str, refusal: &'static str) -> Magic {
    magic(tail, operation, Effect::Refusal(refusal))
}

const fn magic(tail: u64, operation: &'static str, effect: Effect) -> Magic {
    Magic { tail, operation, method: None, effect }
}

#[cfg(test)]
mod tests {
    use registration::{NumberKind, Refusal};
    use service::explain::catalogue;
    use service::numbering::fictitious;
    use service::ports::OPERATIONS;

    use super::*;

    fn number(whole: u64) -> PhoneNumber {
        PhoneNumber::parse(&whole.to_string()).unwrap()
    }

    #[test]
    fn every_magic_number_is_fictitious_mobile_and_ascending() {
        assert!(MAGIC.windows(2).all(|pair| pair[0].tail < pair[1].tail));
        for magic in MAGIC {
            assert!((FIRST..=LAST).contains(&magic.number()), "{magic:?}");
            assert_eq!(fictitious(number(magic.number())), Some(NumberKind::Mobile), "{magic:?}");
            assert!(OPERATIONS.contains(&magic.operation), "{magic:?}");
        }
    }

    #[test]
    fn numbers_that_their_kind_makes_impossible_are_fictitious_and_so() {
        for (whole, method, _) in BY_PLAN {
            let kind = fictitious(number(whole)).unwrap();
            assert!(!kind.channels().allow(method), "{whole}");
        }
    }

    /// The others are about the caller, not about a number.
    #[test]
    fn each_refusal_that_a_number_can_cause_has_its_magic_number() {
        let ids: Vec<_> = catalogue().iter().map(Refusal::id).collect();
        let gives =
            |magic: &Magic, id: &str| matches!(magic.effect, Effect::Refusal(it) if it == id);
        let rehearsed = |id: &str| MAGIC.iter().any(|magic| gives(magic, id));
        let missing: Vec<_> = ids.iter().copied().filter(|id| !rehearsed(id)).collect();
        let others =
            ["channel-impossible", "not-admin", "foreign-space", "not-subscribed", "upstream"];
        assert_eq!(missing, others);
        for magic in MAGIC {
            if let Effect::Refusal(id) = magic.effect {
                assert!(ids.contains(&id), "{id}");
            }
        }
    }
}

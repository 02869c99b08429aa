//! A fault: on which occasions it strikes, how often, and what it does.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use registration::{PhoneNumber, RefusalId};
use service::ports::Occasion;

/// Trouble on demand. What is `None` matches everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Only requests in this dialect.
    pub dialect: Option<String>,
    /// Only this operation.
    pub operation: Option<String>,
    /// Only this number.
    pub number: Option<PhoneNumber>,
    /// On which share of the occasions it strikes: 0 to 1.
    pub probability: f64,
    /// Decides which those are: equal seeds strike on the same ones, counted from the first that matches.
    pub seed: u64,
    /// How often it strikes before it is spent; `None` has no end.
    pub times: Option<u64>,
    /// What comes first: a pause.
    pub latency: Duration,
    /// What comes then.
    pub effect: Effect,
}

/// What a fault or a magic number does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing beyond the pause.
    None,
    /// Refuses, with the refusal of this kind.
    Refusal(RefusalId),
    /// Answers that a part is unavailable.
    Unavailable,
    /// Closes the connection instead of answering.
    Drop,
}

/// What a fault has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Occasions that matched.
    pub matched: u64,
    /// Occasions on which it struck.
    pub struck: u64,
}

/// A fault that is switched on.
#[derive(Debug)]
pub(super) struct Armed {
    id: u64,
    fault: Fault,
    matched: AtomicU64,
    struck: AtomicU64,
}

impl Armed {
    pub(super) fn new(id: u64, fault: Fault) -> Self {
        Self { id, fault, matched: AtomicU64::new(0), struck: AtomicU64::new(0) }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn show(&self) -> (u64, Fault, Tally) {
        let matched = self.matched.load(Ordering::Relaxed);
        let tally = Tally { matched, struck: self.struck.load(Ordering::Relaxed) };
        (self.id, self.fault.clone(), tally)
    }

    /// The fault, if it strikes on this occasion; counts it.
    pub(super) fn strikes(&self, occasion: &Occasion<'_>) -> Option<&Fault> {
        let fault = &self.fault;
        let matches = fault.dialect.as_deref().is_none_or(|it| it == occasion.dialect)
            && fault.operation.as_deref().is_none_or(|it| it == occasion.operation)
            && fault.number.is_none_or(|it| Some(it) == occasion.number);
        if !matches {
            return None;
        }
        let turn = self.matched.fetch_add(1, Ordering::Relaxed);
        if draw(fault.seed, turn) >= fault.probability {
            return None;
        }
        let spend = |struck| fault.times.is_none_or(|times| struck < times).then_some(struck + 1);
        self.struck.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).ok().map(|_| fault)
    }
}

/// A number from 0 up to 1 that follows from seed and turn alone, so that neither other faults nor
/// parallel requests shift the sequence: `SplitMix64`, its upper half.
fn draw(seed: u64, turn: u64) -> f64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut z = seed.wrapping_add(turn.wrapping_add(1).wrapping_mul(GOLDEN));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let upper = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use registration::Timestamp;

    use super::*;

    fn fault() -> Fault {
        Fault {
            dialect: None,
            operation: None,
            number: None,
            probability: 1.0,
            seed: 7,
            times: None,
            latency: Duration::ZERO,
            effect: Effect::Unavailable,
        }
    }

    fn occasion(operation: &str) -> Occasion<'_> {
        let now = Timestamp::default();
        Occasion { dialect: "onprem", operation, number: None, method: None, now }
    }

    fn strikes(fault: Fault, turns: usize) -> Vec<bool> {
        let armed = Armed::new(1, fault);
        (0..turns).map(|_| armed.strikes(&occasion("register")).is_some()).collect()
    }

    #[test]
    fn equal_seeds_strike_on_the_same_occasions_and_others_on_others() {
        let half = |seed| strikes(Fault { probability: 0.5, seed, ..fault() }, 200);
        assert_eq!(half(7), half(7));
        assert_ne!(half(7), half(8));
    }

    #[test]
    fn a_probability_is_the_share_of_occasions() {
        for (probability, least, most) in [(0.0, 0, 0), (0.25, 2_300, 2_700), (1.0, 10_000, 10_000)]
        {
            let struck = strikes(Fault { probability, ..fault() }, 10_000);
            let count = struck.into_iter().filter(|struck| *struck).count();
            assert!((least..=most).contains(&count), "{probability}: {count}");
        }
    }

    #[test]
    fn a_fault_is_spent_after_its_times() {
        assert_eq!(strikes(Fault { times: Some(2), ..fault() }, 4), [true, true, false, false]);
    }

    #[test]
    fn what_does_not_match_is_not_counted() {
        let armed = Armed::new(1, Fault { operation: Some("restore".to_owned()), ..fault() });
        assert!(armed.strikes(&occasion("register")).is_none());
        assert_eq!(armed.show().2, Tally { matched: 0, struck: 0 });
        assert!(armed.strikes(&occasion("restore")).is_some());
        assert_eq!(armed.show().2, Tally { matched: 1, struck: 1 });
    }
}

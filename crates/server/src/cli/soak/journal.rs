//! What the server has said so far: all that it may be held to after a crash.

use std::collections::{BTreeMap, BTreeSet};

use service::ports::SendId;

/// What the server said about one number and the client that asked for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// 202: a code is on its way.
    pub(super) code_sent: bool,
    /// Wrong guesses that were answered as such.
    pub(super) mismatches: u32,
    /// 201: the client holds the number.
    pub(super) registered: bool,
    /// The PIN that was last answered with 200.
    pub(super) pin: Option<String>,
    /// A PIN was sent and not answered: it or the one before is in force.
    pub(super) pin_in_doubt: bool,
}

/// Everything the server said, by the number's place in the run.
#[derive(Debug, Default)]
pub(super) struct Journal {
    numbers: BTreeMap<usize, Told>,
    /// Numbers whose entry changed since the last [`Journal::touched`].
    touched: BTreeSet<usize>,
    /// Messages that the inbox announced since the last [`Journal::announced`].
    announced: Vec<SendId>,
    /// All of them, to notice one that comes twice.
    ever_announced: BTreeSet<SendId>,
    twice: Vec<SendId>,
    /// Answers counted: 202, 201, PINs set, refusals.
    pub(super) counts: Counts,
}

/// How many answers of each kind there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) codes_sent: u64,
    pub(super) registered: u64,
    pub(super) pins_set: u64,
    pub(super) refused: u64,
}

impl Journal {
    /// The entry of a number, to be written to.
    pub(super) fn of(&mut self, place: usize) -> &mut Told {
        self.touched.insert(place);
        self.numbers.entry(place).or_default()
    }

    pub(super) fn code_sent(&mut self, place: usize) {
        self.of(place).code_sent = true;
        self.counts.codes_sent += 1;
    }

    pub(super) fn mismatch(&mut self, place: usize) {
        self.of(place).mismatches += 1;
        self.counts.refused += 1;
    }

    pub(super) fn registered(&mut self, place: usize) {
        self.of(place).registered = true;
        self.counts.registered += 1;
    }

    /// A PIN is about to be sent: until it is answered nobody knows which one is in force.
    pub(super) fn pin_asked(&mut self, place: usize) {
        self.of(place).pin_in_doubt = true;
    }

    pub(super) fn pin_set(&mut self, place: usize, pin: String) {
        let told = self.of(place);
        (told.pin, told.pin_in_doubt) = (Some(pin), false);
        self.counts.pins_set += 1;
    }

    /// The inbox announced a message, which it does once it is recorded as handed over.
    pub(super) fn message(&mut self, id: SendId) {
        self.announced.push(id);
        if !self.ever_announced.insert(id) {
            self.twice.push(id);
        }
    }

    /// The messages announced since the last call.
    pub(super) fn announced(&mut self) -> Vec<SendId> {
        core::mem::take(&mut self.announced)
    }

    /// The messages that were announced more than once.
    pub(super) fn twice(&self) -> &[SendId] {
        &self.twice
    }

    /// What was said about the numbers that were touched since the last call.
    pub(super) fn touched(&mut self) -> Vec<(usize, Told)> {
        let places = core::mem::take(&mut self.touched);
        places.into_iter().map(|place| (place, self.numbers[&place].clone())).collect()
    }

    /// What was said about all numbers.
    pub(super) fn all(&self) -> Vec<(usize, Told)> {
        self.numbers.iter().map(|(place, told)| (*place, told.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unanswered_pin_is_in_doubt_and_an_answered_one_is_not() {
        let mut journal = Journal::default();
        journal.pin_asked(3);
        assert_eq!((journal.of(3).pin.clone(), journal.of(3).pin_in_doubt), (None, true));
        journal.pin_set(3, "024680".to_owned());
        let expected =
            Told { pin: Some("024680".to_owned()), pin_in_doubt: false, ..Told::default() };
        assert_eq!(journal.touched(), [(3, expected)]);
        assert_eq!(journal.touched(), [], "each change is told once");
    }

    #[test]
    fn a_message_that_comes_twice_is_noticed_across_rounds() {
        let mut journal = Journal::default();
        journal.message(SendId(1));
        assert_eq!(journal.announced(), [SendId(1)]);
        journal.message(SendId(2));
        assert!(journal.twice().is_empty());
        journal.message(SendId(1));
        assert_eq!(journal.twice(), [SendId(1)]);
    }
}

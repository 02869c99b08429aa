//! Random plays: several tenants, clients and dialects, on clocks that run, jump and end.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use registration::{Accepted, Limits, decide};

use crate::answers::at;
use crate::asks::{Ask, Code};
use crate::history::History;
use crate::invariants::{Step, Watch};
use crate::random::{self, Play};
use crate::stage::Stage;

/// Plays on a number claimed by two tenants and shows every step.
fn perform(limits: &Limits, play: &Play, mut see: impl FnMut(&Step)) {
    let mut stage = Stage::claimed();
    stage.limits = limits.clone();
    let mut now = at(0);
    for (tick, ask) in play {
        now = tick.from(now);
        let command = stage.command(*ask, now);
        let before = stage.record.clone();
        let decision = stage.decide(&command, now);
        let again = decide(before.clone(), &command, now, limits);
        assert_eq!(decision, again, "equal input, equal output");
        let step = Step { before: &before, command: &command, now, limits, decision: &decision };
        see(&step);
    }
}

fn watch(limits: &Limits, play: &Play) {
    let mut watch = Watch::default();
    perform(limits, play, |step| watch.see(step));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn invariants_hold_on_a_clock_that_runs_forward(
        limits in random::limits(),
        play in random::play(random::forward()),
    ) {
        watch(&limits, &play);
    }

    #[test]
    fn invariants_hold_on_a_clock_that_is_turned_back(
        limits in random::limits(),
        play in random::play(random::wandering()),
    ) {
        watch(&limits, &play);
    }

    #[test]
    fn invariants_hold_at_both_ends_of_time(
        limits in random::limits(),
        play in random::play(random::wild()),
    ) {
        watch(&limits, &play);
    }

    #[test]
    fn no_record_limit_or_clock_makes_a_decision_panic_or_a_refusal_act(
        record in random::any_record(Stage::claimed().record),
        limits in random::any_limits(),
        asks in prop::collection::vec((random::any_time(), random::ask()), 1..20),
    ) {
        let mut stage = Stage::claimed();
        (stage.record, stage.limits) = (record, limits.clone());
        for (now, ask) in asks {
            let command = stage.command(ask, now);
            let before = stage.record.clone();
            let decision = &stage.decide(&command, now);
            Step { before: &before, command: &command, now, limits: &limits, decision }.holds_alone();
        }
    }

    #[test]
    fn every_answer_follows_from_what_happened(
        limits in random::limits(),
        play in random::play(random::forward()),
    ) {
        let mut stage = Stage::empty();
        stage.limits = limits.clone();
        let mut history = History::new(limits);
        let mut now = at(0);
        for (tick, ask) in play {
            now = tick.from(now);
            let ask = without_pin(ask);
            let command = stage.command(ask, now);
            let answer = stage.decide(&command, now).outcome;
            prop_assert_eq!(answer, history.answer(now, ask, stage.serial), "{:?}: {:?}", now, ask);
        }
    }
}

/// The command, or one like it, that leaves two-step verification off. Somebody else's code is a wrong one.
fn without_pin(mut ask: Ask) -> Ask {
    if let Ask::SetPin(holder) = ask {
        return Ask::ClearPin(holder);
    }
    if let Ask::Verify { code: code @ Code::Of(_), .. } = &mut ask {
        *code = Code::Wrong;
    }
    if let Ask::Register(_, bring) | Ask::Verify { register: Some(bring), .. } = &mut ask {
        bring.set_pin = false;
    }
    ask
}

/// Guards the properties above against watching nothing: the same plays meet every answer there is.
#[test]
fn random_plays_meet_every_answer() {
    let mut runner = TestRunner::deterministic();
    let plays = (random::limits(), random::play(random::forward()));
    let mut met = BTreeSet::new();
    for _ in 0..400 {
        let (limits, play) = plays.new_tree(&mut runner).expect("a play").current();
        perform(&limits, &play, |step| {
            met.insert(match &step.decision.outcome {
                Ok(accepted) => name_of(accepted),
                Err(refusal) => refusal.id(),
            });
        });
    }
    let all = [
        "already registered",
        "backup-outdated",
        "channel-impossible",
        "code sent",
        "code-mismatch",
        "code-missing",
        "code-too-soon",
        "deregistered",
        "done",
        "guess-too-soon",
        "guesses-exhausted",
        "not-claimed",
        "not-registered",
        "not-verified",
        "number added",
        "number-locked",
        "out-of-guesses",
        "pin-locked",
        "pin-mismatch",
        "pin-required",
        "register-limit",
        "registered",
        "restored",
        "sms-exhausted",
        "verified",
        "voice-exhausted",
    ];
    assert_eq!(met, BTreeSet::from(all));
}

fn name_of(accepted: &Accepted) -> &'static str {
    match accepted {
        Accepted::NumberAdded(_) => "number added",
        Accepted::CodeSent(_) => "code sent",
        Accepted::Verified(_) => "verified",
        Accepted::Registered(_) => "registered",
        Accepted::AlreadyRegistered(_) => "already registered",
        Accepted::Restored(_) => "restored",
        Accepted::Deregistered => "deregistered",
        Accepted::Done => "done",
    }
}

//! Two-step verification: when the PIN is asked for, what a wrong one costs.

use registration::PinCheck::{Absent, Right, Unchecked, Wrong};
use registration::{Command, PinQuestion, Refusal};

use crate::answers::{
    Answer, DAY, DONE, MISSING, at, mismatch, pin_locked, registered, sent, verified, wrong_pin,
};
use crate::asks::{A, A1, Ask, B, B1, Code, register, sms, verify, verify_and_register};
use crate::stage::Stage;

const REQUIRED: Answer = Err(Refusal::PinRequired);

/// Ten wrong PINs in second 0.
fn lock(stage: &mut Stage) {
    for tries_left in (0..10).rev() {
        stage.play(&[(0, sms(A1).pin(Wrong), wrong_pin(tries_left))]);
    }
}

#[test]
fn where_two_step_is_off_a_pin_has_no_effect() {
    for pin in [Absent, Right, Wrong, Unchecked] {
        let mut stage = Stage::claimed();
        stage.play(&[
            (0, sms(A1).pin(pin), sent(A)),
            (0, verify_and_register(A1, Code::Right).pin(pin), registered(A)),
        ]);
        assert_eq!(stage.record.budgets.pin.failures, 0, "{pin:?}");
    }
}

#[test]
fn an_onprem_code_request_needs_the_pin_and_a_hosted_one_does_not() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (0, sms(A1).pin(Absent), REQUIRED),
        (0, sms(A1).pin(Unchecked), REQUIRED),
        (0, sms(A1).pin(Wrong), wrong_pin(9)),
        (0, sms(A1).pin(Right), sent(A)),
    ]);
    Stage::claimed().with_pin().play(&[(0, sms(A), sent(A))]);
}

#[test]
fn a_missing_pin_costs_no_try_and_a_wrong_one_sends_nothing() {
    let mut stage = Stage::claimed().with_pin();
    let before = stage.record.clone();
    assert_eq!(stage.ask(0, sms(A1)).next, before);
    let decision = stage.ask(0, sms(A1).pin(Wrong));
    assert_eq!((decision.effects.len(), decision.next.budgets.sms), (0, before.budgets.sms));
    assert_eq!(decision.next.budgets.pin.failures, 1);
}

#[test]
fn every_way_to_register_needs_the_pin() {
    for (pin, refusal) in [(Absent, REQUIRED), (Unchecked, REQUIRED), (Wrong, wrong_pin(9))] {
        let mut stage = Stage::claimed().with_pin();
        stage.play(&[
            (0, sms(A), sent(A)),
            (0, verify_and_register(A, Code::Right).pin(pin), refusal.clone()),
        ]);
        let mut stage = Stage::claimed().with_pin();
        stage.play(&[
            (0, sms(A), sent(A)),
            (0, verify(A, Code::Right), verified(A)),
            (0, register(A).pin(pin), refusal),
            (0, register(A).pin(Right), registered(A)),
        ]);
    }
}

#[test]
fn ten_wrong_pins_leave_one_try_a_day() {
    let mut stage = Stage::claimed().with_pin();
    lock(&mut stage);
    stage.play(&[
        (0, sms(A1).pin(Unchecked), pin_locked(DAY)),
        (DAY - 1, sms(A1).pin(Right), pin_locked(DAY)),
        (DAY, sms(A1).pin(Wrong), wrong_pin(0)),
        (DAY, sms(A1).pin(Right), pin_locked(2 * DAY)),
        (2 * DAY, sms(A1).pin(Right), sent(A)),
        (2 * DAY, sms(A1).pin(Wrong), wrong_pin(9)),
    ]);
}

#[test]
fn a_locked_pin_is_not_to_be_hashed() {
    let mut stage = Stage::claimed();
    let question =
        |stage: &Stage, second| match stage.record.pin_question(at(second), &stage.limits) {
            PinQuestion::NotNeeded => "not needed".to_owned(),
            PinQuestion::Locked(opens_at) => format!("locked until {opens_at:?}"),
            PinQuestion::Check(verifier) => verifier.as_str().to_owned(),
        };
    assert_eq!(question(&stage, 0), "not needed");
    stage = stage.with_pin();
    assert_eq!(question(&stage, 0), "hash 3");
    lock(&mut stage);
    assert_eq!(question(&stage, DAY - 1), format!("locked until {:?}", at(DAY)));
    assert_eq!(question(&stage, DAY), "hash 3");
}

#[test]
fn the_tries_belong_to_the_number() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (0, sms(A1).pin(Wrong), wrong_pin(9)),
        (0, sms(B1).pin(Wrong), wrong_pin(8)),
        (0, sms(A), sent(A)),
        (0, verify_and_register(A, Code::Right).pin(Wrong), wrong_pin(7)),
        (0, verify(A, Code::Right), verified(A)),
        (0, register(A).pin(Wrong), wrong_pin(6)),
    ]);
}

#[test]
fn a_new_pin_does_not_refill_the_tries_but_switching_off_does() {
    for (change, left_after) in [(Ask::SetPin(None), 8), (Ask::ClearPin(None), 9)] {
        let mut stage = Stage::claimed().with_pin();
        stage.play(&[
            (0, sms(A1).pin(Wrong), wrong_pin(9)),
            (0, change, DONE),
            (0, Ask::SetPin(None), DONE),
            (0, sms(A1).pin(Wrong), wrong_pin(left_after)),
        ]);
    }
    let mut stage = Stage::claimed().with_pin();
    lock(&mut stage);
    stage.play(&[
        (1, Ask::SetPin(None), DONE),
        (1, sms(A1).pin(Unchecked), pin_locked(DAY)),
        (2, Ask::ClearPin(None), DONE),
        (2, sms(A1), sent(A)),
    ]);
}

#[test]
fn a_pin_given_with_the_code_request_counts_when_the_code_comes() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (0, sms(A1).pin(Right), sent(A)),
        (1, verify_and_register(A1, Code::Wrong), mismatch(4)),
        (2, verify_and_register(A1, Code::Right), registered(A)),
    ]);
    let mut in_two_calls = Stage::claimed().with_pin();
    in_two_calls.play(&[
        (0, sms(A1).pin(Right), sent(A)),
        (1, verify(A, Code::Right), verified(A)),
        (2, register(A), registered(A)),
    ]);
}

#[test]
fn a_pin_proven_before_a_resend_without_one_still_counts() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (0, sms(A1).pin(Right), sent(A)),
        (60, sms(A), sent(A)),
        (61, verify_and_register(A1, Code::Right), registered(A)),
    ]);
}

#[test]
fn a_pin_proven_before_it_was_changed_counts_no_more() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (1, sms(A1).pin(Right), sent(A)),
        (2, Ask::SetPin(None), DONE),
        (3, verify_and_register(A1, Code::Right), REQUIRED),
        (3, verify(A, Code::Right), verified(A)),
        (4, register(A), REQUIRED),
        (4, register(A).pin(Right), registered(A)),
    ]);
    let mut verified_before = Stage::claimed().with_pin();
    verified_before.play(&[
        (1, sms(A1).pin(Right), sent(A)),
        (2, verify(A, Code::Right), verified(A)),
        (3, Ask::SetPin(None), DONE),
        (4, register(A), REQUIRED),
    ]);
}

#[test]
fn a_pin_set_after_the_code_request_is_asked_for() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A1), sent(A)),
        (1, Ask::SetPin(None), DONE),
        (2, verify_and_register(A1, Code::Right), REQUIRED),
        (2, verify_and_register(A1, Code::Right).pin(Right), registered(A)),
    ]);
}

#[test]
fn the_pin_is_checked_before_the_code_is_used_up() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (0, sms(A), sent(A)),
        (1, verify_and_register(A, Code::Right), REQUIRED),
        (1, verify_and_register(A, Code::Wrong).pin(Wrong), wrong_pin(9)),
        (1, verify_and_register(A, Code::Right).pin(Right), registered(A)),
    ]);
    assert_eq!(stage.record.budgets.failed_guesses.0, []);
}

#[test]
fn without_a_code_to_answer_no_pin_can_be_tried() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (0, verify_and_register(A, Code::Right).pin(Wrong), MISSING),
        (0, register(A).pin(Wrong), Err(Refusal::NotVerified)),
    ]);
    assert_eq!(stage.record.budgets.pin.failures, 0);
}

#[test]
fn only_the_holder_or_an_operator_changes_the_pin() {
    let not_holder = Err(Refusal::NotRegistered);
    for (who, allowed) in
        [(Some(A1), true), (Some(A), true), (None, true), (Some(B), false), (Some(B1), false)]
    {
        for change in [Ask::SetPin(who), Ask::ClearPin(who)] {
            let expected = if allowed { DONE } else { not_holder.clone() };
            Stage::held_by(A1).with_pin().play(&[(1, change, expected)]);
        }
    }
    Stage::claimed().play(&[(0, Ask::SetPin(Some(A)), not_holder)]);
}

#[test]
fn the_pin_stays_with_the_number_when_it_moves() {
    let mut stage = Stage::held_by(A1).with_pin();
    let before = stage.record.two_step.clone();
    stage.play(&[
        (60, sms(B1), REQUIRED),
        (60, sms(B1).pin(Right), sent(B)),
        (61, verify_and_register(B1, Code::Right), registered(B)),
    ]);
    assert_eq!(stage.record.two_step, before);
}

#[test]
fn a_wrong_pin_is_refused_even_where_it_was_proven_before() {
    let mut stage = Stage::claimed().with_pin();
    stage.play(&[
        (0, sms(A1).pin(Right), sent(A)),
        (1, verify(A, Code::Right), verified(A)),
        (2, register(A).pin(Wrong), wrong_pin(9)),
        (2, register(A).pin(Unchecked), registered(A)),
    ]);
}

#[test]
fn a_code_request_without_a_place_for_the_pin_registers_nothing_without_it() {
    for (pin, expected) in [(Absent, REQUIRED), (Wrong, wrong_pin(9)), (Right, registered(A))] {
        let mut stage = Stage::claimed().with_pin();
        stage.play(&[(0, sms(A), sent(A)), (1, verify(A, Code::Right), verified(A))]);
        let mut command = stage.command(sms(A1).pin(pin), at(2));
        if let Command::RequestCode(request) = &mut command {
            request.pin = None;
        }
        assert_eq!(stage.decide(&command, at(2)).outcome, expected, "{pin:?}");
    }
}

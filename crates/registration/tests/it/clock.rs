//! A clock that is turned back, or to either end of time.

use registration::PinCheck::{Right, Wrong};
use registration::{CodeMethod, Refusal, Timestamp};

use crate::answers::{
    DAY, DONE, HOUR, added, already, mismatch, register_limit, registered, sent, too_soon,
    verified, wrong_pin,
};
use crate::asks::{A, A1, Ask, B, Code, add, register, sms, verify, verify_and_register, voice};
use crate::stage::Stage;

const END: Timestamp = Timestamp::from_millis(i64::MAX);

#[test]
fn a_clock_turned_back_opens_no_budget() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (DAY, sms(A), sent(A)),
        (0, sms(A), too_soon(CodeMethod::Sms, DAY + 60)),
        (DAY, verify(A, Code::Wrong), mismatch(4)),
        (0, verify(A, Code::Wrong), mismatch(3)),
        (0, verify(A, Code::Right), verified(A)),
        (0, register(A), registered(A)),
    ]);
}

#[test]
fn a_pin_changed_while_the_clock_stands_or_runs_back_is_asked_for_again() {
    for changed_at in [100, 50] {
        let mut stage = Stage::claimed().with_pin();
        stage.play(&[
            (100, sms(A1).pin(Right), sent(A)),
            (changed_at, Ask::SetPin(None), DONE),
            (100, verify_and_register(A1, Code::Right), Err(Refusal::PinRequired)),
            (100, verify(A1, Code::Right), verified(A)),
            (100, register(A1), Err(Refusal::PinRequired)),
        ]);
    }
}

#[test]
fn a_pin_proven_on_a_clock_that_was_turned_back_counts() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (100, Ask::SetPin(None), DONE),
        (50, sms(A1).pin(Right), sent(A)),
        (51, verify_and_register(A1, Code::Right), registered(A)),
    ]);
}

#[test]
fn a_full_window_tells_when_it_opens_even_if_the_clock_was_turned_back() {
    let mut stage = Stage::held_by(A);
    stage.record.budgets.register_calls.0.clear();
    stage.play(&[(5 * HOUR, register(A), already(A)), (HOUR, register(A), already(A))]);
    for _ in 2..10 {
        stage.play(&[(5 * HOUR, register(A), already(A))]);
    }
    stage.play(&[
        (6 * HOUR, register(A), register_limit(73 * HOUR)),
        (73 * HOUR, register(A), already(A)),
        (73 * HOUR, register(A), register_limit(77 * HOUR)),
    ]);
}

#[test]
fn at_the_end_of_time_budgets_are_not_refilled() {
    let mut stage = Stage::claimed();
    let ask = |stage: &mut Stage, ask| {
        let command = stage.command(ask, END);
        stage.decide(&command, END).outcome
    };
    assert_eq!(ask(&mut stage, sms(A)), sent(A));
    let too_soon = Refusal::CodeTooSoon { method: CodeMethod::Sms, opens_at: END };
    assert_eq!(ask(&mut stage, sms(A)), Err(too_soon));

    let mut stage = Stage::held_by(A);
    for _ in 0..10 {
        assert_eq!(ask(&mut stage, register(A)), already(A));
    }
    assert_eq!(ask(&mut stage, register(A)), Err(Refusal::RegisterLimit { opens_at: END }));

    let mut stage = Stage::claimed().with_pin();
    for tries_left in (0..10).rev() {
        assert_eq!(ask(&mut stage, sms(A1).pin(Wrong)), wrong_pin(tries_left));
    }
    let locked = Refusal::PinLocked { opens_at: END };
    assert_eq!(ask(&mut stage, sms(A1).pin(Right)), Err(locked));
    assert_eq!(ask(&mut stage, add(B)), added(B));
}

#[test]
fn the_first_call_goes_out_at_once_at_the_epoch_and_before_it() {
    for now in [i64::MIN, -1, 0, 1].map(Timestamp::from_millis) {
        let mut stage = Stage::claimed();
        let command = stage.command(voice(A), now);
        assert_eq!(stage.decide(&command, now).outcome, sent(A), "{now:?}");
    }
}

//! What wrong codes cost.

use registration::{CodeMethod, Fact, Refusal};

use crate::answers::{
    Answer, DAY, DONE, MINUTE, MISSING, at, guess_too_soon, mismatch, sent, too_soon, verified,
};
use crate::asks::{A, Ask, B, Code, sms, verify, verify_and_register, voice};
use crate::stage::Stage;

const OUT: Answer = Err(Refusal::OutOfGuesses);

/// Sends a code by `ask` at `second` and guesses it away, the last time 180 s later.
fn guess_away(stage: &mut Stage, second: i64, ask: Ask) {
    stage.play(&[
        (second, ask, sent(A)),
        (second, verify(A, Code::Wrong), mismatch(4)),
        (second, verify(A, Code::Wrong), mismatch(3)),
        (second, verify(A, Code::Wrong), mismatch(2)),
        (second + 60, verify(A, Code::Wrong), mismatch(1)),
        (second + 180, verify(A, Code::Wrong), mismatch(0)),
    ]);
}

/// Twenty wrong guesses within 14 minutes: as many as a number takes in a day.
fn guess_a_day_away(stage: &mut Stage, second: i64) {
    for later in [0, 180, 360, 660] {
        guess_away(stage, second + later, sms(A));
    }
}

#[test]
fn guesses_at_one_code_come_at_once_thrice_then_after_one_and_two_minutes() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (5, verify(A, Code::Wrong), mismatch(4)),
        (5, verify(A, Code::Wrong), mismatch(3)),
        (5, verify(A, Code::Wrong), mismatch(2)),
        (5, verify(A, Code::Right), guess_too_soon(65)),
        (64, verify(A, Code::Wrong), guess_too_soon(65)),
        (65, verify(A, Code::Wrong), mismatch(1)),
        (184, verify(A, Code::Right), guess_too_soon(185)),
        (185, verify(A, Code::Wrong), mismatch(0)),
        (185, verify(A, Code::Right), OUT),
        (500, verify(A, Code::Wrong), OUT),
        (600, verify(A, Code::Right), MISSING),
    ]);
}

#[test]
fn the_last_guess_may_be_the_right_one() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, verify(A, Code::Wrong), mismatch(4)),
        (0, verify(A, Code::Wrong), mismatch(3)),
        (0, verify(A, Code::Wrong), mismatch(2)),
        (60, verify(A, Code::Wrong), mismatch(1)),
        (180, verify(A, Code::Right), verified(A)),
    ]);
}

#[test]
fn an_empty_code_is_no_guess_even_while_guessing_must_wait() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, verify(A, Code::Wrong), mismatch(4)),
        (0, verify(A, Code::Wrong), mismatch(3)),
        (0, verify(A, Code::Wrong), mismatch(2)),
        (1, verify(A, Code::Empty), MISSING),
        (60, verify(A, Code::Wrong), mismatch(1)),
    ]);
}

#[test]
fn a_number_takes_twenty_wrong_guesses_in_any_day() {
    let mut stage = Stage::claimed();
    guess_a_day_away(&mut stage, 0);
    let exhausted = |second| Err(Refusal::GuessesExhausted { opens_at: at(second) });
    stage.play(&[
        (1260, sms(A), sent(A)),
        (1261, verify(A, Code::Right), exhausted(DAY)),
        // A voice call five minutes before the day is over: its code lives into the next.
        (DAY - 300, voice(A), sent(A)),
        (DAY - 1, verify(A, Code::Right), exhausted(DAY)),
        // Three of the twenty fell in second 0, so three leave the window together.
        (DAY, verify(A, Code::Wrong), mismatch(4)),
        (DAY, verify(A, Code::Wrong), mismatch(3)),
        (DAY, verify(A, Code::Wrong), mismatch(2)),
        (DAY + 60, verify(A, Code::Wrong), mismatch(1)),
        (DAY + 180, verify(A, Code::Right), verified(A)),
    ]);
}

#[test]
fn the_daily_guesses_of_a_number_are_shared_by_its_claims() {
    let mut stage = Stage::claimed();
    guess_a_day_away(&mut stage, 0);
    let exhausted = Err(Refusal::GuessesExhausted { opens_at: at(DAY) });
    stage.play(&[(1260, sms(B), sent(B)), (1260, verify(B, Code::Right), exhausted)]);
}

#[test]
fn the_hundredth_wrong_guess_in_a_row_locks_the_number_until_an_operator_unlocks_it() {
    let mut stage = Stage::claimed();
    for day in 0..5 {
        assert_eq!(stage.record.budgets.locked_since, None);
        guess_a_day_away(&mut stage, day * DAY);
    }
    let locked = Err(Refusal::NumberLocked);
    let later = 400 * DAY;
    stage.play(&[
        (5 * DAY, sms(B), locked.clone()),
        (later, voice(A), locked),
        (later, Ask::Unlock, DONE),
        (later, sms(A), sent(A)),
        (later, verify(A, Code::Wrong), mismatch(4)),
        (later, verify(A, Code::Right), verified(A)),
    ]);
}

#[test]
fn the_guess_that_locks_is_answered_as_wrong_and_noted() {
    let mut stage = Stage::claimed();
    stage.record.budgets.failed_in_a_row = 99;
    stage.play(&[(0, sms(A), sent(A)), (0, sms(B), too_soon(CodeMethod::Sms, 60))]);
    let decision = stage.ask(1, verify(A, Code::Wrong));
    assert_eq!(decision.outcome, mismatch(4));
    assert_eq!(decision.facts[0], Fact::Locked);
    stage.play(&[(2, verify(A, Code::Right), Err(Refusal::NumberLocked))]);
    assert_eq!(stage.ask(3, Ask::Unlock).facts, [Fact::Unlocked]);
    assert_eq!(stage.ask(3, Ask::Unlock).facts, []);
    stage.play(&[(4, verify(A, Code::Right), verified(A))]);
}

#[test]
fn a_right_guess_ends_the_row_but_not_the_day() {
    let mut stage = Stage::claimed();
    stage.record.budgets.failed_in_a_row = 98;
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, verify(A, Code::Wrong), mismatch(4)),
        (0, verify(A, Code::Right), verified(A)),
    ]);
    assert_eq!(stage.record.budgets.failed_in_a_row, 0);
    assert_eq!(stage.record.budgets.failed_guesses.0, [at(0)]);
}

#[test]
fn a_new_code_has_its_own_five_guesses() {
    let mut stage = Stage::claimed();
    guess_away(&mut stage, 0, sms(A));
    stage.play(&[(180, verify(A, Code::Right), OUT)]);
    guess_away(&mut stage, 3 * MINUTE, sms(A));
}

#[test]
fn a_wrong_guess_at_a_registration_costs_no_register_call() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A)), (0, verify_and_register(A, Code::Wrong), mismatch(4))]);
    assert_eq!(stage.record.budgets.register_calls.0, []);
}

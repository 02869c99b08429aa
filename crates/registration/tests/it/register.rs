//! Registering, deregistering, and how often.

use registration::{ClaimPhase, Fact, PinCheck, Platform, Refusal, Registration, RegistrationKey};

use crate::answers::{
    Answer, DAY, DEREGISTERED, HOUR, already, at, register_limit, registered, sent, verified,
};
use crate::asks::{
    A, A1, A2, Ask, B, B1, Code, RegisterAsk, deregister, register, sms, verify,
    verify_and_register,
};
use crate::stage::Stage;

const NOT_VERIFIED: Answer = Err(Refusal::NotVerified);
const NOT_REGISTERED: Answer = Err(Refusal::NotRegistered);

#[test]
fn a_registration_says_who_where_and_since_when() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A1), sent(A)), (7, verify_and_register(A1, Code::Right), registered(A))]);
    let expected = Registration {
        claim: A.claim(),
        waba: A.waba(),
        platform: A1.platform(),
        since: at(7),
        restarting_until: at(7),
        key: RegistrationKey(4),
    };
    assert_eq!(stage.record.registration, Some(expected));
    let claim = stage.record.claim_of(&A.waba()).expect("claimed");
    assert_eq!(claim.phase, ClaimPhase::Unverified, "the proof is used up");
}

#[test]
fn a_client_that_held_another_number_restarts() {
    let mut stage = Stage::claimed();
    let order = RegisterAsk { pin: PinCheck::Absent, set_pin: false, restart: true };
    stage.play(&[
        (0, sms(A1), sent(A)),
        (7, verify_and_register(A1, Code::Right).with(order), registered(A)),
    ]);
    let held = stage.record.registration.expect("registered");
    assert_eq!(held.restarting_until, at(9));
}

#[test]
fn registering_needs_a_confirmed_code_of_the_same_claim() {
    let mut stage = Stage::empty();
    stage.play(&[(0, register(A), Err(Refusal::NotClaimed))]);
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, register(A), NOT_VERIFIED),
        (0, sms(A), sent(A)),
        (0, register(A), NOT_VERIFIED),
        (0, verify(A, Code::Right), verified(A)),
        (0, register(B), NOT_VERIFIED),
        (0, register(A), registered(A)),
        (0, register(A2), NOT_VERIFIED),
    ]);
}

#[test]
fn a_verified_claim_waits_fourteen_days_for_its_registration() {
    for (second, expected) in
        [(14 * DAY - 1, registered(A)), (14 * DAY, NOT_VERIFIED), (99 * DAY, NOT_VERIFIED)]
    {
        let mut stage = Stage::claimed();
        stage.play(&[
            (-5, sms(A), sent(A)),
            (0, verify(A, Code::Right), verified(A)),
            (second, register(A), expected),
        ]);
    }
}

#[test]
fn ten_register_calls_fit_into_any_72_hours() {
    let mut stage = Stage::held_by(A);
    for hour in 1..10 {
        stage.play(&[(hour * HOUR, register(A), already(A))]);
    }
    stage.play(&[
        (10 * HOUR, register(A), register_limit(72 * HOUR)),
        (72 * HOUR - 1, register(A), register_limit(72 * HOUR)),
        (72 * HOUR, register(A), already(A)),
        (72 * HOUR, register(A), register_limit(73 * HOUR)),
        (73 * HOUR, register(A), already(A)),
    ]);
}

#[test]
fn a_full_register_budget_refuses_before_the_code_is_used_up() {
    let mut stage = Stage::held_by(A);
    for _ in 1..10 {
        stage.play(&[(0, register(A), already(A))]);
    }
    stage.play(&[
        (60, sms(B), sent(B)),
        (60, verify_and_register(B, Code::Right), register_limit(72 * HOUR)),
        (60, verify(B, Code::Right), verified(B)),
        (60, register(B), register_limit(72 * HOUR)),
        (72 * HOUR, register(B), registered(B)),
    ]);
}

#[test]
fn a_full_register_budget_refuses_a_code_with_a_pin_before_the_pin_is_tried() {
    let mut stage = Stage::held_by(A).with_pin();
    for _ in 1..10 {
        stage.play(&[(0, register(A).pin(PinCheck::Right), already(A))]);
    }
    stage.play(&[(60, sms(B), sent(B))]);
    for pin in [PinCheck::Wrong, PinCheck::Absent, PinCheck::Unchecked] {
        stage.play(&[(
            60,
            verify_and_register(B, Code::Right).pin(pin),
            register_limit(72 * HOUR),
        )]);
    }
    assert_eq!(stage.record.budgets.pin.failures, 0);
}

#[test]
fn refused_register_calls_are_not_counted() {
    let mut stage = Stage::claimed();
    for _ in 0..20 {
        stage.play(&[(0, register(A), NOT_VERIFIED)]);
    }
    assert_eq!(stage.record.budgets.register_calls.0, []);
}

#[test]
fn ten_deregister_calls_fit_into_any_72_hours() {
    let mut stage = Stage::held_by(A);
    let registration = stage.record.registration.clone();
    for hour in 0..10 {
        stage.record.registration.clone_from(&registration);
        stage.play(&[(hour * HOUR, deregister(A), DEREGISTERED)]);
    }
    stage.record.registration = registration;
    stage.play(&[
        (10 * HOUR, deregister(A), register_limit(72 * HOUR)),
        (72 * HOUR, deregister(A), DEREGISTERED),
        (72 * HOUR, deregister(A), NOT_REGISTERED),
    ]);
    assert_eq!(stage.record.budgets.register_calls.0, [at(0)], "the budgets are apart");
}

#[test]
fn the_operator_deregisters_without_limit() {
    let mut stage = Stage::held_by(A);
    stage.limits.register_calls_max = 0;
    stage.play(&[
        (1, deregister(A), register_limit(1 + 72 * HOUR)),
        (1, Ask::Deregister(None), DEREGISTERED),
        (1, Ask::Deregister(None), NOT_REGISTERED),
    ]);
}

#[test]
fn only_the_holder_deregisters() {
    let mut stage = Stage::held_by(A);
    stage.play(&[(1, deregister(B), NOT_REGISTERED)]);
    let decision = stage.ask(1, deregister(A));
    assert_eq!(decision.facts, [Fact::Deregistered]);
    stage.play(&[(2, register(A), NOT_VERIFIED)]);
}

#[test]
fn already_registered_is_said_only_to_the_client_that_holds_this_very_number() {
    Stage::held_by(A1).play(&[(1, sms(A1), already(A))]);
    for (holder, asks) in [(A1, A2), (A1, B1), (A, A1), (A, A)] {
        Stage::held_by(holder).play(&[(60, sms(asks), sent(asks))]);
    }
}

#[test]
fn already_registered_comes_with_the_pin_alone_and_whatever_the_ladder_says() {
    let mut stage = Stage::held_by(A1).with_pin();
    stage.play(&[
        (1, sms(A1), Err(Refusal::PinRequired)),
        (1, sms(A1).pin(PinCheck::Right), already(A)),
    ]);
    assert_eq!(stage.record.budgets.register_calls.0, [at(0)], "nothing was registered");
}

#[test]
fn a_code_request_by_a_client_whose_claim_is_verified_registers_at_once() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (1, verify(A, Code::Right), verified(A)),
        (2, sms(A1), registered(A)),
        (3, sms(A1), already(A)),
    ]);
    assert_eq!(stage.holder(), Some((A.claim(), A1.platform())));
    assert_eq!(stage.record.budgets.register_calls.0, [at(2)]);
}

#[test]
fn a_code_request_by_a_client_whose_claim_was_verified_too_long_ago_sends_a_code() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, verify(A, Code::Right), verified(A)),
        (14 * DAY, sms(A1), sent(A)),
    ]);
}

#[test]
fn registering_again_where_it_runs_changes_nothing_but_the_count() {
    let mut stage = Stage::held_by(A);
    let before = stage.record.clone();
    let decision = stage.ask(1, register(A));
    assert_eq!(decision.outcome, already(A));
    assert_eq!(decision.next.registration, before.registration);
    assert_eq!(decision.next.claims, before.claims);
    assert_eq!(decision.next.budgets.register_calls.0, [at(0), at(1)]);
}

#[test]
fn a_pin_brought_along_is_set_only_where_there_is_none() {
    let with_pin = RegisterAsk { pin: PinCheck::Right, set_pin: true, restart: false };
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, verify(A, Code::Right), verified(A)),
        (3, register(A).with(with_pin), registered(A)),
    ]);
    let first = stage.record.two_step.clone().expect("set");
    assert_eq!((first.verifier.as_str(), first.set_at), ("hash 5", at(3)));
    stage.play(&[
        (60, sms(B), sent(B)),
        (60, verify(B, Code::Right), verified(B)),
        (60, register(B).with(with_pin), registered(B)),
    ]);
    assert_eq!(stage.record.two_step, Some(first));
    assert_eq!(stage.holder(), Some((B.claim(), Platform::CloudApi)));
}

#[test]
fn a_pin_brought_along_is_set_where_the_number_is_registered_already() {
    let with_pin = RegisterAsk { set_pin: true, ..RegisterAsk::PLAIN };
    let mut stage = Stage::held_by(A);
    stage.play(&[(3, register(A).with(with_pin), already(A))]);
    assert_eq!(stage.record.two_step.expect("set").set_at, at(3));
}

#[test]
fn a_refused_registration_at_once_renames_nothing() {
    let mut stage = Stage::claimed();
    stage.limits.register_calls_max = 0;
    stage.play(&[(0, sms(A), sent(A)), (1, verify(A, Code::Right), verified(A))]);
    let before = stage.record.clone();
    let decision = stage.ask(2, sms(A1).name("Jasper's Market"));
    assert_eq!(decision.outcome, register_limit(2 + 72 * HOUR));
    assert_eq!(decision.next, before);
    assert_eq!(decision.facts.len(), 1);
}

#[test]
fn a_full_register_budget_refuses_before_a_pin_is_tried() {
    let mut stage = Stage::held_by(A).with_pin();
    stage.limits.register_calls_max = 1;
    stage.play(&[(1, register(A).pin(PinCheck::Wrong), register_limit(72 * HOUR))]);
    assert_eq!(stage.record.budgets.pin.failures, 0);
}

#[test]
fn a_limit_that_was_lowered_opens_when_enough_calls_have_left_the_window() {
    let mut stage = Stage::held_by(A);
    stage.play(&[(HOUR, register(A), already(A)), (2 * HOUR, register(A), already(A))]);
    stage.limits.register_calls_max = 2;
    stage.play(&[
        (3 * HOUR, register(A), register_limit(73 * HOUR)),
        (73 * HOUR, register(A), already(A)),
    ]);
}

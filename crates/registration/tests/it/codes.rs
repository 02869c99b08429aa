//! The life of a code: sent, sent again, confirmed once, dead.

use registration::{ChallengeId, ClaimPhase, CodeMethod, CodeProof, Command, Fact, Refusal};

use crate::answers::{MINUTE, MISSING, at, mismatch, registered, sent, too_soon, verified};
use crate::asks::{A, A1, A2, Ask, B, Code, sms, verify, verify_and_register, voice};
use crate::stage::Stage;

#[test]
fn a_resend_carries_the_same_code_and_prolongs_nothing() {
    let mut stage = Stage::claimed();
    let first = stage.send(0, sms(A));
    assert_eq!(first.useless_after, at(10 * MINUTE));
    stage.key_epoch = 2;
    for (second, ask) in [(60, sms(A)), (60, voice(A)), (9 * MINUTE, sms(A))] {
        let again = stage.send(second, ask);
        assert_eq!((again.challenge, again.key_epoch), (first.challenge, 1), "second {second}");
        assert_eq!(again.useless_after, first.useless_after, "second {second}");
    }
    stage.play(&[(10 * MINUTE, verify(A, Code::Right), MISSING)]);
}

#[test]
fn a_resend_gives_no_guess_back() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, verify(A, Code::Wrong), mismatch(4)),
        (60, sms(A), sent(A)),
        (60, verify(A, Code::Wrong), mismatch(3)),
    ]);
}

#[test]
fn the_audit_trail_tells_a_resend_from_a_new_code() {
    let mut stage = Stage::claimed();
    let cases = [(0, sms(A), false), (60, sms(A), true), (10 * MINUTE, sms(A), false)];
    for (second, ask, resend) in cases {
        let facts = stage.ask(second, ask).facts;
        assert_eq!(facts, [Fact::CodeRequested { method: CodeMethod::Sms, resend }], "{second}");
    }
}

#[test]
fn a_code_lives_ten_minutes_to_the_millisecond() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A))]);
    let just_before = at(10 * MINUTE) - core::time::Duration::from_millis(1);
    let command = stage.command(verify(A, Code::Right), just_before);
    assert_eq!(stage.clone().decide(&command, just_before).outcome, verified(A));
    assert_eq!(stage.decide(&command, at(10 * MINUTE)).outcome, MISSING);
}

#[test]
fn a_code_after_a_dead_one_is_another() {
    let expired = [(0, sms(A), sent(A)), (10 * MINUTE, verify(A, Code::Right), MISSING)];
    let guessed_away = [
        (0, sms(A), sent(A)),
        (0, verify(A, Code::Wrong), mismatch(4)),
        (0, verify(A, Code::Wrong), mismatch(3)),
        (0, verify(A, Code::Wrong), mismatch(2)),
        (60, verify(A, Code::Wrong), mismatch(1)),
        (180, verify(A, Code::Wrong), mismatch(0)),
    ];
    let used = [(0, sms(A), sent(A)), (0, verify(A, Code::Right), verified(A))];
    for rows in [&expired[..], &guessed_away, &used] {
        let mut stage = Stage::claimed();
        stage.play(rows);
        let first = ChallengeId(3);
        assert_ne!(stage.send(11 * MINUTE, sms(A)).challenge, first);
        stage.play(&[
            (11 * MINUTE, verify(A, Code::Replayed(first.0)), MISSING),
            (11 * MINUTE, verify(A, Code::Wrong), mismatch(4)),
            (11 * MINUTE, verify(A, Code::Right), verified(A)),
        ]);
    }
}

#[test]
fn what_cannot_be_confirmed_is_refused_alike_and_costs_nothing() {
    let never_asked = [(0, sms(B), sent(B))];
    let asked = [(0, sms(A), sent(A))];
    let used = [(0, sms(A), sent(A)), (0, verify(A, Code::Right), verified(A))];
    let registered_since =
        [(0, sms(A1), sent(A1)), (0, verify_and_register(A1, Code::Right), registered(A1))];
    let cases: [(&str, &[_], i64, Ask); 8] = [
        ("none requested", &[], 1, verify(A, Code::Right)),
        ("the code of another claim", &never_asked, 1, verify(A, Code::Of(B))),
        ("an expired code", &asked, 10 * MINUTE, verify(A, Code::Right)),
        ("a used code", &used, 1, verify(A, Code::Replayed(3))),
        ("a used code, where the service finds no challenge", &used, 1, verify(A, Code::Right)),
        ("a used code after registration", &registered_since, 1, verify(A, Code::Replayed(3))),
        ("an empty code", &asked, 1, verify(A, Code::Empty)),
        ("the code of an earlier challenge", &asked, 1, verify(A, Code::Replayed(2))),
    ];
    for (what, rows, second, ask) in cases {
        let mut stage = Stage::claimed();
        stage.play(rows);
        let before = stage.record.clone();
        let decision = stage.ask(second, ask);
        assert_eq!(decision.outcome, MISSING, "{what}");
        assert_eq!(decision.next.budgets, before.budgets, "{what}");
        let refused = Fact::Refused { command: "verify_code", refusal: Refusal::CodeMissing };
        assert_eq!(decision.facts, [refused], "{what}");
    }
}

#[test]
fn a_waba_without_a_claim_learns_nothing() {
    let mut stage = Stage::empty();
    stage.play(&[(0, sms(A).name("Lucky Shrub"), sent(A)), (1, verify(B, Code::Of(A)), MISSING)]);
}

#[test]
fn a_code_whose_key_is_unknown_is_not_compared() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A))]);
    let mut command = stage.command(verify(A, Code::Wrong), at(1));
    if let Command::VerifyCode(verify) = &mut command {
        verify.proof = CodeProof::None;
    }
    assert_eq!(stage.decide(&command, at(1)).outcome, MISSING);
    assert_eq!(stage.challenge(A).expect("still pending").guesses, 0);
}

#[test]
fn a_code_is_confirmed_by_whatever_dialect_the_claim_speaks() {
    for (asks, confirms) in [(A1, A), (A, A2), (A1, A2)] {
        let mut stage = Stage::claimed();
        stage.play(&[(0, sms(asks), sent(A)), (1, verify(confirms, Code::Right), verified(A))]);
    }
}

#[test]
fn a_resend_to_another_client_of_the_claim_names_that_client() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A1), sent(A)), (60, sms(A2), sent(A))]);
    let challenge = stage.challenge(A).expect("pending");
    assert_eq!((challenge.client.clone(), challenge.requested_at), (A2.client(), at(60)));
    stage.play(&[(180, sms(A), sent(A))]);
    assert_eq!(stage.challenge(A).expect("pending").client, A2.client());
}

#[test]
fn the_first_code_may_be_confirmed_while_the_next_must_wait() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (30, sms(A), too_soon(CodeMethod::Sms, 60)),
        (31, verify(A, Code::Right), verified(A)),
    ]);
}

#[test]
fn an_expired_code_leaves_the_claim_unverified_once_it_is_tried() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A)), (10 * MINUTE, verify(A, Code::Right), MISSING)]);
    let claim = stage.record.claim_of(&A.waba()).expect("claimed");
    assert_eq!(claim.phase, ClaimPhase::Unverified);
}

//! Two tenants claim one number: budgets are common, challenges are not.

use registration::{CodeMethod, Fact, Refusal};

use crate::answers::{
    DONE, MISSING, added, already, at, mismatch, registered, sent, too_soon, verified,
};
use crate::asks::{A, A1, Ask, B, B1, Code, add, deregister, sms, verify, verify_and_register};
use crate::stage::Stage;

#[test]
fn several_wabas_claim_a_number_once_each() {
    let mut stage = Stage::empty();
    assert_eq!(stage.ask(0, add(A)).facts, [Fact::NumberAdded { waba: A.waba() }]);
    assert_eq!(stage.ask(1, add(A)).facts, []);
    stage.play(&[(2, add(B), added(B)), (3, sms(B1), sent(B))]);
    let claims = stage.record.claims.iter();
    let claims: Vec<_> = claims.map(|claim| (claim.waba.clone(), claim.added_at)).collect();
    assert_eq!(claims, [(A.waba(), at(0)), (B.waba(), at(2))]);
}

#[test]
fn each_claim_confirms_its_own_code_and_only_that() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (60, sms(B), sent(B)),
        (61, verify(B, Code::Of(A)), mismatch(4)),
        (61, verify(A, Code::Of(B)), mismatch(4)),
        (62, verify(B, Code::Right), verified(B)),
        (62, verify(A, Code::Right), verified(A)),
    ]);
}

#[test]
fn wrong_guesses_of_one_tenant_spend_no_guess_of_the_other() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (60, sms(B), sent(B)),
        (60, verify(B, Code::Wrong), mismatch(4)),
        (60, verify(B, Code::Wrong), mismatch(3)),
        (60, verify(B, Code::Wrong), mismatch(2)),
        (60, verify(A, Code::Wrong), mismatch(4)),
        (60, verify(A, Code::Right), verified(A)),
    ]);
    assert_eq!(stage.record.budgets.failed_guesses.0.len(), 4, "the number counts them all");
}

#[test]
fn a_send_for_one_tenant_takes_from_the_ladder_of_both() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, sms(B), too_soon(CodeMethod::Sms, 60)),
        (60, sms(B), sent(B)),
    ]);
    let (a, b) = (stage.challenge(A).expect("pending"), stage.challenge(B).expect("pending"));
    assert_ne!(a.id, b.id);
    assert_eq!((a.created_at, b.created_at), (at(0), at(60)));
}

#[test]
fn a_tenant_that_does_not_hold_the_number_changes_nothing_of_the_holder() {
    let mut stage = Stage::held_by(A1).with_pin();
    let before = stage.record.clone();
    let asks = [
        verify(B, Code::Right),
        verify_and_register(B, Code::Replayed(3)),
        deregister(B),
        Ask::SetPin(Some(B)),
        Ask::ClearPin(Some(B1)),
        Ask::Rename(B, "Jasper's Market"),
        Ask::Release(B1),
        add(B),
        sms(B),
    ];
    for ask in asks {
        stage.ask(100, ask);
        assert_eq!(stage.record.registration, before.registration, "{ask:?}");
        assert_eq!(stage.record.two_step, before.two_step, "{ask:?}");
        assert_eq!(stage.record.claims[0], before.claims[0], "{ask:?}");
    }
}

#[test]
fn a_pending_code_outlives_the_registration_of_another_tenant() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A1), sent(A)),
        (60, sms(B1), sent(B)),
        (61, verify_and_register(A1, Code::Right), registered(A)),
        (62, verify_and_register(B1, Code::Right), registered(B)),
        (63, sms(B1), already(B)),
        (63, verify(A1, Code::Replayed(3)), MISSING),
    ]);
}

#[test]
fn a_locked_number_is_locked_for_all_its_claims_and_unlocked_for_all() {
    let mut stage = Stage::claimed();
    stage.record.budgets.locked_since = Some(at(0));
    let locked = Err(Refusal::NumberLocked);
    stage.play(&[
        (1, sms(A), locked.clone()),
        (1, sms(B), locked),
        (2, Ask::Unlock, DONE),
        (2, sms(B), sent(B)),
    ]);
}

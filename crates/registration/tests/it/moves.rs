//! How a registration moves: by code, by backup, by letting go. And names.

use registration::{BackupProof, Command, Fact, PinCheck, Refusal, RegistrationKey, VerifiedName};

use crate::answers::{
    Answer, DEREGISTERED, DONE, added, already, at, registered, restored, sent, verified,
};
use crate::asks::{
    A, A1, A2, Ask, B, B_BY_A1, B1, Code, Party, RegisterAsk, add, deregister, register, sms,
    verify, verify_and_register,
};
use crate::stage::Stage;

const OUTDATED: Answer = Err(Refusal::BackupOutdated);

/// Restores the number on client `to` with a backup of A's registration that carries `key`.
fn restore(to: Party, key: RegistrationKey) -> Ask {
    Ask::Restore { to, of: A, key: Some(key) }
}

fn key(stage: &Stage) -> RegistrationKey {
    stage.record.registration.as_ref().expect("registered").key
}

#[test]
fn a_number_moves_to_whoever_proves_it_and_the_old_holder_is_told() {
    for (from, to) in [(A, B), (A1, B1), (A1, A2), (A1, A), (A, A1), (A, B1), (A1, B)] {
        let mut stage = Stage::held_by(from);
        stage.play(&[(60, sms(to), sent(to))]);
        assert_eq!(stage.holder(), Some((from.claim(), from.platform())), "not before the code");
        let decision = stage.ask(61, verify_and_register(to, Code::Right));
        assert_eq!(decision.outcome, registered(to));
        let told = Fact::HolderLoggedOff { waba: from.waba(), client: from.client() };
        let expected = [Fact::CodeConfirmed, told, Fact::Registered { platform: to.platform() }];
        assert_eq!(decision.facts, expected, "{from:?} to {to:?}");
        assert_eq!(stage.holder(), Some((to.claim(), to.platform())));
        stage.play(&[(62, deregister(to), DEREGISTERED)]);
        assert_eq!(stage.holder(), None);
    }
}

#[test]
fn the_old_holder_keeps_its_claim_and_can_take_the_number_back() {
    let mut stage = Stage::held_by(A1);
    stage.play(&[
        (60, sms(B), sent(B)),
        (61, verify_and_register(B, Code::Right), registered(B)),
        (180, sms(A1), sent(A)),
        (181, verify_and_register(A1, Code::Right), registered(A)),
    ]);
    assert_eq!(stage.record.claims.len(), 2);
}

#[test]
fn a_proof_older_than_anothers_registration_does_not_take_the_number() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (1, verify(A, Code::Right), verified(A)),
        (60, sms(B), sent(B)),
        (61, verify_and_register(B, Code::Right), registered(B)),
        (62, register(A), Err(Refusal::NotVerified)),
    ]);
    assert_eq!(stage.holder(), Some((B.claim(), B.platform())));
}

#[test]
fn each_registration_has_another_key_and_a_restore_keeps_it() {
    let mut stage = Stage::held_by(A1);
    let first = key(&stage);
    stage.play(&[(1, restore(A2, first), restored(A))]);
    assert_eq!(key(&stage), first);
    stage
        .play(&[(60, sms(A1), sent(A)), (60, verify_and_register(A1, Code::Right), registered(A))]);
    assert_ne!(key(&stage), first);
}

#[test]
fn a_backup_moves_its_registration_to_the_client_that_restores_it() {
    for (from, to) in [(A1, A2), (A1, B1), (A, A1)] {
        let mut stage = Stage::held_by(from);
        let decision = stage.ask(5, restore(to, key(&stage)));
        assert_eq!(decision.outcome, restored(A));
        let told = Fact::HolderLoggedOff { waba: A.waba(), client: from.client() };
        let client = to.client().expect("a client restores");
        assert_eq!(decision.facts, [told, Fact::Restored { client }]);
        let held = decision.next.registration.expect("registered");
        assert_eq!((held.waba, held.platform, held.since), (A.waba(), to.platform(), at(0)));
        assert_eq!(held.restarting_until, at(7));
        assert_eq!(decision.next.budgets, stage.record.budgets);
    }
}

#[test]
fn a_restore_where_the_number_runs_logs_nobody_off() {
    let mut stage = Stage::held_by(A1);
    let decision = stage.ask(5, restore(A1, key(&stage)));
    let client = A1.client().expect("a client");
    assert_eq!(decision.facts, [Fact::Restored { client }]);
}

#[test]
fn a_backup_of_anything_but_the_present_registration_is_outdated() {
    let mut stage = Stage::held_by(A1);
    let old = key(&stage);
    let of_b = Ask::Restore { to: A2, of: B, key: Some(old) };
    stage.play(&[
        (1, restore(A2, RegistrationKey(old.0 + 1)), OUTDATED),
        (1, of_b, OUTDATED),
        (60, sms(A2), sent(A)),
        (60, verify_and_register(A2, Code::Right), registered(A)),
        (61, restore(A1, old), OUTDATED),
        (62, deregister(A), DEREGISTERED),
        (63, restore(A1, old), OUTDATED),
    ]);
}

#[test]
fn a_client_that_takes_another_number_lets_this_one_go() {
    let mut stage = Stage::held_by(A1);
    let told = Fact::HolderLoggedOff { waba: A.waba(), client: A1.client() };
    assert_eq!(stage.ask(1, Ask::Release(A2)).facts, []);
    assert_eq!(stage.holder(), Some((A.claim(), A1.platform())));
    assert_eq!(stage.ask(1, Ask::Release(A1)).facts, [told]);
    assert_eq!(stage.holder(), None);
    stage.play(&[(2, Ask::Release(A1), DONE)]);
}

fn name_of(stage: &Stage, by: Party) -> &str {
    stage.record.claim_of(&by.waba()).expect("claimed").name.as_str()
}

#[test]
fn a_name_changes_for_one_claim_alone_and_is_noted_once() {
    let mut stage = Stage::held_by(A);
    let before = stage.record.clone();
    let name = VerifiedName::parse("Jasper's Market").expect("a name");
    let decision = stage.ask(1, Ask::Rename(A, "Jasper's Market"));
    assert_eq!(decision.facts, [Fact::NameChanged { name }]);
    assert_eq!(stage.ask(2, Ask::Rename(A, "Jasper's Market")).facts, []);
    assert_eq!((name_of(&stage, A), name_of(&stage, B)), ("Jasper's Market", "Lucky Shrub"));
    assert_eq!(stage.record.registration, before.registration);
    assert_eq!(stage.record.budgets, before.budgets);
}

#[test]
fn a_claim_takes_the_name_that_comes_with_a_code_request_or_a_second_claim() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A1).name("Jasper's Market"), sent(A))]);
    assert_eq!(name_of(&stage, A), "Jasper's Market");
    stage.play(&[(0, Ask::Add(A, "Wind & Wool"), added(A))]);
    assert_eq!(name_of(&stage, A), "Wind & Wool");
    assert_eq!(stage.record.claims.len(), 2);
}

#[test]
fn a_waba_without_a_claim_names_nothing() {
    let mut stage = Stage::empty();
    stage.play(&[(0, Ask::Rename(A, "Jasper's Market"), Err(Refusal::NotClaimed))]);
    assert_eq!(stage.record.claims, []);
}

#[test]
fn a_holder_that_proves_its_number_again_is_not_logged_off() {
    for holder in [A, A1] {
        let mut stage = Stage::claimed();
        stage.play(&[(0, sms(A), sent(A)), (0, verify(A, Code::Right), verified(A))]);
        stage.play(&[(0, register(holder), registered(A)), (60, sms(A), sent(A))]);
        let old = key(&stage);
        let decision = stage.ask(61, verify_and_register(holder, Code::Right));
        let again = Fact::Registered { platform: holder.platform() };
        assert_eq!(decision.facts, [Fact::CodeConfirmed, again]);
        assert_ne!(key(&stage), old);
    }
}

#[test]
fn a_client_that_asks_for_another_waba_moves_its_number_there_with_a_code() {
    let mut stage = Stage::held_by(A1);
    stage.play(&[
        (60, sms(B_BY_A1), sent(B)),
        (61, verify_and_register(B_BY_A1, Code::Right), registered(B)),
        (62, sms(B_BY_A1), already(B)),
    ]);
    assert_eq!(stage.holder(), Some((B.claim(), A1.platform())));
}

#[test]
fn a_registration_is_of_the_waba_whose_code_was_confirmed() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A))]);
    let mut command = stage.command(verify_and_register(A, Code::Right), at(1));
    if let Command::VerifyCode(verify) = &mut command {
        verify.register.as_mut().expect("registers").waba = B.waba();
    }
    assert_eq!(stage.decide(&command, at(1)).outcome, registered(A));
    assert_eq!(stage.record.registration.expect("registered").waba, A.waba());
}

#[test]
fn the_serial_of_a_certificate_stays_until_another_certificate_comes() {
    let mut stage = Stage::claimed();
    let serial =
        |stage: &Stage| stage.record.claim_of(&A.waba()).expect("claimed").certificate_serial;
    for (brought, kept) in [(None, None), (Some(7), Some(7)), (None, Some(7)), (Some(8), Some(8))] {
        let mut command = stage.command(Ask::Rename(A, "Lucky Shrub"), at(0));
        if let Command::ChangeName { certificate_serial, .. } = &mut command {
            *certificate_serial = brought;
        }
        stage.decide(&command, at(0));
        assert_eq!(serial(&stage), kept, "by change of name");
    }
    for (brought, kept) in [(None, Some(8)), (Some(9), Some(9)), (None, Some(9))] {
        let mut command = stage.command(add(A), at(0));
        if let Command::AddNumber(add) = &mut command {
            add.claim.certificate_serial = brought;
        }
        stage.decide(&command, at(0));
        assert_eq!(serial(&stage), kept, "by claim");
    }
}

#[test]
fn the_backup_of_the_present_registration_stands_for_a_code() {
    let with_backup = |stage: &mut Stage, by: Party, key, pin| {
        let ask = Ask::Register(by, RegisterAsk { pin, ..RegisterAsk::PLAIN });
        let mut command = stage.command(ask, at(60));
        if let Command::Register(register) = &mut command {
            register.by_backup = Some(BackupProof::Key(key));
        }
        stage.decide(&command, at(60)).outcome
    };
    let mut stage = Stage::held_by(A1).with_pin();
    let present = key(&stage);
    let other = RegistrationKey(present.0 + 1);
    let refused = |refusal| Err(refusal);
    for (by, shown, pin, answer) in [
        (A, other, PinCheck::Right, refused(Refusal::BackupOutdated)),
        (B, present, PinCheck::Right, refused(Refusal::BackupOutdated)),
        (A, present, PinCheck::Absent, refused(Refusal::PinRequired)),
        (A, present, PinCheck::Wrong, refused(Refusal::PinMismatch { tries_left: 9 })),
    ] {
        assert_eq!(with_backup(&mut stage, by, shown, pin), answer);
        assert_eq!(stage.holder(), Some((A.claim(), A1.platform())), "it stays where it is");
    }
    assert_eq!(with_backup(&mut stage, A, present, PinCheck::Right), registered(A));
    assert_eq!(stage.holder(), Some((A.claim(), A.platform())));
    assert_ne!(key(&stage), present, "older backups are void");
    // The first answer may have been lost.
    assert_eq!(with_backup(&mut stage, A, present, PinCheck::Right), already(A));
}

/// A backup that only a registrar upstream can open: the proof is its affair, every other rule is ours.
#[test]
fn a_backup_for_upstream_is_spared_the_code_and_nothing_else() {
    let with_backup = |stage: &mut Stage, pin, seconds| {
        let ask = Ask::Register(A, RegisterAsk { pin, ..RegisterAsk::PLAIN });
        let mut command = stage.command(ask, at(seconds));
        if let Command::Register(register) = &mut command {
            register.by_backup = Some(BackupProof::ForUpstream);
        }
        stage.decide(&command, at(seconds)).outcome
    };
    let mut stage = Stage::empty();
    assert_eq!(with_backup(&mut stage, PinCheck::Absent, 60), Err(Refusal::NotClaimed));
    let mut stage = Stage::held_by(A1).with_pin();
    assert_eq!(with_backup(&mut stage, PinCheck::Absent, 60), Err(Refusal::PinRequired));
    assert_eq!(with_backup(&mut stage, PinCheck::Right, 61), registered(A));
    let calls = stage.record.budgets.register_calls.0.len();
    for _ in calls..stage.limits.register_calls_max {
        assert_eq!(with_backup(&mut stage, PinCheck::Right, 62), already(A));
    }
    let answer = with_backup(&mut stage, PinCheck::Right, 63);
    assert!(matches!(answer, Err(Refusal::RegisterLimit { .. })), "{answer:?}");
}

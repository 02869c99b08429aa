//! Moving a number to a WABA: the steps, their order, and what comes along.

use registration::{
    AddNumber, Command, Fact, NewClaim, NumberRecord, PinCheck, Refusal, VerifiedName,
};

use crate::answers::{Answer, MISSING, added, already, at, registered, sent, verified};
use crate::asks::{
    A, A1, Ask, B, Code, Party, RegisterAsk, deregister, register, sms, verify, verify_and_register,
};
use crate::stage::Stage;

const STATUS: Answer = Err(Refusal::NotMigrating);

fn name(text: &str) -> VerifiedName {
    VerifiedName::parse(text).expect("a display name")
}

impl Stage {
    fn start(&mut self, second: i64, by: Party, text: &str) -> Answer {
        let claim = NewClaim {
            id: by.claim(),
            name: name(text),
            certificate_serial: None,
            needs_review: false,
        };
        let command =
            Command::StartMigration(AddNumber { waba: by.waba(), claim, only_new: false });
        self.decide(&command, at(second)).outcome
    }

    /// The command as a step of a migration.
    fn step(&mut self, second: i64, by: Party, ask: Ask) -> Answer {
        let then = Box::new(self.command(ask, at(second)));
        self.decide(&Command::WhileMigrating { waba: by.waba(), then }, at(second)).outcome
    }

    fn name_of(&self, by: Party) -> &str {
        self.record.claim_of(&by.waba()).expect("a claim").name.as_str()
    }
}

/// A number that A holds and B has begun to move.
fn migrating() -> Stage {
    let mut stage = Stage::empty();
    stage.play(&[
        (0, Ask::Add(A, "Lucky Shrub"), added(A)),
        (0, sms(A), sent(A)),
        (1, verify_and_register(A, Code::Right), registered(A)),
    ]);
    assert_eq!(stage.start(100, B, "Jasper's Market"), added(B));
    stage
}

#[test]
fn a_number_arrives_with_its_name_and_the_old_holder_is_told() {
    let mut stage = migrating();
    assert_eq!(stage.step(101, B, sms(B)), sent(B));
    assert_eq!(stage.step(102, B, verify(B, Code::Right)), verified(B));
    assert_eq!(stage.holder(), Some((A.claim(), A.platform())), "not before it is registered");
    assert_eq!(stage.name_of(B), "Jasper's Market");
    let then = Box::new(stage.command(register(B), at(103)));
    let decision = stage.decide(&Command::WhileMigrating { waba: B.waba(), then }, at(103));
    assert_eq!(decision.outcome, registered(B));
    let expected = [
        Fact::NameChanged { name: name("Lucky Shrub") },
        Fact::HolderLoggedOff { waba: A.waba(), client: None },
        Fact::Registered { platform: B.platform() },
    ];
    assert_eq!(decision.facts, expected);
    assert_eq!(stage.holder(), Some((B.claim(), B.platform())));
    assert_eq!(stage.name_of(B), "Lucky Shrub");
    let history = stage.record.claim_of(&B.waba()).expect("a claim").history;
    assert_eq!((history.migrating_since, history.registered_at), (None, Some(at(103))));
}

#[test]
fn steps_out_of_order_are_refused_and_cost_nothing() {
    let mut stage = Stage::held_by(A1);
    let before = stage.record.clone();
    for by in [A, B] {
        for ask in [sms(by), verify(by, Code::Right)] {
            assert_eq!(stage.step(60, by, ask), STATUS, "{ask:?}");
        }
    }
    assert_eq!(stage.step(60, B, register(B)), STATUS);
    assert_eq!(stage.start(60, A, "Lucky Shrub"), STATUS, "it is there already");
    assert_eq!(stage.record, before);

    let mut stage = migrating();
    let before = stage.record.clone();
    assert_eq!(stage.step(101, B, register(B)), Err(Refusal::NotVerified));
    assert_eq!(stage.step(101, B, verify(B, Code::Right)), MISSING);
    assert_eq!(stage.record, before);
}

#[test]
fn nothing_follows_but_a_repeated_registration_once_the_number_arrived() {
    let mut stage = migrating();
    assert_eq!(stage.step(101, B, sms(B)), sent(B));
    assert_eq!(stage.step(102, B, verify(B, Code::Right)), verified(B));
    assert_eq!(stage.step(103, B, register(B)), registered(B));
    assert_eq!(stage.step(104, B, register(B)), already(B));
    assert_eq!(stage.step(300, B, sms(B)), STATUS);
    assert_eq!(stage.start(300, B, "Jasper's Market"), STATUS);
    stage.ask(400, deregister(B));
    assert_eq!(stage.step(401, B, register(B)), STATUS);
    assert_eq!(stage.start(402, B, "Jasper's Market"), added(B), "and again from the start");
}

#[test]
fn a_start_is_repeated_without_effect_and_keeps_the_name_of_a_claim() {
    let mut stage = Stage::claimed();
    assert_eq!(stage.start(10, B, "Jasper's Market"), added(B));
    assert_eq!(stage.name_of(B), "Lucky Shrub");
    let before: NumberRecord = stage.record.clone();
    assert_eq!(stage.start(20, B, "Other"), added(B));
    assert_eq!(stage.record, before);
}

#[test]
fn two_step_verification_has_to_be_released_first() {
    let mut stage = migrating().with_pin();
    assert_eq!(stage.step(101, B, sms(B)), sent(B));
    assert_eq!(stage.step(102, B, verify(B, Code::Right)), verified(B));
    assert_eq!(stage.step(103, B, register(B)), Err(Refusal::PinRequired));
    let with_pin = |pin| Ask::Register(B, RegisterAsk { pin, ..RegisterAsk::PLAIN });
    let wrong = stage.step(104, B, with_pin(PinCheck::Wrong));
    assert!(matches!(wrong, Err(Refusal::PinMismatch { .. })), "{wrong:?}");
    stage.ask(105, Ask::ClearPin(Some(A)));
    assert_eq!(stage.step(106, B, register(B)), registered(B));
}

#[test]
fn a_number_that_is_nobodys_migrates_under_the_name_it_was_given() {
    let mut stage = Stage::empty();
    assert_eq!(stage.start(0, B, "Jasper's Market"), added(B));
    assert_eq!(stage.step(1, B, sms(B)), sent(B));
    assert_eq!(stage.step(2, B, verify(B, Code::Right)), verified(B));
    assert_eq!(stage.step(3, B, register(B)), registered(B));
    assert_eq!(stage.name_of(B), "Jasper's Market");
}

#[test]
fn registering_without_a_migration_brings_no_name_along() {
    let mut stage = Stage::empty();
    stage.play(&[
        (0, Ask::Add(A, "Lucky Shrub"), added(A)),
        (0, Ask::Add(B, "Jasper's Market"), added(B)),
        (0, sms(A), sent(A)),
        (1, verify_and_register(A, Code::Right), registered(A)),
        (60, sms(B), sent(B)),
        (61, verify_and_register(B, Code::Right), registered(B)),
    ]);
    assert_eq!(stage.name_of(B), "Jasper's Market");
}

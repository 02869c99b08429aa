//! What stands against a code before it costs anything, and what a code that cannot be sent gives back.

use registration::{
    Accepted, Closed, CodeMethod, Command, Decision, Effect, Fact, Reach, Refusal, RequestCode,
};

use crate::answers::{DAY, at, sent, too_soon};
use crate::asks::{A, B, Party, sms};
use crate::stage::Stage;

/// Asks for an SMS with something changed in the command.
fn asked(
    stage: &mut Stage,
    second: i64,
    by: Party,
    change: impl FnOnce(&mut RequestCode),
) -> Decision {
    let mut command = stage.command(sms(by), at(second));
    if let Command::RequestCode(request) = &mut command {
        change(request);
    }
    stage.decide(&command, at(second))
}

#[test]
fn a_closed_destination_is_refused_and_costs_nothing() {
    let method = CodeMethod::Sms;
    for (reach, refusal) in [
        (
            Reach::Closed(Closed::NotOpened),
            Refusal::DestinationClosed { method, why: Closed::NotOpened },
        ),
        (
            Reach::Closed(Closed::NoSender),
            Refusal::DestinationClosed { method, why: Closed::NoSender },
        ),
        (Reach::Stopped { opens_at: at(600) }, Refusal::LowConversion { opens_at: at(600) }),
    ] {
        let mut stage = Stage::claimed();
        let before = stage.record.clone();
        let decision = asked(&mut stage, 0, A, |request| request.reach = reach);
        assert_eq!(decision.outcome, Err(refusal));
        assert_eq!(decision.effects, []);
        assert_eq!(stage.record, before, "no step of the ladder is taken");
        stage.play(&[(0, sms(A), sent(A))]);
    }
}

#[test]
fn who_asks_again_while_the_message_waits_for_a_sender_pays_nothing() {
    let mut stage = Stage::claimed();
    let first = stage.send(0, sms(A));
    let waiting = |request: &mut RequestCode| request.waiting = Some(first.challenge);
    for second in [1, 30, 59, 599] {
        let budgets = stage.record.budgets.clone();
        let decision = asked(&mut stage, second, A, waiting);
        assert!(matches!(decision.outcome, Ok(Accepted::CodeSent(_))), "{:?}", decision.outcome);
        assert_eq!(decision.effects, [], "the message that waits is the one that goes out");
        assert_eq!(decision.facts, [Fact::CodeAwaited { method: CodeMethod::Sms }]);
        assert_eq!(stage.record.budgets, budgets);
        let challenge = stage.challenge(A).expect("alive");
        assert_eq!((challenge.id, challenge.created_at), (first.challenge, at(0)));
    }
    // Another claim has another code, and waits for its step of the common ladder.
    let decision = asked(&mut stage, 30, B, waiting);
    assert_eq!(decision.outcome, too_soon(CodeMethod::Sms, 60));
    // Once the code has died, what waits is of no use.
    let decision = asked(&mut stage, 600, A, waiting);
    assert!(matches!(decision.effects.as_slice(), [Effect::SendCode(_)]), "{decision:?}");
}

#[test]
fn a_message_that_nobody_could_carry_gives_its_step_back() {
    let give_back = |second| Command::GiveBack { method: CodeMethod::Sms, ordered_at: at(second) };
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A))]);
    let decision = stage.decide(&give_back(0), at(610));
    assert_eq!(decision.facts, [Fact::CodeNotSent { method: CodeMethod::Sms }]);
    assert_eq!(stage.record.budgets.sms.taken, 0);
    for second in [610, 670, 790, 1090, 1690] {
        stage.play(&[(second, sms(A), sent(A))]);
    }
    assert_eq!(stage.record.budgets.sms.taken, 5, "five messages that went out");
    // Not what belongs to a ladder before, and never below nothing.
    let before = stage.record.budgets.clone();
    assert_eq!(stage.decide(&give_back(0), at(1700)).facts, []);
    assert_eq!(stage.decide(&give_back(1690), at(1690 + DAY)).facts, []);
    assert_eq!(stage.record.budgets, before);
    let other = Command::GiveBack { method: CodeMethod::Voice, ordered_at: at(610) };
    assert_eq!(stage.decide(&other, at(1700)).facts, []);
}

//! Display names: a new one is looked at, and a registration puts it in force if it comes in time.

use registration::{
    AddNumber, Claim, Command, Fact, NameFault, NameReview, NameVerdict, NewClaim, Refusal,
    VerifiedName,
};

use crate::answers::{Answer, DAY, DONE, already, at, registered, sent, verified};
use crate::asks::{A, A1, Ask, B, Code, Party, RegisterAsk, sms, verify, verify_and_register};
use crate::stage::Stage;

const OLD: &str = "Lucky Shrub";
const NEW: &str = "Jasper's Market";
const UNTIL: i64 = 14 * DAY;

fn name(text: &str) -> VerifiedName {
    VerifiedName::parse(text).expect("a display name")
}

fn approve() -> NameVerdict {
    NameVerdict::Approve { until: at(UNTIL) }
}

impl Stage {
    fn ask_name(&mut self, second: i64, by: Party, text: &str, auto: bool) -> Vec<Fact> {
        let until = auto.then(|| at(UNTIL));
        let command = Command::RequestName { waba: by.waba(), name: name(text), until };
        let decision = self.decide(&command, at(second));
        assert_eq!(decision.outcome, DONE);
        decision.facts
    }

    fn review(&mut self, second: i64, by: Party, verdict: NameVerdict) -> Vec<Fact> {
        let command = Command::ReviewName { waba: by.waba(), name: None, verdict };
        let decision = self.decide(&command, at(second));
        assert_eq!(decision.outcome, DONE);
        decision.facts
    }

    /// Claims the number under a name that somebody has to look at.
    fn claim_pending(&mut self, by: Party, text: &str) -> Answer {
        let claim = NewClaim {
            id: by.claim(),
            name: name(text),
            certificate_serial: None,
            needs_review: true,
        };
        let add = AddNumber { waba: by.waba(), claim, only_new: false };
        self.decide(&Command::AddNumber(add), at(0)).outcome
    }

    fn claim(&self, by: Party) -> &Claim {
        self.record.claim_of(&by.waba()).expect("claimed")
    }

    fn names(&self, by: Party) -> (&str, Option<&str>) {
        let claim = self.claim(by);
        (claim.name.as_str(), claim.new_name.as_ref().map(|new| new.name.as_str()))
    }
}

fn register(by: Party) -> Ask {
    Ask::Register(by, RegisterAsk::PLAIN)
}

#[test]
fn an_approved_name_shows_after_the_next_registration() {
    for (again, auto) in [(1, false), (UNTIL - 1, false), (1, true)] {
        let mut stage = Stage::held_by(A);
        let submitted = Fact::NameSubmitted { name: name(NEW) };
        let approved = Fact::NameApproved { name: name(NEW) };
        if auto {
            assert_eq!(stage.ask_name(0, A, NEW, true), [submitted, approved]);
        } else {
            assert_eq!(stage.ask_name(0, A, NEW, false), [submitted]);
            assert_eq!(stage.review(0, A, approve()), [approved]);
        }
        assert_eq!(stage.names(A), (OLD, Some(NEW)));
        let decision = stage.ask(again, register(A));
        assert_eq!(decision.outcome, already(A));
        assert_eq!(decision.facts, [Fact::NameChanged { name: name(NEW) }]);
        assert_eq!(stage.names(A), (NEW, None));
        assert_eq!(stage.claim(A).name_review, NameReview::Approved { at: at(0) });
        assert_eq!(stage.names(B), (OLD, None), "another's claim keeps its name");
    }
}

#[test]
fn a_registration_before_the_verdict_or_too_late_changes_nothing() {
    let mut stage = Stage::held_by(A);
    stage.ask_name(0, A, NEW, false);
    assert_eq!(stage.ask(1, register(A)).facts, []);
    assert_eq!(stage.names(A), (OLD, Some(NEW)));
    stage.review(2, A, approve());
    assert_eq!(stage.ask(UNTIL, register(A)).facts, []);
    assert_eq!(stage.names(A), (OLD, Some(NEW)));
    assert!(!stage.claim(A).new_name.as_ref().expect("waits").is_ready(at(UNTIL)));
}

#[test]
fn a_declined_name_never_shows_and_the_old_one_stays_good() {
    let mut stage = Stage::held_by(A);
    stage.ask_name(0, A, NEW, false);
    let why = NameFault::Unrelated;
    let declined = Fact::NameDeclined { name: name(NEW), why };
    assert_eq!(stage.review(1, A, NameVerdict::Decline(why)), [declined]);
    assert_eq!(stage.review(2, A, NameVerdict::Decline(why)), [], "said before");
    stage.play(&[(3, register(A), already(A))]);
    assert_eq!(stage.names(A), (OLD, Some(NEW)));
    assert_eq!(stage.claim(A).name_review, NameReview::Approved { at: at(0) });
}

#[test]
fn a_verdict_is_about_the_name_that_was_looked_at_and_no_other() {
    let mut stage = Stage::held_by(A);
    stage.ask_name(0, A, NEW, false);
    for (looked_at, facts) in
        [("Another", vec![]), (OLD, vec![]), (NEW, vec![Fact::NameApproved { name: name(NEW) }])]
    {
        let (waba, looked_at) = (A.waba(), Some(name(looked_at)));
        let command = Command::ReviewName { waba, name: looked_at, verdict: approve() };
        let decision = stage.decide(&command, at(1));
        assert_eq!((decision.outcome, decision.facts), (DONE, facts));
    }
}

#[test]
fn a_number_is_not_registered_under_a_name_that_was_declined() {
    for in_one_call in [false, true] {
        let mut stage = Stage::empty();
        stage.claim_pending(A, OLD).expect("claimed");
        assert_eq!(stage.claim(A).name_review, NameReview::Pending);
        stage.review(0, A, NameVerdict::Decline(NameFault::Format));
        stage.play(&[(0, sms(A), sent(A))]);
        let refused = Err(Refusal::NameDeclined);
        if in_one_call {
            stage.play(&[(1, verify_and_register(A, Code::Right), refused)]);
            // Nothing was spent: the code is as good as before.
            assert_eq!(stage.challenge(A).expect("on its way").guesses, 0);
        } else {
            stage.play(&[(1, verify(A, Code::Right), verified(A)), (2, register(A), refused)]);
            assert_eq!(stage.record.budgets.register_calls.0, []);
        }
        stage.ask_name(3, A, NEW, false);
        assert_eq!(stage.names(A), (NEW, None), "what holds nothing is renamed at once");
        let last = if in_one_call { verify_and_register(A, Code::Right) } else { register(A) };
        stage.play(&[(4, last, registered(A))]);
        assert_eq!(stage.claim(A).name_review, NameReview::Pending, "a verdict may come later");
    }
}

#[test]
fn the_name_of_a_certificate_needs_no_verdict() {
    let mut stage = Stage::empty();
    stage.claim_pending(A, OLD).expect("claimed");
    stage.review(0, A, NameVerdict::Decline(NameFault::Unknown));
    let decision = stage.ask(1, sms(A1));
    assert_eq!(decision.outcome, sent(A));
    assert!(decision.facts.contains(&Fact::NameApproved { name: name(OLD) }));
    stage.play(&[(2, verify_and_register(A1, Code::Right), registered(A))]);
    stage.ask_name(3, A, NEW, false);
    stage.ask(4, sms(A1).name(NEW));
    assert_eq!(stage.names(A), (NEW, None));
}

#[test]
fn the_same_name_is_no_news_and_the_old_one_takes_a_request_back() {
    let mut stage = Stage::held_by(A);
    stage.ask_name(0, A, NEW, false);
    assert_eq!(stage.ask_name(1, A, NEW, false), []);
    assert_eq!(stage.claim(A).new_name.as_ref().expect("waits").asked_at, at(0));
    assert_eq!(stage.ask_name(2, A, OLD, false), []);
    assert_eq!(stage.names(A), (OLD, None));
}

#[test]
fn an_operator_may_think_again_and_a_waba_without_a_claim_asks_in_vain() {
    let mut stage = Stage::held_by(A);
    stage.ask_name(0, A, NEW, false);
    stage.review(1, A, NameVerdict::Decline(NameFault::Individual));
    stage.review(2, A, approve());
    assert_eq!(stage.review(3, A, approve()), []);
    stage.play(&[(4, register(A), already(A))]);
    assert_eq!(stage.names(A), (NEW, None));
    let mut nobody = Stage::empty();
    let command = Command::RequestName { waba: A.waba(), name: name(NEW), until: None };
    assert_eq!(nobody.decide(&command, at(0)).outcome, Err(Refusal::NotClaimed));
    let command = Command::ReviewName { waba: A.waba(), name: None, verdict: approve() };
    assert_eq!(nobody.decide(&command, at(0)).outcome, Err(Refusal::NotClaimed));
}

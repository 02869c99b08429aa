//! What a registrar upstream says becomes what the rules say.

use core::time::Duration;

use registration::{
    Accepted, Adopt, ClaimPhase, CodeMethod, CodeProof, CodeVerdict, Command, Decision, Forwarded,
    Heed, Limits, NewClaim, NumberRecord, PhoneNumber, PhoneNumberId, PinCheck, Platform, Refusal,
    Register, RegistrationKey, TextId as _, Timestamp, VerifiedName, VerifyCode, WabaId, decide,
};
use registration::{
    AddNumber, ChallengeId, CodeMaker, Locale, NumberKind, Reach, RequestCode, Requester,
    VerificationCode,
};

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000) + Duration::from_secs(seconds)
}

pub(crate) fn waba(text: &str) -> WabaId {
    WabaId::parse(text).expect("sound")
}

pub(crate) fn play(record: &NumberRecord, command: &Command, now: Timestamp) -> Decision {
    decide(record.clone(), command, now, &Limits::default())
}

pub(crate) fn claimed() -> NumberRecord {
    let record = NumberRecord::absent(PhoneNumber::parse("447700900123").expect("sound"));
    let claim = NewClaim {
        id: PhoneNumberId::parse("1001").expect("sound"),
        name: VerifiedName::parse("Lucky Shrub").expect("sound"),
        certificate_serial: None,
        needs_review: false,
    };
    let add = AddNumber { waba: waba("1"), claim, only_new: false };
    play(&record, &Command::AddNumber(add), at(0)).next
}

pub(crate) fn request(method: CodeMethod) -> Command {
    Command::RequestCode(RequestCode {
        requester: Requester { waba: waba("1"), client: None },
        claim: None,
        made_by: CodeMaker::Upstream,
        method,
        kind: NumberKind::Mobile,
        locale: Locale::english(),
        pin: None,
        fresh_challenge: ChallengeId(7),
        key_epoch: 1,
        register: None,
        only_unproven: false,
        reach: Reach::Open,
        waiting: None,
    })
}

pub(crate) fn answer(is_right: bool) -> Command {
    verdict(if is_right { CodeVerdict::Right } else { CodeVerdict::Wrong })
}

pub(crate) fn verdict(verdict: CodeVerdict) -> Command {
    Command::VerifyCode(VerifyCode {
        requester: Requester { waba: waba("1"), client: None },
        submitted: VerificationCode::parse("123456").ok(),
        proof: CodeProof::ProviderSays(verdict),
        register: None,
    })
}

pub(crate) fn register(pin: PinCheck) -> Register {
    Register {
        waba: waba("1"),
        platform: Platform::CloudApi,
        pin,
        key: RegistrationKey(9),
        restart: false,
        set_pin: None,
        by_backup: None,
    }
}

pub(crate) fn heed(operation: Forwarded, refusal: &Refusal) -> Command {
    Command::Heed(Heed {
        waba: waba("1"),
        operation,
        refusal: refusal.clone(),
        is_vague: false,
        keeps_pins: true,
    })
}

#[test]
fn a_code_made_upstream_sends_nothing_from_here() {
    let sent = play(&claimed(), &request(CodeMethod::Sms), at(0));
    assert!(matches!(sent.outcome, Ok(Accepted::CodeSent(_))));
    assert!(sent.effects.is_empty());
    let wrong = play(&sent.next, &answer(false), at(1));
    assert_eq!(wrong.outcome, Err(Refusal::CodeMismatch { guesses_left: 4 }));
    let right = play(&wrong.next, &answer(true), at(2));
    assert!(matches!(right.outcome, Ok(Accepted::Verified(_))));
    assert_eq!(play(&right.next, &answer(true), at(3)).outcome, Err(Refusal::CodeMissing));
}

#[test]
fn only_the_newest_code_counts_and_lives_from_its_own_beginning() {
    let first = play(&claimed(), &request(CodeMethod::Sms), at(0)).next;
    let wrong = play(&first, &answer(false), at(1)).next;
    let second = play(&wrong, &request(CodeMethod::Sms), at(500)).next;
    // Ten minutes after the first, not after the second; guesses spent stay spent.
    let refused = play(&second, &answer(false), at(1_099));
    assert_eq!(refused.outcome, Err(Refusal::CodeMismatch { guesses_left: 3 }));
    assert_eq!(play(&second, &answer(true), at(1_100)).outcome, Err(Refusal::CodeMissing));
}

/// Whatever the wait: refused in the same words right up to its end, and open then.
#[test]
fn a_wait_upstream_holds_here_to_the_millisecond() {
    for seconds in [1, 59, 61, 3_600, 40_000, 86_399, 86_400, 172_800] {
        let opens_at = at(seconds);
        for taken in 0..6_u64 {
            for method in [CodeMethod::Sms, CodeMethod::Voice] {
                let mut record = claimed();
                for _ in 0..taken {
                    let told = Refusal::CodeTooSoon { method, opens_at: at(0) };
                    record = play(&record, &heed(Forwarded::RequestCode, &told), at(0)).next;
                }
                let exhausted = match method {
                    CodeMethod::Sms => Refusal::SmsExhausted { opens_at },
                    CodeMethod::Voice => Refusal::VoiceExhausted { opens_at },
                };
                for told in [Refusal::CodeTooSoon { method, opens_at }, exhausted] {
                    let heeded = play(&record, &heed(Forwarded::RequestCode, &told), at(0));
                    assert_eq!(heeded.outcome, Err(told.clone()));
                    assert!(heeded.effects.is_empty());
                    let before = Timestamp::from_millis(opens_at.as_millis() - 1);
                    for now in [at(0), before] {
                        let again = play(&heeded.next, &request(method), now).outcome;
                        assert_eq!(again, Err(told.clone()), "{seconds} s, {taken} taken, {now:?}");
                    }
                    let open = play(&heeded.next, &request(method), opens_at).outcome;
                    assert!(open.is_ok(), "{told:?} at its end: {open:?}");
                }
            }
        }
    }
}

#[test]
fn windows_upstream_are_windows_here() {
    let opens_at = at(50 * 3_600);
    let told = Refusal::RegisterLimit { opens_at };
    let adopt = Adopt::Verified { waba: waba("1"), by_code: true };
    let verified = play(&claimed(), &Command::Adopt(adopt), at(0)).next;
    let closed = play(&verified, &heed(Forwarded::Register, &told), at(0)).next;
    let order = Command::Register(register(PinCheck::Absent));
    assert_eq!(play(&closed, &order, at(1)).outcome, Err(told.clone()));
    assert!(play(&closed, &order, opens_at).outcome.is_ok());
    // Its own window: giving up is not closed by it, nor the other way round.
    let held = play(&verified, &order, at(1)).next;
    let held = play(&held, &heed(Forwarded::Deregister, &told), at(1)).next;
    let give_up = Command::Deregister { waba: Some(waba("1")) };
    assert_eq!(play(&held, &give_up, at(2)).outcome, Err(told));
    assert!(play(&held, &order, at(2)).outcome.is_ok());
}

#[test]
fn every_answered_call_counts_in_its_window() {
    let mut record = claimed();
    for _ in 0..10 {
        let told = Refusal::NotVerified;
        record = play(&record, &heed(Forwarded::Register, &told), at(0)).next;
    }
    assert_eq!(record.budgets.register_calls.0.len(), 10);
}

#[test]
fn a_pin_is_owed_or_left_to_the_upstream() {
    let adopt = Adopt::Verified { waba: waba("1"), by_code: true };
    let verified = play(&claimed(), &Command::Adopt(adopt), at(0)).next;
    let order = |pin| Command::Register(register(pin));
    let owed = play(&verified, &order(PinCheck::OwedToUpstream), at(1)).outcome;
    assert_eq!(owed, Err(Refusal::PinRequired));
    assert!(play(&verified, &order(PinCheck::ForUpstream), at(1)).outcome.is_ok());
    let mut record = verified;
    for failures in 1..=10 {
        let told = Refusal::PinMismatch { tries_left: 99 };
        let heeded = play(&record, &heed(Forwarded::Register, &told), at(2));
        let left = Refusal::PinMismatch { tries_left: 10 - failures };
        assert_eq!(heeded.outcome, Err(left));
        record = heeded.next;
    }
    record.budgets.register_calls.0.clear();
    let locked = Err(Refusal::PinLocked { opens_at: at(2 + 86_400) });
    assert_eq!(play(&record, &order(PinCheck::ForUpstream), at(3)).outcome, locked);
}

#[test]
fn what_was_only_read_there_takes_no_number_from_another() {
    let mut record = claimed();
    let other = NewClaim {
        id: PhoneNumberId::parse("1002").expect("sound"),
        name: VerifiedName::parse("Another").expect("sound"),
        certificate_serial: None,
        needs_review: false,
    };
    let add = AddNumber { waba: waba("2"), claim: other, only_new: false };
    record = play(&record, &Command::AddNumber(add), at(0)).next;
    let adopt = Adopt::Registered {
        register: Register { waba: waba("2"), ..register(PinCheck::Absent) },
        by_code: true,
    };
    let held = play(&record, &Command::Adopt(adopt), at(1)).next;
    let read = Adopt::Verified { waba: waba("1"), by_code: false };
    let unchanged = play(&held, &Command::Adopt(read), at(2));
    assert_eq!(unchanged.outcome, Ok(Accepted::Done));
    assert_eq!(unchanged.next, held);
    // By a code it does, as ever.
    let proven = Adopt::Verified { waba: waba("1"), by_code: true };
    let next = play(&held, &Command::Adopt(proven), at(2)).next;
    assert!(matches!(next.claims[0].phase, ClaimPhase::Verified { .. }));
}

#[test]
fn what_was_only_read_there_moves_no_number_between_clients() {
    let adopt = Adopt::Registered { register: register(PinCheck::Absent), by_code: true };
    let held = play(&claimed(), &Command::Adopt(adopt), at(1)).next;
    let read = Adopt::Verified { waba: waba("1"), by_code: false };
    let unchanged = play(&held, &Command::Adopt(read), at(2));
    assert_eq!((unchanged.outcome, unchanged.next), (Ok(Accepted::Done), held));
    // Where nobody holds it, the proof counts.
    let free = play(
        &claimed(),
        &Command::Adopt(Adopt::Verified { waba: waba("1"), by_code: false }),
        at(2),
    );
    assert!(matches!(free.outcome, Ok(Accepted::Verified(_))));
}

#[test]
fn a_registration_lost_there_is_lost_here_and_nobody_elses_is() {
    let adopt = Adopt::Registered { register: register(PinCheck::Absent), by_code: true };
    let held = play(&claimed(), &Command::Adopt(adopt), at(1)).next;
    assert!(held.registration.is_some());
    let strange = Command::Heed(Heed {
        waba: waba("2"),
        operation: Forwarded::Deregister,
        refusal: Refusal::NotRegistered,
        is_vague: false,
        keeps_pins: true,
    });
    assert!(play(&held, &strange, at(2)).next.registration.is_some());
    let told = heed(Forwarded::Deregister, &Refusal::NotRegistered);
    assert!(play(&held, &told, at(2)).next.registration.is_none());
    let given_up = Adopt::Deregistered { waba: waba("1") };
    assert!(play(&held, &Command::Adopt(given_up), at(2)).next.registration.is_none());
}

//! What a registrar upstream leaves open is made exact by what went through here.

use registration::{
    Adopt, CodeMethod, CodeVerdict, Command, Forwarded, Heed, NumberRecord, PinCheck, PinVerifier,
    Refusal, TwoStep,
};

use crate::upstream::{answer, at, claimed, heed, play, register, request, verdict, waba};

/// The same from a registrar that has one word for several refusals and knows no PIN.
fn heed_vague(operation: Forwarded, refusal: &Refusal) -> Command {
    Command::Heed(Heed {
        waba: waba("1"),
        operation,
        refusal: refusal.clone(),
        is_vague: true,
        keeps_pins: false,
    })
}

/// A number with a code asked for at this second.
fn asked(second: u64) -> NumberRecord {
    play(&claimed(), &request(CodeMethod::Sms), at(second)).next
}

fn lost_guess(record: &NumberRecord, second: u64) -> NumberRecord {
    let adopt = Adopt::Guessed { waba: waba("1"), at: at(second) };
    play(record, &Command::Adopt(adopt), at(second)).next
}

#[test]
fn a_limit_without_a_length_is_the_next_wait_of_the_ladder_until_none_is_left() {
    for (method, ends, waits) in [
        (CodeMethod::Sms, Refusal::SmsExhausted { opens_at: at(86_400) }, vec![60, 120, 300, 600]),
        (CodeMethod::Voice, Refusal::VoiceExhausted { opens_at: at(86_400) }, vec![60, 300]),
    ] {
        let told =
            heed_vague(Forwarded::RequestCode, &Refusal::CodeTooSoon { method, opens_at: at(0) });
        let (mut record, mut now) = (claimed(), 0);
        for wait in waits {
            let heard = play(&record, &told, at(now));
            now += wait;
            let refusal = Refusal::CodeTooSoon { method, opens_at: at(now) };
            assert_eq!(heard.outcome, Err(refusal.clone()));
            let again = play(&heard.next, &request(method), at(now - 1));
            assert_eq!(again.outcome, Err(refusal), "kept here until it opens");
            record = heard.next;
        }
        let heard = play(&record, &told, at(now));
        assert_eq!(heard.outcome, Err(ends.clone()));
        assert_eq!(play(&heard.next, &request(method), at(now + 9_999)).outcome, Err(ends));
        assert!(play(&heard.next, &request(method), at(86_400)).outcome.is_ok());
    }
}

#[test]
fn a_limit_of_a_day_ends_with_the_day_that_began_here() {
    let told = |opens_at| heed_vague(Forwarded::RequestCode, &Refusal::SmsExhausted { opens_at });
    let unknown = play(&claimed(), &told(at(86_400)), at(0));
    assert_eq!(unknown.outcome, Err(Refusal::SmsExhausted { opens_at: at(86_400) }));
    let known = play(&asked(0), &told(at(7_200 + 86_400)), at(7_200));
    assert_eq!(known.outcome, Err(Refusal::SmsExhausted { opens_at: at(86_400) }));
}

#[test]
fn a_register_limit_ends_at_the_latest_with_the_oldest_call_made_here() {
    let verified = Adopt::Verified { waba: waba("1"), by_code: true };
    let record = play(&claimed(), &Command::Adopt(verified), at(0)).next;
    let told = |from: u64| {
        let refusal = Refusal::RegisterLimit { opens_at: at(from + 72 * 3_600) };
        heed_vague(Forwarded::Register, &refusal)
    };
    let limit = |from: u64| Err(Refusal::RegisterLimit { opens_at: at(from + 72 * 3_600) });
    assert_eq!(play(&record, &told(100), at(100)).outcome, limit(100), "none was made before");
    let held = play(&record, &Command::Register(register(PinCheck::Absent)), at(100)).next;
    assert_eq!(play(&held, &told(9_000), at(9_000)).outcome, limit(100));
}

#[test]
fn a_no_is_a_code_that_is_missing_once_the_first_message_with_it_is_too_old() {
    let twice = play(&asked(0), &request(CodeMethod::Sms), at(60)).next;
    let young = play(&twice, &verdict(CodeVerdict::NotTaken), at(599));
    assert_eq!(young.outcome, Err(Refusal::CodeMismatch { guesses_left: 4 }));
    let old = play(&twice, &verdict(CodeVerdict::NotTaken), at(600));
    assert_eq!(old.outcome, Err(Refusal::CodeMissing));
    assert!(
        play(&old.next, &answer(true), at(601)).outcome.is_ok(),
        "a new code was sent after all"
    );
    let exact = play(&twice, &verdict(CodeVerdict::Wrong), at(600));
    assert_eq!(exact.outcome, Err(Refusal::CodeMismatch { guesses_left: 4 }));
    // As often as a code may be compared, and no more.
    let mut record = twice;
    for _ in 0..5 {
        record = play(&record, &verdict(CodeVerdict::NotTaken), at(610)).next;
    }
    assert_eq!(play(&record, &answer(true), at(611)).outcome, Err(Refusal::CodeMissing));
}

#[test]
fn a_code_asked_for_again_after_the_first_is_too_old_has_all_its_guesses() {
    let wrong = play(&asked(0), &answer(false), at(1)).next;
    let twice = play(&wrong, &request(CodeMethod::Sms), at(599)).next;
    let third = play(&twice, &request(CodeMethod::Sms), at(599 + 120)).next;
    let guess = play(&third, &answer(false), at(720));
    assert_eq!(guess.outcome, Err(Refusal::CodeMismatch { guesses_left: 4 }));
}

#[test]
fn a_guess_whose_answer_was_lost_explains_a_later_no() {
    let mut record = asked(0);
    for second in 1..=2 {
        record = play(&record, &answer(false), at(second)).next;
    }
    let record = lost_guess(&record, 3);
    // Not counted before somebody said no.
    assert!(play(&record, &answer(true), at(4)).outcome.is_ok());
    let soon = Refusal::GuessTooSoon { opens_at: at(63) };
    let spent = heed_vague(Forwarded::VerifyCode, &Refusal::OutOfGuesses);
    for no in [verdict(CodeVerdict::NotTaken), spent.clone()] {
        let refused = play(&record, &no, at(4));
        assert_eq!(refused.outcome, Err(soon.clone()));
        assert_eq!(play(&refused.next, &answer(true), at(62)).outcome, Err(soon.clone()));
        assert!(play(&refused.next, &answer(true), at(63)).outcome.is_ok());
    }
    // Two in doubt: with the three, all that a code has.
    let third = play(&record, &answer(false), at(4)).next;
    let record = lost_guess(&third, 100);
    for no in [verdict(CodeVerdict::NotTaken), spent] {
        let refused = play(&record, &no, at(400));
        assert_eq!(refused.outcome, Err(Refusal::OutOfGuesses));
        assert_eq!(play(&refused.next, &answer(true), at(401)).outcome, Err(Refusal::OutOfGuesses));
    }
}

#[test]
fn a_wait_that_is_told_leaves_no_guess_in_doubt() {
    let mut record = asked(0);
    for second in 1..=2 {
        record = play(&record, &answer(false), at(second)).next;
    }
    let told = Refusal::GuessTooSoon { opens_at: at(63) };
    let told = heed(Forwarded::VerifyCode, &told);
    let record = play(&lost_guess(&record, 3), &told, at(10)).next;
    let wrong = play(&record, &verdict(CodeVerdict::NotTaken), at(63));
    assert_eq!(wrong.outcome, Err(Refusal::CodeMismatch { guesses_left: 1 }));
}

#[test]
fn a_limit_of_guesses_that_nothing_here_explains_takes_a_new_code() {
    let told = heed_vague(Forwarded::VerifyCode, &Refusal::OutOfGuesses);
    let refused = play(&asked(0), &told, at(1));
    assert_eq!(refused.outcome, Err(Refusal::OutOfGuesses));
    assert_eq!(play(&refused.next, &answer(true), at(2)).outcome, Err(Refusal::OutOfGuesses));
}

#[test]
fn a_number_that_seems_locked_is_asked_for_again() {
    let told = heed_vague(Forwarded::RequestCode, &Refusal::NumberLocked);
    let refused = play(&claimed(), &told, at(0));
    assert_eq!(refused.outcome, Err(Refusal::NumberLocked));
    assert!(play(&refused.next, &request(CodeMethod::Sms), at(1)).outcome.is_ok());
}

#[test]
fn a_registrar_without_pins_neither_switches_off_nor_locks_the_one_in_force_here() {
    let mut record = claimed();
    let verifier = PinVerifier::new("hash");
    record.two_step = Some(TwoStep { verifier, set_at: at(0) });
    for refusal in [
        Refusal::PinRequired,
        Refusal::PinMismatch { tries_left: 0 },
        Refusal::PinLocked { opens_at: at(9_000) },
    ] {
        let told = heed_vague(Forwarded::VerifyCode, &refusal);
        let refused = play(&record, &told, at(1));
        assert_eq!(refused.outcome, Err(refusal));
        assert_eq!(refused.next, record);
    }
}

//! Answers in short form, as they stand in a table.

#![expect(clippy::unnecessary_wraps, reason = "the answer in a table is the whole outcome")]

use registration::{Accepted, CodeMethod, Refusal, Timestamp};

use crate::asks::Party;

pub(crate) type Answer = Result<Accepted, Refusal>;

pub(crate) fn added(by: Party) -> Answer {
    Ok(Accepted::NumberAdded(by.claim()))
}

pub(crate) fn sent(by: Party) -> Answer {
    Ok(Accepted::CodeSent(by.claim()))
}

pub(crate) fn verified(by: Party) -> Answer {
    Ok(Accepted::Verified(by.claim()))
}

pub(crate) fn registered(by: Party) -> Answer {
    Ok(Accepted::Registered(by.claim()))
}

pub(crate) fn already(by: Party) -> Answer {
    Ok(Accepted::AlreadyRegistered(by.claim()))
}

pub(crate) const DEREGISTERED: Answer = Ok(Accepted::Deregistered);
pub(crate) const DONE: Answer = Ok(Accepted::Done);
pub(crate) const MISSING: Answer = Err(Refusal::CodeMissing);

pub(crate) fn mismatch(guesses_left: u32) -> Answer {
    Err(Refusal::CodeMismatch { guesses_left })
}

pub(crate) fn too_soon(method: CodeMethod, opens_at_second: i64) -> Answer {
    Err(Refusal::CodeTooSoon { method, opens_at: at(opens_at_second) })
}

/// Minutes, hours and days in seconds.
pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The point `second` seconds into the play, which begins with the year 2026.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + second * 1000)
}

pub(crate) fn restored(by: Party) -> Answer {
    Ok(Accepted::Restored(by.claim()))
}

pub(crate) fn guess_too_soon(opens_at_second: i64) -> Answer {
    Err(Refusal::GuessTooSoon { opens_at: at(opens_at_second) })
}

pub(crate) fn wrong_pin(tries_left: u32) -> Answer {
    Err(Refusal::PinMismatch { tries_left })
}

pub(crate) fn pin_locked(opens_at_second: i64) -> Answer {
    Err(Refusal::PinLocked { opens_at: at(opens_at_second) })
}

pub(crate) fn register_limit(opens_at_second: i64) -> Answer {
    Err(Refusal::RegisterLimit { opens_at: at(opens_at_second) })
}

pub(crate) fn no_more_sms(opens_at_second: i64) -> Answer {
    Err(Refusal::SmsExhausted { opens_at: at(opens_at_second) })
}

pub(crate) fn no_more_calls(opens_at_second: i64) -> Answer {
    Err(Refusal::VoiceExhausted { opens_at: at(opens_at_second) })
}

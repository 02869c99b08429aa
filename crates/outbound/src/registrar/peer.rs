//! Another Rollcall as the registrar upstream: it names its refusal in a header beside the answer.
//!
//! The dialects have fewer words than there are refusals: one code stands for all that can be wrong with a
//! code, or for every limit. The real registrars say no more than that, and their answers are read by the table
//! of each adapter; where the name came along, nothing has to be guessed.

use core::time::Duration;

use registration::{Closed, CodeMethod, Fuse, PhoneNumber, Refusal, Timestamp};
use service::numbering;

use super::http::Reply;

/// Name of the refusal.
const REFUSAL: &str = "x-rollcall-refusal";

/// Milliseconds until it opens again, where the dialect's own header is kept for something else.
const OPENS_IN: &str = "x-rollcall-opens-in";

/// A refusal as it was named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Named<'a> {
    /// Its id.
    pub id: Option<&'a str>,
    /// How long it holds, where that came along.
    pub wait: Option<Duration>,
}

/// What was asked when a refusal came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// By which channel a code was asked for.
    pub(super) method: Option<CodeMethod>,
    /// About which number.
    pub(super) number: PhoneNumber,
    /// The present moment, from which waits count.
    pub(super) now: Timestamp,
}

impl<'a> Named<'a> {
    /// What stands beside an answer; `wait` is what the dialect's own header says.
    pub(super) fn beside(reply: &'a Reply, wait: Option<Duration>) -> Self {
        let opens_in = reply.header(OPENS_IN).and_then(|text| text.trim().parse().ok());
        Self {
            id: reply.header(REFUSAL),
            wait: opens_in.map(Duration::from_millis).or(wait).map(|it| it.min(WAIT_MAX)),
        }
    }

    /// The refusal itself. `None` without a name, and for what concerns the caller or its client there and not the
    /// number: that is told in its own words.
    pub(super) fn refusal(self, asked: Asked) -> Option<Refusal> {
        let method = asked.method.unwrap_or(CodeMethod::Sms);
        let wait = self.wait.map(|wait| asked.now + wait);
        Some(match (self.id?, wait) {
            ("code-too-soon", Some(opens_at)) => Refusal::CodeTooSoon { method, opens_at },
            ("sms-exhausted", Some(opens_at)) => Refusal::SmsExhausted { opens_at },
            ("voice-exhausted", Some(opens_at)) => Refusal::VoiceExhausted { opens_at },
            ("guess-too-soon", Some(opens_at)) => Refusal::GuessTooSoon { opens_at },
            ("guesses-exhausted", Some(opens_at)) => Refusal::GuessesExhausted { opens_at },
            ("pin-locked", Some(opens_at)) => Refusal::PinLocked { opens_at },
            ("register-limit", Some(opens_at)) => Refusal::RegisterLimit { opens_at },
            ("country-limit", Some(opens_at)) => Refusal::CountryLimit { opens_at },
            ("low-conversion", Some(opens_at)) => Refusal::LowConversion { opens_at },
            ("spend-limit", Some(opens_at)) => {
                Refusal::SpendLimit { fuse: Fuse::AccountDay, opens_at }
            }
            ("too-many-requests", Some(opens_at)) => Refusal::TooManyRequests { opens_at },
            ("channel-impossible", _) => {
                let kind = numbering::plan_e164(&asked.number.digits()).ok()?.kind;
                Refusal::ChannelImpossible { method, kind }
            }
            ("destination-closed", _) => {
                Refusal::DestinationClosed { method, why: Closed::NotOpened }
            }
            ("code-mismatch", _) => Refusal::CodeMismatch { guesses_left: 0 },
            ("code-missing", _) => Refusal::CodeMissing,
            ("out-of-guesses", _) => Refusal::OutOfGuesses,
            ("number-locked", _) => Refusal::NumberLocked,
            ("pin-required", _) => Refusal::PinRequired,
            ("pin-mismatch", _) => Refusal::PinMismatch { tries_left: 0 },
            ("not-verified", _) => Refusal::NotVerified,
            ("not-claimed", _) => Refusal::NotClaimed,
            ("already-added", _) => Refusal::AlreadyAdded,
            ("held-elsewhere", _) => Refusal::HeldElsewhere,
            ("already-verified", _) => Refusal::AlreadyVerified,
            ("not-registered", _) => Refusal::NotRegistered,
            ("not-migrating", _) => Refusal::NotMigrating,
            ("name-declined", _) => Refusal::NameDeclined,
            ("backup-outdated", _) => Refusal::BackupOutdated,
            ("backup-unreadable", _) => Refusal::BackupUnreadable,
            _ => return None,
        })
    }
}

/// A week; whoever names more means "never".
pub(super) const WAIT_MAX: Duration = Duration::from_hours(7 * 24);

#[cfg(test)]
mod tests {
    use service::explain::examples;

    use super::*;

    #[test]
    fn every_refusal_of_a_number_is_known_by_its_name() {
        let now = Timestamp::default();
        let number = PhoneNumber::parse("442079460123").expect("fictitious");
        for refusal in examples(now) {
            let asked = Asked { method: None, number, now };
            let wait = refusal.opens_at().map(|opens_at| opens_at.since(now));
            let found = Named { id: Some(refusal.id()), wait }.refusal(asked);
            let of_the_caller = [
                "not-admin",
                "retired",
                "certificate-refused",
                "foreign-space",
                "not-subscribed",
                "upstream",
            ];
            match found {
                Some(found) => {
                    assert_eq!(found.id(), refusal.id());
                    assert_eq!(found.opens_at(), refusal.opens_at(), "{}", refusal.id());
                }
                None => assert!(of_the_caller.contains(&refusal.id()), "{}", refusal.id()),
            }
        }
    }

    #[test]
    fn a_wait_without_its_length_is_left_to_the_table() {
        let number = PhoneNumber::parse("442079460123").expect("fictitious");
        let asked = Asked { method: None, number, now: Timestamp::default() };
        assert_eq!(Named { id: Some("pin-locked"), wait: None }.refusal(asked), None);
        assert_eq!(Named::default().refusal(asked), None);
    }
}

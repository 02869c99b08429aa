//! Refusals in plain words: which rule, whose budget, when it opens, what would work now.

use core::time::Duration;

use registration::{
    Closed, CodeMethod, Fact, Fuse, NumberKind, Platform, Refusal, TextId, Timestamp,
};
use serde_json::{Value, json};

use crate::error::ServiceError;
use crate::policy::Policy;
use crate::ports::{AuditQuery, EventId, Subject};
use crate::service::Service;

/// A refusal explained to whoever was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The kind of refusal (`code-too-soon`).
    pub refusal: String,
    /// One line that says what happened.
    pub title: String,
    /// Which rule said no, and what it is for.
    pub rule: String,
    /// Whose budget was asked: the number's, the caller's, nobody's.
    pub budget: String,
    /// What would work now.
    pub what_works: String,
    /// When this very refusal was given, for an explanation by event.
    pub at: Option<Timestamp>,
    /// When the same request may succeed.
    pub opens_at: Option<Timestamp>,
    /// The number concerned, masked.
    pub number: Option<String>,
    /// Further particulars: guesses or tries left, kind of number, channel.
    pub particulars: Value,
}

impl Service {
    /// Explains one refusal by the id it was answered with, or a kind of refusal by its name.
    pub async fn explain(&self, id: &str) -> Result<Option<Explanation>, ServiceError> {
        if let Some(refusal) = catalogue().into_iter().find(|refusal| refusal.id() == id) {
            return Ok(Some(words(refusal.id(), None)));
        }
        let Some(id) = EventId::parse(id) else { return Ok(None) };
        let query = AuditQuery { refusal: Some(id), limit: 1, ..AuditQuery::default() };
        let Some(entry) = self.store.audit(&query).await?.pop() else { return Ok(None) };
        let details: Value = serde_json::from_str(&entry.event.details).unwrap_or(Value::Null);
        let Some(kind) = details["refusal"].as_str() else { return Ok(None) };
        let mut explanation = words(kind, details["method"].as_str());
        explanation.at = Some(entry.event.at);
        explanation.opens_at = details["opens_at"].as_i64().map(Timestamp::from_millis);
        explanation.number = match entry.event.subject {
            Subject::Number(number) => Some(number.masked()),
            Subject::Entity(_) | Subject::System => None,
        };
        explanation.particulars = details;
        Ok(Some(explanation))
    }
}

/// The words for a refusal at hand, without a look into the audit trail.
#[must_use]
pub fn in_words(refusal: &Refusal) -> Explanation {
    let method = if let Refusal::ChannelImpossible { method, .. } = refusal {
        Some(method.as_str())
    } else {
        None
    };
    Explanation { opens_at: refusal.opens_at(), ..words(refusal.id(), method) }
}

/// One refusal of each kind, with made-up particulars: for tables and documents.
#[must_use]
pub fn catalogue() -> Vec<Refusal> {
    examples(Timestamp::default())
}

/// One refusal of each kind as it may be given at `now`, with the waits of the default limits: for magic
/// numbers.
#[must_use]
pub fn examples(now: Timestamp) -> Vec<Refusal> {
    let Policy { limits, country_sends, client_requests, .. } = Policy::default();
    let second_sms = limits.sms_waits.get(1).copied().unwrap_or_default();
    let fourth_guess = limits.guess_waits.get(3).copied().unwrap_or_default();
    let ladder_restarts = now + limits.ladder_restart;
    vec![
        Refusal::CodeTooSoon { method: CodeMethod::Sms, opens_at: now + second_sms },
        Refusal::SmsExhausted { opens_at: ladder_restarts },
        Refusal::VoiceExhausted { opens_at: ladder_restarts },
        Refusal::ChannelImpossible { method: CodeMethod::Sms, kind: NumberKind::FixedLine },
        Refusal::CodeMismatch { guesses_left: 4 },
        Refusal::CodeMissing,
        Refusal::GuessTooSoon { opens_at: now + fourth_guess },
        Refusal::OutOfGuesses,
        Refusal::GuessesExhausted { opens_at: now + limits.failed_guesses_window },
        Refusal::NumberLocked,
        Refusal::PinRequired,
        Refusal::PinMismatch { tries_left: 9 },
        Refusal::PinLocked { opens_at: now + limits.pin_lock },
        Refusal::RegisterLimit { opens_at: now + limits.register_window },
        Refusal::NotVerified,
        Refusal::NotClaimed,
        Refusal::AlreadyAdded,
        Refusal::HeldElsewhere,
        Refusal::AlreadyVerified,
        Refusal::NotRegistered,
        Refusal::NotMigrating,
        Refusal::BackupOutdated,
        Refusal::CountryLimit { opens_at: now + country_sends.interval },
        Refusal::DestinationClosed { method: CodeMethod::Voice, why: Closed::NotOpened },
        Refusal::LowConversion { opens_at: now + Duration::from_hours(1) },
        Refusal::SpendLimit { fuse: Fuse::AccountDay, opens_at: now + Duration::from_hours(1) },
        Refusal::TooManyRequests { opens_at: now + client_requests.interval },
        Refusal::NotAdmin,
        Refusal::Retired,
        Refusal::CertificateRefused { reason: "biz_link_info_invalid_payload" },
        Refusal::BackupUnreadable,
        Refusal::ForeignSpace,
        Refusal::NotSubscribed,
    ]
}

/// How long until `opens_at`, as people say it: `6 h 33 min`, `2 min`, `40 s`; rounded up.
#[must_use]
pub fn wait_in_words(wait: Duration) -> String {
    let seconds = wait.as_millis().div_ceil(1000);
    let (hours, minutes) = (seconds / 3600, seconds.div_ceil(60) % 60);
    match (hours, seconds) {
        (0, s) if s < 120 => format!("{s} s"),
        (0, s) => format!("{} min", s.div_ceil(60)),
        (h, _) => format!("{h} h {minutes} min"),
    }
}

/// The particulars of a refusal for the audit trail.
pub(crate) fn refusal_details(dialect: &str, operation: &str, refusal: &Refusal) -> Value {
    let mut details =
        json!({ "dialect": dialect, "operation": operation, "refusal": refusal.id() });
    if let Some(opens_at) = refusal.opens_at() {
        details["opens_at"] = json!(opens_at.as_millis());
    }
    match refusal {
        Refusal::CodeTooSoon { method, .. } => details["method"] = json!(method.as_str()),
        Refusal::ChannelImpossible { method, kind } => {
            details["method"] = json!(method.as_str());
            details["kind"] = json!(kind.as_str());
        }
        Refusal::DestinationClosed { method, why } => {
            details["method"] = json!(method.as_str());
            details["why"] = json!(why.as_str());
        }
        Refusal::SpendLimit { fuse, .. } => details["fuse"] = json!(fuse.as_str()),
        Refusal::CodeMismatch { guesses_left } => details["guesses_left"] = json!(guesses_left),
        Refusal::PinMismatch { tries_left } => details["tries_left"] = json!(tries_left),
        Refusal::CertificateRefused { reason } => details["reason"] = json!(reason),
        Refusal::SmsExhausted { .. }
        | Refusal::VoiceExhausted { .. }
        | Refusal::CodeMissing
        | Refusal::GuessTooSoon { .. }
        | Refusal::OutOfGuesses
        | Refusal::GuessesExhausted { .. }
        | Refusal::NumberLocked
        | Refusal::PinRequired
        | Refusal::PinLocked { .. }
        | Refusal::RegisterLimit { .. }
        | Refusal::NotVerified
        | Refusal::NotClaimed
        | Refusal::AlreadyAdded
        | Refusal::HeldElsewhere
        | Refusal::AlreadyVerified
        | Refusal::NotRegistered
        | Refusal::NotMigrating
        | Refusal::BackupOutdated
        | Refusal::CountryLimit { .. }
        | Refusal::LowConversion { .. }
        | Refusal::TooManyRequests { .. }
        | Refusal::NotAdmin
        | Refusal::Retired
        | Refusal::BackupUnreadable
        | Refusal::ForeignSpace
        | Refusal::NotSubscribed => {}
    }
    details
}

/// The particulars of a fact for the audit trail.
pub(crate) fn fact_details(dialect: &str, fact: &Fact) -> Value {
    match fact {
        Fact::NumberAdded { waba } | Fact::MigrationStarted { waba } => {
            json!({ "dialect": dialect, "waba": waba.as_str() })
        }
        Fact::NameChanged { name } => json!({ "dialect": dialect, "name": name.as_str() }),
        Fact::CodeRequested { method, resend } => {
            json!({ "dialect": dialect, "method": method.as_str(), "resend": resend })
        }
        Fact::CodeAwaited { method } | Fact::CodeNotSent { method } => {
            json!({ "dialect": dialect, "method": method.as_str() })
        }
        Fact::Registered { platform: Platform::OnPremise { client } } => {
            json!({ "dialect": dialect, "platform": "ON_PREMISE", "client": client.as_str() })
        }
        Fact::Registered { platform: Platform::CloudApi } => {
            json!({ "dialect": dialect, "platform": "CLOUD_API" })
        }
        Fact::HolderLoggedOff { waba, client } => json!({
            "dialect": dialect,
            "waba": waba.as_str(),
            "client": client.as_ref().map(TextId::as_str),
        }),
        Fact::Restored { client } => json!({ "dialect": dialect, "client": client.as_str() }),
        Fact::Refused { command, refusal } => refusal_details(dialect, command, refusal),
        Fact::CodeConfirmed
        | Fact::Deregistered
        | Fact::TwoStepSet
        | Fact::TwoStepCleared
        | Fact::Unlocked
        | Fact::Locked => json!({ "dialect": dialect }),
    }
}

const NUMBER: &str = "the number's, shared by everybody who claims it";
const CALLER: &str = "the caller's";
const NOBODY: &str = "nobody's";

/// `(kind, title, rule, budget, what works now)`, a row per kind of refusal.
const WORDS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "code-too-soon",
        "A code was sent a moment ago.",
        "Codes to one number are sent at growing distances, so that nobody can flood it.",
        NUMBER,
        "Use the code that is on its way: a new request inside its life would send the same one. Or wait.",
    ),
    (
        "sms-exhausted",
        "All SMS of this number are used up for now.",
        "Five SMS per number, then the ladder rests until a day after its first step.",
        NUMBER,
        "Ask for the code by voice call (method voice), or wait.",
    ),
    (
        "voice-exhausted",
        "All voice calls of this number are used up for now.",
        "Three calls per number, then the ladder rests until a day after its first step.",
        NUMBER,
        "Wait, or use the code that was sent if it is younger than ten minutes.",
    ),
    (
        "channel-impossible",
        "This kind of number cannot receive a code that way.",
        "The numbering plan says what a number is: mobiles take SMS and calls; landlines, toll-free and internet numbers take calls only; premium-rate, shared-cost and personal numbers take neither.",
        NOBODY,
        "Landline, toll-free or internet number: choose voice. Otherwise register another number.",
    ),
    (
        "code-mismatch",
        "The code is wrong.",
        "Each wrong guess is counted before it is answered; after five the code is dead.",
        NUMBER,
        "Submit the code of the latest message; 123456, 123-456 and 123 456 are the same.",
    ),
    (
        "code-missing",
        "There is no code to confirm.",
        "A code lives ten minutes from its creation, is accepted once, and belongs to the claim that asked for it.",
        NOBODY,
        "Request a code, then submit it within ten minutes.",
    ),
    (
        "guess-too-soon",
        "The next guess is not open yet.",
        "After three wrong guesses the next ones open at growing distances.",
        NUMBER,
        "Wait, then submit the code of the latest message.",
    ),
    (
        "out-of-guesses",
        "All guesses for this code are spent.",
        "Five guesses per code; after that the code is dead.",
        NUMBER,
        "Request a new code.",
    ),
    (
        "guesses-exhausted",
        "Too many wrong codes for this number today.",
        "Twenty wrong guesses per number in 24 hours, over all codes and callers.",
        NUMBER,
        "Wait.",
    ),
    (
        "number-locked",
        "The number is locked.",
        "A hundred wrong guesses in a row lock a number, however long they took.",
        NUMBER,
        "An operator unlocks it: rollcall numbers unlock NUMBER.",
    ),
    (
        "pin-required",
        "Two-step verification is on and no PIN was given.",
        "While two-step verification is on, every registration carries the PIN. It is checked before any code is sent.",
        NOBODY,
        "Send the six-digit PIN with the request. If it is lost, switch two-step verification off and on again.",
    ),
    (
        "pin-mismatch",
        "The PIN is wrong.",
        "Ten wrong PINs, then one try a day.",
        NUMBER,
        "Send the PIN that was set last. If it is lost, switch two-step verification off and on again.",
    ),
    (
        "pin-locked",
        "Too many wrong PINs.",
        "After ten wrong PINs there is one try a day.",
        NUMBER,
        "Wait, or switch two-step verification off.",
    ),
    (
        "register-limit",
        "Too many registrations of this number.",
        "Ten register and ten deregister calls per number in any 72 hours.",
        NUMBER,
        "Wait. Repeating the call earlier does not help.",
    ),
    (
        "not-verified",
        "The number is not verified.",
        "A number is registered within 14 days of confirming its code.",
        NOBODY,
        "Request a code and confirm it.",
    ),
    (
        "not-claimed",
        "This account has not added the number.",
        "A number is added to a WhatsApp Business Account before codes are requested for it.",
        NOBODY,
        "Add the number first.",
    ),
    (
        "already-added",
        "This account has added the number before.",
        "A WhatsApp Business Account has each number once.",
        NOBODY,
        "List the numbers of the account and go on with the id found there.",
    ),
    (
        "held-elsewhere",
        "The number is registered for another account.",
        "A number that is in use is not added anew: it is moved, by somebody who can receive its code.",
        NOBODY,
        "Add it with migrate_phone_number, or deregister it where it is first.",
    ),
    (
        "already-verified",
        "The number needs no code.",
        "Ownership was proven within the last 14 days, or the number is registered already.",
        NOBODY,
        "Register the number.",
    ),
    (
        "not-registered",
        "You do not hold a registration of this number.",
        "Only the holder of a registration may change its PIN, back it up or give it up.",
        NOBODY,
        "Register the number first.",
    ),
    (
        "not-migrating",
        "The number is not being migrated to this account.",
        "A migration has an order: it is started, then a code is requested and confirmed, then the number is registered.",
        NOBODY,
        "Start the migration first. A number that has arrived needs no further step.",
    ),
    (
        "backup-outdated",
        "The backup is of a registration that no longer exists.",
        "A backup carries one registration. Once the number was registered again, older backups are void.",
        NOBODY,
        "Make a new backup on the client that holds the number, or register with a code.",
    ),
    (
        "country-limit",
        "Too many codes to this country.",
        "Sends per country and account are limited, so that a leaked credential cannot run up a bill.",
        "the account's, per country",
        "Wait. An operator can raise limits.country_burst and limits.country_per_minute.",
    ),
    (
        "destination-closed",
        "Codes are not sent there by this method.",
        "Each account reaches the countries that were opened for it, by SMS and by voice call apart; calls are closed until opened. Satellite telephones and premium rates of the whole world are never reached.",
        NOBODY,
        "Use the other method, or another number. An operator opens a destination in [destinations] or [accounts.NAME].",
    ),
    (
        "low-conversion",
        "Codes to this range of numbers are stopped for now.",
        "Too few of the last codes to numbers that begin like this one were ever used, which is what fraud looks like.",
        "the range's, shared by all accounts",
        "Wait, or use another number. An operator sees and opens ranges: rollcall limits status, rollcall limits reset PREFIX.",
    ),
    (
        "spend-limit",
        "The budget for codes is spent.",
        "An account may spend so much in a day, and all accounts so much on one country in an hour, so that no mistake and no thief runs up a bill.",
        "the account's per day, or the country's per hour",
        "Wait until it starts anew. An operator sees what is left: rollcall limits status.",
    ),
    (
        "too-many-requests",
        "Too many requests.",
        "Each caller has a steady rate with room for a burst.",
        CALLER,
        "Slow down; the time it opens is in Retry-After.",
    ),
    (
        "not-admin",
        "This user may not do that.",
        "Registration, settings and users belong to the user named admin.",
        NOBODY,
        "Log in as admin.",
    ),
    (
        "retired",
        "On-Premises registration is switched off for this client.",
        "Meta retired it on 2024-07-01; this client is set to answer as Meta's service does today.",
        NOBODY,
        "Set onprem.retired = false, or the client's own switch, to register again.",
    ),
    (
        "certificate-refused",
        "The certificate was read and refused.",
        "A certificate must be issued by this installation, be at most 14 days old, and name the number; one from elsewhere is accepted as a claim only where configured.",
        NOBODY,
        "Issue one: rollcall cert issue --number +… --name \"…\".",
    ),
    (
        "backup-unreadable",
        "The backup could not be opened.",
        "A backup is sealed with its password; a single changed byte makes it unreadable.",
        NOBODY,
        "Check the password and that the text was copied whole. Nothing was changed.",
    ),
    (
        "foreign-space",
        "There is no such space in this account.",
        "Spaces of other accounts are neither shown nor changed.",
        NOBODY,
        "Check CustSpaceId and the access key.",
    ),
    (
        "not-subscribed",
        "The account has not subscribed to the product.",
        "Each account has a switch for the Chat App product.",
        NOBODY,
        "An operator switches it on.",
    ),
];

fn words(kind: &str, method: Option<&str>) -> Explanation {
    let row = WORDS.iter().find(|row| row.0 == kind);
    let (_, title, rule, budget, works) =
        row.copied().unwrap_or((kind, "Refused.", "This rule is not described.", NOBODY, ""));
    let what_works = match (kind, method) {
        ("channel-impossible", Some("voice")) => "Register another number.",
        _ => works,
    };
    Explanation {
        refusal: kind.to_owned(),
        title: title.to_owned(),
        rule: rule.to_owned(),
        budget: budget.to_owned(),
        what_works: what_works.to_owned(),
        at: None,
        opens_at: None,
        number: None,
        particulars: Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_refusal_is_explained_once() {
        for refusal in catalogue() {
            let rows = WORDS.iter().filter(|row| row.0 == refusal.id()).count();
            assert_eq!(rows, 1, "{}", refusal.id());
        }
        assert_eq!(WORDS.len(), catalogue().len());
    }

    #[test]
    fn a_wait_is_rounded_up_and_never_zero_minutes() {
        for (seconds, words) in
            [(1, "1 s"), (119, "119 s"), (120, "2 min"), (121, "3 min"), (23_580, "6 h 33 min")]
        {
            assert_eq!(wait_in_words(Duration::from_secs(seconds)), words);
        }
        assert_eq!(wait_in_words(Duration::from_millis(1)), "1 s");
    }
}

//! Refusals in plain words: which rule, whose budget, when it opens, what would work now.

mod words;

use core::time::Duration;

use registration::{
    Closed, CodeMethod, Fact, ForeignWords, Fuse, NumberKind, Platform, Refusal, TextId, Timestamp,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::error::ServiceError;
use crate::policy::Policy;
use crate::ports::{AuditQuery, EventId, Subject};
use crate::service::Service;
use words::{NOBODY, WORDS};

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
        Refusal::NameDeclined,
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
        Refusal::Upstream(Box::new(ForeignWords {
            code: "131031".to_owned(),
            message: "The account is locked".to_owned(),
            ..ForeignWords::default()
        })),
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
        Refusal::Upstream(words) => details["said"] = json!(words.to_string()),
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
        | Refusal::NameDeclined
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

/// The particulars of a decision for the audit trail, as JSON: of the fact that the command was about, and of what came
/// along with it. Written without a tree in between, because each decision has them.
pub(crate) fn details_of(dialect: &str, fact: &Fact, along: &[Fact]) -> String {
    let details = Details { dialect, fact, along, kind: None };
    // Names and texts alone: nothing in it that JSON could not say.
    serde_json::to_string(&details).unwrap_or_default()
}

struct Details<'a> {
    dialect: &'a str,
    fact: &'a Fact,
    along: &'a [Fact],
    kind: Option<&'static str>,
}

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("dialect", self.dialect)?;
        particulars(&mut map, self.fact)?;
        if let Some(kind) = self.kind {
            map.serialize_entry("kind", kind)?;
        }
        if !self.along.is_empty() {
            let along = |fact| Details { fact, along: &[], kind: Some(Fact::kind(fact)), ..*self };
            let along: Vec<_> = self.along.iter().map(along).collect();
            map.serialize_entry("along", &along)?;
        }
        map.end()
    }
}

/// What a fact says besides its kind.
fn particulars<M: SerializeMap>(map: &mut M, fact: &Fact) -> Result<(), M::Error> {
    match fact {
        Fact::NumberAdded { waba } | Fact::MigrationStarted { waba } => {
            map.serialize_entry("waba", waba.as_str())
        }
        Fact::NameChanged { name } | Fact::NameSubmitted { name } | Fact::NameApproved { name } => {
            map.serialize_entry("name", name.as_str())
        }
        Fact::NameDeclined { name, why } => {
            map.serialize_entry("name", name.as_str())?;
            map.serialize_entry("why", why.as_str())
        }
        Fact::CodeRequested { method, resend } => {
            map.serialize_entry("method", method.as_str())?;
            map.serialize_entry("resend", resend)
        }
        Fact::CodeAwaited { method } | Fact::CodeNotSent { method } => {
            map.serialize_entry("method", method.as_str())
        }
        Fact::Registered { platform: Platform::OnPremise { client } } => {
            map.serialize_entry("platform", "ON_PREMISE")?;
            map.serialize_entry("client", client.as_str())
        }
        Fact::Registered { platform: Platform::CloudApi } => {
            map.serialize_entry("platform", "CLOUD_API")
        }
        Fact::HolderLoggedOff { waba, client } => {
            map.serialize_entry("waba", waba.as_str())?;
            map.serialize_entry("client", &client.as_ref().map(TextId::as_str))
        }
        Fact::Restored { client } => map.serialize_entry("client", client.as_str()),
        Fact::Refused { command, refusal } => refusal_particulars(map, command, refusal),
        Fact::CodeConfirmed
        | Fact::Deregistered
        | Fact::TwoStepSet
        | Fact::TwoStepCleared
        | Fact::Unlocked
        | Fact::Locked => Ok(()),
    }
}

/// The particulars of a refusal are a tree already, which others read, too.
fn refusal_particulars<M: SerializeMap>(
    map: &mut M,
    command: &str,
    refusal: &Refusal,
) -> Result<(), M::Error> {
    let Value::Object(members) = refusal_details("", command, refusal) else { return Ok(()) };
    let mut members = members.iter().filter(|(name, _)| *name != "dialect");
    members.try_for_each(|(name, value)| map.serialize_entry(name, value))
}

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
    fn the_trail_is_told_the_fact_and_what_came_along_with_it() {
        let waba = registration::WabaId::parse("102290129340398").expect("an id");
        let asked = Fact::CodeRequested { method: CodeMethod::Sms, resend: false };
        assert_eq!(
            details_of("onprem", &asked, &[Fact::NumberAdded { waba }]),
            r#"{"dialect":"onprem","method":"sms","resend":false,"along":[{"dialect":"onprem","waba":"102290129340398","kind":"number_added"}]}"#,
        );
        let refusal = Refusal::CodeMismatch { guesses_left: 4 };
        let refused = Fact::Refused { command: "verify_code", refusal };
        assert_eq!(
            details_of("cams", &refused, &[Fact::Locked]),
            r#"{"dialect":"cams","operation":"verify_code","refusal":"code-mismatch","guesses_left":4,"along":[{"dialect":"cams","kind":"locked"}]}"#,
        );
        assert_eq!(details_of("graph", &Fact::Deregistered, &[]), r#"{"dialect":"graph"}"#);
    }

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

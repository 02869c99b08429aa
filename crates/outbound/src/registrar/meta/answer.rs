//! Answers of the Graph API: what an error means here (§5).
//!
//! This is the table of `api/src/refusals.rs` read from right to left; a test of the server holds the two
//! together. Where several refusals share a code, what tells them apart is used if it came along, and the most likely
//! one is taken if not. Texts for end users are shown, never matched: they follow the request's language.

use core::time::Duration;

use registration::{CodeMethod, ForeignWords, Forwarded, PhoneNumber, Refusal, Timestamp};
use serde_json::Value;
use service::numbering;
use service::ports::{Doubt, UpstreamError};

use crate::registrar::Named;
use crate::registrar::http::Reply;
use crate::registrar::peer::{Asked, WAIT_MAX};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// What was asked, as far as it decides how an answer reads.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What was asked.
    pub operation: Forwarded,
    /// By which channel a code was asked for.
    pub method: Option<CodeMethod>,
    /// About which number.
    pub number: PhoneNumber,
    /// The present moment, from which waits count.
    pub now: Timestamp,
}

impl Case {
    /// A look at a number.
    #[must_use]
    pub const fn reading(number: PhoneNumber, now: Timestamp) -> Self {
        Self { operation: Forwarded::VerifyCode, method: None, number, now }
    }

    /// A look at all numbers.
    #[must_use]
    pub(super) fn listing(now: Timestamp) -> Self {
        Self::reading(PhoneNumber::parse("447700900000").expect("a number kept for drama"), now)
    }
}

/// An error as it came.
struct GraphError<'a> {
    body: &'a Value,
    code: u64,
    subcode: Option<u64>,
    beside: Named<'a>,
}

/// The body of a success, or what the error means.
pub(super) fn read(reply: &Reply, case: Case) -> Result<Value, UpstreamError> {
    if reply.body["error"].is_object() {
        // Meta documents no `Retry-After`.
        let beside = Named::beside(reply, reply.retry_after());
        return Err(meaning(&reply.body, beside, case));
    }
    if reply.status.is_success() && reply.body.is_object() {
        return Ok(reply.body.clone());
    }
    Err(reply.out_of_form())
}

/// What an error's body means in this case.
#[must_use]
pub fn meaning(body: &Value, beside: Named<'_>, case: Case) -> UpstreamError {
    let error = &body["error"];
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let error = GraphError {
        code: number(&error["code"]).unwrap_or(0),
        subcode: number(&error["error_subcode"]),
        body: error,
        beside,
    };
    if let Some(doubt) = error.temporary() {
        let retry_after = beside.wait.or_else(|| (error.code == 133_015).then(|| 5 * MINUTE));
        return UpstreamError::Unavailable {
            reason: error.words().to_string(),
            doubt,
            retry_after,
        };
    }
    let words = Box::new(error.words());
    if let Some(refusal) = error.named(case) {
        return UpstreamError::Refused { refusal, words, is_vague: false };
    }
    let refusal = error.refusal(case).unwrap_or_else(|| Refusal::Upstream(words.clone()));
    let is_vague = error.wait().is_none() && leaves_open(&refusal);
    UpstreamError::Refused { refusal, words, is_vague }
}

/// What stands for several refusals, or for a wait whose length is documented only as "at most".
const fn leaves_open(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::CodeMismatch { .. }
            | Refusal::AlreadyVerified
            | Refusal::NumberLocked
            | Refusal::SmsExhausted { .. }
            | Refusal::VoiceExhausted { .. }
            | Refusal::RegisterLimit { .. }
    )
}

impl GraphError<'_> {
    /// Errors that pass, or that whoever runs this installation has to cure: nothing about the number.
    fn temporary(&self) -> Option<Doubt> {
        match (self.code, self.subcode) {
            // The service itself.
            (1 | 2 | 131_000 | 131_016 | 131_057 | 133_004, _) => Some(Doubt::Settled),
            // The number is being worked on there, or the token is not taken.
            (133_015 | 0 | 102 | 104 | 190, _) | (_, Some(2_494_100)) => Some(Doubt::NotDone),
            _ => None,
        }
    }

    fn named(&self, case: Case) -> Option<Refusal> {
        let asked = Asked { method: case.method, number: case.number, now: case.now };
        Named { wait: self.wait(), ..self.beside }.refusal(asked)
    }

    fn refusal(&self, case: Case) -> Option<Refusal> {
        let opens_in = |default: Duration| case.now + self.wait().unwrap_or(default);
        let voice = case.method == Some(CodeMethod::Voice);
        Some(match (self.code, self.subcode) {
            (4 | 17 | 32 | 341 | 613 | 80_007 | 80_008 | 130_429, _) => {
                Refusal::TooManyRequests { opens_at: opens_in(MINUTE) }
            }
            // 803 is how the published description has it (§5.6).
            (33 | 803, _) | (100, Some(33)) => Refusal::NotClaimed,
            (133_001, _) => Refusal::BackupUnreadable,
            (133_002, _) => Refusal::BackupOutdated,
            (133_005, _) => Refusal::PinMismatch { tries_left: 0 },
            (133_006, _) => Refusal::NotVerified,
            (133_008, _) => Refusal::PinLocked { opens_at: opens_in(12 * HOUR) },
            (133_009, _) => Refusal::PinLocked { opens_at: opens_in(MINUTE) },
            (133_010, _) | (100, Some(2_207_051)) => Refusal::NotRegistered,
            (133_016, _) => Refusal::RegisterLimit { opens_at: opens_in(72 * HOUR) },
            // The text of the original names an hour.
            (136_024, Some(2_388_091 | 2_494_158)) => Refusal::CodeTooSoon {
                method: case.method.unwrap_or(CodeMethod::Sms),
                opens_at: opens_in(HOUR),
            },
            (136_024, Some(2_388_367)) if voice => {
                Refusal::VoiceExhausted { opens_at: opens_in(24 * HOUR) }
            }
            (136_024, Some(2_388_367)) => Refusal::SmsExhausted { opens_at: opens_in(24 * HOUR) },
            (100, Some(2_388_012)) => Refusal::AlreadyAdded,
            (100, Some(2_388_001)) if case.operation == Forwarded::AddNumber => {
                Refusal::HeldElsewhere
            }
            // Documented without a subcode: the code is confirmed already (§2.6).
            (136_024, None) => impossible(case).unwrap_or(Refusal::AlreadyVerified),
            (136_025, _) => self.code_refusal(case),
            _ => return None,
        })
    }

    /// One code for all that can be wrong with a code; a wait tells that it is not the code. None was given where one
    /// was asked for: then too many were wrong before.
    fn code_refusal(&self, case: Case) -> Refusal {
        match self.wait() {
            Some(wait) => Refusal::GuessTooSoon { opens_at: case.now + wait },
            None if case.operation == Forwarded::RequestCode => Refusal::NumberLocked,
            None => Refusal::CodeMismatch { guesses_left: 0 },
        }
    }

    /// How long to wait: as the header says, or the details, which carry it for PINs (§5.1).
    fn wait(&self) -> Option<Duration> {
        let details = &self.body["error_data"]["details"];
        self.beside.wait.or_else(|| details.as_str().and_then(wait_in)).map(|it| it.min(WAIT_MAX))
    }

    fn words(&self) -> ForeignWords {
        let text = |value: &Value| {
            // Shown to people and written to the audit trail: one line, of bounded length.
            let shown: String =
                value.as_str()?.chars().filter(|c| !c.is_control()).take(500).collect();
            (!shown.is_empty()).then_some(shown)
        };
        let message = text(&self.body["message"]).unwrap_or_else(|| "(no message)".to_owned());
        let user_message = text(&self.body["error_user_msg"])
            .or_else(|| text(&self.body["error_data"]["details"]))
            .or_else(|| (self.subcode == Some(2_388_001)).then(|| CANNOT_CREATE.to_owned()))
            .filter(|user_message| *user_message != message);
        ForeignWords {
            code: self.code.to_string(),
            subcode: self.subcode.map(|subcode| subcode.to_string()),
            message,
            user_message,
            trace: text(&self.body["fbtrace_id"]),
        }
    }
}

/// A code that could not be sent for a reason without a subcode: where the numbering plan says the same,
/// the channel.
fn impossible(case: Case) -> Option<Refusal> {
    let kind = numbering::plan_e164(&case.number.digits()).ok()?.kind;
    let method = case.method?;
    (!kind.channels().allow(method)).then_some(Refusal::ChannelImpossible { method, kind })
}

/// What 2388001 is about, where it says nothing itself (§5.4).
const CANNOT_CREATE: &str = "The number is still in use in a WhatsApp app, or its display name has not been \
                             processed yet. Delete the account in the app, or wait for the name";

/// `6 hours`, `90 minutes`, `Please wait 6 hour(s) 33 minute(s)`: the sum of what is named.
fn wait_in(text: &str) -> Option<Duration> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let spans = words.windows(2).filter_map(|pair| {
        let count = pair[0].parse::<u32>().ok()?.min(10_000);
        let unit = match pair[1] {
            unit if unit.starts_with("day") => 24 * HOUR,
            unit if unit.starts_with("hour") => HOUR,
            unit if unit.starts_with("minute") || unit == "min" => MINUTE,
            unit if unit.starts_with("second") => Duration::from_secs(1),
            _ => return None,
        };
        Some(unit * count)
    });
    let sum: Duration = spans.sum();
    (!sum.is_zero()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(operation: Forwarded) -> Case {
        let number = PhoneNumber::parse("447700900123").expect("fictitious");
        Case { operation, method: Some(CodeMethod::Sms), number, now: Timestamp::default() }
    }

    fn refusal(error: &Value, operation: Forwarded) -> Refusal {
        match meaning(&json!({ "error": error }), Named::default(), case(operation)) {
            UpstreamError::Refused { refusal, .. } => refusal,
            UpstreamError::Unavailable { reason, .. } => panic!("{reason}"),
        }
    }

    #[test]
    fn waits_are_read_where_they_stand() {
        for (text, seconds) in [
            ("Please wait 6 hour(s) 33 minute(s) before trying again", 23_580),
            ("Try again in 12 hours.", 43_200),
            ("in 90 minutes", 5_400),
        ] {
            assert_eq!(wait_in(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(wait_in("Try again later"), None);
    }

    #[test]
    fn codes_that_have_a_counterpart_become_it() {
        use Forwarded::{Register, RequestCode, VerifyCode};
        let hours = |hours| Timestamp::default() + Duration::from_hours(hours);
        let graph = |code: u64| json!({ "message": "m", "code": code });
        assert_eq!(refusal(&graph(133_005), Register), Refusal::PinMismatch { tries_left: 0 });
        assert_eq!(
            refusal(&graph(133_016), Register),
            Refusal::RegisterLimit { opens_at: hours(72) }
        );
        let details = json!({ "message": "m", "code": 133_016,
            "error_data": { "details": "wait 7 hours" } });
        assert_eq!(refusal(&details, Register), Refusal::RegisterLimit { opens_at: hours(7) });
        let volume = json!({ "code": 136_024, "error_subcode": 2_388_367 });
        assert_eq!(refusal(&volume, RequestCode), Refusal::SmsExhausted { opens_at: hours(24) });
        assert_eq!(refusal(&graph(136_025), VerifyCode), Refusal::CodeMismatch { guesses_left: 0 });
    }

    #[test]
    fn what_has_no_counterpart_is_passed_on_in_both_texts() {
        let error = json!({
            "message": "Cannot Create Certificate", "type": "OAuthException", "code": 100,
            "error_subcode": 2_388_001, "error_user_msg": "This number is registered elsewhere.",
            "fbtrace_id": "AbCdEf0123456789_-xyzAB",
        });
        let Refusal::Upstream(words) = refusal(&error, Forwarded::Register) else {
            panic!("it has a counterpart")
        };
        assert_eq!(
            words.to_string(),
            "Cannot Create Certificate: This number is registered elsewhere. \
             (100/2388001, trace AbCdEf0123456789_-xyzAB)"
        );
    }

    #[test]
    fn trouble_of_the_service_or_the_token_is_no_refusal() {
        for (code, doubt) in [(2, Doubt::Settled), (133_004, Doubt::Settled), (190, Doubt::NotDone)]
        {
            let body = json!({ "error": { "message": "m", "code": code } });
            let UpstreamError::Unavailable { doubt: found, .. } =
                meaning(&body, Named::default(), case(Forwarded::Register))
            else {
                panic!("{code} is a refusal")
            };
            assert_eq!(found, doubt, "{code}");
        }
    }
}

//! Answers of CAMS: what a code means here (§5, §6).
//!
//! The table of `api/src/refusals.rs` read from right to left; a test of the server holds the two together.
//! What the real service answers to a wrong code is documented nowhere; the names here are those that this
//! project suggests, and every other one is passed on as it came.

use core::time::Duration;

use registration::{CodeMethod, ForeignWords, Forwarded, PhoneNumber, Refusal, Timestamp};
use serde_json::Value;
use service::numbering;
use service::ports::{Doubt, Errand, UpstreamError};

use crate::registrar::Named;
use crate::registrar::http::Reply;
use crate::registrar::peer::Asked;

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
    /// The case of an errand.
    #[must_use]
    pub(super) const fn of(operation: Forwarded, errand: Errand<'_>) -> Self {
        Self { operation, method: None, number: errand.number, now: errand.now }
    }

    /// A look at all numbers.
    #[must_use]
    pub(super) fn listing(now: Timestamp) -> Self {
        let number = PhoneNumber::parse("447700900000").expect("a number kept for drama");
        Self { operation: Forwarded::VerifyCode, method: None, number, now }
    }
}

/// The body of a success, or what the code means.
pub(super) fn read(reply: &Reply, case: Case) -> Result<Value, UpstreamError> {
    let body = &reply.body;
    let Some(code) = body["Code"].as_str().or_else(|| body["code"].as_str()) else {
        return Err(reply.out_of_form());
    };
    if reply.status.is_success() && code == "OK" {
        return Ok(body.clone());
    }
    let retry_after = reply.header("x-acs-retry-after").and_then(|text| text.trim().parse().ok());
    let beside = Named::beside(reply, retry_after.map(Duration::from_millis));
    Err(meaning(body, reply.status.as_u16(), beside, case))
}

/// What a failure's body means in this case.
#[must_use]
pub fn meaning(body: &Value, status: u16, beside: Named<'_>, case: Case) -> UpstreamError {
    let text = |upper: &str, lower: &str| {
        let value = body[upper].as_str().or_else(|| body[lower].as_str()).unwrap_or_default();
        // Shown to people and written to the audit trail: one line, of bounded length.
        value.chars().filter(|c| !c.is_control()).take(500).collect::<String>()
    };
    let trace = text("RequestId", "requestId");
    let words = ForeignWords {
        code: text("Code", "code"),
        subcode: None,
        message: text("Message", "message"),
        user_message: None,
        trace: (!trace.is_empty()).then_some(trace),
    };
    if let Some(doubt) = temporary(&words.code, status) {
        return UpstreamError::Unavailable {
            reason: words.to_string(),
            doubt,
            retry_after: beside.wait,
        };
    }
    let words = Box::new(words);
    let asked = Asked { method: case.method, number: case.number, now: case.now };
    if let Some(refusal) = beside.refusal(asked) {
        return UpstreamError::Refused { refusal, words, is_vague: false };
    }
    let refusal = refusal(&words.code, status, beside.wait, case)
        .unwrap_or_else(|| Refusal::Upstream(words.clone()));
    let is_vague = beside.wait.is_none() && leaves_open(&refusal);
    UpstreamError::Refused { refusal, words, is_vague }
}

/// What stands for several limits, none of which says how long it holds.
const fn leaves_open(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::CodeTooSoon { .. }
            | Refusal::OutOfGuesses
            | Refusal::NumberLocked
            | Refusal::RegisterLimit { .. }
    )
}

/// Codes that pass, or that whoever runs this installation has to cure.
fn temporary(code: &str, status: u16) -> Option<Doubt> {
    match code {
        // A copy of this very request came first: what it did is not known.
        "SignatureNonceUsed" => Some(Doubt::UnderWay),
        "ServiceUnavailable" | "InternalError" => Some(Doubt::Settled),
        "SignatureDoesNotMatch"
        | "InvalidAccessKeyId.NotFound"
        | "InvalidAccessKeyId.Inactive"
        | "InvalidTimeStamp.Expired"
        | "InvalidTimeStamp.Format"
        | "MissingSecurityToken" => Some(Doubt::NotDone),
        code if code.starts_with("InvalidSecurityToken.") => Some(Doubt::NotDone),
        _ if status >= 500 => Some(Doubt::Settled),
        _ => None,
    }
}

fn refusal(code: &str, status: u16, retry_after: Option<Duration>, case: Case) -> Option<Refusal> {
    let opens_in = |default: Duration| case.now + retry_after.unwrap_or(default);
    Some(match code {
        "VerifyCode.Error" => Refusal::CodeMismatch { guesses_left: 0 },
        "VerifyCode.Expired" => Refusal::CodeMissing,
        // No guess was made where a code was asked for: too many were wrong before.
        "VerifyCode.LimitControl" if case.operation == Forwarded::RequestCode => {
            Refusal::NumberLocked
        }
        "VerifyCode.LimitControl" => Refusal::OutOfGuesses,
        "VerifyCode.Verified" => Refusal::AlreadyVerified,
        "PhoneNumber.NotVerified" => Refusal::NotVerified,
        "PhoneNumber.TwoStepVerification" => Refusal::PinRequired,
        "InvalidParameter.PhoneNumberNotExist" => Refusal::NotClaimed,
        "InvalidParameter.MethodNotSupport" => {
            let kind = numbering::plan_e164(&case.number.digits()).ok()?.kind;
            Refusal::ChannelImpossible { method: case.method?, kind }
        }
        "System.LimitControl" if status == 200 => limit(case, opens_in),
        "System.LimitControl" => Refusal::TooManyRequests { opens_at: opens_in(SECOND) },
        code if code.starts_with("Throttling") => {
            Refusal::TooManyRequests { opens_at: opens_in(SECOND) }
        }
        _ => return None,
    })
}

const SECOND: Duration = Duration::from_secs(1);

/// A limit of the number. How long it holds is not said: a code's is taken for a minute (§8), that of
/// registrations for the documented 72 hours.
fn limit(case: Case, opens_in: impl Fn(Duration) -> Timestamp) -> Refusal {
    match case.operation {
        Forwarded::RequestCode | Forwarded::AddNumber | Forwarded::ChangeName => {
            Refusal::CodeTooSoon {
                method: case.method.unwrap_or(CodeMethod::Sms),
                opens_at: opens_in(Duration::from_mins(1)),
            }
        }
        Forwarded::VerifyCode
        | Forwarded::Register
        | Forwarded::Deregister
        | Forwarded::SetTwoStep => {
            Refusal::RegisterLimit { opens_at: opens_in(Duration::from_hours(72)) }
        }
    }
}

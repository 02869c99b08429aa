//! The error table: a row per refusal, a column per dialect.
//!
//! This is the only place that turns a business "no" into words of the wire. The documented string comes
//! first and unchanged, because clients match on it; help goes where the dialect has room for it (`href`
//! and `Retry-After` on-premises, `Recommend` and `x-acs-retry-after` in CAMS, `error_user_msg` and
//! `error_data` in Graph).
//! There is no wildcard arm: a new refusal does not compile until every dialect has an answer.
//!
//! Sources: product description §6; On-Premises reference §1.1, §1.3, §1.5, §6.4; CAMS reference §5, §6;
//! Cloud API reference §5. Where those mark a behaviour unknown, their suggestion stands here.

use std::borrow::Cow;

use http::StatusCode;
use registration::{Refusal, Timestamp};

/// How a refusal reads in each dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// On-Premises.
    pub onprem: OnpremWords,
    /// Alibaba Cloud CAMS; `None` where the dialect has no such case.
    pub cams: Option<CamsWords>,
    /// Graph; `None` where the dialect has no such case.
    pub graph: Option<GraphWords>,
}

/// `errors[0]` of the On-Premises envelope and its HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnpremWords {
    /// HTTP status.
    pub status: StatusCode,
    /// `code`.
    pub code: u16,
    /// `title`.
    pub title: &'static str,
    /// `details`.
    pub details: Cow<'static, str>,
}

/// Code and HTTP status of a CAMS answer. Status 200 is the operation's own envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CamsWords {
    /// HTTP status.
    pub status: StatusCode,
    /// `Code`.
    pub code: &'static str,
    /// `Message`.
    pub message: &'static str,
}

/// A Graph error. Title, help and link for people come from [`service::explain`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphWords {
    /// HTTP status.
    pub status: StatusCode,
    /// `code`.
    pub code: u32,
    /// `error_subcode`.
    pub subcode: Option<u32>,
    /// `message`.
    pub message: Cow<'static, str>,
    /// `error_user_title`.
    pub user_title: Option<&'static str>,
    /// `is_transient`: the same request may pass later without anybody doing anything.
    pub is_transient: bool,
}

/// Title of every 1005 (On-Premises reference §0, fact 7).
pub const ACCESS_DENIED: &str = "Access denied";

/// The row of a refusal. `now` is the moment of the answer, for texts that name a wait.
#[must_use]
#[expect(clippy::too_many_lines, clippy::match_same_arms, reason = "a table: a row per refusal")]
pub fn row(refusal: &Refusal, now: Timestamp) -> Row {
    let (onprem, cams, graph) = match refusal {
        Refusal::CodeTooSoon { opens_at, .. } => {
            (denied(wait_text(now, *opens_at)), Some(LIMIT), Some(not_sent()))
        }
        Refusal::SmsExhausted { opens_at } => (
            denied(format!("{}. Use method voice instead.", wait_text(now, *opens_at))),
            Some(LIMIT),
            Some(too_often()),
        ),
        Refusal::VoiceExhausted { opens_at } => {
            (denied(wait_text(now, *opens_at)), Some(LIMIT), Some(too_often()))
        }
        Refusal::ChannelImpossible { .. } => (
            denied("Unknown error: no_routes"),
            Some(cams(
                "InvalidParameter.MethodNotSupport",
                "This number cannot receive a code by this method.",
            )),
            Some(GraphWords { subcode: None, ..not_sent() }),
        ),
        Refusal::CodeMismatch { .. } => (
            denied("Error checking code (mismatch)"),
            Some(cams("VerifyCode.Error", "The verification code is wrong.")),
            Some(not_verified()),
        ),
        Refusal::CodeMissing => (
            denied("Error checking code (missing)"),
            Some(cams("VerifyCode.Expired", "There is no valid verification code.")),
            Some(not_verified()),
        ),
        Refusal::GuessTooSoon { opens_at } | Refusal::GuessesExhausted { opens_at } => {
            (denied(wait_text(now, *opens_at)), Some(CODE_LIMIT), Some(not_verified()))
        }
        Refusal::OutOfGuesses => (
            denied("Error checking code (too_many_guesses)"),
            Some(CODE_LIMIT),
            Some(not_verified()),
        ),
        Refusal::NumberLocked => {
            (denied("Unknown error: blocked"), Some(CODE_LIMIT), Some(not_verified()))
        }
        Refusal::PinRequired => {
            (denied("Unknown error: security_code"), Some(PIN), Some(pin_mismatch()))
        }
        Refusal::PinMismatch { .. } => {
            (denied("Unknown error: mismatch"), Some(PIN), Some(pin_mismatch()))
        }
        Refusal::PinLocked { opens_at } => (
            denied(wait_text(now, *opens_at)),
            Some(PIN),
            Some(graph(133_008, "(#133008) Too Many two step verification PIN Guesses")),
        ),
        Refusal::RegisterLimit { opens_at } => (
            denied(wait_text(now, *opens_at)),
            Some(LIMIT),
            Some(graph(133_016, "(#133016) Account register deregister rate limit exceeded")),
        ),
        Refusal::NotVerified => (
            denied("Error checking code (missing)"),
            Some(cams("PhoneNumber.NotVerified", "The phone number is not verified.")),
            Some(graph(133_006, "(#133006) Phone number re-verification needed")),
        ),
        Refusal::NotClaimed => (
            denied("Unknown error: not_registered"),
            Some(cams(
                "InvalidParameter.PhoneNumberNotExist",
                "The phone number does not exist in this space.",
            )),
            Some(no_object()),
        ),
        Refusal::AlreadyAdded => (
            denied("Unknown error: blocked"),
            Some(cams(
                "InvalidParameter.PhoneNumberExist",
                "The phone number was added to this space before.",
            )),
            Some(GraphWords {
                subcode: Some(2_388_012),
                user_title: Some("Phone number already added"),
                ..graph(100, "(#100) Invalid parameter")
            }),
        ),
        Refusal::HeldElsewhere => (
            denied("Unknown error: blocked"),
            Some(cams(
                "InvalidParameter.PhoneNumberExist",
                "The phone number is registered in another space.",
            )),
            Some(GraphWords {
                subcode: Some(2_388_001),
                user_title: Some("Phone number is registered to an existing WhatsApp account"),
                ..graph(100, "(#100) Invalid parameter")
            }),
        ),
        Refusal::AlreadyVerified => (
            denied("Unknown error: blocked"),
            Some(cams("VerifyCode.Verified", "The phone number is verified and needs no code.")),
            Some(GraphWords { user_title: None, subcode: None, ..not_sent() }),
        ),
        Refusal::NotRegistered => (
            denied("Unknown error: not_registered"),
            Some(cams(
                "InvalidParameter.PhoneNumberNotExist",
                "The phone number is not registered in this space.",
            )),
            Some(graph(133_010, "(#133010) Account not registered")),
        ),
        Refusal::NameDeclined => (
            denied("Unknown error: name_declined"),
            Some(cams("PhoneNumber.NameDeclined", "The display name of the number was declined.")),
            Some(GraphWords {
                subcode: Some(2_388_001),
                user_title: Some("Cannot Create Certificate"),
                ..graph(100, "(#100) Invalid parameter")
            }),
        ),
        Refusal::BackupOutdated => (
            denied("Unknown error: backup_outdated"),
            None,
            Some(graph(100, "(#100) The backup is of a registration that no longer exists")),
        ),
        Refusal::NotMigrating => (
            denied("Unknown error: not_registered"),
            Some(cams(
                "Migration.StatusError",
                "The phone number is not being migrated to this space.",
            )),
            Some(GraphWords {
                subcode: Some(2_388_103),
                user_title: Some("Phone number cannot be migrated"),
                ..graph(100, "(#100) Invalid parameter")
            }),
        ),
        Refusal::CountryLimit { opens_at } => {
            (denied(wait_text(now, *opens_at)), Some(LIMIT), Some(not_sent()))
        }
        Refusal::DestinationClosed { .. } => (
            denied("Unknown error: no_routes"),
            Some(cams(
                "InvalidParameter.MethodNotSupport",
                "Codes are not sent to this destination by this method.",
            )),
            Some(GraphWords { subcode: None, ..not_sent() }),
        ),
        Refusal::LowConversion { opens_at } | Refusal::SpendLimit { opens_at, .. } => {
            (denied(wait_text(now, *opens_at)), Some(LIMIT), Some(not_sent()))
        }
        Refusal::TooManyRequests { .. } => (
            OnpremWords {
                status: StatusCode::TOO_MANY_REQUESTS,
                code: 1015,
                title: "Too many requests",
                details: Cow::Borrowed("Slow down; see Retry-After"),
            },
            Some(CamsWords {
                status: StatusCode::BAD_REQUEST,
                code: "Throttling.User",
                message: "Request was denied due to user flow control.",
            }),
            Some(GraphWords { is_transient: true, ..graph(80_007, "(#80007) Rate limit issues") }),
        ),
        Refusal::NotAdmin => (
            denied("User doesn't have permission"),
            Some(CamsWords {
                status: StatusCode::BAD_REQUEST,
                code: "Ram.PermissionDeny",
                message: "The user has no permission for this operation.",
            }),
            Some(GraphWords {
                status: StatusCode::FORBIDDEN,
                ..graph(200, "(#200) You do not have permission to do this")
            }),
        ),
        Refusal::Retired => (denied("Unknown error: biz_link_on_prem_reg_blocked"), None, None),
        Refusal::CertificateRefused { reason } => {
            (denied(format!("Unknown error: {reason}")), None, None)
        }
        Refusal::BackupUnreadable => (
            denied("Unknown error: backup_unreadable"),
            None,
            Some(graph(100, "(#100) The backup cannot be opened: wrong password or damaged data")),
        ),
        Refusal::ForeignSpace => (
            denied("Unknown error: blocked"),
            Some(CamsWords {
                status: StatusCode::BAD_REQUEST,
                code: "Unknown.ResourceOwnerId",
                message: "The space does not exist or belongs to another account.",
            }),
            Some(no_object()),
        ),
        Refusal::NotSubscribed => (
            denied("Unknown error: blocked"),
            Some(CamsWords {
                status: StatusCode::BAD_REQUEST,
                code: "Product.Unsubscript",
                message: "The product is not subscribed.",
            }),
            None,
        ),
        // The texts of both sides; see `ForeignWords`. Each dialect puts them where it has room.
        Refusal::Upstream(words) => (
            denied(words.to_string()),
            Some(cams("PhoneNumber.UpstreamError", "The upstream registrar refused.")),
            Some(GraphWords {
                subcode: words.subcode.as_ref().and_then(|it| it.parse().ok()),
                message: words.message.clone().into(),
                ..graph(words.code.parse().unwrap_or(100), "")
            }),
        ),
    };
    Row { onprem, cams, graph }
}

const LIMIT: CamsWords =
    cams("System.LimitControl", "A limit of this phone number is reached; try again later.");
const CODE_LIMIT: CamsWords =
    cams("VerifyCode.LimitControl", "Too many wrong verification codes; try again later.");
/// CAMS has no place for a PIN: a number with two-step verification is released by its owner first.
const PIN: CamsWords = cams(
    "PhoneNumber.TwoStepVerification",
    "Two-step verification is on for this phone number; switch it off before registering it here.",
);

const fn cams(code: &'static str, message: &'static str) -> CamsWords {
    CamsWords { status: StatusCode::OK, code, message }
}

fn not_sent() -> GraphWords {
    GraphWords {
        subcode: Some(2_388_091),
        user_title: Some("Code Couldn't Be Sent"),
        ..graph(136_024, "Request code error")
    }
}

fn too_often() -> GraphWords {
    GraphWords {
        subcode: Some(2_388_367),
        user_title: Some("Code request volume limit"),
        ..graph(136_024, "Request code error")
    }
}

fn not_verified() -> GraphWords {
    GraphWords {
        subcode: Some(2_388_093),
        user_title: Some("Code Couldn't Be Verified"),
        ..graph(136_025, "Verify code error")
    }
}

fn pin_mismatch() -> GraphWords {
    graph(133_005, "(#133005) Two step verification PIN Mismatch")
}
/// The dialect puts the verb and the object's id into the message.
fn no_object() -> GraphWords {
    GraphWords { subcode: Some(33), ..graph(100, "Unsupported request. The object does not exist") }
}

fn graph(code: u32, message: &'static str) -> GraphWords {
    GraphWords {
        status: StatusCode::BAD_REQUEST,
        code,
        subcode: None,
        message: Cow::Borrowed(message),
        user_title: None,
        is_transient: false,
    }
}

fn denied(details: impl Into<Cow<'static, str>>) -> OnpremWords {
    OnpremWords {
        status: StatusCode::FORBIDDEN,
        code: 1005,
        title: ACCESS_DENIED,
        details: details.into(),
    }
}

/// `Please wait 6 hour(s) 33 minute(s) before trying again`: always both units, minutes rounded up, never
/// 0 and 0 (captured form; rounding as suggested in On-Premises reference §7.3).
fn wait_text(now: Timestamp, opens_at: Timestamp) -> String {
    let minutes = opens_at.since(now).as_millis().div_ceil(60_000).max(1);
    format!("Please wait {} hour(s) {} minute(s) before trying again", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_wait_names_hours_and_minutes_and_is_never_zero() {
        let now = Timestamp::from_millis(1_000);
        for (seconds, text) in [
            (0, "Please wait 0 hour(s) 1 minute(s) before trying again"),
            (1, "Please wait 0 hour(s) 1 minute(s) before trying again"),
            (61, "Please wait 0 hour(s) 2 minute(s) before trying again"),
            (23_580, "Please wait 6 hour(s) 33 minute(s) before trying again"),
            (3_599, "Please wait 1 hour(s) 0 minute(s) before trying again"),
        ] {
            assert_eq!(wait_text(now, now + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn every_refusal_is_worded_on_premises_as_the_captures_are() {
        let now = Timestamp::default();
        for refusal in service::explain::catalogue() {
            let words = row(&refusal, now).onprem;
            let captured = (StatusCode::FORBIDDEN, 1005, "Access denied");
            let throttled = (StatusCode::TOO_MANY_REQUESTS, 1015, "Too many requests");
            let form = (words.status, words.code, words.title);
            assert!(form == captured || form == throttled, "{}: {form:?}", refusal.id());
        }
    }
}

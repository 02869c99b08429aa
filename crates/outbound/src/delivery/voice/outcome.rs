//! What the end of a call attempt means for the send. The table is in docs/operations.md, too.

use core::time::Duration;

use service::ports::DeliveryError;

/// Leave a busy line alone for this long: about as long as a short call (our estimate).
const AFTER_BUSY: Duration = Duration::from_secs(30);

/// Leave a telephone that nobody answered alone for this long (our estimate).
const AFTER_NO_ANSWER: Duration = Duration::from_mins(1);

/// Longest pause that a trunk may ask for; the code does not live longer.
const PAUSE_MAX: Duration = Duration::from_mins(10);

/// How a call attempt ended without being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The trunk answered with this status and wants to be left alone for so long.
    Status {
        /// Of RFC 3261, 300 and above.
        code: u16,
        /// Its `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// It rang as long as we let it.
    RangOut(Duration),
    /// Nothing came from the trunk.
    Silence,
}

/// The error to answer. Whoever picks senders may try another one after either kind.
pub(super) fn error(sender: &str, ended: &Unanswered) -> DeliveryError {
    let unavailable = |reason: String, retry_after: Option<Duration>| DeliveryError::Unavailable {
        sender: sender.to_owned(),
        reason,
        // No telephone was picked up, so nobody has heard the code.
        uncertain: false,
        retry_after,
    };
    let rejected = |reason: String| DeliveryError::Rejected { sender: sender.to_owned(), reason };
    match *ended {
        Unanswered::RangOut(after) => {
            unavailable(format!("no answer in {} s", after.as_secs()), Some(AFTER_NO_ANSWER))
        }
        Unanswered::Silence => unavailable("the trunk does not answer".to_owned(), None),
        Unanswered::Status { code, retry_after } => {
            let asked = retry_after.map(|pause| pause.min(PAUSE_MAX));
            match code {
                486 | 600 => unavailable(format!("busy ({code})"), asked.or(Some(AFTER_BUSY))),
                408 | 480 | 487 => {
                    unavailable(format!("no answer ({code})"), asked.or(Some(AFTER_NO_ANSWER)))
                }
                401 | 407 => unavailable(
                    format!("the trunk does not accept the credentials ({code})"),
                    asked,
                ),
                404 | 410 | 484 | 604 => rejected(format!("there is no such number ({code})")),
                603 | 607 | 608 => rejected(format!("declined ({code})")),
                403 => rejected("the trunk does not allow this call (403)".to_owned()),
                415 | 488 | 606 => rejected(format!("the far side cannot play G.711 ({code})")),
                500..=599 => unavailable(format!("the trunk has a problem ({code})"), asked),
                _ => rejected(format!("the trunk answered {code}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: u16) -> DeliveryError {
        error("voice", &Unanswered::Status { code, retry_after: None })
    }

    #[test]
    fn each_status_is_final_or_worth_another_try() {
        for code in [401, 407, 408, 480, 486, 487, 500, 503, 504, 600] {
            assert!(
                matches!(of(code), DeliveryError::Unavailable { uncertain: false, .. }),
                "{code}"
            );
        }
        for code in [302, 400, 403, 404, 410, 415, 420, 484, 488, 603, 604, 606, 608, 699] {
            assert!(matches!(of(code), DeliveryError::Rejected { .. }), "{code}");
        }
    }

    #[test]
    fn a_trunk_may_ask_for_a_pause_but_not_for_hours() {
        for (asked, kept) in [(20, 20), (86_400, 600)] {
            let retry_after = Some(Duration::from_secs(asked));
            let error = error("voice", &Unanswered::Status { code: 503, retry_after });
            let DeliveryError::Unavailable { retry_after, .. } = error else { panic!("{error}") };
            assert_eq!(retry_after, Some(Duration::from_secs(kept)));
        }
    }
}

//! What a number may still do, for people who ask before they try.
//!
//! No rule is repeated here: where the answer is more than a count, the question is put to
//! [`registration::decide`] on a copy of the record, and its refusal tells when it opens.

use registration::{
    ChallengeId, CodeMaker, CodeMethod, CodeProof, Command, Limits, Locale, NewClaim, NumberKind,
    NumberRecord, PhoneNumberId, Reach, RequestCode, Requester, TextId, Timestamp,
    VerificationCode, VerifiedName, VerifyCode, WabaId, decide,
};

/// What is left of one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The whole budget.
    pub max: u32,
    /// How much of it is left.
    pub left: u32,
    /// When the next one is allowed; `None` means now.
    pub opens_at: Option<Timestamp>,
}

/// What is left of all budgets of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// SMS with a code.
    pub sms: Left,
    /// Calls with a code.
    pub voice: Left,
    /// Wrong guesses within the moving window.
    pub failed_guesses: Left,
    /// Wrong guesses in a row before an operator must unlock the number.
    pub failed_in_a_row: Left,
    /// Register calls.
    pub register_calls: Left,
    /// Deregister calls.
    pub deregister_calls: Left,
    /// Wrong PINs.
    pub pin: Left,
}

/// What is left of `record`'s budgets at `now`. `kind` is what the numbering plan says of the number: a
/// landline's first call does not wait for an SMS.
#[must_use]
pub fn standing(
    record: &NumberRecord,
    kind: NumberKind,
    now: Timestamp,
    limits: &Limits,
) -> Standing {
    let budgets = &record.budgets;
    let ladder = |method, taken: u32, waits: &[core::time::Duration]| {
        let max = count(waits.len());
        Left {
            max,
            left: max.saturating_sub(taken),
            opens_at: code_opens_at(record, method, kind, now, limits),
        }
    };
    let window = |window: &registration::Window, max, length| Left {
        max: count(max),
        left: count(max.saturating_sub(window.used(now, length))),
        opens_at: window.opens_at(now, max, length),
    };
    let calls = |it| window(it, limits.register_calls_max, limits.register_window);
    Standing {
        sms: ladder(
            CodeMethod::Sms,
            budgets.sms.at(now, limits.ladder_restart).taken,
            &limits.sms_waits,
        ),
        voice: ladder(
            CodeMethod::Voice,
            budgets.voice.at(now, limits.ladder_restart).taken,
            &limits.voice_waits,
        ),
        failed_guesses: window(
            &budgets.failed_guesses,
            limits.failed_guesses_max,
            limits.failed_guesses_window,
        ),
        failed_in_a_row: Left {
            max: limits.failed_in_a_row_max,
            left: limits.failed_in_a_row_max.saturating_sub(budgets.failed_in_a_row),
            opens_at: None,
        },
        register_calls: calls(&budgets.register_calls),
        deregister_calls: calls(&budgets.deregister_calls),
        pin: Left {
            max: limits.pin_failures_max,
            left: limits.pin_failures_max.saturating_sub(budgets.pin.failures),
            opens_at: budgets.pin.opens_at(now, limits.pin_failures_max, limits.pin_lock),
        },
    }
}

/// When the next guess at the pending code of `waba`'s claim may be made; `None` means now, or never
/// where no code is pending.
#[must_use]
pub fn guess_opens_at(
    record: &NumberRecord,
    waba: &WabaId,
    now: Timestamp,
    limits: &Limits,
) -> Option<Timestamp> {
    let challenge = record.claim_of(waba)?.live_challenge(now, limits)?.id;
    let code = VerificationCode::from_truncated_mac(0);
    let command = Command::VerifyCode(VerifyCode {
        requester: Requester { waba: waba.clone(), client: None },
        submitted: Some(code.clone()),
        proof: CodeProof::Expected(challenge, code),
        register: None,
    });
    opens_at(record, &command, now, limits)
}

fn code_opens_at(
    record: &NumberRecord,
    method: CodeMethod,
    kind: NumberKind,
    now: Timestamp,
    limits: &Limits,
) -> Option<Timestamp> {
    let mut record = record.clone();
    // The lock and the channel are shown on their own; here only the ladder is asked.
    record.budgets.locked_since = None;
    let kind = if kind.channels().allow(method) { kind } else { NumberKind::Mobile };
    let waba = WabaId::parse("nobody")?;
    let claim = NewClaim {
        id: PhoneNumberId::parse("0")?,
        name: VerifiedName::parse("nobody").ok()?,
        certificate_serial: None,
        needs_review: false,
    };
    let command = Command::RequestCode(RequestCode {
        requester: Requester { waba, client: None },
        claim: Some(claim),
        made_by: CodeMaker::Here,
        method,
        kind,
        locale: Locale::english(),
        pin: None,
        fresh_challenge: ChallengeId(0),
        key_epoch: 0,
        only_unproven: false,
        register: None,
        reach: Reach::Open,
        waiting: None,
    });
    opens_at(&record, &command, now, limits)
}

fn opens_at(
    record: &NumberRecord,
    command: &Command,
    now: Timestamp,
    limits: &Limits,
) -> Option<Timestamp> {
    decide(record.clone(), command, now, limits).outcome.err()?.opens_at()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use registration::{Ladder, PhoneNumber, PinBudget, Window};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn record() -> NumberRecord {
        NumberRecord::absent(PhoneNumber::parse("4915112345667").expect("a number"))
    }

    #[test]
    fn a_number_nobody_used_has_everything_left() {
        let now = standing(&record(), NumberKind::Mobile, NOW, &Limits::default());
        for (left, max) in [
            (now.sms, 5),
            (now.voice, 3),
            (now.failed_guesses, 20),
            (now.failed_in_a_row, 100),
            (now.register_calls, 10),
            (now.deregister_calls, 10),
            (now.pin, 10),
        ] {
            assert_eq!(left, Left { max, left: max, opens_at: None });
        }
    }

    #[test]
    fn each_budget_opens_when_the_rules_say_so() {
        let mut record = record();
        let minute = Duration::from_mins(1);
        record.budgets.sms = Ladder { taken: 1, first_at: NOW, last_at: NOW };
        record.budgets.register_calls = Window(vec![NOW; 10]);
        record.budgets.pin = PinBudget { failures: 10, last_failure_at: NOW };
        let limits = Limits::default();
        let left = standing(&record, NumberKind::Mobile, NOW, &limits);
        assert_eq!(left.sms, Left { max: 5, left: 4, opens_at: Some(NOW + minute) });
        assert_eq!(left.voice.opens_at, Some(NOW + minute), "the first call waits for the SMS");
        assert_eq!(left.register_calls.opens_at, Some(NOW + limits.register_window));
        assert_eq!(left.register_calls.left, 0);
        assert_eq!(left.pin.opens_at, Some(NOW + limits.pin_lock));
        let landline = standing(&record, NumberKind::FixedLine, NOW, &limits);
        assert_eq!(landline.voice.opens_at, None);
    }

    #[test]
    fn a_lock_does_not_hide_the_ladder() {
        let mut record = record();
        record.budgets.locked_since = Some(NOW);
        record.budgets.sms = Ladder { taken: 5, first_at: NOW, last_at: NOW };
        let limits = Limits::default();
        let left = standing(&record, NumberKind::Mobile, NOW, &limits);
        assert_eq!(left.sms.opens_at, Some(NOW + limits.ladder_restart));
        assert_eq!(left.sms.left, 0);
    }
}

//! The error table read from right to left: what a Rollcall says in a dialect, another Rollcall in front of it
//! understands as the same refusal.

use core::time::Duration;

use api::refusals::row;
use outbound::registrar::{Named, alibaba, meta};
use registration::{CodeMethod, Forwarded, PhoneNumber, Refusal, Timestamp};
use serde_json::{Value, json};
use service::explain::catalogue;
use service::ports::UpstreamError;

/// Refusals of a number, each with what was asked when it came. The others concern a caller or a client of
/// the Rollcall that says them, and are passed on in its words.
fn asked(refusal: &Refusal) -> Option<Forwarded> {
    Some(match refusal.id() {
        "code-too-soon" | "sms-exhausted" | "voice-exhausted" | "channel-impossible"
        | "already-verified" => Forwarded::RequestCode,
        "code-mismatch" | "code-missing" | "guess-too-soon" | "out-of-guesses"
        | "guesses-exhausted" | "number-locked" => Forwarded::VerifyCode,
        "pin-required" | "pin-mismatch" | "pin-locked" | "register-limit" | "not-verified"
        | "not-claimed" | "too-many-requests" => Forwarded::Register,
        "not-registered" => Forwarded::Deregister,
        "already-added" | "held-elsewhere" => Forwarded::AddNumber,
        _ => return None,
    })
}

fn number() -> PhoneNumber {
    // A landline, so that a channel can be impossible.
    PhoneNumber::parse("442079460123").unwrap()
}

fn method_of(refusal: &Refusal) -> CodeMethod {
    match refusal.id() {
        "voice-exhausted" | "already-verified" => CodeMethod::Voice,
        _ => CodeMethod::Sms,
    }
}

fn wait_of(refusal: &Refusal, now: Timestamp) -> Option<Duration> {
    refusal.opens_at().map(|opens_at| opens_at.since(now))
}

fn kind(error: UpstreamError) -> &'static str {
    match error {
        UpstreamError::Refused { refusal, .. } => refusal.id(),
        UpstreamError::Unavailable { .. } => "unavailable",
    }
}

#[test]
fn what_graph_says_is_understood() {
    let now = Timestamp::default();
    for refusal in catalogue() {
        let Some(operation) = asked(&refusal) else { continue };
        let words = row(&refusal, now).graph.expect("a case of the dialect");
        let body = json!({ "error": {
            "message": words.message, "code": words.code, "error_subcode": words.subcode,
        } });
        let method = Some(method_of(&refusal));
        let case = meta::Case { operation, method, number: number(), now };
        let wait = wait_of(&refusal, now);
        let named = meta::meaning(&body, Named { id: Some(refusal.id()), wait }, case);
        assert_eq!(kind(named), refusal.id(), "another Rollcall names it");
        let understood = meta::meaning(&body, Named { id: None, wait }, case);
        if let (Some(opens_at), UpstreamError::Refused { refusal: found, .. }) =
            (refusal.opens_at(), &understood)
        {
            assert_eq!(found.opens_at(), Some(opens_at), "{}", refusal.id());
        }
        let expected = match refusal.id() {
            // One code for both; who forwards knows whether a PIN was given.
            "pin-required" => "pin-mismatch",
            // One code for all that can be wrong with a code: a wait tells those that have one.
            "code-missing" | "out-of-guesses" | "number-locked" => "code-mismatch",
            "guesses-exhausted" => "guess-too-soon",
            same => same,
        };
        assert_eq!(kind(understood), expected, "{}", refusal.id());
    }
}

#[test]
fn what_cams_says_is_understood() {
    let now = Timestamp::default();
    for refusal in catalogue() {
        let Some(operation) = asked(&refusal) else { continue };
        let Some(words) = row(&refusal, now).cams else { continue };
        let body = json!({ "Code": words.code, "Message": words.message, "RequestId": "R" });
        let method = Some(method_of(&refusal));
        let case = alibaba::Case { operation, method, number: number(), now };
        let status = words.status.as_u16();
        let wait = wait_of(&refusal, now);
        let named = alibaba::meaning(&body, status, Named { id: Some(refusal.id()), wait }, case);
        assert_eq!(kind(named), refusal.id(), "another Rollcall names it");
        let understood = alibaba::meaning(&body, status, Named::default(), case);
        let expected = match refusal.id() {
            // One code for every limit of a code, of guesses and of PINs: the dialect says no more.
            "sms-exhausted" | "voice-exhausted" => "code-too-soon",
            "guess-too-soon" | "guesses-exhausted" | "number-locked" => "out-of-guesses",
            "pin-mismatch" | "pin-locked" => "pin-required",
            // The adapter knows which of the two it asked for.
            "not-registered" => "not-claimed",
            // Texts without a counterpart are passed on.
            "already-added" | "held-elsewhere" => "upstream",
            same => same,
        };
        assert_eq!(kind(understood), expected, "{}", refusal.id());
    }
}

#[test]
fn what_nobody_knows_is_passed_on_with_both_texts_and_the_trace() {
    let now = Timestamp::default();
    let body: Value = json!({ "error": {
        "message": "(#131031) Account has been locked", "code": 131_031,
        "error_user_msg": "This account was locked for a policy violation.", "fbtrace_id": "AbC",
    } });
    let case = meta::Case { operation: Forwarded::Register, method: None, number: number(), now };
    let UpstreamError::Refused { refusal, .. } = meta::meaning(&body, Named::default(), case)
    else {
        panic!("it is refused")
    };
    let words = row(&refusal, now);
    let text = "(#131031) Account has been locked: This account was locked for a policy violation. \
                (131031, trace AbC)";
    assert_eq!(words.onprem.details, text);
    let graph = words.graph.expect("a case of the dialect");
    assert_eq!((graph.code, &*graph.message), (131_031, "(#131031) Account has been locked"));
}

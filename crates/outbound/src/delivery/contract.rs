//! The contract suite of senders: what each one does, whatever carries its messages.
//!
//! A sender's test brings a [`Counterpart`] (the sender together with a provider under the test's
//! control) and calls [`check`]; what is particular to the sender is tested beside it.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use registration::{CodeMethod, Locale, PhoneNumber, VerificationCode};
use service::message_text;
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver, SendId};

/// How a provider behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes messages.
    Well,
    /// Refuses each message for good.
    Refusing,
    /// Asks to be left alone.
    Throttling,
    /// Does not answer, or is not there.
    Gone,
}

/// A sender together with its provider.
#[async_trait]
pub trait Counterpart: Send + Sync {
    /// The name that the sender was given.
    fn name(&self) -> &str;
    /// What it carries.
    fn method(&self) -> CodeMethod;
    /// The sender.
    fn delivery(&self) -> Arc<dyn CodeDelivery>;
    /// What arrived at the far end so far: number, and text or digits heard.
    async fn arrived(&self) -> Vec<(PhoneNumber, String)>;
    /// Makes the provider behave so; `false` if it cannot.
    async fn turn(&self, mood: Mood) -> bool;
}

/// Longest a sender may take, whatever happens: well within the lease of the outbox.
const PATIENCE: Duration = Duration::from_secs(40);

/// Messages handed over at the same time.
const PARALLEL: u64 = 8;

/// Checks everything that holds for every sender; panics where it does not.
pub async fn check(counterpart: &dyn Counterpart) {
    a_message_arrives_with_its_code(counterpart).await;
    parallel_messages_do_not_mix(counterpart).await;
    what_goes_wrong_is_told_without_the_code(counterpart).await;
}

/// Message number `place` of a test; no two are alike.
///
/// # Panics
///
/// Where `place` is not below 900: there are no more fictitious numbers in this range.
#[must_use]
pub fn message(place: u64, method: CodeMethod) -> CodeMessage {
    assert!(place < 900, "+44 7700 900 000 to 900 999 are fictitious");
    let code = VerificationCode::parse(&format!("{:06}", 417_301 + place * 7)).expect("six digits");
    let locale = Locale::english();
    let text = match method {
        CodeMethod::Sms => message_text::sms(&locale, &code, true),
        CodeMethod::Voice => message_text::voice(&locale, &code),
    };
    let number = PhoneNumber::parse(&format!("+4477009{place:05}")).expect("fictitious");
    let id = SendId(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(place));
    CodeMessage { id, number, method, locale, code, text, originator: None }
}

async fn a_message_arrives_with_its_code(counterpart: &dyn Counterpart) {
    let message = message(100, counterpart.method());
    let taken = hand_over(counterpart, &message).await.expect("a provider that is well takes it");
    assert_eq!(taken.sender, counterpart.name(), "a sender goes by its own name");
    assert_eq!(codes_at(counterpart, &message).await, 1, "it arrives once, with its code");
}

async fn parallel_messages_do_not_mix(counterpart: &dyn Counterpart) {
    let messages: Vec<_> =
        (200..200 + PARALLEL).map(|n| message(n, counterpart.method())).collect();
    let taken = join_all(messages.iter().map(|message| hand_over(counterpart, message))).await;
    let mut ids = BTreeSet::new();
    for (message, taken) in messages.iter().zip(taken) {
        let taken = taken.expect("taken");
        if let Some(id) = taken.provider_id {
            assert!(ids.insert(id.clone()), "{id} stands for two messages");
        }
        assert_eq!(codes_at(counterpart, message).await, 1, "each number got its own code");
    }
}

async fn what_goes_wrong_is_told_without_the_code(counterpart: &dyn Counterpart) {
    for (place, mood) in [(300, Mood::Refusing), (301, Mood::Throttling), (302, Mood::Gone)] {
        if !counterpart.turn(mood).await {
            continue;
        }
        let message = message(place, counterpart.method());
        let error = hand_over(counterpart, &message).await.expect_err("not taken");
        let shown = format!("{error} {error:?}");
        for secret in [message.code.reveal(), &message.code.reveal_grouped(), &message.text] {
            assert!(!shown.contains(secret), "{mood:?}: the code is in {shown:?}");
        }
        let (DeliveryError::Unavailable { sender, .. } | DeliveryError::Rejected { sender, .. }) =
            &error;
        assert_eq!(sender, counterpart.name());
        match (mood, &error) {
            (Mood::Refusing, DeliveryError::Rejected { .. })
            | (Mood::Gone, DeliveryError::Unavailable { .. }) => {}
            (Mood::Throttling, DeliveryError::Unavailable { uncertain, retry_after, .. }) => {
                assert!(!uncertain, "it said that it did not take it");
                assert!(retry_after.is_some(), "it said when to come back");
            }
            _ => panic!("{mood:?} is told as {error:?}"),
        }
    }
    if counterpart.turn(Mood::Well).await {
        recovered(counterpart).await;
    }
}

/// A provider that is well again is used again, without a restart.
async fn recovered(counterpart: &dyn Counterpart) {
    let message = message(400, counterpart.method());
    for _ in 0..100 {
        match hand_over(counterpart, &message).await {
            Ok(_) => return,
            Err(DeliveryError::Rejected { reason, .. }) => panic!("rejected: {reason}"),
            Err(DeliveryError::Unavailable { retry_after, .. }) => {
                let pause = retry_after.unwrap_or(Duration::from_millis(200));
                tokio::time::sleep(pause.clamp(Duration::from_millis(50), PATIENCE)).await;
            }
        }
    }
    panic!("the provider is well, and the sender does not use it");
}

async fn hand_over(
    counterpart: &dyn Counterpart,
    message: &CodeMessage,
) -> Result<HandedOver, DeliveryError> {
    let delivery = counterpart.delivery();
    let done = tokio::time::timeout(PATIENCE, delivery.hand_over(message)).await;
    done.expect("a sender gives up within the lease of the outbox")
}

/// How often the code of `message` arrived at its number.
async fn codes_at(counterpart: &dyn Counterpart, message: &CodeMessage) -> usize {
    let arrived = counterpart.arrived().await;
    let here = arrived.iter().filter(|(number, _)| *number == message.number);
    here.filter(|(_, text)| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.contains(message.code.reveal())
    })
    .count()
}

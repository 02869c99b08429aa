//! Rehearsed trouble: magic numbers and faults of the sandbox. Production wires [`NoRehearsal`].

use core::time::Duration;

use registration::{PhoneNumber, Refusal};

/// What is about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// `onprem`, `cams` or `graph`.
    pub dialect: &'static str,
    /// The verb: `request_code`, `verify_code`, `register`, …
    pub operation: &'a str,
    /// The number concerned, where one is.
    pub number: Option<PhoneNumber>,
}

/// What a rehearsal makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Twist {
    /// Nothing: go on.
    Proceed,
    /// Go on after a pause.
    Delay(Duration),
    /// Refuse.
    Refuse(Refusal),
    /// Answer that a part is unavailable.
    Unavailable,
    /// Close the connection without an answer.
    Drop,
}

/// Asked before each operation that a dialect starts.
pub trait Rehearsal: Send + Sync + 'static {
    /// What shall happen on this occasion.
    fn twist(&self, occasion: &Occasion<'_>) -> Twist;
}

/// No rehearsed trouble: what production wires.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRehearsal;

impl Rehearsal for NoRehearsal {
    fn twist(&self, _occasion: &Occasion<'_>) -> Twist {
        Twist::Proceed
    }
}

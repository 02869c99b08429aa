//! Rehearsed trouble: magic numbers and faults of the sandbox. Production wires [`NoRehearsal`].

use core::time::Duration;

use registration::{CodeMethod, PhoneNumber, Refusal, Timestamp};

/// The operations that are rehearsed, in the words of [`Occasion::operation`].
pub const OPERATIONS: [&str; 9] = [
    "add_number",
    "request_code",
    "verify_code",
    "register",
    "deregister",
    "set_two_step",
    "clear_two_step",
    "set_shards",
    "restore",
];

/// What is about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// `onprem`, `cams` or `graph`.
    pub dialect: &'static str,
    /// One of [`OPERATIONS`].
    pub operation: &'a str,
    /// The number concerned, where one is.
    pub number: Option<PhoneNumber>,
    /// The channel asked for, where a code is.
    pub method: Option<CodeMethod>,
    /// The present moment.
    pub now: Timestamp,
}

/// What a rehearsal makes of it: an ending, after a pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twist {
    /// How long nothing happens first; real time, whatever the clock shows.
    pub pause: Duration,
    /// What happens then.
    pub ending: Ending,
}

/// How a rehearsed occasion goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As ever.
    Proceed,
    /// With this refusal.
    Refuse(Refusal),
    /// With the answer that a part is unavailable.
    Unavailable,
    /// With a closed connection instead of an answer.
    Drop,
}

impl Twist {
    /// Nothing out of the ordinary.
    pub const NONE: Self = Self { pause: Duration::ZERO, ending: Ending::Proceed };
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
        Twist::NONE
    }
}

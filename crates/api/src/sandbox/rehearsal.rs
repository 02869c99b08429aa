//! Rehearsed trouble: magic numbers, and faults that are switched on for a while.

use service::ports::{Occasion, Rehearsal, Twist};

/// What the sandbox may do to a request before it starts.
#[derive(Debug, Default)]
pub struct SandboxRehearsal {}

impl Rehearsal for SandboxRehearsal {
    fn twist(&self, _occasion: &Occasion<'_>) -> Twist {
        Twist::Proceed
    }
}

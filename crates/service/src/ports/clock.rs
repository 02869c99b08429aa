//! The time of day.

use registration::Timestamp;

/// Tells the time. The system clock in production; a clock that can be turned in the sandbox and in
/// tests. Every limit, token, lease and lifetime follows it.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// A clock that can be turned: what the sandbox controls. Production has none.
pub trait TurnableClock: Clock {
    /// Jumps to a moment, forwards or backwards; a frozen clock stays frozen there.
    fn set(&self, to: Timestamp);
    /// Jumps forward.
    fn advance(&self, by: core::time::Duration);
    /// Stands still.
    fn freeze(&self);
    /// Runs on from where it stands.
    fn resume(&self);
    /// Shows the real time again and runs.
    fn reset(&self);
    /// Whether it stands still.
    fn is_frozen(&self) -> bool;
    /// How far ahead of the real time it is, in milliseconds; negative if it is behind.
    fn ahead_ms(&self) -> i64 {
        0
    }
}

//! The time of day.

use registration::Timestamp;

/// Tells the time. The system clock in production; a clock that can be turned in the sandbox and in
/// tests. Every limit, token, lease and lifetime follows it.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

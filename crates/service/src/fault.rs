//! Places at which a test can end the process, as `kill -9` would.
//!
//! They exist in builds with debug assertions only, and do nothing unless one was armed at the start.

use std::sync::OnceLock;

static ARMED: OnceLock<String> = OnceLock::new();

/// The places, in the order in which a send passes them.
pub const POINTS: [&str; 5] = ["decided", "claimed", "begun", "handed-over", "recorded"];

/// Ends the process the first time that it comes to `place`. Once per process; a release build ignores
/// it.
pub fn arm(place: &str) {
    // A second call changes nothing.
    let _ = ARMED.set(place.to_owned());
}

/// The process ends here if this place was armed: nothing is flushed, closed or answered.
pub(crate) fn point(place: &'static str) {
    debug_assert!(POINTS.contains(&place), "{place} is not in the list");
    if cfg!(debug_assertions) && ARMED.get().is_some_and(|armed| armed == place) {
        std::process::abort();
    }
}

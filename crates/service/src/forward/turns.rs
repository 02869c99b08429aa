//! Whose turn it is: calls upstream about one number follow one another in this process.
//!
//! Apart from the stripes of the store's work, because a call takes seconds, not microseconds: two numbers
//! must never wait for each other by accident.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use registration::PhoneNumber;
use tokio::sync::OwnedMutexGuard;

type Turn = tokio::sync::Mutex<()>;

/// One line per number that somebody is asking about.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<PhoneNumber, Weak<Turn>>>);

/// Lines kept before those that nobody stands in are removed.
const LINES_KEPT: usize = 1024;

impl Turns {
    /// Waits in line for `number`.
    pub(crate) async fn take(&self, number: PhoneNumber) -> OwnedMutexGuard<()> {
        self.line(number).lock_owned().await
    }

    fn line(&self, number: PhoneNumber) -> Arc<Turn> {
        // A panic elsewhere cannot leave the map half changed: each change is one call.
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&number).and_then(Weak::upgrade) {
            return line;
        }
        if lines.len() >= LINES_KEPT {
            lines.retain(|_, line| line.strong_count() > 0);
        }
        let line = Arc::new(Turn::default());
        lines.insert(number, Arc::downgrade(&line));
        line
    }
}

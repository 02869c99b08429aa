//! Ten calls a second per operation and account are allowed there (§9); here they wait for their turn.

use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use registration::{ForeignWords, Refusal, Timestamp};
use service::ports::{Credentials, Link, UpstreamError};
use tokio::time::Instant;

/// Calls per span.
const CALLS: usize = 10;

/// A second, and a little for what the network does to distances.
const SPAN: Duration = Duration::from_millis(1_050);

/// A call that would wait longer is refused: its caller has a time-out of its own.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// When the latest calls of each operation of each key were, or will be.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<String, VecDeque<Instant>>>);

impl Pace {
    /// Waits for the operation's turn.
    pub(super) async fn pass(
        &self,
        link: &Link,
        action: &'static str,
        now: Timestamp,
    ) -> Result<(), UpstreamError> {
        let Credentials::Alibaba { access_key_id, .. } = &link.credentials else { return Ok(()) };
        let present = Instant::now();
        let turn = self.turn(format!("{access_key_id} {action}"), present);
        match turn.map_err(|wait| now + wait) {
            Ok(turn) => {
                if turn > present {
                    tokio::time::sleep_until(turn).await;
                }
                Ok(())
            }
            Err(opens_at) => {
                let message = "The registrar takes ten such calls a second".to_owned();
                Err(UpstreamError::Refused {
                    refusal: Refusal::TooManyRequests { opens_at },
                    words: Box::new(ForeignWords { message, ..ForeignWords::default() }),
                    is_vague: false,
                })
            }
        }
    }

    /// The next free moment, taken; or how long it would be until then.
    fn turn(&self, key: String, present: Instant) -> Result<Instant, Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = all.entry(key).or_default();
        while calls.front().is_some_and(|first| *first + SPAN <= present) {
            calls.pop_front();
        }
        let turn = match calls.len().checked_sub(CALLS) {
            Some(before) => calls[before] + SPAN,
            None => present,
        };
        if turn > present + WAIT_MAX {
            return Err(turn - present);
        }
        calls.push_back(turn);
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_ten_begin_in_a_second() {
        let pace = Pace::default();
        let present = Instant::now();
        let turns: Vec<_> =
            core::iter::from_fn(|| pace.turn("k".to_owned(), present).ok()).collect();
        assert_eq!(turns.len(), 20, "what would wait too long is refused");
        assert!(turns.windows(11).all(|span| span[10] - span[0] >= Duration::from_secs(1)));
        assert!(pace.turn("other".to_owned(), present).is_ok_and(|turn| turn == present));
    }
}

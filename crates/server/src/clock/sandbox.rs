//! A clock that can be set, advanced and frozen, and that remembers it over a restart.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use registration::Timestamp;
use serde::{Deserialize, Serialize};
use service::ports::{Clock, TurnableClock};

use super::SystemClock;
use crate::files;

/// How the shown time follows from the system's; also the form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum State {
    /// The shown time is this far ahead of the system's.
    OffsetMs(i64),
    /// The shown time stands still here.
    FrozenAtMs(i64),
}

impl State {
    const SYSTEM: Self = Self::OffsetMs(0);

    fn shown(self, system: Timestamp) -> Timestamp {
        match self {
            Self::OffsetMs(offset) => {
                Timestamp::from_millis(system.as_millis().saturating_add(offset))
            }
            Self::FrozenAtMs(at) => Timestamp::from_millis(at),
        }
    }

    const fn running(shown: Timestamp, system: Timestamp) -> Self {
        Self::OffsetMs(shown.as_millis().saturating_sub(system.as_millis()))
    }
}

/// The clock of a sandbox. Starts with the system's time; each turn is on disk before it shows.
#[derive(Debug)]
pub struct SandboxClock<S = SystemClock> {
    system: S,
    file: PathBuf,
    state: Mutex<State>,
}

impl<S: Clock> SandboxClock<S> {
    /// The clock over `system` as it was left in `file`; as the system's if there is no such file.
    pub fn open(system: S, file: &Path) -> io::Result<Self> {
        let state = match std::fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::other(format!(
                    "{} is damaged ({error}); delete it to go back to the system's time",
                    file.display()
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::SYSTEM,
            Err(error) => return Err(error),
        };
        Ok(Self { system, file: file.to_owned(), state: Mutex::new(state) })
    }

    /// Shows `at` from now on; a running clock goes on from there, a frozen one stays there.
    pub fn set(&self, at: Timestamp) -> io::Result<()> {
        self.turn(|state, system| match state {
            State::OffsetMs(_) => State::running(at, system),
            State::FrozenAtMs(_) => State::FrozenAtMs(at.as_millis()),
        })
    }

    /// Goes `by` further; a frozen clock stays frozen.
    pub fn advance(&self, by: Duration) -> io::Result<()> {
        self.turn(|state, system| match state {
            State::OffsetMs(_) => State::running(state.shown(system) + by, system),
            State::FrozenAtMs(_) => State::FrozenAtMs((state.shown(system) + by).as_millis()),
        })
    }

    /// Stands still at the time shown.
    pub fn freeze(&self) -> io::Result<()> {
        self.turn(|state, system| State::FrozenAtMs(state.shown(system).as_millis()))
    }

    /// Runs on from the time shown.
    pub fn resume(&self) -> io::Result<()> {
        self.turn(|state, system| State::running(state.shown(system), system))
    }

    /// Shows the system's time again.
    pub fn reset(&self) -> io::Result<()> {
        self.turn(|_, _| State::SYSTEM)
    }

    /// Whether the clock stands still.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        matches!(*self.state(), State::FrozenAtMs(_))
    }

    fn turn(&self, next: impl FnOnce(State, Timestamp) -> State) -> io::Result<()> {
        let mut state = self.state();
        let next = next(*state, self.system.now());
        if next != *state {
            files::replace(&self.file, &serde_json::to_vec(&next)?)?;
            *state = next;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is one word, whole at every moment: a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Clock> Clock for SandboxClock<S> {
    fn now(&self) -> Timestamp {
        self.state().shown(self.system.now())
    }
}

impl<S: Clock> TurnableClock for SandboxClock<S> {
    fn set(&self, to: Timestamp) {
        kept(self.set(to));
    }

    fn advance(&self, by: Duration) {
        kept(self.advance(by));
    }

    fn freeze(&self) {
        kept(self.freeze());
    }

    fn resume(&self) {
        kept(self.resume());
    }

    fn is_frozen(&self) -> bool {
        self.is_frozen()
    }

    fn ahead_ms(&self) -> i64 {
        let system = self.system.now();
        self.state().shown(system).as_millis().saturating_sub(system.as_millis())
    }

    fn reset(&self) {
        kept(self.reset());
    }
}

/// The clock is turned even if that cannot be kept for the next start.
fn kept(turned: io::Result<()>) {
    if let Err(error) = turned {
        tracing::warn!(%error, "the turned clock will not survive a restart");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Hand(Arc<AtomicI64>);

    impl Hand {
        fn pass_seconds(&self, seconds: i64) {
            self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_turned_clock_runs_on_and_a_frozen_one_stands() {
        let dir = tempfile::tempdir().unwrap();
        let system = Hand::default();
        let clock = SandboxClock::open(system.clone(), &dir.path().join("clock.json")).unwrap();
        clock.set(at(1000)).unwrap();
        system.pass_seconds(5);
        assert_eq!(clock.now(), at(1005));
        clock.advance(Duration::from_secs(95)).unwrap();
        assert_eq!(clock.now(), at(1100));
        clock.freeze().unwrap();
        system.pass_seconds(50);
        assert_eq!((clock.now(), clock.is_frozen()), (at(1100), true));
        clock.advance(Duration::from_secs(1)).unwrap();
        assert_eq!((clock.now(), clock.is_frozen()), (at(1101), true));
        clock.set(at(7)).unwrap();
        clock.resume().unwrap();
        system.pass_seconds(3);
        assert_eq!((clock.now(), clock.is_frozen()), (at(10), false));
        clock.reset().unwrap();
        assert_eq!(clock.now(), system.now());
    }

    #[test]
    fn a_restart_keeps_the_turned_time() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("clock.json");
        let system = Hand::default();
        SandboxClock::open(system.clone(), &file).unwrap().set(at(500)).unwrap();
        system.pass_seconds(20);
        let clock = SandboxClock::open(system.clone(), &file).unwrap();
        assert_eq!(clock.now(), at(520));
        clock.freeze().unwrap();
        system.pass_seconds(20);
        assert_eq!(SandboxClock::open(system, &file).unwrap().now(), at(520));
    }

    #[test]
    fn a_damaged_file_is_reported_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("clock.json");
        std::fs::write(&file, "soon").unwrap();
        let error = SandboxClock::open(Hand::default(), &file).unwrap_err();
        assert!(error.to_string().contains("clock.json is damaged"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "soon");
    }
}

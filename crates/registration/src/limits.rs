//! Every number of the rules, with its unit and source.

use core::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const fn secs<const N: usize>(list: [u64; N]) -> [Duration; N] {
    let mut out = [Duration::ZERO; N];
    let mut i = 0;
    while i < N {
        out[i] = Duration::from_secs(list[i]);
        i += 1;
    }
    out
}

/// The limits that decisions obey. The defaults are those of the product description, section 4;
/// where a public source exists it is named at the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long a code can be used, counted from its creation. A resend inside it sends the same code
    /// and prolongs nothing. (Not documented for On-Premises; the references suggest 10 minutes.)
    pub code_lifetime: Duration,
    /// Pause before each guess at one code; its length is the guess budget of the code.
    pub guess_waits: Vec<Duration>,
    /// Wrong guesses per number within `failed_guesses_window`.
    pub failed_guesses_max: usize,
    /// The moving window of `failed_guesses_max`.
    pub failed_guesses_window: Duration,
    /// Wrong guesses in a row, over any time, that lock the number until an operator unlocks it.
    pub failed_in_a_row_max: u32,
    /// Pause before each SMS, counted from the one before; its length is the budget of the ladder.
    /// (A capture shows waits given as text; consumer clients saw about 65 s. Reference §7.3.)
    pub sms_waits: Vec<Duration>,
    /// Pause before each voice call: the first counts from the first SMS (and not at all where the
    /// number cannot take SMS or none was sent), the others from the call before.
    pub voice_waits: Vec<Duration>,
    /// Both ladders start again this long after their first step.
    pub ladder_restart: Duration,
    /// Register and deregister calls, each, per number within `register_window` (Graph 133016).
    pub register_calls_max: usize,
    /// The moving window of `register_calls_max` (Graph: 72 hours).
    pub register_window: Duration,
    /// Wrong PINs before only one try per `pin_lock` is left.
    pub pin_failures_max: u32,
    /// Pause between tries once `pin_failures_max` is reached.
    pub pin_lock: Duration,
    /// How long a verified number may stay unregistered (CAMS: 14 days).
    pub verified_idle: Duration,
    /// How long Coreapp restarts when a client registers another number (reference §1.2 keeps it
    /// under 30 s, the default `unhealthy_interval`).
    pub coreapp_restart: Duration,
    /// How long Coreapp reports `connecting` after a registration.
    pub coreapp_connect: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            code_lifetime: Duration::from_secs(10 * MINUTE),
            guess_waits: secs([0, 0, 0, MINUTE, 2 * MINUTE]).to_vec(),
            failed_guesses_max: 20,
            failed_guesses_window: Duration::from_secs(DAY),
            failed_in_a_row_max: 100,
            sms_waits: secs([0, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE]).to_vec(),
            voice_waits: secs([MINUTE, MINUTE, 5 * MINUTE]).to_vec(),
            ladder_restart: Duration::from_secs(DAY),
            register_calls_max: 10,
            register_window: Duration::from_secs(72 * HOUR),
            pin_failures_max: 10,
            pin_lock: Duration::from_secs(DAY),
            verified_idle: Duration::from_secs(14 * DAY),
            coreapp_restart: Duration::from_secs(2),
            coreapp_connect: Duration::ZERO,
        }
    }
}

impl Limits {
    /// Guesses per code.
    #[must_use]
    pub fn guesses_max(&self) -> u32 {
        u32::try_from(self.guess_waits.len()).unwrap_or(u32::MAX)
    }
}

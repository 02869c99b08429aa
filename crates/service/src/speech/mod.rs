//! The sound of a call that tells a code: recorded clips, joined.
//!
//! Pure: locale and code in, samples out; no synthesiser at run time. The sandbox plays the result as a
//! WAV file, the voice sender sends it as RTP, so what is heard in a test is what a telephone hears.
//! The clips and how they are made: `assets/speech/README.md`.

mod g711;
mod voices;

use core::fmt;

use registration::{Locale, VerificationCode};

use crate::message_text;
pub use g711::{alaw_of_mulaw, linear_of_mulaw};
use voices::{VOICES, Voice};

/// Samples in a second, as telephones have them.
pub const SAMPLE_RATE: usize = 8_000;

/// How often the code is told: a listener needs to find pen and paper, then to write, then to check.
pub const TIMES_TOLD: usize = 3;

/// µ-law for no sound.
pub const SILENCE: u8 = 0xFF;

/// Time to bring the telephone to the ear.
const BEFORE: usize = millis(700);

/// Between digits: slow enough to write along (our estimate; 300 ms already sounds hurried).
const BETWEEN_DIGITS: usize = millis(400);

/// Between the two groups of three, and around the code.
const BETWEEN_PARTS: usize = millis(900);

const GROUP: usize = 3;

const fn millis(count: usize) -> usize {
    SAMPLE_RATE / 1000 * count
}

/// What a call says, as G.711 µ-law at 8 kHz. Its sound holds the code, so it has no readable `Debug`.
#[derive(Clone)]
pub struct Recording {
    /// One byte a sample.
    pub samples: Vec<u8>,
    /// Samples until the code has been told once in full.
    pub told_once: usize,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("samples", &self.samples.len()).finish_non_exhaustive()
    }
}

/// The recording that tells `code`: opening, the code [`TIMES_TOLD`] times in groups of three, closing.
#[must_use]
pub fn recording(locale: &Locale, code: &VerificationCode) -> Recording {
    let voice = voice(locale);
    let mut samples = vec![SILENCE; BEFORE];
    let mut told_once = 0;
    samples.extend(voice.opening);
    for time in 0..TIMES_TOLD {
        if time > 0 {
            pause(&mut samples, BETWEEN_PARTS);
            samples.extend(voice.again);
        }
        pause(&mut samples, BETWEEN_PARTS);
        tell(&mut samples, voice, code);
        if time == 0 {
            told_once = samples.len();
        }
    }
    pause(&mut samples, BETWEEN_PARTS);
    samples.extend(voice.closing);
    pause(&mut samples, BETWEEN_DIGITS);
    Recording { samples, told_once }
}

/// The language in which a locale is answered, as a BCP 47 tag; `en` where there are no clips.
#[must_use]
pub fn language(locale: &Locale) -> &'static str {
    voice(locale).language
}

/// The clip of one digit.
#[must_use]
pub fn digit(locale: &Locale, digit: u8) -> Option<&'static [u8]> {
    voice(locale).digits.get(usize::from(digit)).copied()
}

fn voice(locale: &Locale) -> &'static Voice {
    // The two scripts of a language sound alike.
    let spoken = message_text::language(locale).split('-').next().unwrap_or_default();
    VOICES.iter().find(|voice| voice.language == spoken).unwrap_or(&VOICES[0])
}

fn pause(samples: &mut Vec<u8>, length: usize) {
    samples.resize(samples.len() + length, SILENCE);
}

fn tell(samples: &mut Vec<u8>, voice: &Voice, code: &VerificationCode) {
    let digits = code.reveal().bytes().map(|digit| usize::from(digit.wrapping_sub(b'0')));
    for (place, digit) in digits.enumerate() {
        if place > 0 {
            let group_ends = place.is_multiple_of(GROUP);
            pause(samples, if group_ends { BETWEEN_PARTS } else { BETWEEN_DIGITS });
        }
        samples.extend(voice.digits.get(digit).copied().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests;

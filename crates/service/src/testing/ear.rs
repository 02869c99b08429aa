//! An ear for calls: finds which digits are spoken in a recording, by matched filter against the clips.

use registration::Locale;

use crate::speech;

/// Quieter than this is silence; the clips peak far above, line noise stays below.
const SILENCE_MAX: u16 = 400;

/// Shorter pauses are part of a word.
const PAUSE: usize = speech::SAMPLE_RATE / 4;

/// How far a sound may be shifted against the clip, and differ in length, and still be it.
const SHIFT_MAX: usize = 12;
const LENGTH_DIFFERS_MAX: usize = 160;

/// Normalised correlation from which a sound is the clip; another digit stays below 0.6.
const ALIKE: f64 = 0.9;

/// The digits that are spoken in `samples` (linear, 8 kHz), in order; other words are passed over.
#[must_use]
pub fn digits(samples: &[i16], locale: &Locale) -> String {
    let clips: Vec<Vec<i16>> = (0..10)
        .filter_map(|digit| speech::digit(locale, digit))
        .map(|clip| clip.iter().map(|byte| speech::linear_of_mulaw(*byte)).collect())
        .collect();
    let clips: Vec<&[i16]> = clips.iter().map(|clip| trimmed(clip)).collect();
    let heard = words(samples).into_iter().filter_map(|word| {
        let scores = clips.iter().map(|clip| likeness(word, clip));
        let best = scores.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.filter(|(_, score)| *score >= ALIKE).map(|(digit, _)| digit.to_string())
    });
    heard.collect()
}

fn is_loud(sample: i16) -> bool {
    sample.unsigned_abs() > SILENCE_MAX
}

fn trimmed(sound: &[i16]) -> &[i16] {
    let first = sound.iter().position(|sample| is_loud(*sample)).unwrap_or(0);
    let last = sound.iter().rposition(|sample| is_loud(*sample)).unwrap_or(0);
    &sound[first..=last.max(first)]
}

/// The sounds between pauses.
fn words(samples: &[i16]) -> Vec<&[i16]> {
    let mut words = Vec::new();
    let mut word: Option<(usize, usize)> = None;
    for (place, _) in samples.iter().enumerate().filter(|(_, sample)| is_loud(**sample)) {
        word = match word {
            Some((first, last)) if place - last <= PAUSE => Some((first, place)),
            ended => {
                words.extend(ended);
                Some((place, place))
            }
        };
    }
    words.extend(word);
    words.into_iter().map(|(first, last)| &samples[first..=last]).collect()
}

/// The highest normalised correlation over small shifts; 0 where the lengths differ too much.
fn likeness(word: &[i16], clip: &[i16]) -> f64 {
    if word.len().abs_diff(clip.len()) > LENGTH_DIFFERS_MAX {
        return 0.0;
    }
    let shifts = (0..=SHIFT_MAX).flat_map(|shift| {
        [
            correlation(&word[shift.min(word.len())..], clip),
            correlation(word, &clip[shift.min(clip.len())..]),
        ]
    });
    shifts.fold(0.0, f64::max)
}

fn correlation(a: &[i16], b: &[i16]) -> f64 {
    let (mut product, mut power_a, mut power_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        product += a * b;
        power_a += a * a;
        power_b += b * b;
    }
    if power_a == 0.0 || power_b == 0.0 { 0.0 } else { product / (power_a * power_b).sqrt() }
}

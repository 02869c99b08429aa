use super::*;
use crate::testing::ear;

fn locale(text: &str) -> Locale {
    Locale::parse(text).unwrap()
}

fn code(digits: &str) -> VerificationCode {
    VerificationCode::parse(digits).unwrap()
}

fn linear(recording: &Recording) -> Vec<i16> {
    recording.samples.iter().map(|byte| linear_of_mulaw(*byte)).collect()
}

#[test]
fn a_listener_hears_the_code_three_times_in_every_language() {
    for voice in VOICES {
        let locale = locale(voice.language);
        for digits in ["012345", "678990", "770061"] {
            let heard = ear::digits(&linear(&recording(&locale, &code(digits))), &locale);
            assert_eq!(heard, digits.repeat(TIMES_TOLD), "{}", voice.language);
        }
    }
}

#[test]
fn the_code_is_told_once_in_full_when_the_recording_says_so() {
    for voice in VOICES {
        let locale = locale(voice.language);
        let recording = recording(&locale, &code("493027"));
        let samples = &linear(&recording)[..recording.told_once];
        assert_eq!(ear::digits(samples, &locale), "493027", "{}", voice.language);
        let earlier = recording.told_once - millis(300);
        assert_ne!(ear::digits(&samples[..earlier], &locale), "493027", "{}", voice.language);
    }
}

/// A listener must be able to tell digits apart; a filter that hears two in one clip proves nothing.
#[test]
fn no_two_digits_of_a_language_sound_alike() {
    for voice in VOICES {
        let locale = locale(voice.language);
        for digit in 0..10_u8 {
            let clip: Vec<i16> =
                voice.digits[usize::from(digit)].iter().map(|b| linear_of_mulaw(*b)).collect();
            assert_eq!(ear::digits(&clip, &locale), digit.to_string(), "{}", voice.language);
        }
    }
}

#[test]
fn clips_are_short_and_level() {
    for voice in VOICES {
        let digits = voice.digits.iter().map(|clip| (clip, 8_500));
        let phrases = [voice.opening, voice.again, voice.closing];
        for (clip, longest) in digits.chain(phrases.iter().map(|clip| (clip, 40_000))) {
            assert!((1_000..=longest).contains(&clip.len()), "{}: {}", voice.language, clip.len());
            let peak = clip.iter().map(|b| linear_of_mulaw(*b).unsigned_abs()).max().unwrap();
            assert!((6_000..=24_000).contains(&peak), "{}: {peak}", voice.language);
        }
    }
}

#[test]
fn a_call_ends_within_three_quarters_of_a_minute() {
    for voice in VOICES {
        let longest = (0..10).max_by_key(|digit: &usize| voice.digits[*digit].len()).unwrap();
        let recording = recording(&locale(voice.language), &code(&longest.to_string().repeat(6)));
        let seconds = recording.samples.len() / SAMPLE_RATE;
        assert!((15..45).contains(&seconds), "{}: {seconds}", voice.language);
    }
}

#[test]
fn every_language_with_texts_has_a_voice() {
    for (asked, spoken) in [
        ("pt_BR", "pt"),
        ("zh_TW", "zh"),
        ("zh_CN", "zh"),
        ("in_ID", "id"),
        ("ja", "ja"),
        ("sv", "en"),
    ] {
        assert_eq!(language(&locale(asked)), spoken, "{asked}");
    }
}

#[test]
fn the_sound_is_not_shown() {
    let shown = format!("{:?}", recording(&Locale::english(), &code("493027")));
    assert!(!shown.contains("493027") && shown.len() < 80, "{shown}");
}

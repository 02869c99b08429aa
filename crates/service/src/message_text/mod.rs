//! The words that carry a code, per language, and what they cost as SMS.
//!
//! A text says what the code is for and not to share it, and fits one SMS segment even with the code in
//! two groups: 160 characters where the GSM alphabet has all of them, else 70 UTF-16 units. Languages
//! that need the second form (Spanish, for its accents, too) have shorter texts; none is misspelt to
//! save a segment. The texts themselves are in `texts.rs`.

mod own;
mod segments;
mod texts;

use registration::{Locale, VerificationCode};

pub use own::{OwnTexts, TextFault};
pub use segments::{SmsAlphabet, alphabet, gsm_septets, segments};
use texts::{TEXTS, Texts};

/// The SMS that carries `code`, written `123-830` where `grouped`, `123830` otherwise.
#[must_use]
pub fn sms(locale: &Locale, code: &VerificationCode, grouped: bool) -> String {
    let texts = texts(locale);
    if grouped {
        texts.sms.replace(CODE, &code.reveal_grouped())
    } else {
        texts.sms.replace(CODE, code.reveal())
    }
}

/// The script of a call that speaks `code`: digit by digit, twice.
///
/// Commas between the digits make a speech synthesiser pause and keep it from reading a number.
#[must_use]
pub fn voice(locale: &Locale, code: &VerificationCode) -> String {
    let mut digits = String::with_capacity(3 * VerificationCode::DIGITS);
    for digit in code.reveal().chars() {
        if !digits.is_empty() {
            digits.push_str(", ");
        }
        digits.push(digit);
    }
    texts(locale).voice.replace(CODE, &digits)
}

/// The language in which [`sms`] and [`voice`] answer a locale, as a BCP 47 tag: `pt` for `pt_BR`,
/// `zh-Hant` for `zh_TW`, `en` for what there is no text for.
#[must_use]
pub fn language(locale: &Locale) -> &'static str {
    texts(locale).language
}

/// The language to write in to a number of this country (ISO 3166-1), where a dialect has no place for a
/// locale. Countries with several languages get the one most people there read; all others English.
#[must_use]
pub fn locale_of_region(region: Option<&str>) -> Locale {
    let language = match region.unwrap_or_default() {
        "DE" | "AT" | "CH" | "LI" => "de",
        "ES" | "MX" | "AR" | "CO" | "CL" | "PE" | "VE" | "EC" | "GT" | "CU" | "BO" | "DO"
        | "HN" | "PY" | "SV" | "NI" | "CR" | "PA" | "UY" | "PR" => "es",
        "BR" | "PT" | "AO" | "MZ" => "pt",
        "FR" | "BE" | "SN" | "CI" | "CM" | "MC" => "fr",
        "IT" | "SM" | "VA" => "it",
        "NL" | "SR" => "nl",
        "PL" => "pl",
        "TR" => "tr",
        "RU" | "BY" | "KZ" => "ru",
        "IN" => "hi",
        "SA" | "AE" | "EG" | "IQ" | "JO" | "KW" | "LB" | "LY" | "MA" | "OM" | "QA" | "SD"
        | "SY" | "TN" | "YE" | "BH" | "DZ" => "ar",
        "ID" => "id",
        "CN" | "SG" => "zh",
        "TW" | "HK" | "MO" => "zh-Hant",
        "JP" => "ja",
        _ => "en",
    };
    // Each of these is a language tag, so the fallback is never taken.
    Locale::parse(language).unwrap_or_else(Locale::english)
}

/// Where the code goes in a text.
const CODE: &str = "{code}";

fn texts(locale: &Locale) -> &'static Texts {
    let wanted = wanted_language(locale);
    TEXTS.iter().find(|texts| texts.language.eq_ignore_ascii_case(wanted)).unwrap_or(&TEXTS[0])
}

/// The tag to look for: the primary subtag, except where one language has texts in two scripts.
fn wanted_language(locale: &Locale) -> &str {
    let mut subtags = locale.as_str().split(['-', '_']);
    let primary = subtags.next().unwrap_or_default();
    let is = |language: &str| primary.eq_ignore_ascii_case(language);
    if is("zh") {
        // The script, or a region that writes the traditional one, whichever comes first.
        const TRADITIONAL: [&str; 4] = ["Hant", "TW", "HK", "MO"];
        let script = subtags.find_map(|subtag| {
            let is_one_of = |tags: &[&str]| tags.iter().any(|tag| tag.eq_ignore_ascii_case(subtag));
            if is_one_of(&["Hans"]) {
                Some("zh")
            } else {
                is_one_of(&TRADITIONAL).then_some("zh-Hant")
            }
        });
        script.unwrap_or("zh")
    } else if is("in") {
        // Indonesian before ISO 639:1989; Java still sends it.
        "id"
    } else {
        primary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(text: &str) -> Locale {
        Locale::parse(text).unwrap()
    }

    fn code() -> VerificationCode {
        VerificationCode::parse("012-830").unwrap()
    }

    #[test]
    fn a_locale_falls_back_to_its_language_and_then_to_english() {
        for (asked, answered) in [
            ("en", "en"),
            ("en_US", "en"),
            ("pt_BR", "pt"),
            ("PT-br", "pt"),
            ("de-CH-1996", "de"),
            ("in_ID", "id"),
            ("zh", "zh"),
            ("zh_CN", "zh"),
            ("zh-Hans-HK", "zh"),
            ("zh_TW", "zh-Hant"),
            ("zh_HK", "zh-Hant"),
            ("zh-Hant", "zh-Hant"),
            ("rw_RW", "en"),
            ("fil", "en"),
            ("tlh", "en"),
            ("x_", "en"),
        ] {
            assert_eq!(language(&locale(asked)), answered, "{asked}");
        }
    }

    #[test]
    fn every_sms_fits_one_segment_with_its_code_in_groups() {
        for texts in TEXTS {
            let text = sms(&locale(texts.language), &code(), true);
            assert!(text.contains("012-830"), "{text}");
            assert_eq!(segments(&text), 1, "{text}");
            let plain = sms(&locale(texts.language), &code(), false);
            assert!(plain.contains("012830"), "{plain}");
        }
    }

    #[test]
    fn texts_in_the_gsm_alphabet_stay_in_it() {
        for (language, expected) in [
            ("en", SmsAlphabet::Gsm7),
            ("de", SmsAlphabet::Gsm7),
            ("fr", SmsAlphabet::Gsm7),
            ("it", SmsAlphabet::Gsm7),
            ("es", SmsAlphabet::Ucs2),
            ("hi", SmsAlphabet::Ucs2),
        ] {
            assert_eq!(alphabet(&sms(&locale(language), &code(), true)), expected, "{language}");
        }
    }

    #[test]
    fn every_call_speaks_each_digit_twice_and_no_other() {
        for texts in TEXTS {
            let script = voice(&locale(texts.language), &code());
            assert_eq!(script.matches("0, 1, 2, 8, 3, 0").count(), 2, "{script}");
            let digits: String = script.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(digits, "012830012830", "{script}");
        }
    }

    #[test]
    fn every_text_names_its_service_and_each_language_stands_once() {
        for (n, texts) in TEXTS.iter().enumerate() {
            let name = if texts.language == "ar" { "واتساب" } else { "WhatsApp" };
            assert!(texts.sms.contains(name) && texts.voice.contains(name), "{}", texts.language);
            assert!(TEXTS[..n].iter().all(|other| other.language != texts.language));
            assert_eq!(language(&locale(texts.language)), texts.language);
        }
        assert_eq!(TEXTS[0].language, "en", "the language of last resort stands first");
    }
}

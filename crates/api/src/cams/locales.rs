//! The languages that a code message may be asked for in (§2.1): the service's general table.

use registration::Locale;

const CODES: [&str; 68] = [
    "af", "sq", "ar", "az", "bn", "bg", "ca", "hr", "cs", "da", "nl", "en", "en_GB", "en_US", "et",
    "fil", "fi", "fr", "de", "el", "gu", "ha", "he", "hi", "hu", "id", "ga", "it", "ja", "kn",
    "kk", "ko", "lo", "lv", "lt", "mk", "ms", "ml", "mr", "nb", "fa", "pl", "pt_BR", "pt_PT", "pa",
    "ro", "ru", "sr", "zh_CN", "sk", "sl", "es", "es_AR", "es_MX", "es_ES", "sw", "sv", "ta", "te",
    "th", "zh_HK", "zh_TW", "tr", "uk", "ur", "uz", "vi", "zu",
];

/// The locale that `code` stands for; `None` if it is not in the table.
pub(super) fn parse(code: &str) -> Option<Locale> {
    CODES.contains(&code).then(|| Locale::parse(code)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_is_a_locale() {
        assert!(CODES.iter().all(|code| parse(code).is_some()));
        for other in ["", "EN", "en-US", "tlh", "en_XX"] {
            assert!(parse(other).is_none(), "{other}");
        }
    }
}

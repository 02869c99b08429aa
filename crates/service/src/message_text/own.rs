//! The operator's own texts, in the place of the built-in ones.

use registration::{Locale, VerificationCode};

use super::{CODE, segments};

/// Texts of SMS by language tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnTexts(Vec<(String, String)>);

/// Why a text cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// Without it the message has no code.
    #[error("has no {{code}}, which stands for the code")]
    NoCode,
    /// Each SMS costs, and not all telephones join them.
    #[error(
        "takes {0} SMS with a code in it; shorten it to one (160 letters of the GSM alphabet, else 70)"
    )]
    TooLong(usize),
    /// A telephone shows nothing sensible.
    #[error("has control characters")]
    Control,
    /// Matching needs it.
    #[error("the language is no BCP 47 tag such as \"de\" or \"pt-BR\"")]
    NoLanguage,
}

impl OwnTexts {
    /// Takes a text for a language; `{code}` stands for the code, and the whole must fit one SMS with
    /// the code in two groups.
    pub fn add(&mut self, language: &str, text: &str) -> Result<(), TextFault> {
        if Locale::parse(language).is_none() {
            return Err(TextFault::NoLanguage);
        }
        if !text.contains(CODE) {
            return Err(TextFault::NoCode);
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(TextFault::Control);
        }
        let needed = segments(&text.replace(CODE, "123-456"));
        if needed > 1 {
            return Err(TextFault::TooLong(needed));
        }
        self.0.push((normal(language), text.to_owned()));
        Ok(())
    }

    /// The SMS in the closest language there is a text for, if there is one: `pt-BR`, then `pt`
    /// (RFC 4647 §3.4, lookup).
    #[must_use]
    pub fn sms(&self, locale: &Locale, code: &VerificationCode, grouped: bool) -> Option<String> {
        let mut tag = normal(locale.as_str());
        let text = loop {
            if let Some(text) = self.text(&tag) {
                break text;
            }
            let shorter = tag.rfind('-')?;
            tag.truncate(shorter);
        };
        Some(if grouped {
            text.replace(CODE, &code.reveal_grouped())
        } else {
            text.replace(CODE, code.reveal())
        })
    }

    fn text(&self, tag: &str) -> Option<&str> {
        self.0.iter().find(|(language, _)| language == tag).map(|(_, text)| text.as_str())
    }
}

fn normal(tag: &str) -> String {
    tag.replace('_', "-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> VerificationCode {
        VerificationCode::parse("012830").unwrap()
    }

    #[test]
    fn the_closest_language_is_taken_and_the_code_is_shown_as_the_dialect_does() {
        let mut own = OwnTexts::default();
        own.add("pt", "PT {code}").unwrap();
        own.add("pt_BR", "BR {code}").unwrap();
        own.add("zh-Hant", "HANT {code}").unwrap();
        for (asked, text) in [
            ("pt-BR", Some("BR 012830")),
            ("PT_br", Some("BR 012830")),
            ("pt-PT", Some("PT 012830")),
            ("pt", Some("PT 012830")),
            ("zh-Hant-TW", Some("HANT 012830")),
            ("zh", None),
            ("en", None),
        ] {
            let locale = Locale::parse(asked).unwrap();
            assert_eq!(own.sms(&locale, &code(), false).as_deref(), text, "{asked}");
        }
        let locale = Locale::parse("pt").unwrap();
        assert_eq!(own.sms(&locale, &code(), true).as_deref(), Some("PT 012-830"));
    }

    #[test]
    fn a_text_fits_one_sms_and_has_its_code() {
        let mut own = OwnTexts::default();
        let gsm = |letters| format!("{{code}}{}", "a".repeat(letters));
        let other = |letters| format!("{{code}}{}", "я".repeat(letters));
        for (language, text, expected) in [
            ("en", gsm(153), Ok(())),
            ("en", gsm(154), Err(TextFault::TooLong(2))),
            ("ru", other(63), Ok(())),
            ("ru", other(64), Err(TextFault::TooLong(2))),
            ("en", "no code".to_owned(), Err(TextFault::NoCode)),
            ("en", "{code}\u{7}".to_owned(), Err(TextFault::Control)),
            ("e", "{code}".to_owned(), Err(TextFault::NoLanguage)),
        ] {
            assert_eq!(own.add(language, &text), expected, "{language} {text}");
        }
    }
}

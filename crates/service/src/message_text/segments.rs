//! How many SMS a text takes (3GPP TS 23.038 §6.2.1 and TS 23.040 §9.2.3.24.1).

/// The two alphabets of an SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsAlphabet {
    /// The GSM default alphabet and its extension: 7 bits per character.
    Gsm7,
    /// UTF-16 for everything else: 16 bits per unit.
    Ucs2,
}

/// The alphabet that `text` needs.
#[must_use]
pub fn alphabet(text: &str) -> SmsAlphabet {
    if text.chars().all(|c| septets(c).is_some()) { SmsAlphabet::Gsm7 } else { SmsAlphabet::Ucs2 }
}

/// How many SMS `text` takes; an empty text takes one.
///
/// A single SMS holds 160 or 70 units. Several hold 153 or 67 each, since a header joins them, and
/// neither an escaped character nor a surrogate pair is cut in two.
#[must_use]
pub fn segments(text: &str) -> usize {
    match alphabet(text) {
        SmsAlphabet::Gsm7 => pack(text.chars().filter_map(septets), 160, 153),
        SmsAlphabet::Ucs2 => pack(text.chars().map(char::len_utf16), 70, 67),
    }
}

/// Characters of one septet, in the order of their codes (0x1B, the escape, left out).
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Characters that take an escape and a second septet.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

fn pack(widths: impl Iterator<Item = usize> + Clone, single: usize, joined: usize) -> usize {
    if widths.clone().sum::<usize>() <= single {
        return 1;
    }
    let (count, _) = widths.fold((1, 0), |(count, used), width| {
        if used + width > joined { (count + 1, width) } else { (count, used + width) }
    });
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gsm_alphabet_has_all_its_characters() {
        assert_eq!(BASIC.chars().count(), 127, "128 codes without the escape");
        assert_eq!(alphabet(BASIC), SmsAlphabet::Gsm7);
        assert_eq!(alphabet(EXTENSION), SmsAlphabet::Gsm7);
        for c in ['ç', 'á', 'ó', 'ú', 'ê', '`', '’', '\u{1b}', 'я', '码', '😀'] {
            assert_eq!(alphabet(&c.to_string()), SmsAlphabet::Ucs2, "{c:?}");
        }
    }

    #[test]
    fn a_text_is_cut_where_the_standard_cuts_it() {
        for (text, count) in [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            // An escaped character takes two septets and is not cut.
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            (format!("{}€{}", "a".repeat(152), "a".repeat(151)), 2),
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), 3),
            ("я".repeat(70), 1),
            ("я".repeat(71), 2),
            ("я".repeat(134), 2),
            ("я".repeat(135), 3),
            // A character outside the basic plane takes two units and is not cut.
            ("😀".repeat(35), 1),
            ("😀".repeat(66), 2),
            ("😀".repeat(67), 3),
        ] {
            assert_eq!(segments(&text), count, "{text}");
        }
    }
}

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

/// Codes of [`EXTENSION`], in its order (3GPP TS 23.038 §6.2.1.1).
const EXTENSION_CODES: [u8; 10] = [0x0a, 0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65];

/// Announces a code of the extension.
const ESCAPE: u8 = 0x1b;

/// `text` in the GSM default alphabet, one septet an octet; `None` if it needs the other alphabet.
#[must_use]
pub fn gsm_septets(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    for c in text.chars() {
        if let Some(place) = BASIC.chars().position(|known| known == c) {
            // The escape stands at its place in the standard's table, not in ours.
            let place = u8::try_from(place).ok()?;
            octets.push(if place < ESCAPE { place } else { place + 1 });
        } else {
            let place = EXTENSION.chars().position(|known| known == c)?;
            octets.extend([ESCAPE, EXTENSION_CODES[place]]);
        }
    }
    Some(octets)
}

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
    fn characters_have_the_codes_of_the_standard() {
        for (text, octets) in [
            ("@£$", vec![0x00, 0x01, 0x02]),
            ("\n_ \u{20}A", vec![0x0a, 0x11, 0x20, 0x20, 0x41]),
            ("ΞÆ", vec![0x1a, 0x1c]),
            ("az09", vec![0x61, 0x7a, 0x30, 0x39]),
            ("¡Ä§¿äà", vec![0x40, 0x5b, 0x5f, 0x60, 0x7b, 0x7f]),
            ("€[~]", vec![0x1b, 0x65, 0x1b, 0x3c, 0x1b, 0x3d, 0x1b, 0x3e]),
        ] {
            assert_eq!(gsm_septets(text), Some(octets), "{text}");
        }
        assert_eq!(gsm_septets("ç"), None);
        assert_eq!(gsm_septets(BASIC).map(|octets| octets.len()), Some(127));
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

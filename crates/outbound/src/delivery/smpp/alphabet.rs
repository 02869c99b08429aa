//! The octets of a text (SMPP 3.4 §5.2.19, 3GPP TS 23.038).

use rusmpp::values::DataCoding;
use service::message_text::gsm_septets;

/// What an SMSC takes a text for that names no alphabet (`data_coding` 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DefaultAlphabet {
    /// The GSM default alphabet, one septet an octet: the rule in mobile networks.
    #[default]
    Gsm,
    /// ISO 8859-1, as some aggregators have it.
    Latin1,
}

/// `text` in the SMSC's default alphabet if that has all its characters, else in UCS-2.
pub(super) fn encode(text: &str, default: DefaultAlphabet) -> (DataCoding, Vec<u8>) {
    let short = match default {
        DefaultAlphabet::Gsm => gsm_septets(text),
        DefaultAlphabet::Latin1 => text.chars().map(|c| u8::try_from(c).ok()).collect(),
    };
    match short {
        Some(octets) => (DataCoding::McSpecific, octets),
        None => (DataCoding::Ucs2, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_alphabet_is_taken_where_it_has_every_character() {
        use DefaultAlphabet::{Gsm, Latin1};
        for (text, default, coding, octets) in [
            ("@1", Gsm, DataCoding::McSpecific, vec![0x00, 0x31]),
            ("@1", Latin1, DataCoding::McSpecific, vec![0x40, 0x31]),
            ("é", Gsm, DataCoding::McSpecific, vec![0x05]),
            ("é", Latin1, DataCoding::McSpecific, vec![0xe9]),
            ("ç", Gsm, DataCoding::Ucs2, vec![0x00, 0xe7]),
            ("я", Latin1, DataCoding::Ucs2, vec![0x04, 0x4f]),
            ("😀", Gsm, DataCoding::Ucs2, vec![0xd8, 0x3d, 0xde, 0x00]),
        ] {
            assert_eq!(encode(text, default), (coding, octets), "{text} {default:?}");
        }
    }
}

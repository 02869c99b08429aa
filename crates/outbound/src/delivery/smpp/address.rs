//! Who sends and who receives, as an SMSC wants to know it (SMPP 3.4 §5.2.5, §5.2.6).

use registration::PhoneNumber;
use rusmpp::types::COctetString;
use rusmpp::values::{Npi, Ton};

/// An address field with its type and plan.
pub(super) struct Address {
    pub(super) ton: Ton,
    pub(super) npi: Npi,
    pub(super) digits: COctetString<1, 21>,
}

/// Longest short code; longer strings of digits are numbers with country code.
const SHORT_CODE_DIGITS_MAX: usize = 8;

/// Longest name that a telephone shows (3GPP TS 23.040 §9.1.2.5: eleven septets).
const NAME_CHARACTERS_MAX: usize = 11;

/// The number to reach: international, without `+`.
pub(super) fn destination(number: PhoneNumber) -> Address {
    let digits = COctetString::from_string(number.digits());
    Address {
        ton: Ton::International,
        npi: Npi::Isdn,
        digits: digits.expect("at most 15 digits fit into 20"),
    }
}

/// The sender shown: a number with country code, a short code, or a name. None: the SMSC's choice.
///
/// An error says what an originator must look like.
pub(super) fn source(originator: Option<&str>) -> Result<Address, &'static str> {
    let Some(shown) = originator.filter(|shown| !shown.is_empty()) else {
        return Ok(Address { ton: Ton::Unknown, npi: Npi::Unknown, digits: COctetString::null() });
    };
    let digits = shown.strip_prefix('+').unwrap_or(shown);
    let (ton, npi, text) = if digits.bytes().all(|b| b.is_ascii_digit()) {
        if digits.len() > SHORT_CODE_DIGITS_MAX || shown.starts_with('+') {
            (Ton::International, Npi::Isdn, digits)
        } else {
            (Ton::NetworkSpecific, Npi::Unknown, digits)
        }
    } else {
        (Ton::Alphanumeric, Npi::Unknown, shown)
    };
    let name = ton == Ton::Alphanumeric;
    let length_max = if name { NAME_CHARACTERS_MAX } else { PhoneNumber::DIGITS_MAX };
    let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !printable || text.is_empty() || text.len() > length_max {
        return Err(
            "an originator is a number, a short code, or a name of at most 11 ASCII characters",
        );
    }
    let digits = COctetString::from_string(text.to_owned());
    Ok(Address { ton, npi, digits: digits.map_err(|_| "the originator does not fit")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_originator_tells_its_own_type() {
        for (shown, ton, npi, text) in [
            (None, Ton::Unknown, Npi::Unknown, ""),
            (Some(""), Ton::Unknown, Npi::Unknown, ""),
            (Some("+447700900100"), Ton::International, Npi::Isdn, "447700900100"),
            (Some("447700900100"), Ton::International, Npi::Isdn, "447700900100"),
            (Some("12345"), Ton::NetworkSpecific, Npi::Unknown, "12345"),
            (Some("Rollcall"), Ton::Alphanumeric, Npi::Unknown, "Rollcall"),
            (Some("A 1-2"), Ton::Alphanumeric, Npi::Unknown, "A 1-2"),
        ] {
            let address = source(shown).expect("sound");
            assert_eq!((address.ton, address.npi, address.digits.as_str()), (ton, npi, text));
        }
        for shown in ["twelve chars", "Größe", "a\nb", "+", "1234567890123456"] {
            assert!(source(Some(shown)).is_err(), "{shown}");
        }
    }
}

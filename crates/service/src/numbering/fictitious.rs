//! Numbers that belong to nobody, by promise of those who hand numbers out.

use core::ops::RangeInclusive;

use registration::{NumberKind, PhoneNumber};

use super::{Region, library};

/// Numbers in a row that are reserved for fiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FictitiousRange {
    /// First number, country code included.
    pub first: u64,
    /// Last number, country code included.
    pub last: u64,
    /// Country.
    pub region: Region,
    /// What real numbers of this range's neighbourhood are for.
    pub kind: NumberKind,
    /// Who promises that.
    pub source: &'static str,
}

/// The kind of a fictitious number; `None` if the number may belong to somebody.
///
/// Covers [`FICTITIOUS`] and, in North America, lines 555-0100 to 555-0199 of every geographic area
/// code (ATIS-0300115). The toll-free and premium codes are left out: there the lines are not
/// reserved.
#[must_use]
pub fn fictitious(number: PhoneNumber) -> Option<NumberKind> {
    reserved(number).map(|range| range.kind).or_else(|| north_american(number))
}

/// The row of [`FICTITIOUS`] that holds `number`.
pub(super) fn reserved(number: PhoneNumber) -> Option<&'static FictitiousRange> {
    let whole = number.as_u64();
    FICTITIOUS.iter().find(|range| (range.first..=range.last).contains(&whole))
}

fn north_american(number: PhoneNumber) -> Option<NumberKind> {
    const NUMBERS: RangeInclusive<u64> = digits("1 200 000 0000")..=digits("1 999 999 9999");
    const LINES: RangeInclusive<u64> = digits("555 0100")..=digits("555 0199");
    const SEVEN_DIGITS: u64 = 10_000_000;
    let whole = number.as_u64();
    if !NUMBERS.contains(&whole) || !LINES.contains(&(whole % SEVEN_DIGITS)) {
        return None;
    }
    let (kind, _) = library::classify(1, &number.digits()[1..])?;
    let geographic =
        matches!(kind, NumberKind::FixedLine | NumberKind::Mobile | NumberKind::FixedLineOrMobile);
    geographic.then_some(kind)
}

/// Ranges by country; none overlap.
pub const FICTITIOUS: &[FictitiousRange] = {
    use NumberKind::{
        FixedLine, FixedLineOrMobile, Mobile, PremiumRate, SharedCost, TollFree, UniversalAccess,
    };
    &[
        row(*b"US", FixedLineOrMobile, META, "1 555 000 0000", "1 555 999 9999"),
        row(*b"FR", FixedLine, ARCEP, "33 1 99 00 00 00", "33 1 99 00 99 99"),
        row(*b"FR", FixedLine, ARCEP, "33 2 61 91 00 00", "33 2 61 91 99 99"),
        row(*b"FR", FixedLine, ARCEP, "33 3 53 01 00 00", "33 3 53 01 99 99"),
        row(*b"FR", FixedLine, ARCEP, "33 4 65 71 00 00", "33 4 65 71 99 99"),
        row(*b"FR", FixedLine, ARCEP, "33 5 36 49 00 00", "33 5 36 49 99 99"),
        row(*b"FR", Mobile, ARCEP, "33 6 39 98 00 00", "33 6 39 98 99 99"),
        row(*b"GB", FixedLine, OFCOM, "44 113 496 0000", "44 113 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 114 496 0000", "44 114 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 115 496 0000", "44 115 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 116 496 0000", "44 116 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 117 496 0000", "44 117 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 118 496 0000", "44 118 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 121 496 0000", "44 121 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 131 496 0000", "44 131 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 141 496 0000", "44 141 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 151 496 0000", "44 151 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 161 496 0000", "44 161 496 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 1632 960 000", "44 1632 960 999"),
        row(*b"GB", FixedLine, OFCOM, "44 191 498 0000", "44 191 498 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 20 7946 0000", "44 20 7946 0999"),
        row(*b"GB", FixedLine, OFCOM, "44 29 2018 0000", "44 29 2018 0999"),
        row(*b"GB", UniversalAccess, OFCOM, "44 3069 990 000", "44 3069 990 999"),
        row(*b"GB", Mobile, OFCOM, "44 7700 900 000", "44 7700 900 999"),
        row(*b"GB", TollFree, OFCOM, "44 8081 570 000", "44 8081 570 999"),
        row(*b"GB", PremiumRate, OFCOM, "44 909 8790 000", "44 909 8790 999"),
        row(*b"DE", FixedLine, BNETZA, "49 30 23125 000", "49 30 23125 999"),
        row(*b"DE", FixedLine, BNETZA, "49 40 66969 000", "49 40 66969 999"),
        row(*b"DE", FixedLine, BNETZA, "49 69 90009 000", "49 69 90009 999"),
        row(*b"DE", FixedLine, BNETZA, "49 89 99998 000", "49 89 99998 999"),
        row(*b"DE", Mobile, BNETZA, "49 152 28817386", "49 152 28817386"),
        row(*b"DE", Mobile, BNETZA, "49 171 39200 00", "49 171 39200 99"),
        row(*b"DE", FixedLine, BNETZA, "49 221 4710 000", "49 221 4710 999"),
        row(*b"AU", FixedLine, ACMA, "61 2 5550 0000", "61 2 5550 9999"),
        row(*b"AU", FixedLine, ACMA, "61 2 7010 0000", "61 2 7010 9999"),
        row(*b"AU", FixedLine, ACMA, "61 3 5550 0000", "61 3 5550 9999"),
        row(*b"AU", FixedLine, ACMA, "61 3 7010 0000", "61 3 7010 9999"),
        row(*b"AU", Mobile, ACMA, "61 491 570 006", "61 491 570 006"),
        row(*b"AU", Mobile, ACMA, "61 491 570 110", "61 491 570 110"),
        row(*b"AU", Mobile, ACMA, "61 491 570 156", "61 491 570 159"),
        row(*b"AU", Mobile, ACMA, "61 491 570 313", "61 491 570 313"),
        row(*b"AU", Mobile, ACMA, "61 491 570 737", "61 491 570 737"),
        row(*b"AU", FixedLine, ACMA, "61 7 5550 0000", "61 7 5550 9999"),
        row(*b"AU", FixedLine, ACMA, "61 7 7010 0000", "61 7 7010 9999"),
        row(*b"AU", FixedLine, ACMA, "61 8 5550 0000", "61 8 5550 9999"),
        row(*b"AU", FixedLine, ACMA, "61 8 7010 0000", "61 8 7010 9999"),
        row(*b"AU", SharedCost, ACMA, "61 1300 975 707", "61 1300 975 711"),
        row(*b"AU", TollFree, ACMA, "61 1800 975 707", "61 1800 975 711"),
    ]
};

/// Meta hands out test and virtual business numbers in area code 555, which the North American
/// plan does not assign. They exist on WhatsApp only, and callers paste them from its documentation.
const META: &str = "Meta, business numbers in the unassigned area code 555";
const ARCEP: &str = "ARCEP, decision 2018-0881, numbers for audiovisual works";
const OFCOM: &str = "Ofcom, telephone numbers for use in TV and radio drama programmes";
const BNETZA: &str = "Bundesnetzagentur, Mitteilung 148/2021, Rufnummern für Medienproduktionen";
const ACMA: &str = "ACMA, phone numbers for use in TV shows, films and creative works";

/// A row from the first and the last number, written in groups.
const fn row(
    region: [u8; 2],
    kind: NumberKind,
    source: &'static str,
    first: &str,
    last: &str,
) -> FictitiousRange {
    let region = Region::new(region).expect("two capital letters, checked at compile time");
    FictitiousRange { first: digits(first), last: digits(last), region, kind, source }
}

/// The digits of `text` as one number; spaces do not count.
const fn digits(text: &str) -> u64 {
    let (mut rest, mut value) = (text.as_bytes(), 0);
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if byte.is_ascii_digit() {
            value = value * 10 + (*byte - b'0') as u64;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(whole: u64) -> PhoneNumber {
        PhoneNumber::parse(&whole.to_string()).unwrap()
    }

    #[test]
    fn no_two_ranges_overlap() {
        let mut ranges: Vec<_> = FICTITIOUS.iter().map(|range| (range.first, range.last)).collect();
        ranges.sort_unstable();
        assert!(ranges.iter().all(|(first, last)| first <= last), "{ranges:?}");
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ranges:?}");
    }

    #[test]
    fn a_range_holds_its_ends_and_nothing_beyond() {
        for range in FICTITIOUS {
            assert_eq!(fictitious(number(range.first)), Some(range.kind), "{range:?}");
            assert_eq!(fictitious(number(range.last)), Some(range.kind), "{range:?}");
        }
        for outside in [
            digits("44 7700 899 999"),
            digits("44 7700 901 000"),
            digits("33 6 39 97 99 99"),
            digits("61 491 570 007"),
            digits("1 000 000"),
        ] {
            assert_eq!(fictitious(number(outside)), None, "{outside}");
        }
    }

    #[test]
    fn north_america_has_a_hundred_lines_in_each_geographic_area_code() {
        let either = Some(NumberKind::FixedLineOrMobile);
        for (whole, kind) in [
            (digits("1 212 555 0100"), either),
            (digits("1 415 555 0199"), either),
            (digits("1 876 555 0123"), Some(NumberKind::Mobile)),
            (digits("1 212 555 0099"), None),
            (digits("1 212 555 0200"), None),
            (digits("1 800 555 0199"), None),
            (digits("1 900 555 0100"), None),
        ] {
            assert_eq!(fictitious(number(whole)), kind, "{whole}");
        }
    }

    #[test]
    fn there_are_members_for_each_channel_rule() {
        for (sms, voice) in [(true, true), (false, true), (false, false)] {
            let has = |range: &FictitiousRange| {
                let channels = range.kind.channels();
                (channels.sms, channels.voice) == (sms, voice)
            };
            assert!(FICTITIOUS.iter().any(has), "sms {sms}, voice {voice}");
        }
    }
}

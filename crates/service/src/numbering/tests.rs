//! Numbers as callers send them, and a comparison with an independent port.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Expected: whole digits, region, kind.
type Expected = (&'static str, &'static str, NumberKind);

fn shown(planned: &Planned) -> (String, String, NumberKind) {
    let region = planned.region.map(|region| region.to_string()).unwrap_or_default();
    (planned.number.digits(), region, planned.kind)
}

fn assert_planned(result: Result<Planned, NumberFault>, expected: Expected, case: &str) {
    let (digits, region, kind) = expected;
    let planned = result.unwrap_or_else(|fault| panic!("{case}: {fault}"));
    assert_eq!(shown(&planned), (digits.into(), region.into(), kind), "{case}");
}

#[test]
fn a_number_is_read_as_callers_send_it() {
    use NumberKind::{FixedLine, FixedLineOrMobile, Mobile, SharedCost, TollFree};
    for (cc, national, expected) in [
        ("49", "15228817386", ("4915228817386", "DE", Mobile)),
        // Trunk prefix of Germany, the United Kingdom, Russia, Argentina.
        ("49", "015228817386", ("4915228817386", "DE", Mobile)),
        ("44", "07700900123", ("447700900123", "GB", Mobile)),
        ("7", "88001234567", ("78001234567", "RU", TollFree)),
        ("54", "0111523456789", ("5491123456789", "AR", Mobile)),
        ("54", "1123456789", ("541123456789", "AR", FixedLine)),
        // Mexico's former mobile prefix.
        ("52", "12221234567", ("522221234567", "MX", FixedLineOrMobile)),
        // Country code repeated, alone and with a trunk prefix behind.
        ("33", "33639981234", ("33639981234", "FR", Mobile)),
        ("44", "4407700900123", ("447700900123", "GB", Mobile)),
        ("1", "12125550123", ("12125550123", "US", FixedLineOrMobile)),
        // Not a repetition: an Italian mobile number of series 39x, a German fixed line in 49….
        ("49", "49151234567", ("4949151234567", "DE", FixedLine)),
        ("39", "3912345678", ("393912345678", "IT", Mobile)),
        // Zeros that are part of the number stay; lost ones come back.
        ("39", "0212345678", ("390212345678", "IT", FixedLine)),
        ("39", "212345678", ("390212345678", "IT", FixedLine)),
        ("225", "0123456789", ("2250123456789", "CI", Mobile)),
        ("225", "123456789", ("2250123456789", "CI", Mobile)),
        // One national range, three countries.
        ("1", "8002345678", ("18002345678", "US", TollFree)),
        ("61", "1800975707", ("611800975707", "AU", TollFree)),
        ("44", "8081570123", ("448081570123", "GB", TollFree)),
        // Numbers of the whole world.
        ("800", "12345678", ("80012345678", "", TollFree)),
        ("808", "12345678", ("80812345678", "", SharedCost)),
        // Shared codes: the digits tell the country.
        ("1", "2423456789", ("12423456789", "BS", FixedLine)),
        ("7", "7710009998", ("77710009998", "KZ", Mobile)),
    ] {
        assert_planned(plan(cc, national), expected, &format!("{cc} {national}"));
    }
}

#[test]
fn a_number_in_one_piece_is_read_with_or_without_plus() {
    use NumberKind::{FixedLineOrMobile, Mobile, TollFree};
    for (digits, expected) in [
        ("8613123456789", ("8613123456789", "CN", Mobile)),
        ("+8613123456789", ("8613123456789", "CN", Mobile)),
        ("+4407700900123", ("447700900123", "GB", Mobile)),
        ("+12125550123", ("12125550123", "US", FixedLineOrMobile)),
        ("15550783881", ("15550783881", "US", FixedLineOrMobile)),
        ("80012345678", ("80012345678", "", TollFree)),
    ] {
        assert_planned(plan_e164(digits), expected, digits);
    }
}

#[test]
fn what_is_no_number_is_refused_for_its_reason() {
    use NumberFault::{NotAssigned, NotDigits, ShortCode, TooLong, TooShort, UnknownCountryCode};
    for (cc, national, fault) in [
        ("49", "0152-28817386", NotDigits),
        ("+49", "15228817386", NotDigits),
        ("49", "+4915228817386", NotDigits),
        ("４９", "15228817386", NotDigits),
        ("", "15228817386", UnknownCountryCode),
        ("0", "15228817386", UnknownCountryCode),
        ("049", "15228817386", UnknownCountryCode),
        ("999", "15228817386", UnknownCountryCode),
        ("210", "15228817386", UnknownCountryCode),
        ("1234", "5678901", UnknownCountryCode),
        ("49", "110", ShortCode),
        ("1", "911", ShortCode),
        ("1", "32665", ShortCode),
        ("44", "118118", ShortCode),
        ("49", "", TooShort),
        ("49", "11", TooShort),
        ("1", "5550123", TooShort),
        ("1", "212555012345", TooLong),
        ("33", "6399812345678", TooLong),
        ("49", "111111111111111111111111111111", TooLong),
        ("1", "2001234567", NotAssigned),
        ("33", "000000000", NotAssigned),
    ] {
        assert_eq!(plan(cc, national), Err(fault), "{cc} {national}");
    }
    for (digits, fault) in [
        ("", TooShort),
        ("+", TooShort),
        ("++491522", NotDigits),
        ("86 13123456789", NotDigits),
        ("04915228817386", UnknownCountryCode),
        ("99999999999", UnknownCountryCode),
        ("49110", ShortCode),
        ("21099", ShortCode),
        ("12001234567", NotAssigned),
    ] {
        assert_eq!(plan_e164(digits), Err(fault), "{digits}");
    }
}

#[test]
fn fictitious_numbers_can_be_used_in_every_form() {
    for range in FICTITIOUS {
        for digits in [range.first, range.last] {
            let whole = digits.to_string();
            let planned = plan_e164(&whole).unwrap_or_else(|fault| panic!("{whole}: {fault}"));
            assert_eq!((planned.kind, planned.region), (range.kind, Some(range.region)), "{whole}");
            let again = plan(&planned.country_code.to_string(), &planned.national());
            assert_eq!(again, Ok(planned), "{whole}");
        }
    }
    assert_eq!(plan("33", "0639981234").map(|planned| planned.kind), Ok(NumberKind::Mobile));
}

#[test]
fn the_table_says_of_a_range_what_the_metadata_says_where_it_knows_it() {
    for range in FICTITIOUS {
        let whole = range.first.to_string();
        let (code, national) = split(&whole).unwrap();
        if let Some((kind, region)) = library::classify(code, national) {
            assert_eq!((kind, region), (range.kind, Some(range.region)), "{range:?}");
        }
    }
}

#[test]
fn people_read_a_number_in_groups() {
    for (digits, text) in [
        ("4915228817386", "+49 1522 8817386"),
        ("12125550123", "+1 212-555-0123"),
        ("390212345678", "+39 02 1234 5678"),
        ("447700900123", "+44 7700 900123"),
        ("99999999999", "+99999999999"),
    ] {
        assert_eq!(international_format(PhoneNumber::parse(digits).unwrap()), text);
    }
}

/// Numbers of the golden file on which we differ from the port, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("", "989601", "six digits: PhoneNumber takes seven at least"),
    ("98", "09601", "six digits: PhoneNumber takes seven at least"),
];

#[test]
fn the_golden_file_agrees_on_number_region_and_kind() {
    let exceptions: BTreeMap<_, _> =
        EXCEPTIONS.iter().map(|(cc, national, why)| ((*cc, *national), *why)).collect();
    let mut compared = 0;
    let mut differences = Vec::new();
    for line in include_str!("../../fixtures/numbering/golden.csv").lines().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let &[cc, national, e164, region, kind] = &fields[..] else { panic!("{line}") };
        let planned = if cc.is_empty() { plan_e164(national) } else { plan(cc, national) };
        let ours = planned.as_ref().map_or_else(
            |_| ",,invalid".to_owned(),
            |planned| {
                let (digits, region, kind) = shown(planned);
                format!("{digits},{region},{}", kind.as_str())
            },
        );
        let differs = ours != format!("{e164},{region},{kind}");
        if differs != exceptions.contains_key(&(cc, national)) {
            differences.push(format!("{line} but ours is {ours}"));
        }
        compared += 1;
    }
    assert!(compared > 1500, "{compared}");
    assert!(differences.is_empty(), "{}\n{differences:#?}", differences.len());
}

proptest! {
    #[test]
    fn a_planned_number_is_a_fixed_point(cc in "[0-9]{1,3}", national in "[0-9]{0,25}") {
        if let Ok(planned) = plan(&cc, &national) {
            prop_assert_eq!(plan_e164(&planned.number.digits()), Ok(planned));
            prop_assert_eq!(plan(&planned.country_code.to_string(), &planned.national()), Ok(planned));
        }
    }

    #[test]
    fn no_text_panics(cc in any::<String>(), national in any::<String>()) {
        let _ = plan(&cc, &national);
        let _ = plan_e164(&national);
    }

    #[test]
    fn any_number_can_be_formatted(digits in 1_000_000_u64..1_000_000_000_000_000) {
        let number = PhoneNumber::parse(&digits.to_string()).unwrap();
        let shown: String = international_format(number).chars().filter(char::is_ascii_digit).collect();
        prop_assert_eq!(shown, number.digits());
        let _ = fictitious(number);
    }
}

//! The one place that names `rlibphonenumber`.
//!
//! The fast path asks about given digits and allocates nothing; only a number that is not one as it
//! stands goes through the library's parser.

use std::sync::OnceLock;

use registration::NumberKind;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType,
    Region as LibraryRegion, ValidationError,
};

use super::{NumberFault, Region};

/// Loads the metadata, and compiles the patterns of the 25 countries that share the code 1 by asking
/// about a number of the last of them, the U.S. Virgin Islands.
pub(super) fn warm_up() {
    let _ = classify(1, "3405550123");
}

/// Whether a country, or the whole world, has this calling code.
pub(super) fn is_country_code(code: u16) -> bool {
    PHONE_NUMBER_UTIL.get_region_for_country_code(code.into()).is_some()
}

/// Kind and country of a number; `None` if no range of the plan holds it.
pub(super) fn classify(country_code: u16, national: &str) -> Option<(NumberKind, Option<Region>)> {
    let number = number(country_code, national)?;
    let kind = kind(PHONE_NUMBER_UTIL.get_number_type(&number))?;
    let search = || PHONE_NUMBER_UTIL.get_region_for_number(&number).and_then(region);
    let region = match area(country_code, kind, national) {
        Some(area) => *area.get_or_init(search),
        None => search(),
    };
    Some((kind, region))
}

/// Where the country of a geographic number under the code 1 is remembered: each of its area codes lies in one of the 25
/// countries, and a search asks their patterns one after the other.
fn area(
    country_code: u16,
    kind: NumberKind,
    national: &str,
) -> Option<&'static OnceLock<Option<Region>>> {
    static AREAS: [OnceLock<Option<Region>>; 1000] = [const { OnceLock::new() }; 1000];
    let is_geographic =
        matches!(kind, NumberKind::FixedLine | NumberKind::Mobile | NumberKind::FixedLineOrMobile);
    let code = national.get(..3).filter(|_| country_code == 1 && is_geographic)?;
    AREAS.get(code.parse::<usize>().ok()?)
}

/// The digits as they follow the country code from abroad, if they were given as dialled at home.
pub(super) fn without_trunk_prefix(country_code: u16, national: &str) -> Option<String> {
    let parsed = PHONE_NUMBER_UTIL.parse(format!("+{country_code}{national}"), None).ok()?;
    let stripped = parsed.get_national_significant_number();
    (parsed.country_code == i32::from(country_code) && stripped != national).then_some(stripped)
}

/// Whether the length alone rules the number out.
pub(super) fn length_fault(country_code: u16, national: &str) -> Option<NumberFault> {
    let number = number(country_code, national)?;
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
        Ok(NumberLengthType::IsPossibleLocalOnly) | Err(ValidationError::TooShort) => {
            Some(NumberFault::TooShort)
        }
        Err(ValidationError::TooLong) => Some(NumberFault::TooLong),
        Err(ValidationError::InvalidCountryCode) => Some(NumberFault::UnknownCountryCode),
        Ok(NumberLengthType::IsPossible) | Err(ValidationError::InvalidLength) => None,
    }
}

/// `+`, country code and groups of digits.
pub(super) fn format(country_code: u16, national: &str) -> String {
    number(country_code, national).map_or_else(
        || format!("+{country_code} {national}"),
        |number| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::International).into_owned(),
    )
}

/// The library's form of a number. Zeros in front are counted apart there, all but a last digit.
fn number(country_code: u16, national: &str) -> Option<PhoneNumber> {
    let zeros = national.bytes().take_while(|byte| *byte == b'0').count();
    let zeros = i32::try_from(zeros.min(national.len().saturating_sub(1))).ok()?;
    Some(PhoneNumber {
        country_code: country_code.into(),
        national_number: national.parse().ok()?,
        italian_leading_zero: (zeros > 0).then_some(true),
        number_of_leading_zeros: (zeros > 1).then_some(zeros),
        ..PhoneNumber::default()
    })
}

const fn kind(kind: PhoneNumberType) -> Option<NumberKind> {
    Some(match kind {
        PhoneNumberType::FixedLine => NumberKind::FixedLine,
        PhoneNumberType::Mobile => NumberKind::Mobile,
        PhoneNumberType::FixedLineOrMobile => NumberKind::FixedLineOrMobile,
        PhoneNumberType::TollFree => NumberKind::TollFree,
        PhoneNumberType::PremiumRate => NumberKind::PremiumRate,
        PhoneNumberType::SharedCost => NumberKind::SharedCost,
        PhoneNumberType::VoIP => NumberKind::Voip,
        PhoneNumberType::PersonalNumber => NumberKind::PersonalNumber,
        PhoneNumberType::Pager => NumberKind::Pager,
        PhoneNumberType::UAN => NumberKind::UniversalAccess,
        PhoneNumberType::VoiceMail => NumberKind::Voicemail,
        PhoneNumberType::Unknown => return None,
    })
}

/// The library numbers its regions by their two letters; that of the whole world is no country.
fn region(region: LibraryRegion) -> Option<Region> {
    Region::new((region as u16).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_code_under_1_lies_in_one_country() {
        let mut geographic = 0;
        for area_code in 200..1000 {
            for rest in (2..10).flat_map(|exchange| {
                (0..100).step_by(7).map(move |line| format!("{exchange}{line:02}1234"))
            }) {
                let national = format!("{area_code}{rest}");
                let Some((kind, region)) = classify(1, &national) else { continue };
                if area(1, kind, &national).is_none() {
                    continue;
                }
                geographic += 1;
                let number = number(1, &national).expect("digits");
                let searched = PHONE_NUMBER_UTIL.get_region_for_number(&number);
                assert_eq!(region, searched.and_then(super::region), "+1 {national}");
            }
        }
        assert!(geographic > 30_000, "{geographic}");
    }
}

//! What was decoded and encoded again is decoded to the same.
#![no_main]

use api::cams::parameters::{Parameters, canonical};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let Ok(parameters) = Parameters::parse(input.0, input.1) else { return };
    let encoded = canonical(parameters.iter());
    assert!(encoded.is_ascii());
    let again = Parameters::parse(encoded.as_bytes(), b"").expect("what was encoded can be read");
    assert_eq!(canonical(again.iter()), encoded);
});

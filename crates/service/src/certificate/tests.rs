//! Certificates of every origin, and what hostile ones do (nothing).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use prost::Message;
use registration::{PhoneNumber, TextId, Timestamp, VerifiedName, VerifiedNameError, WabaId};

use super::*;

const SEED: [u8; 32] = [7; 32];
const ISSUED_AT: Timestamp = Timestamp::from_millis(1_763_785_769_000);
const WABA: &str = "102290129340398";

fn authority() -> Authority {
    Authority::new([(3, SEED)]).unwrap()
}

fn new_certificate(waba: &str) -> NewCertificate {
    NewCertificate {
        number: PhoneNumber::parse("4915228817386").unwrap(),
        waba: WabaId::parse(waba).unwrap(),
        name: VerifiedName::parse("Lucky Shrub").unwrap(),
        issued_at: ISSUED_AT,
        serial: 1_234_567_890_123_456,
    }
}

fn provenance(authority: &Authority, text: &str, now: Timestamp) -> Provenance {
    authority.provenance(&Certificate::decode(text).unwrap(), now, LIFETIME)
}

/// A certificate as Meta makes them: its issuer, an opaque link part, and a key that is not ours.
fn foreign(name: &str) -> Vec<u8> {
    let details = wire::Details {
        serial: Some(1_234_567_890_123_456),
        issuer: Some("ent:wa".into()),
        verified_name: Some(name.into()),
        localized_names: Vec::new(),
        issue_time: Some(1_763_785_769),
    };
    let mut link_info = [0x6d; 46];
    link_info.iter_mut().zip(0_u8..).skip(1).for_each(|(byte, i)| *byte = i.wrapping_mul(151));
    payload(&details.encode_to_vec(), &link_info)
}

fn payload(details: &[u8], link_info: &[u8]) -> Vec<u8> {
    let signature = SigningKey::from_bytes(&[9; 32]).sign(details);
    wire::BizAccountPayload {
        vname_cert: Some(wire::VerifiedNameCertificate {
            details: Some(details.to_vec()),
            signature: None,
            server_signature: Some(signature.to_bytes().to_vec()),
        }),
        biz_acct_link_info: Some(link_info.to_vec()),
    }
    .encode_to_vec()
}

/// The outermost message around serialised details.
fn around(details: &[u8]) -> String {
    STANDARD.encode(payload(details, b"mlink"))
}

fn fault(bytes: &[u8]) -> CertificateFault {
    Certificate::decode(&STANDARD.encode(bytes)).unwrap_err()
}

#[test]
fn what_was_issued_is_recognised_with_number_and_waba_until_it_expires() {
    for waba in [WABA, "0102", "cams-waba_1", "18446744073709551615", "18446744073709551616"] {
        let text = authority().issue(&new_certificate(waba));
        let (number, waba) = (new_certificate(waba).number, WabaId::parse(waba).unwrap());
        let expires_at = ISSUED_AT + LIFETIME;
        let last = Timestamp::from_millis(expires_at.as_millis() - 1);
        let own = Provenance::Own { number, waba: waba.clone(), expires_at };
        assert_eq!(provenance(&authority(), &text, ISSUED_AT), own);
        assert_eq!(provenance(&authority(), &text, last), own);
        assert_eq!(
            provenance(&authority(), &text, expires_at),
            Provenance::OwnExpired { number, waba, expires_at }
        );
    }
}

#[test]
fn an_issued_certificate_says_what_was_asked_for() {
    let certificate =
        Certificate::decode(&authority().issue(&new_certificate(WABA))).expect("own certificate");
    assert_eq!(certificate.name.as_str(), "Lucky Shrub");
    assert_eq!(certificate.serial, Some(1_234_567_890_123_456));
    assert_eq!(certificate.issuer, "ent:rollcall");
    assert_eq!(certificate.issued_at, Some(ISSUED_AT));
    assert_eq!(certificate.server_signature.len(), 64);
    let link = wire::BizAccountLinkInfo::decode(&*certificate.link_info).unwrap();
    assert_eq!(link.whatsapp_biz_acct_fbid, Some(102_290_129_340_398));
    assert_eq!(link.whatsapp_acct_number.as_deref(), Some("4915228817386"));
    assert_eq!(link.host_storage(), wire::HostStorageType::OnPremise);
    assert_eq!(link.waba_id, None);
}

#[test]
fn a_new_key_signs_and_the_old_one_still_verifies() {
    let old = authority();
    let both = Authority::new([(4, [8; 32]), (3, SEED)]).unwrap();
    let by_old = old.issue(&new_certificate(WABA));
    let by_new = both.issue(&new_certificate(WABA));
    assert!(matches!(provenance(&both, &by_old, ISSUED_AT), Provenance::Own { .. }));
    assert!(matches!(provenance(&both, &by_new, ISSUED_AT), Provenance::Own { .. }));
    assert_eq!(provenance(&old, &by_new, ISSUED_AT), Provenance::Forged);
    assert!(Authority::new([]).is_none());
}

#[test]
fn a_change_to_any_byte_under_the_signature_makes_it_forged() {
    let good = Certificate::decode(&authority().issue(&new_certificate(WABA))).unwrap();
    let parts: [fn(&mut Certificate) -> &mut Vec<u8>; 3] =
        [|c| &mut c.details, |c| &mut c.link_info, |c| &mut c.server_signature];
    for part in parts {
        for at in 0..part(&mut good.clone()).len() {
            let mut changed = good.clone();
            part(&mut changed)[at] ^= 1 << (at % 8);
            assert_eq!(
                authority().provenance(&changed, ISSUED_AT, LIFETIME),
                Provenance::Forged,
                "byte {at}"
            );
        }
    }
}

#[test]
fn the_link_of_one_certificate_does_not_fit_another() {
    let mut first = Certificate::decode(&authority().issue(&new_certificate(WABA))).unwrap();
    let second = Certificate::decode(&authority().issue(&new_certificate("42"))).unwrap();
    first.link_info = second.link_info;
    assert_eq!(authority().provenance(&first, ISSUED_AT, LIFETIME), Provenance::Forged);
}

#[test]
fn a_foreign_certificate_has_the_documented_byte_layout() {
    for n in [1, 34, 35, 60] {
        let bytes = foreign(&"x".repeat(n));
        // From 35 bytes on, the outermost length takes a second byte (§8.3).
        let shift = usize::from(n >= 35);
        let at = |offset: usize| bytes[offset + shift];
        assert_eq!(bytes[0], 0x0a, "{n}");
        assert_eq!(at(2), 0x0a, "{n}");
        assert_eq!(at(4), 0x08, "{n}");
        assert_eq!(&bytes[13 + shift..21 + shift], b"\x12\x06ent:wa", "{n}");
        assert_eq!((at(21), usize::from(at(22))), (0x22, n));
        assert_eq!(at(23 + n), 0x50, "{n}");
        assert_eq!((at(29 + n), at(30 + n)), (0x1a, 0x40), "{n}");
        assert_eq!((at(95 + n), at(96 + n), at(97 + n)), (0x12, 46, 0x6d), "{n}");
        assert_eq!(bytes.len(), 97 + n + 46 + shift);

        let certificate = Certificate::decode(&STANDARD.encode(&bytes)).unwrap();
        assert_eq!(certificate.name.as_str().len(), n);
        assert_eq!(certificate.issuer, "ent:wa");
        assert_eq!(certificate.account_link(), None);
        assert_eq!(authority().provenance(&certificate, ISSUED_AT, LIFETIME), Provenance::Foreign);
    }
}

#[test]
fn text_is_read_as_callers_paste_it() {
    let bytes = foreign("Lucky Shrub!");
    let expected = Certificate::decode(&STANDARD.encode(&bytes)).unwrap();
    let padded = STANDARD.encode(&bytes);
    assert!(padded.ends_with('='), "the case needs padding to lose");
    let wrapped: String = padded.chars().flat_map(|c| [c, '\n']).collect();
    for text in [STANDARD_NO_PAD.encode(&bytes), wrapped, format!("\t {padded}\r\n")] {
        assert_eq!(Certificate::decode(&text).as_ref(), Ok(&expected));
    }
    let url_safe = URL_SAFE.encode(&bytes);
    assert!(url_safe.contains(['-', '_']), "the case needs the other alphabet");
    for text in [url_safe.as_str(), "ä", "*", "QUJD!", "A", "====", "QQ==QQ=="] {
        assert_eq!(Certificate::decode(text), Err(CertificateFault::NotBase64), "{text}");
    }
}

#[test]
fn the_first_localized_name_stands_in_for_a_missing_one() {
    let localized = |lg: &str, name: &str| wire::LocalizedName {
        lg: Some(lg.into()),
        lc: None,
        verified_name: Some(name.into()),
    };
    let mut details = wire::Details {
        localized_names: vec![localized("de", "Glücksstrauch"), localized("en", "Lucky Shrub")],
        ..Default::default()
    };
    for absent in [None, Some(String::new()), Some("  ".into())] {
        details.verified_name = absent;
        let certificate = Certificate::decode(&around(&details.encode_to_vec())).unwrap();
        assert_eq!(certificate.name.as_str(), "Glücksstrauch");
        assert_eq!(certificate.localized.len(), 2);
        assert_eq!((certificate.serial, certificate.issued_at), (None, None));
    }
    details.localized_names.clear();
    assert_eq!(
        Certificate::decode(&around(&details.encode_to_vec())),
        Err(CertificateFault::NoName)
    );
}

#[test]
fn unknown_fields_are_skipped() {
    let mut details =
        wire::Details { verified_name: Some("Lucky Shrub".into()), ..Default::default() }
            .encode_to_vec();
    // Fields 15, 14, 13, 12 as varint, fixed64, bytes, fixed32, and field 11 as a group.
    details.extend_from_slice(b"\x78\x05\x71--------\x6a\x03abc\x65....\x5b\x08\x01\x5c");
    assert_eq!(Certificate::decode(&around(&details)).unwrap().name.as_str(), "Lucky Shrub");
}

#[test]
fn bytes_that_are_no_certificate_are_malformed() {
    for (what, bytes) in [
        ("vnameCert as fixed32", &b"\x0d...."[..]),
        ("vnameCert as varint", b"\x08\x01"),
        ("a length of 2^64-1", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ("a length of 2^32-1", b"\x0a\xff\xff\xff\xff\x0f"),
        ("a varint of 11 bytes", b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
        ("field number 0", b"\x00\x00"),
        ("the end of no group", b"\x5c"),
        ("wire type 7", b"\x0f\x00"),
        ("a name that is not UTF-8", &payload(b"\x22\x02\xff\xfe", b"")),
        ("a localised name that is not UTF-8", &payload(b"\x42\x04\x1a\x02\xc3\x28", b"")),
        ("a name as varint", &payload(b"\x20\x01", b"")),
        ("a group without end", &payload(b"\x5b", b"")),
    ] {
        let fault = fault(bytes);
        assert!(matches!(fault, CertificateFault::Malformed(_)), "{what}: {fault:?}");
    }
}

#[test]
fn nesting_beyond_a_certificates_own_is_refused() {
    let groups = |n: usize| [vec![0x5b; n], vec![0x5c; n]].concat();
    for (what, bytes) in [
        ("four groups", groups(4)),
        ("two thousand groups", groups(2000)),
        ("groups without end", vec![0x5b; 4000]),
        ("two groups in the details", payload(&groups(2), b"")),
        ("a group in a localised name", payload(b"\x42\x02\x5b\x5c", b"")),
    ] {
        assert_eq!(fault(&bytes), CertificateFault::TooDeep, "{what}");
    }
    for bytes in [groups(3), groups(1).repeat(9), payload(&groups(1), b"")] {
        assert_eq!(fault(&bytes), CertificateFault::NoName, "{bytes:02x?}");
    }
}

#[test]
fn a_name_that_cannot_be_one_is_refused() {
    for (name, error) in
        [("a\nb", VerifiedNameError::Control), (&"x".repeat(257), VerifiedNameError::TooLong)]
    {
        let details = wire::Details { verified_name: Some(name.into()), ..Default::default() };
        assert_eq!(
            fault(&payload(&details.encode_to_vec(), b"")),
            CertificateFault::BadName(error)
        );
    }
    assert_eq!(fault(b""), CertificateFault::NoName);
}

#[test]
fn four_kibibytes_are_read_and_one_byte_more_is_not() {
    let room = 4096 - payload(&[], b"").len();
    let named = wire::Details { verified_name: Some("Name".into()), ..Default::default() };
    let details = named.encode_to_vec();
    // Lengths of details, message and link now take more bytes: fill up by the difference.
    let fill = |link: usize| payload(&details, &vec![0; link]);
    let link = room - details.len() - 1;
    assert_eq!(fill(link).len(), 4096);
    assert!(Certificate::decode(&STANDARD.encode(fill(link))).is_ok());
    assert_eq!(fault(&fill(link + 1)), CertificateFault::TooLarge);
    assert_eq!(fault(&vec![0; 1 << 20]), CertificateFault::TooLarge);
    assert_eq!(Certificate::decode(&" ".repeat(1 << 16)), Err(CertificateFault::NoName));
}

#[test]
fn a_certificate_cut_anywhere_is_never_taken_for_ours() {
    let whole = STANDARD.decode(authority().issue(&new_certificate(WABA))).unwrap();
    for length in 0..whole.len() {
        let text = STANDARD.encode(&whole[..length]);
        if let Ok(certificate) = Certificate::decode(&text) {
            let provenance = authority().provenance(&certificate, ISSUED_AT, LIFETIME);
            assert_eq!(provenance, Provenance::Forged, "cut at {length}");
        }
    }
}

#[test]
fn a_summary_shows_each_fact_on_a_line_and_no_control_character() {
    let text = authority().issue(&new_certificate(WABA));
    let summary = Summary::new(
        &Certificate::decode(&text).unwrap(),
        provenance(&authority(), &text, ISSUED_AT),
    );
    assert_eq!(
        summary.to_string(),
        "Name    Lucky Shrub\n\
         Serial  1234567890123456\n\
         Issuer  ent:rollcall\n\
         Issued  2025-11-22T04:29:29Z\n\
         Number  +4915228817386\n\
         WABA    102290129340398\n\
         Origin  issued here, counts until 2025-12-06T04:29:29Z\n"
    );
    let details = wire::Details {
        issuer: Some("\x1b[2J".into()),
        issue_time: Some(u64::MAX),
        localized_names: vec![wire::LocalizedName {
            lg: Some("de".into()),
            lc: Some("AT".into()),
            verified_name: Some("Wir".into()),
        }],
        ..Default::default()
    };
    let certificate = Certificate::decode(&around(&details.encode_to_vec())).unwrap();
    let shown = Summary::new(&certificate, Provenance::Foreign).to_string();
    assert!(shown.contains("\n        Wir (de-AT)\n"), "{shown}");
    assert!(shown.contains("Issuer  ?[2J\n"), "{shown}");
    assert!(shown.contains("Number  -\nWABA    -\n"), "{shown}");
}

#[test]
fn debug_of_an_authority_shows_no_key() {
    assert_eq!(format!("{:?}", authority()), "Authority { epoch: 3, .. }");
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic_or_pass_for_ours(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(certificate) = Certificate::decode(&STANDARD.encode(&bytes)) {
            let provenance = authority().provenance(&certificate, ISSUED_AT, LIFETIME);
            prop_assert!(matches!(provenance, Provenance::Foreign | Provenance::Forged));
            let _ = Summary::new(&certificate, provenance).to_string();
        }
    }

    #[test]
    fn no_text_makes_decoding_panic(text in any::<String>()) {
        let _ = Certificate::decode(&text);
    }

    #[test]
    fn a_byte_changed_in_a_real_certificate_never_panics(at in 0_usize..160, byte in any::<u8>()) {
        let mut bytes = foreign("Lucky Shrub");
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Certificate::decode(&STANDARD.encode(&bytes));
    }
}

use registration::{Locale, VerificationCode};
use service::speech;

use super::super::sdp::Codec;
use super::*;

fn answer() -> Answer {
    let media = "192.0.2.1:4000".parse().unwrap();
    Answer { media, codec: Codec::Pcmu, telephone_event: Some(101) }
}

fn recording() -> Recording {
    speech::recording(&Locale::english(), &VerificationCode::parse("493027").unwrap())
}

fn pressed(key: u8, timestamp: u8) -> Vec<u8> {
    vec![0x80, 101, 0, 1, 0, 0, 0, timestamp, 0, 0, 0, 9, key, 0x0A, 0, 160]
}

#[test]
fn everything_is_said_in_packets_of_twenty_milliseconds() {
    let recording = recording();
    let mut player = Player::new(&recording, &answer(), [0; 10]);
    let mut said = Vec::new();
    let mut told_after = None;
    while let Some(packet) = player.next() {
        said.extend_from_slice(&packet[12..]);
        if player.told() && told_after.is_none() {
            told_after = Some(said.len());
        }
    }
    assert_eq!(said[..recording.samples.len()], recording.samples[..]);
    assert!(said[recording.samples.len()..].iter().all(|sample| *sample == SILENCE));
    let told_after = told_after.unwrap();
    assert!((recording.told_once..recording.told_once + PACKET_SAMPLES).contains(&told_after));
}

#[test]
fn one_starts_again_but_not_for_ever() {
    let recording = recording();
    let mut player = Player::new(&recording, &answer(), [0; 10]);
    let whole = core::iter::from_fn(|| player.next().map(|_| ())).count();
    for (count, key) in [(0, 2), (0, 11), (whole, 1), (whole, 1), (whole, 1), (0, 1)] {
        player.hear(&pressed(key, u8::try_from(player.repeats).unwrap() + key));
        let said = core::iter::from_fn(|| player.next().map(|_| ())).count();
        assert_eq!(said, count, "after key {key}");
    }
    assert!(player.told());
}

#[test]
fn keys_by_info_are_understood() {
    let request = |body: &str| Request {
        method: rsipstack::sip::Method::Info,
        uri: rsipstack::sip::Uri::default(),
        headers: vec![].into(),
        version: rsipstack::sip::Version::V2,
        body: body.as_bytes().to_vec(),
    };
    for (body, key) in [
        ("Signal=1\r\nDuration=160\r\n", Some(1)),
        ("Signal= 1\r\n", Some(1)),
        ("1", Some(1)),
        ("Signal=#", None),
        ("", None),
        ("\u{0}", None),
    ] {
        assert_eq!(info_key(&request(body)), key, "{body:?}");
    }
}

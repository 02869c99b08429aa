//! Certificates to register with: our own, and such as others issue.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registration::{PhoneNumber, TextId as _, Timestamp, VerifiedName, WabaId};
use service::certificate::NewCertificate;
use service::ports::Clock as _;

use crate::harness::{WABA, World};

/// A certificate of this installation.
pub(crate) fn own(world: &World, number: &str, name: &str) -> String {
    issued(world, number, name, world.clock.now())
}

/// The same, issued fourteen days and a second ago.
pub(crate) fn own_expired(world: &World, number: &str, name: &str) -> String {
    let ago = world.clock.now().as_millis() - (14 * 24 * 60 * 60 + 1) * 1_000;
    issued(world, number, name, Timestamp::from_millis(ago))
}

fn issued(world: &World, number: &str, name: &str, issued_at: Timestamp) -> String {
    world.app.service.keys().authority().issue(&NewCertificate {
        number: PhoneNumber::parse(number).expect("a number"),
        waba: WabaId::parse(WABA).expect("an identifier"),
        name: VerifiedName::parse(name).expect("a name"),
        issued_at,
        serial: 1_234_567_890_123_456,
    })
}

/// The layout of the captured ones, byte by byte (reference §8.3), under a signature of nobody. With a
/// name of 35 bytes and more the outer length takes two bytes and everything behind moves by one.
pub(crate) fn foreign(name: &str) -> String {
    let serial = [0x08, 0xc6, 0xbd, 0xf3, 0xa9, 0xba, 0x84, 0xd2, 0x03];
    let issuer = field(0x12, b"ent:wa");
    let issue_time = [0x50, 0x80, 0xd5, 0xaf, 0x88, 0x06];
    let details = [&serial[..], &issuer, &field(0x22, name.as_bytes()), &issue_time].concat();
    let signature = field(0x1a, &[&[0x5a; 63][..], &[0x0f]].concat());
    let vname = [field(0x0a, &details), signature].concat();
    let link_info = field(0x12, &[&[0x6d][..], &[0xa5; 44]].concat());
    STANDARD.encode([field(0x0a, &vname), link_info].concat())
}

/// A protobuf field of bytes: tag, length in base 128, content.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    let mut length = content.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("seven bits"));
    [&bytes[..], content].concat()
}

//! Cost of a decision without hashing: below 2 µs is asked (the record is cloned for each, as a use case does).
//!
//! `cargo bench -p registration --bench decide`. The four steps of a number's usual way on the On-Premises API: a first
//! code, a wrong guess, the right one with registration in the same step, a second code that comes too soon.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use registration::{
    ChallengeId, ClientId, CodeMaker, CodeMethod, CodeProof, Command, Limits, Locale, NewClaim,
    NumberKind, NumberRecord, PhoneNumber, PhoneNumberId, PinCheck, Platform, Reach, Register,
    RegistrationKey, RequestCode, Requester, TextId, Timestamp, VerificationCode, VerifiedName,
    VerifyCode, WabaId, decide,
};

const CHALLENGE: ChallengeId = ChallengeId(7);

fn id<T: TextId>(text: &str) -> T {
    T::parse(text).expect("an id")
}

fn code(number: u32) -> VerificationCode {
    VerificationCode::from_truncated_mac(number)
}

fn requester() -> Requester {
    Requester { waba: id("102290129340398"), client: Some(id("shop")) }
}

fn register() -> Register {
    let client: ClientId = id("shop");
    Register {
        waba: id::<WabaId>("102290129340398"),
        platform: Platform::OnPremise { client },
        pin: PinCheck::Absent,
        key: RegistrationKey(11),
        restart: false,
        set_pin: None,
        by_backup: None,
    }
}

fn request_code() -> Command {
    Command::RequestCode(RequestCode {
        requester: requester(),
        claim: Some(NewClaim {
            id: id::<PhoneNumberId>("187209379333495"),
            name: VerifiedName::parse("Lucky Shrub").expect("a name"),
            certificate_serial: Some(1),
            needs_review: false,
        }),
        made_by: CodeMaker::Here,
        method: CodeMethod::Sms,
        kind: NumberKind::Mobile,
        locale: Locale::english(),
        pin: Some(PinCheck::Absent),
        fresh_challenge: CHALLENGE,
        key_epoch: 1,
        only_unproven: false,
        register: Some(register()),
        reach: Reach::Open,
        waiting: None,
    })
}

fn verify(submitted: u32) -> Command {
    Command::VerifyCode(VerifyCode {
        requester: requester(),
        submitted: Some(code(submitted)),
        proof: CodeProof::Expected(CHALLENGE, code(123_456)),
        register: Some(register()),
    })
}

fn decisions(criterion: &mut Criterion) {
    let limits = Limits::default();
    let (asked, later) = (Timestamp::from_millis(0), Timestamp::from_millis(5_000));
    let number = PhoneNumber::parse("+447700900123").expect("a number for drama");
    let absent = NumberRecord::absent(number);
    let awaiting = decide(absent.clone(), &request_code(), asked, &limits);
    assert!(awaiting.outcome.is_ok(), "{:?}", awaiting.outcome);
    for (name, record, command, is_accepted) in [
        ("request a code", &absent, request_code(), true),
        ("wrong guess", &awaiting.next, verify(654_321), false),
        ("right guess with registration", &awaiting.next, verify(123_456), true),
        ("a second code too soon", &awaiting.next, request_code(), false),
    ] {
        let decision = decide(record.clone(), &command, later, &limits);
        assert_eq!(decision.outcome.is_ok(), is_accepted, "{name}: {:?}", decision.outcome);
        criterion.bench_function(name, |b| {
            b.iter(|| decide(black_box(record).clone(), black_box(&command), later, &limits));
        });
    }
}

criterion_group!(benches, decisions);
criterion_main!(benches);

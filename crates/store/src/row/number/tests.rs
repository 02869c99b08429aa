use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use registration::{Challenge, ChallengeId, DoubtfulGuesses};

use super::*;

fn id<T: TextId + core::fmt::Debug>() -> impl Strategy<Value = T> {
    vec(prop::sample::select(b"aZ09-_.".to_vec()), 1..=64)
        .prop_map(|bytes| T::parse(&String::from_utf8_lossy(&bytes)).expect("an identifier"))
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn number() -> impl Strategy<Value = PhoneNumber> {
    (1_000_000..1_000_000_000_000_000_u64)
        .prop_map(|digits| PhoneNumber::parse(&digits.to_string()).expect("in range"))
}

/// Names with everything JSON has to escape, and letters of several bytes.
fn name() -> impl Strategy<Value = VerifiedName> {
    let letters = vec!['a', ' ', '"', '\\', '/', 'ß', '\u{1f980}', '\u{2028}'];
    vec(prop::sample::select(letters), 0..256).prop_map(|chars| {
        let text: String = core::iter::once('x').chain(chars).collect();
        VerifiedName::kept(&text).expect("at most 256 characters")
    })
}

fn ladders() -> impl Strategy<Value = Ladder> {
    (any::<u32>(), time(), time()).prop_map(|(taken, first_at, last_at)| Ladder {
        taken,
        first_at,
        last_at,
    })
}

fn windows() -> impl Strategy<Value = Window> {
    vec(time(), 0..4).prop_map(Window)
}

fn budgets() -> impl Strategy<Value = Budgets> {
    let pin = (any::<u32>(), time())
        .prop_map(|(failures, last_failure_at)| PinBudget { failures, last_failure_at });
    let calls = (windows(), windows(), windows());
    (ladders(), ladders(), calls, any::<u32>(), of(time()), pin).prop_map(
        |(sms, voice, calls, failed_in_a_row, locked_since, pin)| Budgets {
            sms,
            voice,
            failed_guesses: calls.0,
            failed_in_a_row,
            locked_since,
            register_calls: calls.1,
            deregister_calls: calls.2,
            pin,
        },
    )
}

fn challenge() -> impl Strategy<Value = Challenge> {
    let times = (time(), time(), of(time()), of(time()), of(time()));
    (any::<u128>(), any::<u32>(), times, any::<(u32, u32)>(), of(id())).prop_map(
        |(id, key_epoch, times, (guesses, count), client)| Challenge {
            id: ChallengeId(id),
            key_epoch,
            created_at: times.0,
            first_asked_at: times.4.unwrap_or(times.0),
            requested_at: times.1,
            guesses,
            last_guess_at: times.2,
            doubtful: DoubtfulGuesses { count, last_at: times.4 },
            pin_proven_at: times.3,
            client,
        },
    )
}

fn phase() -> impl Strategy<Value = ClaimPhase> {
    prop_oneof![
        Just(ClaimPhase::Unverified),
        challenge().prop_map(ClaimPhase::AwaitingCode),
        (time(), of(time()))
            .prop_map(|(since, pin_proven_at)| ClaimPhase::Verified { since, pin_proven_at }),
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    let history = (of(time()), of(time())).prop_map(|(migrating_since, registered_at)| {
        ClaimHistory { migrating_since, registered_at }
    });
    let names = (name(), review(), of(new_name()));
    (id(), id(), names, of(any::<u64>()), time(), phase(), history).prop_map(
        |(
            id,
            waba,
            (name, name_review, new_name),
            certificate_serial,
            added_at,
            phase,
            history,
        )| Claim {
            id,
            waba,
            name,
            name_review,
            new_name,
            certificate_serial,
            added_at,
            phase,
            history,
        },
    )
}

fn review() -> impl Strategy<Value = NameReview> {
    let fault = proptest::sample::select(NameFault::ALL.to_vec());
    prop_oneof![
        Just(NameReview::Pending),
        time().prop_map(|at| NameReview::Approved { at }),
        (time(), fault).prop_map(|(at, why)| NameReview::Declined { at, why }),
    ]
}

fn new_name() -> impl Strategy<Value = NewName> {
    (name(), time(), review(), time()).prop_map(|(name, asked_at, review, until)| NewName {
        name,
        asked_at,
        review,
        until,
    })
}

fn registration() -> impl Strategy<Value = Registration> {
    let platform = prop_oneof![
        Just(Platform::CloudApi),
        id().prop_map(|client| Platform::OnPremise { client }),
    ];
    (id(), id(), platform, time(), time(), any::<u128>()).prop_map(
        |(claim, waba, platform, since, restarting_until, key)| Registration {
            claim,
            waba,
            platform,
            since,
            restarting_until,
            key: RegistrationKey(key),
        },
    )
}

fn record() -> impl Strategy<Value = NumberRecord> {
    let two_step = (any::<String>(), time())
        .prop_map(|(text, set_at)| TwoStep { verifier: PinVerifier::new(&text), set_at });
    (number(), budgets(), of(two_step), vec(claim(), 0..4), of(registration())).prop_map(
        |(number, budgets, two_step, claims, registration)| NumberRecord {
            number,
            budgets,
            two_step,
            claims,
            registration,
        },
    )
}

proptest! {
    #[test]
    fn every_record_survives_the_round_trip(record in record()) {
        let row = NumberRow::of(&record);
        prop_assert_eq!(record_from_body(row.number, &row.body).expect("readable"), record);
    }

    #[test]
    fn a_damaged_body_is_refused_or_read_but_never_panics(record in record(), cut in any::<prop::sample::Index>()) {
        let row = NumberRow::of(&record);
        let at = cut.index(row.body.len());
        if row.body.is_char_boundary(at) {
            prop_assert!(record_from_body(row.number, &row.body[..at]).is_err());
        }
    }
}

#[test]
fn an_untouched_record_takes_two_bytes() {
    let number = PhoneNumber::parse("4915112345667").expect("valid");
    let row = NumberRow::of(&NumberRecord::absent(number));
    assert_eq!(row.body, "{}");
    assert_eq!(row.registered_client, None);
}

#[test]
fn a_bad_row_names_its_place_and_none_of_its_content() {
    let number = PhoneNumber::parse("4915112345667").expect("valid");
    for body in [r#"{"t":"$argon2id$secret"}"#, r#"{"c":[{"i":"a b","w":"w","n":"n","a":0}]}"#] {
        let error = record_from_body(number, body).expect_err(body).to_string();
        assert!(error.starts_with("numbers.body of +49151******67 is damaged"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

use proptest::prelude::*;
use registration::{AccountId, PhoneNumber, Timestamp};

use super::*;
use crate::ports::{EntityKind, EntityRef, EventId};

fn event() -> Event {
    Event {
        id: EventId(0x0123_4567_89ab_cdef),
        at: Timestamp::from_millis(1_800_000_000_000),
        subject: Subject::Number(PhoneNumber::parse("12025550123").expect("fictitious")),
        account: AccountId::parse("default"),
        actor: "onprem:default/admin".to_owned(),
        kind: "code_requested".to_owned(),
        details: r#"{"method":"sms"}"#.to_owned(),
    }
}

fn chain(events: impl IntoIterator<Item = Event>) -> Vec<AuditEntry> {
    let mut previous = genesis();
    (1..)
        .zip(events)
        .map(|(seq, event)| {
            previous = chain_hash(&previous, seq, &event);
            AuditEntry { seq, event, hash: previous }
        })
        .collect()
}

fn verify(entries: &[AuditEntry]) -> Result<ChainVerifier, ChainBreak> {
    let mut verifier = ChainVerifier::new();
    entries.iter().try_for_each(|entry| verifier.push(entry)).map(|()| verifier)
}

fn five() -> Vec<AuditEntry> {
    chain((0..5).map(|n| Event { id: EventId(n), ..event() }))
}

#[test]
fn an_untouched_chain_verifies_from_first_to_last() {
    assert!(ChainVerifier::new().is_empty());
    assert_eq!(ChainVerifier::new().head(), genesis());
    let entries = five();
    let verifier = verify(&entries).expect("untouched");
    assert_eq!((verifier.len(), verifier.head()), (5, entries[4].hash));
}

/// Every way to change one field of an event, each alone.
fn changes() -> Vec<(&'static str, Event)> {
    let entity = |kind, id: &str| Subject::Entity(EntityRef::new(kind, id));
    let number = |text| Subject::Number(PhoneNumber::parse(text).expect("fictitious"));
    vec![
        ("id", Event { id: EventId(1), ..event() }),
        ("at", Event { at: Timestamp::from_millis(1_800_000_000_001), ..event() }),
        ("number", Event { subject: number("12025550124"), ..event() }),
        ("system", Event { subject: Subject::System, ..event() }),
        ("entity", Event { subject: entity(EntityKind::Client, "default"), ..event() }),
        ("entity kind", Event { subject: entity(EntityKind::Account, "default"), ..event() }),
        ("entity id", Event { subject: entity(EntityKind::Client, "default2"), ..event() }),
        ("no account", Event { account: None, ..event() }),
        ("account", Event { account: AccountId::parse("defaulu"), ..event() }),
        ("actor", Event { actor: "operator".to_owned(), ..event() }),
        ("kind", Event { kind: "refused".to_owned(), ..event() }),
        ("details", Event { details: r#"{"method":"sms" }"#.to_owned(), ..event() }),
    ]
}

#[test]
fn changing_any_field_breaks_the_chain_at_that_entry() {
    for (field, changed) in changes() {
        let mut entries = chain([event(), event(), event()]);
        entries[1].event = changed;
        assert_eq!(verify(&entries).expect_err(field), ChainBreak::Mismatch { seq: 2 }, "{field}");
    }
    let mut entries = five();
    entries[1].hash[31] ^= 1;
    assert_eq!(verify(&entries).expect_err("hash"), ChainBreak::Mismatch { seq: 2 });
    entries[1].hash = chain_hash(&entries[0].hash, 2, &event());
    entries[1].event = event();
    assert_eq!(verify(&entries).expect_err("rehashed alone"), ChainBreak::Mismatch { seq: 3 });
}

#[test]
fn all_changes_have_hashes_of_their_own() {
    let mut hashes: Vec<_> =
        changes().iter().map(|(_, event)| chain_hash(&genesis(), 1, event)).collect();
    hashes.push(chain_hash(&genesis(), 1, &event()));
    hashes.push(chain_hash(&genesis(), 2, &event()));
    hashes.push(chain_hash(&[0; 32], 1, &event()));
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

#[test]
fn dropping_swapping_or_inserting_an_entry_breaks_the_chain() {
    let mut dropped = five();
    dropped.remove(2);
    assert_eq!(verify(&dropped).expect_err("gap"), ChainBreak::Gap { expected: 3, found: 4 });
    let mut swapped = five();
    swapped.swap(1, 2);
    assert_eq!(verify(&swapped).expect_err("order"), ChainBreak::Gap { expected: 2, found: 3 });
    let mut doubled = five();
    doubled.insert(1, doubled[0].clone());
    assert_eq!(verify(&doubled).expect_err("twice"), ChainBreak::Gap { expected: 2, found: 1 });
    assert_eq!(
        verify(&five()[1..]).expect_err("no first"),
        ChainBreak::Gap { expected: 1, found: 2 }
    );
}

#[test]
fn renumbering_does_not_hide_what_was_dropped_swapped_or_inserted() {
    let renumbered = |mut entries: Vec<AuditEntry>| {
        for (seq, entry) in (1..).zip(&mut entries) {
            entry.seq = seq;
        }
        verify(&entries).expect_err("tampered")
    };
    let mut dropped = five();
    dropped.remove(2);
    assert_eq!(renumbered(dropped), ChainBreak::Mismatch { seq: 3 });
    let mut swapped = five();
    swapped.swap(1, 2);
    assert_eq!(renumbered(swapped), ChainBreak::Mismatch { seq: 2 });
    let mut inserted = five();
    inserted.insert(1, AuditEntry { seq: 2, event: event(), hash: [7; 32] });
    assert_eq!(renumbered(inserted), ChainBreak::Mismatch { seq: 2 });
}

#[test]
fn after_a_break_the_verifier_stands_behind_the_last_entry_that_held() {
    let entries = five();
    let mut verifier = ChainVerifier::new();
    verifier.push(&entries[0]).expect("first");
    verifier.push(&entries[2]).expect_err("gap");
    assert_eq!((verifier.len(), verifier.head()), (1, entries[0].hash));
    verifier.push(&entries[1]).expect("second");
}

proptest! {
    /// Two neighbouring texts never trade characters: lengths keep them apart.
    #[test]
    fn moving_characters_between_fields_changes_the_hash(
        text in "[a-z]{0,12}", one in 0_usize..13, two in 0_usize..13,
    ) {
        let (one, two) = (one.min(text.len()), two.min(text.len()));
        prop_assume!(one != two);
        let split = |at: usize| Event {
            actor: text[..at].to_owned(), kind: text[at..].to_owned(), ..event()
        };
        prop_assert_ne!(
            chain_hash(&genesis(), 1, &split(one)),
            chain_hash(&genesis(), 1, &split(two))
        );
    }
}

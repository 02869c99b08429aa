//! Records of numbers, and how they are found.

use std::sync::Arc;

use registration::{
    ClaimPhase, NameReview, NumberRecord, PhoneNumber, Platform, Registration, RegistrationKey,
    Timestamp,
};

use super::sample::{
    at, awaiting, claim, claimed, commit, full, held_by, id, is_conflict, number, seed, waba, write,
};
use crate::ports::{
    ClaimMoment, ClaimQuery, EntityRef, EntityWrite, LiveProofs, NumberCounts, NumberKey,
    NumberQuery, NumberWrite, Store, Unit, Versioned,
};

fn held(client: &str) -> NumberKey {
    NumberKey::HeldBy(id(client))
}

fn pending(client: &str) -> NumberKey {
    NumberKey::PendingFor(id(client))
}

async fn find(store: &dyn Store, key: &NumberKey) -> Option<PhoneNumber> {
    store.find_number(key).await.expect("store")
}

pub async fn every_field_of_a_record_is_kept(store: Arc<dyn Store>) {
    seed(&*store).await;
    let mut record = full(number(1));
    write(&*store, 0, record.clone()).await.expect("new");
    let stored = store.number(number(1)).await.expect("store").expect("there");
    assert_eq!(stored, Versioned { version: 1, value: record.clone() });
    if let Some(registration) = &mut record.registration {
        registration.platform = Platform::CloudApi;
    }
    write(&*store, 1, record.clone()).await.expect("version 1");
    let stored = store.number(number(1)).await.expect("store").expect("there");
    assert_eq!(stored, Versioned { version: 2, value: record });
    assert_eq!(store.number(number(2)).await.expect("store"), None);
}

pub async fn a_number_is_found_by_its_client_wherever_it_moves(store: Arc<dyn Store>) {
    seed(&*store).await;
    write(&*store, 0, held_by(number(1), "client-1")).await.expect("new");
    assert_eq!(find(&*store, &held("client-1")).await, Some(number(1)));
    write(&*store, 1, held_by(number(1), "client-2")).await.expect("moved");
    assert_eq!(find(&*store, &held("client-1")).await, None);
    assert_eq!(find(&*store, &held("client-2")).await, Some(number(1)));
    write(&*store, 2, claimed(number(1), ClaimPhase::Unverified)).await.expect("deregistered");
    assert_eq!(find(&*store, &held("client-2")).await, None);
}

pub async fn the_latest_pending_request_of_a_client_is_found(store: Arc<dyn Store>) {
    seed(&*store).await;
    let wait = |n, client, at| claimed(number(n), awaiting(client, at));
    write(&*store, 0, wait(1, Some("client-1"), 10)).await.expect("new");
    write(&*store, 0, wait(2, Some("client-1"), 20)).await.expect("new");
    write(&*store, 0, wait(3, Some("client-2"), 30)).await.expect("new");
    write(&*store, 0, wait(4, None, 40)).await.expect("new");
    assert_eq!(find(&*store, &pending("client-1")).await, Some(number(2)));
    // Asked again for the first.
    write(&*store, 1, wait(1, Some("client-1"), 50)).await.expect("again");
    assert_eq!(find(&*store, &pending("client-1")).await, Some(number(1)));
    // Confirmed: what still waits is found.
    write(&*store, 2, claimed(number(1), ClaimPhase::Unverified)).await.expect("confirmed");
    assert_eq!(find(&*store, &pending("client-1")).await, Some(number(2)));
    // Another client asks for the same claim.
    write(&*store, 1, wait(2, Some("client-2"), 60)).await.expect("taken over");
    assert_eq!(find(&*store, &pending("client-1")).await, None);
    assert_eq!(find(&*store, &pending("client-2")).await, Some(number(2)));
}

pub async fn the_latest_pending_request_of_a_waba_without_a_client_is_found(store: Arc<dyn Store>) {
    seed(&*store).await;
    let wait = |n, client, at| claimed(number(n), awaiting(client, at));
    let of_waba = NumberKey::PendingIn(id("waba-1"));
    write(&*store, 0, wait(1, None, 10)).await.expect("new");
    write(&*store, 0, wait(2, None, 20)).await.expect("new");
    write(&*store, 0, wait(3, Some("client-1"), 30)).await.expect("new");
    assert_eq!(find(&*store, &of_waba).await, Some(number(2)));
    assert_eq!(find(&*store, &NumberKey::PendingIn(id("waba-2"))).await, None);
    write(&*store, 1, wait(1, None, 40)).await.expect("again");
    assert_eq!(find(&*store, &of_waba).await, Some(number(1)));
    write(&*store, 2, claimed(number(1), ClaimPhase::Unverified)).await.expect("confirmed");
    assert_eq!(find(&*store, &of_waba).await, Some(number(2)));
    write(&*store, 1, wait(2, Some("client-1"), 60)).await.expect("asked for by a client");
    assert_eq!(find(&*store, &of_waba).await, None);
    assert_eq!(find(&*store, &pending("client-1")).await, Some(number(2)));
}

pub async fn a_number_is_found_by_its_claims(store: Arc<dyn Store>) {
    seed(&*store).await;
    let by = |name: &str| NumberKey::Claim(id(name));
    let mut record = NumberRecord::absent(number(1));
    record.claims = vec![claim("one", "waba-1", ClaimPhase::Unverified)];
    write(&*store, 0, record.clone()).await.expect("new");
    record.claims.push(claim("two", "waba-2", awaiting(Some("client-1"), 5)));
    write(&*store, 1, record.clone()).await.expect("a second claim");
    assert_eq!(find(&*store, &by("one")).await, Some(number(1)));
    assert_eq!(find(&*store, &by("two")).await, Some(number(1)));
    record.claims.remove(1);
    write(&*store, 2, record).await.expect("given up");
    assert_eq!(find(&*store, &by("one")).await, Some(number(1)));
    assert_eq!(find(&*store, &by("two")).await, None);
    assert_eq!(find(&*store, &pending("client-1")).await, None);
}

pub async fn a_client_holds_one_number(store: Arc<dyn Store>) {
    seed(&*store).await;
    write(&*store, 0, held_by(number(1), "client-1")).await.expect("new");
    assert!(is_conflict(&write(&*store, 0, held_by(number(2), "client-1")).await));
    assert_eq!(store.number(number(2)).await.expect("store"), None);
    // One unit moves the client from one number to the other, in either order.
    for (version, from, to) in [(1, 1, 2), (2, 2, 1)] {
        let taken = NumberWrite { expected: version - 1, record: held_by(number(to), "client-1") };
        let freed = claimed(number(from), ClaimPhase::Unverified);
        let expected = store.number(number(from)).await.expect("store").map_or(0, |it| it.version);
        let expected_to = store.number(number(to)).await.expect("store").map_or(0, |it| it.version);
        let taken = NumberWrite { expected: expected_to, ..taken };
        let numbers = vec![taken, NumberWrite { expected, record: freed }];
        commit(&*store, Unit { numbers, ..Unit::default() }).await.expect("a move");
        assert_eq!(find(&*store, &held("client-1")).await, Some(number(to)));
    }
}

pub async fn clients_can_swap_numbers_in_one_unit(store: Arc<dyn Store>) {
    seed(&*store).await;
    write(&*store, 0, held_by(number(1), "client-1")).await.expect("new");
    write(&*store, 0, held_by(number(2), "client-2")).await.expect("new");
    let numbers = vec![
        NumberWrite { expected: 1, record: held_by(number(1), "client-2") },
        NumberWrite { expected: 1, record: held_by(number(2), "client-1") },
    ];
    commit(&*store, Unit { numbers, ..Unit::default() }).await.expect("a swap");
    assert_eq!(find(&*store, &held("client-1")).await, Some(number(2)));
    assert_eq!(find(&*store, &held("client-2")).await, Some(number(1)));
}

pub async fn a_claim_belongs_to_one_number_and_one_waba_that_exists(store: Arc<dyn Store>) {
    seed(&*store).await;
    let with = |n, name: &str, waba: &str| NumberRecord {
        claims: vec![claim(name, waba, ClaimPhase::Unverified)],
        ..NumberRecord::absent(number(n))
    };
    write(&*store, 0, with(1, "one", "waba-1")).await.expect("new");
    assert!(is_conflict(&write(&*store, 0, with(2, "one", "waba-1")).await), "somebody's claim");
    assert!(is_conflict(&write(&*store, 0, with(2, "two", "waba-9")).await), "no such WABA");
    let remove = |name: &str| Unit {
        entities: vec![EntityWrite::Delete { expected: 1, entity: EntityRef::waba(&id(name)) }],
        ..Unit::default()
    };
    assert!(is_conflict(&commit(&*store, remove("waba-1")).await), "it has a claim");
    commit(&*store, remove("waba-2")).await.expect("it has none");
    // A WABA and a claim of it come into being together.
    let both = Unit {
        entities: vec![EntityWrite::Put { expected: 0, entity: waba("waba-2") }],
        numbers: vec![NumberWrite { expected: 0, record: with(2, "two", "waba-2") }],
        ..Unit::default()
    };
    commit(&*store, both).await.expect("parent first");
}

pub async fn pages_are_in_order_and_filtered(store: Arc<dyn Store>) {
    seed(&*store).await;
    let short = PhoneNumber::parse("4477009").expect("seven digits");
    for n in [3, 1, 2, 40] {
        write(&*store, 0, claimed(number(n), ClaimPhase::Unverified)).await.expect("new");
    }
    write(&*store, 1, held_by(number(2), "client-1")).await.expect("registered");
    let mut second = full(number(41));
    second.claims.truncate(2);
    write(&*store, 0, second).await.expect_err("its client runs number 2");
    write(&*store, 0, NumberRecord::absent(short)).await.expect("new");
    let page = async |query: NumberQuery| {
        let records = store.numbers(&query).await.expect("store");
        records.iter().map(|it| it.number).collect::<Vec<_>>()
    };
    let all = NumberQuery { limit: 99, ..NumberQuery::default() };
    let numbers = |ns: &[u64]| ns.iter().map(|n| number(*n)).collect::<Vec<_>>();
    assert_eq!(page(all.clone()).await, [vec![short], numbers(&[1, 2, 3, 40])].concat());
    assert_eq!(page(NumberQuery { limit: 2, ..all.clone() }).await, [short, number(1)]);
    assert_eq!(page(NumberQuery { limit: 0, ..all.clone() }).await, []);
    let after = Some(number(2));
    assert_eq!(page(NumberQuery { after, ..all.clone() }).await, numbers(&[3, 40]));
    let registered = |it| NumberQuery { registered: Some(it), ..all.clone() };
    assert_eq!(page(registered(true)).await, numbers(&[2]));
    assert_eq!(page(registered(false)).await, [vec![short], numbers(&[1, 3, 40])].concat());
    for (prefix, expected) in [
        ("", 5),
        ("44", 5),
        ("4477009", 5),
        ("44770090000", 3),
        ("447700900040", 1),
        ("4477009000400", 0),
        ("+44", 0),
        ("04", 0),
        ("x", 0),
    ] {
        let query = NumberQuery { prefix: Some(prefix.into()), ..all.clone() };
        assert_eq!(page(query).await.len(), expected, "{prefix:?}");
    }
    let wabas = |names: &[&str]| NumberQuery {
        wabas: Some(names.iter().map(|name| id(name)).collect()),
        ..all.clone()
    };
    assert_eq!(page(wabas(&["waba-1"])).await, numbers(&[1, 2, 3, 40]));
    assert_eq!(page(wabas(&["waba-2"])).await, []);
    assert_eq!(page(wabas(&["waba-2", "waba-1"])).await, numbers(&[1, 2, 3, 40]));
    assert_eq!(page(wabas(&[])).await, []);
    let narrow = NumberQuery {
        registered: Some(false),
        prefix: Some("447700900".into()),
        after: Some(number(1)),
        limit: 1,
        ..wabas(&["waba-1"])
    };
    assert_eq!(page(narrow).await, numbers(&[3]));
}

pub async fn a_wabas_numbers_are_paged_by_a_moment_of_its_claims(store: Arc<dyn Store>) {
    seed(&*store).await;
    let at = Timestamp::from_millis;
    // In another order than that of their numbers; two share a moment; one is another WABA's.
    for (n, added) in [(1, 30), (2, 10), (3, 20), (4, 20), (5, 15)] {
        let mut record = claimed(number(n), ClaimPhase::Unverified);
        record.claims[0].added_at = at(added);
        if n == 5 {
            record.claims[0].waba = id("waba-2");
        }
        write(&*store, 0, record).await.expect("new");
    }
    let query = ClaimQuery {
        waba: id("waba-1"),
        by: ClaimMoment::Onboarded,
        ascending: false,
        behind: None,
        limit: 9,
    };
    let page = async |query: ClaimQuery| {
        let records = store.claimed(&query).await.expect("store");
        records.iter().map(|it| it.number).collect::<Vec<_>>()
    };
    let numbers = |ns: &[u64]| ns.iter().map(|n| number(*n)).collect::<Vec<_>>();
    assert_eq!(page(query.clone()).await, numbers(&[1, 4, 3, 2]));
    assert_eq!(page(ClaimQuery { ascending: true, ..query.clone() }).await, numbers(&[2, 3, 4, 1]));
    assert_eq!(page(ClaimQuery { limit: 2, ..query.clone() }).await, numbers(&[1, 4]));
    let claim = |n: u64| format!("claim-{}", number(n).as_u64());
    let behind = Some((at(20), claim(4)));
    assert_eq!(
        page(ClaimQuery { behind: behind.clone(), ..query.clone() }).await,
        numbers(&[3, 2])
    );
    let before = ClaimQuery { behind, ascending: true, ..query.clone() };
    assert_eq!(page(before).await, numbers(&[1]));
    // Registering moves a number to the front, and giving it up back to where it was added.
    let mut held = claimed(number(2), ClaimPhase::Unverified);
    held.claims[0].added_at = at(10);
    held.registration = Some(Registration {
        claim: held.claims[0].id.clone(),
        waba: id("waba-1"),
        platform: Platform::CloudApi,
        since: at(40),
        restarting_until: at(40),
        key: RegistrationKey(7),
    });
    write(&*store, 1, held.clone()).await.expect("registered");
    assert_eq!(page(query.clone()).await, numbers(&[2, 1, 4, 3]));
    let by_creation = ClaimQuery { by: ClaimMoment::Added, ..query.clone() };
    assert_eq!(page(by_creation).await, numbers(&[1, 4, 3, 2]));
    held.registration = None;
    write(&*store, 2, held).await.expect("given up");
    assert_eq!(page(query.clone()).await, numbers(&[1, 4, 3, 2]));
    assert_eq!(store.claim_count(&id("waba-1")).await.expect("store"), 4);
    assert_eq!(page(ClaimQuery { waba: id("nobody"), ..query }).await, []);
    assert_eq!(store.claim_count(&id("nobody")).await.expect("store"), 0);
}

pub async fn numbers_are_found_whose_display_names_wait(store: Arc<dyn Store>) {
    seed(&*store).await;
    write(&*store, 0, claimed(number(49), ClaimPhase::Unverified)).await.expect("new");
    let page = async |query: NumberQuery| {
        let records = store.numbers(&query).await.expect("store");
        records.iter().map(|it| it.number).collect::<Vec<_>>()
    };
    let mut waiting = claimed(number(50), ClaimPhase::Unverified);
    let names = NumberQuery { name_waits: true, limit: 9, ..NumberQuery::default() };
    assert_eq!(page(names.clone()).await, []);
    waiting.claims[0].new_name.as_mut().expect("a new name").review = NameReview::Pending;
    write(&*store, 0, waiting.clone()).await.expect("new");
    assert_eq!(page(names.clone()).await, [number(50)]);
    waiting.claims[0].new_name = None;
    write(&*store, 1, waiting.clone()).await.expect("declined before");
    assert_eq!(page(names.clone()).await, []);
    waiting.claims[0].name_review = NameReview::Pending;
    write(&*store, 2, waiting).await.expect("asked again");
    assert_eq!(page(names).await, [number(50)]);
}

pub async fn numbers_are_counted_by_state(store: Arc<dyn Store>) {
    seed(&*store).await;
    let live = LiveProofs { codes_after: at(99), verified_after: at(50) };
    let counts = async |live| store.number_counts(live).await.expect("store");
    assert_eq!(counts(live).await, NumberCounts::default());
    let verified = |since| ClaimPhase::Verified { since: at(since), pin_proven_at: None };
    let mut both = claimed(number(4), awaiting(None, 100));
    both.claims.push(claim("claim-b", "waba-2", verified(51)));
    let mut moving = held_by(number(5), "client-1");
    moving.claims.push(claim("claim-c", "waba-2", verified(51)));
    let mut locked = claimed(number(6), ClaimPhase::Unverified);
    locked.budgets.locked_since = Some(at(7));
    for record in [
        claimed(number(1), ClaimPhase::Unverified),
        claimed(number(2), awaiting(Some("client-1"), 120)),
        claimed(number(3), verified(51)),
        both,
        moving,
        locked.clone(),
    ] {
        write(&*store, 0, record).await.expect("new");
    }
    let all = NumberCounts { known: 6, registered: 1, verified: 2, awaiting_code: 1, locked: 1 };
    assert_eq!(counts(live).await, all);
    // A code and a proof that are too old count for nothing; a code that is sent again is no younger.
    let later = LiveProofs { codes_after: at(100), ..live };
    assert_eq!(counts(later).await, NumberCounts { awaiting_code: 0, ..all });
    let later = LiveProofs { verified_after: at(51), ..live };
    assert_eq!(counts(later).await, NumberCounts { verified: 0, awaiting_code: 2, ..all });
    locked.budgets.locked_since = None;
    write(&*store, 1, locked).await.expect("unlocked");
    write(&*store, 1, claimed(number(3), ClaimPhase::Unverified)).await.expect("given up");
    let fewer = NumberCounts { verified: 1, locked: 0, ..all };
    assert_eq!(counts(live).await, fewer);
}

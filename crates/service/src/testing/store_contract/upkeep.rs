//! Sweeping, clearing, snapshots, closing.

use core::time::Duration;
use std::sync::Arc;

use registration::{ClaimPhase, NumberRecord};

use super::sample::{
    at, awaiting, callback, claimed, client, commit, event, held_by, id, number, once, put_all,
    seed, send, session, take, user, write,
};
use crate::ports::{
    AuditQuery, CallbackQuery, CommitError, EntityKind, EntityRef, NumberKey, SendQuery, Store,
    Subject, Unit,
};

pub async fn a_sweep_removes_what_has_expired_and_nothing_else(store: Arc<dyn Store>) {
    seed(&*store).await;
    put_all(&*store, vec![client("one", None), user("one", "admin")]).await.expect("new");
    // More than a backend may want to remove at once.
    let old = (0..1_200).map(|n| session("one", "admin", &format!("old-{n}"), at(1_000)));
    put_all(&*store, old.collect()).await.expect("new");
    put_all(&*store, vec![session("one", "admin", "new", at(1_001))]).await.expect("new");
    let second = Duration::from_secs(1);
    let taken = |key, burst, now| Unit {
        takes: vec![take(key, second, burst, at(now))],
        ..Unit::default()
    };
    commit(&*store, taken("spent", 1, 500)).await.expect("fresh");
    commit(&*store, taken("whole", 1, 0)).await.expect("fresh");
    store.sweep(at(1_000)).await.expect("store");
    let sessions = store.entities(EntityKind::Session, None, None, 99).await.expect("store");
    let sessions: Vec<_> = sessions.into_iter().map(|it| it.value.key().id).collect();
    assert_eq!(sessions, ["new"]);
    assert!(store.entity(&EntityRef::user(&id("one"), "admin")).await.expect("store").is_some());
    let refused = commit(&*store, taken("spent", 1, 1_000)).await;
    assert!(matches!(refused, Err(CommitError::Throttled { .. })), "{refused:?}");
    commit(&*store, taken("whole", 1, 1_000)).await.expect("whole again");
}

pub async fn a_cleared_store_is_like_a_new_one(store: Arc<dyn Store>) {
    fill(&*store).await;
    store.clear().await.expect("store");
    assert_empty(&*store).await;
    fill(&*store).await;
    let audit = AuditQuery { limit: 9, ..AuditQuery::default() };
    let chain = store.audit(&audit).await.expect("store");
    let first = crate::audit::chain_hash(&crate::audit::genesis(), 1, &chain[0].event);
    assert_eq!((chain.len(), chain[0].seq, chain[0].hash), (1, 1, first));
}

pub async fn a_snapshot_brings_the_whole_state_back(store: Arc<dyn Store>) {
    assert!(!store.load_snapshot("full").await.expect("store"), "none yet");
    store.save_snapshot("empty").await.expect("store");
    fill(&*store).await;
    store.save_snapshot("full").await.expect("store");
    let audit = AuditQuery { limit: 9, ..AuditQuery::default() };
    let sends = SendQuery { limit: 9, ..SendQuery::default() };
    let before = (
        store.number(number(1)).await.expect("store"),
        store.entities(EntityKind::Waba, None, None, 9).await.expect("store"),
        store.audit(&audit).await.expect("store"),
        store.sends(&sends).await.expect("store"),
    );
    assert!(store.load_snapshot("empty").await.expect("store"));
    assert_empty(&*store).await;
    assert!(store.load_snapshot("full").await.expect("store"));
    let after = (
        store.number(number(1)).await.expect("store"),
        store.entities(EntityKind::Waba, None, None, 9).await.expect("store"),
        store.audit(&audit).await.expect("store"),
        store.sends(&sends).await.expect("store"),
    );
    assert_eq!(before, after);
    let held = NumberKey::HeldBy(id("client-1"));
    assert_eq!(store.find_number(&held).await.expect("store"), Some(number(1)));
    // Keys for once and allowances are part of the state, and the chain goes on where it was.
    let repeated = commit(&*store, used()).await;
    assert!(matches!(repeated, Err(CommitError::Repeated { .. })), "{repeated:?}");
    let refused = commit(&*store, spend()).await;
    assert!(matches!(refused, Err(CommitError::Throttled { .. })), "{refused:?}");
    let next = Unit { events: vec![event(2, Subject::System)], ..Unit::default() };
    commit(&*store, next).await.expect("new");
    let chain = store.audit(&audit).await.expect("store");
    let hash = crate::audit::chain_hash(&chain[0].hash, 2, &chain[1].event);
    assert_eq!((chain[1].seq, chain[1].hash), (2, hash));
    // A name can be used again.
    store.save_snapshot("empty").await.expect("store");
    store.clear().await.expect("store");
    assert!(store.load_snapshot("empty").await.expect("store"));
    assert_eq!(store.audit(&audit).await.expect("store").len(), 2);
}

pub async fn a_snapshot_has_a_plain_name(store: Arc<dyn Store>) {
    for name in ["", ".", "..", "../x", "a/b", "a b", "ä", ".hidden", "x\0", &"x".repeat(65)] {
        assert!(store.save_snapshot(name).await.is_err(), "{name:?}");
        assert!(store.load_snapshot(name).await.is_err(), "{name:?}");
    }
    store.save_snapshot("Good-1_a.b").await.expect("store");
}

pub async fn a_closed_store_takes_and_gives_nothing(store: Arc<dyn Store>) {
    fill(&*store).await;
    store.ping().await.expect("open");
    store.close().await.expect("store");
    let refused = write(&*store, 0, NumberRecord::absent(number(5))).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{refused:?}");
    assert!(store.ping().await.is_err());
    assert!(store.number(number(1)).await.is_err());
    assert!(store.claim_sends(at(9), at(10), true, 1).await.is_err());
    assert!(store.clear().await.is_err());
    store.close().await.expect("closing twice is no mistake");
}

fn spend() -> Unit {
    let takes = vec![take("spent", Duration::from_hours(1), 1, at(0))];
    Unit { takes, ..Unit::default() }
}

fn used() -> Unit {
    Unit { once: vec![once("used", 60_000)], ..Unit::default() }
}

/// Puts something into every corner.
async fn fill(store: &dyn Store) {
    seed(store).await;
    write(store, 0, held_by(number(1), "client-1")).await.expect("new");
    write(store, 0, claimed(number(2), awaiting(Some("client-2"), 1))).await.expect("new");
    write(store, 1, claimed(number(2), ClaimPhase::Unverified)).await.expect("version 1");
    let unit = Unit {
        events: vec![event(1, Subject::Number(number(1)))],
        sends: vec![send(1, number(1), 0)],
        callbacks: vec![callback(1, 0)],
        ..spend()
    };
    commit(store, unit).await.expect("new");
    commit(store, used()).await.expect("new");
}

async fn assert_empty(store: &dyn Store) {
    let audit = AuditQuery { limit: 9, ..AuditQuery::default() };
    let sends = SendQuery { limit: 9, ..SendQuery::default() };
    let held = NumberKey::HeldBy(id("client-1"));
    assert_eq!(store.number(number(1)).await.expect("store"), None);
    assert_eq!(store.find_number(&held).await.expect("store"), None);
    assert_eq!(store.audit(&audit).await.expect("store"), []);
    assert_eq!(store.sends(&sends).await.expect("store"), []);
    let callbacks = CallbackQuery { limit: 9, ..CallbackQuery::default() };
    assert_eq!(store.callbacks(&callbacks).await.expect("store"), []);
    for kind in EntityKind::ALL {
        assert_eq!(store.entities(kind, None, None, 9).await.expect("store"), [], "{kind:?}");
    }
}

//! The audit chain.

use std::collections::BTreeSet;
use std::sync::Arc;

use registration::NumberRecord;

use super::sample::{commit, commit_in_parallel, event, id, is_conflict, number, send};
use crate::audit::{chain_hash, genesis};
use crate::ports::{
    AuditEntry, AuditQuery, EntityRef, Event, EventId, NumberWrite, Store, Subject, Unit,
};

/// Reads the whole chain page by page and computes each hash anew.
async fn verified(store: &dyn Store) -> Vec<AuditEntry> {
    let mut chain: Vec<AuditEntry> = Vec::new();
    loop {
        let after = chain.last().map_or(0, |entry| entry.seq);
        let page = store.audit(&AuditQuery { after, limit: 100, ..AuditQuery::default() }).await;
        let page = page.expect("store");
        if page.is_empty() {
            return chain;
        }
        for entry in page {
            let previous = chain.last().map_or_else(genesis, |before| before.hash);
            assert_eq!(entry.seq, chain.len() as u64 + 1, "no gap");
            assert_eq!(entry.hash, chain_hash(&previous, entry.seq, &entry.event));
            chain.push(entry);
        }
    }
}

pub async fn the_chain_verifies_after_parallel_commits(store: Arc<dyn Store>) {
    // Every tenth unit is refused by the id of its send, every seventh by its version.
    let used = send(u128::MAX, number(1), 0);
    commit(&*store, Unit { sends: vec![used.clone()], ..Unit::default() }).await.expect("new");
    let fails = |n: u64| n.is_multiple_of(10) || n.is_multiple_of(7);
    let unit = |n: u64| {
        let expected = u64::from(n.is_multiple_of(7));
        let record = NumberRecord::absent(number(n));
        let events = (0..=n % 3).map(|k| event(u128::from(n * 3 + k), Subject::System));
        Unit {
            numbers: vec![NumberWrite { expected, record }],
            events: events.collect(),
            sends: n.is_multiple_of(10).then(|| used.clone()).into_iter().collect(),
            ..Unit::default()
        }
    };
    let outcomes = commit_in_parallel(&store, (0..1000).map(unit).collect()).await;
    for (n, outcome) in (0..).zip(&outcomes) {
        assert_eq!(is_conflict(outcome), fails(n), "unit {n}: {outcome:?}");
    }
    let expected = |n: u64| (0..=n % 3).map(move |k| EventId(u128::from(n * 3 + k)));
    let expected: BTreeSet<_> = (0..1000).filter(|n| !fails(*n)).flat_map(expected).collect();
    let chain = verified(&*store).await;
    let ids: BTreeSet<_> = chain.iter().map(|entry| entry.event.id).collect();
    assert_eq!(ids, expected);
    assert_eq!(ids.len(), chain.len());
    for pair in chain.windows(2) {
        let (one, two) = (pair[0].event.id.0, pair[1].event.id.0);
        assert!(two == one + 1 || two % 3 == 0, "the events of a unit stand together, in order");
    }
}

pub async fn events_are_found_by_what_they_are_about(store: Arc<dyn Store>) {
    let waba = Subject::Entity(EntityRef::waba(&id("waba-1")));
    let events = vec![
        event(1, Subject::Number(number(1))),
        event(2, Subject::Number(number(2))),
        Event { account: Some(id("other")), ..event(3, Subject::Number(number(1))) },
        Event { account: None, ..event(4, Subject::System) },
        event(5, waba),
    ];
    commit(&*store, Unit { events: events.clone(), ..Unit::default() }).await.expect("new");
    let all = AuditQuery { limit: 99, ..AuditQuery::default() };
    let page = async |query: AuditQuery| {
        let entries = store.audit(&query).await.expect("store");
        entries.into_iter().map(|it| (it.seq, it.event)).collect::<Vec<_>>()
    };
    let seqs = async |query: AuditQuery| {
        page(query).await.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>()
    };
    assert_eq!(page(all.clone()).await, (1..).zip(events).collect::<Vec<_>>());
    assert_eq!(seqs(AuditQuery { after: 3, ..all.clone() }).await, [4, 5]);
    assert_eq!(seqs(AuditQuery { limit: 2, ..all.clone() }).await, [1, 2]);
    let about = AuditQuery { number: Some(number(1)), ..all.clone() };
    assert_eq!(seqs(about.clone()).await, [1, 3]);
    assert_eq!(seqs(AuditQuery { after: 1, ..about.clone() }).await, [3]);
    let account = Some(id("default"));
    assert_eq!(seqs(AuditQuery { account: account.clone(), ..about }).await, [1]);
    assert_eq!(seqs(AuditQuery { account, ..all.clone() }).await, [1, 2, 5]);
    let refusal = |n| seqs(AuditQuery { refusal: Some(EventId(n)), ..all.clone() });
    assert_eq!(refusal(4).await, [0; 0], "an event that is no refusal");
    let refused = Event { kind: "refused".to_owned(), ..event(6, Subject::System) };
    commit(&*store, Unit { events: vec![refused], ..Unit::default() }).await.expect("new");
    assert_eq!(refusal(6).await, [6]);
    assert_eq!(refusal(9).await, [0; 0]);
    assert_eq!(seqs(AuditQuery { after: u64::MAX, ..all.clone() }).await, [0; 0]);
    let newest = AuditQuery { before: Some(u64::MAX), ..all };
    assert_eq!(seqs(newest.clone()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(seqs(AuditQuery { limit: 2, ..newest.clone() }).await, [6, 5]);
    assert_eq!(seqs(AuditQuery { before: Some(3), ..newest.clone() }).await, [2, 1]);
    assert_eq!(seqs(AuditQuery { number: Some(number(1)), ..newest.clone() }).await, [3, 1]);
    assert_eq!(seqs(AuditQuery { before: Some(0), ..newest }).await, [0; 0]);
}

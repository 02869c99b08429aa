//! Servers have one thread for requests on small machines: what takes long is done elsewhere, or lets others have
//! their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::StatusCode;
use registration::{
    AccountId, ChallengeId, CodeMethod, CodeSend, CustomerSpaceId, Locale, PhoneNumber,
    PhoneNumberId, TextId as _,
};
use service::directory::{Entity, Space};
use service::ports::{EntityWrite, Send, SendId, SendState, Store as _, Unit};

use crate::harness::{NUMBER, World};
use crate::inbox::events;

/// What `work` comes to, and how many turns somebody else had meanwhile.
async fn turns_of_others<T>(work: impl Future<Output = T>) -> (T, usize) {
    let turns = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let done = work.await;
    other.abort();
    (done, turns.load(Ordering::Relaxed))
}

#[tokio::test]
async fn who_catches_up_with_the_inbox_lets_others_have_their_turn() {
    let world = World::sandbox().await;
    let now = world.service.now();
    let what = CodeSend {
        claim: PhoneNumberId::parse("15550001").unwrap(),
        waba: world.waba.clone(),
        challenge: ChallengeId(1),
        key_epoch: 1,
        method: CodeMethod::Sms,
        locale: Locale::parse("en").unwrap(),
        useless_after: now,
    };
    let send = |n| {
        let number = PhoneNumber::parse(NUMBER).unwrap();
        let account = AccountId::parse("default").unwrap();
        let send = Send::decided(SendId(n), number, account, "graph", what.clone(), now);
        let state = SendState::HandedOver { at: now };
        Send { state, sender: Some("inbox".to_owned()), ..send }
    };
    let sends = (1..=200).map(send).collect();
    world.store.commit(Unit { sends, ..Unit::default() }).await.unwrap();

    let from_the_beginning = format!("/sandbox/v1/inbox/stream?after={}", SendId(0));
    let mut body = world.open(&from_the_beginning).await;
    let (found, turns) = turns_of_others(events(&mut body, 200)).await;

    assert_eq!(found.len(), 200);
    assert!(turns >= 10, "{turns}");
}

#[tokio::test]
async fn the_spaces_of_a_large_account_are_gone_through_in_turns() {
    let world = World::sandbox().await;
    let account = AccountId::parse("default").unwrap();
    let space = |n| {
        let id = CustomerSpaceId::parse(&format!("cams-{n:03}")).unwrap();
        let (name, created_at) = (format!("Customer {n}"), world.service.now());
        let entity = Entity::Space(Space { id, account: account.clone(), name, created_at });
        EntityWrite::Put { expected: 0, entity }
    };
    let entities = (0..200).map(space).collect();
    world.store.commit(Unit { entities, ..Unit::default() }).await.unwrap();

    let (wabas, turns) = turns_of_others(world.service.wabas_of_account(&account)).await;

    assert_eq!(wabas.unwrap(), core::slice::from_ref(&world.waba));
    assert!(turns >= 10, "{turns}");
}

#[test]
fn a_seed_file_is_read_on_a_thread_that_serves_nobody() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let world = World::sandbox().await;
        // The only other thread has something else to do.
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let mut reply = std::pin::pin!(world.post_text("/sandbox/v1/seed", "account = 1"));
        tokio::select! {
            biased;
            _ = &mut reply => panic!("the file was read on this thread"),
            () = std::future::ready(()) => {}
        }
        drop(done);
        assert!(busy.await.unwrap().is_err());
        assert_eq!(reply.await.status, StatusCode::BAD_REQUEST);
    });
}

#[tokio::test]
async fn a_body_of_ever_so_many_values_is_not_read_whoever_sends_it() {
    let world = World::sandbox().await;
    let body = |values: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(values));
    let many = body(100_000);
    let reply = world.post_text("/v1/users/login", &many).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.body["errors"][0]["details"], "The body holds too many values");
    let reply = world.post_text("/v22.0/1/register", &many).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    let words = reply.body["error"]["message"].as_str().unwrap();
    assert!(words.contains("The body holds too many values"), "{words}");

    let reply = world.post_text("/v1/users/login", &body(1_000)).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let long = format!("{{\"new_password\":\"{}\"}}", "x".repeat(500_000));
    let reply = world.post_text("/v1/users/login", &long).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

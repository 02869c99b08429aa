//! The inbox: what comes, in which order, and to whom.

use core::time::Duration;

use axum::body::Body;
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::Value;
use service::ports::{SendQuery, TurnableClock as _};

use crate::harness::{NUMBER, World, escaped};

const OTHER: &str = "+447700900124";

fn wait_for(number: &str, timeout: &str) -> String {
    format!("/sandbox/v1/inbox/wait?number={}&timeout={timeout}", escaped(number))
}

#[tokio::test]
async fn a_message_has_the_documented_members() {
    let world = World::sandbox().await;
    assert_eq!(world.request_code(NUMBER, "sms").await.status, StatusCode::ACCEPTED);
    let message = world.newest(NUMBER).await;
    let mut members: Vec<_> = message.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let documented = ["at", "channel", "code", "id", "locale", "number", "sender", "text"];
    assert_eq!(members, documented);
    assert_eq!(message["number"], NUMBER);
    assert_eq!(message["channel"], "sms");
    assert_eq!(message["sender"], "inbox");
    assert_eq!(message["at"], "2027-01-15T08:00:00Z");
    let code = message["code"].as_str().unwrap();
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
    let grouped = format!("{}-{}", &code[..3], &code[3..]);
    assert!(message["text"].as_str().unwrap().contains(&grouped), "{message}");
    assert_eq!(world.verify(NUMBER).await.status, StatusCode::CREATED, "the code is the right one");
}

#[tokio::test]
async fn the_list_is_newest_first_and_narrowed_down() {
    let world = World::sandbox().await;
    for number in [NUMBER, OTHER, "+447700900125"] {
        world.send_code(number).await;
        world.newest(number).await;
    }
    let all = world.get("/sandbox/v1/inbox").await.body;
    let numbers: Vec<_> =
        all["messages"].as_array().unwrap().iter().map(|m| &m["number"]).collect();
    assert_eq!(numbers, ["+447700900125", OTHER, NUMBER]);
    let one = world.get(&format!("/sandbox/v1/inbox?number={}", escaped(OTHER))).await.body;
    assert_eq!(one["messages"].as_array().unwrap().len(), 1);
    let limited = world.get("/sandbox/v1/inbox?limit=2").await.body;
    assert_eq!(limited["messages"].as_array().unwrap().len(), 2);

    let message = &one["messages"][0];
    let id = message["id"].as_str().unwrap();
    assert_eq!(&world.get(&format!("/sandbox/v1/inbox/{id}")).await.body, message);
    assert_eq!(world.get("/sandbox/v1/inbox/0").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_details() {
    let world = World::sandbox().await;
    for query in [
        "inbox?limit=0",
        "inbox?limit=501",
        "inbox?number=abc",
        "inbox?numbr=1",
        "inbox/wait?timeout=soon",
        "inbox/wait?after=zz",
    ] {
        let reply = world.get(&format!("/sandbox/v1/{query}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(reply.body["error"].is_string() && reply.body["details"].is_string(), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_as_soon_as_the_message_is_there() {
    let world = World::sandbox().await;
    let path = wait_for(NUMBER, "60s");
    let first = world.get(&path);
    let second = world.get(&path);
    let send = async {
        world.send_code(OTHER).await;
        world.send_code(NUMBER).await;
    };
    // Time passes only where everybody waits for it. A waiter that missed its wake-up would sit out the
    // minute; the looks each second are not enough to pass the limit of this test.
    let all = Box::pin(async { tokio::join!(first, second, send) });
    let (first, second, ()) = tokio::time::timeout(Duration::from_millis(900), all).await.unwrap();
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.body["number"], NUMBER);
    assert_eq!(first.body, second.body, "both waiters get it");
}

#[tokio::test]
async fn a_wait_ends_with_204_when_nothing_comes() {
    let world = World::sandbox().await;
    world.send_code(OTHER).await;
    let reply = world.get(&wait_for(NUMBER, "20ms")).await;
    assert_eq!((reply.status, reply.body), (StatusCode::NO_CONTENT, Value::Null));
}

#[tokio::test]
async fn a_wait_after_a_message_gives_the_oldest_newer_one() {
    let world = World::sandbox().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        world.send_code(NUMBER).await;
        let after = ids.last().map_or(String::new(), |id| format!("&after={id}"));
        let message = world.get(&format!("{}{after}", wait_for(NUMBER, "5s"))).await.body;
        ids.push(message["id"].as_str().unwrap().to_owned());
        world.post("/sandbox/v1/clock", &serde_json::json!({ "advance_seconds": 300 })).await;
    }
    assert!(ids.is_sorted());
    let next = |id: &str| format!("{}&after={id}", wait_for(NUMBER, "20ms"));
    assert_eq!(world.get(&next(&ids[0])).await.body["id"], *ids[1]);
    assert_eq!(world.get(&next(&ids[1])).await.body["id"], *ids[2]);
    assert_eq!(world.get(&next(&ids[2])).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.newest(NUMBER).await["id"], *ids[2], "without after: the newest at once");
}

#[tokio::test]
async fn the_stream_brings_each_message_once_and_in_order() {
    let world = World::sandbox().await;
    let mut stream = world.open("/sandbox/v1/inbox/stream").await;
    let numbers: Vec<_> = (0..40).map(|n| format!("+4477009002{n:02}")).collect();
    for number in &numbers {
        world.send_code(number).await;
    }
    let events = events(&mut stream, numbers.len()).await;
    let seen: Vec<_> = events.iter().map(|event| event["number"].as_str().unwrap()).collect();
    assert_eq!(seen, numbers);

    // Who comes back with the id of an event gets what followed it, and then the present.
    let id = events[37]["id"].as_str().unwrap();
    let mut again = world.open(&format!("/sandbox/v1/inbox/stream?after={id}")).await;
    world.send_code(NUMBER).await;
    let seen = self::events(&mut again, 3).await;
    let seen: Vec<_> = seen.iter().map(|event| event["number"].as_str().unwrap()).collect();
    assert_eq!(seen, [&numbers[38], &numbers[39], NUMBER]);
}

#[tokio::test]
async fn the_stream_of_one_number_brings_no_other() {
    let world = World::sandbox().await;
    let path = format!("/sandbox/v1/inbox/stream?number={}", escaped(NUMBER));
    let mut stream = world.open(&path).await;
    world.send_code(OTHER).await;
    world.send_code(NUMBER).await;
    assert_eq!(events(&mut stream, 1).await[0]["number"], NUMBER);
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_cut_off_and_catches_up() {
    const MORE_THAN_IS_KEPT: usize = 300;
    let world = World::sandbox().await;
    let behind = world.open("/sandbox/v1/inbox/stream").await;
    let mut ids = Vec::new();
    for n in 0..MORE_THAN_IS_KEPT {
        let number = format!("+33639980{n:03}");
        world.clock.advance(Duration::from_secs(1));
        world.send_code(&number).await;
        ids.push(world.newest(&number).await["id"].as_str().unwrap().to_owned());
    }
    // Read to its end, which comes although the server goes on.
    let text = behind.collect().await.unwrap().to_bytes();
    let text = str::from_utf8(&text).unwrap();
    assert!(text.starts_with("event: lagged\n") && text.matches("event: ").count() == 1, "{text}");

    let path = format!("/sandbox/v1/inbox/stream?after={}", ids[0]);
    let caught_up = events(&mut world.open(&path).await, MORE_THAN_IS_KEPT - 1).await;
    let seen: Vec<_> = caught_up.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(seen, ids[1..]);
}

#[tokio::test]
async fn who_waits_does_not_hold_up_a_server_that_stops() {
    let world = World::sandbox().await;
    let stream = world.open("/sandbox/v1/inbox/stream").await;
    let path = wait_for(NUMBER, "60s");
    let all = async {
        let stop = async { world.stop.send(true).unwrap() };
        tokio::join!(world.get(&path), stream.collect(), stop)
    };
    let (waited, streamed, ()) = tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    assert_eq!(waited.status, StatusCode::NO_CONTENT);
    assert!(streamed.unwrap().to_bytes().is_empty());
}

/// The code is derived when somebody reads it; the ledger has nothing that shows it (I7).
#[tokio::test]
async fn no_row_of_the_store_holds_a_code() {
    let world = World::sandbox().await;
    world.send_code(NUMBER).await;
    let code = world.newest(NUMBER).await["code"].as_str().unwrap().to_owned();
    let number = registration::PhoneNumber::parse(NUMBER).unwrap();
    let query = SendQuery { limit: 10, ..SendQuery::default() };
    let rows = format!(
        "{:?} {:?} {:?}",
        world.service.sends(&query).await.unwrap(),
        world.service.number(number).await.unwrap(),
        world.service.audit(&service::ports::AuditQuery { limit: 99, ..Default::default() }).await,
    );
    // Six digits may stand inside a long id by chance; a field of its own would be delimited.
    let fields = rows.split(|c: char| !c.is_ascii_alphanumeric());
    assert!(!fields.into_iter().any(|field| field == code), "{code} in {rows}");
    assert!(!rows.contains(&format!("{}-{}", &code[..3], &code[3..])));
}

/// The data of the next `count` events named `message`.
pub(crate) async fn events(body: &mut Body, count: usize) -> Vec<Value> {
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await;
        let data = frame.expect("in time").expect("not ended").unwrap().into_data().unwrap();
        text.push_str(str::from_utf8(&data).unwrap());
    }
    let event = |block: &str| {
        assert!(block.contains("event: message"), "{block}");
        let data = block.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        serde_json::from_str(data).unwrap()
    };
    text.split("\n\n").filter(|block| !block.is_empty()).map(event).collect()
}

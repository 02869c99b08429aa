//! The audit trail as it grows.

use core::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::harness::{NUMBER, TOKEN, World};

/// Somebody who listens.
struct Reader {
    body: Body,
    text: String,
}

impl World {
    async fn listen(&self, query: &str, last: Option<&str>) -> Reader {
        let mut request = Request::get(format!("/admin/v1/audit/live{query}"))
            .header("authorization", format!("Bearer {TOKEN}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.stream(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Reader { body: response.into_body(), text: String::new() }
    }

    /// As many refusals, each an entry of the trail.
    async fn refuse(&self, times: usize) {
        for _ in 0..times {
            let order = serde_json::json!({ "client": "default", "code": "123456" });
            self.post(&format!("/numbers/{NUMBER}/verify-code"), order).await.expect(403);
        }
    }
}

impl Reader {
    /// The next event that is no hint: its kind, id and data; `None` at the end.
    async fn next(&mut self) -> Option<(String, String, String)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines().filter_map(|line| line.strip_prefix(name));
                    lines.next().unwrap_or_default().trim_start_matches(':').trim().to_owned()
                };
                let event = (field("event"), field("id"), field("data"));
                self.text = String::from(rest);
                if event.0 != "sends" && !event.0.is_empty() {
                    return Some(event);
                }
                continue;
            }
            let frame = tokio::time::timeout(Duration::from_mins(1), self.body.frame());
            let frame = frame.await.expect("an event in time")?.unwrap();
            self.text.push_str(core::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }
}

#[tokio::test]
async fn what_happens_is_told_once_in_order_and_goes_on_where_a_reader_left_off() {
    let world = World::new().await;
    let mut reader = world.listen("", None).await;
    let (kind, begins, _) = reader.next().await.unwrap();
    assert_eq!(kind, "hello");
    world.refuse(3).await;
    let listed = world.get(&format!("/audit?after={begins}")).await.expect(200);
    let listed = listed["items"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    for entry in listed {
        let (kind, place, told) = reader.next().await.unwrap();
        assert_eq!((kind.as_str(), &place), ("entry", &entry["seq"].to_string()));
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), *entry, "as the list shows it");
    }
    let second = listed[1]["seq"].to_string();
    let mut again = world.listen("", Some(&second)).await;
    assert_eq!(again.next().await.unwrap(), ("hello".to_owned(), second.clone(), second));
    assert_eq!(again.next().await.unwrap().1, listed[2]["seq"].to_string());
}

#[tokio::test]
async fn a_reader_is_told_of_the_number_it_asked_for() {
    let world = World::new().await;
    let mut reader = world.listen("?number=%2B447700900124&after=0", None).await;
    assert_eq!(reader.next().await.unwrap().0, "hello");
    world.refuse(1).await;
    world.register("+447700900124").await;
    let (_, _, first) = reader.next().await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&first).unwrap()["subject"]["id"], "+447700900124");
}

#[tokio::test]
async fn only_the_operator_listens() {
    let world = World::new().await;
    let request = Request::get("/admin/v1/audit/live").body(Body::empty()).unwrap();
    assert_eq!(world.stream(request).await.status(), 401);
    assert_eq!(world.get("/audit/live?nonsense=1").await.status, 422);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_cut_off_and_finds_that_out() {
    let world = World::new().await;
    let mut reader = world.listen("", None).await;
    world.refuse(300).await;
    tokio::time::sleep(Duration::from_secs(15)).await;
    world.refuse(1).await;
    let mut kinds = Vec::new();
    while let Some((kind, ..)) = reader.next().await {
        kinds.push(kind);
    }
    assert_eq!(kinds.first().map(String::as_str), Some("hello"));
    assert_eq!(kinds.last().map(String::as_str), Some("cut_off"));
    let entries = kinds.iter().filter(|kind| *kind == "entry").count();
    assert!((200..300).contains(&entries), "{entries}: what waited is told, no more is kept");
}

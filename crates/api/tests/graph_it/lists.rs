//! Lists: order, pages, filters.

use serde_json::Value;

use crate::harness::{WABA, World};

/// Seven numbers, a minute apart; their national parts in order.
async fn world() -> (World, Vec<String>) {
    let world = World::new().await;
    let mut ids = Vec::new();
    for last in 0..7 {
        let add = format!("cc=44&phone_number=770090010{last}&verified_name=Shop+{last}");
        world.ok("EAAtest", &format!("POST /v25.0/{WABA}/phone_numbers?{add}")).await;
        ids.push(world.text("phone"));
        world.wait(60);
    }
    (world, ids)
}

async fn list(world: &World, query: &str) -> Value {
    world.ok("EAAtest", &format!("GET /v25.0/{WABA}/phone_numbers?{query}")).await
}

fn ids(list: &Value) -> Vec<String> {
    let rows = list["data"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_newest_comes_first_unless_another_order_is_asked_for() {
    let (world, oldest_first) = world().await;
    let newest_first: Vec<_> = oldest_first.iter().rev().cloned().collect();
    for query in ["", "sort=last_onboarded_time.desc", "sort=creation_time.desc", "sort="] {
        assert_eq!(ids(&list(&world, query).await), newest_first, "{query}");
    }
    for query in [
        "sort=last_onboarded_time.asc",
        "sort=creation_time.asc",
        "sort=%5B'last_onboarded_time_ascending'%5D",
        "sort=%5B%22last_onboarded_time_ascending%22%5D",
    ] {
        assert_eq!(ids(&list(&world, query).await), oldest_first, "{query}");
    }
    let answer = world.ask("EAAtest", &format!("GET /v25.0/{WABA}/phone_numbers?sort=name")).await;
    assert_eq!(answer.outcome(), (400, 100, 0));
}

#[tokio::test]
async fn pages_lead_through_the_whole_list_and_back() {
    let (world, mut all) = world().await;
    all.reverse();
    let mut seen = Vec::new();
    let mut url = format!("/v25.0/{WABA}/phone_numbers?limit=3&fields=id&summary=total_count");
    let mut last = Value::Null;
    while !url.is_empty() {
        last = world.ok("EAAtest", &format!("GET {url}")).await;
        assert_eq!(last["summary"]["total_count"], 7);
        seen.extend(ids(&last));
        let next = last["paging"]["next"].as_str().unwrap_or_default();
        url = next.strip_prefix("https://rollcall.example").unwrap_or_default().to_owned();
    }
    assert_eq!(seen, all);
    let previous = last["paging"]["previous"].as_str().unwrap();
    let previous = previous.strip_prefix("https://rollcall.example").unwrap();
    let page = world.ok("EAAtest", &format!("GET {previous}")).await;
    assert_eq!(ids(&page), all[3..6]);
    assert!(page["paging"]["next"].is_string() && page["paging"]["previous"].is_string());
}

#[tokio::test]
async fn a_cursor_stays_good_while_numbers_come() {
    let (world, mut all) = world().await;
    all.reverse();
    let first = list(&world, "limit=3").await;
    let after = first["paging"]["cursors"]["after"].as_str().unwrap().to_owned();
    let add = "cc=44&phone_number=7700900199&verified_name=New";
    world.ok("EAAtest", &format!("POST /v25.0/{WABA}/phone_numbers?{add}")).await;
    let second = list(&world, &format!("limit=3&after={after}")).await;
    assert_eq!(ids(&second), all[3..6]);
}

#[tokio::test]
async fn filters_are_read_in_both_kinds_of_quotes() {
    let (world, _) = world().await;
    for (value, count) in [("LIVE", 7), ("SANDBOX", 0)] {
        for quote in ["%22", "'"] {
            let filter = format!(
                "%5B%7B{quote}field{quote}:{quote}account_mode{quote},\
                 {quote}operator{quote}:{quote}EQUAL{quote},{quote}value{quote}:{quote}{value}{quote}%7D%5D"
            );
            let page = list(&world, &format!("filtering={filter}")).await;
            assert_eq!(ids(&page).len(), count, "{filter}");
        }
    }
}

#[tokio::test]
async fn values_that_cannot_be_are_refused() {
    let (world, _) = world().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=many",
        "after=nonsense",
        "before=%F0%9F%92%A5",
        "filtering=%7B%7D",
        "filtering=nonsense",
        "filtering=%5B%7B%22field%22:%22pin%22%7D%5D",
        "fields=%7B",
    ] {
        let answer =
            world.ask("EAAtest", &format!("GET /v25.0/{WABA}/phone_numbers?{query}")).await;
        let (status, code, _) = answer.outcome();
        assert!(status == 400 && (code == 100 || code == 2500), "{query}: {}", answer.text);
    }
}

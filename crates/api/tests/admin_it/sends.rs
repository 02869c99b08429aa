//! The ledger of messages.

use serde_json::{Value, json};

use crate::harness::{NUMBER, World, column};

#[tokio::test]
async fn a_message_is_listed_and_shown_with_what_became_of_it() {
    let world = World::new().await;
    let order = json!({ "client": "default", "method": "sms", "name": "A", "locale": "de" });
    world.post(&format!("/numbers/{NUMBER}/request-code"), order).await.expect(202);
    let page = world.get("/sends").await.expect(200);
    let decided = &page["items"][0];
    assert_eq!(decided["state"], "claimed", "this process will hand it over right away");
    let id = decided["id"].as_str().unwrap();
    world.code(NUMBER).await;
    let shown = world.get(&format!("/sends/{id}")).await.expect(200);
    for (field, value) in [
        ("state", json!("handed_over")),
        ("sender", json!("inbox")),
        ("number", json!(NUMBER)),
        ("account", json!("default")),
        ("dialect", json!("admin")),
        ("method", json!("sms")),
        ("locale", json!("de")),
        ("attempts", json!(1)),
        ("useless_after", json!("2027-01-15T08:10:00Z")),
        ("reason", Value::Null),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
}

#[tokio::test]
async fn the_ledger_is_paged_newest_first_and_cut_by_number_account_and_sender() {
    let world = World::new().await;
    let numbers = ["+447700900123", "+447700900124", "+447700900125"];
    for number in numbers {
        let order = json!({ "client": "default", "method": "sms", "name": "A" });
        world.post(&format!("/numbers/{number}/request-code"), order).await.expect(202);
    }
    let first = world.get("/sends?limit=2").await.expect(200);
    assert_eq!(column(&first, "number"), [numbers[2], numbers[1]]);
    let next = first["next"].as_str().unwrap();
    let rest = world.get(&format!("/sends?limit=2&before={next}")).await.expect(200);
    assert_eq!(
        (column(&rest, "number"), &rest["next"]),
        (vec![numbers[0].to_owned()], &Value::Null)
    );
    for (query, count) in [
        ("number=%2B447700900124", 1),
        ("account=default", 3),
        ("account=acme", 0),
        ("sender=inbox", 0),
    ] {
        let page = world.get(&format!("/sends?{query}")).await.expect(200);
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}");
    }
}

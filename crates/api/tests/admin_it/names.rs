//! Display names that wait for a verdict.

use registration::{TextId as _, VerifiedName, WabaId};
use serde_json::{Value, json};
use service::numbers::ClaimName;
use service::{Caller, Policy};

use crate::harness::{NUMBER, WABA, World, column};

const SECOND: &str = "+447700900124";

impl World {
    /// A caller's WABA claims a number under a name, where names are reviewed.
    async fn claims(&self, number: &str, waba: &str, name: &str) {
        self.service.set_policy(Policy { review_names: true, ..Policy::default() });
        let name = VerifiedName::parse(name).unwrap();
        let name = ClaimName { name, certificate_serial: None, is_vouched_for: false };
        let caller = Caller { dialect: "graph", ..Caller::operator() };
        let number = number.parse::<u64>().unwrap().to_string();
        let number = registration::PhoneNumber::parse(&number).unwrap();
        let waba = WabaId::parse(waba).unwrap();
        self.service.add_number(&caller, &waba, number, &name).await.unwrap();
    }

    async fn verdict(&self, number: &str, verb: &str, order: Value) -> crate::harness::Answer {
        self.post(&format!("/numbers/{number}/name/{verb}"), order).await
    }
}

#[tokio::test]
async fn names_wait_in_a_list_until_they_are_approved_or_declined() {
    let world = World::new().await;
    world.claims(NUMBER, WABA, "Lucky Shrub").await;
    world.claims(SECOND, WABA, "Jasper's Market").await;
    let list = world.get("/names").await.expect(200);
    assert_eq!(column(&list, "number"), [NUMBER, SECOND]);
    let waiting = &list["items"][0]["names"][0];
    assert_eq!(waiting["name"], "Lucky Shrub");
    assert_eq!((&waiting["waba"], &waiting["in_force"]), (&json!(WABA), &Value::Null));
    let first = world.get("/names?limit=1").await.expect(200);
    assert_eq!(column(&first, "number"), [NUMBER]);
    let rest = format!("/names?after={}", first["next"].as_str().unwrap().replace('+', "%2B"));
    assert_eq!(column(&world.get(&rest).await.expect(200), "number"), [SECOND]);

    let approved = world.verdict(NUMBER, "approve", json!({})).await.expect(200);
    assert_eq!(approved["number"]["claims"][0]["name_review"]["status"], "approved");
    let why = json!({ "why": "unrelated" });
    let declined = world.verdict(SECOND, "decline", why).await.expect(200);
    let review = &declined["number"]["claims"][0]["name_review"];
    assert_eq!((&review["status"], &review["why"]), (&json!("declined"), &json!("unrelated")));
    assert_eq!(world.get("/names").await.expect(200)["items"], json!([]));

    let audit = world.get("/audit?limit=200").await.expect(200);
    let kinds = column(&audit, "kind");
    assert!(
        kinds.ends_with(&["name_approved".to_owned(), "name_declined".to_owned()]),
        "{kinds:?}"
    );
    let declined = audit["items"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&declined["details"]["why"], &declined["actor"]),
        (&json!("unrelated"), &json!("operator"))
    );
}

#[tokio::test]
async fn a_verdict_on_a_name_that_is_asked_for_no_more_is_not_noted() {
    let world = World::new().await;
    world.claims(NUMBER, WABA, "Lucky Shrub").await;
    for verb in ["approve", "decline"] {
        let other = world.verdict(NUMBER, verb, json!({ "name": "Jasper's Market" })).await;
        assert_eq!(
            (other.status.as_u16(), &other.body["error"]["code"]),
            (409, &json!("conflict"))
        );
    }
    assert_eq!(column(&world.get("/names").await.expect(200), "number"), [NUMBER]);
    world.verdict(NUMBER, "approve", json!({ "name": "Lucky Shrub" })).await.expect(200);
    assert_eq!(world.get("/names").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn which_claim_is_meant_is_said_where_it_is_not_clear() {
    let world = World::new().await;
    let other = "102290129340399";
    let space = world.get("/spaces").await.expect(200)["items"][0]["id"].clone();
    let new = json!({ "id": other, "space": space, "name": "Second" });
    world.post("/wabas", new).await.expect(201);
    world.claims(NUMBER, WABA, "Lucky Shrub").await;
    world.claims(NUMBER, other, "Jasper's Market").await;
    let unclear = world.verdict(NUMBER, "approve", json!({})).await;
    assert_eq!(unclear.status, 422);
    assert!(unclear.body.to_string().contains(other), "{}", unclear.body);
    world.verdict(NUMBER, "approve", json!({ "waba": other })).await.expect(200);
    world.verdict(NUMBER, "approve", json!({})).await.expect(200);
    let shown = world.get(&format!("/numbers/{NUMBER}")).await.expect(200);
    for claim in shown["claims"].as_array().unwrap() {
        assert_eq!(claim["name_review"]["status"], "approved", "{claim}");
    }
    let stranger = world.verdict(NUMBER, "decline", json!({ "waba": "1234" })).await;
    assert_eq!(stranger.status, 422);
    let unknown = world.verdict("+447700900999", "approve", json!({})).await;
    assert_eq!(unknown.status, 404);
    let odd = world.verdict(NUMBER, "decline", json!({ "why": "ugly" })).await;
    assert_eq!(odd.status, 422);
}

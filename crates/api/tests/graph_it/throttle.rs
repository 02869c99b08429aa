//! Hourly limits of an app and of an app on a WABA, and what the headers say of them (§6).

use serde_json::Value;
use service::Policy;
use service::graph_usage::GraphLimits;

use crate::harness::{Answer, SECOND, WABA, World};

async fn world(limits: GraphLimits) -> World {
    World::with(Policy { graph: limits, ..Policy::default() }).await
}

fn usage(answer: &Answer, waba: &str) -> Value {
    let text = answer.header("x-business-use-case-usage").unwrap();
    serde_json::from_str::<Value>(text).unwrap()[waba][0].clone()
}

#[tokio::test]
async fn a_waba_has_few_calls_until_it_has_a_registered_number() {
    let limits = GraphLimits { app_calls: 1_000, waba_calls: 10, registered_waba_calls: 50 };
    let world = world(limits).await;
    let read = format!("GET /v25.0/{WABA}?fields=id");
    for call in 1..=10_u64 {
        let answer = world.ask("EAAtest", &read).await;
        assert_eq!(usage(&answer, WABA)["call_count"], call * 10);
    }
    let refused = world.ask("EAAtest", &read).await;
    assert_eq!(refused.outcome(), (400, 80_007, 0));
    assert_eq!(refused.body["error"]["is_transient"], true);
    assert_eq!(usage(&refused, WABA)["estimated_time_to_regain_access"], 60);
    assert_eq!(refused.header("retry-after"), Some("3600"));
    let other = world.ask("EAAtest", &format!("GET /v25.0/{SECOND}?fields=id")).await;
    assert_eq!(other.status, 200, "WABAs do not share");
    world.wait(3_600);
    // Four calls of a registration, and the limit is another one.
    world.registered("EAAtest", WABA, "7700900123").await;
    for _ in 4..50 {
        assert_eq!(world.ask("EAAtest", &read).await.status, 200);
    }
    assert_eq!(world.ask("EAAtest", &read).await.outcome(), (400, 80_007, 0));
    let of_number = world.ask("EAAtest", "GET /v25.0/<phone>").await;
    assert_eq!(of_number.outcome(), (400, 80_007, 0), "a call on a number counts for its WABA");
}

#[tokio::test]
async fn an_app_has_its_calls_over_all_wabas() {
    let limits = GraphLimits { app_calls: 4, ..GraphLimits::default() };
    let world = world(limits).await;
    for waba in [WABA, SECOND, WABA, SECOND] {
        assert_eq!(world.ask("EAAtest", &format!("GET /v25.0/{waba}")).await.status, 200);
    }
    let refused = world.ask("EAAtest", "GET /v25.0/me").await;
    assert_eq!(refused.outcome(), (400, 4, 0));
    let used = refused.header("x-app-usage").unwrap();
    assert_eq!(serde_json::from_str::<Value>(used).unwrap()["call_count"], 100);
    let other = world.ask("EAAother", "GET /v25.0/me").await;
    assert_eq!(other.status, 200, "accounts do not share");
    assert_eq!(world.ask("EAAnobody", "GET /v25.0/me").await.status, 401, "who is nobody first");
}

#[tokio::test]
async fn a_throttled_call_has_no_effect_and_costs_nothing() {
    let limits = GraphLimits { waba_calls: 1, ..GraphLimits::default() };
    let world = world(limits).await;
    let add =
        format!("POST /v25.0/{WABA}/phone_numbers?cc=44&phone_number=7700900123&verified_name=Me");
    world.ok("EAAtest", &add).await;
    for _ in 0..3 {
        let code =
            world.ask("EAAtest", "POST /v25.0/<phone>/request_code?code_method=SMS&language=en");
        assert_eq!(code.await.outcome(), (400, 80_007, 0));
    }
    world.wait(3_600);
    world.ok("EAAtest", "POST /v25.0/<phone>/request_code?code_method=SMS&language=en").await;
}

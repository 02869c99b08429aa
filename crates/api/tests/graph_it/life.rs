//! A number's life over several calls, also across dialects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use registration::{PhoneNumber, TextId as _, WabaId};
use service::certificate::NewCertificate;

use crate::harness::{FOREIGN, WABA, World};

#[tokio::test]
async fn a_registered_number_moves_to_whoever_has_code_and_pin() {
    let world = World::new().await;
    // Claimed before it was registered elsewhere: adding it afterwards would be refused.
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    world.ok("EAAother", &format!("POST /v25.0/{FOREIGN}/{add}")).await;
    let theirs = world.text("phone");
    let mine = world.registered("EAAtest", WABA, "7700900123").await;
    world.wait(60);
    world
        .ok("EAAother", &format!("POST /v25.0/{theirs}/request_code?code_method=SMS&language=en"))
        .await;
    world.ok("EAAother", &format!("POST /v25.0/{theirs}/verify_code?code=<code>")).await;
    let register =
        |pin: &str| format!("POST /v25.0/{theirs}/register?messaging_product=whatsapp&pin={pin}");
    // The PIN in force is the first holder's; setting another one is not for who holds nothing.
    assert_eq!(world.ask("EAAother", &register("111111")).await.outcome(), (400, 133_005, 0));
    let set = world.ask("EAAother", &format!("POST /v25.0/{theirs}?pin=111111")).await;
    assert_eq!(set.outcome(), (400, 133_010, 0));
    world.ok("EAAother", &register("246810")).await;
    let shown = world.ok("EAAtest", &format!("GET /v25.0/{mine}?fields=platform_type")).await;
    assert_eq!(shown["platform_type"], "NOT_APPLICABLE");
    let gone = world.ask("EAAtest", &format!("POST /v25.0/{mine}/deregister")).await;
    assert_eq!(gone.outcome(), (400, 133_010, 0));
}

#[tokio::test]
async fn the_same_code_is_sent_again_and_the_budget_is_the_numbers() {
    let world = World::new().await;
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    world.ok("EAAtest", &format!("POST /v25.0/{WABA}/{add}")).await;
    let request = "POST /v25.0/<phone>/request_code?code_method=SMS&language=en";
    world.ok("EAAtest", request).await;
    let first = world.text("code");
    world.wait(60);
    world.ok("EAAtest", request).await;
    assert_eq!(world.text("code"), first);
    world.ok("EAAtest", "POST /v25.0/<phone>/verify_code?code=<code>").await;
}

/// Logs the admin of the On-Premises client in; the header to send.
pub(crate) async fn onprem(world: &World) -> String {
    let basic = STANDARD.encode("admin:Sandbox-1!");
    let request = http::Request::builder()
        .method("POST")
        .uri("/v1/users/login")
        .header("authorization", format!("Basic {basic}"))
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = world.send(request).await;
    answer.body["users"][0]["token"].as_str().unwrap().to_owned()
}

pub(crate) fn certificate(world: &World) -> String {
    world.service.keys().authority().issue(&NewCertificate {
        number: PhoneNumber::parse("447700900123").unwrap(),
        waba: WabaId::parse(WABA).unwrap(),
        name: registration::VerifiedName::parse("Lucky Shrub").unwrap(),
        issued_at: world.service.now(),
        serial: 1,
    })
}

#[tokio::test]
async fn a_code_of_one_dialect_is_confirmed_in_another() {
    let world = World::new().await;
    let token = onprem(&world).await;
    let account = format!(
        r#"POST /v1/account {{"cc":"44","phone_number":"7700900123","method":"sms","cert":"{}"}}"#,
        certificate(&world)
    );
    assert_eq!(world.ask(&token, &account).await.status, 202);
    let list = world.ok("EAAtest", &format!("GET /v25.0/{WABA}/phone_numbers")).await;
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    // No fresh budget by way of another dialect.
    let again = format!("POST /v25.0/{id}/request_code?code_method=SMS&language=en");
    assert_eq!(world.ask("EAAtest", &again).await.outcome(), (400, 136_024, 2_388_091));
    world.ok("EAAtest", &format!("POST /v25.0/{id}/verify_code?code=<code>")).await;
    // The claim is verified, so the client needs no code any more.
    assert_eq!(world.ask(&token, &account).await.status, 201);
    let shown = world.ok("EAAtest", &format!("GET /v25.0/{id}?fields=platform_type,status")).await;
    assert_eq!(shown["platform_type"], "ON_PREMISE");
    assert_eq!(shown["status"], "CONNECTED");
}

#[tokio::test]
async fn a_number_moves_from_premises_to_the_cloud_and_its_client_is_told() {
    let world = World::new().await;
    let token = onprem(&world).await;
    let account = format!(
        r#"POST /v1/account {{"cc":"44","phone_number":"7700900123","method":"sms","cert":"{}"}}"#,
        certificate(&world)
    );
    assert_eq!(world.ask(&token, &account).await.status, 202);
    let verify = r#"POST /v1/account/verify {"code":"<code>"}"#;
    assert_eq!(world.ask(&token, verify).await.status, 201);
    let list =
        world.ok("EAAtest", &format!("GET /v25.0/{WABA}/phone_numbers?fields=platform_type")).await;
    assert_eq!(list["data"][0]["platform_type"], "ON_PREMISE");
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    world.wait(60);
    world
        .ok("EAAtest", &format!("POST /v25.0/{id}/request_code?code_method=SMS&language=en"))
        .await;
    world.ok("EAAtest", &format!("POST /v25.0/{id}/verify_code?code=<code>")).await;
    let register = format!("POST /v25.0/{id}/register?messaging_product=whatsapp&pin=246810");
    world.ok("EAAtest", &register).await;
    let shown = world.ok("EAAtest", &format!("GET /v25.0/{id}?fields=platform_type")).await;
    assert_eq!(shown["platform_type"], "CLOUD_API");
    // The client lost the number; the PIN that was set now protects it from being taken back.
    let back = world.ask(&token, &account).await;
    assert_eq!(back.status, 403);
    assert!(back.text.contains("security_code"), "{}", back.text);
}

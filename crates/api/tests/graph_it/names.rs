//! Display names: asked for, looked at, in force after a registration.

use core::time::Duration;

use registration::{NameFault, PhoneNumber, TextId as _, WabaId};
use serde_json::{Value, json};
use service::certificate::Certificate;
use service::{Caller, Policy};

use crate::harness::{WABA, World};

const NATIONAL: &str = "7700900123";

fn number() -> PhoneNumber {
    PhoneNumber::parse("447700900123").unwrap()
}

fn waba() -> WabaId {
    WabaId::parse(WABA).unwrap()
}

impl World {
    /// What the number shows of its names.
    async fn names(&self) -> Value {
        let fields = "verified_name,name_status,new_display_name,new_name_status";
        let mut shown = self.ok("EAAtest", &format!("GET /v25.0/<phone>?fields={fields}")).await;
        shown.as_object_mut().unwrap().remove("id");
        shown
    }

    async fn ask_name(&self, name: &str) {
        let body = json!({ "new_display_name": name });
        self.ok("EAAtest", &format!("POST /v25.0/<phone> {body}")).await;
    }

    async fn register_again(&self) {
        let body = r#"{"messaging_product":"whatsapp","pin":"246810"}"#;
        self.ok("EAAtest", &format!("POST /v25.0/<phone>/register {body}")).await;
    }
}

#[tokio::test]
async fn a_new_name_shows_after_the_next_registration() {
    let world = World::new().await;
    world.registered("EAAtest", WABA, NATIONAL).await;
    let old = json!({
        "verified_name": "Lucky Shrub", "name_status": "APPROVED", "new_name_status": "NONE",
    });
    assert_eq!(world.names().await, old);
    world.ask_name("Jasper's Market").await;
    let waiting = json!({
        "verified_name": "Lucky Shrub", "name_status": "APPROVED",
        "new_display_name": "Jasper's Market", "new_name_status": "APPROVED",
    });
    assert_eq!(world.names().await, waiting);
    world.register_again().await;
    let new = json!({
        "verified_name": "Jasper's Market", "name_status": "APPROVED", "new_name_status": "NONE",
    });
    assert_eq!(world.names().await, new);
}

#[tokio::test]
async fn a_certificate_comes_with_the_approval_and_is_good_for_fourteen_days() {
    let world = World::new().await;
    world.registered("EAAtest", WABA, NATIONAL).await;
    world.ask_name("Jasper's Market").await;
    let fields = "GET /v25.0/<phone>?fields=certificate,new_certificate,new_name_status";
    let shown = world.ok("EAAtest", fields).await;
    for (field, name) in [("certificate", "Lucky Shrub"), ("new_certificate", "Jasper's Market")] {
        let certificate = Certificate::decode(shown[field].as_str().unwrap()).unwrap();
        assert_eq!(certificate.name.as_str(), name);
    }
    assert_eq!(world.ok("EAAtest", fields).await, shown, "it is the same each time");
    world.clock.advance(Duration::from_hours(14 * 24));
    let later = world.ok("EAAtest", fields).await;
    assert_eq!(later["new_name_status"], "EXPIRED");
    assert_eq!((later.get("certificate"), later.get("new_certificate")), (None, None));
    world.register_again().await;
    assert_eq!(world.names().await["verified_name"], "Lucky Shrub", "too late");
}

#[tokio::test]
async fn where_names_are_reviewed_the_operator_has_the_last_word() {
    let world = World::with(Policy { review_names: true, ..Policy::default() }).await;
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Lucky+Shrub";
    world.ok("EAAtest", &format!("POST /v25.0/{WABA}/{add}")).await;
    let review = "GET /v25.0/<phone>?fields=name_status,unified_cert_status,certificate";
    let shown = world.ok("EAAtest", review).await;
    assert_eq!(shown["name_status"], "PENDING_REVIEW");
    assert_eq!(shown["unified_cert_status"], "NAME_PENDING_REVIEW");
    assert_eq!(shown.get("certificate"), None, "no certificate without approval");
    world.ok("EAAtest", "POST /v25.0/<phone>/request_code?code_method=SMS&language=en_US").await;
    world.ok("EAAtest", "POST /v25.0/<phone>/verify_code?code=<code>").await;

    let operator = Caller::operator();
    let why = NameFault::Format;
    world.service.decline_name(&operator, &waba(), number(), None, why).await.unwrap();
    assert_eq!(world.ok("EAAtest", review).await["name_status"], "DECLINED");
    let body = r#"{"messaging_product":"whatsapp","pin":"246810"}"#;
    let refused = world.ask("EAAtest", &format!("POST /v25.0/<phone>/register {body}")).await;
    assert_eq!(refused.outcome(), (400, 100, 2_388_001), "{}", refused.text);
    assert_eq!(refused.body["error"]["error_user_title"], "Cannot Create Certificate");

    world.service.approve_name(&operator, &waba(), number(), None).await.unwrap();
    world.register_again().await;
    world.ask_name("Jasper's Market").await;
    assert_eq!(world.names().await["new_name_status"], "PENDING_REVIEW");
    world.register_again().await;
    assert_eq!(world.names().await["verified_name"], "Lucky Shrub", "not before the verdict");
    world.service.approve_name(&operator, &waba(), number(), None).await.unwrap();
    world.register_again().await;
    assert_eq!(world.names().await["verified_name"], "Jasper's Market");
}

//! `register` with the backup of an On-Premises client (§8.1).

use serde_json::{Value, json};

use crate::harness::{Answer, WABA, World};

impl World {
    /// The number runs on the On-Premises client; its backup, its id, and the token of the client's admin.
    async fn on_premises(&self) -> (String, String, String) {
        let token = crate::life::onprem(self).await;
        let cert = crate::life::certificate(self);
        let account =
            json!({ "cc": "44", "phone_number": "7700900123", "method": "sms", "cert": cert });
        self.ask(&token, &format!("POST /v1/account {account}")).await;
        let verify = r#"POST /v1/account/verify {"code":"<code>"}"#;
        assert_eq!(self.ask(&token, verify).await.status, 201);
        let pin = r#"POST /v1/settings/account/two-step {"pin":"246810"}"#;
        assert_eq!(self.ask(&token, pin).await.status, 200);
        let list = self.ok("EAAtest", &format!("GET /v25.0/{WABA}/phone_numbers")).await;
        let id = list["data"][0]["id"].as_str().unwrap().to_owned();
        (self.backup(&token).await, id, token)
    }

    async fn backup(&self, token: &str) -> String {
        let made =
            self.ask(token, r#"POST /v1/settings/backup {"password":"hunter2hunter2"}"#).await;
        made.body["settings"]["data"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned()
    }

    async fn register_with(&self, id: &str, pin: &str, backup: Value) -> Answer {
        let body = json!({ "messaging_product": "whatsapp", "pin": pin, "backup": backup });
        self.ask("EAAtest", &format!("POST /v25.0/{id}/register {body}")).await
    }
}

fn given(data: &str) -> Value {
    json!({ "data": data, "password": "hunter2hunter2" })
}

#[tokio::test]
async fn a_backup_moves_a_number_to_the_cloud_without_a_code() {
    let world = World::new().await;
    let (backup, id, token) = world.on_premises().await;
    assert_eq!(world.register_with(&id, "246810", given(&backup)).await.status, 200);
    let fields = "fields=platform_type,status,is_pin_enabled";
    let shown = world.ok("EAAtest", &format!("GET /v25.0/{id}?{fields}")).await;
    assert_eq!(shown["platform_type"], "CLOUD_API");
    assert_eq!((&shown["status"], &shown["is_pin_enabled"]), (&json!("CONNECTED"), &json!(true)));
    // The client was logged off: it holds nothing that it could back up.
    let made = world.ask(&token, r#"POST /v1/settings/backup {"password":"hunter2hunter2"}"#).await;
    assert_ne!(made.status, 200, "{}", made.text);
    // The answer may have been lost: the same call again is as good.
    assert_eq!(world.register_with(&id, "246810", given(&backup)).await.status, 200);
}

#[tokio::test]
async fn what_proves_nothing_changes_nothing() {
    let world = World::new().await;
    let (backup, id, token) = world.on_premises().await;
    let still_there = async || {
        let shown = world.ok("EAAtest", &format!("GET /v25.0/{id}?fields=platform_type")).await;
        assert_eq!(shown["platform_type"], "ON_PREMISE");
    };
    let wrong_pin = world.register_with(&id, "111111", given(&backup)).await;
    assert_eq!(wrong_pin.outcome(), (400, 133_005, 0));
    for backup in [
        json!({ "data": backup, "password": "wrong" }),
        given("AAAA"),
        given("no base64!"),
        json!({ "data": backup }),
        json!({ "password": "hunter2hunter2" }),
        json!({ "data": 1, "password": "hunter2hunter2" }),
        json!("text"),
    ] {
        let refused = world.register_with(&id, "246810", backup).await;
        assert_eq!(refused.outcome(), (400, 100, 0), "{}", refused.text);
    }
    still_there().await;
    // Another number of the same WABA is not moved by it.
    let add = "phone_numbers?cc=44&phone_number=7700900456&verified_name=Lucky+Shrub";
    world.ok("EAAtest", &format!("POST /v25.0/{WABA}/{add}")).await;
    let other = world.text("phone");
    let refused = world.register_with(&other, "246810", given(&backup)).await;
    assert_eq!(refused.outcome(), (400, 100, 0), "{}", refused.text);
    // Once the number was registered anew, the backup is void.
    world.wait(60);
    let call = |call: &str| format!("POST /v25.0/{id}/{call}");
    world.ok("EAAtest", &call("request_code?code_method=SMS&language=en")).await;
    world.ok("EAAtest", &call("verify_code?code=<code>")).await;
    let register = r#"register {"messaging_product":"whatsapp","pin":"246810"}"#;
    world.ok("EAAtest", &call(register)).await;
    world.ok("EAAtest", &call("deregister")).await;
    let refused = world.register_with(&id, "246810", given(&backup)).await;
    assert_eq!(refused.outcome(), (400, 100, 0), "{}", refused.text);
    assert!(refused.text.contains("no longer exists"), "{}", refused.text);
    let _ = token;
}

#[tokio::test]
async fn the_backup_of_another_account_is_good_for_nothing() {
    let world = World::new().await;
    let (backup, _, _) = world.on_premises().await;
    let add = "phone_numbers?cc=44&phone_number=7700900123&verified_name=Thief";
    let foreign = crate::harness::FOREIGN;
    let migrate = format!("POST /v25.0/{foreign}/{add}&migrate_phone_number=true");
    world.ok("EAAother", &migrate).await;
    let theirs = world.text("phone");
    let body =
        json!({ "messaging_product": "whatsapp", "pin": "246810", "backup": given(&backup) });
    let refused = world.ask("EAAother", &format!("POST /v25.0/{theirs}/register {body}")).await;
    assert_eq!(refused.outcome(), (400, 100, 0), "{}", refused.text);
}

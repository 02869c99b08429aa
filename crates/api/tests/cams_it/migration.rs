//! Moving a number here: the four steps, and what others see of it.

use core::time::Duration;

use registration::{PhoneNumber, TwoStepPin};
use serde_json::{Value, json};
use service::Caller;

use crate::harness::{Answer, SPACE, World};

const NUMBER: &str = "447700900123";
/// A space of the same account, made by binding a WABA.
const OLD_WABA: &str = "300000000000001";

impl World {
    async fn step(&self, action: &str, more: &[(&str, &str)]) -> Answer {
        let parameters = [&[("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)], more].concat();
        self.call(action, &parameters).await
    }

    async fn start(&self) -> Value {
        let parameters =
            [("CustSpaceId", SPACE), ("CountryCode", "44"), ("MobileNumber", "7700900123")];
        self.call("CreateChatappMigrationInitiate", &parameters).await.ok()["Data"].take()
    }

    async fn send_code(&self) -> Answer {
        self.clock.advance(Duration::from_mins(10));
        self.step("GetMigrationVerifyCode", &[("Method", "SMS"), ("Locale", "en")]).await
    }

    async fn seen_in(&self, space: &str) -> Value {
        let listed = self.call("QueryChatappPhoneNumbers", &[("CustSpaceId", space)]).await.ok();
        let number = &listed["PhoneNumbers"][0];
        json!([number["Status"], number["VerifiedName"], number["CodeVerificationStatus"]])
    }

    /// The number, registered in another space; which one.
    async fn registered_elsewhere(&self) -> String {
        let bound = self.call("ChatappBindWaba", &[("WabaId", OLD_WABA)]).await.ok();
        let space = bound["Data"]["CustSpaceId"].as_str().unwrap().to_owned();
        let space_id = ("CustSpaceId", space.as_str());
        let name = [("PhoneNumber", "7700900123"), ("VerifiedName", "Lucky Shrub")];
        let add = [&[space_id, ("Cc", "44")], &name[..]].concat();
        self.call("AddChatappPhoneNumber", &add).await.ok();
        let number = [space_id, ("PhoneNumber", NUMBER)];
        let send = [&number[..], &[("Method", "sms"), ("Locale", "en")]].concat();
        self.call("GetChatappVerifyCode", &send).await.ok();
        let code = self.code(NUMBER).await;
        let check = [&number[..], &[("VerifyCode", code.as_str())]].concat();
        self.call("ChatappVerifyAndRegister", &check).await.ok();
        space
    }
}

#[tokio::test]
async fn a_number_moves_in_four_steps_and_brings_its_name() {
    let world = World::new().await;
    let old = world.registered_elsewhere().await;
    let data = world.start().await;
    assert_eq!((&data["PhoneNumber"], &data["Status"]), (&json!(NUMBER), &json!("MIGRATING")));
    assert_eq!(world.start().await, data, "repeated, it is the same migration");
    let name = "102290129340398";
    assert_eq!(world.seen_in(SPACE).await, json!(["MIGRATING", name, "NOT_VERIFIED"]));
    let sent = world.send_code().await.ok();
    assert_eq!(sent["Data"], json!({ "Id": data["Id"], "PhoneNumber": NUMBER }));
    let code = world.code(NUMBER).await;
    let early = world.step("ChatappMigrationRegister", &[]).await;
    assert_eq!(early.outcome(), (200, "PhoneNumber.NotVerified"));
    let checked = world.step("ChatappMigrationVerified", &[("VerifyCode", &code)]).await.ok();
    assert_eq!(checked["Data"], sent["Data"]);
    assert_eq!(world.seen_in(SPACE).await, json!(["MIGRATING", name, "VERIFIED"]));
    assert_eq!(world.seen_in(&old).await, json!(["CONNECTED", "Lucky Shrub", "VERIFIED"]));
    world.step("ChatappMigrationRegister", &[]).await.ok();
    world.step("ChatappMigrationRegister", &[]).await.ok();
    assert_eq!(world.seen_in(SPACE).await, json!(["CONNECTED", "Lucky Shrub", "VERIFIED"]));
    assert_eq!(world.seen_in(&old).await, json!(["MIGRATED", "Lucky Shrub", "NOT_VERIFIED"]));
    assert_eq!(world.send_code().await.outcome(), (200, "Migration.StatusError"), "it has arrived");
    world.step("ChatappPhoneNumberDeregister", &[]).await.ok();
    assert_eq!(world.seen_in(SPACE).await, json!(["DISCONNECTED", "Lucky Shrub", "NOT_VERIFIED"]));
}

#[tokio::test]
async fn the_pin_of_the_old_holder_is_released_first() {
    let world = World::new().await;
    world.registered_elsewhere().await;
    let number = PhoneNumber::parse(NUMBER).unwrap();
    let operator = Caller { account: None, dialect: "admin", actor: "operator".to_owned() };
    let pin = TwoStepPin::parse("123456").unwrap();
    world.service.set_two_step(&operator, number, None, &pin).await.unwrap();
    world.start().await;
    world.send_code().await.ok();
    let code = world.code(NUMBER).await;
    world.step("ChatappMigrationVerified", &[("VerifyCode", &code)]).await.ok();
    let refused = world.step("ChatappMigrationRegister", &[]).await;
    assert_eq!(refused.outcome(), (200, "PhoneNumber.TwoStepVerification"));
    world.service.clear_two_step(&operator, number, None).await.unwrap();
    world.step("ChatappMigrationRegister", &[]).await.ok();
}

#[tokio::test]
async fn steps_out_of_order_say_so() {
    let world = World::new().await;
    for (action, more) in [
        ("GetMigrationVerifyCode", &[("Method", "sms"), ("Locale", "en")][..]),
        ("ChatappMigrationVerified", &[("VerifyCode", "123456")]),
        ("ChatappMigrationRegister", &[]),
    ] {
        let answer = world.step(action, more).await;
        assert_eq!(answer.outcome(), (200, "InvalidParameter.PhoneNumberNotExist"), "{action}");
    }
    let name = [("PhoneNumber", "7700900123"), ("VerifiedName", "Lucky Shrub")];
    let add = [&[("CustSpaceId", SPACE), ("Cc", "44")], &name[..]].concat();
    world.call("AddChatappPhoneNumber", &add).await.ok();
    assert_eq!(world.send_code().await.outcome(), (200, "Migration.StatusError"));
    let answer = world.step("ChatappMigrationRegister", &[]).await;
    assert_eq!(answer.outcome(), (200, "Migration.StatusError"));
    world.start().await;
    assert_eq!(world.seen_in(SPACE).await, json!(["MIGRATING", "Lucky Shrub", "NOT_VERIFIED"]));
}

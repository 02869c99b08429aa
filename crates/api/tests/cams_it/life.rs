//! The life of a number as a CAMS client sees it.

use serde_json::{Value, json};

use crate::harness::{Answer, SPACE, World};

/// A mobile in a range that Ofcom keeps for drama.
const NUMBER: &str = "447700900123";
const LANDLINE: &str = "442079460123";

impl World {
    async fn about(&self, action: &str, number: &str, more: &[(&str, &str)]) -> Answer {
        let parameters = [&[("CustSpaceId", SPACE), ("PhoneNumber", number)], more].concat();
        self.call(action, &parameters).await
    }

    async fn add(&self, cc: &str, national: &str) -> Answer {
        let parameters = [
            ("CustSpaceId", SPACE),
            ("Cc", cc),
            ("PhoneNumber", national),
            ("VerifiedName", "Lucky Shrub"),
        ];
        self.call("AddChatappPhoneNumber", &parameters).await
    }

    async fn status(&self, number: &str) -> Value {
        let answer = self.about("GetPhoneNumberVerificationStatus", number, &[]).await;
        answer.ok()["Data"]["CodeVerificationStatus"].take()
    }

    /// Status of each number of the space.
    async fn listed(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let parameters = [&[("CustSpaceId", SPACE)], more].concat();
        let answer = self.call("QueryChatappPhoneNumbers", &parameters).await.ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let numbers = answer["PhoneNumbers"].as_array().unwrap().iter();
        numbers.map(|it| (text(&it["PhoneNumber"]), text(&it["Status"]))).collect()
    }
}

const SMS: [(&str, &str); 2] = [("Method", "sms"), ("Locale", "en_GB")];

#[tokio::test]
async fn a_number_is_added_verified_registered_and_given_up() {
    let world = World::new().await;
    world.add("44", "07700900123").await.ok();
    assert_eq!(world.status(NUMBER).await, "NOT_VERIFIED");
    assert_eq!(world.listed(&[]).await, [(NUMBER.to_owned(), "UNVERIFIED".to_owned())]);
    world.about("GetChatappVerifyCode", NUMBER, &SMS).await.ok();
    let code = world.code(NUMBER).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let answer = world.about("ChatappVerifyAndRegister", NUMBER, &[("VerifyCode", wrong)]).await;
    assert_eq!(answer.outcome(), (200, "VerifyCode.Error"));
    world.about("ChatappVerifyAndRegister", NUMBER, &[("VerifyCode", &code)]).await.ok();
    assert_eq!(world.status(NUMBER).await, "VERIFIED");
    assert_eq!(world.listed(&[]).await, [(NUMBER.to_owned(), "CONNECTED".to_owned())]);
    let again = world.about("ChatappVerifyAndRegister", NUMBER, &[("VerifyCode", &code)]).await;
    assert_eq!(again.outcome(), (200, "VerifyCode.Expired"), "a code is accepted once");
    world.about("ChatappPhoneNumberRegister", NUMBER, &[]).await.ok();
    world.about("ChatappPhoneNumberDeregister", NUMBER, &[]).await.ok();
    assert_eq!(world.status(NUMBER).await, "NOT_VERIFIED");
    let answer = world.about("ChatappPhoneNumberDeregister", NUMBER, &[]).await;
    assert_eq!(answer.outcome(), (200, "InvalidParameter.PhoneNumberNotExist"));
    let answer = world.about("ChatappPhoneNumberRegister", NUMBER, &[]).await;
    assert_eq!(answer.outcome(), (200, "PhoneNumber.NotVerified"));
}

#[tokio::test]
async fn codes_are_limited_and_the_channel_must_fit() {
    let world = World::new().await;
    world.add("44", "7700900123").await.ok();
    world.add("44", "2079460123").await.ok();
    let ask = async |number: &str, method: &str, locale: &str| {
        let parameters = [("Method", method), ("Locale", locale)];
        let answer = world.about("GetChatappVerifyCode", number, &parameters).await;
        answer.outcome().1.to_owned()
    };
    assert_eq!(ask(NUMBER, "fax", "en").await, "InvalidParameter.MethodNotSupport");
    assert_eq!(ask(NUMBER, "SMS", "tlh").await, "InvalidParameter.LanguageNotSupport");
    assert_eq!(ask("44770090012", "SMS", "en").await, "InvalidParameter.PhoneNumberError");
    assert_eq!(ask("+447700900123", "SMS", "en").await, "InvalidParameter.PhoneNumberError");
    assert_eq!(ask(NUMBER, "SMS", "zh_CN").await, "OK");
    assert_eq!(ask(NUMBER, "sms", "zh_CN").await, "System.LimitControl");
    assert_eq!(ask(LANDLINE, "SMS", "en").await, "InvalidParameter.MethodNotSupport");
    assert_eq!(ask(LANDLINE, "VOICE", "en").await, "OK");
}

#[tokio::test]
async fn numbers_are_listed_by_space_and_status() {
    let world = World::new().await;
    world.add("44", "7700900123").await.ok();
    world.add("44", "2079460123").await.ok();
    let both = world.listed(&[]).await;
    assert_eq!(both.len(), 2);
    assert_eq!(world.listed(&[("Status", "UNVERIFIED")]).await, both);
    assert_eq!(world.listed(&[("Status", "CONNECTED")]).await, []);
    assert_eq!(world.listed(&[("Status", "VERIFIED")]).await, [], "not a status of a number");
    let synced = world.call("ChatappSyncPhoneNumber", &[("CustSpaceId", SPACE)]).await.ok();
    let expected = json!({
        "PhoneNumber": LANDLINE,
        "VerifiedName": "Lucky Shrub",
        "NameStatus": "Approval",
        "CodeVerificationStatus": "NOT_VERIFIED",
        "Status": "UNVERIFIED",
        "QualityRating": "UNKNOWN",
        "MessagingLimitTier": "TIER_250",
        "IsOfficial": "N",
        "NewNameStatus": null,
        "StatusCallbackUrl": "",
        "UpCallbackUrl": "",
        "StatusQueue": "",
        "UpQueue": "",
        "CallingConfigure": null,
    });
    assert_eq!(synced["PhoneNumbers"][0], expected);
}

#[tokio::test]
async fn a_bound_waba_gets_a_space_of_its_own_and_keeps_it() {
    let world = World::new().await;
    let bind = async || {
        let answer = world.call("ChatappBindWaba", &[("WabaId", "300000000000001")]).await;
        answer.ok()["Data"]["CustSpaceId"].as_str().unwrap().to_owned()
    };
    let space = bind().await;
    assert!(space.starts_with("cams-") && space != SPACE, "{space}");
    assert_eq!(bind().await, space);
    let synced = world.call("ChatappSyncPhoneNumber", &[("CustSpaceId", &space)]).await.ok();
    assert_eq!(synced["PhoneNumbers"], json!([]));
    let answer = world.call("ChatappBindWaba", &[("WabaId", "a b")]).await;
    assert_eq!(answer.outcome(), (400, "InvalidWabaId"));
}

#[tokio::test]
async fn what_is_no_number_and_no_name_is_said_to_be_none() {
    let world = World::new().await;
    let answer = world.add("44", "12").await;
    assert_eq!(answer.outcome(), (200, "InvalidParameter.PhoneNumberError"));
    assert_eq!(answer.body["Success"], false);
    let parameters = [
        ("CustSpaceId", SPACE),
        ("Cc", "44"),
        ("PhoneNumber", "7700900123"),
        ("VerifiedName", "a\u{7}b"),
    ];
    let answer = world.call("AddChatappPhoneNumber", &parameters).await;
    assert_eq!(answer.outcome(), (400, "InvalidVerifiedName"));
}

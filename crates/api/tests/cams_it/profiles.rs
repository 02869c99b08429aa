//! What is kept beside a number, what is known of a WABA, health, and the signup dialog's operations.

use serde_json::{Value, json};

use crate::harness::{Answer, SPACE, World};

const NUMBER: &str = "447700900123";
const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMAMCAQE=\n-----END PUBLIC KEY-----";

async fn with_number() -> World {
    let world = World::new().await;
    let name = [("PhoneNumber", "7700900123"), ("VerifiedName", "Lucky Shrub")];
    let add = [&[("CustSpaceId", SPACE), ("Cc", "44")], &name[..]].concat();
    world.call("AddChatappPhoneNumber", &add).await.ok();
    world
}

/// Asks a second later, so that no flow control comes between.
async fn ask(world: &World, action: &str, more: &[(&str, &str)]) -> Answer {
    world.clock.advance(core::time::Duration::from_secs(1));
    let parameters = [&[("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)], more].concat();
    world.call(action, &parameters).await
}

async fn profile(world: &World) -> Value {
    ask(world, "QueryPhoneBusinessProfile", &[]).await.ok()["Data"].take()
}

#[tokio::test]
async fn a_profile_changes_where_it_is_named_and_an_empty_value_clears() {
    let world = with_number().await;
    let empty = json!({
        "About": "",
        "Address": "",
        "Description": "",
        "Email": "",
        "ProfilePictureUrl": "",
        "Vertical": "",
        "Websites": [],
    });
    assert_eq!(profile(&world).await, empty);
    let changes = [
        ("About", "Plants & more"),
        ("Email", "hello@example.com"),
        ("Vertical", "retail"),
        ("Websites", "[\"https://example.com\", \"http://example.org/a?b\"]"),
        ("ProfilePictureUrl", "https://example.com/a.png"),
    ];
    ask(&world, "ModifyPhoneBusinessProfile", &changes).await.ok();
    ask(&world, "ModifyPhoneBusinessProfile", &[("Address", "1 Hacker Way")]).await.ok();
    let expected = json!({
        "About": "Plants & more",
        "Address": "1 Hacker Way",
        "Description": "",
        "Email": "hello@example.com",
        "ProfilePictureUrl": "https://example.com/a.png",
        "Vertical": "RETAIL",
        "Websites": ["https://example.com", "http://example.org/a?b"],
    });
    assert_eq!(profile(&world).await, expected);
    let clear = changes.map(|(name, _)| (name, ""));
    ask(&world, "ModifyPhoneBusinessProfile", &clear).await.ok();
    ask(&world, "ModifyPhoneBusinessProfile", &[("Address", "")]).await.ok();
    assert_eq!(profile(&world).await, empty);
}

#[tokio::test]
async fn a_profile_that_cannot_be_is_refused_whole() {
    let world = with_number().await;
    let before = profile(&world).await;
    let long = "x".repeat(513);
    for (name, value) in [
        ("About", &long[..140]),
        ("Address", &long[..257]),
        ("Description", &long),
        ("Email", &long[..129]),
        ("Vertical", "PLANTS"),
        ("ProfilePictureUrl", "a.png"),
        ("ProfilePictureUrl", "javascript:alert(1)"),
        ("Websites", "https://example.com"),
        ("Websites", "[\"example.com\"]"),
        ("Websites", "[\"https://a.example\",\"https://b.example\",\"https://c.example\"]"),
        ("Websites", "[1]"),
    ] {
        let changes = [("Description", "kept out"), (name, value)];
        let changes = if name == "Description" { &changes[1..] } else { &changes[..] };
        let answer = ask(&world, "ModifyPhoneBusinessProfile", changes).await;
        let code = format!("Invalid{name}");
        assert_eq!(answer.outcome(), (400, code.as_str()), "{value}");
    }
    assert_eq!(profile(&world).await, before);
}

#[tokio::test]
async fn an_encryption_key_is_kept_and_what_is_none_is_refused() {
    let world = with_number().await;
    let show = async || ask(&world, "GetPhoneEncryptionPublicKey", &[]).await.ok()["Data"].take();
    let none = json!({
        "PhoneNumber": NUMBER,
        "EncryptionPublicKey": null,
        "EncryptionPublicKeyStatus": null,
    });
    assert_eq!(show().await, none);
    for (key, kept) in [
        (KEY.to_owned(), true),
        (KEY.replace('\n', "\\n"), true),
        (KEY.replace('\n', "\r\n"), true),
        ("no key".to_owned(), false),
        (KEY.replace("MAMCAQE=", "MAMCAQ=="), false),
        (KEY.replace("PUBLIC", "PRIVATE"), false),
        (format!("{KEY}\n{KEY}"), false),
        (KEY.replace("MAMCAQE=", &"A".repeat(5000)), false),
    ] {
        let value = [("EncryptionPublicKey", key.as_str())];
        let answer = ask(&world, "UpdatePhoneEncryptionPublicKey", &value).await;
        let expected = if kept { (200, "OK") } else { (400, "InvalidEncryptionPublicKey") };
        assert_eq!(answer.outcome(), expected, "{key}");
    }
    let key = show().await;
    assert_eq!(key["EncryptionPublicKeyStatus"], "VALID");
    assert_eq!(key["EncryptionPublicKey"].as_str().unwrap().replace('\r', ""), KEY);
}

#[tokio::test]
async fn health_is_whether_the_number_is_registered() {
    let world = with_number().await;
    let health = async |more: &[(&str, &str)]| {
        ask(&world, "GetWhatsappHealthStatus", more).await.ok()["Data"].take()
    };
    let phone = health(&[("NodeType", "PHONE")]).await;
    assert_eq!(phone["CanSendMessage"], "BLOCKED");
    assert_eq!(phone["Entities"][0]["Errors"][0]["ErrorCode"], "133010");
    assert_eq!(health(&[("NodeType", "waba")]).await["CanSendMessage"], "AVAILABLE");
    ask(&world, "GetChatappVerifyCode", &[("Method", "sms"), ("Locale", "en")]).await.ok();
    let code = world.code(NUMBER).await;
    ask(&world, "ChatappVerifyAndRegister", &[("VerifyCode", &code)]).await.ok();
    let phone = health(&[("NodeType", "phone")]).await;
    let expected = json!({
        "EntityType": "PHONE_NUMBER",
        "PhoneNumber": NUMBER,
        "WabaId": null,
        "BusinessId": null,
        "TemplateCode": null,
        "Language": null,
        "CanSendMessage": "AVAILABLE",
        "Errors": [],
    });
    assert_eq!((&phone["CanSendMessage"], &phone["Entities"][0]), (&json!("AVAILABLE"), &expected));
    for (more, outcome) in [
        (&[("NodeType", "app")][..], (400, "InvalidNodeType")),
        (&[("NodeType", "waba"), ("WabaId", "1")], (200, "InvalidParameter.WabaIdNotExist")),
    ] {
        let answer = ask(&world, "GetWhatsappHealthStatus", more).await;
        assert_eq!(answer.outcome(), outcome, "{more:?}");
    }
    let phone = [("CustSpaceId", SPACE), ("NodeType", "phone")];
    let answer = world.call("GetWhatsappHealthStatus", &phone).await;
    assert_eq!(answer.outcome(), (400, "MissingPhoneNumber"));
}

#[tokio::test]
async fn a_waba_and_its_business_are_what_is_known_of_them() {
    let world = World::new().await;
    let bound = world.call("QueryChatappBindWaba", &[("CustSpaceId", SPACE)]).await.ok();
    let bound = &bound["Data"];
    assert_eq!(
        (&bound["Id"], &bound["AccountReviewStatus"]),
        (&json!("102290129340398"), &json!("APPROVED"))
    );
    let parameters = [("CustSpaceId", SPACE), ("WabaId", "102290129340398")];
    let business = world.call("QueryWabaBusinessInfo", &parameters).await.ok();
    assert_eq!(business["Data"]["BusinessId"], bound["BusinessId"]);
    assert_eq!(business["Data"]["VerificationStatus"], "not_verified");
}

#[tokio::test]
async fn a_signup_code_is_checked_and_noted() {
    let world = World::new().await;
    for (parameters, outcome) in [
        (&[("Code", "AQB-x_y.z")][..], (200, "OK")),
        (&[("Code", "a b")], (400, "InvalidCode")),
        (&[("Code", "x"), ("Permissions", "catalog_management")], (400, "InvalidPermissions")),
        (&[("Code", "x"), ("Permissions", "[\"everything\"]")], (400, "InvalidPermissions")),
        (&[("Code", "x"), ("CustSpaceId", "cams-other01")], (400, "Unknown.ResourceOwnerId")),
    ] {
        let answer = world.call("GetPermissionByCode", parameters).await;
        assert_eq!(answer.outcome(), outcome, "{parameters:?}");
    }
    let query = service::ports::AuditQuery { limit: 99, ..Default::default() };
    let audit = world.service.audit(&query).await.unwrap();
    let noted = audit.iter().filter(|entry| entry.event.kind == "signup_completed").count();
    assert_eq!(noted, 1);
}

#[tokio::test]
async fn a_number_is_proven_beforehand_by_whichever_space_asked() {
    let world = with_number().await;
    let check = async |code: &str| {
        let parameters = [("PhoneNumber", NUMBER), ("VerifyCode", code)];
        world.call("GetPreValidatePhoneId", &parameters).await
    };
    assert_eq!(check("123456").await.outcome(), (200, "VerifyCode.Expired"));
    ask(&world, "GetChatappVerifyCode", &[("Method", "sms"), ("Locale", "en")]).await.ok();
    let code = world.code(NUMBER).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(check(wrong).await.outcome(), (200, "VerifyCode.Error"));
    let proven = check(&code).await.ok();
    let status = ask(&world, "GetPhoneNumberVerificationStatus", &[]).await.ok();
    assert_eq!(proven["Data"]["PhoneNumberId"], status["Data"]["Id"]);
    assert_eq!(status["Data"]["CodeVerificationStatus"], "VERIFIED");
    ask(&world, "ChatappPhoneNumberRegister", &[]).await.ok();
}

//! `UpdatePhoneWebhook`, `UpdateAccountWebhook`, and what they lead to.

use serde_json::{Value, json};
use service::ports::CallbackQuery;

use crate::harness::{OTHER_KEY_ID, SPACE, World};

const NUMBER: &str = "8613800001234";

async fn add(world: &World) {
    let parameters = [
        ("CustSpaceId", SPACE),
        ("Cc", "86"),
        ("PhoneNumber", "13800001234"),
        ("VerifiedName", "Lucky Shrub"),
    ];
    world.call("AddChatappPhoneNumber", &parameters).await.ok();
}

/// Kinds of what is told, oldest first, each with the webhook it is for.
async fn told(world: &World) -> Vec<(String, String)> {
    let query = CallbackQuery { limit: 99, ..CallbackQuery::default() };
    let all = world.service.callbacks(&query).await.unwrap();
    let scope = |id: &str| id.split('/').nth(1).unwrap().to_owned();
    all.into_iter().rev().map(|it| (scope(&it.webhook), it.kind)).collect()
}

async fn shown(world: &World) -> Value {
    let body = world.call("ChatappSyncPhoneNumber", &[("CustSpaceId", SPACE)]).await.ok();
    body["PhoneNumbers"][0].clone()
}

#[tokio::test]
async fn the_endpoints_of_number_and_space_are_told_its_status() {
    let world = World::new().await;
    let account = [("CustSpaceId", SPACE), ("StatusCallbackUrl", "https://account.example/a")];
    let body = world.call("UpdateAccountWebhook", &account).await.ok();
    assert_eq!(body.get("Success"), None, "not of this operation");
    add(&world).await;
    let phone = [
        ("CustSpaceId", SPACE),
        ("PhoneNumber", NUMBER),
        ("StatusCallbackUrl", "http://number.example/b"),
        ("UpCallbackUrl", "http://number.example/up"),
        ("HttpFlag", "Y"),
        ("QueueFlag", "N"),
    ];
    world.call("UpdatePhoneWebhook", &phone).await.ok();
    let number = shown(&world).await;
    assert_eq!(number["StatusCallbackUrl"], "http://number.example/b");
    assert_eq!(number["UpCallbackUrl"], "http://number.example/up");
    let send =
        [("CustSpaceId", SPACE), ("PhoneNumber", NUMBER), ("Method", "sms"), ("Locale", "en_US")];
    world.call("GetChatappVerifyCode", &send).await.ok();
    let code = world.code(NUMBER).await;
    let answer = [("CustSpaceId", SPACE), ("PhoneNumber", NUMBER), ("VerifyCode", &*code)];
    world.call("ChatappVerifyAndRegister", &answer).await.ok();
    let pairs = [("space", "number_added"), ("number", "registered"), ("space", "registered")];
    let mut found = told(&world).await;
    found[1..].sort();
    assert_eq!(found, pairs.map(|(scope, kind)| (scope.to_owned(), kind.to_owned())));
}

#[tokio::test]
async fn what_is_absent_stays_and_what_is_empty_goes() {
    let world = World::new().await;
    add(&world).await;
    let update = async |more: &[(&str, &str)]| {
        let parameters = [&[("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)], more].concat();
        world.call("UpdatePhoneWebhook", &parameters).await
    };
    update(&[("StatusCallbackUrl", "https://a.example/"), ("UpCallbackUrl", "https://b.example/")])
        .await
        .ok();
    update(&[("HttpFlag", "N")]).await.ok();
    let number = shown(&world).await;
    assert_eq!(number["StatusCallbackUrl"], "https://a.example/");
    assert_eq!(number["UpCallbackUrl"], "https://b.example/");
    update(&[("StatusCallbackUrl", ""), ("HttpFlag", "y")]).await.ok();
    let number = shown(&world).await;
    assert_eq!(number["StatusCallbackUrl"], "");
    assert_eq!(number["UpCallbackUrl"], "https://b.example/");
    assert_eq!(told(&world).await, []);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let world = World::new().await;
    add(&world).await;
    let base = [("CustSpaceId", SPACE), ("PhoneNumber", NUMBER)];
    for (name, value, code) in [
        ("StatusCallbackUrl", "ftp://a.example/", "InvalidStatusCallbackUrl"),
        ("StatusCallbackUrl", "https://user:secret@a.example/", "InvalidStatusCallbackUrl"),
        ("UpCallbackUrl", "javascript:alert(1)", "InvalidUpCallbackUrl"),
        ("HttpFlag", "yes", "InvalidHttpFlag"),
        ("QueueFlag", "Y", "InvalidQueueFlag"),
    ] {
        let answer =
            world.call("UpdatePhoneWebhook", &[&base[..], &[(name, value)]].concat()).await;
        assert_eq!(answer.outcome(), (400, code), "{}", answer.text);
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
    assert_eq!(shown(&world).await["StatusCallbackUrl"], "");
    let unknown = [("CustSpaceId", SPACE), ("PhoneNumber", "8613800009999")];
    let answer = world.call("UpdatePhoneWebhook", &unknown).await;
    assert_eq!(answer.outcome().1, "InvalidParameter.PhoneNumberNotExist");
}

#[tokio::test]
async fn another_account_can_set_nothing_here() {
    let world = World::new().await;
    add(&world).await;
    let parameters = [
        ("CustSpaceId", SPACE),
        ("PhoneNumber", NUMBER),
        ("StatusCallbackUrl", "https://thief.example/"),
    ];
    // The other account has no product; with one it meets the space that is not its own.
    let subscribe = |entity: &mut service::directory::Entity| {
        if let service::directory::Entity::Account(account) = entity {
            account.subscribed = true;
        }
    };
    let other =
        service::directory::EntityRef::new(service::directory::EntityKind::Account, "other");
    let caller = service::Caller::operator();
    world.service.change_entity(&caller, &other, "account_changed", subscribe).await.unwrap();
    for action in ["UpdatePhoneWebhook", "UpdateAccountWebhook"] {
        let answer = world.call_with(OTHER_KEY_ID, action, &parameters).await;
        assert_eq!(answer.outcome(), (400, "Unknown.ResourceOwnerId"), "{action}");
    }
    assert_eq!(shown(&world).await["StatusCallbackUrl"], "");
    let account = json!(world.call("UpdateAccountWebhook", &[("CustSpaceId", "")]).await.body);
    assert_eq!(account["Code"], "MissingCustSpaceId");
}

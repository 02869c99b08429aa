//! Tenants: whatever the keys of one account call, they neither change, lock nor learn what belongs to
//! another.

use core::time::Duration;

use api::cams::operation::{OPERATIONS, Operation};
use serde_json::{Value, json};

use crate::fixtures::KEY_ID;
use crate::harness::{RIVAL_KEY_ID, RIVAL_SPACE, Records, SPACE, WABA, World};

/// Registered by the first account, with a code on its way besides.
const NUMBER: &str = "447700900123";
/// Claimed by the first account; its code is on its way.
const PENDING: &str = "447700900456";
/// Nobody's.
const FREE: &str = "447700900789";
/// A space that does not exist.
const NOWHERE: &str = "cams-nowhere";

const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMAMCAQE=\n-----END PUBLIC KEY-----";

/// Operations that name no space, and what they answer where everything named is another's.
const WITHOUT_SPACE: [(&str, (u16, &str)); 4] = [
    ("IsvGetAppId", (200, "OK")),
    ("GetPreValidatePhoneId", (200, "InvalidParameter.PhoneNumberNotExist")),
    ("GetChatappOpenStatus", (200, "OK")),
    ("OpenChatappService", (200, "OK")),
];

impl World {
    /// The first account has a registered number with a profile and a key, and one that awaits its code.
    async fn furnished() -> Self {
        let world = Self::new().await;
        for number in [NUMBER, PENDING] {
            let name = [("PhoneNumber", &number[2..]), ("VerifiedName", "Lucky Shrub")];
            let add = [&[("CustSpaceId", SPACE), ("Cc", "44")], &name[..]].concat();
            world.call("AddChatappPhoneNumber", &add).await.ok();
            world.of(KEY_ID, SPACE, number, "GetChatappVerifyCode", &SEND).await.ok();
        }
        let code = world.code(NUMBER).await;
        let code = [("VerifyCode", code.as_str())];
        world.of(KEY_ID, SPACE, NUMBER, "ChatappVerifyAndRegister", &code).await.ok();
        let about = [("About", "Secret plants")];
        world.of(KEY_ID, SPACE, NUMBER, "ModifyPhoneBusinessProfile", &about).await.ok();
        let key = [("EncryptionPublicKey", KEY)];
        world.of(KEY_ID, SPACE, NUMBER, "UpdatePhoneEncryptionPublicKey", &key).await.ok();
        world
    }

    async fn of(
        &self,
        key: &str,
        space: &str,
        number: &str,
        action: &str,
        more: &[(&str, &str)],
    ) -> crate::harness::Answer {
        let parameters = [&[("CustSpaceId", space), ("PhoneNumber", number)], more].concat();
        self.call_with(key, action, &parameters).await
    }

    /// Everything that the first account is shown of what it has.
    async fn seen_by_its_owner(&self) -> Vec<Value> {
        let mut seen = Vec::new();
        for number in [NUMBER, PENDING] {
            for (action, more) in [
                ("GetPhoneNumberVerificationStatus", &[][..]),
                ("QueryPhoneBusinessProfile", &[]),
                ("GetPhoneEncryptionPublicKey", &[]),
                ("GetWhatsappHealthStatus", &[("NodeType", "phone")]),
                ("ChatappSyncPhoneNumber", &[]),
                ("QueryChatappBindWaba", &[]),
            ] {
                let mut answer = self.of(KEY_ID, SPACE, number, action, more).await.ok();
                answer.as_object_mut().unwrap().remove("RequestId");
                seen.push(answer);
            }
        }
        seen
    }
}

const SEND: [(&str, &str); 2] = [("Method", "sms"), ("Locale", "en")];

/// All that any operation reads, filled with what is the first account's but for space and number.
fn everything<'v>(space: &'v str, number: &'v str, code: &'v str) -> Vec<(&'v str, &'v str)> {
    vec![
        ("CustSpaceId", space),
        ("PhoneNumber", number),
        ("VerifyCode", code),
        ("WabaId", WABA),
        ("Code", "AQBx"),
        ("Type", "whatsapp"),
        ("NodeType", "phone"),
        ("About", "Spoilt"),
        ("EncryptionPublicKey", KEY),
        ("StatusCallbackUrl", "https://rival.example/"),
        ("HttpFlag", "Y"),
        ("CountryCode", "44"),
        ("MobileNumber", &number[2..]),
        SEND[0],
        SEND[1],
    ]
}

/// The parameters of a call: [`everything`], and whatever else is required.
fn filled<'v>(
    operation: &Operation,
    space: &'v str,
    number: &'v str,
    code: &'v str,
) -> Vec<(&'v str, &'v str)> {
    let mut parameters = everything(space, number, code);
    if operation.name == "AddChatappPhoneNumber" {
        parameters.retain(|(name, _)| *name != "PhoneNumber");
        parameters.extend([("PhoneNumber", &number[2..]), ("Cc", "44")]);
        parameters.push(("VerifiedName", "Jasper's Market"));
    }
    let missing = operation.required.iter().filter(|name| {
        let given = |(given, _): &(&str, &str)| given == *name;
        !parameters.iter().any(given)
    });
    let missing: Vec<_> = missing.map(|name| (*name, "1")).collect();
    parameters.extend(missing);
    parameters
}

/// An answer without what differs from call to call.
fn comparable(answer: &crate::harness::Answer, number: &str) -> Value {
    let mut body = answer.body.clone();
    let members = body.as_object_mut().unwrap();
    members.remove("RequestId");
    members.remove("Recommend");
    if let Some(data) = members.get_mut("Data").and_then(Value::as_object_mut) {
        data.remove("Id");
        data.remove("PhoneNumberId");
    }
    let text = body.to_string().replace(number, "NUMBER");
    json!([answer.status.as_u16(), text])
}

#[tokio::test]
async fn no_operation_reaches_the_space_of_another_account() {
    let world = World::furnished().await;
    let code = world.code(PENDING).await;
    let (seen, records) = (world.seen_by_its_owner().await, world.records().await);
    for operation in &OPERATIONS {
        let name = operation.name;
        let mut answers = Vec::new();
        for (space, number) in [(SPACE, PENDING), (SPACE, NUMBER), (NOWHERE, FREE)] {
            let parameters = filled(operation, space, number, &code);
            let answer = world.call_with(RIVAL_KEY_ID, name, &parameters).await;
            let without = WITHOUT_SPACE.iter().find(|(without, _)| *without == name);
            match answer.outcome() {
                (404, "InvalidAction.NotFound") => {}
                outcome => {
                    let expected = without.map_or((400, "Unknown.ResourceOwnerId"), |it| it.1);
                    assert_eq!(outcome, expected, "{name}: {}", answer.text);
                }
            }
            for secret in ["Lucky", "Secret plants", "MAMCAQE"] {
                assert!(!answer.text.contains(secret), "{name}: {}", answer.text);
            }
            answers.push(comparable(&answer, number));
        }
        assert_eq!(answers[0], answers[2], "{name}: what is another's looks like nothing");
        assert_eq!(answers[1], answers[2], "{name}: what is another's looks like nothing");
        assert_kept(&records, &world.records().await);
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(world.seen_by_its_owner().await, seen);
    let code = [("VerifyCode", code.as_str())];
    let done = world.of(KEY_ID, SPACE, PENDING, "ChatappVerifyAndRegister", &code).await;
    assert_eq!(done.outcome(), (200, "OK"), "the code is as good as before");
}

/// What belongs to others may grow; what is there stays as it is.
fn assert_kept(before: &Records, after: &Records) {
    let gone: Vec<_> = before.0.iter().filter(|entity| !after.0.contains(entity)).collect();
    assert!(gone.is_empty(), "{gone:?}");
    assert_eq!((&after.1, &after.2), (&before.1, &before.2));
}

/// Before and after the other account has claimed the number, each operation answers for a number that
/// is another's as for one that is nobody's.
#[tokio::test]
async fn a_number_of_another_account_looks_like_nobodys() {
    let of_another = play_against(NUMBER).await;
    let of_nobody = play_against(FREE).await;
    assert_eq!(of_another.len(), of_nobody.len());
    for (another, nobody) in of_another.iter().zip(&of_nobody) {
        assert_eq!(another, nobody);
    }
}

/// The answers to the other account, in its own space, about a number; the first account's things stay.
async fn play_against(number: &str) -> Vec<(String, Value)> {
    let world = World::furnished().await;
    // The budgets of a number are common, so that what is left of them does not differ.
    world.clock.advance(Duration::from_hours(25));
    let (seen, before) = (world.seen_by_its_owner().await, world.records().await);
    let mut play = Vec::new();
    let claims = ["AddChatappPhoneNumber", "CreateChatappMigrationInitiate"];
    let others = || OPERATIONS.iter().filter(|it| !claims.contains(&it.name));
    for operation in others() {
        play.push(world.rival(operation, number).await);
    }
    assert_kept(&before, &world.records().await);
    for claim in claims {
        play.push(world.rival(Operation::named(claim).unwrap(), number).await);
        for operation in others() {
            play.push(world.rival(operation, number).await);
        }
    }
    assert_eq!(world.seen_by_its_owner().await, seen);
    let after = world.records().await;
    let kept = after.1.iter().find(|record| record.number == before.1[0].number).unwrap();
    let held = &before.1[0];
    assert_eq!((&kept.registration, &kept.two_step), (&held.registration, &held.two_step));
    assert_eq!(kept.claims[0], held.claims[0]);
    play
}

impl World {
    /// The other account calls an operation on a number, in its own space.
    async fn rival(&self, operation: &Operation, number: &str) -> (String, Value) {
        let mut parameters = filled(operation, RIVAL_SPACE, number, "000000");
        for (name, value) in &mut parameters {
            if *name == "WabaId" {
                *value = "200000000000002";
            }
        }
        self.clock.advance(Duration::from_secs(1));
        let answer = self.call_with(RIVAL_KEY_ID, operation.name, &parameters).await;
        (operation.name.to_owned(), comparable(&answer, number))
    }
}

#[tokio::test]
async fn flow_control_and_nonces_of_one_account_are_not_anothers() {
    let world = World::new().await;
    let ask = async |key: &str| {
        let answer = world.call_with(key, "IsvGetAppId", &[("Type", "whatsapp")]).await;
        answer.outcome().1.to_owned()
    };
    for _ in 0..10 {
        assert_eq!(ask(RIVAL_KEY_ID).await, "OK");
    }
    assert_eq!(ask(RIVAL_KEY_ID).await, "Throttling.User");
    assert_eq!(ask(KEY_ID).await, "OK");
    world.clock.advance(Duration::from_secs(1));
    let own = world.acs3(KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
    let mut same_nonce = world.acs3(RIVAL_KEY_ID, "IsvGetAppId", &[("Type", "whatsapp")]);
    let nonce = own.headers["x-acs-signature-nonce"].clone();
    same_nonce.headers.insert("x-acs-signature-nonce", nonce);
    let list = "host;x-acs-action;x-acs-date;x-acs-signature-nonce;x-acs-version";
    let unsigned = format!("ACS3-HMAC-SHA256 Credential={RIVAL_KEY_ID},SignedHeaders={list}");
    crate::harness::sign(&mut same_nonce, &unsigned);
    assert_eq!(world.replay(&same_nonce).await.outcome(), (200, "OK"));
    assert_eq!(world.replay(&own).await.outcome(), (200, "OK"));
}

//! Captured requests against the whole gateway, and the negative cases made of them.

use core::time::Duration;

use http::HeaderValue;
use service::Caller;
use service::directory::{Entity, EntityRef};
use service::upkeep::Changed;
use sha2::{Digest as _, Sha256};

use crate::fixtures::{Captured, FILE, KEY_ID, VECTORS, Vector};
use crate::harness::{World, sign};

/// What a captured request comes to in a space where its number does not exist.
fn expected(vector: &Vector) -> (u16, &'static str) {
    let parameters = vector.request.parameters();
    match vector.operation.as_str() {
        _ if parameters.value("PhoneNumber") == Some("") => (400, "MissingPhoneNumber"),
        _ if parameters.value("ResourceOwnerId").is_some() => (400, "Unknown.ResourceOwnerId"),
        "IsvGetAppId"
        | "ChatappBindWaba"
        | "AddChatappPhoneNumber"
        | "CreateChatappMigrationInitiate"
        | "UpdateAccountWebhook"
        | "QueryChatappPhoneNumbers" => (200, "OK"),
        "GetPermissionByCode" => (400, "InvalidPermissions"),
        "QueryWabaBusinessInfo" => (200, "InvalidParameter.WabaIdNotExist"),
        "ChatappVerifyAndRegister" | "ChatappMigrationVerified" | "GetPreValidatePhoneId" => {
            match parameters.value("PhoneNumber") {
                Some("861") => (200, "InvalidParameter.PhoneNumberError"),
                _ if parameters.value("VerifyCode").is_some_and(|code| code.len() != 6) => {
                    (200, "VerifyCode.Error")
                }
                _ => (200, "InvalidParameter.PhoneNumberNotExist"),
            }
        }
        "GetChatappVerifyCode"
        | "UpdatePhoneWebhook"
        | "GetPhoneNumberVerificationStatus"
        | "GetMigrationVerifyCode"
        | "GetPhoneEncryptionPublicKey"
        | "UpdatePhoneEncryptionPublicKey"
        | "ModifyPhoneBusinessProfile"
        | "ChatappPhoneNumberRegister"
        | "ChatappPhoneNumberDeregister" => (200, "InvalidParameter.PhoneNumberNotExist"),
        _ => (404, "InvalidAction.NotFound"),
    }
}

#[tokio::test]
async fn every_captured_request_passes_once() {
    for vector in VECTORS.iter() {
        let world = if vector.is_temporary {
            World::with_temporary_key().await
        } else {
            World::new().await
        };
        world.turn(&vector.clock, 0);
        let answer = world.replay(&vector.request).await;
        assert_eq!(answer.outcome(), expected(vector), "{}: {}", vector.id, answer.text);
        assert!(!answer.headers.contains_key("x-acs-retry-after"), "{}", vector.id);
        let again = world.restarted().replay(&vector.request).await;
        assert_eq!(again.outcome(), (400, "SignatureNonceUsed"), "{}", vector.id);
    }
}

/// The request of a negative case, after whatever has to happen before it.
async fn mutated(case: &str, world: &World, vector: &Vector) -> Captured {
    let mut request = vector.request.clone();
    let clock = &vector.clock;
    world.turn(clock, 0);
    let header = |text: &str| HeaderValue::from_str(text).unwrap();
    match case {
        "neg-01" => {
            request.uri =
                request.uri.to_string().replace("8613800001234", "8613800001235").parse().unwrap();
        }
        "neg-02" => request.body[0] ^= 1,
        "neg-03" => {
            request.body[0] ^= 1;
            let digest = hex::encode(Sha256::digest(&request.body));
            request.headers.insert("x-acs-content-sha256", header(&digest));
        }
        "neg-04" => change_secret(world).await,
        "neg-05" => world.turn(clock, 15 * 60 + 1),
        "neg-06" => world.turn(clock, -15 * 60 - 1),
        "neg-07" => world.turn(clock, 15 * 60 - 1),
        "neg-08" => drop(request.headers.remove("x-acs-date")),
        "neg-09" => {
            request.headers.insert("x-acs-date", header("2026-11-22 04:29:29"));
        }
        "neg-10" => drop(world.replay(&request).await),
        "neg-11" => {
            let caller = Caller::operator();
            assert!(world.service.delete_access_key(&caller, KEY_ID).await.unwrap());
        }
        "neg-12" => {
            let caller = Caller::operator();
            world.service.set_access_key_active(&caller, KEY_ID, false).await.unwrap();
        }
        "neg-13" => {
            request.headers.insert("x-acs-security-token", header("AnotherToken"));
        }
        "neg-14" => {
            request.headers.remove("x-acs-security-token");
            let text = request.headers["authorization"].to_str().unwrap();
            let text = text.replace("x-acs-security-token;", "");
            sign(&mut request, text.split_once(",Signature=").unwrap().0);
        }
        other => panic!("{other} is a case without a request"),
    }
    request
}

/// Gives the key another secret.
async fn change_secret(world: &World) {
    let service = &world.service;
    let context = format!("access-key/{KEY_ID}");
    let sealed = service.keys().seal(&context, b"AnotherSecret", service.entropy());
    let change = |stored: &mut Entity| {
        let Entity::AccessKey(key) = stored else { panic!("a key") };
        key.sealed_secret.clone_from(&sealed);
    };
    let (caller, key) = (Caller::operator(), EntityRef::access_key(KEY_ID));
    let changed = service.change_entity(&caller, &key, "secret_changed", change).await.unwrap();
    assert!(matches!(changed, Changed::Done(_)), "{changed:?}");
}

#[tokio::test]
async fn every_negative_case_answers_as_listed() {
    let cases = FILE["negativeCases"].as_array().unwrap();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let vector = Vector::named(case["base"].as_str().unwrap());
        let world = if vector.is_temporary {
            World::with_temporary_key().await
        } else {
            World::new().await
        };
        let request = mutated(id, &world, vector).await;
        let answer = world.replay(&request).await;
        let (status, code) = answer.outcome();
        assert_eq!(case["expect"]["http"], status, "{id}: {}", answer.text);
        if let Some(expected) = case["expect"]["code"].as_str() {
            assert_eq!(code, expected, "{id}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_nonce() {
    let world = World::new().await;
    let vector = Vector::named("python-tea-v3-ChatappVerifyAndRegister-1");
    world.turn(&vector.clock, 0);
    let mut forged = vector.request.clone();
    forged.uri = "/?CustSpaceId=cams-test01".parse().unwrap();
    assert_eq!(world.replay(&forged).await.outcome(), (400, "SignatureDoesNotMatch"));
    assert_eq!(world.replay(&vector.request).await.outcome(), expected(vector));
}

#[tokio::test]
async fn a_request_sent_by_many_at_once_is_carried_out_once() {
    let world = World::new().await;
    let request = world.acs3(KEY_ID, "ChatappBindWaba", &[("WabaId", "300000000000001")]);
    let answers = futures_util::future::join_all((0..32).map(|_| world.replay(&request))).await;
    let passed = answers.iter().filter(|answer| answer.outcome() == (200, "OK")).count();
    let refused =
        answers.iter().filter(|answer| answer.outcome() == (400, "SignatureNonceUsed")).count();
    assert_eq!((passed, refused), (1, 31));
    // Also when the sweeper has come by at the last moment the request is timely.
    world.clock.advance(Duration::from_mins(15));
    world.service.sweep().await.unwrap();
    assert_eq!(world.replay(&request).await.outcome(), (400, "SignatureNonceUsed"));
}

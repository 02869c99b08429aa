//! Registrars upstream on bad days, and in bad hands: whatever comes back ends in a refusal or in
//! "unavailable" with the right doubt, and never in a guess.

use core::time::Duration;
use std::sync::Arc;

use outbound::registrar::{UpstreamOptions, Upstreams};
use registration::{
    CodeMethod, Locale, PhoneNumber, Refusal, Timestamp, TwoStepPin, VerificationCode, VerifiedName,
};
use service::ports::{
    Credentials, Doubt, Errand, ForeignBackup, Link, UpstreamError, UpstreamRegistrar as _,
    UpstreamState,
};
use service::seed::SecretText;
use service::testing::SeededEntropy;

use crate::provider::{Provider, Reply};

const TOKEN: &str = "EAAtoken0123456789";
const APP_SECRET: &str = "0123456789abcdef";
const KEY_SECRET: &str = "FakeAccessKeySecretForTests0001";
const ID: &str = "7001";
const NODE: &str = r#"{"id":"7001","display_phone_number":"+44 7700 900123","status":"CONNECTED"}"#;

struct Stage {
    there: Provider,
    upstreams: Upstreams,
    link: Link,
    number: PhoneNumber,
}

impl Stage {
    async fn meta() -> Self {
        Self::with(Credentials::Meta {
            token: SecretText::new(TOKEN),
            app_secret: Some(SecretText::new(APP_SECRET)),
            version: "v25.0".to_owned(),
        })
        .await
    }

    async fn alibaba() -> Self {
        Self::with(Credentials::Alibaba {
            access_key_id: "LTAI5tFakeAccessKeyId001".to_owned(),
            access_key_secret: SecretText::new(KEY_SECRET),
            security_token: None,
        })
        .await
    }

    async fn with(credentials: Credentials) -> Self {
        let options = UpstreamOptions {
            loopback_only: true,
            call_timeout: Duration::from_millis(600),
            ..UpstreamOptions::default()
        };
        // As the server does at its start.
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let there = Provider::start().await;
        let link = Link { base_url: there.url(), remote_id: "1".to_owned(), credentials };
        let upstreams = Upstreams::new(&options, Arc::new(SeededEntropy::new(1))).unwrap();
        let number = PhoneNumber::parse("447700900123").unwrap();
        Self { there, upstreams, link, number }
    }

    fn errand(&self) -> Errand<'_> {
        let now = Timestamp::from_millis(1_764_000_000_000);
        Errand { link: &self.link, number: self.number, remote_id: Some(ID), now }
    }

    async fn verify(&self, reply: Reply) -> UpstreamError {
        self.there.then(&[reply]);
        let code = VerificationCode::parse("246813").unwrap();
        self.upstreams.verify_code(self.errand(), &code).await.unwrap_err()
    }

    async fn register(&self, reply: Reply) -> Result<(), UpstreamError> {
        self.there.then(&[reply]);
        let pin = TwoStepPin::parse("135791").unwrap();
        let backup = ForeignBackup {
            data: SecretText::new("V0FCSVoCAAUHBwcH"),
            password: SecretText::new("hunter2hunter2"),
        };
        self.upstreams.register(self.errand(), Some(&pin), Some(&backup)).await
    }

    async fn list(&self, reply: Reply) -> Result<Vec<UpstreamState>, UpstreamError> {
        self.there.stand(Some(reply));
        self.upstreams.numbers(&self.link, self.errand().now).await
    }

    async fn read_back(&self, reply: Reply) -> Result<Option<UpstreamState>, UpstreamError> {
        self.there.stand(Some(reply));
        self.upstreams.read_back(self.errand()).await
    }
}

fn doubt<T: core::fmt::Debug>(answer: Result<T, UpstreamError>) -> Doubt {
    match answer {
        Err(UpstreamError::Unavailable { doubt, .. }) => doubt,
        other => panic!("{other:?}"),
    }
}

fn page(status: u16, kind: &'static str, body: &str) -> Reply {
    Reply::Http(status, kind, body.to_owned())
}

/// What is no answer of the API says nothing about the number; only an error of ours by its status was not done.
#[tokio::test]
async fn an_answer_out_of_form_is_no_success_and_no_refusal() {
    const HTML: &str = "Content-Type: text/html\r\n";
    let large = format!("{{\"success\":true,\"padding\":\"{}\"}}", "x".repeat(5 * 1024 * 1024));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (name, reply, expected) in [
        ("empty", page(200, "", ""), Doubt::Settled),
        ("no JSON", page(200, HTML, "<html>welcome</html>"), Doubt::Settled),
        ("no success", Reply::json(200, r#"{"success":false}"#), Doubt::Settled),
        ("an error that is text", Reply::json(200, r#"{"error":"busy"}"#), Doubt::Settled),
        ("a list", Reply::json(200, "[]"), Doubt::Settled),
        ("large", Reply::json(200, &large), Doubt::Settled),
        ("deep", Reply::json(200, &deep), Doubt::Settled),
        ("busy", page(503, HTML, "<html>busy</html>"), Doubt::Settled),
        ("somebody in between", page(403, HTML, "<html>blocked</html>"), Doubt::NotDone),
        ("half of it", Reply::HalfAnAnswer, Doubt::UnderWay),
        ("nothing", Reply::Reset, Doubt::UnderWay),
        ("silence", Reply::Silence, Doubt::UnderWay),
    ] {
        let stage = Stage::meta().await;
        assert_eq!(doubt(stage.register(reply.clone()).await), expected, "meta, {name}");
        assert_eq!(stage.there.asked().len(), 1, "meta, {name}: asked again");
        let stage = Stage::alibaba().await;
        assert_eq!(doubt::<()>(Err(stage.verify(reply).await)), expected, "alibaba, {name}");
        assert_eq!(stage.there.asked().len(), 1, "alibaba, {name}: asked again");
    }
}

/// JSON under another type is JSON; an error is one whatever its status is.
#[tokio::test]
async fn the_body_counts_and_not_what_it_is_called() {
    let stage = Stage::meta().await;
    let plain = page(200, "Content-Type: text/plain\r\n", r#"{"success":true}"#);
    assert_eq!(stage.register(plain).await, Ok(()));
    let error = r#"{"error":{"message":"m","code":133016}}"#;
    let refused = stage.register(Reply::json(200, error)).await;
    let Err(UpstreamError::Refused { refusal: Refusal::RegisterLimit { .. }, .. }) = refused else {
        panic!("{refused:?}")
    };
}

/// A redirect is not followed: it would carry the token, the code or the PIN to somebody else.
#[tokio::test]
async fn nothing_is_carried_to_another_address() {
    for status in [301, 302, 307, 308] {
        let elsewhere = Provider::start().await;
        let location: &'static str =
            Box::leak(format!("Location: {}/steal\r\n", elsewhere.url()).into_boxed_str());
        let stage = Stage::meta().await;
        assert_eq!(doubt(stage.register(page(status, location, "")).await), Doubt::Settled);
        let stage = Stage::meta().await;
        assert_eq!(doubt(stage.list(page(status, location, "")).await), Doubt::Settled);
        let stage = Stage::alibaba().await;
        let refused = stage.verify(page(status, location, "")).await;
        assert_eq!(doubt::<()>(Err(refused)), Doubt::Settled);
        assert!(elsewhere.asked().is_empty(), "{status} was followed");
    }
}

/// Services repeat what they do not take. Their words are shown to callers and kept in the audit trail.
#[tokio::test]
async fn no_secret_comes_back_in_the_words_of_a_refusal() {
    let echo = format!(
        "Malformed: {TOKEN} {APP_SECRET} 135791 246813 V0FCSVoCAAUHBwcH hunter2hunter2 {KEY_SECRET}"
    );
    let secrets_of_meta = [TOKEN, APP_SECRET, "135791", "V0FCSVoCAAUHBwcH", "hunter2hunter2"];
    for code in [190, 100, 131_031] {
        let error = serde_json::json!({ "error": {
            "message": echo, "code": code, "error_user_msg": echo, "fbtrace_id": "AbC",
            "error_data": { "details": echo },
        } });
        let stage = Stage::meta().await;
        let told = format!("{:?}", stage.register(Reply::json(400, &error.to_string())).await);
        assert!(told.contains("Malformed: ……"), "{told}");
        assert!(!secrets_of_meta.iter().any(|secret| told.contains(secret)), "{told}");
        let told = format!("{:?}", stage.verify(Reply::json(400, &error.to_string())).await);
        assert!(!told.contains("246813"), "{told}");
        let told = format!("{:?}", stage.list(Reply::json(401, &error.to_string())).await);
        assert!(told.contains("Malformed") && !told.contains(TOKEN), "{told}");
    }
    for code in ["SignatureDoesNotMatch", "Elsewhere.Unknown"] {
        let stage = Stage::alibaba().await;
        let body = serde_json::json!({ "Code": code, "Message": echo, "RequestId": "R" });
        let told = format!("{:?}", stage.verify(Reply::json(400, &body.to_string())).await);
        assert!(told.contains("Malformed"), "{told}");
        assert!(!told.contains("246813") && !told.contains(KEY_SECRET), "{told}");
    }
}

/// CAMS has no operation for it: a yes would be a lie.
#[tokio::test]
async fn alibaba_is_not_asked_for_another_name_and_nobody_is_told_that_it_was() {
    let stage = Stage::alibaba().await;
    assert!(!stage.link.registrar().takes_names());
    let name = VerifiedName::parse("Lucky Shrub").unwrap();
    let answer = stage.upstreams.change_name(stage.errand(), &name).await;
    assert_eq!(doubt(answer), Doubt::NotDone);
    assert!(stage.there.asked().is_empty());
}

/// Only an account that says it has no numbers has none: taken for one, each number would be added anew.
#[tokio::test]
async fn a_list_that_is_none_adds_no_number() {
    for body in ["{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"error":"busy"}"#, ""] {
        let stage = Stage::meta().await;
        assert_eq!(doubt(stage.list(Reply::json(200, body)).await), Doubt::Settled, "{body}");
        let name = VerifiedName::parse("Lucky Shrub").unwrap();
        let found = stage.upstreams.find_or_add(stage.errand(), &name).await;
        assert_eq!(doubt(found), Doubt::Settled, "{body}");
        assert!(stage.there.asked().iter().all(|asked| asked.line.starts_with("GET ")), "{body}");
    }
}

/// What is read back must be the number that was asked about; its id goes into paths.
#[tokio::test]
async fn the_state_of_another_number_is_not_taken_for_this_ones() {
    let stage = Stage::meta().await;
    let found = stage.read_back(Reply::json(200, NODE)).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.registered), (ID, Some(true)));
    for (part, with) in [
        (r#""id":"7001""#, r#""id":"7002""#),
        (r#""id":"7001","#, ""),
        ("900123", "900124"),
        (r#""id":"7001""#, r#""id":7001"#),
    ] {
        let reply = Reply::json(200, &NODE.replace(part, with));
        assert_eq!(doubt(stage.read_back(reply).await), Doubt::Settled, "{with}");
    }
    let row = |id: &str, status: &str| {
        format!(r#"{{"id":"{id}","display_phone_number":"+44 7700 900123","status":"{status}"}}"#)
    };
    for (rows, expected) in [
        // Twice: the row that is registered counts.
        (vec![row("1", "PENDING"), row("2", "CONNECTED"), row("3", "CONNECTED")], Some("2")),
        // Rows of numbers that left the account.
        (vec![row("1", "DELETED"), row("2", "MIGRATED"), row("3", "PENDING")], Some("3")),
        (vec![row("1", "DELETED")], None),
        // What would lead elsewhere is no id.
        (vec![row("../../me?x=", "CONNECTED"), row("1/register", "CONNECTED")], None),
    ] {
        let reply = Reply::json(200, &format!(r#"{{"data":[{}]}}"#, rows.join(",")));
        let numbers = stage.list(reply).await.unwrap();
        assert_eq!(numbers.first().map(|it| it.id.as_str()), expected, "{rows:?}");
    }
}

/// Neither a list without end nor figures without measure hold anybody up for ever.
#[tokio::test]
async fn there_is_an_end_to_pages_and_waits() {
    let stage = Stage::meta().await;
    let rows = format!("{}{{}}", "{\"id\":\"1\"},".repeat(5_000));
    let next = r#""paging":{"cursors":{"after":"AAA"},"next":"http://127.0.0.1/"}"#;
    let reply = Reply::json(200, &format!(r#"{{"data":[{rows}],{next}}}"#));
    // The same cursor again is the end.
    assert_eq!(stage.list(reply).await.unwrap().len(), 200);
    assert_eq!(stage.there.asked().len(), 2);

    let absurd = "X-Business-Use-Case-Usage: {\"1\":[{\"estimated_time_to_regain_access\":\
                  18446744073709551615}]}\r\n";
    stage.there.stand(Some(page(200, absurd, NODE)));
    stage.upstreams.read_back(stage.errand()).await.unwrap();
    let refused = stage.upstreams.read_back(stage.errand()).await;
    let Err(UpstreamError::Refused { refusal: Refusal::TooManyRequests { opens_at }, .. }) =
        refused
    else {
        panic!("{refused:?}")
    };
    assert!(opens_at <= stage.errand().now + Duration::from_hours(24));

    let stage = Stage::meta().await;
    let details = "99999999 days ".repeat(50);
    let error = format!(r#"{{"error":{{"code":133008,"error_data":{{"details":"{details}"}}}}}}"#);
    let refused = stage.register(Reply::json(400, &error)).await;
    let Err(UpstreamError::Refused { refusal: Refusal::PinLocked { opens_at }, .. }) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!(opens_at, stage.errand().now + Duration::from_hours(7 * 24));
}

/// The published description has other codes for two things (§5.6, §2.9).
#[tokio::test]
async fn codes_of_the_description_mean_what_those_of_the_service_mean() {
    let stage = Stage::meta().await;
    let missing = r#"{"error":{"message":"Phone number not found","code":803}}"#;
    assert_eq!(stage.read_back(Reply::json(404, missing)).await, Ok(None));
    let not_there = r#"{"error":{"message":"m","code":100,"error_subcode":2207051}}"#;
    stage.there.stand(Some(Reply::json(400, not_there)));
    let refused = stage.upstreams.deregister(stage.errand()).await;
    let Err(UpstreamError::Refused { refusal: Refusal::NotRegistered, .. }) = refused else {
        panic!("{refused:?}")
    };
    // A body is one of the API also when nothing was sent.
    let (sms, english) = (CodeMethod::Sms, Locale::english());
    stage.there.stand(Some(Reply::json(404, missing)));
    let refused = stage.upstreams.request_code(stage.errand(), sms, &english).await;
    let Err(UpstreamError::Refused { refusal: Refusal::NotClaimed, .. }) = refused else {
        panic!("{refused:?}")
    };
}

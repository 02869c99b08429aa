//! A voice message can be heard, and says its code.

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use registration::{CodeMethod, Locale, TextId as _};
use service::numbering::plan_e164;
use service::numbers::{CodeOrder, PinInput};
use service::testing::ear;

use crate::harness::{NUMBER, World, caller, claim_name};

const LANGUAGES: [&str; 16] = [
    "en", "de_AT", "es", "pt_BR", "fr", "it", "nl", "pl", "tr", "ru", "hi", "ar", "in", "zh_CN",
    "zh_TW", "ja",
];

async fn call(world: &World, number: &str, locale: &Locale) {
    let order = CodeOrder {
        payer: registration::AccountId::parse("default").unwrap(),
        waba: world.waba.clone(),
        client: None,
        planned: plan_e164(number).unwrap(),
        method: CodeMethod::Voice,
        locale: locale.clone(),
        pin: PinInput::NotAsked,
        claim: Some(claim_name()),
        only_unproven: false,
    };
    world.service.request_code(&caller(), &order).await.unwrap();
}

/// The samples of a 16-bit WAV file, its header checked on the way.
fn samples(file: &[u8]) -> Vec<i16> {
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(
        (&file[..4], &file[8..16], &file[36..40]),
        (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..])
    );
    assert_eq!(usize::try_from(number(4)).unwrap() + 8, file.len());
    assert_eq!((number(16), number(20), number(24), number(28)), (16, 0x0001_0001, 8_000, 16_000));
    assert_eq!(number(32), 0x0010_0002, "two bytes a sample");
    assert_eq!(usize::try_from(number(40)).unwrap() + 44, file.len());
    file[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

#[tokio::test]
async fn a_voice_message_says_its_code_three_times_in_every_language() {
    let world = World::sandbox().await;
    // A fixed line takes voice at once.
    for (n, language) in LANGUAGES.into_iter().enumerate() {
        let number = format!("+441632960{n:03}");
        let locale = Locale::parse(language).unwrap();
        call(&world, &number, &locale).await;
        let message = world.newest(&number).await;
        let path = message["audio"].as_str().expect("a link");
        assert_eq!(path, format!("/sandbox/v1/inbox/{}/audio", message["id"].as_str().unwrap()));
        let file = world.open(path).await.collect().await.unwrap().to_bytes();
        let code = message["code"].as_str().unwrap();
        assert_eq!(ear::digits(&samples(&file), &locale), code.repeat(3), "{language}");
    }
}

#[tokio::test]
async fn only_a_voice_message_has_audio() {
    let world = World::sandbox().await;
    world.send_code(NUMBER).await;
    let message = world.newest(NUMBER).await;
    assert!(message.get("audio").is_none(), "{message}");
    let of_text = format!("/sandbox/v1/inbox/{}/audio", message["id"].as_str().unwrap());
    for path in [of_text.as_str(), "/sandbox/v1/inbox/0/audio", "/sandbox/v1/inbox/x/audio"] {
        let reply = world.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(reply.body["error"].is_string() && reply.body["details"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn audio_is_a_wav_file_that_nobody_keeps() {
    let world = World::sandbox().await;
    call(&world, "+441632960960", &Locale::english()).await;
    let message = world.newest("+441632960960").await;
    let path = message["audio"].as_str().unwrap();
    let response = world.response(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "audio/wav");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
}

//! The mailed link that resets a PIN: it counts once, for a day, for the PIN that was lost, and for nobody
//! who only opens it.

use core::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use registration::{Locale, PhoneNumber, TwoStepPin};
use service::Caller;
use service::pin_reset::ResetAsked;
use service::ports::{AuditQuery, TurnableClock as _};

use crate::harness::{World, escaped};
use crate::inbox::events;

const NUMBER: &str = "+447700900201";

const SEED: &str = r#"
[[account]]
name = "default"
  [[account.space]]
  cust_space_id = "shop"
    [[account.space.waba]]
    id = "102290129340398"
    name = "Shop"
    contact_email = "owner@shop.example"
      [[account.space.waba.number]]
      phone_number = "+447700900201"
      verified_name = "Shop"
      state = "registered"
      platform = "cloud_api"
      two_step_pin = "123456"
    [[account.space.waba]]
    id = "102290129340399"
    name = "Silent"
      [[account.space.waba.number]]
      phone_number = "+447700900202"
      verified_name = "Silent"
      state = "registered"
      platform = "cloud_api"
      two_step_pin = "123456"
"#;

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

async fn world() -> World {
    let world = World::seeded(SEED).await;
    world.service.mail_by(None, "https://rollcall.example");
    world
}

async fn ask(world: &World, text: &str) -> ResetAsked {
    let caller = Caller::operator();
    world.service.ask_pin_reset(&caller, number(text), &Locale::english()).await.unwrap()
}

/// Asks for a link and reads its path from the inbox.
async fn link(world: &World) -> String {
    assert!(matches!(ask(world, NUMBER).await, ResetAsked::Mailed { .. }));
    let message = world.newest(NUMBER).await;
    assert_eq!((&message["channel"], &message["code"]), (&"email".into(), &"".into()));
    let text = message["text"].as_str().unwrap();
    let link = text.lines().find_map(|line| line.strip_prefix("https://rollcall.example")).unwrap();
    assert!(link.starts_with("/two-step/reset/") && link.len() == 16 + 32, "128 bits: {link}");
    link.to_owned()
}

async fn page(world: &World, method: &str, path: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = world.response(request).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["referrer-policy"], "no-referrer");
    let status = response.status();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(text.to_vec()).unwrap())
}

async fn pin_is_on(world: &World) -> bool {
    world.service.number(number(NUMBER)).await.unwrap().unwrap().two_step.is_some()
}

#[tokio::test]
async fn the_button_switches_the_pin_off_once_and_opening_the_page_does_not() {
    let world = world().await;
    let link = link(&world).await;
    let (_, opened) = page(&world, "GET", &link).await;
    for _ in 0..3 {
        assert_eq!(page(&world, "GET", &link).await.1, opened);
        assert_eq!(page(&world, "HEAD", &link).await.0, StatusCode::OK);
    }
    assert!(pin_is_on(&world).await, "a mail scanner changes nothing");
    assert_eq!(
        page(&world, "GET", "/two-step/reset/made-up").await.1,
        opened,
        "nor learns anything"
    );

    assert_eq!(page(&world, "POST", &link).await.0, StatusCode::OK);
    assert!(!pin_is_on(&world).await);
    let spent = page(&world, "POST", &link).await;
    assert_eq!(spent.0, StatusCode::NOT_FOUND);
    for made_up in ["/two-step/reset/made-up", &format!("/two-step/reset/{}", "a".repeat(5000))] {
        assert_eq!(page(&world, "POST", made_up).await, spent, "the same words for every link");
    }

    let pin = TwoStepPin::parse("654321").unwrap();
    world.service.set_two_step(&Caller::operator(), number(NUMBER), None, &pin).await.unwrap();
    assert!(pin_is_on(&world).await, "a new PIN switches it on again");
    assert_eq!(page(&world, "POST", &link).await, spent);
    assert!(pin_is_on(&world).await);
}

#[tokio::test]
async fn of_many_who_follow_a_link_at_once_one_succeeds() {
    let world = world().await;
    let link = link(&world).await;
    let posts = (0..16).map(|_| page(&world, "POST", &link));
    let answers = futures_util::future::join_all(posts).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == StatusCode::OK).count(), 1);
}

#[tokio::test]
async fn a_link_ends_after_a_day_and_with_the_pin_that_it_is_for() {
    let world = world().await;
    let old = link(&world).await;
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(page(&world, "POST", &old).await.0, StatusCode::NOT_FOUND);

    let for_old_pin = link(&world).await;
    world.clock.advance(Duration::from_secs(1));
    let pin = TwoStepPin::parse("654321").unwrap();
    world.service.set_two_step(&Caller::operator(), number(NUMBER), None, &pin).await.unwrap();
    assert_eq!(page(&world, "POST", &for_old_pin).await.0, StatusCode::NOT_FOUND);
    assert!(pin_is_on(&world).await);

    let last_moment = link(&world).await;
    world.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
    assert_eq!(page(&world, "POST", &last_moment).await.0, StatusCode::OK);
}

#[tokio::test]
async fn asking_is_audited_and_throttled() {
    let world = world().await;
    for _ in 0..3 {
        assert!(matches!(ask(&world, NUMBER).await, ResetAsked::Mailed { .. }));
    }
    let ResetAsked::TooMany { opens_at } = ask(&world, NUMBER).await else { panic!("a fourth") };
    let path = format!("/sandbox/v1/inbox?number={}", escaped(NUMBER));
    let listed = world.get(&path).await.body;
    let mails = listed["messages"].as_array().unwrap().iter();
    assert_eq!(
        mails.filter(|message| message["channel"] == "email").count(),
        3,
        "none for the refused one"
    );
    world.clock.set(opens_at);
    assert!(matches!(ask(&world, NUMBER).await, ResetAsked::Mailed { .. }));

    let token = link_in_audit(&world).await;
    assert_eq!(token, 4, "an event each, and no token in them");
}

async fn link_in_audit(world: &World) -> usize {
    let trail = AuditQuery { limit: 100, ..AuditQuery::default() };
    let events = world.service.audit(&trail).await.unwrap();
    let shown = format!("{events:?}");
    for mail in world.service.inbox_mails(None, None) {
        let token = mail.mail.text.lines().find_map(|line| line.split_once("/reset/")).unwrap().1;
        assert!(!shown.contains(token));
    }
    shown.matches("pin_reset_asked").count()
}

#[tokio::test]
async fn the_stream_of_the_inbox_brings_mails_among_the_codes() {
    const OTHER: &str = "+447700900301";
    let world = world().await;
    let mut all = world.open("/sandbox/v1/inbox/stream").await;
    let of_other = format!("/sandbox/v1/inbox/stream?number={}", escaped(OTHER));
    let mut of_other = world.open(&of_other).await;
    ask(&world, NUMBER).await;
    let mail = events(&mut all, 1).await.remove(0);
    assert_eq!((&mail["channel"], &mail["number"]), (&"email".into(), &NUMBER.into()));
    assert!(mail["text"].as_str().unwrap().contains("/two-step/reset/"), "{mail}");
    world.clock.advance(Duration::from_secs(1));
    world.send_code(OTHER).await;
    assert_eq!(events(&mut all, 1).await[0]["channel"], "sms");
    assert_eq!(events(&mut of_other, 1).await[0]["channel"], "sms", "no mail of another number");
    world.clock.advance(Duration::from_secs(1));
    ask(&world, NUMBER).await;

    // Who comes back gets both kinds in the order they came.
    let path = format!("/sandbox/v1/inbox/stream?after={}", mail["id"].as_str().unwrap());
    let missed = events(&mut world.open(&path).await, 2).await;
    let channels: Vec<_> = missed.iter().map(|it| it["channel"].as_str().unwrap()).collect();
    assert_eq!(channels, ["sms", "email"]);
}

#[tokio::test]
async fn who_cannot_be_mailed_is_told_why() {
    let world = world().await;
    assert_eq!(ask(&world, "+447700900202").await, ResetAsked::NoAddress);
    assert_eq!(ask(&world, "+447700900203").await, ResetAsked::NotRegistered);
    let link = link(&world).await;
    page(&world, "POST", &link).await;
    assert_eq!(ask(&world, NUMBER).await, ResetAsked::NoPin);
}

/// The telephone on the console's page of the sandbox.
async fn telephone(world: &World) -> String {
    let (link, _) = api::console::new_link(&world.app, api::console::Role::Operator);
    let enter = Request::post(format!("/console/enter/{link}")).body(Body::empty()).unwrap();
    let entered = world.response(enter).await;
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let asked = Request::get("/console/sandbox/inbox").header("cookie", cookie);
    let shown = world.response(asked.body(Body::empty()).unwrap()).await;
    assert_eq!(shown.status(), StatusCode::OK);
    let bytes = shown.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_console_shows_a_mail_as_one_and_its_link_leads_to_this_server() {
    for public_url in ["", "https://rollcall.example"] {
        let world = World::seeded(SEED).await;
        world.service.mail_by(None, public_url);
        assert!(matches!(ask(&world, NUMBER).await, ResetAsked::Mailed { .. }));
        let mails = world.service.inbox_mails(None, None);
        let shown = mails[0].mail.text.split_whitespace().find(|it| it.contains("/two-step/"));
        let shown = shown.unwrap();
        let path = shown.strip_prefix(public_url).unwrap();
        let telephone = telephone(&world).await;
        let link = format!("<a href=\"{path}\">{shown}</a>");
        assert!(telephone.contains(&link), "{telephone}");
        // An envelope, and no speech bubble.
        assert!(telephone.contains("M2.5 4.500h15v11h-15z"), "{telephone}");
        assert!(!telephone.contains("M3 4h14v9.5H9.5"), "{telephone}");
        assert_eq!(page(&world, "GET", path).await.0, StatusCode::OK);
    }
}

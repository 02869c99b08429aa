//! A number from the first step to the last, and what is done with it afterwards.

use crate::harness::{NUMBER, TOKEN, WABA, World};

const TO: &str = "client:default";

async fn ordered(world: &World) -> String {
    let fields = [
        ("number", "+44 (7700) 900-123"),
        ("name", "Lucky Shrub"),
        ("method", "sms"),
        ("to", TO),
        ("locale", "de"),
    ];
    let page = world.operator().await.submit("/console/register", &fields).await;
    page.leads_to().to_owned()
}

async fn registered(world: &World) {
    ordered(world).await;
    let code = world.code(NUMBER).await;
    let fields = [("code", code.as_str()), ("to", TO)];
    let path = format!("/console/register/{NUMBER}/code");
    let page = world.operator().await.submit(&path, &fields).await;
    assert_eq!(page.leads_to(), format!("/console/register/{NUMBER}/done"));
}

#[tokio::test]
async fn a_number_is_registered_in_three_steps() {
    let world = World::new().await;
    let second = ordered(&world).await;
    assert_eq!(second, format!("/console/register/{NUMBER}/code?to=client%3Adefault&by=sms"));
    let mut operator = world.operator().await;
    let page = operator.get(&second).await.expect(200);
    assert!(page.contains("autocomplete=\"one-time-code\"") && page.contains("+44 7700 900123"));
    let code = world.code(NUMBER).await;
    let spaced = format!(" {}-{} ", &code[..3], &code[3..]);
    let fields = [("code", spaced.as_str()), ("to", TO)];
    let path = format!("/console/register/{NUMBER}/code");
    let done = operator.submit(&path, &fields).await.leads_to().to_owned();
    let page = operator.get(&done).await.expect(200);
    assert!(page.contains("is registered and ready"), "{page}");
}

#[tokio::test]
async fn a_wrong_code_costs_a_guess_and_says_so() {
    let world = World::new().await;
    ordered(&world).await;
    let right = world.code(NUMBER).await;
    let wrong = if right == "123456" { "123457" } else { "123456" };
    let path = format!("/console/register/{NUMBER}/code");
    let mut operator = world.operator().await;
    let page = operator.submit(&path, &[("code", wrong), ("to", TO)]).await.expect(403);
    assert!(page.contains("The code is wrong.") && page.contains("<dd>4</dd>"), "{page}");
    let page = operator.submit(&path, &[("code", "12"), ("to", TO)]).await.expect(422);
    assert!(page.contains("Please check what you entered."));
}

#[tokio::test]
async fn a_pin_is_set_changed_and_cleared() {
    let world = World::new().await;
    registered(&world).await;
    let mut operator = world.operator().await;
    let path = format!("/console/numbers/{NUMBER}/pin");
    let differ = [("pin", "123456"), ("again", "123457")];
    let page = operator.submit(&path, &differ).await.expect(422);
    assert!(page.contains("The two PINs differ."));
    let short = [("pin", "12345"), ("again", "12345")];
    operator.submit(&path, &short).await.expect(422);
    for pin in ["123456", "654321"] {
        let set = operator.submit(&path, &[("pin", pin), ("again", pin)]).await;
        assert_eq!(set.leads_to(), format!("/console/numbers/{NUMBER}?done=pin_set"));
    }
    let cleared = operator.submit(&format!("{path}/clear"), &[]).await;
    let page = operator.get(cleared.leads_to()).await.expect(200);
    assert!(page.contains("Two-step verification is off."));
}

#[tokio::test]
async fn a_link_that_resets_a_pin_is_mailed_from_the_page() {
    let world = World::new().await;
    world.service.mail_by(None, "https://rollcall.example");
    registered(&world).await;
    let mut operator = world.operator().await;
    let path = format!("/console/numbers/{NUMBER}/pin");
    operator.submit(&path, &[("pin", "123456"), ("again", "123456")]).await.leads_to();
    let page = operator.submit(&format!("{path}/link"), &[]).await.expect(409);
    assert!(page.contains("contact_email"), "nobody to mail it to: {page}");
    let address = r#"{"contact_email":"owner@shop.example"}"#;
    let request = http::Request::patch(format!("/admin/v1/wabas/{WABA}"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .body(address.into());
    world.send(request.unwrap()).await.expect(200);
    operator.headers.push(("accept-language", "de".to_owned()));
    let mailed = operator.submit(&format!("{path}/link"), &[]).await;
    let page = operator.get(mailed.leads_to()).await.expect(200);
    assert!(page.contains("Der Link ist gemailt."), "{page}");
    let mails = world.service.inbox_mails(None, None);
    assert_eq!((mails.len(), mails[0].mail.to.as_str()), (1, "owner@shop.example"));
    assert!(mails[0].mail.subject.contains("zurücksetzen"), "{}", mails[0].mail.subject);
}

#[tokio::test]
async fn a_number_is_deregistered_and_its_story_is_told() {
    let world = World::new().await;
    registered(&world).await;
    let mut operator = world.operator().await;
    let path = format!("/console/numbers/{NUMBER}");
    let done = operator.submit(&format!("{path}/deregister"), &[]).await;
    let page = operator.get(done.leads_to()).await.expect(200);
    let place = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words} in {page}"));
    assert!(place("<p>Deregistered") < place("<p>Registered (On-Premises, default)"));
    let again = operator.submit(&format!("{path}/deregister"), &[]).await.expect(403);
    assert!(again.contains("You do not hold a registration of this number."));
}

#[tokio::test]
async fn a_certificate_is_shown_once_and_can_be_taken_along() {
    let world = World::new().await;
    registered(&world).await;
    let mut operator = world.operator().await;
    let path = format!("/console/numbers/{NUMBER}/certificate");
    let page = operator.submit(&path, &[("name", "Lucky Shrub")]).await.expect(200);
    let (_, rest) = page.split_once("readonly>").expect("a certificate");
    let text = rest.split('<').next().unwrap();
    let file = operator.submit("/console/certificate.txt", &[("certificate", text)]).await;
    assert!(file.header("content-disposition").contains("certificate.txt"));
    assert_eq!(file.text.len(), text.replace("&#43;", "+").replace("&#61;", "=").len());
    let page = operator.get(&format!("/console/numbers/{NUMBER}")).await.expect(200);
    assert!(!page.contains("readonly>"));
}

#[tokio::test]
async fn what_is_typed_is_judged_by_the_numbering_plan() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    for (number, words) in [
        ("%2B44 7700 900123", "Takes SMS and calls."),
        ("+44 20 7946 0123", "Cannot receive SMS"),
        ("+44 808 157 0999", "Toll-free"),
        ("+44 909 879 0999", "neither SMS nor calls"),
        ("4477", "too short"),
        ("44x", "digits only"),
        ("999 123 45678", "No country"),
    ] {
        let path =
            format!("/console/register/check?method=sms&number={}", number.replace(' ', "%20"));
        let part = operator.get(&path).await.expect(200);
        assert!(part.contains(words), "{number}: {part}");
        assert!(!part.contains("<html"));
    }
}

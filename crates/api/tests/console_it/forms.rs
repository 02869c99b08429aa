//! What a form needs before anything is done.

use http::StatusCode;

use crate::harness::{NUMBER, World};

const ORDER: [(&str, &str); 4] = [
    ("number", "+44 7700 900123"),
    ("name", "Lucky Shrub"),
    ("method", "sms"),
    ("to", "client:default"),
];

async fn is_known(world: &World) -> bool {
    let mut operator = world.operator().await;
    operator.get(&format!("/console/numbers/{NUMBER}")).await.status == StatusCode::OK
}

#[tokio::test]
async fn a_form_without_the_token_of_its_session_changes_nothing() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let foreign = world.operator().await.form_token().await;
    operator.post("/console/register", &ORDER).await.expect(403);
    let mut with_foreign = ORDER.to_vec();
    with_foreign.push(("form_token", &foreign));
    operator.post("/console/register", &with_foreign).await.expect(403);
    assert!(!is_known(&world).await);
    assert!(operator.submit("/console/register", &ORDER).await.leads_to().contains("/code?"));
    assert!(is_known(&world).await);
}

#[tokio::test]
async fn a_form_from_another_site_changes_nothing_even_with_the_token() {
    let world = World::new().await;
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let mut operator = world.operator().await;
        let token = operator.form_token().await;
        operator.headers.push((name, value.to_owned()));
        let mut fields = ORDER.to_vec();
        fields.push(("form_token", &token));
        operator.post("/console/register", &fields).await.expect(403);
    }
    assert!(!is_known(&world).await);
    let mut operator = world.operator().await;
    operator.headers.push(("origin", "http://localhost".to_owned()));
    operator.headers.push(("sec-fetch-site", "same-origin".to_owned()));
    operator.submit("/console/register", &ORDER).await.leads_to();
}

#[tokio::test]
async fn an_auditor_sees_everything_and_changes_nothing() {
    let world = World::new().await;
    world.operator().await.submit("/console/register", &ORDER).await.leads_to();
    let mut auditor = world.with_link("auditor").await;
    let page = auditor.get(&format!("/console/numbers/{NUMBER}")).await.expect(200);
    assert!(page.contains("Lucky Shrub"));
    assert!(!page.contains(&format!("action=\"/console/numbers/{NUMBER}")), "no form to act with");
    for path in ["deregister", "unlock", "pin", "pin/clear", "pin/link", "register", "certificate"]
    {
        let path = format!("/console/numbers/{NUMBER}/{path}");
        auditor.submit(&path, &[("pin", "123456"), ("again", "123456")]).await.expect(403);
    }
    auditor.submit("/console/register", &ORDER).await.expect(403);
    assert_eq!(auditor.submit("/console/logout", &[]).await.leads_to(), "/console/login");
}

#[tokio::test]
async fn a_form_that_is_huge_or_broken_is_refused_as_a_page() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let huge = "x".repeat(600 * 1024);
    let page = operator.post("/console/register", &[("name", &huge)]).await.expect(413);
    assert!(page.contains("<h1>"));
    operator.post("/console/login", &[("token", &huge)]).await.expect(413);
}

#[tokio::test]
async fn a_wish_for_a_theme_leads_back_into_the_console_only() {
    let world = World::new().await;
    let mut stranger = world.stranger();
    let wish = [("theme", "dark"), ("to", "https://evil.example/")];
    let page = stranger.post("/console/preferences", &wish).await;
    assert_eq!(page.leads_to(), "/console");
    assert!(page.header("set-cookie").starts_with("rollcall_theme=dark;"));
    let odd = stranger.post("/console/preferences", &[("theme", "dark; Domain=x")]).await;
    assert!(odd.headers.get("set-cookie").is_none());
}

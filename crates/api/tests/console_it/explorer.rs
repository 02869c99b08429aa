//! The API explorer: who may use it, as whom it calls, and what it keeps to itself.

use axum::body::Body;
use http::Request;
use serde_json::Value;

use crate::harness::{Browser, TOKEN, World};

const SYNC: &str = "/console/explorer/cams/ChatappSyncPhoneNumber";

/// Kinds of all events so far, and who caused each.
async fn trail(world: &World) -> Vec<(String, String)> {
    let request = Request::get("/admin/v1/audit?limit=200")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Body::empty())
        .unwrap();
    let page: Value = serde_json::from_str(&world.send(request).await.expect(200)).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|it| (text(&it["kind"]), text(&it["actor"]))).collect()
}

async fn send(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("do", "send")];
    all.extend_from_slice(fields);
    browser.submit(path, &all).await.expect(200)
}

#[tokio::test]
async fn every_operation_of_every_dialect_has_a_page() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let mut count = 0;
    for dialect in ["cams", "onprem", "graph"] {
        let list = operator.get(&format!("/console/explorer/{dialect}")).await.expect(200);
        let link = format!("href=\"/console/explorer/{dialect}/");
        for rest in list.split(&link).skip(1) {
            let name = rest.split('"').next().unwrap();
            let page =
                operator.get(&format!("/console/explorer/{dialect}/{name}")).await.expect(200);
            assert!(page.contains("id=\"sample-rollcall\""), "{name}");
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
    for odd in
        ["/console/explorer/cams/request-code", "/console/explorer/x", "/console/explorer/x/y"]
    {
        operator.get(odd).await.expect(404);
    }
}

#[tokio::test]
async fn a_call_is_signed_sent_and_shown_from_both_sides() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    for (signature, begins) in [("v3", "POST&#10;/&#10;"), ("v1", "AccessKeyId=STS.")] {
        let fields =
            [("p.CustSpaceId", "default"), ("party", "account:default"), ("signature", signature)];
        let page = send(&mut operator, SYNC, &fields).await;
        assert!(page.contains("HTTP/1.1 200 OK"), "{page}");
        assert!(page.contains("&#34;Code&#34;:&#34;OK&#34;"), "{page}");
        let (_, step) = page.split_once("id=\"step1\"><code>").expect("the steps");
        let step = step.replace('\n', "&#10;");
        assert!(step.starts_with(begins), "{step}");
    }
}

#[tokio::test]
async fn what_is_lent_is_made_in_the_operators_name_once_and_ends() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let cases = [
        (SYNC, "account:default", "temporary_key_created"),
        ("/console/explorer/onprem/health", "client:default", "token_lent"),
        ("/console/explorer/graph/me", "account:default", "graph_token_created"),
    ];
    for (path, party, kind) in cases {
        let lent = async || trail(&world).await.iter().filter(|it| it.0 == kind).count();
        for _ in 0..2 {
            let page = send(&mut operator, path, &[("party", party)]).await;
            assert!(!page.contains("HTTP/1.1 401"), "{page}");
        }
        assert_eq!(lent().await, 1, "{kind}");
        let trail = trail(&world).await;
        assert!(trail.contains(&(kind.to_owned(), "operator".to_owned())), "{trail:?}");
    }
    world.turn(1);
    send(&mut operator, SYNC, &[("party", "account:default")]).await;
    let made = trail(&world).await.iter().filter(|it| it.0 == "temporary_key_created").count();
    assert_eq!(made, 2, "the first has ended");
}

#[tokio::test]
async fn nothing_secret_comes_back() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let own = [("own.key", "LTAI5tFakeAccessKeyId001"), ("own.secret", "VerySecretText1")];
    let page = send(&mut operator, SYNC, &own).await;
    assert!(page.contains("InvalidAccessKeyId.NotFound") && !page.contains("VerySecretText1"));
    let me = "/console/explorer/graph/me";
    let page = send(&mut operator, me, &[("own.token", "EAAverysecret")]).await;
    assert!(page.contains("Bearer ••••••••") && !page.contains("EAAverysecret"));
    let login = "/console/explorer/onprem/login";
    let fields = [("own.user", "admin"), ("own.password", "Sandbox-1!")];
    let page = send(&mut operator, login, &fields).await;
    assert!(page.contains("HTTP/1.1 200") && page.contains("Basic ••••••••"));
    assert!(!page.contains("Sandbox-1!") && !page.contains("U2FuZGJveC0xI"));
}

#[tokio::test]
async fn an_auditor_reads_the_forms_and_sends_nothing() {
    let world = World::new().await;
    let mut auditor = world.with_link("auditor").await;
    let page = auditor.get(SYNC).await.expect(200);
    assert!(!page.contains("value=\"send\""));
    auditor.submit(SYNC, &[("do", "send")]).await.expect(403);
    assert!(trail(&world).await.iter().all(|it| it.0 != "temporary_key_created"));
}

#[tokio::test]
async fn a_host_that_somebody_made_up_stands_in_no_code() {
    let world = World::new().await;
    let request = |session: &str| {
        let made = Request::get(SYNC).header("cookie", session).header("host", "a$(id).example");
        made.body(Body::empty()).unwrap()
    };
    let session = world.operator().await.session.unwrap();
    let page = world.send(request(&session)).await.expect(200);
    assert!(!page.contains("$(id)") && page.contains("http://127.0.0.1:8080/"));
}

#[tokio::test]
async fn a_hostile_value_is_text_in_form_and_code() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let name = "</code></pre><script>alert(1)</script>\"'";
    let fields = [("p.VerifiedName", name), ("p.Cc", "44"), ("party", "account:default")];
    let page = send(&mut operator, "/console/explorer/cams/AddChatappPhoneNumber", &fields).await;
    assert!(!page.contains("<script>alert"));
}

//! Who gets in, for how long, and with which headers.

use axum::body::Body;
use http::uri::Scheme;
use http::{Request, StatusCode};

use crate::harness::{TOKEN, World};

#[tokio::test]
async fn every_page_leads_a_stranger_to_the_login_and_back() {
    let world = World::new().await;
    let mut stranger = world.stranger();
    for path in ["/console", "/console/numbers?q=44", "/console/nowhere"] {
        let page = stranger.get(path).await;
        assert!(page.leads_to().starts_with("/console/login?to="), "{path}");
    }
    let page = stranger.get("/console/numbers?q=44").await;
    assert_eq!(page.leads_to(), "/console/login?to=/console/numbers%3Fq%3D44");
    let to = "/console/numbers?q=44";
    let entered = stranger.post("/console/login", &[("token", TOKEN), ("to", to)]).await;
    assert_eq!(entered.leads_to(), to);
    stranger.get(to).await.expect(200);
}

#[tokio::test]
async fn a_part_of_a_page_makes_the_browser_load_the_login() {
    let world = World::new().await;
    let mut stranger = world.stranger();
    stranger.headers.push(("hx-request", "true".to_owned()));
    let part = stranger.get("/console/numbers").await;
    assert_eq!(part.status, StatusCode::UNAUTHORIZED);
    assert_eq!(part.header("hx-redirect"), "/console/login");
}

#[tokio::test]
async fn only_the_operators_token_logs_in() {
    let world = World::new().await;
    let longer = format!("{TOKEN}x");
    for wrong in ["", "x", &longer, &TOKEN[1..]] {
        let mut stranger = world.stranger();
        stranger.post("/console/login", &[("token", wrong)]).await.expect(401);
        assert_eq!(stranger.session, None, "{wrong:?}");
    }
}

#[tokio::test]
async fn the_cookie_is_for_this_server_alone_and_no_script_reads_it() {
    let world = World::new().await;
    let login = |scheme: Scheme| {
        let body = Body::from(format!("token={TOKEN}"));
        let mut request = Request::post("/console/login").body(body).unwrap();
        request.extensions_mut().insert(scheme);
        world.send(request)
    };
    let plain = login(Scheme::HTTP).await;
    let cookie = plain.header("set-cookie");
    assert!(cookie.ends_with("; Path=/console; HttpOnly; SameSite=Strict"), "{cookie}");
    let tls = login(Scheme::HTTPS).await;
    assert!(tls.header("set-cookie").ends_with("; SameSite=Strict; Secure"));
}

#[tokio::test]
async fn a_cookie_that_was_changed_or_made_up_is_none() {
    let world = World::new().await;
    let good = world.operator().await.session.unwrap();
    let auditor = world.with_link("auditor").await.session.unwrap();
    let raised = auditor.replace("auditor.", "operator.");
    let cut = good[..good.len() - 1].to_owned();
    let huge = format!("{good}{}", "a".repeat(10_000));
    let link = world.link("operator").await;
    let link = format!("rollcall_console={}", link.rsplit_once('/').unwrap().1);
    for bad in [raised, cut, huge, link, "rollcall_console=".to_owned()] {
        let mut browser = world.stranger();
        browser.session = Some(bad.clone());
        assert_eq!(browser.get("/console").await.status, StatusCode::SEE_OTHER, "{bad}");
    }
}

#[tokio::test]
async fn a_login_lasts_a_working_day_or_until_logout() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    world.turn(11);
    operator.get("/console").await.expect(200);
    world.turn(1);
    assert_eq!(operator.get("/console").await.status, StatusCode::SEE_OTHER);

    let mut operator = world.operator().await;
    let kept = operator.session.clone();
    let page = operator.submit("/console/logout", &[]).await;
    assert_eq!(page.leads_to(), "/console/login");
    assert!(page.header("set-cookie").contains("Max-Age=0"));
    operator.session = kept;
    assert_eq!(operator.get("/console").await.status, StatusCode::SEE_OTHER, "the cookie is void");
}

#[tokio::test]
async fn a_link_logs_in_once_and_soon_and_looking_at_it_does_not_use_it_up() {
    let world = World::new().await;
    let link = world.link("operator").await;
    for _ in 0..2 {
        let mut stranger = world.stranger();
        stranger.get(&link).await.expect(200);
        assert_eq!(stranger.session, None);
    }
    let mut first = world.stranger();
    assert_eq!(first.post(&link, &[]).await.leads_to(), "/console");
    first.get("/console").await.expect(200);
    let mut second = world.stranger();
    second.post(&link, &[]).await.expect(401);
    assert_eq!(second.session, None);

    let late = world.link("operator").await;
    world.turn(1);
    world.stranger().post(&late, &[]).await.expect(401);
    world.stranger().post("/console/enter/operator.1.2.3", &[]).await.expect(401);
}

#[tokio::test]
async fn every_answer_forbids_frames_inline_scripts_and_guessing() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let icon = operator.get("/console/login").await;
    assert_eq!(icon.status, StatusCode::SEE_OTHER);
    let page = operator.get("/console").await.expect(200);
    let style = page.split("href=\"").find(|it| it.contains("console.css")).unwrap();
    let style = style.split('"').next().unwrap().to_owned();
    for path in ["/console", "/console/nowhere", &style, "/console/assets/x/none", "/console/login"]
    {
        let answer = operator.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
    }
    assert_eq!(operator.get("/console").await.header("cache-control"), "no-store");
    assert!(operator.get(&style).await.header("cache-control").contains("immutable"));
    for inline in ["<script>", " style=", " onclick=", "javascript:"] {
        assert!(!page.contains(inline), "{inline}");
    }
    assert!(!page.contains("http://") && !page.contains("https://"), "asks another host");
}

//! People who log in with a name and a password, and logins that end.

use http::StatusCode;
use serde_json::Value;
use service::{Allowance, Policy};

use crate::harness::{TOKEN, World};

/// Makes an operator of the console: its password.
async fn add(world: &World, name: &str, role: &str) -> String {
    let body = serde_json::json!({ "name": name, "role": role });
    let page = world.admin("POST", "/operators", &body.to_string()).await;
    let made: Value = serde_json::from_str(&page.expect(201)).unwrap();
    made["password"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_new_server_has_nobody_with_a_password() {
    let world = World::new().await;
    let page = world.admin("GET", "/operators", "").await.expect(200);
    assert_eq!(page, r#"{"items":[],"next":null}"#);
    for (name, password) in [("admin", "admin"), ("operator", ""), ("admin", "Sandbox-1!")] {
        let fields = [("name", name), ("password", password)];
        world.stranger().post("/console/login", &fields).await.expect(401);
    }
}

#[tokio::test]
async fn who_has_a_name_and_a_password_gets_in_with_their_role() {
    let world = World::new().await;
    for (name, role, may_change) in [("eva", "operator", 404), ("max", "auditor", 403)] {
        let password = add(&world, name, role).await;
        let mut browser = world.stranger();
        let wrong = [("name", name), ("password", "wrong")];
        let page = browser.post("/console/login", &wrong).await.expect(401);
        assert!(page.contains("Name or password is wrong.") && !page.contains(&password));
        let right = [("name", name), ("password", password.as_str())];
        assert_eq!(browser.post("/console/login", &right).await.leads_to(), "/console");
        let page = browser.get("/console").await.expect(200);
        assert!(page.contains(&format!("<strong>{name}</strong>")), "{page}");
        browser.submit("/console/numbers/447700900199/unlock", &[]).await.expect(may_change);
    }
}

#[tokio::test]
async fn guesses_are_limited_by_name_whoever_has_it() {
    let world = World::new().await;
    let password = add(&world, "eva", "operator").await;
    for name in ["eva", "nobody"] {
        let mut stranger = world.stranger();
        for _ in 0..10 {
            let guess = [("name", name), ("password", "Guess-Word-1")];
            stranger.post("/console/login", &guess).await.expect(401);
        }
        let right = [("name", name), ("password", password.as_str())];
        let page = stranger.post("/console/login", &right).await;
        assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{name}");
        assert_eq!(stranger.session, None);
    }
    world.operator().await.get("/console").await.expect(200);
    world.turn(1);
    let right = [("name", "eva"), ("password", password.as_str())];
    world.stranger().post("/console/login", &right).await.leads_to();
}

#[tokio::test]
async fn guesses_beyond_the_limit_do_not_fill_the_trail() {
    let world = World::new().await;
    let trail = async || {
        let query = service::ports::AuditQuery { limit: 500, ..Default::default() };
        world.service.audit(&query).await.unwrap().len()
    };
    let mut stranger = world.stranger();
    let guess = [("name", "eva"), ("password", "Guess-Word-1")];
    for _ in 0..10 {
        stranger.post("/console/login", &guess).await.expect(401);
    }
    let before = trail().await;
    for _ in 0..30 {
        stranger.post("/console/login", &guess).await.expect(429);
    }
    assert_eq!(trail().await - before, 1);
}

#[tokio::test]
async fn a_source_that_tries_ever_new_names_has_few_of_them_hashed() {
    let world = World::new().await;
    let client_requests = Allowance { burst: 5, ..Policy::default().client_requests };
    world.service.set_policy(Policy { client_requests, ..Policy::default() });
    let mut stranger = world.stranger();
    let mut refused = Vec::new();
    for n in 0..10 {
        let name = format!("{}{n}", ["eva", "No Name"][n % 2]);
        let guess = [("name", name.as_str()), ("password", "Guess-Word-1")];
        refused.push(stranger.post("/console/login", &guess).await.status.as_u16());
    }
    assert_eq!(refused, [[401; 5], [429; 5]].concat());
    world.clock.advance(client_requests.interval);
    stranger.post("/console/login", &[("name", "eva"), ("password", "x")]).await.expect(401);
}

#[tokio::test]
async fn logins_end_with_a_new_password_another_role_or_the_operator() {
    let world = World::new().await;
    let changes = [
        ("POST", "/operators/eva/reset-password", "{}"),
        ("PATCH", "/operators/eva", r#"{"role":"auditor"}"#),
        ("DELETE", "/operators/eva", ""),
    ];
    for (method, path, body) in changes {
        world.admin("DELETE", "/operators/eva", "").await;
        let password = add(&world, "eva", "operator").await;
        let mut browser = world.stranger();
        let right = [("name", "eva"), ("password", password.as_str())];
        browser.post("/console/login", &right).await.leads_to();
        browser.get("/console").await.expect(200);
        // Though the clock stands.
        assert!(world.admin(method, path, body).await.status.is_success(), "{path}");
        assert_eq!(browser.get("/console").await.status, StatusCode::SEE_OTHER, "{path}");
    }
}

#[tokio::test]
async fn a_logout_holds_in_every_process_over_the_same_store() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    let kept = operator.session.clone();
    operator.submit("/console/logout", &[]).await.leads_to();
    let restarted = world.again();
    let mut other = restarted.stranger();
    other.session = kept;
    assert_eq!(other.get("/console").await.status, StatusCode::SEE_OTHER);
    // Others stay.
    let kept = world.operator().await.session;
    other.session = kept;
    other.get("/console").await.expect(200);
}

#[tokio::test]
async fn what_somebody_with_a_name_does_stands_under_it() {
    let world = World::new().await;
    let password = add(&world, "eva", "operator").await;
    let mut browser = world.stranger();
    let right = [("name", "eva"), ("password", password.as_str())];
    browser.post("/console/login", &right).await.leads_to();
    browser.submit("/console/numbers/447700900199/unlock", &[]).await.expect(404);
    let trail = world.admin("GET", "/audit?limit=200", "").await.expect(200);
    assert!(trail.contains(r#""actor":"console:eva""#), "{trail}");
    assert!(trail.contains("/console/numbers/{number}/unlock") && !trail.contains("447700900199"));
    assert!(!trail.contains(&password) && !trail.contains(TOKEN));
}

#[tokio::test]
async fn names_and_passwords_have_rules_and_nothing_secret_is_listed() {
    let world = World::new().await;
    for (body, field) in [
        (r#"{"name":"E"}"#, "name"),
        (r#"{"name":"a.b"}"#, "name"),
        (r#"{"name":"eva","password":"short"}"#, "password"),
        (r#"{"name":"eva","role":"root"}"#, "role"),
    ] {
        let page = world.admin("POST", "/operators", body).await.expect(422);
        assert!(page.contains(&format!(r#""field":"{field}""#)), "{page}");
    }
    add(&world, "eva", "operator").await;
    world.admin("POST", "/operators", r#"{"name":"eva"}"#).await.expect(409);
    let page = world.admin("GET", "/operators", "").await.expect(200);
    assert!(page.contains(r#""name":"eva""#) && !page.contains("password\":"), "{page}");
    world.admin("PATCH", "/operators/nobody", "{}").await.expect(404);
}

//! What pages show.

use crate::harness::{NUMBER, World};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

async fn order(world: &World, number: &str, name: &str) {
    let fields = [("number", number), ("name", name), ("method", "sms"), ("to", "client:default")];
    world.operator().await.submit("/console/register", &fields).await.leads_to();
}

#[tokio::test]
async fn a_hostile_name_is_shown_as_it_is_and_is_never_markup() {
    let world = World::new().await;
    order(&world, NUMBER, HOSTILE).await;
    let mut operator = world.operator().await;
    for path in [
        "/console/numbers".to_owned(),
        format!("/console/numbers/{NUMBER}"),
        format!("/console/register?number={NUMBER}&name=%3Cscript%3Ealert(1)%3C/script%3E"),
        "/console/numbers?q=%22%3E%3Cscript%3E".to_owned(),
    ] {
        let page = operator.get(&path).await.expect(200);
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{path}");
        assert!(!page.contains("\"><script>"), "{path}");
    }
    let page = operator.get("/console/numbers").await.expect(200);
    assert!(page.contains("&#60;script&#62;alert(1)") || page.contains("&lt;script&gt;alert(1)"));
}

#[tokio::test]
async fn the_list_finds_numbers_by_their_first_digits_however_they_are_typed() {
    let world = World::new().await;
    order(&world, "447700900123", "One").await;
    order(&world, "4915228817386", "Two").await;
    let mut operator = world.operator().await;
    for (typed, found) in [
        ("", [true, true]),
        ("%2B44%207700", [true, false]),
        ("0049", [false, true]),
        ("44-7700-9%2800123%29", [true, false]),
        ("1", [false, false]),
    ] {
        let page = operator.get(&format!("/console/numbers?q={typed}")).await.expect(200);
        let shown = ["+44 7700 900123", "+49 1522 8817386"].map(|number| page.contains(number));
        assert_eq!(shown, found, "{typed}");
    }
    operator.headers.push(("hx-request", "true".to_owned()));
    let part = operator.get("/console/numbers?q=44").await.expect(200);
    assert!(part.trim_start().starts_with("<section id=\"results\""), "{part}");
}

#[tokio::test]
async fn a_search_that_cannot_be_is_told_so_on_the_page() {
    let world = World::new().await;
    let page = world.operator().await.get("/console/numbers?q=lucky").await.expect(200);
    assert!(page.contains("up to 15 digits"), "{page}");
}

#[tokio::test]
async fn the_export_has_every_number_once() {
    let world = World::new().await;
    for n in 0..5 {
        order(&world, &format!("4477009001{n:02}"), "=1+1").await;
    }
    let export = world.operator().await.get("/console/numbers.csv?q=44").await;
    assert_eq!(export.header("content-type"), "text/csv; charset=utf-8");
    let text = export.expect(200);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 6);
    let first = "+447700900100,+44 7700 900100,awaiting,'=1+1,,,,,no,no";
    assert_eq!(lines[1], first);
}

#[tokio::test]
async fn a_refusal_is_explained_with_its_rule_and_the_time_it_opens() {
    let world = World::new().await;
    order(&world, NUMBER, "Lucky Shrub").await;
    let mut operator = world.operator().await;
    let fields =
        [("number", NUMBER), ("name", "Other"), ("method", "sms"), ("to", "client:default")];
    let page = operator.submit("/console/register", &fields).await.expect(403);
    assert!(page.contains("A code was sent a moment ago."), "{page}");
    assert!(page.contains("Codes to one number are sent at growing distances"));
    assert!(page.contains("data-until"), "when it opens");
    let (_, rest) = page.split_once("/console/explain/").expect("a link");
    let id = rest.split('"').next().unwrap();
    let explained = operator.get(&format!("/console/explain/{id}")).await.expect(200);
    assert!(explained.contains("A code was sent a moment ago."));
    operator.get("/console/explain/none").await.expect(404);
}

#[tokio::test]
async fn a_page_speaks_the_language_of_its_reader() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    operator.headers.push(("accept-language", "de-DE,de;q=0.9".to_owned()));
    let page = operator.get("/console/numbers").await.expect(200);
    assert!(page.contains("lang=\"de\"") && page.contains("Noch keine Nummern"));
    order(&world, NUMBER, "Lucky Shrub").await;
    let fields =
        [("number", NUMBER), ("name", "Other"), ("method", "sms"), ("to", "client:default")];
    let refused = operator.submit("/console/register", &fields).await.expect(403);
    assert!(refused.contains("Eben wurde schon ein Code gesendet."), "{refused}");
}

#[tokio::test]
async fn production_has_no_pages_of_a_sandbox() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    for path in ["/console/sandbox", "/console/sandbox/inbox"] {
        operator.get(path).await.expect(404);
    }
    for path in ["/console/sandbox/clock", "/console/sandbox/reset", "/console/sandbox/try"] {
        operator.submit(path, &[]).await.expect(404);
    }
    let page = operator.get("/console").await.expect(200);
    assert!(!page.contains("/console/sandbox"));
    operator.get(&format!("/console/register/{NUMBER}/hint")).await.expect(404);
}

#[tokio::test]
async fn a_number_nobody_named_has_no_page() {
    let world = World::new().await;
    let mut operator = world.operator().await;
    for odd in ["447700900199", "x", "..%2Faccounts", "0"] {
        let status = operator.get(&format!("/console/numbers/{odd}")).await.status.as_u16();
        assert!([404, 422].contains(&status), "{odd}: {status}");
    }
}

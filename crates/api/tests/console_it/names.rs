//! Display names that wait for a verdict.

use registration::{PhoneNumber, TextId as _, VerifiedName, WabaId};
use service::numbers::ClaimName;
use service::{Caller, Policy};

use crate::harness::{NUMBER, WABA, World};

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

impl World {
    /// A caller's WABA claims a number under a name, where names are reviewed.
    async fn claims(&self, number: &str, name: &str) {
        self.service.set_policy(Policy { review_names: true, ..Policy::default() });
        let name = VerifiedName::parse(name).unwrap();
        let name = ClaimName { name, certificate_serial: None, is_vouched_for: false };
        let caller = Caller { dialect: "graph", ..Caller::operator() };
        let (waba, number) = (WabaId::parse(WABA).unwrap(), PhoneNumber::parse(number).unwrap());
        self.service.add_number(&caller, &waba, number, &name).await.unwrap();
    }
}

fn verdict<'a>(name: &'a str, verdict: &'a str) -> [(&'static str, &'a str); 5] {
    let number = "+447700900123";
    [("number", number), ("waba", WABA), ("name", name), ("verdict", verdict), ("why", "format")]
}

#[tokio::test]
async fn a_name_that_waits_is_approved_or_declined_and_the_story_says_so() {
    for (word, says, tells) in [
        (
            "approve",
            "The name of +44 7700 900123 is approved.",
            "Display name “\u{2068}Acme\u{2069}” approved",
        ),
        (
            "decline",
            "The name of +44 7700 900123 is declined.",
            "Display name “\u{2068}Acme\u{2069}” declined",
        ),
    ] {
        let world = World::new().await;
        let mut operator = world.operator().await;
        let page = operator.get("/console/names").await.expect(200);
        assert!(page.contains("No name waits"), "{page}");
        world.claims(NUMBER, "Acme").await;
        let page = operator.get("/console/names").await.expect(200);
        assert!(page.contains("Acme</bdi>") && page.contains("+44 7700 900123"), "{page}");
        let number = operator.get(&format!("/console/numbers/{NUMBER}")).await.expect(200);
        assert!(number.contains("Name waits for a verdict"), "{number}");

        let answer = operator.submit("/console/names", &verdict("Acme", word)).await;
        let page = operator.get(answer.leads_to()).await.expect(200);
        assert!(page.contains(says) && page.contains("No name waits"), "{page}");
        let number = operator.get(&format!("/console/numbers/{NUMBER}")).await.expect(200);
        assert!(number.contains(tells), "{number}");
    }
}

#[tokio::test]
async fn an_auditor_sees_the_names_and_decides_nothing() {
    let world = World::new().await;
    world.claims(NUMBER, "Acme").await;
    let mut auditor = world.with_link("auditor").await;
    let page = auditor.get("/console/names").await.expect(200);
    assert!(page.contains("Acme</bdi>") && !page.contains("name=\"verdict\""), "{page}");
    auditor.submit("/console/names", &verdict("Acme", "approve")).await.expect(403);
    assert!(auditor.get("/console/names").await.expect(200).contains("Acme</bdi>"));
}

#[tokio::test]
async fn a_verdict_counts_for_the_name_on_the_page_only() {
    let world = World::new().await;
    world.claims(NUMBER, HOSTILE).await;
    let mut operator = world.operator().await;
    let page = operator.submit("/console/names", &verdict("Acme", "approve")).await.expect(409);
    assert!(page.contains("Another name was asked for meanwhile."), "{page}");
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    operator.headers.push(("accept-language", "de".to_owned()));
    let page = operator.submit("/console/names", &verdict("Acme", "decline")).await.expect(409);
    assert!(page.contains("Inzwischen wurde ein anderer Name gewünscht."), "{page}");
    operator.submit("/console/names", &verdict("Acme", "perhaps")).await.expect(422);
    operator.submit("/console/names", &verdict(HOSTILE, "approve")).await.leads_to();
}

//! Another display name, with trouble at every call.

use super::*;

impl Stage {
    async fn rename(&self, name: &str) -> Result<VerifiedName, ServiceError> {
        let name = VerifiedName::parse(name).expect("a name");
        let waba = &self.client.waba;
        let done = self.service.request_name(&self.caller, waba, self.number, name).await?;
        Ok(done.record.claim_of(waba).expect("a claim").name.clone())
    }
}

async fn asked() -> Stage {
    let stage = Stage::new().await;
    stage.request(None).await.expect("a code is on its way");
    stage.upstream.state().names = vec!["Lucky Shrub".to_owned()];
    stage
}

#[tokio::test]
async fn another_name_is_asked_for_upstream_once() {
    let stage = asked().await;
    for _ in 0..2 {
        assert_eq!(stage.rename("Jasper").await.expect("taken").as_str(), "Jasper");
    }
    assert_eq!(stage.upstream.state().names, ["Lucky Shrub", "Jasper"]);
}

#[tokio::test]
async fn a_name_that_is_refused_upstream_is_not_taken_here() {
    let stage = asked().await;
    stage.upstream.trouble("change_name", Trouble::Refuse(Refusal::NameDeclined));
    let refused = stage.rename("Jasper").await;
    assert!(
        matches!(&refused, Err(ServiceError::Refused(it)) if it.refusal == Refusal::NameDeclined),
        "{refused:?}"
    );
    let record = stage.service.load(stage.number).await.expect("store").value;
    assert_eq!(record.claims[0].name.as_str(), "Lucky Shrub");
    assert_eq!(stage.rename("Jasper").await.expect("taken").as_str(), "Jasper");
}

#[tokio::test]
async fn whatever_call_fails_a_name_is_asked_for_once_and_not_lost() {
    for trouble in [Trouble::Before, Trouble::After, Trouble::Error] {
        for call in 0..3 {
            let stage = asked().await;
            let made = stage.upstream.state().calls.len();
            stage.upstream.state().trouble_at = Some((made + call, trouble.clone()));
            let mut answer = stage.rename("Jasper").await;
            for _ in 0..3 {
                if answer.is_ok() {
                    break;
                }
                assert!(matches!(answer, Err(ServiceError::Unavailable(_))), "{answer:?}");
                stage.clock.advance(SETTLES_AFTER);
                answer = stage.rename("Jasper").await;
            }
            assert_eq!(answer.expect("taken in the end").as_str(), "Jasper");
            assert_eq!(stage.upstream.state().names, ["Lucky Shrub", "Jasper"], "{trouble:?}");
        }
    }
}

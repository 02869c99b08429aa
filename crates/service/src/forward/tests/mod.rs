//! Orders forwarded to an upstream in memory, with trouble at every call.

mod backups;
mod fake;
mod names;

use core::time::Duration;
use std::sync::Arc;

use registration::{
    AccountId, ClientId, CodeMethod, Holding, Locale, Platform, Refusal, TextId as _, TwoStepPin,
    VerificationCode, VerifiedName, WabaId,
};

use super::*;
use crate::clients::FirstPassword;
use crate::directory::Client;
use crate::hashing::{HashCost, Hasher};
use crate::keys::{KeyRing, MasterKeys};
use crate::numbering::plan_e164;
use crate::numbers::{ClaimName, CodeAnswer, CodeOrder, PinInput, RegisterOrder};
use crate::policy::Policy;
use crate::ports::{
    AuditQuery, CodeDelivery, CodeMessage, Credentials, DeliveryError, HandedOver, NoRehearsal,
    SendQuery,
};
use crate::seed::SecretText;
use crate::service::Ports;
use crate::testing::{ManualClock, MemoryStore, SeededEntropy};
use crate::upstreams::UpstreamSet;
use fake::{FakeUpstream, RIGHT, Trouble};

struct NoDelivery;

#[async_trait]
impl CodeDelivery for NoDelivery {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        panic!("nothing is sent from here")
    }
}

/// An installation whose default WABA is forwarded.
struct Stage {
    service: Service,
    clock: Arc<ManualClock>,
    upstream: Arc<FakeUpstream>,
    caller: Caller,
    client: Client,
    number: PhoneNumber,
}

impl Stage {
    async fn new() -> Self {
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(ManualClock::default());
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 1, 8);
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            clock: clock.clone(),
            entropy,
            delivery: Arc::new(NoDelivery),
            rehearsal: Arc::new(NoRehearsal),
        };
        let upstream = Arc::new(FakeUpstream::default());
        let service = Service::new(ports, keys, hasher, Policy::default());
        let service = service.with_upstream(upstream.clone());
        let waba = WabaId::parse("102290129340398").expect("an id");
        let first = FirstPassword { password: "First-client-1!".to_owned(), must_change: false };
        service.first_start(&waba, &first).await.expect("store");
        let link = Link {
            base_url: "http://127.0.0.1:1".to_owned(),
            remote_id: "1".to_owned(),
            credentials: Credentials::Meta {
                token: SecretText::new("EAAtest"),
                app_secret: None,
                version: "v25.0".to_owned(),
            },
        };
        let caller = Caller::operator();
        let set = service.set_upstream(&caller, &waba, &link).await.expect("store");
        assert!(matches!(set, UpstreamSet::Done(_)), "{set:?}");
        let id = ClientId::parse("default").expect("an id");
        let client = service.client(&id).await.expect("store").expect("the default client");
        let number = PhoneNumber::parse("447700900123").expect("fictitious");
        Self { service, clock, upstream, caller, client, number }
    }

    fn order(&self, pin: Option<&str>) -> CodeOrder {
        CodeOrder {
            payer: AccountId::parse("default").expect("an id"),
            waba: self.client.waba.clone(),
            client: Some(self.client.id.clone()),
            planned: plan_e164("447700900123").expect("fictitious"),
            method: CodeMethod::Sms,
            only_unproven: false,
            locale: Locale::english(),
            pin: pin.map_or(PinInput::Absent, |pin| PinInput::Given(parsed(pin))),
            claim: Some(ClaimName {
                name: VerifiedName::parse("Lucky Shrub").expect("a name"),
                certificate_serial: None,
                is_vouched_for: true,
            }),
        }
    }

    async fn request(&self, pin: Option<&str>) -> Result<Accepted, ServiceError> {
        self.service.request_code(&self.caller, &self.order(pin)).await.map(|done| done.accepted)
    }

    async fn verify(&self, code: &str) -> Result<Accepted, ServiceError> {
        let pending = self.service.pending_claim(&self.caller, &self.client.id).await?;
        let platform = Platform::OnPremise { client: self.client.id.clone() };
        let answer = CodeAnswer {
            waba: pending.waba,
            number: pending.number,
            code: Some(VerificationCode::parse(code).expect("six digits")),
            register: Some(RegisterOrder { platform, pin: PinInput::Absent, set_pin: None }),
        };
        self.service.verify_code(&self.caller, &answer).await.map(|done| done.accepted)
    }

    fn calls(&self) -> Vec<&'static str> {
        core::mem::take(&mut self.upstream.state().calls)
    }

    async fn record(&self) -> NumberRecord {
        self.service.number(self.number).await.expect("store").expect("a record")
    }

    async fn is_registered(&self) -> bool {
        self.record().await.held_by(&self.client.id)
    }

    async fn kinds(&self) -> Vec<String> {
        let query = AuditQuery { limit: 1000, ..AuditQuery::default() };
        let trail = self.service.store.audit(&query).await.expect("store");
        trail.into_iter().map(|entry| entry.event.kind).collect()
    }
}

fn parsed(pin: &str) -> TwoStepPin {
    TwoStepPin::parse(pin).expect("six digits")
}

fn refusal<T: core::fmt::Debug>(answer: Result<T, ServiceError>) -> Refusal {
    match answer {
        Err(ServiceError::Refused(refused)) => refused.refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

fn is_unavailable<T>(answer: &Result<T, ServiceError>) -> bool {
    matches!(answer, Err(ServiceError::Unavailable(_)))
}

#[tokio::test]
async fn a_number_is_registered_upstream_with_a_pin_that_was_drawn_here() {
    let stage = Stage::new().await;
    assert!(matches!(stage.request(None).await, Ok(Accepted::CodeSent(_))));
    assert_eq!(stage.calls(), ["find_or_add", "request_code"]);
    assert!(matches!(stage.verify(RIGHT).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.calls(), ["verify_code", "register"]);
    assert!(stage.is_registered().await);
    // The caller knows of no PIN; the operator can look.
    assert!(stage.record().await.two_step.is_none());
    let kept = stage.service.reveal_pin(&stage.caller, stage.number).await.expect("store");
    let in_force = stage.upstream.state().pin.clone().expect("a PIN");
    assert_eq!(kept.expect("kept").reveal(), in_force.as_bytes());
    // Nothing left this machine by a sender, and everything is in the trail.
    let sends = SendQuery { limit: 10, ..SendQuery::default() };
    assert!(stage.service.store.sends(&sends).await.expect("store").is_empty());
    let kinds = stage.kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "upstream_called").count(), 3, "{kinds:?}");
    assert!(kinds.contains(&"pin_revealed".to_owned()));
    // Again: nothing is left to do, and nothing is asked upstream.
    assert!(matches!(stage.request(None).await, Ok(Accepted::AlreadyRegistered(_))));
    assert_eq!(stage.calls(), [""; 0]);
}

#[tokio::test]
async fn what_the_rules_refuse_is_not_asked_upstream() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.calls();
    assert!(matches!(refusal(stage.request(None).await), Refusal::CodeTooSoon { .. }));
    let wrong = stage.verify("654321").await;
    assert_eq!(refusal(wrong), Refusal::CodeMismatch { guesses_left: 4 });
    assert_eq!(stage.calls(), ["verify_code"]);
    stage.clock.advance(Duration::from_secs(601));
    assert_eq!(refusal(stage.verify(RIGHT).await), Refusal::CodeMissing);
    assert_eq!(stage.calls(), [""; 0]);
}

#[tokio::test]
async fn a_lost_answer_is_read_back_and_nothing_is_registered_twice() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.upstream.trouble("register", Trouble::After);
    assert!(matches!(stage.verify(RIGHT).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.upstream.state().registrations, 1);
}

#[tokio::test]
async fn a_retry_learns_the_true_result_when_reading_back_failed_too() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.upstream.trouble("register", Trouble::After);
    stage.upstream.trouble("read_back", Trouble::Before);
    assert!(is_unavailable(&stage.verify(RIGHT).await));
    assert!(!stage.is_registered().await);
    stage.calls();
    assert!(matches!(stage.verify(RIGHT).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.calls(), ["read_back"]);
    assert!(stage.is_registered().await);
    assert_eq!(stage.upstream.state().registrations, 1);
    let kept = stage.service.reveal_pin(&stage.caller, stage.number).await.expect("store");
    assert!(kept.is_some_and(
        |pin| Some(pin.reveal()) == stage.upstream.state().pin.as_deref().map(str::as_bytes)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_an_intent_that_the_next_one_settles() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.upstream.trouble("register", Trouble::Hang);
    let gone = tokio::time::timeout(Duration::from_millis(50), stage.verify(RIGHT)).await;
    assert!(gone.is_err(), "it hangs");
    assert!(matches!(stage.verify(RIGHT).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.upstream.state().registrations, 1);
}

#[tokio::test]
async fn a_call_that_may_still_be_under_way_is_not_made_again() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    // Nothing is done there, but nobody here can know that yet.
    stage.upstream.trouble("verify_code", Trouble::After);
    stage.upstream.trouble("read_back", Trouble::Before);
    assert!(is_unavailable(&stage.verify(RIGHT).await));
    stage.upstream.state().verified = false;
    stage.calls();
    assert!(is_unavailable(&stage.verify(RIGHT).await));
    assert_eq!(stage.calls(), ["read_back"]);
    stage.clock.advance(SETTLES_AFTER);
    assert!(matches!(stage.verify(RIGHT).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.calls(), ["read_back", "verify_code", "register"]);
}

/// Trouble of each kind at each call of a registration, in turn: retries end in one registration.
#[tokio::test(start_paused = true)]
async fn trouble_anywhere_ends_in_exactly_one_registration() {
    for trouble in [Trouble::Before, Trouble::After, Trouble::Error, Trouble::Hang] {
        for place in 0..6 {
            let stage = Stage::new().await;
            stage.upstream.state().trouble_at = Some((place, trouble.clone()));
            for _ in 0..40 {
                let pending = stage.service.pending_claim(&stage.caller, &stage.client.id).await;
                let step = async {
                    if pending.is_ok() {
                        stage.verify(RIGHT).await
                    } else {
                        stage.request(None).await
                    }
                };
                let answer = tokio::time::timeout(Duration::from_millis(50), step).await;
                if matches!(
                    answer,
                    Ok(Ok(Accepted::Registered(_) | Accepted::AlreadyRegistered(_)))
                ) {
                    break;
                }
                stage.clock.advance(Duration::from_secs(61));
            }
            assert!(stage.is_registered().await, "{trouble:?} at {place}");
            assert_eq!(stage.upstream.state().registrations, 1, "{trouble:?} at {place}");
        }
    }
}

/// What the upstream refuses is refused here from then on, in the same words, until it opens.
#[tokio::test]
async fn a_refusal_upstream_closes_the_door_here() {
    let now = Timestamp::default();
    let later = |seconds| now + Duration::from_secs(seconds);
    for (operation, told) in [
        ("request_code", Refusal::CodeTooSoon { method: CodeMethod::Sms, opens_at: later(3600) }),
        ("request_code", Refusal::SmsExhausted { opens_at: later(40_000) }),
        ("request_code", Refusal::NumberLocked),
        ("verify_code", Refusal::OutOfGuesses),
        ("verify_code", Refusal::CodeMissing),
        ("verify_code", Refusal::GuessTooSoon { opens_at: later(90) }),
        ("verify_code", Refusal::GuessesExhausted { opens_at: later(7_200) }),
    ] {
        let stage = Stage::new().await;
        stage.clock.set(now);
        if operation == "verify_code" {
            stage.request(None).await.expect("sent");
        }
        stage.upstream.trouble(operation, Trouble::Refuse(told.clone()));
        let ask = async || match operation {
            "request_code" => refusal(stage.request(None).await),
            _ => refusal(stage.verify("654321").await),
        };
        assert_eq!(ask().await, told);
        stage.calls();
        assert_eq!(ask().await, told, "the second time");
        assert_eq!(stage.calls(), [""; 0], "{told:?} was asked for again");
    }
}

#[tokio::test]
async fn the_register_limit_upstream_is_kept_with_its_hours() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    let opens_at = stage.service.now() + Duration::from_hours(50);
    stage.upstream.trouble("register", Trouble::Refuse(Refusal::RegisterLimit { opens_at }));
    assert_eq!(refusal(stage.verify(RIGHT).await), Refusal::RegisterLimit { opens_at });
    stage.calls();
    // The code is used up there; what it proved is not lost, so the next order would register.
    assert_eq!(refusal(stage.request(None).await), Refusal::RegisterLimit { opens_at });
    assert_eq!(stage.calls(), [""; 0]);
    stage.clock.advance(Duration::from_hours(50));
    assert!(matches!(stage.request(None).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.calls(), ["register"]);
}

#[tokio::test]
async fn a_pin_that_is_set_upstream_is_asked_for_before_any_cost() {
    let stage = Stage::new().await;
    stage.upstream.state().pin = Some("024680".to_owned());
    assert_eq!(refusal(stage.request(None).await), Refusal::PinRequired);
    assert_eq!(stage.calls(), ["find_or_add"]);
    stage.request(Some("111111")).await.expect("only the upstream can check it");
    assert_eq!(refusal(stage.verify(RIGHT).await), Refusal::PinMismatch { tries_left: 9 });
    // The proof is kept, so the right PIN registers at once.
    assert!(matches!(stage.request(Some("024680")).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.upstream.state().registrations, 1);
    // From now on it is in force here as well.
    stage.calls();
    assert_eq!(refusal(stage.request(None).await), Refusal::PinRequired);
    assert!(matches!(refusal(stage.request(Some("111111")).await), Refusal::PinMismatch { .. }));
    assert_eq!(stage.calls(), [""; 0]);
}

#[tokio::test]
async fn two_step_verification_is_set_and_cleared_upstream() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.verify(RIGHT).await.expect("registered");
    let (service, caller, number) = (&stage.service, &stage.caller, stage.number);
    let holder = || Some(registration::Holding::Client(stage.client.id.clone()));
    service.set_two_step(caller, number, holder(), &parsed("024680")).await.expect("set");
    assert_eq!(stage.upstream.state().pin.as_deref(), Some("024680"));
    assert!(stage.record().await.two_step.is_some());
    service.clear_two_step(caller, number, holder()).await.expect("cleared");
    assert!(stage.record().await.two_step.is_none());
    let in_force = stage.upstream.state().pin.clone().expect("it cannot be switched off there");
    assert_ne!(in_force, "024680");
    let kept = service.reveal_pin(caller, number).await.expect("store").expect("kept");
    assert_eq!(kept.reveal(), in_force.as_bytes());
}

#[tokio::test(start_paused = true)]
async fn giving_up_is_settled_like_registering() {
    for trouble in [None, Some(Trouble::After), Some(Trouble::Hang)] {
        let stage = Stage::new().await;
        stage.request(None).await.expect("sent");
        stage.verify(RIGHT).await.expect("registered");
        if let Some(trouble) = trouble {
            stage.upstream.trouble("deregister", trouble);
        }
        let give_up = || stage.service.deregister(&stage.caller, None, stage.number);
        let mut answer = tokio::time::timeout(Duration::from_millis(50), give_up()).await;
        if answer.is_err() {
            answer = Ok(give_up().await);
        }
        let done = answer.expect("in time").expect("given up");
        assert_eq!(done.accepted, Accepted::Deregistered);
        assert!(stage.record().await.registration.is_none());
        let calls = stage.calls();
        assert_eq!(calls.iter().filter(|call| **call == "deregister").count(), 1, "{calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_sets_a_pin_settles_nothing_of_the_holder() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.verify(RIGHT).await.expect("registered");
    stage.upstream.trouble("deregister", Trouble::Hang);
    let give_up = stage.service.deregister(&stage.caller, None, stage.number);
    tokio::time::timeout(Duration::from_millis(50), give_up).await.expect_err("it hangs");
    stage.calls();
    let stranger = || Some(Holding::Waba(WabaId::parse("stranger").expect("an id")));
    let (service, caller, number) = (&stage.service, &stage.caller, stage.number);
    let set = service.set_two_step(caller, number, stranger(), &parsed("024680")).await;
    let cleared = service.clear_two_step(caller, number, stranger()).await;
    for answer in [set, cleared] {
        let Err(ServiceError::Refused(refused)) = answer else { panic!("{answer:?}") };
        assert_eq!(refused.refusal, Refusal::NotRegistered);
    }
    assert_eq!(stage.calls(), [""; 0]);
}

#[tokio::test]
async fn a_backup_of_the_original_registers_without_a_code() {
    let stage = Stage::new().await;
    let sealed = [b"WABIZ\x02\x00\x05".as_slice(), &[7; 64]].concat();
    let (service, caller) = (&stage.service, &stage.caller);
    service.import_backup(caller, &stage.client, "Backup-1!", sealed).await.expect("kept");
    assert!(matches!(stage.request(Some("024680")).await, Ok(Accepted::Registered(_))));
    assert_eq!(stage.calls(), ["find_or_add", "register"]);
    assert_eq!(stage.upstream.state().backup.as_deref(), Some("Backup-1!"));
    let left = service.foreign_backup(&stage.client.id).await.expect("store");
    assert!(left.is_none(), "it is used once");
}

#[tokio::test]
async fn what_differs_is_shown_and_recorded_once() {
    let stage = Stage::new().await;
    stage.request(None).await.expect("sent");
    stage.verify(RIGHT).await.expect("registered");
    let (service, waba) = (&stage.service, &stage.client.waba);
    service.compare_upstreams().await.expect("compared");
    let drift = async || service.upstream_numbers(waba).await.expect("store")[0].drift.clone();
    assert_eq!(drift().await, None);
    stage.upstream.state().registered = false;
    for _ in 0..2 {
        service.compare_upstreams().await.expect("compared");
        assert!(drift().await.is_some_and(|drift| drift.contains("upstream it is not")));
    }
    assert!(stage.is_registered().await, "nothing is changed by a look");
    stage.upstream.state().registered = true;
    service.compare_upstreams().await.expect("compared");
    assert_eq!(drift().await, None);
    let kinds = stage.kinds().await;
    let of = |kind: &str| kinds.iter().filter(|it| *it == kind).count();
    assert_eq!((of("upstream_drift"), of("upstream_agrees")), (1, 1));
}

/// Somebody used the link that Meta mails, or set a PIN in its Manager.
#[tokio::test]
async fn two_step_verification_that_differs_is_shown() {
    let stage = Stage::new().await;
    stage.request(Some("024680")).await.expect("sent");
    stage.verify(RIGHT).await.expect("registered");
    let (service, waba) = (&stage.service, &stage.client.waba);
    let drift = async || {
        service.compare_upstreams().await.expect("compared");
        service.upstream_numbers(waba).await.expect("store")[0].drift.clone().unwrap_or_default()
    };
    assert_eq!(drift().await, "");
    stage.upstream.state().pin = None;
    assert_eq!(drift().await, "two-step verification is on here; upstream it is off");
    // The next registration with the PIN switches it on again.
    stage.upstream.state().pin = Some("024680".to_owned());
    assert_eq!(drift().await, "");
}

#[tokio::test]
async fn secrets_are_sealed_and_bound_to_their_address() {
    let stage = Stage::new().await;
    let key = EntityRef::upstream(&stage.client.waba);
    let found = stage.service.store.entity(&key).await.expect("store").expect("an upstream");
    let mut upstream = found.value.into_upstream().expect("an upstream");
    assert!(!format!("{upstream:?}").contains("EAAtest"));
    upstream.base_url = "http://127.0.0.1:2".to_owned();
    let put =
        EntityWrite::Put { expected: found.version, entity: Entity::Upstream(Box::new(upstream)) };
    let unit = Unit { entities: vec![put], ..Unit::default() };
    stage.service.store.commit(unit).await.expect("store");
    let moved = stage.request(None).await;
    assert!(matches!(moved, Err(ServiceError::Bug(_))), "{moved:?}");
}

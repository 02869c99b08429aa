//! Who may confirm which code, whose PIN is asked for, and what a refusal costs.

use core::time::Duration;
use std::sync::Arc;

use registration::{
    AccountId, CodeMethod, CustomerSpaceId, Locale, PhoneNumber, Refusal, TextId, TwoStepPin,
    VerificationCode, VerifiedName,
};

use super::*;
use crate::directory::{Account, Space, Waba};
use crate::hashing::{HashCost, Hasher};
use crate::keys::{KeyRing, MasterKeys};
use crate::numbering::plan_e164;
use crate::numbers::ClaimName;
use crate::ports::{CodeDelivery, CodeMessage, DeliveryError, Entropy, HandedOver, NoRehearsal};
use crate::testing::{ManualClock, MemoryStore, SeededEntropy};
use crate::upkeep::Removed;
use crate::{Policy, Ports, Refused};

struct Taken;

#[async_trait]
impl CodeDelivery for Taken {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: "none".to_owned(), provider_id: None })
    }
}

/// No salt is to be had: whatever is hashed anew is a mistake.
struct NoSalt;

impl Entropy for NoSalt {
    fn fill(&self, _: &mut [u8]) {
        panic!("a hash that nobody needs");
    }
}

struct World {
    service: Service,
    clock: Arc<ManualClock>,
}

impl World {
    fn with(salts: Option<Arc<dyn Entropy>>, policy: Policy) -> Self {
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(ManualClock::default());
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let salts = salts.unwrap_or_else(|| entropy.clone());
        let hasher = Hasher::new(keys.clone(), salts, HashCost::CHEAPEST, 1, 8);
        let ports = Ports {
            store: Arc::new(MemoryStore::new()),
            clock: clock.clone(),
            entropy,
            delivery: Arc::new(Taken),
            rehearsal: Arc::new(NoRehearsal),
        };
        Self { service: Service::new(ports, keys, hasher, policy), clock }
    }

    fn new() -> Self {
        Self::with(None, Policy::default())
    }

    /// Makes an account, its space and its WABA, all called `name`.
    async fn account(&self, name: &str) {
        let (created_at, named) = (self.service.now(), name.to_owned());
        let (account, space): (AccountId, CustomerSpaceId) = (id(name), id(name));
        let entities = [
            Entity::Account(Account {
                id: account.clone(),
                name: named.clone(),
                subscribed: true,
                created_at,
            }),
            Entity::Space(Space {
                id: space.clone(),
                account: account.clone(),
                name: named.clone(),
                created_at,
            }),
            Entity::Waba(Waba {
                id: id(name),
                account,
                space,
                name: named,
                contact_email: None,
                created_at,
            }),
        ];
        for entity in entities {
            self.service.add_entity(&Caller::operator(), entity).await.unwrap();
        }
    }

    /// Makes the client `shared` for an account.
    async fn client_of(&self, name: &str) -> Client {
        let client = Client {
            id: id("shared"),
            account: id(name),
            waba: id(name),
            host: None,
            retired: false,
            api_key_sha256: None,
            shards: 1,
            restarting_until: Timestamp::default(),
            created_at: self.service.now(),
        };
        let entity = Entity::Client(client.clone());
        self.service.add_entity(&Caller::operator(), entity).await.unwrap();
        client
    }

    async fn code_for(&self, client: &Client, number: &str) {
        let order = CodeOrder {
            payer: client.account.clone(),
            waba: client.waba.clone(),
            client: Some(client.id.clone()),
            planned: plan_e164(number).unwrap(),
            method: CodeMethod::Sms,
            locale: Locale::english(),
            pin: PinInput::Absent,
            claim: Some(claim_name()),
            only_unproven: false,
        };
        self.service.request_code(&Caller::operator(), &order).await.unwrap();
    }

    /// Confirms the code that is on its way for a WABA, and registers if told where.
    async fn confirm(&self, waba: &WabaId, number: &str, platform: Option<Platform>) {
        let number = parsed(number);
        let record = self.service.number(number).await.unwrap().unwrap();
        let CodeProof::Expected(_, code) = self.service.proof(&record, waba) else {
            panic!("no code is on its way")
        };
        let register = platform.map(|platform| RegisterOrder {
            platform,
            pin: PinInput::Absent,
            set_pin: None,
        });
        let answer = CodeAnswer { waba: waba.clone(), number, code: Some(code), register };
        self.service.verify_code(&Caller::operator(), &answer).await.unwrap();
    }
}

fn id<T: TextId>(text: &str) -> T {
    T::parse(text).unwrap()
}

fn parsed(number: &str) -> PhoneNumber {
    PhoneNumber::parse(number).unwrap()
}

fn pin(digits: &str) -> TwoStepPin {
    TwoStepPin::parse(digits).unwrap()
}

fn claim_name() -> ClaimName {
    ClaimName {
        name: VerifiedName::parse("Lucky Shrub").unwrap(),
        certificate_serial: None,
        is_vouched_for: true,
    }
}

fn refusal<T: core::fmt::Debug>(answer: Result<T, ServiceError>) -> Refusal {
    match answer {
        Err(ServiceError::Refused(Refused { refusal, .. })) => refusal,
        other => panic!("{other:?}"),
    }
}

const ONE: &str = "447700900123";
const OTHER: &str = "447700900456";

#[tokio::test]
async fn a_client_made_again_for_another_account_confirms_no_code_of_the_former() {
    let world = World::new();
    world.account("former").await;
    world.account("latter").await;
    let caller = Caller::operator();
    let former = world.client_of("former").await;
    world.code_for(&former, ONE).await;
    let pending = world.service.pending_claim(&caller, &former.id).await.unwrap();
    assert_eq!(pending.waba, former.waba);
    let removed =
        world.service.remove_entity(&caller, &EntityRef::client(&former.id)).await.unwrap();
    assert_eq!(removed, Removed::Done);
    let latter = world.client_of("latter").await;
    let pending = world.service.pending_claim(&caller, &latter.id).await;
    assert_eq!(refusal(pending), Refusal::CodeMissing);
    world.clock.advance(Duration::from_secs(1));
    world.code_for(&latter, OTHER).await;
    let pending = world.service.pending_claim(&caller, &latter.id).await.unwrap();
    assert_eq!((pending.waba, pending.number), (latter.waba, parsed(OTHER)));
}

#[tokio::test]
async fn shards_need_the_pin_of_the_number_that_the_client_runs() {
    let world = World::new();
    world.account("owner").await;
    let client = world.client_of("owner").await;
    let caller = Caller::operator();
    let shards = async |number: &str, given: PinInput| {
        let number = parsed(number);
        world.service.set_shards(&caller, &client, number, given, 4).await.map(drop)
    };
    let given = |digits| PinInput::Given(pin(digits));
    // Somebody who runs no number yet asks as for a registration.
    world.service.set_two_step(&caller, parsed(ONE), None, &pin("135790")).await.unwrap();
    assert_eq!(refusal(shards(ONE, PinInput::Absent).await), Refusal::PinRequired);
    world.service.clear_two_step(&caller, parsed(ONE), None).await.unwrap();

    world.code_for(&client, ONE).await;
    let platform = Platform::OnPremise { client: client.id.clone() };
    world.confirm(&client.waba, ONE, Some(platform)).await;
    world.service.set_two_step(&caller, parsed(ONE), None, &pin("135790")).await.unwrap();
    world.service.set_two_step(&caller, parsed(OTHER), None, &pin("246810")).await.unwrap();
    for other in [PinInput::Absent, given("246810"), given("000000")] {
        assert_eq!(refusal(shards(OTHER, other).await), Refusal::NotRegistered);
    }
    let spent = world.service.number(parsed(OTHER)).await.unwrap().unwrap().budgets.pin;
    assert_eq!(spent.failures, 0);
    assert_eq!(refusal(shards(ONE, PinInput::Absent).await), Refusal::PinRequired);
    assert!(matches!(refusal(shards(ONE, given("246810")).await), Refusal::PinMismatch { .. }));
    let count = async || world.service.client(&client.id).await.unwrap().unwrap().shards;
    assert_eq!(count().await, 1);
    shards(ONE, given("135790")).await.unwrap();
    assert_eq!(count().await, 4);
}

#[tokio::test]
async fn what_is_refused_whatever_the_pin_is_costs_no_hash() {
    let mut policy = Policy::default();
    policy.limits.register_calls_max = 0;
    let world = World::with(Some(Arc::new(NoSalt)), policy);
    world.account("owner").await;
    let client = world.client_of("owner").await;
    let (caller, number, waba) = (Caller::operator(), parsed(ONE), &client.waba);
    let order = RegisterOrder {
        platform: Platform::CloudApi,
        pin: PinInput::Given(pin("135790")),
        set_pin: Some(pin("135790")),
    };
    let register = async || refusal(world.service.register(&caller, waba, number, &order).await);
    let limited = |refusal| matches!(refusal, Refusal::RegisterLimit { .. });
    assert_eq!(register().await, Refusal::NotClaimed);
    let holder = Some(Holding::Waba(waba.clone()));
    let set = world.service.set_two_step(&caller, number, holder, &pin("135790")).await;
    assert_eq!(refusal(set), Refusal::NotRegistered);
    world.code_for(&client, ONE).await;
    assert_eq!(register().await, Refusal::NotVerified);
    let code = Some(VerificationCode::parse("000000").unwrap());
    let answer = CodeAnswer { waba: waba.clone(), number, code, register: Some(order.clone()) };
    assert!(limited(refusal(world.service.verify_code(&caller, &answer).await)));
    world.confirm(waba, ONE, None).await;
    assert!(limited(register().await));
    // A PIN in force is not looked at either; this one cannot even be read.
    let verifier = PinVerifier::new("no hash");
    let command = Command::SetTwoStep { holder: None, verifier };
    world.service.execute(&caller, number, &command).await.unwrap();
    assert!(limited(register().await));
}

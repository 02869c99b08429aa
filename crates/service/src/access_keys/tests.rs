use core::time::Duration;
use std::sync::Arc;

use super::*;
use crate::directory::{Account, RamUser};
use crate::hashing::{HashCost, Hasher};
use crate::keys::{KeyRing, MasterKeys};
use crate::nonces::Freshness;
use crate::policy::Policy;
use crate::ports::{
    AuditQuery, Clock as _, CodeDelivery, CodeMessage, DeliveryError, HandedOver, NoRehearsal,
    Store,
};
use crate::ram::RamName;
use crate::seed::{Seed, SeedAccessKey, SeedAccount, SeedCredentials, SeedTemporaryKey, Seeded};
use crate::service::Ports;
use crate::testing::{ManualClock, MemoryStore, SeededEntropy};

struct NoDelivery;

#[async_trait::async_trait]
impl CodeDelivery for NoDelivery {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        panic!("nothing is sent here")
    }
}

fn service_on(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Service {
    let entropy = Arc::new(SeededEntropy::new(1));
    let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
    let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 1, 1);
    let delivery = Arc::new(NoDelivery);
    let rehearsal = Arc::new(NoRehearsal);
    let ports = Ports { store, clock, entropy, delivery, rehearsal };
    Service::new(ports, keys, hasher, Policy::default())
}

async fn service() -> Service {
    let service = service_on(Arc::new(MemoryStore::new()), Arc::default());
    for name in ["default", "other"] {
        let account = Account {
            id: owner(name, None).account,
            name: name.to_owned(),
            subscribed: true,
            created_at: service.now(),
        };
        service.add_entity(&Caller::operator(), Entity::Account(account)).await.expect("store");
        for user in ["alice", "bob"] {
            let user = RamUser {
                account: owner(name, None).account,
                name: RamName::parse(user).expect("a name"),
                display_name: user.to_owned(),
                policies: Vec::new(),
                groups: Vec::new(),
                created_at: service.now(),
            };
            service.add_entity(&Caller::operator(), Entity::RamUser(user)).await.expect("store");
        }
    }
    service
}

fn owner(account: &str, user: Option<&str>) -> KeyOwner {
    let account = AccountId::parse(account).expect("an id");
    KeyOwner { account, user: user.map(str::to_owned) }
}

async fn made(service: &Service, owner: &KeyOwner) -> NewAccessKey {
    let made = service.create_access_key(&Caller::operator(), owner).await.expect("store");
    let KeyMade::Made(key) = made else { panic!("{made:?}") };
    key
}

#[tokio::test]
async fn a_key_signs_with_the_secret_that_was_shown_once() {
    let service = service().await;
    let new = made(&service, &owner("default", None)).await;
    assert_eq!((new.id.len(), new.secret.reveal().len()), (24, 30));
    let found = service.signing_key(&new.id).await.expect("store").expect("there");
    assert_eq!(found.secret, new.secret);
    assert!(found.key.active);
    assert_eq!(found.judge_token(None, service.now()), TokenVerdict::Fits);
    assert_eq!(found.judge_token(Some("x"), service.now()), TokenVerdict::Mismatch);
    assert!(service.signing_key("LTAI-unknown").await.expect("store").is_none());
    assert!(!format!("{new:?}{found:?}").contains(new.secret.reveal()));
    let audit = service.audit(&AuditQuery { limit: 99, ..AuditQuery::default() }).await;
    assert!(!format!("{audit:?}").contains(new.secret.reveal()));
}

#[tokio::test]
async fn a_sealed_secret_is_bound_to_its_key() {
    let service = service().await;
    let owner = owner("default", None);
    let (one, two) = (made(&service, &owner).await, made(&service, &owner).await);
    let Versioned { version, value: mut moved } =
        service.access_key(&one.id).await.expect("store").expect("there");
    let other = service.access_key(&two.id).await.expect("store").expect("there").value;
    moved.sealed_secret = other.sealed_secret;
    let put = EntityWrite::Put { expected: version, entity: Entity::AccessKey(moved) };
    service.commit(Unit { entities: vec![put], ..Unit::default() }).await.expect("store");
    assert!(matches!(service.signing_key(&one.id).await, Err(ServiceError::Bug(_))));
}

#[tokio::test]
async fn an_owner_has_two_active_keys_and_rotation_needs_the_second_place() {
    let service = service().await;
    let caller = Caller::operator();
    let alice = owner("default", Some("alice"));
    let first = made(&service, &alice).await;
    let rotated = service.rotate_access_key(&caller, &first.id).await.expect("store");
    let KeyMade::Made(second) = rotated else { panic!("{rotated:?}") };
    let full = service.rotate_access_key(&caller, &first.id).await.expect("store");
    assert_eq!(full, KeyMade::TooMany);
    // Others are not concerned.
    made(&service, &owner("default", None)).await;
    made(&service, &owner("default", Some("bob"))).await;
    made(&service, &owner("other", Some("alice"))).await;

    let set = async |id: &str, active| {
        service.set_access_key_active(&caller, id, active).await.expect("store")
    };
    assert_eq!(set(&first.id, false).await, KeyChanged::Done);
    let third = made(&service, &alice).await;
    assert_eq!(set(&first.id, true).await, KeyChanged::TooMany);
    assert_eq!(set(&second.id, true).await, KeyChanged::Done, "it is active already");
    assert!(service.delete_access_key(&caller, &second.id).await.expect("store"));
    assert!(!service.delete_access_key(&caller, &second.id).await.expect("store"));
    assert_eq!(set(&second.id, true).await, KeyChanged::Unknown);
    assert_eq!(set(&first.id, true).await, KeyChanged::Done);
    let keys = service.access_keys(&alice).await.expect("store");
    let mut ids: Vec<_> = keys.iter().map(|key| key.id.clone()).collect();
    ids.sort();
    let mut expected = [first.id, third.id];
    expected.sort();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn keys_made_at_once_do_not_exceed_the_limit() {
    let service = Arc::new(service().await);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                let owner = owner("default", None);
                service.create_access_key(&Caller::operator(), &owner).await
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("store");
    }
    let keys = service.access_keys(&owner("default", None)).await.expect("store");
    assert_eq!(keys.len(), ACTIVE_KEYS_MAX);
}

#[tokio::test]
async fn a_key_goes_with_its_account_and_needs_one() {
    let service = service().await;
    let caller = Caller::operator();
    let new = made(&service, &owner("other", None)).await;
    let account = EntityRef::account(&owner("other", None).account);
    assert!(service.delete_entity(&caller, &account).await.expect("store"));
    assert!(service.signing_key(&new.id).await.expect("store").is_none());
    let refused = service.create_access_key(&caller, &owner("other", None)).await.expect("store");
    assert_eq!(refused, KeyMade::Unknown);
}

#[tokio::test]
async fn a_key_goes_with_its_user_and_needs_one() {
    let service = service().await;
    let caller = Caller::operator();
    let alice = owner("default", Some("alice"));
    let lasting = made(&service, &alice).await;
    let temporary = temporary(&service, &alice, order(60, None)).await.key;
    let other = made(&service, &owner("default", Some("bob"))).await;
    let user = alice.entity();
    assert!(service.delete_entity(&caller, &user).await.expect("store"));
    for id in [&lasting.id, &temporary.id] {
        assert!(service.signing_key(id).await.expect("store").is_none());
    }
    assert!(service.signing_key(&other.id).await.expect("store").is_some());
    let refused = service.create_access_key(&caller, &alice).await.expect("store");
    assert_eq!(refused, KeyMade::Unknown);
    let refused = service.create_temporary_key(&caller, &alice, &order(60, None)).await;
    assert_eq!(refused.expect("store"), TemporaryMade::Unknown);
    let again = service.set_access_key_active(&caller, &lasting.id, true).await.expect("store");
    assert_eq!(again, KeyChanged::Unknown);
}

fn order(seconds: u64, session_policy: Option<&str>) -> TemporaryOrder {
    TemporaryOrder {
        life: Duration::from_secs(seconds),
        session_policy: session_policy.map(str::to_owned),
        mfa_present: true,
    }
}

async fn temporary(service: &Service, owner: &KeyOwner, order: TemporaryOrder) -> NewTemporaryKey {
    let made = service.create_temporary_key(&Caller::operator(), owner, &order).await;
    let TemporaryMade::Made(key) = made.expect("store") else { panic!("not made") };
    key
}

#[tokio::test]
async fn a_temporary_key_has_a_token_an_end_and_a_sound_policy() {
    let service = service().await;
    let owner = owner("default", None);
    let policy =
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:Get*","Resource":"*"}]}"#;
    let new = temporary(&service, &owner, order(900, Some(policy))).await;
    assert_eq!(new.expires_at, service.now() + Duration::from_mins(15));
    let found = service.signing_key(&new.key.id).await.expect("store").expect("there");
    let token = new.security_token.reveal();
    assert_eq!(found.judge_token(Some(token), service.now()), TokenVerdict::Fits);
    assert_eq!(found.judge_token(Some(token), new.expires_at), TokenVerdict::Expired);
    assert_eq!(found.judge_token(None, service.now()), TokenVerdict::Missing);
    assert!(!found.key.is_unrestricted() && found.key.mfa_present());
    let audit = service.audit(&AuditQuery { limit: 99, ..AuditQuery::default() }).await;
    let seen = format!("{new:?}{found:?}{audit:?}");
    assert!(!seen.contains(new.key.secret.reveal()) && !seen.contains(token));
    let caller = Caller::operator();
    for seconds in [0, 59, 43_201, u64::MAX] {
        let made = service.create_temporary_key(&caller, &owner, &order(seconds, None)).await;
        assert_eq!(made.expect("store"), TemporaryMade::BadLife, "{seconds}");
    }
    let faulty = service.create_temporary_key(&caller, &owner, &order(60, Some("{}"))).await;
    assert!(matches!(faulty.expect("store"), TemporaryMade::Faulty(_)));
}

#[tokio::test]
async fn a_seeded_temporary_key_needs_its_token_in_its_time() {
    let service = service().await;
    let end = service.now() + Duration::from_mins(1);
    let seed = |account: &str, id: &str| {
        let key = SeedAccessKey { id: id.to_owned(), secret: SecretText::new("FakeSecret") };
        let security_token = SecretText::new("FakeToken");
        let temporary_keys = vec![SeedTemporaryKey { key, security_token, expires_at: end }];
        let account = SeedAccount {
            id: owner(account, None).account,
            name: account.to_owned(),
            subscribed: true,
            spaces: Vec::new(),
            clients: Vec::new(),
            credentials: SeedCredentials { temporary_keys, ..SeedCredentials::default() },
        };
        Seed { accounts: vec![account] }
    };
    let apply = async |seed: Seed| {
        let prepared = service.prepare_seed(seed).await.expect("store");
        service.apply_seed(&prepared).await.expect("store")
    };
    let id = "STS.Fake-001";
    assert!(matches!(apply(seed("default", id)).await, Seeded::Done(_)));
    assert!(matches!(apply(seed("default", id)).await, Seeded::Done(_)), "again");
    let key = service.signing_key(id).await.expect("store").expect("there");
    assert_eq!(key.secret.reveal(), "FakeSecret");
    let in_time = end - Duration::from_millis(1);
    assert_eq!(key.judge_token(Some("FakeToken"), in_time), TokenVerdict::Fits);
    assert_eq!(key.judge_token(Some("FakeToken"), end), TokenVerdict::Expired);
    assert_eq!(key.judge_token(Some("other"), in_time), TokenVerdict::Mismatch);
    assert_eq!(key.judge_token(None, in_time), TokenVerdict::Missing);
    assert!(matches!(apply(seed("other", id)).await, Seeded::Clash(_)), "another account's");
    assert!(matches!(apply(seed("default", "a/b")).await, Seeded::Clash(_)), "no id");
}

#[tokio::test]
async fn a_nonce_is_used_once_also_after_a_restart_and_by_another_node() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let clock = Arc::new(ManualClock::default());
    let signed_at = clock.now();
    let node = || service_on(Arc::clone(&store), Arc::clone(&clock));
    let use_nonce = async |node: Service, id: &str, nonce: &str| {
        node.use_nonce(id, nonce, signed_at).await.expect("store")
    };
    assert_eq!(use_nonce(node(), "a", "1").await, Freshness::Fresh);
    assert_eq!(use_nonce(node(), "a", "1").await, Freshness::Repeated);
    assert_eq!(use_nonce(node(), "b", "1").await, Freshness::Fresh, "another key");
    clock.advance(crate::nonces::NONCE_REMEMBERED);
    node().sweep().await.expect("store");
    assert_eq!(use_nonce(node(), "a", "1").await, Freshness::Fresh, "no longer timely");
}

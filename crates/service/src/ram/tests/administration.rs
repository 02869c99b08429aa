//! Users, groups and policies in the store.

use std::sync::Arc;

use registration::{AccountId, TextId as _};

use super::library;
use crate::caller::Caller;
use crate::directory::{Account, Entity, EntityKind, EntityRef, Group, RamUser};
use crate::hashing::{HashCost, Hasher};
use crate::keys::{KeyRing, MasterKeys};
use crate::ports::rehearsal::NoRehearsal;
use crate::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver, Store};
use crate::ram::administration::{GROUPS_MAX, POLICIES_MAX};
use crate::ram::{Holder, Linked, PolicyDocument, RamName, Removal, Saved};
use crate::service::{Ports, Service};
use crate::testing::{ManualClock, MemoryStore, SeededEntropy};
use crate::upkeep::Removed;
use crate::{Policy, ServiceError};

/// Nothing is sent here.
struct Nobody;

#[async_trait::async_trait]
impl CodeDelivery for Nobody {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        Ok(HandedOver { sender: "nobody".to_owned(), provider_id: None })
    }
}

/// The account `default` with the user `ci` and the group `robots`.
struct World {
    service: Service,
    store: Arc<dyn Store>,
    account: AccountId,
    operator: Caller,
}

fn name(text: &str) -> RamName {
    RamName::parse(text).expect("a name")
}

fn text(policy: &str) -> String {
    library()[policy].to_string()
}

impl World {
    async fn new() -> Self {
        let entropy = Arc::new(SeededEntropy::new(7));
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 1, 1);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let ports = Ports {
            store: Arc::clone(&store),
            clock: Arc::new(ManualClock::default()),
            entropy,
            delivery: Arc::new(Nobody),
            rehearsal: Arc::new(NoRehearsal),
        };
        let service = Service::new(ports, keys, hasher, Policy::default());
        let account = super::account();
        let world = Self { service, store, account, operator: Caller::operator() };
        world
            .add(Entity::Account(Account {
                id: world.account.clone(),
                name: "Default".to_owned(),
                subscribed: true,
                created_at: world.service.now(),
            }))
            .await;
        world.add_user("ci").await;
        world.add_group("robots").await;
        world
    }

    async fn add(&self, entity: Entity) {
        self.service.add_entity(&self.operator, entity).await.expect("a new part");
    }

    async fn add_user(&self, user: &str) {
        self.add(Entity::RamUser(RamUser {
            account: self.account.clone(),
            name: name(user),
            display_name: user.to_owned(),
            policies: Vec::new(),
            groups: Vec::new(),
            created_at: self.service.now(),
        }))
        .await;
    }

    async fn add_group(&self, group: &str) {
        self.add(Entity::Group(Group {
            account: self.account.clone(),
            name: name(group),
            display_name: group.to_owned(),
            policies: Vec::new(),
            created_at: self.service.now(),
        }))
        .await;
    }

    async fn create(&self, policy: &str, text: &str) -> Saved {
        let policy = name(policy);
        let saved = self.service.create_policy(&self.operator, &self.account, &policy, text);
        saved.await.expect("the store")
    }

    async fn change(&self, policy: &str, text: &str) -> Saved {
        let policy = name(policy);
        let saved = self.service.change_policy(&self.operator, &self.account, &policy, text);
        saved.await.expect("the store")
    }

    async fn attach(&self, holder: Holder<'_>, policy: &str) -> Linked {
        let policy = name(policy);
        let linked = self.service.attach_policy(&self.operator, &self.account, holder, &policy);
        linked.await.expect("the store")
    }

    async fn detach(&self, holder: Holder<'_>, policy: &str) -> Linked {
        let policy = name(policy);
        let linked = self.service.detach_policy(&self.operator, &self.account, holder, &policy);
        linked.await.expect("the store")
    }

    async fn join(&self, user: &str, group: &str) -> Linked {
        let (user, group) = (name(user), name(group));
        let linked = self.service.join_group(&self.operator, &self.account, &user, &group);
        linked.await.expect("the store")
    }

    async fn remove_policy(&self, policy: &str) -> Removal {
        let policy = name(policy);
        let removal = self.service.remove_policy(&self.operator, &self.account, &policy);
        removal.await.expect("the store")
    }

    async fn policies(&self, user: &str) -> Option<Vec<String>> {
        let found = self.service.policies_of_user(&self.account, &name(user)).await;
        let names = |policies: Vec<_>| {
            policies.iter().map(|it: &crate::ram::RamPolicy| it.name.to_string()).collect()
        };
        found.expect("the store").map(names)
    }
}

#[tokio::test]
async fn a_user_has_its_own_policies_and_those_of_its_groups_once_each() {
    let world = World::new().await;
    let (ci, robots) = (name("ci"), name("robots"));
    for policy in ["register", "office"] {
        assert!(matches!(world.create(policy, &text(policy)).await, Saved::Done(_)));
    }
    assert_eq!(world.policies("ci").await, Some(vec![]));
    assert_eq!(world.policies("nobody").await, None);
    assert_eq!(world.attach(Holder::Group(&robots), "office").await, Linked::Done);
    assert_eq!(world.policies("ci").await, Some(vec![]), "not in the group yet");
    assert_eq!(world.join("ci", "robots").await, Linked::Done);
    for policy in ["AliyunCamsReadOnlyAccess", "register", "register"] {
        assert_eq!(world.attach(Holder::User(&ci), policy).await, Linked::Done);
    }
    assert_eq!(world.attach(Holder::Group(&robots), "register").await, Linked::Done);
    let all = ["AliyunCamsReadOnlyAccess", "register", "office"].map(str::to_owned);
    assert_eq!(world.policies("ci").await, Some(all.to_vec()));
    assert_eq!(world.detach(Holder::User(&ci), "register").await, Linked::Done);
    assert_eq!(world.detach(Holder::User(&ci), "register").await, Linked::NoTarget);
    let group = world.service.leave_group(&world.operator, &world.account, &ci, &robots).await;
    assert_eq!(group.expect("the store"), Linked::Done);
    let own = ["AliyunCamsReadOnlyAccess".to_owned()];
    assert_eq!(world.policies("ci").await, Some(own.to_vec()));
}

#[tokio::test]
async fn what_does_not_exist_is_neither_attached_nor_joined() {
    let world = World::new().await;
    let (ci, nobody) = (name("ci"), name("nobody"));
    assert_eq!(world.attach(Holder::User(&ci), "nothing").await, Linked::NoTarget);
    assert_eq!(world.attach(Holder::User(&ci), "AliyunOssFullAccess").await, Linked::NoTarget);
    let read_only = "AliyunCamsReadOnlyAccess";
    assert_eq!(world.attach(Holder::User(&nobody), read_only).await, Linked::NoHolder);
    assert_eq!(world.attach(Holder::Group(&nobody), read_only).await, Linked::NoHolder);
    assert_eq!(world.join("ci", "nobody").await, Linked::NoTarget);
    assert_eq!(world.join("nobody", "robots").await, Linked::NoHolder);
    assert_eq!(world.remove_policy("nothing").await, Removal::Unknown);
}

#[tokio::test]
async fn a_faulty_policy_is_not_saved_and_its_faults_are_told() {
    let world = World::new().await;
    let faulty = r#"{"Version":"1","Statement":[{"Effect":"allow"}]}"#;
    let Saved::Faulty(error) = world.create("mine", faulty).await else { panic!("saved") };
    assert_eq!(error.faults().len(), 3);
    assert_eq!(world.remove_policy("mine").await, Removal::Unknown);
    assert!(matches!(world.create("mine", &text("register")).await, Saved::Done(_)));
    assert!(matches!(world.change("mine", faulty).await, Saved::Faulty(_)));
    let Saved::Done(changed) = world.change("mine", &text("office")).await else {
        panic!("not changed")
    };
    assert_eq!(changed.document, text("office"));
    assert_eq!(world.create("mine", &text("office")).await, Saved::Exists);
    assert_eq!(world.create("AliyunMine", &text("office")).await, Saved::Reserved);
    let elsewhere = AccountId::parse("acme").expect("an id");
    let saved =
        world.service.create_policy(&world.operator, &elsewhere, &name("a"), &text("office")).await;
    assert_eq!(saved.expect("the store"), Saved::NoAccount);
}

#[tokio::test]
async fn a_new_text_counts_at_once_also_for_a_policy_that_is_made_again() {
    let world = World::new().await;
    let ci = name("ci");
    let said = async || {
        let found = world.service.policies_of_user(&world.account, &ci).await;
        found.expect("the store").expect("a user").remove(0).document
    };
    let expected = |policy| Arc::new(PolicyDocument::parse(&text(policy)).expect("a policy"));
    world.create("mine", &text("register")).await;
    world.attach(Holder::User(&ci), "mine").await;
    assert_eq!(said().await, expected("register"));
    let again = said().await;
    assert!(Arc::ptr_eq(&again, &said().await), "read once");
    assert!(matches!(world.change("mine", &text("office")).await, Saved::Done(_)));
    assert_eq!(said().await, expected("office"));
    // A policy that is made again has the versions of the one before.
    world.detach(Holder::User(&ci), "mine").await;
    assert_eq!(world.remove_policy("mine").await, Removal::Done);
    world.create("mine", &text("nothing")).await;
    world.attach(Holder::User(&ci), "mine").await;
    assert_eq!(said().await, expected("nothing"));
}

#[tokio::test]
async fn what_is_in_use_is_not_removed() {
    let world = World::new().await;
    let (ci, robots) = (name("ci"), name("robots"));
    world.create("mine", &text("register")).await;
    world.attach(Holder::Group(&robots), "mine").await;
    let by = |key: &EntityRef| Removal::InUse(key.clone());
    let group = EntityRef::group(&world.account, &robots);
    assert_eq!(world.remove_policy("mine").await, by(&group));
    world.attach(Holder::User(&ci), "mine").await;
    let user = EntityRef::ram_user(&world.account, &ci);
    assert_eq!(world.remove_policy("mine").await, by(&user));
    world.join("ci", "robots").await;
    let remove_group = async || {
        let removal = world.service.remove_group(&world.operator, &world.account, &robots).await;
        removal.expect("the store")
    };
    assert_eq!(remove_group().await, by(&user));
    let removed = world.service.remove_entity(&world.operator, &user).await;
    assert_eq!(removed.expect("the store"), Removed::Done);
    assert_eq!(remove_group().await, Removal::Done);
    assert_eq!(world.remove_policy("mine").await, Removal::Done);
}

#[tokio::test]
async fn a_user_has_room_for_so_many_policies_and_groups() {
    let world = World::new().await;
    let ci = name("ci");
    for i in 0..=POLICIES_MAX {
        let policy = format!("p{i}");
        world.create(&policy, &text("register")).await;
        let expected = if i < POLICIES_MAX { Linked::Done } else { Linked::Full(POLICIES_MAX) };
        assert_eq!(world.attach(Holder::User(&ci), &policy).await, expected);
    }
    for i in 0..=GROUPS_MAX {
        let group = format!("g{i}");
        world.add_group(&group).await;
        let expected = if i < GROUPS_MAX { Linked::Done } else { Linked::Full(GROUPS_MAX) };
        assert_eq!(world.join("ci", &group).await, expected);
    }
    assert_eq!(world.policies("ci").await.map(|it| it.len()), Some(POLICIES_MAX));
}

/// Attaching and removing race: whoever wins, no user names a policy that is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_policy_is_not_removed_while_it_is_being_attached() {
    let world = Arc::new(World::new().await);
    for round in 0..200 {
        let policy = format!("p{round}");
        world.create(&policy, &text("register")).await;
        let attaching = {
            let (world, policy) = (Arc::clone(&world), policy.clone());
            tokio::spawn(async move { world.attach(Holder::User(&name("ci")), &policy).await })
        };
        let removing = {
            let (world, policy) = (Arc::clone(&world), policy.clone());
            tokio::spawn(async move { world.remove_policy(&policy).await })
        };
        let linked = attaching.await.expect("no panic");
        let removal = removing.await.expect("no panic");
        let attached = linked == Linked::Done;
        assert_eq!(attached, removal != Removal::Done, "{linked:?} {removal:?}");
        let policies = world.service.policies_of_user(&world.account, &name("ci")).await;
        let held = policies.expect("nothing is missing").expect("a user").len();
        assert_eq!(held, usize::from(attached));
        if attached {
            world.detach(Holder::User(&name("ci")), &policy).await;
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_fails_closed() {
    let world = World::new().await;
    let user = EntityRef::ram_user(&world.account, &name("ci"));
    let found = world.store.entity(&user).await.expect("the store").expect("a user");
    let mut broken = found.value.into_ram_user().expect("a user");
    broken.policies = vec![name("gone")];
    let put =
        crate::ports::EntityWrite::Put { expected: found.version, entity: Entity::RamUser(broken) };
    let unit = crate::ports::Unit { entities: vec![put], ..crate::ports::Unit::default() };
    world.store.commit(unit).await.expect("written behind the service's back");
    let found = world.service.policies_of_user(&world.account, &name("ci")).await;
    assert!(matches!(found, Err(ServiceError::Bug(_))), "{found:?}");
}

#[tokio::test]
async fn every_change_stands_in_the_audit_trail() {
    let world = World::new().await;
    let ci = name("ci");
    world.create("mine", &text("register")).await;
    world.attach(Holder::User(&ci), "mine").await;
    world.join("ci", "robots").await;
    world.detach(Holder::User(&ci), "mine").await;
    world.remove_policy("mine").await;
    let query = crate::ports::AuditQuery { limit: 99, ..Default::default() };
    let trail = world.store.audit(&query).await.expect("the store");
    let kinds: Vec<_> = trail.iter().map(|it| it.event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "account_created",
            "ram_user_created",
            "group_created",
            "policy_created",
            "policy_attached",
            "group_joined",
            "policy_detached",
            "policy_deleted",
        ]
    );
    assert_eq!(trail[4].event.details, r#"{"policy":"mine"}"#);
    let users = world.store.entities(EntityKind::RamUser, None, None, 9).await;
    assert_eq!(users.expect("the store").len(), 1);
}

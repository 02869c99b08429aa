//! The tree of accounts, spaces, WABAs, clients and what belongs to them.

use std::sync::Arc;

use super::sample::{
    access_key, account, at, client, commit, custom_policy, graph_subscription, graph_token, group,
    id, is_conflict, put_all, ram_user, seed, session, space, user, waba, webhook,
};
use crate::directory::{
    ClaimDocument, Document, EndedLogin, KeyMark, Operator, OperatorRole, WebhookScope,
};
use crate::ports::{
    CommitError, Entity, EntityKind, EntityRef, EntityWrite, Store, Unit, Versioned,
};

async fn put(store: &dyn Store, expected: u64, entity: Entity) -> Result<(), CommitError> {
    let entities = vec![EntityWrite::Put { expected, entity }];
    commit(store, Unit { entities, ..Unit::default() }).await
}

async fn delete(store: &dyn Store, expected: u64, entity: EntityRef) -> Result<(), CommitError> {
    let entities = vec![EntityWrite::Delete { expected, entity }];
    commit(store, Unit { entities, ..Unit::default() }).await
}

fn document(client: &str, name: &str) -> Entity {
    Entity::Document(Document {
        client: id(client),
        name: name.into(),
        content_type: "image/png".into(),
        body: (0..=255).collect(),
        updated_at: at(7),
    })
}

fn claim_document(claim: &str, name: &str) -> Entity {
    Entity::ClaimDocument(ClaimDocument {
        claim: id(claim),
        waba: id("waba-1"),
        name: name.into(),
        content_type: "application/json".into(),
        body: (0..=255).collect(),
        updated_at: at(14),
    })
}

fn operator(name: &str, role: OperatorRole) -> Entity {
    Entity::Operator(Operator {
        name: name.into(),
        role,
        password: "$argon2id$…".into(),
        changed_at: at(16),
        created_at: at(15),
    })
}

pub async fn every_kind_is_kept(store: Arc<dyn Store>) {
    let all = vec![
        account("default"),
        space("default"),
        waba("waba-1"),
        client("one", Some("one.example")),
        user("one", "admin"),
        session("one", "admin", "token", at(9)),
        document("one", "photo"),
        ram_user("ci"),
        access_key("LTAI-one", None),
        access_key("LTAI-two", Some(at(9))),
        group("robots"),
        custom_policy("office-only"),
        graph_token("gt-one", None),
        graph_token("gt-two", Some(at(9))),
        graph_subscription("waba-1"),
        webhook(WebhookScope::Account(id("default"))),
        webhook(WebhookScope::Space(id("default"))),
        webhook(WebhookScope::Waba(id("waba-1"))),
        webhook(WebhookScope::Number { claim: id("claim-1"), waba: id("waba-1") }),
        claim_document("claim-1", "business_profile"),
        operator("eva", OperatorRole::Operator),
        operator("max", OperatorRole::Auditor),
        Entity::EndedLogin(EndedLogin { id: "login".into(), expires_at: at(9) }),
        Entity::KeyMark(KeyMark { epoch: 7, mark: "c0ffee".into() }),
    ];
    put_all(&*store, all.clone()).await.expect("parents first");
    for entity in all {
        let stored = store.entity(&entity.key()).await.expect("store");
        assert_eq!(stored, Some(Versioned { version: 1, value: entity }));
    }
    assert_eq!(store.entity(&EntityRef::waba(&id("one"))).await.expect("store"), None);
}

pub async fn a_change_names_the_version_it_was_made_on(store: Arc<dyn Store>) {
    let key = EntityRef::account(&id("default"));
    assert!(is_conflict(&put(&*store, 1, account("default")).await), "not there yet");
    assert!(is_conflict(&delete(&*store, 0, key.clone()).await), "not there yet");
    put(&*store, 0, account("default")).await.expect("new");
    assert!(is_conflict(&put(&*store, 0, account("default")).await), "there already");
    put(&*store, 1, account("default")).await.expect("version 1");
    assert!(is_conflict(&put(&*store, 1, account("default")).await), "version 2 by now");
    assert!(is_conflict(&delete(&*store, 1, key.clone()).await), "version 2 by now");
    delete(&*store, 2, key.clone()).await.expect("version 2");
    assert_eq!(store.entity(&key).await.expect("store"), None);
}

pub async fn what_is_below_goes_with_its_parent(store: Arc<dyn Store>) {
    seed(&*store).await;
    let below = vec![
        client("one", None),
        user("one", "admin"),
        session("one", "admin", "token", at(9)),
        document("one", "photo"),
    ];
    let hook = webhook(WebhookScope::Number { claim: id("claim-1"), waba: id("waba-1") });
    let beside = vec![client("two", None), user("two", "admin"), ram_user("ci"), hook];
    put_all(&*store, [below.clone(), beside.clone()].concat()).await.expect("parents first");
    delete(&*store, 1, EntityRef::client(&id("one"))).await.expect("version 1");
    for entity in below {
        assert_eq!(store.entity(&entity.key()).await.expect("store"), None);
    }
    for entity in beside {
        assert!(store.entity(&entity.key()).await.expect("store").is_some());
    }
    delete(&*store, 1, EntityRef::account(&id("default"))).await.expect("version 1");
    for kind in EntityKind::ALL {
        assert_eq!(store.entities(kind, None, None, 9).await.expect("store"), [], "{kind:?}");
    }
}

pub async fn a_key_goes_with_its_user(store: Arc<dyn Store>) {
    seed(&*store).await;
    let (own, of_user) = (access_key("LTAI-one", None), access_key("LTAI-two", Some(at(9))));
    assert!(is_conflict(&put(&*store, 0, of_user.clone()).await), "no such user");
    put_all(&*store, vec![ram_user("ci"), own.clone(), of_user.clone()]).await.expect("new");
    delete(&*store, 1, ram_user("ci").key()).await.expect("version 1");
    assert_eq!(store.entity(&of_user.key()).await.expect("store"), None);
    assert!(store.entity(&own.key()).await.expect("store").is_some());
}

pub async fn nothing_is_put_below_what_does_not_exist(store: Arc<dyn Store>) {
    seed(&*store).await;
    assert!(is_conflict(&put(&*store, 0, user("one", "admin")).await), "no such client");
    put(&*store, 0, client("one", None)).await.expect("new");
    put(&*store, 0, user("one", "admin")).await.expect("new");
    delete(&*store, 1, EntityRef::user(&id("one"), "admin")).await.expect("version 1");
    let orphan = session("one", "admin", "token", at(9));
    assert!(is_conflict(&put(&*store, 0, orphan).await), "the user vanished meanwhile");
}

pub async fn a_second_name_is_unique_and_found(store: Arc<dyn Store>) {
    seed(&*store).await;
    put(&*store, 0, client("one", Some("one.example"))).await.expect("new");
    put(&*store, 0, client("two", None)).await.expect("new");
    assert!(is_conflict(&put(&*store, 1, client("two", Some("one.example"))).await));
    assert!(is_conflict(&put(&*store, 0, client("three", Some("one.example"))).await));
    let find = async |host: &str| {
        let found = store.entity_by_lookup(EntityKind::Client, host).await.expect("store");
        found.map(|it| it.value.key().id)
    };
    assert_eq!(find("one.example").await.as_deref(), Some("one"));
    put(&*store, 1, client("one", Some("other.example"))).await.expect("renamed");
    assert_eq!(find("one.example").await, None);
    put(&*store, 1, client("two", Some("one.example"))).await.expect("free again");
    assert_eq!(find("one.example").await.as_deref(), Some("two"));
    let account = store.entity_by_lookup(EntityKind::Account, "one.example").await;
    assert_eq!(account.expect("store"), None);
}

pub async fn pages_are_in_order_of_the_id(store: Arc<dyn Store>) {
    seed(&*store).await;
    let names = ["b", "a", "Z", "a-1", "b2"];
    let clients = names.iter().map(|name| client(name, None)).collect();
    put_all(&*store, clients).await.expect("new");
    put_all(&*store, vec![user("a", "one"), user("b", "two")]).await.expect("new");
    let page = async |kind, parent: Option<&EntityRef>, after: Option<&str>, limit| {
        let found = store.entities(kind, parent, after, limit).await.expect("store");
        found.into_iter().map(|it| it.value.key().id).collect::<Vec<_>>()
    };
    let clients = EntityKind::Client;
    // Bytes decide, not a language.
    assert_eq!(page(clients, None, None, 9).await, ["Z", "a", "a-1", "b", "b2"]);
    assert_eq!(page(clients, None, None, 2).await, ["Z", "a"]);
    assert_eq!(page(clients, None, Some("a"), 2).await, ["a-1", "b"]);
    assert_eq!(page(clients, None, Some("b2"), 9).await, [""; 0]);
    let default = EntityRef::account(&id("default"));
    assert_eq!(page(clients, Some(&default), Some("a-1"), 9).await, ["b", "b2"]);
    let users = |client| EntityRef::client(&id(client));
    assert_eq!(page(EntityKind::User, Some(&users("a")), None, 9).await, ["a/one"]);
    assert_eq!(page(EntityKind::User, None, None, 9).await, ["a/one", "b/two"]);
    assert_eq!(page(EntityKind::User, Some(&users("Z")), None, 9).await, [""; 0]);
}

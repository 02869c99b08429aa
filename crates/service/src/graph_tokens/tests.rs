use core::time::Duration;
use std::sync::Arc;

use super::*;
use crate::directory::{Account, Space, Waba};
use crate::hashing::{HashCost, Hasher};
use crate::keys::{KeyRing, MasterKeys};
use crate::policy::Policy;
use crate::ports::{AuditQuery, CodeDelivery, CodeMessage, DeliveryError, HandedOver, NoRehearsal};
use crate::seed::{Seed, SeedAccount, SeedCredentials, SeedGraphToken};
use crate::service::Ports;
use crate::testing::{ManualClock, MemoryStore, SeededEntropy};

struct NoDelivery;

#[async_trait::async_trait]
impl CodeDelivery for NoDelivery {
    async fn hand_over(&self, _: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        panic!("nothing is sent here")
    }
}

/// Two accounts, each with a WABA called after it.
async fn service() -> (Service, Arc<ManualClock>) {
    let (entropy, clock) = (Arc::new(SeededEntropy::new(1)), Arc::new(ManualClock::default()));
    let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
    let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 1, 1);
    let ports = Ports {
        store: Arc::new(MemoryStore::new()),
        clock: clock.clone(),
        entropy,
        delivery: Arc::new(NoDelivery),
        rehearsal: Arc::new(NoRehearsal),
    };
    let service = Service::new(ports, keys, hasher, Policy::default());
    let created_at = service.now();
    for name in ["default", "other"] {
        let space = || registration::CustomerSpaceId::parse(name).expect("an id");
        for entity in [
            Entity::Account(Account {
                id: account(name),
                name: name.to_owned(),
                subscribed: true,
                created_at,
            }),
            Entity::Space(Space {
                id: space(),
                account: account(name),
                name: name.to_owned(),
                created_at,
            }),
            Entity::Waba(Waba {
                id: waba(name),
                account: account(name),
                space: space(),
                name: name.to_owned(),
                contact_email: None,
                created_at,
            }),
        ] {
            service.add_entity(&Caller::operator(), entity).await.expect("store");
        }
    }
    (service, clock)
}

fn account(name: &str) -> AccountId {
    AccountId::parse(name).expect("an id")
}

fn waba(name: &str) -> WabaId {
    WabaId::parse(name).expect("an id")
}

fn order(wabas: &[&str]) -> GraphTokenOrder {
    GraphTokenOrder {
        account: account("default"),
        name: "Build robot".to_owned(),
        scopes: GraphScopes::ALL,
        wabas: wabas.iter().map(|name| waba(name)).collect(),
        expires_at: None,
    }
}

async fn made(service: &Service, order: &GraphTokenOrder) -> (GraphToken, SecretText) {
    match service.create_graph_token(&Caller::operator(), order).await.expect("store") {
        GraphTokenMade::Made(token, text) => (token, text),
        GraphTokenMade::NoAccount | GraphTokenMade::NoWaba(_) => panic!("no token was made"),
    }
}

#[tokio::test]
async fn a_token_is_found_by_its_text_until_it_is_revoked() {
    let (service, _) = service().await;
    let (token, text) = made(&service, &order(&["default"])).await;
    assert!(text.reveal().starts_with("EAA") && text.reveal().len() == 63);
    let found = service.graph_token(text.reveal()).await.expect("store");
    assert_eq!(found, GraphTokenStanding::Valid(token.clone()));
    assert!(token.reaches(&waba("default")) && !token.reaches(&waba("other")));
    let key = EntityRef::graph_token(&token.id);
    service.remove_entity(&Caller::operator(), &key).await.expect("store");
    let found = service.graph_token(text.reveal()).await.expect("store");
    assert_eq!(found, GraphTokenStanding::Unknown);
}

#[tokio::test]
async fn neither_the_store_nor_the_trail_knows_the_text() {
    let (service, _) = service().await;
    let (token, text) = made(&service, &order(&[])).await;
    assert!(!format!("{token:?}").contains(text.reveal()));
    let query = AuditQuery { limit: 100, ..AuditQuery::default() };
    for entry in service.audit(&query).await.expect("store") {
        assert!(!format!("{entry:?}").contains(text.reveal()));
    }
}

#[tokio::test]
async fn a_token_ends_at_its_moment() {
    let (service, clock) = service().await;
    let end = service.now() + Duration::from_hours(1);
    let (_, text) = made(&service, &GraphTokenOrder { expires_at: Some(end), ..order(&[]) }).await;
    clock.set(end - Duration::from_millis(1));
    let found = service.graph_token(text.reveal()).await.expect("store");
    assert!(matches!(found, GraphTokenStanding::Valid(_)));
    clock.set(end);
    let found = service.graph_token(text.reveal()).await.expect("store");
    assert!(matches!(found, GraphTokenStanding::Expired(_)));
}

#[tokio::test]
async fn other_texts_are_no_tokens() {
    let (service, _) = service().await;
    let (token, text) = made(&service, &order(&[])).await;
    let long = "x".repeat(TOKEN_BYTES_MAX + 1);
    let upper = text.reveal().to_ascii_uppercase();
    for other in ["", "EAA", &token.sha256, &token.id, &long, &upper] {
        let found = service.graph_token(other).await.expect("store");
        assert_eq!(found, GraphTokenStanding::Unknown, "{other}");
    }
}

#[tokio::test]
async fn a_token_needs_an_account_and_its_own_wabas() {
    let (service, _) = service().await;
    let operator = Caller::operator();
    let foreign = service.create_graph_token(&operator, &order(&["other"])).await.expect("store");
    assert_eq!(foreign, GraphTokenMade::NoWaba(waba("other")));
    let nobody = GraphTokenOrder { account: account("nobody"), ..order(&[]) };
    let nobody = service.create_graph_token(&operator, &nobody).await.expect("store");
    assert_eq!(nobody, GraphTokenMade::NoAccount);
}

#[tokio::test]
async fn a_seed_chooses_the_text_and_may_be_applied_again() {
    let (service, _) = service().await;
    let seed = Seed {
        accounts: vec![SeedAccount {
            id: account("default"),
            name: "default".to_owned(),
            subscribed: true,
            spaces: Vec::new(),
            clients: Vec::new(),
            credentials: SeedCredentials {
                graph_tokens: vec![SeedGraphToken {
                    token: SecretText::new("EAAtest"),
                    name: "test".to_owned(),
                    scopes: GraphScopes::ALL,
                    wabas: Vec::new(),
                    expires_at: None,
                }],
                ..SeedCredentials::default()
            },
        }],
    };
    let prepared = service.prepare_seed(seed).await.expect("hashes");
    for _ in 0..2 {
        service.apply_seed(&prepared).await.expect("store");
        let found = service.graph_token("EAAtest").await.expect("store");
        assert!(matches!(found, GraphTokenStanding::Valid(token) if token.name == "test"));
    }
}

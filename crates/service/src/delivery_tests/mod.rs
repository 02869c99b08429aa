//! From the order of a code to the end of its send: worker, receipts, money.

mod in_ledger;
mod money;
mod receipts;
mod return_of_a_sender;
mod worker;

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use registration::{AccountId, CodeMethod, Locale, PhoneNumber, TextId, VerifiedName, WabaId};

use crate::execute::Committed;
use crate::hashing::{HashCost, Hasher};
use crate::keys::{KeyRing, MasterKeys};
use crate::numbering::{Planned, plan_e164};
use crate::numbers::{ClaimName, CodeOrder, PinInput};
use crate::ports::{
    CodeDelivery, CodeMessage, DeliveryError, HandedOver, NoRehearsal, Send, SendQuery, Store,
};
use crate::service::Ports;
use crate::testing::store_contract::sample;
use crate::testing::{ManualClock, MemoryStore, SeededEntropy};
use crate::{Allowance, Caller, Policy, Service, ServiceError};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// What a provider does next.
#[derive(Debug, Clone)]
enum Does {
    Takes,
    Fails,
    LosesTheAnswer,
    Throttles(Duration),
    Rejects,
}

/// A provider that does as told, the last word again and again.
#[derive(Debug, Default)]
struct Provider {
    script: Mutex<VecDeque<Does>>,
    messages: Mutex<Vec<CodeMessage>>,
    /// What a message meets while it is at the provider.
    meanwhile: Mutex<Option<tokio::sync::mpsc::UnboundedSender<tokio::sync::oneshot::Sender<()>>>>,
    ids: AtomicU64,
    no_sender: bool,
    in_ledger: bool,
}

impl Provider {
    fn does(&self, script: &[Does]) {
        *self.script.lock().unwrap() = script.iter().cloned().collect();
    }

    fn messages(&self) -> Vec<CodeMessage> {
        self.messages.lock().unwrap().clone()
    }
}

#[async_trait]
impl CodeDelivery for Provider {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        self.messages.lock().unwrap().push(message.clone());
        let waiting = self.meanwhile.lock().unwrap().clone();
        if let Some(waiting) = waiting {
            let (go_on, until) = tokio::sync::oneshot::channel();
            waiting.send(go_on).unwrap();
            until.await.unwrap();
        }
        let does = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
        };
        let sender = "smpp".to_owned();
        let unavailable = |uncertain, retry_after| DeliveryError::Unavailable {
            sender: "smpp".to_owned(),
            reason: "busy".to_owned(),
            uncertain,
            retry_after,
        };
        match does.unwrap_or(Does::Takes) {
            Does::Takes => {
                let id = self.ids.fetch_add(1, Ordering::SeqCst) + 1;
                Ok(HandedOver { sender, provider_id: Some(format!("p-{id}")) })
            }
            Does::Fails => Err(unavailable(false, None)),
            Does::LosesTheAnswer => Err(unavailable(true, None)),
            Does::Throttles(wait) => Err(unavailable(false, Some(wait))),
            Does::Rejects => {
                Err(DeliveryError::Rejected { sender, reason: "no such number".to_owned() })
            }
        }
    }

    fn in_ledger(&self) -> Option<&str> {
        self.in_ledger.then_some("smpp")
    }

    fn candidates(&self, _: CodeMethod, _: PhoneNumber) -> Option<Vec<String>> {
        Some(if self.no_sender { Vec::new() } else { vec!["smpp".to_owned(), "http".to_owned()] })
    }
}

struct Rig {
    service: Arc<Service>,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    provider: Arc<Provider>,
}

impl Rig {
    async fn new() -> Self {
        Self::with(Policy::default()).await
    }

    async fn with(policy: Policy) -> Self {
        Self::on(policy, Provider::default()).await
    }

    async fn on(policy: Policy, provider: Provider) -> Self {
        let clock: Arc<ManualClock> = Arc::default();
        let store = Arc::new(MemoryStore::new());
        sample::seed(&*store).await;
        let provider = Arc::new(provider);
        let entropy = Arc::new(SeededEntropy::new(7));
        let keys = KeyRing::new(&MasterKeys::generate(&*entropy));
        let hasher = Hasher::new(keys.clone(), entropy.clone(), HashCost::CHEAPEST, 1, 1);
        let ports = Ports {
            store: Arc::clone(&store) as Arc<dyn Store>,
            clock: clock.clone(),
            entropy,
            delivery: provider.clone(),
            rehearsal: Arc::new(NoRehearsal),
        };
        // The country's allowance is another test's matter.
        let country_sends = Allowance { burst: 100_000, interval: Duration::from_millis(1) };
        let policy = Policy { country_sends, ..policy };
        let service = Arc::new(Service::new(ports, keys, hasher, policy));
        Self { service, clock, store, provider }
    }

    async fn order(&self, number: Planned) -> Result<Committed, ServiceError> {
        self.order_by(number, CodeMethod::Sms).await
    }

    async fn order_by(
        &self,
        number: Planned,
        method: CodeMethod,
    ) -> Result<Committed, ServiceError> {
        let order = CodeOrder {
            payer: AccountId::parse("default").unwrap(),
            waba: waba(),
            client: None,
            planned: number,
            method,
            locale: Locale::english(),
            pin: PinInput::NotAsked,
            claim: Some(ClaimName {
                name: VerifiedName::parse("Example").unwrap(),
                certificate_serial: None,
                is_vouched_for: true,
            }),
            only_unproven: false,
        };
        self.service.request_code(&Caller::operator(), &order).await
    }

    async fn sends(&self) -> Vec<Send> {
        let query = SendQuery { limit: 10_000, ..SendQuery::default() };
        self.store.sends(&query).await.unwrap()
    }

    async fn only_send(&self) -> Send {
        let mut sends = self.sends().await;
        assert_eq!(sends.len(), 1, "{sends:?}");
        sends.remove(0)
    }

    /// Turns the clock and lets the worker do what is due then.
    async fn after(&self, time: Duration) {
        self.clock.advance(time);
        self.service.deliver_due().await;
    }
}

fn waba() -> WabaId {
    WabaId::parse("waba-1").unwrap()
}

/// A fictitious number by its tail, below 1000.
fn number(tail: u32) -> Planned {
    plan_e164(&format!("447700900{tail:03}")).unwrap()
}

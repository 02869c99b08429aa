//! From settings to senders: an arm per type.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use anyhow::bail;
use async_trait::async_trait;
use outbound::delivery::{
    BreakerOptions, Callbacks, InboxDelivery, Member, Route, RouteTable, Routing, RoutingOptions,
};
use registration::CodeMethod;
use service::Service;
use service::ports::{Clock, CodeDelivery, Receipt, ReceiptSink};
use service::queries::INBOX;

use super::callbacks;
use crate::config::routes::Weighted;
use crate::config::sections::Repeat;
use crate::config::senders::{Sender, SenderKind};
use crate::config::{Config, Mode};

/// What every sender may need besides its own settings.
#[expect(dead_code, reason = "for the arms below")]
struct Parts<'a> {
    /// Its configured name: what `HandedOver::sender` and `Receipt::sender` say.
    name: &'a str,
    /// Takes its receipts.
    receipts: Arc<dyn ReceiptSink>,
    /// The time of day.
    clock: Arc<dyn Clock>,
    /// Where its provider reaches it (`…/delivery/v1/NAME`); none unless `public_url` is set.
    callback_url: Option<String>,
}

/// A sender that is ready.
struct Built {
    delivery: Arc<dyn CodeDelivery>,
    /// What answers at its `callback_url`, if its provider asks for anything.
    callbacks: Option<Arc<dyn Callbacks>>,
}

/// Makes one sender.
fn build(sender: &Sender, parts: &Parts<'_>) -> anyhow::Result<Built> {
    let name = parts.name;
    match &sender.kind {
        SenderKind::Smpp(_) => bail!("senders.{name}: this version has no smpp sender yet"),
        SenderKind::Http(_) => bail!("senders.{name}: this version has no http sender yet"),
        SenderKind::Voice(_) => bail!("senders.{name}: this version has no voice sender yet"),
    }
}

/// All senders as one, and what hangs on them.
pub(super) struct Senders {
    pub(super) delivery: Arc<dyn CodeDelivery>,
    /// `None` where there is nothing to choose.
    #[expect(dead_code, reason = "for routes read again and for metrics")]
    pub(super) routing: Option<Arc<Routing>>,
    pub(super) receipts: Arc<Receipts>,
    pub(super) callbacks: BTreeMap<String, Arc<dyn Callbacks>>,
}

impl Senders {
    /// The inbox of a sandbox, behind the senders that it may have.
    pub(super) fn sandbox(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let inbox = Member {
            name: INBOX.to_owned(),
            methods: vec![CodeMethod::Sms, CodeMethod::Voice],
            timeout: Duration::from_secs(1),
            delivery: Arc::new(InboxDelivery),
        };
        if !config.named.senders.is_empty() {
            return Self::new(config, clock, Some(inbox));
        }
        Ok(Self {
            delivery: inbox.delivery,
            routing: None,
            receipts: Arc::default(),
            callbacks: BTreeMap::new(),
        })
    }

    /// The configured senders.
    pub(super) fn production(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Self::new(config, clock, None)
    }

    fn new(config: &Config, clock: Arc<dyn Clock>, last: Option<Member>) -> anyhow::Result<Self> {
        let receipts = Arc::new(Receipts::default());
        let (mut members, mut answering) = (Vec::new(), BTreeMap::new());
        for sender in &config.named.senders {
            let base = config.public_url.as_deref();
            let parts = Parts {
                name: &sender.name,
                receipts: Arc::clone(&receipts) as Arc<dyn ReceiptSink>,
                clock: Arc::clone(&clock),
                callback_url: base.map(|it| format!("{it}{}/{}", callbacks::PREFIX, sender.name)),
            };
            let Built { delivery, callbacks } = build(sender, &parts)?;
            if let Some(callbacks) = callbacks {
                answering.insert(sender.name.clone(), callbacks);
            }
            members.push(Member {
                name: sender.name.clone(),
                methods: sender.methods.clone(),
                timeout: sender.timeout,
                delivery,
            });
        }
        members.extend(last);
        let options = RoutingOptions {
            budget: config.delivery.budget,
            never_twice: config.delivery.repeat == Repeat::NeverTwice,
            breaker: BreakerOptions {
                failures: config.delivery.breaker_failures,
                rest: config.delivery.breaker_rest,
            },
        };
        let routing = Arc::new(Routing::new(members, routes(config), options, clock));
        Ok(Self {
            delivery: Arc::clone(&routing) as Arc<dyn CodeDelivery>,
            routing: Some(routing),
            receipts,
            callbacks: answering,
        })
    }
}

/// The routes that the operator wrote; without any, all senders in the order they are written. What no
/// sender of a sandbox takes goes to the inbox.
pub(super) fn routes(config: &Config) -> RouteTable {
    let mut table: Vec<Route> = config.named.routes.iter().map(route).collect();
    if table.is_empty() {
        let step = |sender: &Sender| vec![(sender.name.clone(), 1)];
        table.extend([CodeMethod::Sms, CodeMethod::Voice].map(|method| {
            let able = config.named.senders.iter().filter(|it| it.methods.contains(&method));
            let steps = able.map(step).collect();
            Route { method: Some(method), prefixes: Vec::new(), steps, originator: None }
        }));
        table.retain(|route| !route.steps.is_empty());
    }
    if config.mode == Mode::Sandbox {
        let steps = vec![vec![(INBOX.to_owned(), 1)]];
        table.push(Route { method: None, prefixes: Vec::new(), steps, originator: None });
    }
    RouteTable(table)
}

fn route(it: &crate::config::routes::Route) -> Route {
    let step = |step: &Vec<Weighted>| {
        step.iter().map(|it| (it.sender.clone(), it.weight)).collect::<Vec<_>>()
    };
    Route {
        method: it.method,
        prefixes: it.prefixes.clone(),
        steps: it.steps.iter().map(step).collect(),
        originator: it.originator.clone(),
    }
}

/// Receipts kept while the service is not there yet.
const EARLY_MAX: usize = 10_000;

/// Passes receipts on to the service, which is made after the senders that it works with.
#[derive(Default)]
pub(super) struct Receipts {
    service: OnceLock<Weak<Service>>,
    early: Mutex<Vec<Receipt>>,
}

impl Receipts {
    /// From now on receipts go to `service`; those that came before do too.
    pub(super) fn open(&self, service: &Arc<Service>) {
        // Set once, at the start.
        let _ = self.service.set(Arc::downgrade(service));
        let early =
            core::mem::take(&mut *self.early.lock().unwrap_or_else(PoisonError::into_inner));
        if !early.is_empty() {
            let service = Arc::clone(service);
            tokio::spawn(async move {
                for receipt in early {
                    service.receipt(receipt).await;
                }
            });
        }
    }
}

#[async_trait]
impl ReceiptSink for Receipts {
    async fn receipt(&self, receipt: Receipt) {
        if let Some(service) = self.service.get() {
            if let Some(service) = service.upgrade() {
                service.receipt(receipt).await;
            }
            return;
        }
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        if early.len() < EARLY_MAX {
            early.push(receipt);
        }
    }
}

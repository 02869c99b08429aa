//! From settings to senders: an arm per type.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use anyhow::{Context as _, anyhow, bail};
use async_trait::async_trait;
use outbound::delivery::http::{CallbackAddress, HttpDelivery, HttpOptions};
use outbound::delivery::smpp::{SmppDelivery, SmppTls};
use outbound::delivery::voice::{Credentials, VoiceDelivery, VoiceOptions, VoicePorts};
use outbound::delivery::{
    BreakerOptions, Callbacks, InboxDelivery, Member, Route, RouteTable, Routing, RoutingOptions,
    SenderPorts,
};
use registration::CodeMethod;
use service::Service;
use service::keys::KeyRing;
use service::ports::{Clock, CodeDelivery, Receipt, ReceiptSink};
use service::queries::INBOX;

use super::callbacks;
use crate::config::routes::Weighted;
use crate::config::sections::Repeat;
use crate::config::senders::voice::Settings as VoiceSettings;
use crate::config::senders::{Sender, SenderKind, http, smpp};
use crate::config::{Config, Mode};
use crate::entropy::OsEntropy;

/// What every sender may need besides its own settings.
struct Parts<'a> {
    /// Its configured name: what `HandedOver::sender` and `Receipt::sender` say.
    name: &'a str,
    /// What it works with.
    ports: SenderPorts,
    /// A secret of its own, the same after a restart.
    secret: [u8; 32],
    /// Where its provider reaches it (`…/delivery/v1/NAME`); none unless `public_url` is set.
    callback_url: Option<String>,
}

/// A sender that is ready.
struct Built {
    delivery: Arc<dyn CodeDelivery>,
    /// What answers at its `callback_url`, if its provider asks for anything.
    callbacks: Option<Arc<dyn Callbacks>>,
    /// A link that is to be closed in good order when the server stops.
    link: Option<Arc<SmppDelivery>>,
}

/// Makes one sender.
fn build(sender: &Sender, parts: &Parts<'_>) -> anyhow::Result<Built> {
    match &sender.kind {
        SenderKind::Smpp(settings) => smpp(settings, parts),
        SenderKind::Http(settings) => http(settings, sender.timeout, parts),
        SenderKind::Voice(settings) => voice(settings, sender.timeout, parts),
    }
}

fn smpp(settings: &smpp::Settings, parts: &Parts<'_>) -> anyhow::Result<Built> {
    let mut options = settings.options(parts.name);
    if settings.tls {
        let tls = SmppTls::new(&options.host, &roots(parts.name, settings.ca_file.as_deref())?);
        options.tls = Some(tls.map_err(|error| anyhow!("senders.{}: {error}", parts.name))?);
    }
    let link = Arc::new(SmppDelivery::start(options, parts.ports.clone()));
    Ok(Built {
        delivery: Arc::clone(&link) as Arc<dyn CodeDelivery>,
        callbacks: None,
        link: Some(link),
    })
}

fn http(settings: &http::Settings, timeout: Duration, parts: &Parts<'_>) -> anyhow::Result<Built> {
    let name = parts.name;
    let Some(spec) = settings.spec.clone() else { bail!("senders.{name} cannot be read") };
    let mut options = HttpOptions::new(name, spec);
    options.timeout = timeout;
    options.roots = roots(name, settings.ca_file.as_deref())?;
    options.callback = parts.callback_url.clone().map(|url| CallbackAddress {
        url,
        token: settings.callback_token.as_ref().map(|token| token.reveal().to_owned()),
        secret: parts.secret,
    });
    let sender = HttpDelivery::new(options, parts.ports.clone());
    let sender = sender.map_err(|error| anyhow!("senders.{name}: {error}"))?;
    let sender = Arc::new(sender);
    Ok(Built {
        delivery: Arc::clone(&sender) as Arc<dyn CodeDelivery>,
        callbacks: Some(sender),
        link: None,
    })
}

/// The certificates that a sender shall trust, PEM; none where the operator names no file.
fn roots(name: &str, file: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let shown = || format!("senders.{name}.ca_file: cannot read {}", file.display());
    std::fs::read(file).with_context(shown)
}

/// Rings for a moment less than routing waits, so that its end is known and not cut off.
const RING_LESS: Duration = Duration::from_secs(1);

fn voice(settings: &VoiceSettings, timeout: Duration, parts: &Parts<'_>) -> anyhow::Result<Built> {
    let name = parts.name;
    let trunk =
        settings.trunk.as_ref().with_context(|| format!("senders.{name}.trunk is not set"))?;
    let mut options = VoiceOptions::new(&trunk.host, &settings.caller);
    name.clone_into(&mut options.name);
    options.port = Some(trunk.port);
    options.transport = settings.transport;
    options.prefix.clone_from(&settings.prefix);
    options.credentials = settings.credentials.as_ref().map(|(username, password)| Credentials {
        username: username.clone(),
        password: password.reveal().to_owned(),
    });
    options.register = settings.register;
    options.ring = timeout.saturating_sub(RING_LESS).max(timeout / 2);
    options.calls_max = settings.calls_max;
    options.bind = settings.bind;
    options.public_ip = settings.public_ip;
    options.rtp_ports.clone_from(&settings.rtp_ports);
    if let Some(file) = &settings.ca_file {
        let pem = std::fs::read(file)
            .with_context(|| format!("senders.{name}.ca_file: cannot read {}", file.display()))?;
        options.ca_pem = Some(pem);
    }
    let used = VoicePorts {
        receipts: Arc::clone(&parts.ports.receipts),
        clock: Arc::clone(&parts.ports.clock),
        entropy: Arc::new(OsEntropy),
    };
    let delivery = VoiceDelivery::new(options, used).with_context(|| format!("senders.{name}"))?;
    let delivery = Arc::new(delivery);
    let opening = Arc::clone(&delivery);
    tokio::spawn(async move { opening.open().await });
    Ok(Built { delivery, callbacks: None, link: None })
}

/// All senders as one, and what hangs on them.
pub(super) struct Senders {
    pub(super) delivery: Arc<dyn CodeDelivery>,
    /// `None` where there is nothing to choose.
    pub(super) routing: Option<Arc<Routing>>,
    pub(super) receipts: Arc<Receipts>,
    pub(super) callbacks: BTreeMap<String, Arc<dyn Callbacks>>,
    /// To be closed when the server stops.
    pub(super) links: Vec<Arc<SmppDelivery>>,
}

impl Senders {
    /// The inbox of a sandbox, behind the senders that it may have.
    pub(super) fn sandbox(
        config: &Config,
        keys: &KeyRing,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let inbox = Member {
            name: INBOX.to_owned(),
            methods: vec![CodeMethod::Sms, CodeMethod::Voice],
            timeout: Duration::from_secs(1),
            delivery: Arc::new(InboxDelivery),
        };
        if !config.named.senders.is_empty() {
            return Self::new(config, keys, clock, Some(inbox));
        }
        Ok(Self {
            delivery: inbox.delivery,
            routing: None,
            receipts: Arc::default(),
            callbacks: BTreeMap::new(),
            links: Vec::new(),
        })
    }

    /// The configured senders.
    pub(super) fn production(
        config: &Config,
        keys: &KeyRing,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        Self::new(config, keys, clock, None)
    }

    fn new(
        config: &Config,
        keys: &KeyRing,
        clock: Arc<dyn Clock>,
        last: Option<Member>,
    ) -> anyhow::Result<Self> {
        let receipts = Arc::new(Receipts::default());
        let (mut members, mut answering, mut links) = (Vec::new(), BTreeMap::new(), Vec::new());
        let ports = SenderPorts {
            clock: Arc::clone(&clock),
            entropy: Arc::new(OsEntropy),
            receipts: Arc::clone(&receipts) as Arc<dyn ReceiptSink>,
        };
        for sender in &config.named.senders {
            let base = config.public_url.as_deref();
            let own = Parts {
                name: &sender.name,
                ports: ports.clone(),
                secret: keys.lasting_fingerprint("sender", sender.name.as_bytes()),
                callback_url: base.map(|it| format!("{it}{}/{}", callbacks::PREFIX, sender.name)),
            };
            let Built { delivery, callbacks, link } = build(sender, &own)?;
            links.extend(link);
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
            links,
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

//! The only place that picks adapters and puts the parts together. What differs between sandbox and
//! production is decided here, once; no handler asks.

mod callbacks;
mod gauges;
mod keys;
mod mail;
mod senders;

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::{Context as _, bail};
use api::metrics::{Family, Kind};
use api::rejected;
use api::sandbox::{SandboxRehearsal, Tools};
use api::{AppInner, Settings};
use axum::Router;
use outbound::callbacks::{HttpCallbacks, Options as CallbackOptions, system_lookup};
use outbound::registrar::{UpstreamOptions, Upstreams};
use registration::TextId as _;
use service::clients::FirstPassword;
use service::graph_usage::GraphLimits;
use service::hashing::{HashCost, Hasher};
use service::keys::KeyRing;
use service::ports::{
    CallbackClient, Clock, Entropy, EntropyExt as _, NoRehearsal, Rehearsal, Store, TurnableClock,
};
use service::seed::Seed;
use service::{Allowance, OperationRates, Policy, Ports, Repeat, Service};
use sha2::{Digest as _, Sha256};
use store::sqlite::{SqliteOptions, SqliteStats, SqliteStore};
use tokio::sync::watch;

use crate::clock::{SandboxClock, SystemClock};
use crate::config::{self, Config, Environment, Mode};
use crate::data_dir::{DATABASE_FILE, DataDir};
use crate::entropy::OsEntropy;
use crate::listener::{Connections, RenderRejection, Stop};
use crate::wiring::senders::Senders;

/// How often what has expired is removed from the store.
const SWEEP: Duration = Duration::from_mins(1);

/// What the listener serves, and what has to be done after it.
pub struct App {
    /// Every route.
    pub router: Router,
    /// Puts the settings into force that need no restart: limits and what else is in a [`Policy`].
    pub set_policy: Box<dyn Fn(&Config) + Send + Sync>,
    /// Words the refusals that no handler sees.
    pub render: RenderRejection,
    /// The password that the admin of the default client was given just now, in production.
    pub first_password: Option<String>,
    /// Path that logs whoever opens it into the console, once; in a sandbox, where whoever sees the
    /// output of this process may see everything.
    pub console_path: Option<String>,
    /// Finishes what the worker has begun and writes out what is still in memory; awaited once, after
    /// the last request.
    pub flush: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What the parts are put together from.
pub struct Inputs<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The environment, for a master key that stands there.
    pub environment: &'a Environment,
    /// What a sandbox starts with.
    pub seed: Option<Seed>,
}

/// What is different between a sandbox and production.
struct Scene {
    clock: Arc<dyn Clock>,
    senders: Arc<Senders>,
    rehearsal: Arc<dyn Rehearsal>,
    /// What the sandbox's tools will work on.
    tools: Option<(Arc<dyn TurnableClock>, Arc<SandboxRehearsal>)>,
}

/// Puts the parts together on an open data folder.
pub async fn app(
    inputs: Inputs<'_>,
    data: &DataDir,
    ca_pem: impl Fn() -> String + Send + Sync + 'static,
    connections: Arc<Connections>,
    stop: &Stop,
) -> anyhow::Result<App> {
    let Inputs { config, environment, seed } = inputs;
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    able(config)?;
    let keys = keys::open(config, environment, data)?;
    let scene = match config.mode {
        Mode::Sandbox => sandbox(config, &keys, data)?,
        Mode::Production => production(config, &keys)?,
    };
    let token = data.operator_token(&OsEntropy)?;
    let database = data.file(DATABASE_FILE);
    let store = SqliteStore::open(&database, &SqliteOptions::default())
        .with_context(|| format!("cannot open {}", database.display()))?;
    let store = Arc::new(store);
    let service = Service::new(
        Ports {
            store: Arc::clone(&store) as Arc<dyn Store>,
            clock: scene.clock,
            entropy: Arc::clone(&entropy),
            delivery: Arc::clone(&scene.senders.delivery),
            rehearsal: scene.rehearsal,
        },
        keys.clone(),
        hasher(config, keys.clone(), &entropy)?,
        policy(config),
    );
    keys::recognise(&service, config, data).await?;
    let endpoints = endpoints();
    let service = service.with_upstream(upstreams(config, &entropy)?);
    let service = Arc::new(service.with_endpoints(Arc::clone(&endpoints)));
    mail::connect(config, &service)?;
    let (tools, first_password) = match scene.tools {
        Some((clock, rehearsal)) => {
            let seed = match seed {
                Some(seed) => Some(service.prepare_seed(seed).await?),
                None => None,
            };
            let tools = Tools::new(clock, rehearsal, seed);
            tools.first_start(&service).await?;
            (Some(tools), None)
        }
        None => (None, first_start(&service, &*entropy).await?),
    };
    resume(&service).await?;
    scene.senders.receipts.open(&service);

    let stopping = watch::Sender::new(false);
    let inner = AppInner {
        service: Arc::clone(&service),
        metrics: api::metrics::Metrics::default(),
        gauges: gauges(store, connections, &service, &scene.senders),
        settings: settings(config, &service, &token),
        sandbox: tools,
        stopping: stopping.subscribe(),
        ca_pem: Box::new(ca_pem),
        rotate_master: keys::rotation(config, data, keys.clone()),
    };
    announce_stop(stop, stopping);
    let app = api::App(Arc::new(inner));
    Ok(App {
        router: callbacks::beside(api::router(app.clone()), scene.senders.callbacks.clone()),
        console_path: console_path(&app),
        render: render(app),
        first_password,
        set_policy: set_policy(Arc::clone(&service), Arc::clone(&scene.senders)),
        flush: closing(
            background(service, endpoints, config.upstream.compare_every),
            scene.senders,
        ),
    })
}

/// Speaks with endpoints that are told what happens to numbers.
fn endpoints() -> Arc<dyn CallbackClient> {
    crate::tls::install_provider();
    Arc::new(HttpCallbacks::new(CallbackOptions::default(), system_lookup()))
}

fn settings(config: &Config, service: &Service, token: &str) -> Settings {
    Settings {
        onprem_version: config.onprem.version.clone(),
        onprem_retired: config.onprem.retired,
        public_url: config.public_url.clone().unwrap_or_default(),
        operator_token_sha256: Sha256::digest(token.as_bytes()).into(),
        started_at: service.now(),
    }
}

/// The path of a new link into the console of a sandbox.
fn console_path(app: &api::App) -> Option<String> {
    app.sandbox.as_ref()?;
    let (link, _) = api::console::new_link(app, api::console::Role::Operator);
    Some(format!("/console/enter/{link}"))
}

/// Words rejected requests as who was asked would.
fn render(app: api::App) -> RenderRejection {
    Arc::new(move |rejection, head| {
        rejected::answer(&app, head, rejection.status(), rejection.words())
    })
}

/// Opens the database in a data folder for reading, whether or not a server is using it.
pub fn open_trail(folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    let database = folder.join(DATABASE_FILE);
    if matches!(database.try_exists(), Ok(false)) {
        bail!("there is no {}", database.display());
    }
    let store = SqliteStore::open_read_only(&database)
        .with_context(|| format!("cannot open {}", database.display()))?;
    Ok(Arc::new(store))
}

/// Says what is missing before anything is begun.
fn able(config: &Config) -> anyhow::Result<()> {
    let sends = !config.named.senders.is_empty() || config.upstream.without_senders;
    if config.mode == Mode::Production && !sends {
        bail!(
            "production needs a sender that brings codes to telephones: write a section \
             [senders.NAME] (see `rollcall config default`); or, where all registrations go to Meta or \
             Alibaba, set upstream.without_senders = true; or use mode = \"sandbox\""
        );
    }
    Ok(())
}

fn sandbox(config: &Config, keys: &KeyRing, data: &DataDir) -> anyhow::Result<Scene> {
    let file = data.file("clock.json");
    let clock = SandboxClock::open(SystemClock::new(), &file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let clock = Arc::new(clock);
    let rehearsal = Arc::new(SandboxRehearsal::default());
    let senders = Senders::sandbox(config, keys, Arc::clone(&clock) as Arc<dyn Clock>)?;
    Ok(Scene {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        senders: Arc::new(senders),
        rehearsal: Arc::clone(&rehearsal) as Arc<dyn Rehearsal>,
        tools: Some((clock, rehearsal)),
    })
}

fn production(config: &Config, keys: &KeyRing) -> anyhow::Result<Scene> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let senders = Senders::production(config, keys, Arc::clone(&clock))?;
    let senders = Arc::new(senders);
    Ok(Scene { clock, senders, rehearsal: Arc::new(NoRehearsal), tools: None })
}

fn hasher(config: &Config, keys: KeyRing, entropy: &Arc<dyn Entropy>) -> anyhow::Result<Hasher> {
    let cost = HashCost::new(config.hashing.memory_kib, config.hashing.passes, 1)
        .context("hashing.memory_kib and hashing.passes ask for more than is supported")?;
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    Ok(Hasher::new(keys, Arc::clone(entropy), cost, cores, config.hashing.queue))
}

/// Limits, prices, fuses, texts and routes; other senders than those at the start need another start.
fn set_policy(service: Arc<Service>, senders: Arc<Senders>) -> Box<dyn Fn(&Config) + Send + Sync> {
    Box::new(move |config| {
        service.set_policy(policy(config));
        if let Some(routing) = &senders.routing {
            routing.set_routes(senders::routes(config));
        }
    })
}

fn gauges(
    store: Arc<SqliteStore>,
    connections: Arc<Connections>,
    service: &Arc<Service>,
    senders: &Arc<Senders>,
) -> Box<dyn Fn() -> Vec<Family> + Send + Sync> {
    let (service, senders) = (Arc::clone(service), Arc::clone(senders));
    Box::new(move || {
        let mut families = store_gauges(&store.stats());
        families.extend(gauges::connections(&connections));
        families.extend(gauges::senders(&service, &senders));
        families
    })
}

fn policy(config: &Config) -> Policy {
    let limits = &config.limits;
    Policy {
        limits: config.limits(),
        country_sends: Allowance {
            burst: limits.country_burst,
            interval: Duration::from_mins(1) / limits.country_per_minute.max(1),
        },
        client_requests: Allowance {
            burst: config.onprem.requests_burst,
            interval: Duration::from_secs(1) / config.onprem.requests_per_second.max(1),
        },
        graph: GraphLimits {
            app_calls: config.graph.app_calls_per_hour.into(),
            waba_calls: config.graph.waba_calls_per_hour.into(),
            registered_waba_calls: config.graph.registered_waba_calls_per_hour.into(),
        },
        login_failures: Allowance {
            burst: limits.login_failures_max,
            interval: limits.login_window / limits.login_failures_max.max(1),
        },
        token_lifetime: config.onprem.token_lifetime,
        accept_foreign_certificates: config.accepts_foreign_certificates(),
        review_names: config.reviews_names(),
        certificate_lifetime: config.names.certificate_lifetime,
        spending: config.spending(),
        repeat: match config.delivery.repeat {
            config::sections::Repeat::AtLeastOnce => Repeat::AtLeastOnce,
            config::sections::Repeat::NeverTwice => Repeat::NeverTwice,
        },
        texts: config.named.texts.clone(),
        operation_rates: OperationRates {
            usual: config.cams.requests_per_second,
            low: config.cams.requests_per_second_low,
        },
        ram_denial: config.cams.denial.into(),
        callbacks: config.callback_policy(),
    }
}

fn store_gauges(stats: &SqliteStats) -> Vec<Family> {
    let counter = |name, help, value| Family::single(name, Kind::Counter, help, value);
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    vec![
        counter("rollcall_store_units_total", "Units of work committed", stats.units),
        counter(
            "rollcall_store_transactions_total",
            "Transactions, each with one flush to the disk",
            stats.transactions,
        ),
        counter(
            "rollcall_store_commit_micros_total",
            "Time spent flushing to the disk",
            micros(stats.committing),
        ),
        counter(
            "rollcall_store_log_restarts_total",
            "Times the log had grown too large and started again",
            stats.log_restarts,
        ),
    ]
}

/// Makes what exists from the first start of a production server on. The password of the admin is drawn
/// at random and returned, to be shown once; `None` if it was made before.
async fn first_start(service: &Service, entropy: &dyn Entropy) -> anyhow::Result<Option<String>> {
    let waba = registration::WabaId::parse(&entropy.node_id())
        .context("a random WABA id has the form of an id")?;
    // Sixteen random characters, and one of each kind that the password rule asks for.
    let password = format!("{}-Aa1", hex::encode(entropy.bytes::<8>()));
    let first = FirstPassword { password: password.clone(), must_change: true };
    let first_time = service.first_start(&waba, &first).await?;
    Ok(first_time.then_some(password))
}

/// Tells replies that wait that the server stops.
fn announce_stop(stop: &Stop, stopping: watch::Sender<bool>) {
    let stop = stop.clone();
    tokio::spawn(async move {
        stop.requested().await;
        stopping.send_replace(true);
        // Kept until the process ends: a dropped sender would read as a change.
        core::future::pending::<()>().await;
    });
}

/// Registrars upstream: on this machine only in a sandbox, which sends nothing to anybody.
fn upstreams(config: &Config, entropy: &Arc<dyn Entropy>) -> anyhow::Result<Arc<Upstreams>> {
    let loopback_only = config.mode == Mode::Sandbox;
    let options = UpstreamOptions {
        loopback_only,
        connect_timeout: config.upstream.connect_timeout,
        call_timeout: config.upstream.call_timeout,
    };
    crate::tls::install_provider();
    Ok(Arc::new(Upstreams::new(&options, Arc::clone(entropy))?))
}

/// Takes up the ledger where it was left. Refuses to start with an upstream that this mode does not allow.
async fn resume(service: &Service) -> anyhow::Result<()> {
    service.resume_ledger().await?;
    let (_, forbidden) = service.upstreams_in_use().await?;
    if forbidden.is_empty() {
        return Ok(());
    }
    bail!("a registrar upstream must not be called: {}", forbidden.join("; "))
}

/// Takes leave of message centres once the last message has been handed over.
fn closing(
    background: Pin<Box<dyn Future<Output = ()> + Send>>,
    senders: Arc<Senders>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        background.await;
        for link in &senders.links {
            link.close().await;
        }
    })
}

/// Starts the worker and the sweeper; the future ends them in order.
fn background(
    service: Arc<Service>,
    endpoints: Arc<dyn CallbackClient>,
    compare_every: Duration,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let done = watch::Sender::new(false);
    let worker = tokio::spawn(Arc::clone(&service).work(done.subscribe()));
    let posts = Arc::clone(&service).work_callbacks(endpoints, done.subscribe());
    let posts = tokio::spawn(posts);
    let sweeper = tokio::spawn({
        let service = Arc::clone(&service);
        async move {
            let mut ticks = tokio::time::interval(SWEEP);
            loop {
                ticks.tick().await;
                if let Err(error) = service.sweep().await {
                    tracing::warn!(%error, "the sweep failed");
                }
                if let Err(error) = service.measure_conversion().await {
                    tracing::warn!(%error, "what became of codes cannot be measured");
                }
            }
        }
    });
    let comparison = tokio::spawn(compare_upstreams(Arc::clone(&service), compare_every));
    Box::pin(async move {
        done.send_replace(true);
        sweeper.abort();
        comparison.abort();
        for ended in [worker.await, posts.await] {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker ended badly");
            }
        }
        if let Err(error) = service.close().await {
            tracing::error!(%error, "the store could not be closed");
        }
    })
}

/// From a hint of a registrar upstream to the look that it leads to.
const NEWS_GATHER: Duration = Duration::from_secs(1);

async fn compare_upstreams(service: Arc<Service>, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    // The first tick comes at once, when others have more to do.
    ticks.tick().await;
    loop {
        let compared = tokio::select! {
            _ = ticks.tick() => service.compare_upstreams().await,
            () = service.news() => {
                // What is told comes in bursts: one look serves them all.
                tokio::time::sleep(NEWS_GATHER).await;
                service.compare_news().await
            }
        };
        if let Err(error) = compared {
            tracing::warn!(%error, "the comparison with the registrars upstream failed");
        }
    }
}

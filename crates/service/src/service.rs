//! The service: the ports and keys that use cases share. Each use case is a method on [`Service`] in the
//! module named after it.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher as _};
use std::sync::{Arc, PoisonError, RwLock};

use registration::{AccountId, ClientId, CodeMethod, Limits, PhoneNumber, Refusal, Timestamp};
use tokio::sync::{Mutex, MutexGuard, Notify, broadcast, watch};

use crate::caller::Caller;
use crate::claim_ids::ClaimIds;
use crate::conversion::Range;
use crate::error::{Refused, ServiceError, Unavailable};
use crate::forward::Turns;
use crate::graph_usage::GraphParty;
use crate::hashing::Hasher;
use crate::key_marks::UnknownKeys;
use crate::keys::KeyRing;
use crate::login::source_of;
use crate::mails::Mails;
use crate::moving_window::{MovingWindow, Rate};
use crate::policy::Policy;
use crate::ports::{
    CallbackClient, Clock, CodeDelivery, CommitError, Ending, Entropy, Event, EventId, OPERATIONS,
    Occasion, Rehearsal, Send, SendQuery, Store, Subject, Take, Unit, UpstreamRegistrar,
};
use crate::ram::CompiledPolicies;
use crate::receipts::EarlyReceipts;
use crate::tallies::Tallies;
use crate::throttle::Throttle;
use crate::upstream_news::News;
use crate::usage::HourlyUsage;
use crate::worker::Ended;

/// Stripes of the lock that lines up work on one number in this process; more stripes, fewer numbers
/// that wait for each other by accident.
const STRIPES: usize = 1024;

/// Batches of handed-over sends kept for a reader that falls behind: 256 batches of at most 256 sends
/// of some 500 bytes stay below 40 MB, and usual batches are small.
const BATCHES_KEPT: usize = 256;

/// The adapters that a [`Service`] works with.
pub struct Ports {
    /// Durable storage.
    pub store: Arc<dyn Store>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Brings codes to numbers.
    pub delivery: Arc<dyn CodeDelivery>,
    /// Rehearsed trouble, in the sandbox.
    pub rehearsal: Arc<dyn Rehearsal>,
}

/// All use cases. Shared behind an [`Arc`] by dialects, worker and console.
pub struct Service {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) delivery: Arc<dyn CodeDelivery>,
    rehearsal: Arc<dyn Rehearsal>,
    /// Asks endpoints whether they want to be told; without it none can be subscribed.
    pub(crate) endpoints: Option<Arc<dyn CallbackClient>>,
    /// Speaks with registrars upstream; without it no WABA has one.
    pub(crate) upstream: Option<Arc<dyn UpstreamRegistrar>>,
    /// Calls upstream about one number, one at a time.
    pub(crate) turns: Turns,
    /// What registrars upstream told on their own.
    pub(crate) news: News,
    pub(crate) keys: KeyRing,
    pub(crate) hasher: Hasher,
    policy: RwLock<Arc<Policy>>,
    stripes: Vec<Mutex<()>>,
    client_requests: Throttle<ClientId>,
    /// By client, or none for the console, and source.
    login_requests: Throttle<(Option<ClientId>, IpAddr)>,
    operation_requests: MovingWindow<(AccountId, &'static str)>,
    pub(crate) graph_calls: HourlyUsage<GraphParty>,
    pub(crate) compiled_policies: CompiledPolicies,
    pub(crate) last_send: std::sync::Mutex<u128>,
    pub(crate) claim_ids: ClaimIds,
    /// What this process saw of its senders.
    pub(crate) tallies: Tallies,
    pub(crate) early_receipts: EarlyReceipts,
    /// Ranges of numbers as last measured.
    pub(crate) ranges: RwLock<Vec<Range>>,
    /// Sends that ended and are not yet in the ledger; the turn of whoever records them, then of whoever
    /// announces them.
    pub(crate) unrecorded: std::sync::Mutex<Vec<Ended>>,
    pub(crate) recording: Mutex<()>,
    pub(crate) announcing: Mutex<()>,
    /// Stored and leased for this process, waiting for its worker.
    pub(crate) fresh_sends: std::sync::Mutex<VecDeque<Send>>,
    /// Handed over by the commit that ordered them, waiting to be announced.
    pub(crate) taken_sends: Arc<std::sync::Mutex<Vec<Send>>>,
    pub(crate) sends_due: Arc<Notify>,
    pub(crate) callbacks_due: Notify,
    pub(crate) ledger_changed: watch::Sender<u64>,
    pub(crate) trail_grew: watch::Sender<()>,
    pub(crate) handed_over: broadcast::Sender<Arc<[Send]>>,
    pub(crate) mails: Mails,
    /// Read from claim to report; written while the whole state changes or is copied, so that no send
    /// is under way then.
    pub(crate) under_way: Arc<tokio::sync::RwLock<()>>,
}

impl Service {
    /// Brings ports, keys and settings together. Starts nothing.
    #[must_use]
    pub fn new(ports: Ports, keys: KeyRing, hasher: Hasher, policy: Policy) -> Self {
        Self {
            store: ports.store,
            clock: ports.clock,
            entropy: ports.entropy,
            delivery: ports.delivery,
            rehearsal: ports.rehearsal,
            endpoints: None,
            upstream: None,
            turns: Turns::default(),
            news: News::default(),
            keys,
            hasher,
            policy: RwLock::new(Arc::new(policy)),
            stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(),
            client_requests: Throttle::default(),
            login_requests: Throttle::default(),
            operation_requests: MovingWindow::default(),
            graph_calls: HourlyUsage::default(),
            compiled_policies: CompiledPolicies::default(),
            last_send: std::sync::Mutex::new(0),
            claim_ids: ClaimIds::default(),
            tallies: Tallies::default(),
            early_receipts: EarlyReceipts::default(),
            ranges: RwLock::default(),
            unrecorded: std::sync::Mutex::default(),
            recording: Mutex::default(),
            announcing: Mutex::default(),
            fresh_sends: std::sync::Mutex::default(),
            taken_sends: Arc::default(),
            sends_due: Arc::default(),
            callbacks_due: Notify::new(),
            ledger_changed: watch::Sender::new(0),
            trail_grew: watch::Sender::new(()),
            handed_over: broadcast::Sender::new(BATCHES_KEPT),
            mails: Mails::default(),
            under_way: Arc::default(),
        }
    }

    /// The same with registrars upstream.
    #[must_use]
    pub fn with_upstream(mut self, upstream: Arc<dyn UpstreamRegistrar>) -> Self {
        self.upstream = Some(upstream);
        self
    }

    /// The same with a way to endpoints that want to be told.
    #[must_use]
    pub fn with_endpoints(mut self, endpoints: Arc<dyn CallbackClient>) -> Self {
        self.endpoints = Some(endpoints);
        self
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The settings in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the settings; requests that have begun finish under the old ones.
    pub fn set_policy(&self, policy: Policy) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// The limits of the rules in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.policy().limits.clone()
    }

    /// The keys in force.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// Chance, for dialects that need an id.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// Changes each time the ledger of sends does.
    #[must_use]
    pub fn watch_ledger(&self) -> watch::Receiver<u64> {
        self.ledger_changed.subscribe()
    }

    /// Changes when this process has decided on a number, or refused. Other entries of the audit trail come
    /// without a word: whoever follows it looks now and then.
    #[must_use]
    pub fn watch_trail(&self) -> watch::Receiver<()> {
        self.trail_grew.subscribe()
    }

    /// Sends as this process hands them over, in batches and in that order, each once it stands in the
    /// ledger. Whoever reads the ledger after subscribing misses none.
    ///
    /// Ids do not tell that order: a send with a smaller id may be committed, and handed over, later.
    #[must_use]
    pub fn watch_handed_over(&self) -> broadcast::Receiver<Arc<[Send]>> {
        self.handed_over.subscribe()
    }

    /// Lets the worker look at the outbox now: the clock was turned, so other sends may be due.
    pub fn wake_worker(&self) {
        self.sends_due.notify_one();
        self.callbacks_due.notify_one();
    }

    /// Takes one request from a client's allowance.
    pub fn admit_client(&self, client: &ClientId) -> Result<(), Timestamp> {
        self.client_requests.take(client, self.policy().client_requests, self.now())
    }

    /// Takes one login from what a source may ask of a client, or of the console: as much as the client itself
    /// has, and nothing of the client's own, or strangers could use it up.
    pub fn admit_login(&self, client: Option<&ClientId>, from: IpAddr) -> Result<(), Timestamp> {
        let caller = (client.cloned(), source_of(from));
        self.login_requests.take(&caller, self.policy().client_requests, self.now())
    }

    /// Takes one of the requests per second for this operation that an account has, all its users
    /// together; `is_low` for an operation with fewer than most.
    pub fn admit_operation(
        &self,
        account: &AccountId,
        operation: &'static str,
        is_low: bool,
    ) -> Result<(), Timestamp> {
        let rates = self.policy().operation_rates;
        let max = if is_low { rates.low } else { rates.usual };
        let rate = Rate { max, span: Duration::from_secs(1) };
        self.operation_requests.take(&(account.clone(), operation), rate, self.now())
    }

    /// Empties everything and forgets all callers. Sandbox only.
    pub async fn clear(&self) -> Result<(), ServiceError> {
        let _quiet = self.under_way.write().await;
        self.store.clear().await?;
        self.mark_keys().await?;
        self.client_requests.clear();
        self.login_requests.clear();
        self.operation_requests.clear();
        self.graph_calls.clear();
        self.fresh_sends().clear();
        self.taken_sends().clear();
        self.mails.clear();
        self.ledger_changed.send_modify(|n| *n += 1);
        Ok(())
    }

    /// Keeps the whole state under a name. Sandbox only.
    pub async fn save_snapshot(&self, name: &str) -> Result<(), ServiceError> {
        let _quiet = self.under_way.write().await;
        Ok(self.store.save_snapshot(name).await?)
    }

    /// Returns to the state kept under a name; `false` if there is none. Sandbox only.
    ///
    /// A state that was made with other master keys is refused when it is here already: whoever asked
    /// has to leave it.
    pub async fn load_snapshot(&self, name: &str) -> Result<bool, UnknownKeys> {
        let _quiet = self.under_way.write().await;
        let found = self.store.load_snapshot(name).await.map_err(ServiceError::from)?;
        self.client_requests.clear();
        self.login_requests.clear();
        self.operation_requests.clear();
        self.graph_calls.clear();
        self.fresh_sends().clear();
        self.taken_sends().clear();
        self.ledger_changed.send_modify(|n| *n += 1);
        self.recognise_keys().await?;
        Ok(found)
    }

    /// Takes up the ledger where it was left: ids of sends go on from the newest one.
    pub async fn resume_ledger(&self) -> Result<(), ServiceError> {
        let query = SendQuery { limit: 1, ..SendQuery::default() };
        let newest = self.store.sends(&query).await?.first().map_or(0, |send| send.id.0);
        let mut last = self.last_send.lock().unwrap_or_else(PoisonError::into_inner);
        *last = newest.max(*last);
        Ok(())
    }

    /// Removes what has expired from the store.
    pub async fn sweep(&self) -> Result<(), ServiceError> {
        self.sweep_receipts().await;
        Ok(self.store.sweep(self.now()).await?)
    }

    /// Fails if the store cannot serve.
    pub async fn ping(&self) -> Result<(), ServiceError> {
        Ok(self.store.ping().await?)
    }

    /// Waits for everything accepted to be on disk.
    pub async fn close(&self) -> Result<(), ServiceError> {
        Ok(self.store.close().await?)
    }

    /// Asks the rehearsal what shall happen, and lets it.
    pub(crate) async fn rehearse(
        &self,
        caller: &Caller,
        operation: &str,
        number: Option<PhoneNumber>,
    ) -> Result<(), ServiceError> {
        self.let_happen(caller, operation, number, None).await
    }

    /// The same for an order of a code by `method`.
    pub(crate) async fn rehearse_code(
        &self,
        caller: &Caller,
        number: PhoneNumber,
        method: CodeMethod,
    ) -> Result<(), ServiceError> {
        self.let_happen(caller, "request_code", Some(number), Some(method)).await
    }

    async fn let_happen(
        &self,
        caller: &Caller,
        operation: &str,
        number: Option<PhoneNumber>,
        method: Option<CodeMethod>,
    ) -> Result<(), ServiceError> {
        debug_assert!(OPERATIONS.contains(&operation), "{operation} is not in the list");
        let (dialect, now) = (caller.dialect, self.now());
        let twist = self.rehearsal.twist(&Occasion { dialect, operation, number, method, now });
        if !twist.pause.is_zero() {
            tokio::time::sleep(twist.pause).await;
        }
        match twist.ending {
            Ending::Proceed => Ok(()),
            Ending::Refuse(refusal) => {
                let subject = number.map_or(Subject::System, Subject::Number);
                Err(self.refuse(caller, subject, operation, refusal).await)
            }
            Ending::Unavailable => Err(Unavailable::Rehearsed.into()),
            Ending::Drop => Err(Unavailable::RehearsedDrop.into()),
        }
    }

    /// Lines up work on one number in this process, so that compare-and-set rarely has to repeat it.
    pub(crate) async fn line_up(&self, number: PhoneNumber) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        number.hash(&mut hasher);
        let stripe = hasher.finish() % self.stripes.len() as u64;
        // The index is below the length, so the conversion cannot fail on any width of `usize`.
        self.stripes[usize::try_from(stripe).unwrap_or(0)].lock().await
    }

    /// An event of this very moment.
    pub(crate) fn event(
        &self,
        caller: &Caller,
        subject: Subject,
        kind: &str,
        details: &serde_json::Value,
    ) -> Event {
        let at = self.clock.now();
        Event {
            id: EventId(self.time_ordered_id(at)),
            at,
            subject,
            account: caller.account.clone(),
            actor: caller.actor.clone(),
            kind: kind.to_owned(),
            details: details.to_string(),
        }
    }

    /// Records a refusal that no number's record decided, and returns it as the error to answer.
    pub async fn refuse(
        &self,
        caller: &Caller,
        subject: Subject,
        operation: &str,
        refusal: Refusal,
    ) -> ServiceError {
        let number = match &subject {
            Subject::Number(number) => Some(*number),
            Subject::Entity(_) | Subject::System => None,
        };
        let details = crate::explain::refusal_details(caller.dialect, operation, &refusal);
        let event = self.event(caller, subject, "refused", &details);
        let refused = Refused { refusal, id: Some(event.id), number, at: event.at };
        match self.commit(Unit { events: vec![event], ..Unit::default() }).await {
            Ok(()) => ServiceError::Refused(refused),
            Err(error) => error,
        }
    }

    /// The same for a refusal that can be brought about at will and without end: it is noted only while
    /// `notes` allows it. What happened is then in the trail, and cannot fill the disk.
    pub async fn refuse_noting(
        &self,
        caller: &Caller,
        subject: Subject,
        operation: &str,
        refusal: Refusal,
        notes: Take,
    ) -> ServiceError {
        let details = crate::explain::refusal_details(caller.dialect, operation, &refusal);
        let event = self.event(caller, subject, "refused", &details);
        let mut refused = Refused { refusal, id: Some(event.id), number: None, at: event.at };
        let unit = Unit { takes: vec![notes], events: vec![event], ..Unit::default() };
        match self.store.commit(unit).await {
            Err(CommitError::Throttled { .. }) => {
                refused.id = None;
                ServiceError::Refused(refused)
            }
            other => match committed(other) {
                Ok(()) => ServiceError::Refused(refused),
                Err(error) => error,
            },
        }
    }

    /// Commits a unit that nobody competes for.
    pub(crate) async fn commit(&self, unit: Unit) -> Result<(), ServiceError> {
        committed(self.store.commit(unit).await)?;
        self.trail_grew.send_replace(());
        Ok(())
    }
}

/// The answer of the store to a unit that nobody competes for, as an error for the caller.
pub(crate) fn committed(answer: Result<(), CommitError>) -> Result<(), ServiceError> {
    match answer {
        Ok(()) => Ok(()),
        Err(CommitError::Conflict) => Err(Unavailable::Contended { attempts: 1 }.into()),
        Err(CommitError::Throttled { key, .. }) => {
            Err(ServiceError::Bug(format!("unexpected allowance {key}")))
        }
        Err(CommitError::Overspent { key, .. }) => {
            Err(ServiceError::Bug(format!("unexpected budget {key}")))
        }
        Err(CommitError::Repeated { key }) => {
            Err(ServiceError::Bug(format!("unexpected key for once {key}")))
        }
        Err(CommitError::Unavailable(error)) => Err(error.into()),
    }
}

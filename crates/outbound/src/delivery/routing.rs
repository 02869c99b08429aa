//! Which sender carries a code, and who comes next when it cannot.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use registration::{CodeMethod, PhoneNumber, Timestamp};
use service::ports::{
    Attempt, AttemptOutcome, Clock, CodeDelivery, CodeMessage, DeliveryError, Dispatched,
    HandedOver,
};
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::breaker::{Admission, Breaker, BreakerOptions, Health, Turn};

/// What the last sender of a route may take even if its own time-out is shorter: there is nobody left to
/// hand over to, and an answer that comes late is better than a code sent twice.
const PATIENCE_LAST: Duration = Duration::from_secs(10);

/// Name that the ledger shows when nobody was asked.
const NOBODY: &str = "routing";

/// How messages are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutingOptions {
    /// Time for one message over all its senders; must be shorter than the lease of the outbox.
    pub budget: Duration,
    /// After a hand-over whose end is unknown, ask nobody else (`never_twice`).
    pub never_twice: bool,
    /// When senders are left alone.
    pub breaker: BreakerOptions,
}

impl Default for RoutingOptions {
    fn default() -> Self {
        Self {
            budget: Duration::from_secs(50),
            never_twice: false,
            breaker: BreakerOptions::default(),
        }
    }
}

/// A sender that routes can name.
pub struct Member {
    /// Its name.
    pub name: String,
    /// How codes may travel with it.
    pub methods: Vec<CodeMethod>,
    /// After this without an answer the next one gets its turn.
    pub timeout: Duration,
    /// The sender itself.
    pub delivery: Arc<dyn CodeDelivery>,
}

/// Which senders carry a code. Of all routes that fit, the one with the longest prefix counts, and among
/// those one that names the method.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteTable(pub Vec<Route>);

/// The senders of some numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Only codes by this method; both if absent.
    pub method: Option<CodeMethod>,
    /// Beginnings of the numbers it is for; all if empty.
    pub prefixes: Vec<String>,
    /// Senders in the order they are tried, by name. Those of one step share the load by weight.
    pub steps: Vec<Vec<(String, u32)>>,
    /// Whom the message shall seem to come from.
    pub originator: Option<String>,
}

/// Many senders as one: ordered failover within a time budget, a breaker for each sender.
pub struct Routing {
    members: Vec<Held>,
    routes: RwLock<Arc<RouteTable>>,
    options: RoutingOptions,
    clock: Arc<dyn Clock>,
}

struct Held {
    member: Member,
    breaker: Breaker,
}

/// What became of one try.
enum Try {
    Taken(HandedOver),
    Passed { error: DeliveryError, uncertain: bool },
}

impl Routing {
    /// Passes messages on to `members` by `routes`.
    #[must_use]
    pub fn new(
        members: Vec<Member>,
        routes: RouteTable,
        options: RoutingOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let hold = |member| Held { member, breaker: Breaker::new(options.breaker) };
        let members = members.into_iter().map(hold).collect();
        Self { members, routes: RwLock::new(Arc::new(routes)), options, clock }
    }

    /// Takes another table into use; messages under way finish by the old one.
    pub fn set_routes(&self, routes: RouteTable) {
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
    }

    /// How each sender is, by name.
    #[must_use]
    pub fn health(&self) -> BTreeMap<String, Health> {
        self.members.iter().map(|it| (it.member.name.clone(), it.breaker.health())).collect()
    }

    fn routes(&self) -> Arc<RouteTable> {
        Arc::clone(&self.routes.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn held(&self, name: &str, method: CodeMethod) -> Option<&Held> {
        let fits = |it: &&Held| it.member.name == name && it.member.methods.contains(&method);
        self.members.iter().find(fits)
    }

    async fn ask(&self, held: &Held, turn: Turn<'_>, message: &CodeMessage, time: Duration) -> Try {
        let answer = timeout(time, held.member.delivery.hand_over(message)).await;
        match answer {
            Ok(Ok(taken)) => {
                turn.answered();
                Try::Taken(taken)
            }
            Ok(Err(error @ DeliveryError::Rejected { .. })) => {
                turn.answered();
                Try::Passed { error, uncertain: false }
            }
            Ok(Err(error)) => {
                let DeliveryError::Unavailable { uncertain, retry_after, .. } = &error else {
                    return Try::Passed { error, uncertain: false };
                };
                match retry_after {
                    Some(wait) => turn.paused(*wait),
                    None => turn.failed(),
                }
                Try::Passed { uncertain: *uncertain, error }
            }
            Err(_) => {
                turn.failed();
                let error = DeliveryError::Unavailable {
                    sender: held.member.name.clone(),
                    reason: format!("no answer within {} ms", time.as_millis()),
                    uncertain: true,
                    retry_after: None,
                };
                Try::Passed { error, uncertain: true }
            }
        }
    }
}

#[async_trait]
impl CodeDelivery for Routing {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        self.dispatch(message).await.outcome
    }

    async fn dispatch(&self, message: &CodeMessage) -> Dispatched {
        let table = self.routes();
        let Some(route) = table.route(message.method, message.number) else {
            return Dispatched { attempts: Vec::new(), outcome: Err(no_route()) };
        };
        let mut message = message.clone();
        message.originator = message.originator.or_else(|| route.originator.clone());
        let order = route.order(message.id.0);
        let named: Vec<&Held> =
            order.into_iter().filter_map(|name| self.held(name, message.method)).collect();
        let deadline = Instant::now() + self.options.budget;
        let mut journey = Journey::default();
        for (place, held) in named.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let turn = match held.breaker.admit() {
                Admission::Open(turn) => turn,
                Admission::Resting { wait } => {
                    journey.rested(wait);
                    continue;
                }
            };
            let own = held.member.timeout;
            let last = place + 1 == named.len();
            let time = if last { own.max(PATIENCE_LAST) } else { own }.min(left);
            let started_at = self.clock.now();
            let tried = self.ask(held, turn, &message, time).await;
            let ended_at = self.clock.now();
            debug!(id = %message.id, sender = held.member.name, "tried");
            if journey.note(&held.member.name, started_at, ended_at, tried, self.options) {
                break;
            }
        }
        journey.end()
    }

    fn candidates(&self, method: CodeMethod, number: PhoneNumber) -> Option<Vec<String>> {
        let table = self.routes();
        let names = table.route(method, number).map(|route| route.order(0)).unwrap_or_default();
        let able = names.into_iter().filter(|name| self.held(name, method).is_some());
        Some(able.map(str::to_owned).collect())
    }
}

/// What happened to a message so far.
#[derive(Default)]
struct Journey {
    attempts: Vec<Attempt>,
    taken: Option<HandedOver>,
    unavailable: Option<DeliveryError>,
    rejected: Option<DeliveryError>,
    uncertain: bool,
    /// When the first of those that rest can be asked again.
    shortest_rest: Option<Duration>,
}

impl Journey {
    fn rested(&mut self, wait: Duration) {
        self.shortest_rest = Some(self.shortest_rest.map_or(wait, |it| it.min(wait)));
    }

    /// Notes a try; whether the journey ends with it.
    fn note(
        &mut self,
        sender: &str,
        started_at: Timestamp,
        ended_at: Timestamp,
        tried: Try,
        options: RoutingOptions,
    ) -> bool {
        let (outcome, ends) = match tried {
            Try::Taken(taken) => {
                self.taken = Some(HandedOver { sender: sender.to_owned(), ..taken });
                (AttemptOutcome::Taken, true)
            }
            Try::Passed { error, uncertain } => {
                self.uncertain |= uncertain;
                let outcome = match &error {
                    DeliveryError::Rejected { reason, .. } => {
                        AttemptOutcome::Rejected { reason: reason.clone() }
                    }
                    DeliveryError::Unavailable { reason, retry_after, .. } => {
                        if let Some(wait) = retry_after {
                            self.rested(*wait);
                        }
                        AttemptOutcome::Unavailable { reason: reason.clone(), uncertain }
                    }
                };
                match error {
                    DeliveryError::Rejected { .. } => self.rejected = Some(error),
                    DeliveryError::Unavailable { .. } => self.unavailable = Some(error),
                }
                (outcome, uncertain && options.never_twice)
            }
        };
        self.attempts.push(Attempt { sender: sender.to_owned(), started_at, ended_at, outcome });
        ends
    }

    /// A message is refused for good only if everybody who could be asked refused it: whoever was away
    /// or resting may still take it.
    fn end(self) -> Dispatched {
        let retry_after = self.shortest_rest;
        let outcome = match (self.taken, self.unavailable, self.rejected) {
            (Some(taken), ..) => Ok(taken),
            (None, Some(DeliveryError::Unavailable { sender, reason, .. }), _) => {
                let uncertain = self.uncertain;
                Err(DeliveryError::Unavailable { sender, reason, uncertain, retry_after })
            }
            (None, _, Some(rejected)) if retry_after.is_none() => Err(rejected),
            (None, _, _) => Err(DeliveryError::Unavailable {
                sender: NOBODY.to_owned(),
                reason: "every sender of the route rests".to_owned(),
                uncertain: false,
                retry_after,
            }),
        };
        Dispatched { attempts: self.attempts, outcome }
    }
}

impl RouteTable {
    /// The route for a code.
    fn route(&self, method: CodeMethod, number: PhoneNumber) -> Option<&Route> {
        let digits = number.digits();
        let fit = |route: &Route| {
            if route.method.is_some_and(|it| it != method) {
                return None;
            }
            let longest = route.prefixes.iter().filter(|it| digits.starts_with(it.as_str()));
            match longest.map(String::len).max() {
                Some(length) => Some((length, route.method.is_some())),
                None => route.prefixes.is_empty().then_some((0, route.method.is_some())),
            }
        };
        // The first of several equals counts.
        let fitting = self.0.iter().rev().filter_map(|route| Some((fit(route)?, route)));
        fitting.max_by_key(|(rank, _)| *rank).map(|(_, route)| route)
    }
}

impl Route {
    /// The senders in the order to try them. Which of a step comes first is drawn by weight from the id
    /// of the message, whose random bits make that fair, and the same again for the same message.
    fn order(&self, id: u128) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::new();
        for step in &self.steps {
            let total: u64 = step.iter().map(|(_, weight)| u64::from(*weight)).sum();
            let low_bits = u64::try_from(id & u128::from(u32::MAX)).unwrap_or(0);
            let mut drawn = low_bits % total.max(1);
            let first = step.iter().position(|(_, weight)| {
                let hit = drawn < u64::from(*weight);
                drawn = drawn.saturating_sub(u64::from(*weight));
                hit
            });
            let (before, from) = step.split_at(first.unwrap_or(0));
            order.extend(from.iter().chain(before).map(|(name, _)| name.as_str()));
        }
        let mut once: Vec<&str> = Vec::with_capacity(order.len());
        for name in order {
            if !once.contains(&name) {
                once.push(name);
            }
        }
        once
    }
}

fn no_route() -> DeliveryError {
    DeliveryError::Rejected { sender: NOBODY.to_owned(), reason: "no route leads there".to_owned() }
}

#[cfg(test)]
mod tests;

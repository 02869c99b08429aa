//! One run: actions that follow from the seed, and a check after each.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use registration::Timestamp;
use service::ports::{Clock as _, SendQuery, SendState, Store as _};
use service::{Service, ServiceError};
use tokio::task::JoinHandle;

use crate::chance::Chance;
use crate::checker::{Checker, Violation};
use crate::choose::Outlook;
use crate::faults::Odds;
use crate::journal::{CALL, CallId, Seen};
use crate::sabotage::Sabotage;
use crate::workload::{Answer, Call};
use crate::world::{NODES, World};

/// Steps shown with a violation.
pub const STEPS_SHOWN: usize = 20;

/// Most calls that are under way at the same time.
const CALLS_MAX: usize = 6;

/// How far the clock may be turned before those who hold leases of a minute are let finish.
const DRIFT_MAX: Duration = Duration::from_secs(59);

/// Most backups kept for restoring.
const BACKUPS_MAX: usize = 8;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// How many steps to take.
    pub steps: u64,
    /// What is broken on purpose.
    pub sabotage: Sabotage,
    /// The clock may run past leases while their workers have not begun.
    pub stalls: bool,
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How often each action and each answer occurred.
    pub tally: BTreeMap<String, u64>,
    /// The step at which an invariant did not hold, and which.
    pub violation: Option<(u64, Violation)>,
    /// The last steps, oldest first.
    pub last_steps: VecDeque<String>,
}

/// Runs a plan on one thread of its own.
///
/// # Panics
///
/// If the operating system refuses what a runtime needs.
#[must_use]
pub fn run(plan: Plan) -> Report {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets needs a thread and little memory").block_on(async {
        match Run::new(plan).await {
            Ok(run) => run.finish(plan.steps).await,
            Err(error) => {
                let what = format!("the world could not be made: {error}");
                let violation = Some((0, Violation { invariant: "bug", what }));
                Report { violation, ..Report::default() }
            }
        }
    })
}

/// A call or a worker under way.
struct Task {
    id: CallId,
    node: usize,
    /// `None` for a worker.
    call: Option<Call>,
    handle: JoinHandle<Option<Answer>>,
}

struct Run {
    world: World,
    checker: Checker,
    chance: Chance,
    tasks: Vec<Task>,
    calls: CallId,
    latest: Option<Call>,
    backups: Vec<Arc<Vec<u8>>>,
    report: Report,
    step: u64,
    stalls: bool,
    /// How far the clock was turned since everybody was let finish.
    drift: Duration,
}

#[derive(Clone, Copy)]
enum Action {
    LetOneOn,
    Call,
    Double,
    Work,
    TurnClock,
    GiveUp,
    Crash,
    RotateKeys,
    RepeatReport,
    Sweep,
    Calm,
}

impl Run {
    async fn new(plan: Plan) -> Result<Self, ServiceError> {
        let world = World::new(plan.seed, plan.sabotage).await?;
        let mut checker = Checker::new(&world);
        // The journal of the first entries holds no record, so there is nothing to find yet.
        let made = checker.take_in(&world);
        let report = Report { violation: made.err().map(|it| (0, it)), ..Report::default() };
        world.faults.set(Odds::ROUGH);
        let chance = Chance::new(plan.seed);
        Ok(Self {
            world,
            checker,
            chance,
            tasks: Vec::new(),
            calls: 0,
            latest: None,
            backups: Vec::new(),
            report,
            step: 0,
            stalls: plan.stalls,
            drift: Duration::ZERO,
        })
    }

    async fn finish(mut self, steps: u64) -> Report {
        while self.step < steps && self.report.violation.is_none() {
            self.step += 1;
            let action = self.choose();
            if let Err(violation) = self.act(action).await {
                self.report.violation = Some((self.step, violation));
            }
        }
        if self.report.violation.is_none()
            && let Err(violation) = self.calm().await
        {
            self.report.violation = Some((self.step, violation));
        }
        self.report
    }

    fn choose(&mut self) -> Action {
        self.chance.weighted(&[
            (620, Action::LetOneOn),
            (150, Action::Call),
            (30, Action::Double),
            (80, Action::Work),
            (80, Action::TurnClock),
            (15, Action::GiveUp),
            (8, Action::Crash),
            (3, Action::RotateKeys),
            (10, Action::RepeatReport),
            (4, Action::Sweep),
            (6, Action::Calm),
        ])
    }

    async fn act(&mut self, action: Action) -> Result<(), Violation> {
        match action {
            Action::LetOneOn if self.world.gate.release_one(&mut self.chance) => {
                self.note("one goes on");
            }
            Action::LetOneOn | Action::Call => self.call(),
            Action::Double => self.double(),
            Action::Work => self.work(),
            Action::TurnClock => return self.turn_clock().await,
            Action::GiveUp => self.give_up(),
            Action::Crash => return self.crash().await,
            Action::RotateKeys => {
                self.world.rotate_keys();
                self.note("keys rotated");
            }
            Action::RepeatReport => {
                self.note("a report is repeated");
                self.world.store.repeat_report(&mut self.chance).await.map_err(|it| bug(&it))?;
            }
            Action::Sweep => {
                self.note("sweep");
                let now = self.world.clock.now();
                self.world.store.sweep(now).await.map_err(|it| bug(&it))?;
            }
            Action::Calm => return self.calm().await,
        }
        self.settle().await
    }

    fn call(&mut self) {
        if self.tasks.len() < CALLS_MAX {
            let outlook = Outlook {
                tenants: &self.world.tenants,
                records: self.checker.records(),
                keys: &self.world.keys,
                inbox: self.checker.inbox(),
                backups: &self.backups,
            };
            let call = outlook.call(&mut self.chance);
            self.latest = Some(call.clone());
            self.start("call", call);
        } else {
            self.note("everybody waits");
        }
    }

    /// The latest call arrives once more, perhaps at another node.
    fn double(&mut self) {
        match self.latest.clone() {
            Some(call) if self.tasks.len() < CALLS_MAX => self.start("doubled call", call),
            Some(_) | None => self.note("nothing to double"),
        }
    }

    fn start(&mut self, what: &str, call: Call) {
        let (id, node) = self.next_task();
        self.note(what);
        self.detail(&format!("#{id} at node {node}: {call}"));
        self.checker.begins(id, call.clone());
        let (service, asked) = (Arc::clone(self.world.node(node)), call.clone());
        let task = async move { Some(asked.perform(&service).await) };
        let handle = tokio::spawn(CALL.scope(id, task));
        self.tasks.push(Task { id, node, call: Some(call), handle });
    }

    fn work(&mut self) {
        let (id, node) = self.next_task();
        self.note("worker");
        self.detail(&format!("#{id} at node {node}"));
        let service = Arc::clone(self.world.node(node));
        self.work_at(service, id, node);
    }

    fn work_at(&mut self, service: Arc<Service>, id: CallId, node: usize) {
        let task = async move {
            service.deliver_due().await;
            None
        };
        let handle = tokio::spawn(CALL.scope(id, task));
        self.tasks.push(Task { id, node, call: None, handle });
    }

    fn next_task(&mut self) -> (CallId, usize) {
        self.calls += 1;
        (self.calls, self.chance.place(NODES))
    }

    /// Mostly a little forward, sometimes to the edge of a limit, now and then back.
    async fn turn_clock(&mut self) -> Result<(), Violation> {
        const EDGES_MIN: [u64; 6] = [1, 2, 10, 24 * 60, 72 * 60, 14 * 24 * 60];
        let seconds = |chance: &mut Chance, to| Duration::from_secs(chance.below(to));
        let kind = self.chance.weighted(&[(12, 0_u8), (8, 1), (3, 2), (2, 3), (1, 4)]);
        let now = self.world.clock.now();
        let then = match kind {
            0 => now + seconds(&mut self.chance, 5),
            1 => now + seconds(&mut self.chance, 130),
            2 => now + Duration::from_mins(*self.chance.pick(&EDGES_MIN)),
            3 => now - seconds(&mut self.chance, 120),
            _ => now - seconds(&mut self.chance, 2 * 24 * 60 * 60),
        };
        let by = then.since(now) + now.since(then);
        self.drift += by;
        if !self.stalls && self.drift > DRIFT_MAX {
            self.finish_all_work().await?;
            self.drift = by;
        }
        self.set_clock(then);
        self.settle().await
    }

    fn set_clock(&mut self, then: Timestamp) {
        let by = then.as_millis() - self.world.clock.now().as_millis();
        self.note("clock turned");
        self.detail(&format!("by {by} ms"));
        self.world.clock.set(then);
        self.world.journal.note(Seen::Clock(then));
    }

    /// A caller hangs up: the call ends where it stands.
    fn give_up(&mut self) {
        let calls: Vec<usize> =
            (0..self.tasks.len()).filter(|it| self.tasks[*it].call.is_some()).collect();
        if calls.is_empty() {
            return self.note("nobody to give up");
        }
        let task = self.tasks.remove(*self.chance.pick(&calls));
        self.note("caller gives up");
        self.detail(&format!("#{}", task.id));
        task.handle.abort();
        self.checker.cut_off(task.id);
    }

    /// A process dies with all it was doing; another takes its place.
    async fn crash(&mut self) -> Result<(), Violation> {
        let node = self.chance.place(NODES);
        self.note("crash");
        self.detail(&format!("of node {node}"));
        let (dead, alive): (Vec<_>, Vec<_>) =
            self.tasks.drain(..).partition(|task| task.node == node);
        self.tasks = alive;
        for task in dead {
            task.handle.abort();
            // Until nothing of it is left: an error is how an aborted task ends.
            let _ = task.handle.await;
            self.checker.cut_off(task.id);
        }
        self.world.journal.note(Seen::Forgotten);
        self.world.restart(node).await.map_err(|it| bug(&it))?;
        self.settle().await
    }

    /// Lets everything come to its end without faults: all calls are answered, all sends done.
    async fn calm(&mut self) -> Result<(), Violation> {
        self.note("calm");
        self.world.faults.set(Odds::CALM);
        // Leases and pauses of a few minutes, each passed once; a send needs one try without a fault.
        for _ in 0..3 {
            self.finish_all_work().await?;
            match self.last_lease().await? {
                Some(end) if end > self.world.clock.now() => self.set_clock(end),
                Some(_) => {}
                None => break,
            }
        }
        self.checker.take_in(&self.world)?;
        self.checker.calm(&self.world).await?;
        self.world.faults.set(Odds::ROUGH);
        Ok(())
    }

    /// Answers all calls, and lets the worker of each node do what it has.
    async fn finish_all_work(&mut self) -> Result<(), Violation> {
        self.finish_all().await?;
        for node in 0..NODES {
            self.calls += 1;
            let service = Arc::clone(self.world.node(node));
            self.work_at(service, self.calls, node);
            self.finish_all().await?;
        }
        Ok(())
    }

    async fn finish_all(&mut self) -> Result<(), Violation> {
        self.settle().await?;
        while self.world.gate.release_one(&mut self.chance) {
            self.settle().await?;
        }
        let stuck: Vec<CallId> = self.tasks.iter().map(|task| task.id).collect();
        if stuck.is_empty() {
            return Ok(());
        }
        Err(Violation { invariant: "bug", what: format!("{stuck:?} wait for nothing") })
    }

    /// When the last of the open sends is due.
    async fn last_lease(&self) -> Result<Option<Timestamp>, Violation> {
        let mut last = None;
        for id in self.checker.open_sends() {
            let query = SendQuery { id: Some(id), limit: 1, ..SendQuery::default() };
            for send in self.world.store.sends(&query).await.map_err(|it| bug(&it))? {
                if let SendState::Decided { due_at: at } | SendState::Claimed { until: at, .. } =
                    send.state
                {
                    last = last.max(Some(at));
                }
            }
        }
        Ok(last)
    }

    /// Waits until every task waits at the gate, and checks what happened until then.
    async fn settle(&mut self) -> Result<(), Violation> {
        // The clock of the runtime is paused: it moves on when nothing else can.
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.checker.take_in(&self.world)?;
        let (done, running): (Vec<_>, Vec<_>) =
            self.tasks.drain(..).partition(|task| task.handle.is_finished());
        self.tasks = running;
        for task in done {
            let answer = task.handle.await.map_err(|it| bug(&it))?;
            let Some(answer) = answer else { continue };
            self.count(&name_of(&answer));
            self.detail(&format!("#{}: {}", task.id, name_of(&answer)));
            self.checker.answered(task.id, &answer)?;
            if let Answer::Backup(blob) = answer {
                self.backups.push(Arc::new(blob));
                let surplus = self.backups.len().saturating_sub(BACKUPS_MAX);
                self.backups.drain(..surplus);
            }
        }
        self.checker.compare(&self.world).await
    }

    fn note(&mut self, what: &str) {
        self.count(what);
        self.report.last_steps.push_back(format!("{:>6} {what}", self.step));
        if self.report.last_steps.len() > STEPS_SHOWN {
            self.report.last_steps.pop_front();
        }
    }

    fn detail(&mut self, what: &str) {
        if let Some(step) = self.report.last_steps.back_mut() {
            step.push_str("; ");
            step.push_str(what);
        }
    }

    fn count(&mut self, what: &str) {
        *self.report.tally.entry(what.to_owned()).or_default() += 1;
    }
}

fn name_of(answer: &Answer) -> String {
    match answer {
        Answer::Accepted(committed) => {
            let text = format!("{:?}", committed.accepted);
            text.split('(').next().unwrap_or_default().to_owned()
        }
        Answer::Backup(_) => "Backup".to_owned(),
        Answer::Refused(refused) => refused.refusal.id().to_owned(),
        Answer::Unavailable(_) => "unavailable".to_owned(),
        Answer::Bug(_) => "bug".to_owned(),
    }
}

fn bug(error: &dyn fmt::Display) -> Violation {
    Violation { invariant: "bug", what: error.to_string() }
}

//! Durable commits per second, by how many callers commit at once.
//!
//! `cargo bench -p store -- [SECONDS]` (5 per row by default). Each caller takes fresh numbers through a
//! registration, one unit a step: claim, request a code (event, send, allowance), a wrong guess, right
//! guess and registration (three events). Flushes go to the disk below the target folder. Figures are of
//! the machine as much as of the program: compare rows of one run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use registration::{
    ClaimPhase, NumberRecord, PhoneNumber, Platform, Registration, RegistrationKey,
};
use service::ports::{Event, EventId, NumberWrite, Store, Subject, Unit};
use service::testing::store_contract::sample;
use store::{SqliteOptions, SqliteStore};

fn main() {
    // Cargo passes `--bench`, too.
    let seconds = std::env::args().skip(1).find_map(|it| it.parse().ok()).unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "callers   units/s  units/tx    tx/s  commit µs   p50 ms   p99 ms   max ms  busy %  \
         log restarts"
    );
    for callers in [1, 8, 64, 256] {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let path = folder.path().join("bench.db");
        runtime.block_on(run(&path, callers, Duration::from_secs(seconds)));
    }
}

async fn run(path: &Path, callers: u64, duration: Duration) {
    let store = Arc::new(SqliteStore::open(path, &SqliteOptions::default()).expect("opens"));
    sample::seed(&*store).await;
    let before = store.stats();
    let load = Arc::new(Load::default());
    let started = now();
    let tasks: Vec<_> =
        (0..callers).map(|_| tokio::spawn(caller(Arc::clone(&store), Arc::clone(&load)))).collect();
    tokio::time::sleep(duration).await;
    load.stop.store(true, Relaxed);
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("no panic"));
    }
    let elapsed = started.elapsed();
    waits.sort_unstable();
    let stats = store.stats();
    let units = stats.units - before.units;
    let transactions = (stats.transactions - before.transactions).max(1);
    let per_second = |count: u64| float(count) / elapsed.as_secs_f64();
    let wait_ms = |part: f64| waits[rank(waits.len(), part)].as_secs_f64() * 1e3;
    println!(
        "{callers:7} {:9.0} {:9.1} {:7.0} {:10.0} {:8.2} {:8.2} {:8.2} {:7.0} {:13}",
        per_second(units),
        float(units) / float(transactions),
        per_second(transactions),
        stats.committing.as_secs_f64() * 1e6 / float(transactions),
        wait_ms(0.5),
        wait_ms(0.99),
        wait_ms(1.0),
        stats.busy.as_secs_f64() / elapsed.as_secs_f64() * 100.0,
        stats.log_restarts,
    );
    store.close().await.expect("closes");
}

#[derive(Default)]
struct Load {
    stop: AtomicBool,
    next: AtomicU64,
}

/// Takes numbers through a registration until told to stop; returns how long each commit took.
async fn caller(store: Arc<SqliteStore>, load: Arc<Load>) -> Vec<Duration> {
    let mut waits = Vec::new();
    while !load.stop.load(Relaxed) {
        let n = load.next.fetch_add(1, Relaxed);
        for (expected, step) in (0..).zip(registration(n)) {
            let numbers = vec![NumberWrite { expected, record: step.record }];
            let started = now();
            store.commit(Unit { numbers, ..step.unit }).await.expect("nobody else has this number");
            waits.push(started.elapsed());
        }
    }
    waits
}

struct Step {
    record: NumberRecord,
    unit: Unit,
}

fn registration(n: u64) -> [Step; 4] {
    // Country code 999 is not assigned. Numbers come in no order, as in life.
    let number = 999_000_000_000 + (n.wrapping_mul(0x9e37_79b9) & 0x1fff_ffff);
    let number = PhoneNumber::parse(&number.to_string()).expect("twelve digits");
    let client = format!("client-{n}");
    let event = |k: u128| {
        // Ids of events are random; a bijection that scatters will do.
        let id = (u128::from(n) << 4 | k).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        Event { id: EventId(id), ..sample::event(0, Subject::Number(number)) }
    };
    let events = |from, to| Unit { events: (from..to).map(event).collect(), ..Unit::default() };
    let claimed = sample::claimed(number, ClaimPhase::Unverified);
    let waiting = sample::claimed(number, sample::awaiting(Some(&client), 5));
    let mut guessed = waiting.clone();
    guessed.budgets.failed_in_a_row = 1;
    let mut registered = claimed.clone();
    registered.registration = Some(Registration {
        claim: claimed.claims[0].id.clone(),
        waba: sample::id("waba-1"),
        platform: Platform::OnPremise { client: sample::id(&client) },
        since: sample::at(9),
        restarting_until: sample::at(9),
        key: RegistrationKey(n.into()),
    });
    let ordered = Unit {
        sends: vec![sample::send(n.into(), number, 0)],
        takes: vec![sample::take("country/default/999", Duration::ZERO, 50, sample::at(1))],
        ..events(1, 2)
    };
    [
        Step { record: claimed, unit: events(0, 1) },
        Step { record: waiting, unit: ordered },
        Step { record: guessed, unit: events(2, 3) },
        Step { record: registered, unit: events(3, 6) },
    ]
}

fn rank(len: usize, part: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list of some millions"
    )]
    let place = (len as f64 * part) as usize;
    place.min(len.saturating_sub(1))
}

fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of one run")]
    let count = count as f64;
    count
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

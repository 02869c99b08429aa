//! Random plays: commands, clocks and limits.

use core::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use registration::{
    Budgets, Challenge, ChallengeId, ClaimPhase, CodeMethod, DoubtfulGuesses, Ladder, Limits,
    NumberKind, NumberRecord, PinBudget, PinCheck, PinVerifier, Registration, RegistrationKey,
    Timestamp, TwoStep, Window,
};

use crate::asks::{A, A1, A2, Ask, B, B_BY_A1, B1, C, C1, Code, CodeAsk, Party, RegisterAsk};

/// How the clock moves before a command.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tick {
    /// By so many milliseconds.
    Step(i64),
    /// To this point.
    Jump(Timestamp),
}

impl Tick {
    pub(crate) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Step(ms) => Timestamp::from_millis(now.as_millis().saturating_add(ms)),
            Self::Jump(to) => to,
        }
    }
}

/// A command and the tick before it, many times.
pub(crate) type Play = Vec<(Tick, Ask)>;

pub(crate) fn play(tick: impl Strategy<Value = Tick>) -> impl Strategy<Value = Play> {
    prop::collection::vec((tick, ask()), 1..100)
}

/// Time passes: often not at all or by seconds, sometimes to the edge of a default limit, or by days.
pub(crate) fn forward() -> impl Strategy<Value = Tick> {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    let edges = [1, 2, 5, 10, 24 * 60, 72 * 60, 14 * 24 * 60].map(|minutes| minutes * MINUTE);
    let edge = (select(edges.to_vec()), -1..=1_i64).prop_map(|(edge, by)| edge + by);
    prop_oneof![
        4 => Just(0),
        6 => 0..90_000_i64,
        3 => edge,
        1 => 0..30 * HOUR,
    ]
    .prop_map(Tick::Step)
}

/// Time passes, and now and then somebody turns the clock back.
pub(crate) fn wandering() -> impl Strategy<Value = Tick> {
    (forward(), prop::bool::weighted(0.2)).prop_map(|(tick, back)| match tick {
        Tick::Step(ms) if back => Tick::Step(-ms),
        Tick::Step(_) | Tick::Jump(_) => tick,
    })
}

/// As [`wandering`], and now and then the clock shows anything at all, the ends of time included.
pub(crate) fn wild() -> impl Strategy<Value = Tick> {
    let ends =
        select(vec![i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 60_000, i64::MAX - 1, i64::MAX]);
    let anywhere = prop_oneof![ends, any::<i64>()];
    prop_oneof![
        4 => wandering(),
        1 => anywhere.prop_map(|ms| Tick::Jump(Timestamp::from_millis(ms))),
    ]
}

/// The defaults, or limits so small that a play meets all of them.
pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![Just(Limits::default()), small_limits()]
}

fn small_limits() -> impl Strategy<Value = Limits> {
    let waits = |len| prop::collection::vec((0..90_u64).prop_map(Duration::from_secs), len);
    let window = || (1..7200_u64).prop_map(Duration::from_secs);
    let lives = (window(), window(), window());
    let guesses = (waits(0..6), 0..6_usize, window(), 1..8_u32);
    let sends = (waits(0..4), waits(0..4), window());
    let registrations = (0..4_usize, window(), 0..4_u32, window());
    (lives, guesses, sends, registrations).prop_map(|(lives, guesses, sends, registrations)| {
        Limits {
            code_lifetime: lives.0,
            verified_idle: lives.1,
            coreapp_restart: lives.2,
            guess_waits: guesses.0,
            failed_guesses_max: guesses.1,
            failed_guesses_window: guesses.2,
            failed_in_a_row_max: guesses.3,
            sms_waits: sends.0,
            voice_waits: sends.1,
            ladder_restart: sends.2,
            register_calls_max: registrations.0,
            register_window: registrations.1,
            pin_failures_max: registrations.2,
            pin_lock: registrations.3,
            ..Limits::default()
        }
    })
}

pub(crate) fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        1 => (party(), name()).prop_map(|(by, name)| Ask::Add(by, name)),
        7 => code_ask().prop_map(Ask::Code),
        9 => (party(), code(), prop::option::of(register_ask()))
            .prop_map(|(by, code, register)| Ask::Verify { by, code, register }),
        3 => (party(), register_ask()).prop_map(|(by, ask)| Ask::Register(by, ask)),
        1 => (client(), party(), prop::option::of(0..40_u128)).prop_map(|(to, of, key)| {
            Ask::Restore { to, of, key: key.map(RegistrationKey) }
        }),
        1 => prop::option::of(party()).prop_map(Ask::Deregister),
        1 => client().prop_map(Ask::Release),
        1 => (party(), name()).prop_map(|(by, name)| Ask::Rename(by, name)),
        1 => prop::option::of(party()).prop_map(Ask::SetPin),
        1 => prop::option::of(party()).prop_map(Ask::ClearPin),
        1 => Just(Ask::Unlock),
    ]
}

fn party() -> impl Strategy<Value = Party> {
    select(vec![A, A1, A2, B, B1, B_BY_A1, C, C1])
}

fn client() -> impl Strategy<Value = Party> {
    select(vec![A1, A2, B1, C1])
}

fn name() -> impl Strategy<Value = &'static str> {
    select(vec!["Lucky Shrub", "Jasper's Market"])
}

fn code() -> impl Strategy<Value = Code> {
    prop_oneof![
        3 => Just(Code::Right),
        5 => Just(Code::Wrong),
        1 => Just(Code::Empty),
        1 => party().prop_map(Code::Of),
        1 => (0..40_u128).prop_map(Code::Replayed),
    ]
}

fn pin() -> impl Strategy<Value = PinCheck> {
    prop_oneof![
        3 => Just(PinCheck::Right),
        3 => Just(PinCheck::Absent),
        2 => Just(PinCheck::Wrong),
        1 => Just(PinCheck::Unchecked),
    ]
}

fn register_ask() -> impl Strategy<Value = RegisterAsk> {
    let set_pin = prop::bool::weighted(0.1);
    (pin(), set_pin, any::<bool>()).prop_map(|(pin, set_pin, restart)| RegisterAsk {
        pin,
        set_pin,
        restart,
    })
}

fn code_ask() -> impl Strategy<Value = CodeAsk> {
    let method = select(vec![CodeMethod::Sms, CodeMethod::Voice]);
    let kind = prop_oneof![
        6 => Just(NumberKind::Mobile),
        1 => Just(NumberKind::FixedLine),
        1 => Just(NumberKind::PremiumRate),
    ];
    (party(), method, kind, prop::option::of(pin()), prop::option::of(name()))
        .prop_map(|(by, method, kind, pin, name)| CodeAsk { by, method, kind, pin, name })
}

/// Limits of any size, the absurd ones included.
pub(crate) fn any_limits() -> impl Strategy<Value = Limits> {
    let any_duration = || prop_oneof![Just(Duration::ZERO), Just(Duration::MAX), any::<Duration>()];
    let durations = prop::collection::vec(any_duration(), 7);
    let waits = prop::collection::vec(prop::collection::vec(any_duration(), 0..4), 3);
    let counts = prop::collection::vec(prop_oneof![0..3_u32, Just(u32::MAX)], 4);
    (durations, waits, counts).prop_map(|(durations, waits, counts)| Limits {
        code_lifetime: durations[0],
        failed_guesses_window: durations[1],
        ladder_restart: durations[2],
        register_window: durations[3],
        pin_lock: durations[4],
        verified_idle: durations[5],
        coreapp_restart: durations[6],
        coreapp_connect: Duration::ZERO,
        guess_waits: waits[0].clone(),
        sms_waits: waits[1].clone(),
        voice_waits: waits[2].clone(),
        failed_guesses_max: counts[0] as usize,
        register_calls_max: counts[1] as usize,
        failed_in_a_row_max: counts[2],
        pin_failures_max: counts[3],
    })
}

/// A point in time, often at one of its ends.
pub(crate) fn any_time() -> impl Strategy<Value = Timestamp> {
    let ends = select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]);
    prop_oneof![ends, any::<i64>()].prop_map(Timestamp::from_millis)
}

/// `claimed` with whatever a store could hold in the rest of it, sense or nonsense.
pub(crate) fn any_record(claimed: NumberRecord) -> impl Strategy<Value = NumberRecord> {
    let phases = prop::collection::vec(any_phase(), claimed.claims.len());
    let holder = prop::option::of((0..claimed.claims.len(), party(), any_time()));
    let two_step = prop::option::of(any_time());
    (any_budgets(), phases, holder, two_step).prop_map(
        move |(budgets, phases, holder, two_step)| {
            let mut record = NumberRecord { budgets, ..claimed.clone() };
            for (claim, phase) in record.claims.iter_mut().zip(phases) {
                claim.phase = phase;
            }
            record.two_step =
                two_step.map(|set_at| TwoStep { verifier: PinVerifier::new("hash"), set_at });
            record.registration = holder.map(|(claim, by, at)| Registration {
                claim: record.claims[claim].id.clone(),
                waba: record.claims[claim].waba.clone(),
                platform: by.platform(),
                since: at,
                restarting_until: at,
                key: RegistrationKey(1),
            });
            record
        },
    )
}

fn any_count() -> impl Strategy<Value = u32> {
    prop_oneof![0..6_u32, Just(u32::MAX - 1), Just(u32::MAX)]
}

fn any_phase() -> impl Strategy<Value = ClaimPhase> {
    let times = (any_time(), any_time());
    let optional = (prop::option::of(any_time()), prop::option::of(any_time()));
    (0..3, 0..3_u128, any_count(), times, optional).prop_map(
        |(phase, id, guesses, times, optional)| match phase {
            0 => ClaimPhase::Unverified,
            1 => ClaimPhase::Verified { since: times.0, pin_proven_at: optional.0 },
            _ => ClaimPhase::AwaitingCode(Challenge {
                id: ChallengeId(id),
                key_epoch: 1,
                created_at: times.0,
                first_asked_at: times.0,
                requested_at: times.1,
                guesses,
                last_guess_at: optional.0,
                doubtful: DoubtfulGuesses::default(),
                pin_proven_at: optional.1,
                client: None,
            }),
        },
    )
}

fn any_budgets() -> impl Strategy<Value = Budgets> {
    let ladder = || {
        (any_count(), any_time(), any_time()).prop_map(|(taken, first_at, last_at)| Ladder {
            taken,
            first_at,
            last_at,
        })
    };
    let window = || prop::collection::vec(any_time(), 0..4).prop_map(Window);
    let pin = (any_count(), any_time())
        .prop_map(|(failures, last_failure_at)| PinBudget { failures, last_failure_at });
    let locked = prop::option::weighted(0.2, any_time());
    (ladder(), ladder(), window(), any_count(), locked, window(), window(), pin).prop_map(
        |(sms, voice, failed_guesses, failed_in_a_row, locked_since, calls, ends, pin)| Budgets {
            sms,
            voice,
            failed_guesses,
            failed_in_a_row,
            locked_since,
            register_calls: calls,
            deregister_calls: ends,
            pin,
        },
    )
}

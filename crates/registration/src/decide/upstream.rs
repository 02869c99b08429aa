//! What a registrar upstream said or did, as far as it changes what may be asked next.
//!
//! An answer from there becomes state here: a wait becomes a step on the ladder, a spent window a full
//! window. From then on the ordinary rules refuse the same request, with the same words, and the registrar is
//! left alone until it opens again.

use core::time::Duration;

use super::{Accepted, Draft, Outcome};
use crate::{
    Adopt, Budgets, Challenge, ClaimPhase, CodeMethod, DoubtfulGuesses, Fact, Forwarded, Heed,
    Ladder, PinCheck, Refusal, Timestamp, WabaId, Window,
};

impl Draft<'_> {
    /// Whether a PIN that is checked elsewhere may be tried.
    pub(super) fn foreign_pin_open(&self, pin: PinCheck) -> Result<(), Refusal> {
        let (max, lock) = (self.limits.pin_failures_max, self.limits.pin_lock);
        match self.next.budgets.pin.opens_at(self.now, max, lock) {
            Some(opens_at) if pin == PinCheck::ForUpstream => Err(Refusal::PinLocked { opens_at }),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes a refusal over and answers it. Each call that got an answer counts in its window, as it does
    /// upstream.
    pub(super) fn heed(&mut self, heed: &Heed) -> Outcome {
        let window = self.limits.register_window;
        match heed.operation {
            Forwarded::Register => self.count_register_call(),
            Forwarded::Deregister => self.next.budgets.deregister_calls.push(self.now, window),
            Forwarded::AddNumber
            | Forwarded::RequestCode
            | Forwarded::VerifyCode
            | Forwarded::SetTwoStep
            | Forwarded::ChangeName => {}
        }
        if !heed.is_vague {
            return Err(self.taken_over(heed));
        }
        let exact = self.heard_exactly(heed);
        if exact == Refusal::NumberLocked {
            // No operator here could tell when that ends.
            return Err(exact);
        }
        Err(self.taken_over(&Heed { refusal: exact, ..heed.clone() }))
    }

    fn taken_over(&mut self, heed: &Heed) -> Refusal {
        let limits = self.limits;
        let budgets = &mut self.next.budgets;
        let restart = limits.ladder_restart;
        match &heed.refusal {
            Refusal::CodeTooSoon { method: CodeMethod::Sms, opens_at } => {
                budgets.sms = waiting(budgets.sms, *opens_at, &limits.sms_waits, self.now, restart);
            }
            Refusal::CodeTooSoon { method: CodeMethod::Voice, opens_at } => {
                let waits = &limits.voice_waits;
                budgets.voice = waiting(budgets.voice, *opens_at, waits, self.now, restart);
            }
            Refusal::SmsExhausted { opens_at } => {
                budgets.sms = exhausted(*opens_at, limits.sms_waits.len(), restart);
            }
            Refusal::VoiceExhausted { opens_at } => {
                budgets.voice = exhausted(*opens_at, limits.voice_waits.len(), restart);
            }
            Refusal::GuessesExhausted { opens_at } => {
                let window = limits.failed_guesses_window;
                budgets.failed_guesses = full(*opens_at, limits.failed_guesses_max, window);
            }
            Refusal::RegisterLimit { opens_at } => {
                let filled = full(*opens_at, limits.register_calls_max, limits.register_window);
                *calls_of(budgets, heed.operation) = filled;
            }
            Refusal::PinLocked { .. } | Refusal::PinMismatch { .. } | Refusal::PinRequired
                if !heed.keeps_pins => {}
            Refusal::PinLocked { opens_at } => {
                budgets.pin.failures = limits.pin_failures_max;
                budgets.pin.last_failure_at = *opens_at - limits.pin_lock;
            }
            Refusal::NumberLocked => budgets.locked_since = Some(self.now),
            Refusal::PinMismatch { .. } => return self.foreign_pin_wrong(),
            // The PIN in force here is no longer the one there.
            Refusal::PinRequired => self.next.two_step = None,
            Refusal::CodeMissing | Refusal::NotVerified => {
                self.set_phase(&heed.waba, |_| ClaimPhase::Unverified);
            }
            Refusal::OutOfGuesses => {
                let guesses = limits.guesses_max();
                self.change_challenge(&heed.waba, |it| it.guesses = guesses);
            }
            Refusal::GuessTooSoon { opens_at } => self.hold_guesses(&heed.waba, *opens_at),
            Refusal::NotRegistered => self.lose(&heed.waba),
            Refusal::ChannelImpossible { .. }
            | Refusal::CodeMismatch { .. }
            | Refusal::NotClaimed
            | Refusal::BackupOutdated
            | Refusal::CountryLimit { .. }
            | Refusal::NotMigrating
            | Refusal::DestinationClosed { .. }
            | Refusal::LowConversion { .. }
            | Refusal::SpendLimit { .. }
            | Refusal::TooManyRequests { .. }
            | Refusal::NotAdmin
            | Refusal::NameDeclined
            | Refusal::Retired
            | Refusal::CertificateRefused { .. }
            | Refusal::BackupUnreadable
            | Refusal::ForeignSpace
            | Refusal::NotSubscribed
            | Refusal::AlreadyAdded
            | Refusal::HeldElsewhere
            | Refusal::AlreadyVerified
            | Refusal::Upstream(_) => {}
        }
        heed.refusal.clone()
    }

    /// A PIN that passed here, or was not asked for, is not the one there: ask for it from now on.
    fn foreign_pin_wrong(&mut self) -> Refusal {
        self.next.two_step = None;
        let budget = &mut self.next.budgets.pin;
        budget.failures = budget.failures.saturating_add(1);
        budget.last_failure_at = self.now;
        let tries_left = self.limits.pin_failures_max.saturating_sub(budget.failures);
        Refusal::PinMismatch { tries_left }
    }

    fn set_phase(&mut self, waba: &WabaId, change: impl Fn(&ClaimPhase) -> ClaimPhase) {
        for claim in self.next.claims.iter_mut().filter(|claim| claim.waba == *waba) {
            claim.phase = change(&claim.phase);
        }
    }

    fn change_challenge(&mut self, waba: &WabaId, change: impl Fn(&mut Challenge)) {
        for claim in self.next.claims.iter_mut().filter(|claim| claim.waba == *waba) {
            match &mut claim.phase {
                ClaimPhase::AwaitingCode(challenge) => change(challenge),
                ClaimPhase::Unverified | ClaimPhase::Verified { .. } => {}
            }
        }
    }

    /// Puts the next guess off until `opens_at`: the first pause that is one counts to there.
    fn hold_guesses(&mut self, waba: &WabaId, opens_at: Timestamp) {
        let waits = self.limits.guess_waits.clone();
        self.change_challenge(waba, |challenge| {
            let made = challenge.guesses as usize;
            let next = waits.iter().enumerate().skip(made).find(|(_, wait)| !wait.is_zero());
            if let Some((guesses, wait)) = next {
                challenge.guesses = u32::try_from(guesses).unwrap_or(challenge.guesses);
                challenge.last_guess_at = Some(opens_at - *wait);
                // They are what made it wait.
                challenge.doubtful = DoubtfulGuesses::default();
            }
        });
    }

    /// The registration of this WABA is gone; nobody else's is touched.
    fn lose(&mut self, waba: &WabaId) {
        if self.next.registration.as_ref().is_some_and(|held| held.waba == *waba) {
            self.next.registration = None;
            self.fact(Fact::Deregistered);
        }
    }

    /// Catches up with what was done upstream.
    pub(super) fn adopt(&mut self, adopt: &Adopt) -> Outcome {
        match adopt {
            Adopt::Verified { waba, by_code } => self.adopt_verified(waba, *by_code),
            Adopt::Registered { register, by_code } => {
                let index = self.claim_index(&register.waba)?;
                if *by_code {
                    self.code_confirmed();
                }
                Ok(self.hand_to(index, register))
            }
            Adopt::Guessed { waba, at } => {
                let index = self.claim_index(waba)?;
                self.doubt_guess(index, *at);
                Ok(Accepted::Done)
            }
            Adopt::Deregistered { waba } => {
                self.next.budgets.deregister_calls.push(self.now, self.limits.register_window);
                self.lose(waba);
                Ok(Accepted::Deregistered)
            }
        }
    }

    fn code_confirmed(&mut self) {
        self.next.budgets.failed_in_a_row = 0;
        self.fact(Fact::CodeConfirmed);
    }

    fn adopt_verified(&mut self, waba: &WabaId, by_code: bool) -> Outcome {
        let index = self.claim_index(waba)?;
        let id = self.next.claims[index].id.clone();
        // A proof that nobody gave lately moves no registration: neither to another account nor to another client.
        if !by_code && self.next.registration.is_some() {
            return Ok(Accepted::Done);
        }
        let pin_proven_at = match &self.next.claims[index].phase {
            ClaimPhase::AwaitingCode(challenge) => challenge.pin_proven_at,
            ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
        };
        self.next.claims[index].phase = ClaimPhase::Verified { since: self.now, pin_proven_at };
        self.code_confirmed();
        Ok(Accepted::Verified(id))
    }

    fn claim_index(&self, waba: &WabaId) -> Result<usize, Refusal> {
        let found = self.next.claims.iter().position(|claim| claim.waba == *waba);
        found.ok_or(Refusal::NotClaimed)
    }
}

/// The window in which calls of an operation count.
const fn calls_of(budgets: &mut Budgets, operation: Forwarded) -> &mut Window {
    match operation {
        Forwarded::Deregister => &mut budgets.deregister_calls,
        Forwarded::AddNumber
        | Forwarded::RequestCode
        | Forwarded::VerifyCode
        | Forwarded::Register
        | Forwarded::SetTwoStep
        | Forwarded::ChangeName => &mut budgets.register_calls,
    }
}

/// A ladder whose next step opens at `opens_at`. A step was taken: by the call that was refused.
fn waiting(
    ladder: Ladder,
    opens_at: Timestamp,
    waits: &[Duration],
    now: Timestamp,
    restart: Duration,
) -> Ladder {
    let ladder = ladder.at(now, restart);
    let last = u32::try_from(waits.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let taken = ladder.taken.clamp(1, last.max(1));
    let wait = waits.get(taken as usize).copied().unwrap_or_default();
    // The ladder must not start again before the wait ends.
    let first_at = if ladder.taken == 0 { now } else { ladder.first_at }.max(opens_at - restart);
    Ladder { taken, first_at, last_at: opens_at - wait }
}

/// A ladder with no step left, that starts again at `opens_at`.
fn exhausted(opens_at: Timestamp, steps: usize, restart: Duration) -> Ladder {
    let first_at = opens_at - restart;
    Ladder { taken: u32::try_from(steps).unwrap_or(u32::MAX).max(1), first_at, last_at: first_at }
}

/// A window with no room left, that opens at `opens_at`.
fn full(opens_at: Timestamp, max: usize, window: Duration) -> Window {
    Window(vec![opens_at - window; max])
}

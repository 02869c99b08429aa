//! What a registrar upstream leaves open, made exact by what is known here.
//!
//! Meta has one code for all that can be wrong with a code, Alibaba one for all limits, and neither says how
//! long. Whatever went through here was counted by the same rules that such a registrar has, so the rules here say
//! which of the cases it is. Nothing is refused for that alone: a vague "no" came first.

use core::time::Duration;

use super::Draft;
use crate::budget::Rung;
use crate::{
    Challenge, ClaimPhase, CodeMethod, DoubtfulGuesses, Forwarded, Heed, Ladder, Refusal, Timestamp,
};

impl Draft<'_> {
    /// A vague refusal of anything but a wrong code, made exact. What it means is taken over afterwards.
    pub(super) fn heard_exactly(&mut self, heed: &Heed) -> Refusal {
        match (&heed.refusal, heed.operation) {
            (Refusal::CodeTooSoon { method, .. }, _) => self.next_rung(*method),
            (Refusal::SmsExhausted { opens_at }, _) => {
                Refusal::SmsExhausted { opens_at: self.restarts(self.next.budgets.sms, *opens_at) }
            }
            (Refusal::VoiceExhausted { opens_at }, _) => {
                let opens_at = self.restarts(self.next.budgets.voice, *opens_at);
                Refusal::VoiceExhausted { opens_at }
            }
            (Refusal::RegisterLimit { opens_at }, operation) => {
                let window = match operation {
                    Forwarded::Deregister => &self.next.budgets.deregister_calls,
                    Forwarded::AddNumber
                    | Forwarded::RequestCode
                    | Forwarded::VerifyCode
                    | Forwarded::Register
                    | Forwarded::SetTwoStep
                    | Forwarded::ChangeName => &self.next.budgets.register_calls,
                };
                // At the latest when the oldest call made through here leaves the window.
                let span = self.limits.register_window;
                let leaves = window.opens_at(self.now, window.used(self.now, span).max(1), span);
                Refusal::RegisterLimit { opens_at: leaves.unwrap_or(*opens_at).min(*opens_at) }
            }
            (Refusal::OutOfGuesses, _) => {
                let index = self.next.claims.iter().position(|claim| claim.waba == heed.waba);
                let exact = index.and_then(|index| self.made_exact(index, false).err());
                exact.unwrap_or(Refusal::OutOfGuesses)
            }
            (other, _) => other.clone(),
        }
    }

    /// The step that was refused is one of the ladder: whoever used it up there, the next wait follows.
    fn next_rung(&mut self, method: CodeMethod) -> Refusal {
        let (now, restart) = (self.now, self.limits.ladder_restart);
        let (ladder, waits) = match method {
            CodeMethod::Sms => (&mut self.next.budgets.sms, &self.limits.sms_waits),
            CodeMethod::Voice => (&mut self.next.budgets.voice, &self.limits.voice_waits),
        };
        ladder.step(now, restart);
        match (ladder.rung(now, waits, restart), method) {
            (Rung::Exhausted(opens_at), CodeMethod::Sms) => Refusal::SmsExhausted { opens_at },
            (Rung::Exhausted(opens_at), CodeMethod::Voice) => Refusal::VoiceExhausted { opens_at },
            (Rung::Wait(opens_at), _) => Refusal::CodeTooSoon { method, opens_at },
            (Rung::Open, _) => Refusal::CodeTooSoon { method, opens_at: now + SHORTEST },
        }
    }

    /// When a ladder that is used up starts again: by its first step if that went through here.
    fn restarts(&self, ladder: Ladder, told: Timestamp) -> Timestamp {
        let ladder = ladder.at(self.now, self.limits.ladder_restart);
        if ladder.taken == 0 {
            told
        } else {
            told.min(ladder.first_at + self.limits.ladder_restart)
        }
    }

    /// Reads a "no" to a code that does not say why: what the rules here would say if the code had the age, and the
    /// guesses, that it perhaps has there. `Ok` if that explains nothing. Where the code itself `may_be_wrong`, one
    /// that may be too old counts as that.
    pub(super) fn made_exact(&mut self, index: usize, may_be_wrong: bool) -> Result<(), Refusal> {
        let (max, life) = (self.limits.guesses_max(), self.limits.code_lifetime);
        let ClaimPhase::AwaitingCode(challenge) = &self.next.claims[index].phase else {
            return Ok(());
        };
        let mut challenge = challenge.clone();
        if may_be_wrong && self.now >= challenge.first_asked_at + life {
            challenge.doubt(self.now);
            let is_spent = challenge.counted().guesses >= max;
            self.next.claims[index].phase =
                if is_spent { ClaimPhase::Unverified } else { ClaimPhase::AwaitingCode(challenge) };
            return Err(Refusal::CodeMissing);
        }
        let counted = challenge.counted();
        let refused = if counted.guesses >= max {
            Err(Refusal::OutOfGuesses)
        } else {
            self.guess_open(&counted)
        };
        if refused.is_err() {
            // They explain the refusal, so they were made.
            self.next.claims[index].phase = ClaimPhase::AwaitingCode(counted);
        }
        refused
    }

    /// Notes a guess that was perhaps compared.
    pub(super) fn doubt_guess(&mut self, index: usize, at: Timestamp) {
        match &mut self.next.claims[index].phase {
            ClaimPhase::AwaitingCode(challenge) => challenge.doubt(at),
            ClaimPhase::Unverified | ClaimPhase::Verified { .. } => {}
        }
    }
}

/// The wait of a limit that has none here.
const SHORTEST: Duration = Duration::from_mins(1);

impl Challenge {
    fn doubt(&mut self, at: Timestamp) {
        self.doubtful.count = self.doubtful.count.saturating_add(1);
        self.doubtful.last_at = self.doubtful.last_at.max(Some(at));
    }

    /// The same with every doubtful guess made.
    fn counted(&self) -> Self {
        Self {
            guesses: self.guesses.saturating_add(self.doubtful.count),
            last_guess_at: self.last_guess_at.max(self.doubtful.last_at),
            doubtful: DoubtfulGuesses::default(),
            ..self.clone()
        }
    }
}

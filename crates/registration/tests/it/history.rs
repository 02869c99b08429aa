//! The rules told once more, the other way round: nothing is kept but a list of what happened, and each
//! answer is worked out from the list. Holds while two-step verification is off and the clock runs
//! forward; what it must agree with is every answer, with the moment at which a refusal opens.

#![expect(clippy::wildcard_enum_match_arm, reason = "a question is about a few events of the list")]

use core::time::Duration;

use registration::{Accepted, CodeMethod, Limits, NumberKind, Refusal, RegistrationKey, Timestamp};

use crate::answers::{Answer, MISSING};
use crate::asks::{Ask, Code, CodeAsk, Party};

#[derive(Debug, Clone, Copy)]
enum Event {
    Claimed(Party),
    Sent { to: Party, method: CodeMethod, code: u128 },
    Guessed { by: Party, code: u128, right: bool },
    RegisterCall,
    DeregisterCall,
    Registered { by: Party, key: u128 },
    Restored(Party),
    LetGo,
    Unlocked,
}

/// All that happened to one number.
pub(crate) struct History {
    limits: Limits,
    events: Vec<(Timestamp, Event)>,
    now: Timestamp,
}

/// The registration as the list tells it.
struct Holder {
    claim: Party,
    client: Option<&'static str>,
    key: u128,
}

impl History {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, events: Vec::new(), now: Timestamp::default() }
    }

    /// The answer to the command with this running number, and what it makes happen.
    pub(crate) fn answer(&mut self, now: Timestamp, ask: Ask, serial: u128) -> Answer {
        self.now = now;
        match ask {
            Ask::Add(by, _) => {
                self.happens(Event::Claimed(by));
                Ok(Accepted::NumberAdded(by.claim()))
            }
            Ask::Code(ask) => self.request_code(ask, serial),
            Ask::Verify { by, code, register } => self.verify(by, code, register.is_some(), serial),
            Ask::Register(by, _) => self.register(by, serial),
            Ask::Restore { to, of, key } => self.restore(to, of, key),
            Ask::Deregister(by) => self.deregister(by),
            Ask::Release(by) => {
                if self.holder().is_some_and(|held| held.client == by.client) {
                    self.happens(Event::LetGo);
                }
                Ok(Accepted::Done)
            }
            Ask::Rename(by, _) if self.claimed(by) => Ok(Accepted::Done),
            Ask::Rename(..) => Err(Refusal::NotClaimed),
            Ask::ClearPin(None) => Ok(Accepted::Done),
            Ask::ClearPin(Some(by)) => match self.holder() {
                Some(held) if by.client.is_some() && held.client == by.client => Ok(Accepted::Done),
                Some(held) if by.client.is_none() && held.claim.waba == by.waba => {
                    Ok(Accepted::Done)
                }
                _ => Err(Refusal::NotRegistered),
            },
            Ask::SetPin(_) => panic!("the list knows no PIN"),
            Ask::Unlock => {
                self.happens(Event::Unlocked);
                Ok(Accepted::Done)
            }
        }
    }

    fn request_code(&mut self, ask: CodeAsk, serial: u128) -> Answer {
        let by = ask.by;
        if by.client.is_some() {
            if self.runs_for(by) {
                return Ok(Accepted::AlreadyRegistered(by.claim()));
            }
            if self.verified(by) {
                self.register_call_open()?;
                return Ok(self.registers(by, serial));
            }
        }
        if self.locked() {
            return Err(Refusal::NumberLocked);
        }
        let possible = match ask.kind {
            NumberKind::Mobile => true,
            NumberKind::FixedLine => ask.method == CodeMethod::Voice,
            _ => false,
        };
        if !possible {
            return Err(Refusal::ChannelImpossible { method: ask.method, kind: ask.kind });
        }
        self.ladder_open(ask)?;
        if ask.name.is_some() {
            self.happens(Event::Claimed(by));
        } else if !self.claimed(by) {
            return Err(Refusal::NotClaimed);
        }
        let usable = |code: &u128| self.wrong(*code).len() < self.limits.guess_waits.len();
        let code = self.pending(by).filter(usable).unwrap_or(serial);
        self.happens(Event::Sent { to: by, method: ask.method, code });
        Ok(Accepted::CodeSent(by.claim()))
    }

    fn ladder_open(&self, ask: CodeAsk) -> Result<(), Refusal> {
        let (method, restart) = (ask.method, self.limits.ladder_restart);
        let waits = match method {
            CodeMethod::Sms => &self.limits.sms_waits,
            CodeMethod::Voice => &self.limits.voice_waits,
        };
        let sent = self.on_ladder(method);
        let begins = sent.first().copied().unwrap_or(self.now);
        let Some(wait) = waits.get(sent.len()) else {
            let opens_at = begins + restart;
            return Err(match method {
                CodeMethod::Sms => Refusal::SmsExhausted { opens_at },
                CodeMethod::Voice => Refusal::VoiceExhausted { opens_at },
            });
        };
        let sms = self.on_ladder(CodeMethod::Sms);
        let opens_at = match (sent.last(), sms.first()) {
            (Some(last), _) => (*last + *wait).min(begins + restart),
            (None, Some(first))
                if method == CodeMethod::Voice && ask.kind == NumberKind::Mobile =>
            {
                *first + *wait
            }
            (None, _) => return Ok(()),
        };
        if self.now >= opens_at { Ok(()) } else { Err(Refusal::CodeTooSoon { method, opens_at }) }
    }

    /// Sends since the present ladder began.
    fn on_ladder(&self, by: CodeMethod) -> Vec<Timestamp> {
        let restart = self.limits.ladder_restart;
        let mut ladder: Vec<Timestamp> = Vec::new();
        let over = |ladder: &[Timestamp], at: Timestamp| {
            ladder.first().is_some_and(|first| at >= *first + restart)
        };
        for at in self.times(|event| matches!(event, Event::Sent { method, .. } if method == by)) {
            if over(&ladder, at) {
                ladder.clear();
            }
            ladder.push(at);
        }
        if over(&ladder, self.now) { Vec::new() } else { ladder }
    }

    fn verify(&mut self, by: Party, given: Code, register: bool, serial: u128) -> Answer {
        let Some(code) = self.pending(by) else { return MISSING };
        let wrong = self.wrong(code);
        let Some(wait) = self.limits.guess_waits.get(wrong.len()).copied() else {
            return Err(Refusal::OutOfGuesses);
        };
        if given == Code::Empty {
            return MISSING;
        }
        if self.locked() {
            return Err(Refusal::NumberLocked);
        }
        let failed = self.times(|event| matches!(event, Event::Guessed { right: false, .. }));
        let (max, window) = (self.limits.failed_guesses_max, self.limits.failed_guesses_window);
        if let Some(opens_at) = self.full(&failed, max, window) {
            return Err(Refusal::GuessesExhausted { opens_at });
        }
        if let Some(opens_at) = wrong.last().map(|last| *last + wait).filter(|at| self.now < *at) {
            return Err(Refusal::GuessTooSoon { opens_at });
        }
        if register {
            self.register_call_open()?;
        }
        let right = match given {
            Code::Right => true,
            Code::Replayed(id) if id == code => true,
            Code::Replayed(_) => return MISSING,
            Code::Wrong | Code::Empty | Code::Of(_) => false,
        };
        self.happens(Event::Guessed { by, code, right });
        if !right {
            let left = self.limits.guess_waits.len() - wrong.len() - 1;
            return Err(Refusal::CodeMismatch { guesses_left: u32::try_from(left).expect("few") });
        }
        if register {
            return Ok(self.registers(by, serial));
        }
        Ok(Accepted::Verified(by.claim()))
    }

    fn register(&mut self, by: Party, serial: u128) -> Answer {
        if !self.claimed(by) {
            return Err(Refusal::NotClaimed);
        }
        let already = self.runs_for(by);
        if !already && !self.verified(by) {
            return Err(Refusal::NotVerified);
        }
        self.register_call_open()?;
        if already {
            self.happens(Event::RegisterCall);
            return Ok(Accepted::AlreadyRegistered(by.claim()));
        }
        Ok(self.registers(by, serial))
    }

    fn registers(&mut self, by: Party, key: u128) -> Accepted {
        self.happens(Event::RegisterCall);
        self.happens(Event::Registered { by, key });
        Accepted::Registered(by.claim())
    }

    fn restore(&mut self, to: Party, of: Party, key: Option<RegistrationKey>) -> Answer {
        match self.holder() {
            Some(held) if held.claim.waba == of.waba && key.is_none_or(|key| key.0 == held.key) => {
                self.happens(Event::Restored(to));
                Ok(Accepted::Restored(of.claim()))
            }
            _ => Err(Refusal::BackupOutdated),
        }
    }

    fn deregister(&mut self, by: Option<Party>) -> Answer {
        let held = self.holder().ok_or(Refusal::NotRegistered)?;
        if let Some(by) = by {
            if held.claim.waba != by.waba {
                return Err(Refusal::NotRegistered);
            }
            let calls = self.times(|event| matches!(event, Event::DeregisterCall));
            let (max, window) = (self.limits.register_calls_max, self.limits.register_window);
            if let Some(opens_at) = self.full(&calls, max, window) {
                return Err(Refusal::RegisterLimit { opens_at });
            }
            self.happens(Event::DeregisterCall);
        }
        self.happens(Event::LetGo);
        Ok(Accepted::Deregistered)
    }

    fn register_call_open(&self) -> Result<(), Refusal> {
        let calls = self.times(|event| matches!(event, Event::RegisterCall));
        let (max, window) = (self.limits.register_calls_max, self.limits.register_window);
        match self.full(&calls, max, window) {
            Some(opens_at) => Err(Refusal::RegisterLimit { opens_at }),
            None => Ok(()),
        }
    }

    /// When a moving window that takes `max` events opens, if it is full.
    fn full(&self, events: &[Timestamp], max: usize, window: Duration) -> Option<Timestamp> {
        let counts = events.iter().filter(|at| **at + window > self.now).count();
        let newest_but_max = events.len().checked_sub(max)?;
        let opens = events.get(newest_but_max).copied().unwrap_or(self.now);
        (counts >= max).then_some(opens + window)
    }

    /// The code that `by` may answer.
    fn pending(&self, by: Party) -> Option<u128> {
        let last = self.events.iter().rev().find_map(|(_, event)| match event {
            Event::Sent { to, code, .. } if to.waba == by.waba => Some(Some(*code)),
            Event::Guessed { by: who, right: true, .. } if who.waba == by.waba => Some(None),
            _ => None,
        });
        let code = last.flatten()?;
        let made = self.times(|event| matches!(event, Event::Sent { code: it, .. } if it == code));
        (self.now < made[0] + self.limits.code_lifetime).then_some(code)
    }

    fn wrong(&self, code: u128) -> Vec<Timestamp> {
        self.times(
            |event| matches!(event, Event::Guessed { code: it, right: false, .. } if it == code),
        )
    }

    /// Whether somebody else holds the number and came to it after `at`.
    fn registered_elsewhere_after(&self, at: Timestamp, by: Party) -> bool {
        let last = self.events.iter().rev().find_map(|(at, event)| match event {
            Event::Registered { by: who, .. } => Some((*at, who.waba != by.waba)),
            _ => None,
        });
        self.holder().is_some() && last.is_some_and(|(when, elsewhere)| elsewhere && when > at)
    }

    /// Whether a code of `by` was confirmed and the proof is neither spent nor stale.
    fn verified(&self, by: Party) -> bool {
        let idle = self.limits.verified_idle;
        let last = self.events.iter().rev().find_map(|(at, event)| match event {
            Event::Guessed { by: who, right: true, .. } if who.waba == by.waba => {
                Some(self.now < *at + idle && !self.registered_elsewhere_after(*at, by))
            }
            Event::Sent { to: who, .. } | Event::Registered { by: who, .. }
                if who.waba == by.waba =>
            {
                Some(false)
            }
            _ => None,
        });
        last.unwrap_or(false)
    }

    fn locked(&self) -> bool {
        let mut in_a_row = 0;
        for (_, event) in self.events.iter().rev() {
            match event {
                Event::Guessed { right: false, .. } => in_a_row += 1,
                Event::Guessed { right: true, .. } | Event::Unlocked => break,
                _ => {}
            }
        }
        in_a_row >= self.limits.failed_in_a_row_max
    }

    fn holder(&self) -> Option<Holder> {
        let mut holder: Option<Holder> = None;
        for (_, event) in &self.events {
            match event {
                Event::Registered { by, key } => {
                    holder = Some(Holder { claim: *by, client: by.client, key: *key });
                }
                Event::Restored(to) => {
                    holder = holder.map(|held| Holder { client: to.client, ..held });
                }
                Event::LetGo => holder = None,
                _ => {}
            }
        }
        holder
    }

    fn runs_for(&self, by: Party) -> bool {
        self.holder().is_some_and(|held| held.claim.waba == by.waba && held.client == by.client)
    }

    fn claimed(&self, by: Party) -> bool {
        self.events
            .iter()
            .any(|(_, event)| matches!(event, Event::Claimed(who) if who.waba == by.waba))
    }

    fn happens(&mut self, event: Event) {
        self.events.push((self.now, event));
    }

    fn times(&self, which: impl Fn(Event) -> bool) -> Vec<Timestamp> {
        self.events.iter().filter(|(_, event)| which(*event)).map(|(at, _)| *at).collect()
    }
}

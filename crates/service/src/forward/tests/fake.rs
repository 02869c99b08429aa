//! An upstream in memory that does what it is asked, loses answers when told to, and counts.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use registration::{
    CodeMethod, ForeignWords, Locale, Refusal, Timestamp, TwoStepPin, VerificationCode,
    VerifiedName,
};

use crate::ports::{
    CodeAccepted, Doubt, Errand, ForeignBackup, Link, UpstreamError, UpstreamRegistrar,
    UpstreamState,
};

/// The one code that is right.
pub(super) const RIGHT: &str = "123456";

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It never arrives.
    Before,
    /// It is carried out and its answer lost.
    After,
    /// An error comes back, and nothing was done.
    Error,
    /// No answer ever comes; it is carried out.
    Hang,
    /// It is refused.
    Refuse(Refusal),
}

#[derive(Debug, Default)]
pub(super) struct Fake {
    pub(super) known: bool,
    pub(super) verified: bool,
    pub(super) registered: bool,
    pub(super) pin: Option<String>,
    pub(super) registrations: u32,
    pub(super) codes: u32,
    pub(super) backup: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) calls: Vec<&'static str>,
    /// Trouble of the next call of this operation.
    pub(super) script: VecDeque<(&'static str, Trouble)>,
    /// Trouble of the call after so many.
    pub(super) trouble_at: Option<(usize, Trouble)>,
}

#[derive(Debug, Default)]
pub(super) struct FakeUpstream(Mutex<Fake>);

impl FakeUpstream {
    pub(super) fn state(&self) -> MutexGuard<'_, Fake> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn trouble(&self, operation: &'static str, trouble: Trouble) {
        self.state().script.push_back((operation, trouble));
    }

    /// Carries a call out, with whatever trouble it shall have.
    async fn call<T>(
        &self,
        name: &'static str,
        act: impl FnOnce(&mut Fake) -> Result<T, UpstreamError>,
    ) -> Result<T, UpstreamError> {
        let (trouble, answer) = {
            let mut fake = self.state();
            fake.calls.push(name);
            let made = fake.calls.len() - 1;
            let is_next = fake.script.front().is_some_and(|(of, _)| *of == name);
            let mut trouble = if is_next { fake.script.pop_front().map(|it| it.1) } else { None };
            if fake.trouble_at.as_ref().is_some_and(|(at, _)| *at == made) {
                trouble = fake.trouble_at.take().map(|it| it.1);
            }
            let answer = match &trouble {
                None | Some(Trouble::After | Trouble::Hang) => Some(act(&mut fake)),
                Some(Trouble::Before | Trouble::Error | Trouble::Refuse(_)) => None,
            };
            (trouble, answer)
        };
        match (trouble, answer) {
            (Some(Trouble::Hang), _) => core::future::pending().await,
            (Some(Trouble::Refuse(refusal)), _) => Err(refused(refusal)),
            (Some(Trouble::Before), _) => Err(lost(Doubt::NotDone)),
            (Some(Trouble::Error), _) => Err(lost(Doubt::Settled)),
            (Some(Trouble::After), _) | (None, None) => Err(lost(Doubt::UnderWay)),
            (None, Some(answer)) => answer,
        }
    }
}

fn lost(doubt: Doubt) -> UpstreamError {
    UpstreamError::Unavailable { reason: "rehearsed".to_owned(), doubt, retry_after: None }
}

pub(super) fn refused(refusal: Refusal) -> UpstreamError {
    UpstreamError::Refused { refusal, words: Box::new(ForeignWords::default()), is_vague: false }
}

impl Fake {
    fn shown(&self) -> UpstreamState {
        UpstreamState {
            id: "7001".to_owned(),
            digits: "447700900123".to_owned(),
            registered: Some(self.registered),
            verified: Some(self.verified),
            pin_enabled: Some(self.pin.is_some()),
            names: self.names.clone(),
            ..UpstreamState::default()
        }
    }
}

#[async_trait]
impl UpstreamRegistrar for FakeUpstream {
    fn check(&self, _: &Link) -> Result<(), String> {
        Ok(())
    }

    async fn numbers(&self, _: &Link, _: Timestamp) -> Result<Vec<UpstreamState>, UpstreamError> {
        self.call("numbers", |fake| Ok(if fake.known { vec![fake.shown()] } else { Vec::new() }))
            .await
    }

    async fn find_or_add(
        &self,
        _: Errand<'_>,
        _: &VerifiedName,
    ) -> Result<UpstreamState, UpstreamError> {
        self.call("find_or_add", |fake| {
            fake.known = true;
            Ok(fake.shown())
        })
        .await
    }

    async fn read_back(&self, _: Errand<'_>) -> Result<Option<UpstreamState>, UpstreamError> {
        self.call("read_back", |fake| Ok(fake.known.then(|| fake.shown()))).await
    }

    async fn request_code(
        &self,
        _: Errand<'_>,
        _: CodeMethod,
        _: &Locale,
    ) -> Result<(), UpstreamError> {
        self.call("request_code", |fake| {
            fake.codes += 1;
            Ok(())
        })
        .await
    }

    async fn verify_code(
        &self,
        _: Errand<'_>,
        code: &VerificationCode,
    ) -> Result<CodeAccepted, UpstreamError> {
        let is_right = code.reveal() == RIGHT;
        self.call("verify_code", |fake| {
            if !is_right || fake.verified {
                return Err(refused(Refusal::CodeMismatch { guesses_left: 0 }));
            }
            fake.verified = true;
            Ok(CodeAccepted { registered: false })
        })
        .await
    }

    async fn register(
        &self,
        _: Errand<'_>,
        pin: Option<&TwoStepPin>,
        backup: Option<&ForeignBackup>,
    ) -> Result<(), UpstreamError> {
        let pin = pin.map(|pin| String::from_utf8_lossy(pin.reveal()).into_owned());
        let backup = backup.map(|backup| backup.password.reveal().to_owned());
        self.call("register", |fake| {
            if !fake.verified && backup.is_none() {
                return Err(refused(Refusal::NotVerified));
            }
            if fake.pin.is_some() && fake.pin != pin {
                return Err(refused(Refusal::PinMismatch { tries_left: 0 }));
            }
            fake.pin = pin;
            fake.backup = backup;
            fake.registered = true;
            fake.registrations += 1;
            Ok(())
        })
        .await
    }

    async fn deregister(&self, _: Errand<'_>) -> Result<(), UpstreamError> {
        self.call("deregister", |fake| {
            if !fake.registered {
                return Err(refused(Refusal::NotRegistered));
            }
            fake.registered = false;
            Ok(())
        })
        .await
    }

    async fn change_name(&self, _: Errand<'_>, name: &VerifiedName) -> Result<(), UpstreamError> {
        let name = name.as_str().to_owned();
        self.call("change_name", |fake| {
            fake.names.push(name);
            Ok(())
        })
        .await
    }

    async fn set_two_step(&self, _: Errand<'_>, pin: &TwoStepPin) -> Result<(), UpstreamError> {
        let pin = String::from_utf8_lossy(pin.reveal()).into_owned();
        self.call("set_two_step", |fake| {
            fake.pin = Some(pin);
            Ok(())
        })
        .await
    }
}

//! One number on a stage: commands are played on its record, each at its second.
//!
//! What costs I/O or chance in the real service is a toy here: the code of a challenge is a function of
//! its id, ids are a running number, and a PIN's verdict is part of the command.

use registration::{
    AddNumber, Challenge, ChallengeId, ClaimPhase, CodeMaker, CodeProof, CodeSend, Command,
    Decision, Effect, Limits, Locale, NewClaim, NumberRecord, PhoneNumber, PhoneNumberId, PinCheck,
    PinVerifier, Platform, Reach, Register, RegistrationKey, RequestCode, Requester, Restore,
    Timestamp, VerificationCode, VerifiedName, VerifyCode, decide,
};

use crate::answers::{Answer, DONE, added, at, registered, sent};
use crate::asks::{A, Ask, B, Code, CodeAsk, Party, RegisterAsk, add, sms, verify_and_register};

/// The toy in place of the keyed code: different for each of the first million challenges.
pub(crate) fn code_of(challenge: ChallengeId) -> VerificationCode {
    let mixed = (challenge.0 * 7919 + 271_828) % 1_000_000;
    VerificationCode::from_truncated_mac(u32::try_from(mixed).expect("below a million"))
}

/// A code that is not that of `challenge`.
pub(crate) fn wrong_code_for(challenge: ChallengeId) -> VerificationCode {
    code_of(ChallengeId(challenge.0 + 500_000))
}

fn name(text: &str) -> VerifiedName {
    VerifiedName::parse(text).expect("a display name")
}

/// One number and what has become of it.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) record: NumberRecord,
    pub(crate) limits: Limits,
    /// Epoch that new challenges are given.
    pub(crate) key_epoch: u32,
    /// Challenge ids and registration keys are numbered in the order of commands, from 1.
    pub(crate) serial: u128,
}

impl Stage {
    /// A number that nobody has named yet.
    pub(crate) fn empty() -> Self {
        let number = PhoneNumber::parse("+4915112345667").expect("a fictitious mobile number");
        let record = NumberRecord::absent(number);
        Self { record, limits: Limits::default(), key_epoch: 1, serial: 0 }
    }

    /// A number that the WABAs A and B claim.
    pub(crate) fn claimed() -> Self {
        let mut stage = Self::empty();
        stage.play(&[(0, add(A), added(A)), (0, add(B), added(B))]);
        stage
    }

    /// A number that `by` has just registered at second 0.
    pub(crate) fn held_by(by: Party) -> Self {
        let mut stage = Self::claimed();
        stage.play(&[
            (0, sms(by), sent(by)),
            (0, verify_and_register(by, Code::Right), registered(by)),
        ]);
        stage
    }

    /// The same number with two-step verification switched on at second 0.
    pub(crate) fn with_pin(mut self) -> Self {
        self.play(&[(0, Ask::SetPin(None), DONE)]);
        self
    }

    /// Plays rows of second, command and expected answer.
    #[track_caller]
    pub(crate) fn play(&mut self, rows: &[(i64, Ask, Answer)]) {
        for (row, (second, ask, expected)) in rows.iter().enumerate() {
            let before = self.record.clone();
            let decision = self.ask(*second, *ask);
            assert_eq!(
                decision.outcome, *expected,
                "row {row}: second {second}, {ask:?}\nagainst {before:#?}"
            );
        }
    }

    /// Plays one command and keeps the record it leaves.
    pub(crate) fn ask(&mut self, second: i64, ask: Ask) -> Decision {
        let command = self.command(ask, at(second));
        self.decide(&command, at(second))
    }

    /// Decides a command in full and keeps the record it leaves.
    pub(crate) fn decide(&mut self, command: &Command, now: Timestamp) -> Decision {
        let decision = decide(self.record.clone(), command, now, &self.limits);
        self.record = decision.next.clone();
        decision
    }

    /// The send that a code request orders.
    pub(crate) fn send(&mut self, second: i64, ask: Ask) -> CodeSend {
        let decision = self.ask(second, ask);
        match decision.effects.as_slice() {
            [Effect::SendCode(send)] => send.clone(),
            _ => panic!("second {second}, {ask:?}: {:?}", decision.outcome),
        }
    }

    /// The challenge that the claim keeps, alive or not.
    pub(crate) fn challenge(&self, by: Party) -> Option<&Challenge> {
        match &self.record.claim_of(&by.waba())?.phase {
            ClaimPhase::AwaitingCode(challenge) => Some(challenge),
            ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
        }
    }

    /// Who holds the number.
    pub(crate) fn holder(&self) -> Option<(PhoneNumberId, Platform)> {
        let held = self.record.registration.as_ref()?;
        Some((held.claim.clone(), held.platform.clone()))
    }

    /// The command in full, as the service would prepare it from the present record.
    pub(crate) fn command(&mut self, ask: Ask, now: Timestamp) -> Command {
        self.serial += 1;
        match ask {
            Ask::Add(by, name) => Command::AddNumber(AddNumber {
                waba: by.waba(),
                claim: Self::new_claim(by, name),
                only_new: false,
            }),
            Ask::Code(ask) => Command::RequestCode(self.request_code(ask)),
            Ask::Verify { by, code, register } => {
                Command::VerifyCode(self.verify_code(by, code, register, now))
            }
            Ask::Register(by, ask) => Command::Register(self.registration(by, ask)),
            Ask::Restore { to, of, key } => Command::Restore(Restore {
                client: to.client().expect("only a client restores"),
                claim: of.claim(),
                key: key.unwrap_or_else(|| self.present_key()),
            }),
            Ask::Deregister(by) => Command::Deregister { waba: by.map(Party::waba) },
            Ask::Release(by) => Command::Release {
                client: by.client().expect("only a client takes another number"),
            },
            Ask::Rename(by, text) => {
                Command::ChangeName { waba: by.waba(), name: name(text), certificate_serial: None }
            }
            Ask::SetPin(by) => {
                Command::SetTwoStep { holder: by.map(Party::holding), verifier: self.verifier() }
            }
            Ask::ClearPin(by) => Command::ClearTwoStep { holder: by.map(Party::holding) },
            Ask::Unlock => Command::Unlock,
        }
    }

    fn present_key(&self) -> RegistrationKey {
        self.record.registration.as_ref().map_or(RegistrationKey(0), |held| held.key)
    }

    fn new_claim(by: Party, text: &str) -> NewClaim {
        NewClaim { id: by.claim(), name: name(text), certificate_serial: None, needs_review: false }
    }

    fn verifier(&self) -> PinVerifier {
        PinVerifier::new(&format!("hash {}", self.serial))
    }

    fn request_code(&self, ask: CodeAsk) -> RequestCode {
        let by = ask.by;
        RequestCode {
            requester: Requester { waba: by.waba(), client: by.client() },
            claim: ask.name.map(|name| Self::new_claim(by, name)),
            made_by: CodeMaker::Here,
            method: ask.method,
            kind: ask.kind,
            locale: Locale::english(),
            pin: ask.pin,
            fresh_challenge: ChallengeId(self.serial),
            key_epoch: self.key_epoch,
            only_unproven: false,
            register: by.client.map(|_| {
                let pin = ask.pin.unwrap_or(PinCheck::Absent);
                self.registration(by, RegisterAsk { pin, ..RegisterAsk::PLAIN })
            }),
            reach: Reach::Open,
            waiting: None,
        }
    }

    fn verify_code(
        &self,
        by: Party,
        code: Code,
        register: Option<RegisterAsk>,
        now: Timestamp,
    ) -> VerifyCode {
        let kept = self.challenge(by).map_or(ChallengeId(0), |challenge| challenge.id);
        let live = self.record.claim_of(&by.waba());
        let live = live.and_then(|claim| claim.live_challenge(now, &self.limits));
        let expected = |id| CodeProof::Expected(id, code_of(id));
        let proof = live.map_or(CodeProof::None, |challenge| expected(challenge.id));
        let (submitted, proof) = match code {
            Code::Right => (Some(code_of(kept)), proof),
            Code::Wrong => (Some(wrong_code_for(kept)), proof),
            Code::Empty => (None, proof),
            Code::Of(other) => {
                (self.challenge(other).map(|challenge| code_of(challenge.id)), proof)
            }
            Code::Replayed(id) => (Some(code_of(ChallengeId(id))), expected(ChallengeId(id))),
        };
        VerifyCode {
            requester: Requester { waba: by.waba(), client: by.client() },
            submitted,
            proof,
            register: register.map(|ask| self.registration(by, ask)),
        }
    }

    fn registration(&self, by: Party, ask: RegisterAsk) -> Register {
        Register {
            waba: by.waba(),
            platform: by.platform(),
            pin: ask.pin,
            key: RegistrationKey(self.serial),
            restart: ask.restart,
            set_pin: ask.set_pin.then(|| self.verifier()),
            by_backup: None,
        }
    }
}

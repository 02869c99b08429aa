//! What became of a call whose answer is not recorded, and how the record catches up with it.

use async_trait::async_trait;
use registration::{
    Adopt, ChallengeId, ClientId, CodeMaker, CodeMethod, Command, Locale, NumberKind, NumberRecord,
    PinCheck, PinVerifier, Platform, Reach, Register, RegistrationKey, RequestCode, Requester,
    Timestamp, VerifiedName, WabaId,
};
use serde_json::{Value, json};

use super::{Settled, Trip};
use crate::directory::{Call, UnderWay};
use crate::error::{ServiceError, Unavailable};
use crate::execute::{Committed, Proposal, Step};
use crate::ports::{EntropyExt as _, UpstreamState};
use crate::proposals::release;
use crate::service::Service;

impl Trip<'_> {
    /// Finds out what became of a call that has no recorded answer.
    pub(super) async fn settle(&mut self) -> Result<Settled, ServiceError> {
        let Some(UnderWay { what, since, settles_at }) = self.mirror.under_way.clone() else {
            return Ok(Settled::Nothing);
        };
        if let Call::RequestCode { method, client } = what {
            self.mirror.under_way = None;
            self.mirror.own_code = false;
            return match self.commit(&self.sent_perhaps(method, client), None).await {
                Ok(_) | Err(ServiceError::Refused(_)) => Ok(Settled::Nothing),
                Err(error) => Err(error),
            };
        }
        let state = match self.port.read_back(self.errand()).await {
            Ok(state) => state,
            Err(error) => {
                let reason = format!("an earlier call has to be settled first: {error}");
                return Err(Unavailable::Upstream { reason }.into());
            }
        };
        let state = state.unwrap_or(UpstreamState {
            registered: Some(false),
            verified: Some(false),
            ..UpstreamState::default()
        });
        let (done, name) = match &what {
            Call::VerifyCode { .. } => (state.verified, "verify_code"),
            Call::Register { .. } => (state.registered, "register"),
            Call::Deregister => (state.registered.map(|registered| !registered), "deregister"),
            Call::ChangeName { name } => (Some(has_name(&state, name)), "change_name"),
            Call::RequestCode { .. } => (None, "request_code"),
        };
        let now = self.service.now();
        match done {
            Some(true) => {
                self.saw(&state);
                self.catch_up(what).await
            }
            // A clock that was turned back must not keep the number closed.
            Some(false) if now >= settles_at || now < since => {
                self.mirror.under_way = None;
                self.saw(&state);
                let told = json!({ "operation": name, "outcome": "was not carried out" });
                if matches!(what, Call::VerifyCode { .. }) {
                    // Perhaps it was, and the code was wrong: that looks the same.
                    let adopt = Adopt::Guessed { waba: self.waba.clone(), at: since };
                    match self.commit(&Command::Adopt(adopt), Some(told)).await {
                        Ok(_) | Err(ServiceError::Refused(_)) => {}
                        Err(error) => return Err(error),
                    }
                } else {
                    self.save(Some(told)).await?;
                }
                Ok(Settled::Nothing)
            }
            Some(false) | None => {
                let reason = format!("an earlier {name} may still be under way there");
                Err(Unavailable::Upstream { reason }.into())
            }
        }
    }

    /// Brings the record to where a call has brought the number upstream.
    async fn catch_up(&mut self, what: Call) -> Result<Settled, ServiceError> {
        match what {
            Call::VerifyCode { mark } => {
                self.mirror.under_way = None;
                self.mirror.confirmed = Some(mark);
                self.save(Some(json!({ "operation": "verify_code", "outcome": "read back" })))
                    .await?;
                Ok(Settled::Nothing)
            }
            Call::Register { client } => {
                let told = json!({ "operation": "register", "outcome": "read back" });
                self.registered(client, told).await.map(Settled::Registered)
            }
            Call::Deregister => {
                let told = json!({ "operation": "deregister", "outcome": "read back" });
                self.deregistered(told).await.map(Settled::Deregistered)
            }
            Call::ChangeName { name } => {
                let told = json!({ "operation": "change_name", "outcome": "read back" });
                self.named(name, told).await.map(Settled::Named)
            }
            Call::RequestCode { .. } => Ok(Settled::Nothing),
        }
    }

    /// The name was asked for upstream: takes that over.
    pub(super) async fn named(
        &mut self,
        name: VerifiedName,
        told: Value,
    ) -> Result<Committed, ServiceError> {
        self.mirror.under_way = None;
        let waba = self.waba.clone();
        let command = Command::ChangeName { waba, name, certificate_serial: None };
        self.commit(&command, Some(told)).await
    }

    /// The number is registered upstream: takes that over.
    pub(super) async fn registered(
        &mut self,
        client: Option<ClientId>,
        told: Value,
    ) -> Result<Committed, ServiceError> {
        let pin = self.candidate()?;
        let set_pin = match pin.as_ref().filter(|pin| pin.from_caller) {
            Some(pin) => Some(self.hash(&pin.pin).await?),
            None => None,
        };
        let by_code = self.mirror.confirmed.take().is_some();
        self.mirror.under_way = None;
        if let Some(candidate) = self.mirror.sealed_candidate.take() {
            self.mirror.sealed_pin = Some(candidate);
        }
        if let Some(seen) = &mut self.mirror.seen {
            seen.registered = Some(true);
            seen.pin_enabled = seen.pin_enabled.map(|_| true);
        }
        let adopting = Adopting {
            waba: &self.waba,
            client: client.as_ref(),
            // Checked upstream; a PIN that came along there has refilled its budget here.
            pin: if set_pin.is_some() { PinCheck::ForUpstream } else { PinCheck::Absent },
            key: RegistrationKey(self.service.entropy.id128()),
            set_pin,
            by_code,
        };
        let done = self.commit(&adopting, Some(told)).await?;
        if let Some(client) = &client {
            self.service.drop_foreign_backup(client).await?;
        }
        Ok(done)
    }

    /// The number is not registered upstream any more: takes that over.
    pub(super) async fn deregistered(&mut self, told: Value) -> Result<Committed, ServiceError> {
        self.mirror.under_way = None;
        if let Some(seen) = &mut self.mirror.seen {
            seen.registered = Some(false);
        }
        let adopt = Adopt::Deregistered { waba: self.waba.clone() };
        self.commit(&Command::Adopt(adopt), Some(told)).await
    }

    /// A code that was asked for and may be on its way: it can be confirmed, and its wait holds.
    fn sent_perhaps(&self, method: CodeMethod, client: Option<ClientId>) -> Command {
        Command::RequestCode(RequestCode {
            requester: Requester { waba: self.waba.clone(), client },
            claim: None,
            made_by: CodeMaker::Upstream,
            method,
            // The channel passed when the code was asked for.
            kind: NumberKind::Mobile,
            locale: Locale::english(),
            pin: None,
            fresh_challenge: ChallengeId(self.service.entropy.id128()),
            key_epoch: self.service.keys.epoch(),
            register: None,
            only_unproven: false,
            reach: Reach::Open,
            waiting: None,
        })
    }
}

/// Whether a number has a display name upstream, or waits for it.
pub(super) fn has_name(state: &UpstreamState, name: &VerifiedName) -> bool {
    state.names.iter().any(|known| known == name.as_str())
}

/// A registration that exists upstream, to be taken over.
struct Adopting<'a> {
    waba: &'a WabaId,
    client: Option<&'a ClientId>,
    pin: PinCheck,
    key: RegistrationKey,
    set_pin: Option<PinVerifier>,
    by_code: bool,
}

#[async_trait]
impl Proposal for Adopting<'_> {
    async fn step(
        &self,
        service: &Service,
        record: &NumberRecord,
        _now: Timestamp,
    ) -> Result<Step, ServiceError> {
        // A client that restarts cannot undo what is done upstream, so it is not asked to wait here.
        let other = match self.client {
            Some(client) => service.other_held_by(client, record.number).await?,
            None => None,
        };
        let client = self.client.cloned();
        let register = Register {
            waba: self.waba.clone(),
            platform: client.map_or(Platform::CloudApi, |client| Platform::OnPremise { client }),
            pin: self.pin,
            key: self.key,
            restart: other.is_some(),
            set_pin: self.set_pin.clone(),
            by_backup: None,
        };
        let adopt = Adopt::Registered { register, by_code: self.by_code };
        let mut step = Step::new(Command::Adopt(adopt));
        step.if_registered = release(self.client, other);
        Ok(step)
    }
}

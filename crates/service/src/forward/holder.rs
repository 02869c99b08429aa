//! Registering, giving up, and the PIN: upstream and here.

use registration::{
    Accepted, Adopt, BackupProof, ClientId, Command, Forwarded, PhoneNumber, Refusal, TwoStepPin,
    WabaId,
};

use super::code::is_unclear;
use super::pins::KeptPin;
use super::{Settled, Shown, Trip, name_for, unexpected};
use crate::caller::Caller;
use crate::directory::Call;
use crate::error::ServiceError;
use crate::execute::{Committed, Proposal};
use crate::numbers::RegisterOrder;
use crate::ports::{ForeignBackup, Link, UpstreamError};
use crate::proposals::client_of;
use crate::service::Service;

impl Service {
    /// Registers upstream a number whose code was confirmed in an earlier call, or that a backup stands for.
    pub(crate) async fn forward_register(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        order: &RegisterOrder,
        backup: Option<Shown>,
        link: Link,
    ) -> Result<Committed, ServiceError> {
        let mut trip = self.trip(caller, waba, number, link).await?;
        if let Settled::Registered(done) = &trip.settled {
            return Ok(done.clone());
        }
        let record = self.load(number).await?.value;
        if let Some(claim) = record.claim_of(waba) {
            let held = record.registration.as_ref().is_some_and(|held| held.claim == claim.id);
            let proven = record.verified_since(claim, self.now(), &self.policy().limits).is_some();
            let just_met = trip.meet(&claim.name, None).await?;
            if trip.mirror.confirmed.is_some() || (just_met && !held && !proven) {
                trip.adopt_proof().await?;
            } else if !held && !proven && backup.is_none() {
                trip.catch_up_on_proof().await?;
            }
        }
        let mut registering = self.registering(waba, order);
        registering.abroad = Some(trip.pins());
        registering.by_backup = backup.as_ref().map(|backup| match backup {
            Shown::Here(key) => BackupProof::Key(*key),
            Shown::There(_) => BackupProof::ForUpstream,
        });
        let dry = self.dry_run(caller, number, &registering).await?;
        trip.hashed = order.set_pin.clone().zip(registering.set_pin.get().cloned());
        trip.keep_of(order);
        match &dry.accepted {
            // An upstream that registers as it confirms has done so already: no call is spent on it.
            Accepted::Registered(_) if trip.registered_by_code() => {
                let told = trip.told(Forwarded::Register, None);
                trip.registered(client_of(&order.platform), told).await
            }
            Accepted::Registered(_) => {
                let foreign = match backup {
                    Some(Shown::There(foreign)) => Some(foreign),
                    Some(Shown::Here(_)) | None => None,
                };
                trip.register(client_of(&order.platform), foreign).await
            }
            // Legal, and how a new display name takes effect. It stays the same registration.
            Accepted::AlreadyRegistered(_) => {
                trip.call_register(client_of(&order.platform), None).await?;
                trip.renewed();
                let told = trip.told(Forwarded::Register, None);
                trip.commit(&registering, Some(told)).await
            }
            Accepted::NumberAdded(_)
            | Accepted::CodeSent(_)
            | Accepted::Verified(_)
            | Accepted::Restored(_)
            | Accepted::Deregistered
            | Accepted::Done => Err(unexpected(&dry.accepted)),
        }
    }

    /// Gives a registration up, upstream and here.
    pub(crate) async fn forward_deregister(
        &self,
        caller: &Caller,
        asked_by: Option<&WabaId>,
        holder: &WabaId,
        number: PhoneNumber,
        link: Link,
    ) -> Result<Committed, ServiceError> {
        let mut trip = self.trip(caller, holder, number, link).await?;
        if let Settled::Deregistered(done) = &trip.settled {
            return Ok(done.clone());
        }
        let command = Command::Deregister { waba: asked_by.cloned() };
        let dry = self.dry_run(caller, number, &command).await?;
        if let Some(name) = name_for(&dry.record, holder, None) {
            trip.meet(&name, None).await?;
        }
        trip.begin(Call::Deregister).await?;
        match trip.port.deregister(trip.errand()).await {
            Ok(()) => {
                let told = trip.told(Forwarded::Deregister, None);
                trip.deregistered(told).await
            }
            Err(error) => {
                let unclear = is_unclear(&error);
                let failure = trip.failed(Forwarded::Deregister, error).await;
                match if unclear { trip.settle().await } else { Err(failure) } {
                    Ok(Settled::Deregistered(done)) => Ok(done),
                    Ok(Settled::Nothing | Settled::Registered(_) | Settled::Named(_)) => {
                        Err(not_done())
                    }
                    Err(failure) => Err(failure),
                }
            }
        }
    }

    /// Sets the PIN upstream and here; `None` switches two-step verification off. An upstream that cannot
    /// switch it off gets a PIN that only this installation knows.
    pub(crate) async fn forward_pin(
        &self,
        caller: &Caller,
        waba: &WabaId,
        number: PhoneNumber,
        proposal: &dyn Proposal,
        pin: Option<&TwoStepPin>,
        link: Link,
    ) -> Result<Committed, ServiceError> {
        let mut trip = self.trip(caller, waba, number, link).await?;
        let dry = self.dry_run(caller, number, proposal).await?;
        if !trip.link.registrar().asks_for_pins() {
            return trip.commit(proposal, None).await;
        }
        if let Some(name) = name_for(&dry.record, waba, None) {
            trip.meet(&name, None).await?;
        }
        let kept = match pin {
            Some(pin) => KeptPin { pin: pin.clone(), from_caller: true },
            None => KeptPin { pin: self.draw_pin()?, from_caller: false },
        };
        // On disk before it is sent. Setting it again is harmless, so no intent is needed.
        let sealed = self.seal_pin(&trip.mirror, &kept);
        trip.mirror.sealed_candidate = Some(sealed);
        trip.save(None).await?;
        match trip.port.set_two_step(trip.errand(), &kept.pin).await {
            Ok(()) => {
                trip.renewed();
                let told = trip.told(Forwarded::SetTwoStep, None);
                trip.commit(proposal, Some(told)).await
            }
            Err(error) => {
                trip.mirror.sealed_candidate = None;
                Err(trip.failed(Forwarded::SetTwoStep, error).await)
            }
        }
    }
}

impl Trip<'_> {
    /// Registers upstream and takes it over, with a backup that stands for a code if there is one.
    pub(super) async fn register(
        &mut self,
        client: Option<ClientId>,
        backup: Option<ForeignBackup>,
    ) -> Result<Committed, ServiceError> {
        if let Some(done) = self.call_register(client.clone(), backup).await? {
            return Ok(done);
        }
        let told = self.told(Forwarded::Register, None);
        self.registered(client, told).await
    }

    /// Registers upstream. The registration is there when this returns; `Some` if it was taken over as well.
    async fn call_register(
        &mut self,
        client: Option<ClientId>,
        backup: Option<ForeignBackup>,
    ) -> Result<Option<Committed>, ServiceError> {
        let pin = self.pin_to_register()?;
        self.replace_drawn_pin(pin.as_ref()).await?;
        self.begin(Call::Register { client: client.clone() }).await?;
        let pin_digits = pin.as_ref().map(|pin| &pin.pin);
        let answer = self.port.register(self.errand(), pin_digits, backup.as_ref()).await;
        let Err(error) = answer else { return Ok(None) };
        if let (Some(client), Some(_)) = (&client, &backup)
            && is_final_for_backup(&error)
        {
            // Else it would go with every order to come, and no code would ever be sent.
            self.service.drop_foreign_backup(client).await?;
        }
        let from_caller = pin.as_ref().is_some_and(|pin| pin.from_caller);
        let error = self.read_pin_refusal(error, from_caller);
        if is_unclear(&error) {
            let failure = self.failed(Forwarded::Register, error).await;
            return match self.settle().await {
                Ok(Settled::Registered(done)) => Ok(Some(done)),
                Ok(Settled::Nothing | Settled::Deregistered(_) | Settled::Named(_)) | Err(_) => {
                    Err(failure)
                }
            };
        }
        if self.mirror.confirmed.is_some() && matches!(error, UpstreamError::Refused { .. }) {
            // The code is used up; what it proved must not be lost.
            self.mirror.confirmed = None;
            self.mirror.under_way = None;
            let adopt = Adopt::Verified { waba: self.waba.clone(), by_code: true };
            self.commit(&Command::Adopt(adopt), None).await?;
        }
        Err(self.failed(Forwarded::Register, error).await)
    }

    /// Sets the PIN that the caller chose, where one that was drawn here is in force: the rules here have passed
    /// the order, and the caller cannot know the drawn one.
    async fn replace_drawn_pin(&mut self, chosen: Option<&KeptPin>) -> Result<(), ServiceError> {
        let (Some(chosen), Some(sealed)) = (chosen, self.mirror.sealed_pin.clone()) else {
            return Ok(());
        };
        let in_force = self.service.open_pin(&self.mirror, &sealed)?;
        if in_force.from_caller || !chosen.from_caller {
            return Ok(());
        }
        // On disk before it is sent. Setting it again is harmless, so no intent is needed.
        self.save(None).await?;
        match self.port.set_two_step(self.errand(), &chosen.pin).await {
            Ok(()) => {
                self.mirror.sealed_pin.clone_from(&self.mirror.sealed_candidate);
                self.save(Some(self.told(Forwarded::SetTwoStep, None))).await
            }
            Err(error) => {
                self.mirror.sealed_candidate = None;
                Err(self.failed(Forwarded::SetTwoStep, error).await)
            }
        }
    }

    /// A PIN that the caller did not give cannot be "wrong" to the caller: one is missing.
    pub(super) fn read_pin_refusal(
        &mut self,
        error: UpstreamError,
        from_caller: bool,
    ) -> UpstreamError {
        match error {
            UpstreamError::Refused {
                refusal: refusal @ (Refusal::PinMismatch { .. } | Refusal::PinRequired),
                words,
                is_vague,
            } => {
                self.forget_pins();
                let refusal = if from_caller { refusal } else { Refusal::PinRequired };
                UpstreamError::Refused { refusal, words, is_vague }
            }
            other @ (UpstreamError::Refused { .. } | UpstreamError::Unavailable { .. }) => other,
        }
    }

    /// Whether the number was registered there when its code was confirmed.
    fn registered_by_code(&self) -> bool {
        let seen = self.mirror.seen.as_ref();
        !self.link.registrar().asks_for_pins()
            && seen.is_some_and(|seen| seen.registered == Some(true))
    }

    /// The PIN that was sent is in force.
    fn renewed(&mut self) {
        self.mirror.under_way = None;
        if let Some(candidate) = self.mirror.sealed_candidate.take() {
            self.mirror.sealed_pin = Some(candidate);
        }
        if let Some(seen) = &mut self.mirror.seen {
            seen.pin_enabled = Some(true);
        }
    }
}

/// Whether a refusal says that the backup is of no use: all but those that pass, and those of the PIN.
const fn is_final_for_backup(error: &UpstreamError) -> bool {
    match error {
        UpstreamError::Refused { refusal, .. } => !matches!(
            refusal,
            Refusal::PinRequired
                | Refusal::PinMismatch { .. }
                | Refusal::PinLocked { .. }
                | Refusal::RegisterLimit { .. }
                | Refusal::TooManyRequests { .. }
        ),
        UpstreamError::Unavailable { .. } => false,
    }
}

fn not_done() -> ServiceError {
    let reason = "the registration was not given up there".to_owned();
    crate::error::Unavailable::Upstream { reason }.into()
}

//! The two-step PIN of a number that is registered upstream.
//!
//! An upstream may demand a PIN where the caller's dialect has none. Then one is drawn at random, sealed and
//! kept beside the number before it is sent, so that no crash loses it. A PIN that the caller gave is kept
//! the same way: it came with the code request and is needed when the code is confirmed.

use registration::{PinVerifier, TwoStepPin};
use zeroize::Zeroizing;

use super::Trip;
use crate::directory::UpstreamNumber;
use crate::error::ServiceError;
use crate::numbers::{PinInput, RegisterOrder};
use crate::ports::EntropyExt as _;
use crate::proposals::PinAbroad;
use crate::service::Service;

/// A PIN that this installation knows.
pub(crate) struct KeptPin {
    /// The digits.
    pub(crate) pin: TwoStepPin,
    /// The caller chose it, and is asked for it from then on; otherwise it was drawn here.
    pub(crate) from_caller: bool,
}

const FROM_CALLER: &str = "caller";
const DRAWN: &str = "drawn";

impl Service {
    /// Seals a PIN for the mirror of a number.
    pub(super) fn seal_pin(&self, mirror: &UpstreamNumber, pin: &KeptPin) -> String {
        let origin = if pin.from_caller { FROM_CALLER } else { DRAWN };
        let digits = core::str::from_utf8(pin.pin.reveal()).unwrap_or_default();
        let plain = Zeroizing::new(format!("{origin}:{digits}"));
        self.keys.seal(&context(mirror), plain.as_bytes(), &*self.entropy)
    }

    /// Opens what [`Self::seal_pin`] made.
    pub(crate) fn open_pin(
        &self,
        mirror: &UpstreamNumber,
        sealed: &str,
    ) -> Result<KeptPin, ServiceError> {
        let bug = |what: &dyn core::fmt::Display| {
            ServiceError::Bug(format!("the sealed PIN of {}: {what}", mirror.number.masked()))
        };
        let plain = self.keys.open(&context(mirror), sealed).map_err(|error| bug(&error))?;
        let text = core::str::from_utf8(&plain).map_err(|_| bug(&"is no text"))?;
        let (origin, digits) = text.split_once(':').ok_or_else(|| bug(&"has another form"))?;
        let pin = TwoStepPin::parse(digits).map_err(|error| bug(&error))?;
        Ok(KeptPin { pin, from_caller: origin == FROM_CALLER })
    }

    /// Six random digits.
    pub(super) fn draw_pin(&self) -> Result<TwoStepPin, ServiceError> {
        let drawn = u64::from_be_bytes(self.entropy.bytes()) % 1_000_000;
        TwoStepPin::parse(&format!("{drawn:06}"))
            .map_err(|error| ServiceError::Bug(error.to_string()))
    }
}

impl Trip<'_> {
    /// Where PINs stand.
    pub(super) fn pins(&self) -> PinAbroad {
        if !self.link.registrar().asks_for_pins() {
            return PinAbroad::NotAsked;
        }
        let enabled = self.mirror.seen.as_ref().and_then(|seen| seen.pin_enabled) == Some(true);
        let at_hand = self.mirror.sealed_pin.is_some() || self.mirror.sealed_candidate.is_some();
        if enabled && !at_hand { PinAbroad::Owed } else { PinAbroad::AtHand }
    }

    /// Keeps a PIN that the caller gave, for the registration that it belongs to.
    pub(super) fn keep(&mut self, given: &PinInput) {
        if !self.link.registrar().asks_for_pins() {
            return;
        }
        if let PinInput::Given(pin) = given {
            let kept = KeptPin { pin: pin.clone(), from_caller: true };
            self.mirror.sealed_candidate = Some(self.service.seal_pin(&self.mirror, &kept));
        }
    }

    /// The same for an order to register, which may name a PIN to begin with.
    pub(super) fn keep_of(&mut self, order: &RegisterOrder) {
        match (&order.pin, &order.set_pin) {
            (PinInput::NotAsked | PinInput::Absent, Some(pin)) => {
                self.keep(&PinInput::Given(pin.clone()));
            }
            (given, _) => self.keep(given),
        }
    }

    /// The verifier of a PIN; the one that was worked out before, if it is of the same PIN.
    pub(super) async fn hash(&mut self, pin: &TwoStepPin) -> Result<PinVerifier, ServiceError> {
        match self.hashed.take() {
            Some((hashed, verifier)) if hashed.reveal() == pin.reveal() => Ok(verifier),
            Some(_) | None => Ok(self.service.hasher.hash_pin(pin).await?),
        }
    }

    /// The PIN that goes with the next registration, if one was kept for it.
    pub(super) fn candidate(&self) -> Result<Option<KeptPin>, ServiceError> {
        let sealed = self.mirror.sealed_candidate.as_deref();
        sealed.map(|sealed| self.service.open_pin(&self.mirror, sealed)).transpose()
    }

    /// The PIN to register with: one that was kept, the one in force, or a new one. `None` where none is
    /// asked for. It is in the mirror afterwards, to be stored before it is sent.
    pub(super) fn pin_to_register(&mut self) -> Result<Option<KeptPin>, ServiceError> {
        if !self.link.registrar().asks_for_pins() {
            return Ok(None);
        }
        if let Some(kept) = self.candidate()? {
            return Ok(Some(kept));
        }
        if let Some(sealed) = &self.mirror.sealed_pin {
            return self.service.open_pin(&self.mirror, sealed).map(Some);
        }
        let drawn = KeptPin { pin: self.service.draw_pin()?, from_caller: false };
        self.mirror.sealed_candidate = Some(self.service.seal_pin(&self.mirror, &drawn));
        Ok(Some(drawn))
    }

    /// The PIN that was sent is not the one in force there: nothing that was kept is of use any more.
    pub(super) fn forget_pins(&mut self) {
        self.mirror.sealed_candidate = None;
        self.mirror.sealed_pin = None;
        if let Some(seen) = &mut self.mirror.seen {
            seen.pin_enabled = Some(true);
        }
    }
}

/// Where a sealed PIN belongs.
fn context(mirror: &UpstreamNumber) -> String {
    format!("upstream-pin/{}/{}", mirror.waba, mirror.number.digits())
}

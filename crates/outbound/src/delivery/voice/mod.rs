//! Calls that tell a code, through a SIP trunk.
//!
//! The message counts as handed over when the telephone is answered; from then on nobody else calls with
//! it. What became of the call follows as a receipt: delivered once the code was told in full, failed if the
//! far side hung up before. What a call that is not answered means is in `outcome.rs`.
//!
//! SIP is `rsipstack`'s (RFC 3261), kept behind this folder; RTP and descriptions of the sound are our own.
//! The sound comes from [`service::speech`]. Not done: SRTP, video, calls to us, following redirections.

mod call;
mod options;
mod outcome;
mod rtp;
mod sdp;
mod tls;
mod trunk;

use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use registration::CodeMethod;
use service::ports::{
    Clock, CodeDelivery, CodeMessage, DeliveryError, Entropy, EntropyExt as _, HandedOver, Receipt,
    ReceiptOutcome, ReceiptSink,
};
use service::speech;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tracing::info;

use call::{Call, CallError, Ended, Place};
pub use options::{Credentials, RING_MAX, VoiceOptions, VoiceTransport};
use tls::Tls;
pub use tls::TlsSetupError;
use trunk::{Trunk, TrunkError};

/// How long a call waits for a registration that is under way: at a start, and no longer than it takes
/// another sender to be quick.
const REGISTRATION_WAIT: Duration = Duration::from_secs(1);

/// When to come back if all lines are in use; a call takes about half a minute.
const LINES_BUSY: Duration = Duration::from_secs(10);

/// What a [`VoiceDelivery`] works with.
#[derive(Clone)]
pub struct VoicePorts {
    /// Is told what became of calls.
    pub receipts: Arc<dyn ReceiptSink>,
    /// The time of day, for receipts.
    pub clock: Arc<dyn Clock>,
    /// Chance, for streams and ids of calls.
    pub entropy: Arc<dyn Entropy>,
}

/// Calls a number and tells it its code.
pub struct VoiceDelivery {
    options: VoiceOptions,
    ports: VoicePorts,
    tls: Option<Tls>,
    lines: Arc<Semaphore>,
    /// Opened by the first call, and again after a failure to open it.
    trunk: Mutex<Option<Arc<Trunk>>>,
}

impl VoiceDelivery {
    /// A sender for one trunk. Opens nothing yet, see [`open`](Self::open).
    pub fn new(mut options: VoiceOptions, ports: VoicePorts) -> Result<Self, TlsSetupError> {
        options.ring = options.ring.min(RING_MAX);
        let tls = match options.transport {
            VoiceTransport::Tls => Some(Tls::new(&options.host, options.ca_pem.as_deref())?),
            VoiceTransport::Udp | VoiceTransport::Tcp => None,
        };
        let lines = Arc::new(Semaphore::new(options.calls_max));
        Ok(Self { options, ports, tls, lines, trunk: Mutex::new(None) })
    }

    /// Opens the link and begins to register, so that the first call need not wait. A link that cannot be
    /// opened now is opened by the first call.
    pub async fn open(&self) {
        if let Err(error) = self.trunk().await {
            tracing::warn!(trunk = self.options.host, %error, "the trunk cannot be reached yet");
        }
    }

    async fn trunk(&self) -> Result<Arc<Trunk>, TrunkError> {
        let mut trunk = self.trunk.lock().await;
        if let Some(trunk) = &*trunk {
            return Ok(Arc::clone(trunk));
        }
        let opened = Arc::new(Trunk::open(&self.options, self.tls.as_ref()).await?);
        Ok(Arc::clone(trunk.insert(opened)))
    }

    fn unavailable(&self, reason: &dyn ToString, retry_after: Option<Duration>) -> DeliveryError {
        DeliveryError::Unavailable {
            sender: self.options.name.clone(),
            reason: reason.to_string(),
            uncertain: false,
            retry_after,
        }
    }

    fn failed(&self, error: &CallError) -> DeliveryError {
        let sender = &self.options.name;
        match error {
            CallError::Unanswered(ended) => outcome::error(sender, ended),
            CallError::Unusable(_) => {
                DeliveryError::Rejected { sender: sender.clone(), reason: error.to_string() }
            }
            // The library's own text may name the number.
            CallError::NoPort(_) | CallError::Sip(_) => self.unavailable(error, None),
        }
    }

    /// The trunk, once it may be called through.
    async fn ready_trunk(&self) -> Result<Arc<Trunk>, DeliveryError> {
        let trunk = self.trunk().await.map_err(|error| self.unavailable(&error, None))?;
        let mut registered = trunk.registered.clone();
        let wait = registered.wait_for(|registered| *registered);
        match tokio::time::timeout(REGISTRATION_WAIT, wait).await {
            Ok(Ok(_)) => Ok(trunk),
            Ok(Err(_)) | Err(_) => Err(self.unavailable(&"not registered with the trunk", None)),
        }
    }
}

#[async_trait]
impl CodeDelivery for VoiceDelivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        let sender = self.options.name.clone();
        if message.method != CodeMethod::Voice {
            let reason = "this sender makes calls, it sends no texts".to_owned();
            return Err(DeliveryError::Rejected { sender, reason });
        }
        let Ok(line) = Arc::clone(&self.lines).try_acquire_owned() else {
            return Err(self.unavailable(&"all lines are in use", Some(LINES_BUSY)));
        };
        let trunk = self.ready_trunk().await?;
        let call_id = sdp::hex_of(&self.ports.entropy.bytes::<16>());
        let digits = message.number.to_string();
        let called = format!("{}{}", self.options.prefix, digits.trim_start_matches('+'));
        let from = message.originator.as_deref().unwrap_or(&self.options.caller);
        let place = Place {
            trunk: &trunk,
            options: &self.options,
            entropy: &*self.ports.entropy,
            callee: &called,
            caller: from,
            call_id: &call_id,
        };
        let call = Call::ring(&place).await.map_err(|error| self.failed(&error))?;
        // From here on no await comes before the task is on its way: an answered call is spoken in, even if
        // whoever asked has gone.
        let speaker = Speaker {
            ports: self.ports.clone(),
            sender: sender.clone(),
            call_id: call_id.clone(),
            recording: speech::recording(&message.locale, &message.code),
            line,
        };
        tokio::spawn(speaker.speak(call));
        Ok(HandedOver { sender, provider_id: Some(call_id) })
    }
}

/// What goes on after a call was answered.
struct Speaker {
    ports: VoicePorts,
    sender: String,
    call_id: String,
    recording: speech::Recording,
    /// In use until the call has ended.
    line: OwnedSemaphorePermit,
}

impl Speaker {
    async fn speak(self, call: Call) {
        let ended = call.speak(&self.recording, self.ports.entropy.bytes()).await;
        drop(self.line);
        info!(sender = self.sender, call = self.call_id, ?ended, "a call has ended");
        let outcome = match ended {
            Ended::Told => ReceiptOutcome::Delivered,
            Ended::HungUp => ReceiptOutcome::Failed {
                reason: "hung up before the code was told in full".to_owned(),
            },
            Ended::NoSound => {
                ReceiptOutcome::Failed { reason: "the sound could not be sent".to_owned() }
            }
        };
        let at = self.ports.clock.now();
        let receipt = Receipt { sender: self.sender, provider_id: self.call_id, outcome, at };
        self.ports.receipts.receipt(receipt).await;
    }
}

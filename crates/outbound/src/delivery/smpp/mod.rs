//! SMS through an SMSC, by SMPP 3.4 or 5.0.
//!
//! Follows "Short Message Peer to Peer Protocol Specification v3.4" (12-Oct-1999) and v5.0. PDUs are
//! read and written by a codec; the session is ours:
//!
//! - one transceiver bind per sender, kept up with pauses that grow and are not alike;
//! - a window of unanswered submits, and, if asked for, a steady rate;
//! - throttling is obeyed: the SMSC is left alone for as long as it takes;
//! - an answer that never came is *uncertain*: the SMSC may have taken the message;
//! - receipts are acknowledged once they are recorded, so that none is lost.

mod address;
mod alphabet;
mod frame;
mod link;
mod pace;
mod receipt;
mod session;
mod status;
mod submit;
mod tls;

use core::fmt;
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use registration::CodeMethod;
use service::ports::{CodeDelivery, CodeMessage, DeliveryError, HandedOver};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::SenderPorts;
pub use alphabet::DefaultAlphabet;
use link::{Link, State};
pub use receipt::MessageIds;
use session::Job;
pub use tls::SmppTls;

/// How long a hand-over waits for a link that is just being made.
const BIND_PATIENCE: Duration = Duration::from_millis(1500);

/// How long a hand-over waits for room in the window.
const WINDOW_PATIENCE: Duration = Duration::from_secs(5);

/// Version of the protocol to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SmppVersion {
    /// 3.4, which every SMSC speaks.
    #[default]
    V34,
    /// 5.0.
    V50,
}

/// What an SMPP sender must know.
#[derive(Clone)]
pub struct SmppOptions {
    /// Name of the sender in ledger and log.
    pub name: String,
    /// Host of the SMSC.
    pub host: String,
    /// Its port; 2775 by custom.
    pub port: u16,
    /// TLS, where the SMSC has it.
    pub tls: Option<SmppTls>,
    /// Who we are to the SMSC: at most 15 ASCII characters.
    pub system_id: String,
    /// At most 8 ASCII characters.
    pub password: String,
    /// What kind of system we are, where the SMSC asks; at most 12 ASCII characters.
    pub system_type: String,
    /// Version of the protocol.
    pub version: SmppVersion,
    /// Who messages seem to come from if they do not say so themselves.
    pub originator: Option<String>,
    /// Most submits without an answer.
    pub window: usize,
    /// Most submits in a second.
    pub per_second: Option<u32>,
    /// Silence after which the SMSC is asked whether it is there.
    pub enquire_interval: Duration,
    /// Time for a connection, TLS included.
    pub connect_timeout: Duration,
    /// Time for an answer.
    pub response_timeout: Duration,
    /// Longest pause before a new attempt to bind.
    pub reconnect_max: Duration,
    /// How long the SMSC shall try to deliver; zero leaves it to the SMSC.
    pub validity: Duration,
    /// What the SMSC takes a text for that names no alphabet.
    pub default_alphabet: DefaultAlphabet,
    /// How the SMSC writes the ids of messages.
    pub message_ids: MessageIds,
}

impl SmppOptions {
    /// Options with the defaults of everything but these.
    #[must_use]
    pub fn new(name: &str, host: &str, port: u16, system_id: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            host: host.to_owned(),
            port,
            tls: None,
            system_id: system_id.to_owned(),
            password: password.to_owned(),
            system_type: String::new(),
            version: SmppVersion::default(),
            originator: None,
            window: 50,
            per_second: None,
            enquire_interval: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(10),
            reconnect_max: Duration::from_secs(30),
            validity: Duration::from_mins(10),
            default_alphabet: DefaultAlphabet::default(),
            message_ids: MessageIds::default(),
        }
    }

    /// What no SMSC could make sense of: which field, and what would be right.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let fields = [
            ("system_id", link::octets::<16>(&self.system_id).is_some(), 15),
            ("password", link::octets::<9>(&self.password).is_some(), 8),
            ("system_type", link::octets::<13>(&self.system_type).is_some(), 12),
        ];
        for (field, fits, max) in fields {
            if !fits {
                return Err((field, format!("must have at most {max} ASCII characters")));
            }
        }
        let source = address::source(self.originator.as_deref());
        source.map(|_| ()).map_err(|message| ("originator", message.to_owned()))
    }
}

impl fmt::Debug for SmppOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmppOptions")
            .field("name", &self.name)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("system_id", &self.system_id)
            .finish_non_exhaustive()
    }
}

/// Hands text messages to an SMSC over one bind.
pub struct SmppDelivery {
    link: Arc<Link>,
    window: Arc<Semaphore>,
    jobs: mpsc::Sender<Job>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl SmppDelivery {
    /// Starts to bind in the background; must be called within a runtime.
    #[must_use]
    pub fn start(options: SmppOptions, ports: SenderPorts) -> Self {
        let window = options.window.max(1);
        let link = Arc::new(Link::new(options, ports));
        let (jobs, queue) = mpsc::channel(window);
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(Arc::clone(&link).run(queue, stop.subscribe()));
        Self {
            link,
            window: Arc::new(Semaphore::new(window)),
            jobs,
            stop,
            task: Mutex::new(Some(task)),
        }
    }

    /// Takes no more, waits for the answers that are due, unbinds. Takes some seconds at most.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // It does not panic; if it did, there would be nothing left to close.
            _ = task.await;
        }
    }

    /// Why messages cannot be handed over now; `None` if they can.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match &*self.link.state.borrow() {
            State::Bound => None,
            State::Connecting => Some("connecting".to_owned()),
            State::Down { reason, .. } => Some(reason.clone()),
            State::Stopped => Some("stopped".to_owned()),
        }
    }

    /// Waits until the link is bound, for a moment if that may happen in a moment.
    async fn bound(&self) -> Result<(), DeliveryError> {
        let mut state = self.link.state.subscribe();
        let settled = state.wait_for(|state| *state != State::Connecting);
        let state = match timeout(BIND_PATIENCE, settled).await {
            Ok(Ok(state)) => state.clone(),
            Ok(Err(_)) => State::Stopped,
            Err(_) => State::Connecting,
        };
        match state {
            State::Bound => Ok(()),
            State::Down { reason, until } => Err(self.link.down(&reason, until)),
            State::Connecting => {
                Err(self.link.unavailable("not bound to the SMSC yet".to_owned(), None))
            }
            State::Stopped => Err(self.stopping()),
        }
    }

    fn stopping(&self) -> DeliveryError {
        self.link.unavailable("the server is stopping".to_owned(), None)
    }
}

#[async_trait]
impl CodeDelivery for SmppDelivery {
    async fn hand_over(&self, message: &CodeMessage) -> Result<HandedOver, DeliveryError> {
        let link = &self.link;
        if message.method != CodeMethod::Sms {
            return Err(link.rejected("an SMSC carries text messages, not calls".to_owned()));
        }
        let pdu = submit::pdu(message, &link.options);
        let pdu = pdu.map_err(|reason| link.rejected(reason.to_owned()))?;
        self.bound().await?;
        let room = Arc::clone(&self.window).acquire_owned();
        let Ok(Ok(room)) = timeout(WINDOW_PATIENCE, room).await else {
            let reason = "its window was full of unanswered messages".to_owned();
            return Err(link.unavailable(reason, None));
        };
        match link.pace.turn(Instant::now()) {
            Ok(turn) => sleep_until(turn).await,
            Err(after) => {
                let reason = "it asked for fewer messages".to_owned();
                return Err(link.unavailable(reason, Some(after)));
            }
        }
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job { pdu, answer, room }).await.map_err(|_| self.stopping())?;
        answered.await.unwrap_or_else(|_| Err(link.uncertain("the link ended without a word")))
    }
}

impl Drop for SmppDelivery {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

//! The link to an SMSC: connects, binds, works, and starts again when it breaks.

use core::time::Duration;
use std::sync::Arc;

use rusmpp::Pdu;
use rusmpp::pdus::BindTransceiver;
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use service::ports::{DeliveryError, EntropyExt as _, HandedOver};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, info, warn};

use super::pace::Pace;
use super::session::{End, Job, Session, Stream};
use super::{SmppOptions, SmppVersion};
use crate::delivery::SenderPorts;

/// Pause before the first new attempt; doubled with each failure, up to [`SmppOptions::reconnect_max`].
const RECONNECT_FIRST: Duration = Duration::from_millis(500);

/// A session that lasted so long was a good one: the next failure counts as the first.
const GOOD_SESSION: Duration = Duration::from_mins(1);

/// Whether the link can take messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// The first attempt, or the first after a session: may be bound in a moment.
    Connecting,
    /// Bound.
    Bound,
    /// Why not, and when it will be tried again.
    Down { reason: String, until: Instant },
    /// The server stops.
    Stopped,
}

/// What sessions and hand-overs share.
pub(super) struct Link {
    pub(super) options: SmppOptions,
    pub(super) ports: SenderPorts,
    pub(super) pace: Pace,
    pub(super) state: watch::Sender<State>,
}

impl Link {
    pub(super) fn new(options: SmppOptions, ports: SenderPorts) -> Self {
        let pace = Pace::new(options.per_second);
        Self { options, ports, pace, state: watch::Sender::new(State::Connecting) }
    }

    /// Keeps the link up until `stop` turns true.
    pub(super) async fn run(
        self: Arc<Self>,
        mut jobs: mpsc::Receiver<Job>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut failures = 0;
        let name = &self.options.name;
        while !*stop.borrow() {
            let connected = tokio::select! {
                connected = self.connect() => connected,
                _ = stop.changed() => break,
            };
            let reason = match connected {
                Ok(session) => {
                    info!(sender = name, "bound");
                    self.state.send_replace(State::Bound);
                    let begun = Instant::now();
                    let end = session.run(&mut jobs, &mut stop).await;
                    if begun.elapsed() >= GOOD_SESSION {
                        failures = 0;
                    }
                    match end {
                        End::Stopped => break,
                        End::Lost(reason) => reason,
                    }
                }
                Err(reason) => reason,
            };
            warn!(sender = name, reason, "the link is down");
            let until = Instant::now() + self.pause(failures);
            failures += 1;
            self.state.send_replace(State::Down { reason: reason.clone(), until });
            self.wait(until, &reason, &mut jobs, &mut stop).await;
            if failures == 1 {
                self.state.send_replace(State::Connecting);
            }
        }
        self.state.send_replace(State::Stopped);
        jobs.close();
        while let Some(job) = jobs.recv().await {
            _ = job.answer.send(Err(self.unavailable("the server is stopping".to_owned(), None)));
        }
        debug!(sender = name, "stopped");
    }

    /// Sends back what comes until it is time to try again.
    async fn wait(
        &self,
        until: Instant,
        reason: &str,
        jobs: &mut mpsc::Receiver<Job>,
        stop: &mut watch::Receiver<bool>,
    ) {
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                _ = stop.changed() => return,
                Some(job) = jobs.recv() => {
                    _ = job.answer.send(Err(self.down(reason, until)));
                }
            }
        }
    }

    /// Doubled with each failure, and between half and all of that: SMSCs that restart are not met by
    /// everybody at once.
    fn pause(&self, failures: u32) -> Duration {
        let full = RECONNECT_FIRST.saturating_mul(2u32.saturating_pow(failures.min(16)));
        let full = full.min(self.options.reconnect_max);
        let share = f64::from(u16::from_be_bytes(self.ports.entropy.bytes())) / f64::from(u16::MAX);
        full.mul_f64(0.5 + share / 2.0)
    }

    /// A session that is bound.
    async fn connect(&self) -> Result<Session<'_>, String> {
        let options = &self.options;
        let limit = options.connect_timeout;
        let opened = timeout(limit, self.open()).await;
        let stream = opened.map_err(|_| format!("no connection within {limit:?}"))??;
        let mut session = Session::new(self, stream);
        let bound = timeout(options.response_timeout, session.bind(bind(options)?)).await;
        bound.map_err(|_| "it did not answer the bind".to_owned())??;
        Ok(session)
    }

    async fn open(&self) -> Result<Box<dyn Stream>, String> {
        let SmppOptions { host, port, tls, .. } = &self.options;
        let stream = TcpStream::connect((host.as_str(), *port)).await;
        let stream = stream.map_err(|error| format!("no connection: {error}"))?;
        // Submits are small and wait for each other's answers.
        _ = stream.set_nodelay(true);
        let Some(tls) = tls else { return Ok(Box::new(stream)) };
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&tls.config));
        let stream = connector.connect(tls.server_name.clone(), stream).await;
        Ok(Box::new(stream.map_err(|error| format!("no TLS: {error}"))?))
    }

    /// The SMSC took a message and gave it this id.
    pub(super) fn taken(&self, id: &str) -> HandedOver {
        let id = self.options.message_ids.of_answer(id);
        HandedOver {
            sender: self.options.name.clone(),
            provider_id: Some(id).filter(|id| !id.is_empty()),
        }
    }

    pub(super) fn uncertain(&self, reason: &str) -> DeliveryError {
        DeliveryError::Unavailable {
            sender: self.options.name.clone(),
            reason: reason.to_owned(),
            uncertain: true,
            retry_after: None,
        }
    }

    pub(super) fn unavailable(
        &self,
        reason: String,
        retry_after: Option<Duration>,
    ) -> DeliveryError {
        let sender = self.options.name.clone();
        DeliveryError::Unavailable { sender, reason, uncertain: false, retry_after }
    }

    pub(super) fn down(&self, reason: &str, until: Instant) -> DeliveryError {
        let after = until.saturating_duration_since(Instant::now());
        self.unavailable(format!("not bound to the SMSC: {reason}"), Some(after))
    }

    pub(super) fn rejected(&self, reason: String) -> DeliveryError {
        DeliveryError::Rejected { sender: self.options.name.clone(), reason }
    }
}

fn bind(options: &SmppOptions) -> Result<Pdu, String> {
    let field = |what: &str| format!("{what} is not ASCII, or too long for SMPP");
    let version = match options.version {
        SmppVersion::V34 => InterfaceVersion::Smpp3_4,
        SmppVersion::V50 => InterfaceVersion::Smpp5_0,
    };
    Ok(BindTransceiver::builder()
        .system_id(octets(&options.system_id).ok_or_else(|| field("system_id"))?)
        .password(octets(&options.password).ok_or_else(|| field("password"))?)
        .system_type(octets(&options.system_type).ok_or_else(|| field("system_type"))?)
        .interface_version(version)
        .build()
        .into())
}

/// `text` as a field that ends with a zero octet, if it fits.
pub(super) fn octets<const MAX: usize>(text: &str) -> Option<COctetString<1, MAX>> {
    COctetString::from_string(text.to_owned()).ok()
}

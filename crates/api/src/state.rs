//! What handlers share.

use std::sync::Arc;

use registration::Timestamp;
use service::Service;
use tokio::sync::watch;

use crate::metrics::{Family, Metrics};
use crate::sandbox::Tools;

/// State behind every route. Cheap to clone.
#[derive(Clone)]
pub struct App(pub Arc<AppInner>);

/// See [`App`].
pub struct AppInner {
    /// The use cases.
    pub service: Arc<Service>,
    /// Counts requests.
    pub metrics: Metrics,
    /// What adapters have to say about themselves, for the metrics.
    pub gauges: Box<dyn Fn() -> Vec<Family> + Send + Sync>,
    /// Settings of the wire.
    pub settings: Settings,
    /// The sandbox's tools; `None` in production, which then has none of their routes.
    pub sandbox: Option<Tools>,
    /// Turns true when the server is asked to stop: replies that wait or stream end then.
    pub stopping: watch::Receiver<bool>,
    /// The CA that signed the HTTPS listener's certificate, PEM; empty without HTTPS.
    pub ca_pem: Box<dyn Fn() -> String + Send + Sync>,
    /// Adds a master key to the key file and to the keys in use; the new epoch, or why not. May block.
    pub rotate_master: Box<dyn Fn() -> Result<u32, String> + Send + Sync>,
}

/// Settings of the wire, decided at wiring.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Client build that On-Premises replies name in `meta.version`, without the leading `v`.
    pub onprem_version: String,
    /// `POST /v1/account` answers as Meta's service does today, for every client.
    pub onprem_retired: bool,
    /// Where this server is reached, for links; without trailing slash. Empty: links are relative.
    pub public_url: String,
    /// SHA-256 of the operator's bearer token.
    pub operator_token_sha256: [u8; 32],
    /// When this process started.
    pub started_at: Timestamp,
}

impl core::ops::Deref for App {
    type Target = AppInner;

    fn deref(&self) -> &AppInner {
        &self.0
    }
}

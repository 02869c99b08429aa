//! Registrars upstream, one folder each.
//!
//! **Adding one** takes a folder here, a variant of `Credentials` and an arm in [`Upstreams`]. An adapter
//! keeps these promises:
//!
//! - One method of the port is one errand. What only reads is repeated a few times with growing, jittered
//!   pauses; what changes something is repeated only if it never left this machine.
//! - It answers within `CALL_MAX` of `service::forward`: each call has a time-out.
//! - Every answer becomes a [`Refusal`](registration::Refusal), or `Unavailable` with the right doubt. A
//!   connection that broke before the answer leaves the doubt `UnderWay`, an error that came back `Settled`.
//! - Limits that it is told about slow it down before they bite.
//! - Tokens, secrets, codes and PINs reach no log and no reason.

pub mod alibaba;
mod http;
pub mod meta;
mod peer;

use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use registration::{CodeMethod, Locale, Timestamp, TwoStepPin, VerificationCode, VerifiedName};
use service::ports::{
    CodeAccepted, Entropy, Errand, ForeignBackup, Link, Pace, Registrar, UpstreamError,
    UpstreamRegistrar, UpstreamState,
};

use alibaba::Alibaba;
use http::Http;
use meta::Meta;

pub use peer::Named;

/// How upstreams are called.
#[derive(Debug, Clone)]
pub struct UpstreamOptions {
    /// Only addresses of this machine: nothing leaves a sandbox.
    pub loopback_only: bool,
    /// Time for a connection, TLS included.
    pub connect_timeout: Duration,
    /// Time for a whole call; at most 30 s.
    pub call_timeout: Duration,
}

impl Default for UpstreamOptions {
    fn default() -> Self {
        Self {
            loopback_only: false,
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(30),
        }
    }
}

/// All registrars upstream; the link of each errand says which one is meant.
pub struct Upstreams {
    loopback_only: bool,
    meta: Meta,
    alibaba: Alibaba,
}

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for registrars upstream could not be made")]
pub struct UpstreamsError(#[source] reqwest::Error);

impl Upstreams {
    /// Ready to call; opens no connection.
    pub fn new(
        options: &UpstreamOptions,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, UpstreamsError> {
        let http = Http::new(options, Arc::clone(&entropy)).map_err(UpstreamsError)?;
        Ok(Self {
            loopback_only: options.loopback_only,
            meta: Meta::new(http.clone()),
            alibaba: Alibaba::new(http, entropy),
        })
    }

    fn of(&self, link: &Link) -> &dyn UpstreamRegistrar {
        match link.registrar() {
            Registrar::Meta => &self.meta,
            Registrar::Alibaba => &self.alibaba,
        }
    }
}

#[async_trait]
impl UpstreamRegistrar for Upstreams {
    fn check(&self, link: &Link) -> Result<(), String> {
        let url = reqwest::Url::parse(&link.base_url)
            .map_err(|_| format!("{} is no address", link.base_url))?;
        let is_local = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if is_local => {}
            "http" => return Err("secrets travel over https only".to_owned()),
            _ => return Err(format!("{} is neither http nor https", link.base_url)),
        }
        if self.loopback_only && !is_local {
            return Err(format!(
                "a sandbox sends nothing beyond this machine, and {} is not on it; use mode = \"production\"",
                link.base_url
            ));
        }
        Ok(())
    }

    fn pace(&self, link: &Link, now: Timestamp) -> Option<Pace> {
        self.of(link).pace(link, now)
    }

    async fn numbers(
        &self,
        link: &Link,
        now: Timestamp,
    ) -> Result<Vec<UpstreamState>, UpstreamError> {
        self.of(link).numbers(link, now).await
    }

    async fn find_or_add(
        &self,
        errand: Errand<'_>,
        name: &VerifiedName,
    ) -> Result<UpstreamState, UpstreamError> {
        self.of(errand.link).find_or_add(errand, name).await
    }

    async fn read_back(&self, errand: Errand<'_>) -> Result<Option<UpstreamState>, UpstreamError> {
        self.of(errand.link).read_back(errand).await
    }

    async fn request_code(
        &self,
        errand: Errand<'_>,
        method: CodeMethod,
        locale: &Locale,
    ) -> Result<(), UpstreamError> {
        self.of(errand.link).request_code(errand, method, locale).await
    }

    async fn verify_code(
        &self,
        errand: Errand<'_>,
        code: &VerificationCode,
    ) -> Result<CodeAccepted, UpstreamError> {
        self.of(errand.link).verify_code(errand, code).await
    }

    async fn register(
        &self,
        errand: Errand<'_>,
        pin: Option<&TwoStepPin>,
        backup: Option<&ForeignBackup>,
    ) -> Result<(), UpstreamError> {
        self.of(errand.link).register(errand, pin, backup).await
    }

    async fn deregister(&self, errand: Errand<'_>) -> Result<(), UpstreamError> {
        self.of(errand.link).deregister(errand).await
    }

    async fn set_two_step(
        &self,
        errand: Errand<'_>,
        pin: &TwoStepPin,
    ) -> Result<(), UpstreamError> {
        self.of(errand.link).set_two_step(errand, pin).await
    }

    async fn change_name(
        &self,
        errand: Errand<'_>,
        name: &VerifiedName,
    ) -> Result<(), UpstreamError> {
        self.of(errand.link).change_name(errand, name).await
    }
}

/// Names are not looked up: `localhost` alone is taken at its word.
fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

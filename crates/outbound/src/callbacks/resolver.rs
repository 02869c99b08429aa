//! Names to addresses, forbidden ones taken out.

use core::pin::Pin;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use service::ports::Reach;

use super::reach;

/// Resolves a name: the system's way in production, a list in tests.
pub type Lookup = dyn Fn(String) -> Answer + Send + Sync;

/// The answer of a [`Lookup`], to be waited for.
type Answer = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Asks the operating system.
#[must_use]
pub fn system_lookup() -> Arc<Lookup> {
    Arc::new(|name| {
        // The port is filled in by whoever connects.
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    })
}

/// Every address of a name is one that callbacks must not go to.
#[derive(Debug, thiserror::Error)]
#[error(
    "{host} has no address that callbacks may go to here; the operator allows public ones, this machine \
     or private networks by callbacks.public, callbacks.loopback and callbacks.private_accounts"
)]
pub(super) struct Forbidden {
    pub(super) host: String,
}

/// Resolves for one reach.
pub(super) struct Checked {
    pub(super) reach: Reach,
    pub(super) lookup: Arc<Lookup>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        let host = name.as_str().to_owned();
        let found = (self.lookup)(host.clone());
        Box::pin(async move {
            let mut allowed = found.await?;
            allowed.retain(|address| reach::allows(reach, address.ip()));
            if allowed.is_empty() {
                return Err(Forbidden { host }.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

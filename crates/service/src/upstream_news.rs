//! What a registrar upstream tells on its own: that something about the numbers of an account has changed.
//!
//! A post is a hint and no more. Whatever it says, the numbers are read again and compared as by the slow
//! look every few minutes ([`Service::compare_upstream`]); so nothing that is told out of order, twice or
//! by somebody else with the secret can change a record.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use registration::{TextId as _, WabaId};
use sha2::Sha256;
use tokio::sync::Notify;

use crate::error::ServiceError;
use crate::service::Service;

/// Which accounts were told of since the last look.
#[derive(Debug, Default)]
pub(crate) struct News {
    wabas: Mutex<BTreeSet<WabaId>>,
    told: Notify,
}

impl Service {
    /// What the upstream of a WABA has to show when it asks whether posts are wanted (`hub.verify_token`).
    #[must_use]
    pub fn hub_token(&self, waba: &WabaId) -> String {
        hex::encode(&self.keys.lasting_fingerprint("upstream hub", waba.as_str().as_bytes())[..16])
    }

    /// Whether posts about a WABA are wanted by whoever shows this token.
    pub async fn wants_news(&self, waba: &WabaId, token: &str) -> Result<bool, ServiceError> {
        // Fingerprints are compared, so that time tells nothing of the token.
        let print = |text: &str| self.keys.fingerprint("hub token", text.as_bytes());
        let is_ours = print(token) == print(&self.hub_token(waba));
        Ok(is_ours && self.app_secret_of(waba).await?.is_some())
    }

    /// Takes a post in, if `signature` (`sha256=` and the HMAC-SHA-256 of the body, in hexadecimal) was
    /// made with the app's secret; `false` otherwise. Costs no call upstream.
    pub async fn take_news(
        &self,
        waba: &WabaId,
        body: &[u8],
        signature: &str,
    ) -> Result<bool, ServiceError> {
        let Some(secret) = self.app_secret_of(waba).await? else { return Ok(false) };
        if !is_signed(secret.reveal(), body, signature) {
            return Ok(false);
        }
        self.news.wabas.lock().unwrap_or_else(PoisonError::into_inner).insert(waba.clone());
        self.news.told.notify_one();
        Ok(true)
    }

    /// Waits until something was told.
    pub async fn news(&self) {
        self.news.told.notified().await;
    }

    /// Compares the accounts that were told of.
    pub async fn compare_news(&self) -> Result<(), ServiceError> {
        let told =
            core::mem::take(&mut *self.news.wabas.lock().unwrap_or_else(PoisonError::into_inner));
        for waba in told {
            if let Some(upstream) = self.upstream(&waba).await? {
                self.compare_upstream(&upstream).await?;
            }
        }
        Ok(())
    }
}

/// Whether a body was signed with a secret. Compares in constant time.
fn is_signed(secret: &str, body: &[u8], signature: &str) -> bool {
    let Some(given) = signature.strip_prefix("sha256=").and_then(|text| hex::decode(text).ok())
    else {
        return false;
    };
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

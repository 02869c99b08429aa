//! Requests as they are given: to the dialects, which have ways of their own to show who calls.

use anyhow::Context as _;
use reqwest::{Method, StatusCode};

use super::{ANSWER_TIMEOUT, Client, Failure};

impl Client {
    /// A request to any path below the server's address, with nothing that shows who sends it.
    pub(in crate::cli) fn request(
        &self,
        method: Method,
        target: &str,
    ) -> anyhow::Result<reqwest::RequestBuilder> {
        let url =
            self.base.join(target.trim_start_matches('/')).context("this makes no address")?;
        Ok(self.http.request(method, url).timeout(ANSWER_TIMEOUT))
    }

    /// Sends such a request: status and body.
    pub(in crate::cli) async fn raw(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), Failure> {
        let response = self.send(request).await?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|source| self.unreachable(source))?;
        Ok((status, bytes.to_vec()))
    }
}

//! One call over HTTP: sent within its time, read within its size, its failures told apart.

use core::future::Future;
use core::time::Duration;
use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use service::ports::{Doubt, Entropy, EntropyExt as _, UpstreamError};
use tokio::time::Instant;

use super::UpstreamOptions;

/// Largest answer that is read. A page of a hundred numbers has some 50 KiB.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Tries of a call that only reads.
const READS_MAX: u32 = 3;

/// How long after the first try another one may begin: a caller waits.
const READS_WITHIN: Duration = Duration::from_secs(10);

/// Pause before the second try; doubles, with up to as much again at random.
const PAUSE: Duration = Duration::from_millis(200);

/// As Meta's published description wants it: name and version.
const USER_AGENT: &str = concat!("Rollcall/", env!("CARGO_PKG_VERSION"));

/// The client that all adapters share.
#[derive(Clone)]
pub(super) struct Http {
    client: Client,
    entropy: Arc<dyn Entropy>,
}

/// A whole answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The JSON of the body; `Null` if it is none.
    pub(super) body: Value,
}

impl Http {
    pub(super) fn new(
        options: &UpstreamOptions,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(options.connect_timeout)
            .timeout(options.call_timeout)
            // A redirect would carry the token elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(Duration::from_secs(20));
        if options.loopback_only {
            builder = builder.no_proxy();
        }
        Ok(Self { client: builder.build()?, entropy })
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request that changes something: once, and once more only if the first never left.
    pub(super) async fn write(&self, request: RequestBuilder) -> Result<Reply, UpstreamError> {
        let again = request.try_clone();
        match (send(request).await, again) {
            (Err(UpstreamError::Unavailable { doubt: Doubt::NotDone, .. }), Some(again)) => {
                tokio::time::sleep(self.jitter(PAUSE)).await;
                send(again).await
            }
            (answer, _) => answer,
        }
    }

    /// Runs a call that only reads, up to three times while it fails for the moment.
    pub(super) async fn read<T, F: Future<Output = Result<T, UpstreamError>>>(
        &self,
        call: impl Fn() -> F,
    ) -> Result<T, UpstreamError> {
        let mut pause = PAUSE;
        let begun = Instant::now();
        for _ in 1..READS_MAX {
            match call().await {
                Err(UpstreamError::Unavailable { retry_after: None, .. })
                    if begun.elapsed() < READS_WITHIN =>
                {
                    tokio::time::sleep(pause + self.jitter(pause)).await;
                    pause *= 2;
                }
                answer => return answer,
            }
        }
        call().await
    }

    fn jitter(&self, span: Duration) -> Duration {
        let millis = u64::try_from(span.as_millis()).unwrap_or(1).max(1);
        Duration::from_millis(u64::from_be_bytes(self.entropy.bytes()) % millis)
    }
}

/// Sends a request and reads its answer to the end.
pub(super) async fn send(request: RequestBuilder) -> Result<Reply, UpstreamError> {
    let mut response = request.send().await.map_err(|error| lost(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(unavailable("the answer is too large", Doubt::Settled));
        }
        bytes.extend_from_slice(&chunk);
    }
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Reply { status, headers, body })
}

impl Reply {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The same without what must not be read by others: services repeat what they do not take ("Malformed access
    /// token …"), and their words are shown and kept.
    pub(super) fn without(mut self, secrets: &[&str]) -> Self {
        veil(&mut self.body, secrets);
        self
    }

    /// `Retry-After` in seconds, where it is one.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("retry-after")?.trim().parse().ok()?;
        // A week; whoever names more means "never".
        Some(Duration::from_secs(u64::min(seconds, 7 * 24 * 3600)))
    }

    /// What an answer means that is not in the form of the API: somebody in between, or another server.
    pub(super) fn out_of_form(&self) -> UpstreamError {
        let status = self.status.as_u16();
        let reason = format!("HTTP {status} without the form of the API");
        let doubt = if self.status.is_client_error() { Doubt::NotDone } else { Doubt::Settled };
        UpstreamError::Unavailable { reason, doubt, retry_after: self.retry_after() }
    }
}

fn veil(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::String(text) => {
            for secret in secrets.iter().filter(|it| it.len() >= SECRET_BYTES_MIN) {
                if text.contains(secret) {
                    *text = text.replace(secret, "……");
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|value| veil(value, secrets)),
        Value::Object(all) => all.values_mut().for_each(|value| veil(value, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Shortest text that is taken for a secret: a code has six digits.
const SECRET_BYTES_MIN: usize = 4;

/// An answer that did not come.
pub(super) fn unavailable(reason: impl Into<String>, doubt: Doubt) -> UpstreamError {
    UpstreamError::Unavailable { reason: reason.into(), doubt, retry_after: None }
}

/// Tells a request that never left from one that may have arrived. The text of the error can hold the
/// address with its parameters, so only its causes are told.
fn lost(error: &reqwest::Error) -> UpstreamError {
    let mut cause = core::error::Error::source(error);
    let mut reason = match () {
        () if error.is_timeout() => "no answer in time".to_owned(),
        () if error.is_connect() => "no connection".to_owned(),
        () => "the connection broke".to_owned(),
    };
    while let Some(next) = cause {
        reason = format!("{reason}: {next}");
        cause = next.source();
    }
    let never_left = error.is_connect() || error.is_builder();
    unavailable(reason, if never_left { Doubt::NotDone } else { Doubt::UnderWay })
}

//! The client that posts callbacks, behind [`service::ports::CallbackClient`].
//!
//! An endpoint's address is whatever an account wrote down, so the client treats it as hostile: the name is
//! resolved here, each address checked (`reach.rs`), and the connection goes to a checked address and to no
//! other; no connection is kept, so the next attempt checks again. It follows no redirect, uses no proxy,
//! reads little of the answer and waits no longer than [`Options`] say.

mod reach;
mod resolver;
#[cfg(test)]
mod tests;

use core::net::IpAddr;
use core::time::Duration;
use std::error::Error;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, Url};
use service::ports::{CallbackClient, CallbackError, CallbackPost, Reach};

pub use resolver::{Lookup, system_lookup};

use resolver::{Checked, Forbidden};

/// Most bytes read of an answer; only its status counts.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Most bytes of a word that was asked for.
const WORD_BYTES_MAX: usize = 1024;

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// For a connection, TLS included.
    pub connect_timeout: Duration,
    /// For everything from name to answer.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(10) }
    }
}

/// Posts callbacks over HTTP and HTTPS.
pub struct HttpCallbacks {
    options: Options,
    lookup: Arc<Lookup>,
    /// One per reach, made when it is first needed: making one reads the system's certificates.
    clients: [OnceLock<Result<Client, String>>; 8],
}

impl HttpCallbacks {
    /// A client that resolves names with `lookup`. Opens nothing yet.
    #[must_use]
    pub fn new(options: Options, lookup: Arc<Lookup>) -> Self {
        Self { options, lookup, clients: Default::default() }
    }

    fn client(&self, reach: Reach) -> Result<&Client, CallbackError> {
        let Reach { public, loopback, private } = reach;
        let place = usize::from(public) | usize::from(loopback) << 1 | usize::from(private) << 2;
        let place = &self.clients[place];
        place.get_or_init(|| self.build(reach)).as_ref().map_err(|error| {
            CallbackError::Failed(format!("no HTTP client could be made: {error}"))
        })
    }

    fn build(&self, reach: Reach) -> Result<Client, String> {
        Client::builder()
            .user_agent(concat!("Rollcall/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.options.connect_timeout)
            .timeout(self.options.timeout)
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would resolve the name itself, and reach what must not be reached.
            .no_proxy()
            .referer(false)
            // A kept connection would not be checked again.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(Checked { reach, lookup: Arc::clone(&self.lookup) }))
            .build()
            .map_err(|error| causes(&error))
    }
}

#[async_trait]
impl CallbackClient for HttpCallbacks {
    async fn post(&self, post: &CallbackPost) -> Result<u16, CallbackError> {
        let url = Url::parse(&post.url)
            .map_err(|error| CallbackError::Refused(format!("no address: {error}")))?;
        check_literal(&url, post.reach)?;
        let mut request = self
            .client(post.reach)?
            .post(url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"))
            .body(post.body.clone());
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let mut answer = request.send().await.map_err(|error| failure(&error))?;
        let status = answer.status().as_u16();
        // What the endpoint says beyond the status is nobody's; an answer that breaks off has said it.
        read(&mut answer, ANSWER_BYTES_MAX).await;
        Ok(status)
    }

    async fn ask(&self, url: &str, reach: Reach) -> Result<String, CallbackError> {
        let url = Url::parse(url)
            .map_err(|error| CallbackError::Refused(format!("no address: {error}")))?;
        check_literal(&url, reach)?;
        let request = self.client(reach)?.get(url);
        let mut answer = request.send().await.map_err(|error| failure(&error))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(CallbackError::Failed(format!("answered {status}")));
        }
        let text = read(&mut answer, WORD_BYTES_MAX).await;
        String::from_utf8(text).map_err(|_| CallbackError::Failed("answered no text".to_owned()))
    }
}

/// What comes of an answer until it ends, breaks off or is too long.
async fn read(answer: &mut Response, bytes_max: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < bytes_max
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        read.extend_from_slice(&chunk[..chunk.len().min(bytes_max - read.len())]);
    }
    read
}

/// Addresses that stand in the URL itself are never resolved, so they are checked here. The URL parser
/// has turned every spelling of an IPv4 address (`0x7f.1`, `2130706433`) into the usual one.
fn check_literal(url: &Url, reach: Reach) -> Result<(), CallbackError> {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
    match literal {
        Ok(address) if !reach::allows(reach, address) => {
            Err(CallbackError::Refused(Forbidden { host: host.to_owned() }.to_string()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

fn failure(error: &reqwest::Error) -> CallbackError {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(forbidden) = cause.downcast_ref::<Forbidden>() {
            return CallbackError::Refused(forbidden.to_string());
        }
        source = cause.source();
    }
    if error.is_timeout() {
        return CallbackError::Failed("no answer in time".to_owned());
    }
    CallbackError::Failed(causes(error))
}

/// The chain of causes without the first, which repeats the whole address: it may hold a secret.
fn causes(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push(cause.to_string());
        source = cause.source();
    }
    if words.is_empty() { "the request failed".to_owned() } else { words.join(": ") }
}

//! What commands that talk to a server have in common: where it is, who asks, what went wrong.

mod feed;
mod raw;

use core::fmt::Write as _;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use zeroize::Zeroizing;

use super::output::{Output, View};
use super::{Context, print};
use crate::config;

/// The exit code of a request that a rule refused: not a failure, a normal answer.
pub(super) const REFUSED: u8 = 3;

pub(super) use feed::Feed;

/// How long to wait for a connection: a server that is there answers at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait for an answer, unless the request itself waits for something.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the server is, and who asks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct Connection {
    /// Where the server is
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "ROLLCALL_SERVER",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(super) server: String,
    /// The server's data folder: its operator.token and its own CA are taken from there
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// A file with the operator's token; without it and --data, `ROLLCALL_TOKEN` is taken
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// A CA certificate to trust for HTTPS (PEM)
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A rule says no.
    #[error("refused")]
    Refused(Value),
    /// The server says what is wrong with the request.
    #[error("{}", said(.0).unwrap_or_default())]
    Answered(Value),
    /// Nobody answers.
    #[error(
        "no server answers at {url}; start one with `rollcall serve`, or name another with --server"
    )]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// There is no token to send.
    #[error(
        "no operator token: {looked_at} cannot be read; name the server's data folder with --data, a \
         file with --token-file, or set ROLLCALL_TOKEN"
    )]
    NoToken {
        /// Where it was looked for.
        looked_at: String,
        /// Why it was not found.
        #[source]
        source: std::io::Error,
    },
    /// The server knows another token.
    #[error(
        "the server at {0} does not take this token; the right one is in operator.token of the data \
         folder that this server was started with"
    )]
    WrongToken(String),
    /// The sandbox's tools are asked of a server in production.
    #[error("the server at {0} is no sandbox: inbox and clock exist only with mode = \"sandbox\"")]
    NoSandbox(String),
    /// Something else.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// A server that is asked.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Result<Zeroizing<String>, (String, std::io::Error)>,
}

/// A query string: names and values, those without a value left out.
pub(super) type Pairs<'a> = &'a [(&'a str, Option<String>)];

/// Runs a command against the server and prints what came of it: exit code 0, 1 or [`REFUSED`].
pub(super) fn run(
    connection: &Connection,
    context: &Context<'_>,
    command: impl AsyncFnOnce(&Client, &View) -> Result<Output, Failure>,
) -> anyhow::Result<ExitCode> {
    let client = Client::new(connection, context)?;
    let view = View::of(context);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    finish(runtime.block_on(command(&client, &view)), context.json, &view)
}

/// Prints a result, or a refusal with its exit code; other failures go to the caller.
pub(super) fn finish(
    done: Result<Output, Failure>,
    json: bool,
    view: &View,
) -> anyhow::Result<ExitCode> {
    match done {
        Ok(output) => {
            output.print(json)?;
            Ok(output.code())
        }
        Err(Failure::Refused(body) | Failure::Answered(body)) if json => {
            print(&format!("{body}\n"))?;
            let refused = body["error"]["code"] == "refused";
            Ok(ExitCode::from(if refused { REFUSED } else { super::FAILURE }))
        }
        Err(Failure::Refused(body)) => {
            eprint!("{}", refusal_text(&body["error"], view));
            Ok(ExitCode::from(REFUSED))
        }
        Err(failure) => Err(failure.into()),
    }
}

impl Client {
    pub(super) fn new(connection: &Connection, context: &Context<'_>) -> anyhow::Result<Self> {
        let base = base_url(&connection.server)?;
        if shows_the_token(&base) {
            eprintln!("warning: the operator's token goes to {base} unencrypted; use https");
        }
        // Another provider may have been installed before: then that one is used.
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            // The token goes to the server named, to no proxy and to nobody it points to.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        if base.scheme() == "https" {
            for certificate in trusted(connection)? {
                http = http.add_root_certificate(certificate);
            }
        }
        Ok(Self { http: http.build()?, base, token: token(connection, context) })
    }

    /// Where the server is.
    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    /// `GET /admin/v1{path}`.
    pub(super) async fn get(&self, path: &str, query: Pairs<'_>) -> Result<Value, Failure> {
        self.admin(Method::GET, path, query, None).await
    }

    /// `POST /admin/v1{path}`.
    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.admin(Method::POST, path, &[], Some(body)).await
    }

    /// Any other request: `METHOD /admin/v1{path}`.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        self.admin(method, path, &[], body).await
    }

    /// Every entry of a list, page by page.
    pub(super) async fn all(&self, path: &str, query: Pairs<'_>) -> Result<Vec<Value>, Failure> {
        let mut entries = Vec::new();
        let mut after = None;
        loop {
            let mut pairs = query.to_vec();
            pairs.extend([("limit", Some("200".to_owned())), ("after", after)]);
            let mut page = self.get(path, &pairs).await?;
            if let Value::Array(items) = page["items"].take() {
                entries.extend(items);
            }
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                return Ok(entries);
            }
        }
    }

    /// A request to the sandbox's tools, which take no token. `None`: there was nothing (204).
    pub(super) async fn sandbox(
        &self,
        method: Method,
        path: &str,
        query: Pairs<'_>,
        body: Option<Value>,
        patience: Duration,
    ) -> Result<Option<Value>, Failure> {
        let url = self.url(&format!("sandbox/v1{path}"), query)?;
        let mut request = self.http.request(method, url).timeout(ANSWER_TIMEOUT + patience);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (status, body) = self.answer(request).await?;
        match status {
            StatusCode::NO_CONTENT => Ok(None),
            StatusCode::NOT_FOUND if body["error"].is_null() => {
                Err(Failure::NoSandbox(self.base.to_string()))
            }
            _ => settled(status, body).map(Some),
        }
    }

    /// A request to a public path: its status, headers and text.
    pub(super) async fn public(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<(StatusCode, reqwest::header::HeaderMap, String), Failure> {
        let request = self.http.get(self.url(path, &[])?).header("accept", accept);
        let response = self.send(request.timeout(ANSWER_TIMEOUT)).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.map_err(|source| self.unreachable(source))?;
        Ok((status, headers, text))
    }

    async fn admin(
        &self,
        method: Method,
        path: &str,
        query: Pairs<'_>,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let url = self.url(&format!("admin/v1{path}"), query)?;
        let mut request = self.http.request(method, url).bearer_auth(self.token()?);
        if let Some(body) = body {
            request = request.json(&body);
        }
        match self.answer(request.timeout(ANSWER_TIMEOUT)).await? {
            (StatusCode::UNAUTHORIZED, _) => Err(Failure::WrongToken(self.base.to_string())),
            (status, body) => settled(status, body),
        }
    }

    fn token(&self) -> Result<&str, Failure> {
        let token = self.token.as_ref().map_err(|(looked_at, source)| Failure::NoToken {
            looked_at: looked_at.clone(),
            source: source.kind().into(),
        })?;
        Ok(token.as_str())
    }

    async fn answer(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Value), Failure> {
        let (status, bytes) = self.raw(request).await?;
        // What is no JSON is not from Rollcall, or has no body; the status tells.
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Failure> {
        request.send().await.map_err(|source| self.unreachable(source))
    }

    fn unreachable(&self, source: reqwest::Error) -> Failure {
        Failure::Unreachable { url: self.base.to_string(), source: source.without_url() }
    }

    fn url(&self, path: &str, query: Pairs<'_>) -> Result<Url, Failure> {
        let mut url = self.base.join(path).context("this makes no address")?;
        let given = query.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        let given: Vec<_> = given.collect();
        if !given.is_empty() {
            url.query_pairs_mut().extend_pairs(given);
        }
        Ok(url)
    }
}

/// A value as it stands in a path: nothing but letters, digits, `-`, `_`, `.`, `+` is left as it is.
pub(super) fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

fn settled(status: StatusCode, body: Value) -> Result<Value, Failure> {
    if status.is_success() {
        return Ok(body);
    }
    if said(&body).is_some() {
        let refused = body["error"]["code"] == "refused";
        return Err(if refused { Failure::Refused(body) } else { Failure::Answered(body) });
    }
    let problem = format!("the server answered {status}; is it a Rollcall server of this version?");
    Err(Failure::Other(anyhow::anyhow!(problem)))
}

/// What the server says is wrong: the admin API in `error.message`, the sandbox in `error` and `details`.
fn said(body: &Value) -> Option<String> {
    let details = match body["details"].as_str() {
        Some(details) => format!(": {details}"),
        None => String::new(),
    };
    match (body["error"]["message"].as_str(), body["error"].as_str()) {
        (Some(message), _) => Some(message.to_owned()),
        (None, Some(error)) => Some(format!("{error}{details}")),
        (None, None) => None,
    }
}

/// What a person reads of a refusal: what, when it opens, what would work, where it is explained.
fn refusal_text(error: &Value, view: &View) -> String {
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    let opens_at = view.moment_if(&error["opens_at"]);
    let opens = opens_at.map_or(String::new(), |at| format!("  opens  {at}\n"));
    format!(
        "refused: {}\n{opens}  now    {}\n  why    rollcall explain {}\n",
        text("message"),
        text("what_works"),
        text("refusal"),
    )
}

fn base_url(text: &str) -> anyhow::Result<Url> {
    let hint = "--server takes an address such as http://127.0.0.1:8080";
    let mut url: Url = text.parse().with_context(|| format!("{text:?}: {hint}"))?;
    anyhow::ensure!(matches!(url.scheme(), "http" | "https"), "{text:?}: {hint}");
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// Whether somebody between here and the server can read along.
fn shows_the_token(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let near = host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    base.scheme() == "http" && !near
}

/// The token: from --token-file, --data, the environment, or the default data folder.
fn token(
    connection: &Connection,
    context: &Context<'_>,
) -> Result<Zeroizing<String>, (String, std::io::Error)> {
    let named = connection
        .token_file
        .clone()
        .or_else(|| connection.data.as_ref().map(|folder| folder.join("operator.token")));
    if named.is_none()
        && let Some(token) = context.environment.value("ROLLCALL_TOKEN")
    {
        return Ok(Zeroizing::new(token.trim().to_owned()));
    }
    let path = named.unwrap_or_else(|| default_data(context).join("operator.token"));
    let text = std::fs::read_to_string(&path).map_err(|it| (path.display().to_string(), it))?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// The data folder of a server that was started without --data.
pub(super) fn default_data(context: &Context<'_>) -> PathBuf {
    config::load(None, context.environment, &[])
        .map_or_else(|_| PathBuf::from("rollcall-data"), |loaded| loaded.config.data.dir)
}

/// The CA that was named, or the one in the data folder.
fn trusted(connection: &Connection) -> anyhow::Result<Vec<reqwest::Certificate>> {
    let own = connection.data.as_ref().map(|folder| folder.join("tls/ca.pem"));
    let path = match (&connection.ca, own) {
        (Some(named), _) => named.clone(),
        (None, Some(own)) if own.exists() => own,
        (None, _) => return Ok(Vec::new()),
    };
    read_certificates(&path).with_context(|| format!("cannot use the CA in {}", path.display()))
}

fn read_certificates(path: &Path) -> anyhow::Result<Vec<reqwest::Certificate>> {
    Ok(reqwest::Certificate::from_pem_bundle(&std::fs::read(path)?)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_taken_with_or_without_path_and_slash() {
        for (text, base) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("https://rollcall.example/", "https://rollcall.example/"),
            ("https://example.com/rollcall", "https://example.com/rollcall/"),
        ] {
            assert_eq!(base_url(text).expect("sound").as_str(), base);
        }
        for text in ["127.0.0.1:8080", "localhost", "ftp://x", ""] {
            let message = format!("{:#}", base_url(text).expect_err(text));
            assert!(message.contains("--server takes"), "{message}");
        }
    }

    #[test]
    fn only_a_near_or_encrypted_server_gets_the_token_without_a_warning() {
        for (url, warned) in [
            ("http://127.0.0.1:8080", false),
            ("http://[::1]:8080", false),
            ("http://localhost", false),
            ("https://rollcall.example", false),
            ("http://rollcall.example", true),
            ("http://192.0.2.1", true),
        ] {
            assert_eq!(shows_the_token(&base_url(url).expect(url)), warned, "{url}");
        }
    }

    #[test]
    fn a_segment_cannot_leave_its_place_in_the_path() {
        assert_eq!(segment("+447700900123"), "+447700900123");
        assert_eq!(segment("a/b?c#d e"), "a%2Fb%3Fc%23d%20e");
    }

    #[test]
    fn a_refusal_says_when_it_opens_and_what_works() {
        let error = json!({
            "message": "A code was sent a moment ago. It opens in 60 s.",
            "refusal": "code-too-soon",
            "opens_at": "2027-01-15T08:01:00Z",
            "what_works": "Wait.",
        });
        let text = "refused: A code was sent a moment ago. It opens in 60 s.\n  \
                    opens  2027-01-15 09:01:00 CET (08:01:00 UTC)\n  \
                    now    Wait.\n  \
                    why    rollcall explain code-too-soon\n";
        assert_eq!(refusal_text(&error, &View::for_tests()), text);
    }

    #[test]
    fn answers_become_results_refusals_or_failures() {
        assert!(settled(StatusCode::OK, json!({})).is_ok());
        let refused = json!({ "error": { "code": "refused", "message": "no" } });
        let answer = settled(StatusCode::FORBIDDEN, refused);
        assert!(matches!(answer, Err(Failure::Refused(_))));
        let invalid = json!({ "error": { "code": "invalid", "message": "name: is required" } });
        let failure = settled(StatusCode::UNPROCESSABLE_ENTITY, invalid).expect_err("invalid");
        assert_eq!(failure.to_string(), "name: is required");
        let sandbox =
            json!({ "error": "The request is not valid", "details": "number: too short" });
        let failure = settled(StatusCode::BAD_REQUEST, sandbox).expect_err("invalid");
        assert_eq!(failure.to_string(), "The request is not valid: number: too short");
        let failure = settled(StatusCode::BAD_GATEWAY, Value::Null).expect_err("no Rollcall");
        assert!(failure.to_string().contains("is it a Rollcall server"), "{failure}");
    }
}

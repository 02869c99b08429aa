//! The recorder: passes requests on as they come, and writes down what was said.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use clap::Args;
use http::{HeaderMap, HeaderName, StatusCode, header, request};
use serde_json::{Map, Value};

use super::exchange::{Dialect, Exchange};
use super::redact::Redactor;
use crate::cli::print;

/// Largest body that is passed on, either way.
const BODY_MAX: usize = 4 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Scheme, host and port of the registrar
    #[arg(long, value_name = "URL")]
    to: reqwest::Url,
    /// Where clients call; an address of this machine, since their secrets pass in clear
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9095")]
    listen: SocketAddr,
    /// Where to write, a line per exchange; what is there already is kept
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

struct Recorder {
    to: String,
    client: reqwest::Client,
    written: Mutex<Written>,
}

struct Written {
    file: File,
    redactor: Redactor,
    first: Option<Instant>,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        arguments.listen.ip().is_loopback(),
        "{} is not an address of this machine alone; secrets would pass in clear",
        arguments.listen
    );
    let file = open(&arguments.out)?;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(core::time::Duration::from_mins(1))
        .build()?;
    let recorder = Arc::new(Recorder {
        to: arguments.to.as_str().trim_end_matches('/').to_owned(),
        client,
        written: Mutex::new(Written { file, redactor: Redactor::default(), first: None }),
    });
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    print(&format!(
        "listening on http://{address}\nrecording to {}; Ctrl-C ends it\n",
        arguments.out.display()
    ))?;
    let router = Router::new().fallback(pass).with_state(recorder);
    let stop = async { _ = tokio::signal::ctrl_c().await };
    Ok(axum::serve(listener, router).with_graceful_shutdown(stop).await?)
}

/// Readable by its owner only: redacted, but still an account of somebody's calls.
fn open(path: &std::path::Path) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| format!("cannot write {}", path.display()))
}

async fn pass(State(recorder): State<Arc<Recorder>>, request: Request) -> Response {
    match recorder.pass(request).await {
        Ok(response) => response,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "not passed on: {error:#}");
            let mut response = Response::new(Body::from("the recorder reached no registrar\n"));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

impl Recorder {
    async fn pass(&self, request: Request) -> anyhow::Result<Response> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_MAX).await?;
        let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let asked = self
            .client
            .request(parts.method.clone(), format!("{}{path}", self.to))
            .headers(passed_on(&parts.headers))
            .body(body.clone());
        // The cause can name the address with its parameters; whoever calls knows them.
        let reply = asked.send().await.map_err(reqwest::Error::without_url)?;
        let (status, headers) = (reply.status(), passed_on(reply.headers()));
        let answer = reply.bytes().await.map_err(reqwest::Error::without_url)?;
        self.write(&parts, &body, status, &answer)?;
        let mut response = Response::new(Body::from(answer));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    #[expect(clippy::disallowed_methods, reason = "distances between requests of a live record")]
    fn write(
        &self,
        asked: &request::Parts,
        body: &Bytes,
        status: StatusCode,
        answer: &Bytes,
    ) -> anyhow::Result<()> {
        let now = Instant::now();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *written.first.get_or_insert(now);
        let redactor = &mut written.redactor;
        let action = asked.headers.get("x-acs-action").and_then(|value| value.to_str().ok());
        let parameters = parameters(asked, body);
        let action = action.or_else(|| parameters.get("Action")?.as_str());
        let (dialect, target) = match action {
            Some(action) => {
                let is_name = action.bytes().all(|b| b.is_ascii_alphanumeric());
                (Dialect::Cams, if is_name { action.to_owned() } else { "{action}".to_owned() })
            }
            None => (Dialect::Graph, redactor.path(behind_version(asked.uri.path()))),
        };
        let parameters = redactor.parameters(&parameters);
        let answer = serde_json::from_slice(answer).unwrap_or(Value::Null);
        let exchange = Exchange {
            at_ms: u64::try_from((now - first).as_millis()).unwrap_or(u64::MAX),
            dialect,
            method: asked.method.to_string(),
            target,
            parameters,
            status: status.as_u16(),
            answer: redactor.answer(&answer),
        };
        writeln!(written.file, "{}", serde_json::to_string(&exchange)?)?;
        Ok(written.file.flush()?)
    }
}

/// What concerns one connection stays on it. `Host` goes along: signatures name it.
fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::ACCEPT_ENCODING,
        HeaderName::from_static("keep-alive"),
    ] {
        passed.remove(name);
    }
    passed
}

/// Query, form and JSON merged, as the dialects do.
fn parameters(asked: &request::Parts, body: &Bytes) -> Map<String, Value> {
    let mut all = Map::new();
    all.extend(pairs(asked.uri.query().unwrap_or_default()));
    let is_form = asked
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if is_form {
        all.extend(pairs(core::str::from_utf8(body).unwrap_or_default()));
    } else if let Ok(Value::Object(fields)) = serde_json::from_slice(body) {
        all.extend(fields);
    }
    all
}

/// `a=1&b=2`, read as an address has it.
fn pairs(text: &str) -> Vec<(String, Value)> {
    let url = reqwest::Url::parse(&format!("http://localhost/?{text}"));
    let pairs = |url: &reqwest::Url| {
        let pairs = url.query_pairs();
        pairs.map(|(key, value)| (key.into_owned(), Value::String(value.into_owned()))).collect()
    };
    url.as_ref().map(pairs).unwrap_or_default()
}

/// `/v25.0/1/register` → `1/register`.
fn behind_version(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    match path.split_once('/') {
        Some((version, rest)) if version.starts_with('v') && version.contains('.') => rest,
        Some(_) | None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_no_part_of_what_was_asked() {
        assert_eq!(behind_version("/v25.0/1/register"), "1/register");
        assert_eq!(behind_version("/1/register"), "1/register");
        assert_eq!(behind_version("/"), "");
    }
}

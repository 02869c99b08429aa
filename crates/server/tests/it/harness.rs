//! What the tests share: a listener within the test, the binary as a child, raw requests.

use core::time::Duration;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use server::config::{Environment, load};
use server::listener::{Drained, Listener, Options, Stop, plain_text};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Longer than anything here takes: what is not there by then never comes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A listener that serves within the test.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) stop: Stop,
    task: JoinHandle<Drained>,
}

impl Served {
    pub(crate) async fn start(router: Router, options: Options) -> Self {
        Self::start_with(router, options, None).await
    }

    pub(crate) async fn start_with(
        router: Router,
        options: Options,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(&any, tls.is_some().then_some(&any)).await.unwrap();
        let (address, https) =
            (listener.http_address().unwrap(), listener.https_address().unwrap());
        let stop = Stop::default();
        let render = Arc::new(plain_text);
        let task = tokio::spawn(listener.serve(router, options, tls, render, stop.clone()));
        Self { address, https, stop, task }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What comes back for `request` on a connection of its own, until the server closes it.
    pub(crate) async fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may refuse, and close, before it has read all.
        _ = stream.write_all(request).await;
        read_all(&mut stream).await
    }

    /// How the server ended.
    pub(crate) async fn ended(self) -> Drained {
        within(self.task).await.unwrap()
    }
}

/// The router of most tests.
pub(crate) fn greeter() -> Router {
    Router::new()
        .route("/", get(async || "hello").post(async |body: String| body.len().to_string()))
}

/// The default options.
pub(crate) fn options() -> Options {
    let loaded = load(None, &Environment::default(), &[]).unwrap();
    Options::from(&loaded.config.listen)
}

/// An address that stays taken while nobody listens there: connections are refused, and a server that ends and
/// comes back finds it free.
pub(crate) fn held_address() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.set_reuseaddr(true).unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

/// Awaits what has to happen.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it happens in time")
}

/// Everything until the other side closes.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer leaves the answer in `bytes`.
    _ = within(stream.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Everything until `end` has come.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = within(stream.read_u8()).await;
        text.push(char::from(byte.unwrap_or_else(|error| panic!("{error} after {text:?}"))));
    }
    text
}

/// The status of a raw answer.
pub(crate) fn status(answer: &str) -> u16 {
    let code = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status in {answer:?}"))
}

/// The binary as a child process, killed when dropped.
pub(crate) struct Rollcall {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    pub(crate) address: SocketAddr,
}

impl Rollcall {
    /// Starts `rollcall serve` on a free port and waits until it listens.
    pub(crate) fn serve(data: &Path, arguments: &[&str]) -> Self {
        Self::serve_with(data, arguments, &[])
    }

    /// The same with these variables.
    pub(crate) fn serve_with(data: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = command(data, arguments);
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('\n')?.parse().ok())
            .unwrap_or_else(|| {
                _ = child.kill();
                let mut said = String::new();
                _ = stderr.read_to_string(&mut said);
                panic!("unexpected first line {line:?}: {said}")
            });
        Self { child, stdout, stderr, address }
    }

    /// The same, when it is expected to end by itself.
    pub(crate) fn serve_to_end(data: &Path, arguments: &[&str]) -> Output {
        command(data, arguments).output().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its short name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends the process as a power cut would; it is gone afterwards.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The next line on standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Waits for a log line that contains `words`.
    pub(crate) fn await_log(&mut self, words: &str) {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "ended without {words:?}");
        }
    }

    /// Waits until it has ended; also gives what was left on standard output.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Rollcall {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The binary with these arguments and nothing of this process's environment that could steer it.
pub(crate) fn rollcall(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.env_clear().args(arguments);
    command
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = rollcall(&["serve", "--data"]);
    command.arg(data).args(arguments);
    if !arguments.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command
}

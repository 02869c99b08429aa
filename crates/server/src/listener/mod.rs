//! The sockets: an accept loop of its own over hyper, for HTTP/1.1 and HTTP/2, plain and TLS.
//!
//! A client can hold a connection, memory or time only within [`Options`]: slow heads and slow bodies
//! end, large ones are refused, a panic costs one request. A handler sees only complete requests, with
//! two extensions: `axum::extract::ConnectInfo<SocketAddr>`, the other end of the connection, and
//! [`http::uri::Scheme`], `https` exactly if the connection is encrypted.

mod activity;
mod body;
mod connection;
mod linger;
mod proxies;
mod rejection;
mod request;
mod sources;
mod stop;

use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto;
use service::ram::Network;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::config::HostPort;
use crate::config::sections::Listen;
pub use rejection::{Rejection, RenderRejection, plain_text};
pub use sources::Connections;
use sources::Sources;
pub use stop::Stop;

/// Pause after the system refused to accept, as when it is out of file descriptors: long enough not to
/// spin, short enough not to be noticed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Streams that one HTTP/2 connection may have open; the number common servers allow.
const HTTP2_STREAMS_MAX: u32 = 128;

/// How often a quiet HTTP/2 connection is asked whether its client is still there.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(20);

/// What connections and requests may take; the meaning of each stands in `config.default.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct Options {
    pub connections_max: usize,
    pub connections_per_source_max: usize,
    pub proxies: Vec<Network>,
    pub header_timeout: Duration,
    pub body_timeout: Duration,
    pub body_max: usize,
    pub bodies_max: usize,
    pub headers_max: usize,
    pub header_bytes_max: usize,
    pub drain_timeout: Duration,
    /// From where connections are not counted by source: from proxies, and from this machine.
    pub uncounted: Vec<Network>,
}

impl From<&Listen> for Options {
    fn from(listen: &Listen) -> Self {
        Self {
            connections_max: listen.connections_max,
            connections_per_source_max: listen.connections_per_source_max(),
            proxies: listen.proxies.clone(),
            header_timeout: listen.header_timeout,
            body_timeout: listen.body_timeout,
            body_max: listen.body_max,
            bodies_max: listen.bodies_max,
            headers_max: listen.headers_max,
            header_bytes_max: listen.header_bytes_max,
            drain_timeout: listen.drain_timeout,
            uncounted: listen.proxies.iter().copied().chain(this_machine()).collect(),
        }
    }
}

/// Where connections come from that this machine makes to itself.
fn this_machine() -> impl Iterator<Item = Network> {
    ["127.0.0.0/8", "::1"].into_iter().filter_map(Network::parse)
}

/// How the connections ended after the server was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Each request in flight was answered.
    Finished,
    /// Some were not within the drain timeout.
    TimedOut,
    /// Somebody insisted.
    Forced,
}

/// Bound sockets, not yet accepting.
#[derive(Debug)]
pub struct Listener {
    http: TcpListener,
    https: Option<TcpListener>,
    counts: Arc<Connections>,
}

/// What all connections share.
struct Shared {
    router: Router,
    options: Options,
    render: RenderRejection,
    http: auto::Builder<TokioExecutor>,
    permits: Arc<Semaphore>,
    sources: Arc<Sources>,
    bodies: Arc<Semaphore>,
    connections: TaskTracker,
    stop: Stop,
}

impl Listener {
    /// Binds the addresses; port 0 takes any free one.
    pub async fn bind(http: &HostPort, https: Option<&HostPort>) -> io::Result<Self> {
        let https = match https {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { http: bind(http).await?, https, counts: Arc::default() })
    }

    /// The address of the plain listener.
    pub fn http_address(&self) -> io::Result<SocketAddr> {
        self.http.local_addr()
    }

    /// The address of the TLS listener, if there is one.
    pub fn https_address(&self) -> io::Result<Option<SocketAddr>> {
        self.https.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// How many connections there are, while it serves.
    #[must_use]
    pub fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.counts)
    }

    /// Serves `router` until told to stop, then lets requests in flight finish.
    ///
    /// `tls` is needed by the TLS listener only; `render` words the refusals that no handler sees.
    pub async fn serve(
        self,
        router: Router,
        options: Options,
        tls: Option<Arc<rustls::ServerConfig>>,
        render: RenderRejection,
        stop: Stop,
    ) -> Drained {
        let shared = Arc::new(Shared {
            router,
            http: protocol(&options),
            permits: Arc::new(Semaphore::new(options.connections_max)),
            sources: Sources::new(&options, self.counts),
            bodies: body::room(&options),
            options,
            render,
            connections: TaskTracker::new(),
            stop,
        });
        let plain = shared.accept(self.http, None);
        let encrypted = async {
            if let Some((listener, tls)) = self.https.zip(tls) {
                shared.accept(listener, Some(TlsAcceptor::from(tls))).await;
            }
        };
        // Both loops end, and close their sockets, when the server is told to stop.
        tokio::join!(plain, encrypted);
        shared.drain().await
    }
}

impl Shared {
    async fn accept(self: &Arc<Self>, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let next = async || {
            // At the cap, connections wait in the kernel's queue.
            let permit = Arc::clone(&self.permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        loop {
            let accepted = tokio::select! {
                accepted = next() => accepted,
                () = self.stop.requested() => return,
            };
            match accepted {
                (Ok(permit), Ok((stream, peer))) => {
                    let Some(place) = self.sources.enter(peer.ip()) else {
                        refuse(&stream);
                        continue;
                    };
                    let seat = linger::Seat { _permit: permit, _place: place };
                    let stream = linger::Lingering::new(prepared(stream), seat);
                    let shared = Arc::clone(self);
                    let tls = tls.clone();
                    self.connections.spawn(connection::serve(shared, stream, peer, tls));
                }
                (Ok(_), Err(error)) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                // The semaphore is never closed.
                (Err(_), _) => return,
            }
        }
    }

    async fn drain(&self) -> Drained {
        self.connections.close();
        let drained = tokio::select! {
            // First, because force also ends the connections, and then both are ready.
            biased;
            () = self.stop.forced() => Drained::Forced,
            () = self.connections.wait() => return Drained::Finished,
            () = tokio::time::sleep(self.options.drain_timeout) => Drained::TimedOut,
        };
        tracing::warn!(connections = self.connections.len(), "stopping with requests in flight");
        self.stop.force();
        self.connections.wait().await;
        drained
    }
}

async fn bind(address: &HostPort) -> io::Result<TcpListener> {
    TcpListener::bind((address.host.as_str(), address.port)).await.map_err(|error| {
        let kind = error.kind();
        let why = if kind == io::ErrorKind::AddrInUse {
            "another program listens there; stop it, or name another port (0 takes a free one)"
                .into()
        } else if kind == io::ErrorKind::AddrNotAvailable {
            "this machine has no such address".into()
        } else if kind == io::ErrorKind::PermissionDenied {
            "this user may not; ports below 1024 need a right of their own, others do not".into()
        } else {
            error.to_string()
        };
        io::Error::new(kind, format!("cannot listen on {address}: {why}"))
    })
}

fn prepared(stream: TcpStream) -> TcpStream {
    // Answers are small and complete: waiting to fill a packet would only delay them. A socket that
    // refuses the option works all the same.
    _ = stream.set_nodelay(true);
    stream
}

/// Lets a connection end without a word and so that nothing is left of it: a reset keeps nothing waiting.
fn refuse(stream: &TcpStream) {
    // A socket that refuses the option is closed all the same.
    _ = stream.set_zero_linger();
}

fn protocol(options: &Options) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_headers(options.headers_max)
        .max_buf_size(options.header_bytes_max);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(u32::try_from(options.header_bytes_max).unwrap_or(u32::MAX))
        .keep_alive_interval(HTTP2_PING_INTERVAL)
        .keep_alive_timeout(options.header_timeout);
    builder
}

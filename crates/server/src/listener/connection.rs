//! One connection, from handshake to end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::uri::Scheme;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::linger::Lingering;
use super::{Shared, request};

/// Serves a connection until its client leaves, it is idle or too slow, or the server stops.
pub(super) async fn serve(
    shared: Arc<Shared>,
    stream: Lingering,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
) {
    let Some(tls) = tls else {
        return requests(&shared, stream, peer, &Scheme::HTTP).await;
    };
    let handshake = tokio::time::timeout(shared.options.header_timeout, tls.accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = shared.stop.requested() => return,
    };
    match shaken {
        Ok(Ok(stream)) => requests(&shared, stream, peer, &Scheme::HTTPS).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "TLS handshake timed out"),
    }
}

async fn requests<S>(shared: &Arc<Shared>, stream: S, peer: SocketAddr, scheme: &Scheme)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let spoke = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        spoke.store(true, Ordering::Relaxed);
        let (shared, scheme) = (Arc::clone(shared), scheme.clone());
        async move { request::answer(&shared, peer, scheme, request).await }
    });
    let mut connection = pin!(shared.http.serve_connection(TokioIo::new(stream), service));
    // hyper times heads only once it knows the protocol; until the first request this does.
    let mut silence = pin!(tokio::time::sleep(shared.options.header_timeout));
    let (mut waiting, mut stopping) = (true, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error, "connection failed");
                }
                return;
            }
            () = silence.as_mut(), if waiting => {
                if !spoke.load(Ordering::Relaxed) {
                    return;
                }
                waiting = false;
            }
            () = shared.stop.requested(), if !stopping => {
                connection.as_mut().graceful_shutdown();
                stopping = true;
            }
            () = shared.stop.forced() => return,
        }
    }
}

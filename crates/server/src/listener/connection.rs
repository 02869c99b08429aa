//! One connection, from handshake to end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use http::uri::Scheme;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::activity::Activity;
use super::linger::Lingering;
use super::{Shared, request};

/// What a client hears that speaks HTTP to the port of HTTPS; it could not make sense of an alert of TLS.
const ASK_WITH_HTTPS: &str = "HTTP/1.1 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 52\r\n\
    connection: close\r\n\r\n\
    This port speaks HTTPS: write https:// in the URL.\r\n";

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
    let handshake = tokio::time::timeout(shared.options.header_timeout, handshake(tls, stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = shared.stop.requested() => return,
    };
    match shaken {
        Ok(Ok(Some(stream))) => requests(&shared, stream, peer, &Scheme::HTTPS).await,
        Ok(Ok(None)) => tracing::debug!(%peer, "HTTP on the port of HTTPS"),
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "TLS handshake timed out"),
    }
}

/// Turns a connection into one of TLS; `None` if it was plain HTTP, which was told so.
async fn handshake(
    tls: TlsAcceptor,
    mut stream: Lingering,
) -> io::Result<Option<TlsStream<Lingering>>> {
    // A handshake begins with 22, a request with its method.
    if stream.first_byte().await.is_some_and(|byte| byte.is_ascii_uppercase()) {
        stream.write_all(ASK_WITH_HTTPS.as_bytes()).await?;
        return Ok(None);
    }
    tls.accept(stream).await.map(Some)
}

async fn requests<S>(shared: &Arc<Shared>, stream: S, peer: SocketAddr, scheme: &Scheme)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let activity = Arc::new(Activity::default());
    let service = service_fn(|request| {
        let busy = activity.begin();
        let (shared, scheme) = (Arc::clone(shared), scheme.clone());
        async move {
            let answered = request::answer(&shared, peer, scheme, request).await;
            answered.map(|response| busy.until_sent(response))
        }
    });
    let mut connection = pin!(shared.http.serve_connection(TokioIo::new(stream), service));
    // hyper times the heads of HTTP/1.1 once it knows the protocol; this does until then, and where several
    // requests share a connection, which its client could otherwise keep by answering pings alone.
    let patience = shared.options.header_timeout;
    let mut look = pin!(tokio::time::sleep(patience));
    let (mut seen, mut leaving, mut stopping) = (0, false, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error, "connection failed");
                }
                return;
            }
            () = look.as_mut() => {
                let begun = activity.begun();
                if activity.is_quiet() && begun == seen {
                    // It never spoke, or was asked to leave and stays.
                    if begun == 0 || leaving {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    leaving = true;
                }
                seen = begun;
                look.set(tokio::time::sleep(patience));
            }
            () = shared.stop.requested(), if !stopping => {
                connection.as_mut().graceful_shutdown();
                stopping = true;
            }
            () = shared.stop.forced() => return,
        }
    }
}

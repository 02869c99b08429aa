//! A stream whose last words arrive.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::sources::Place;

/// How long a client may take to notice that it was refused.
const LINGER: Duration = Duration::from_secs(2);

/// What a connection takes of the connections that there may be: of all, and of its source.
pub(super) struct Seat {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) _place: Place,
}

/// A TCP stream that, when dropped before its client has finished, goes on reading for a moment.
///
/// Closing a socket with unread input makes the kernel reset the connection, and a client that is still
/// sending a large request would see the reset instead of the 413 or 431 that explains it. The seat of
/// the connection is held until the socket is closed.
pub(super) struct Lingering {
    stream: Option<(TcpStream, Seat)>,
    finished: bool,
}

impl Lingering {
    pub(super) const fn new(stream: TcpStream, seat: Seat) -> Self {
        Self { stream: Some((stream, seat)), finished: false }
    }

    /// The first byte that the client sends, which stays to be read; `None` if it sends none.
    pub(super) async fn first_byte(&self) -> Option<u8> {
        let (stream, _) = self.stream.as_ref()?;
        let mut first = [0];
        matches!(stream.peek(&mut first).await, Ok(1)).then_some(first[0])
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut self.stream {
            Some((stream, _)) => act(Pin::new(stream)),
            // The stream is taken when this is dropped, not before.
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let (false, Some((stream, seat)), Ok(runtime)) =
            (self.finished, self.stream.take(), Handle::try_current())
        {
            runtime.spawn(linger(stream, seat));
        }
    }
}

async fn linger(mut stream: TcpStream, _seat: Seat) {
    // The client may be gone already: then there is nobody left to be polite to.
    _ = stream.shutdown().await;
    let mut discarded = vec![0; 4096];
    let discard = async { while matches!(stream.read(&mut discarded).await, Ok(1..)) {} };
    _ = tokio::time::timeout(LINGER, discard).await;
}

impl AsyncRead for Lingering {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let room = buf.remaining() > 0;
        let read = ready!(this.with(|stream| stream.poll_read(cx, buf)));
        this.finished |= read.is_err() || (room && buf.filled().len() == before);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().with(|stream| stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().with(|stream| stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().with(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(|(stream, _)| stream.is_write_vectored())
    }
}

//! Bodies, received whole and within bounds: each by itself, and all of them together.
//!
//! Whoever can connect can send bodies, signed or not, and each is kept until it is complete and answered.
//! What is large of them is therefore counted across all connections; what waits for room waits in the
//! kernel's buffers. Small bodies, which is what every call to register a number has, wait for nobody.

use core::pin::pin;
use std::sync::Arc;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Options, Rejection};

/// Bytes of each body that are not counted. Calls have a few hundred; larger are pictures, backups, keys.
const SMALL_BYTES: usize = 16 * 1024;

/// A body, and the room that it takes until it is dropped.
pub(super) struct Received {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Room for the bodies of all connections, in bytes; for one of the largest in any case.
pub(super) fn room(options: &Options) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(options.bodies_max.max(options.body_max).min(Semaphore::MAX_PERMITS)))
}

/// The whole body: a handler starts only when its request is complete, so that none holds anything while
/// a client dawdles.
pub(super) async fn receive(
    options: &Options,
    room: &Arc<Semaphore>,
    body: Incoming,
) -> Result<Received, Rejection> {
    if body.is_end_stream() {
        return Ok(Received { bytes: Bytes::new(), _room: None });
    }
    if body.size_hint().lower() > options.body_max as u64 {
        return Err(Rejection::BodyTooLarge);
    }
    let whole = collect(room, Limited::new(body, options.body_max));
    match tokio::time::timeout(options.body_timeout, whole).await {
        Ok(received) => received,
        Err(_) => Err(Rejection::BodyTimedOut),
    }
}

async fn collect(room: &Arc<Semaphore>, body: Limited<Incoming>) -> Result<Received, Rejection> {
    let mut body = pin!(body);
    let (mut bytes, mut taken) = (Vec::new(), None::<OwnedSemaphorePermit>);
    let counted = |length: usize| length.saturating_sub(SMALL_BYTES);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let is_large = error.is::<LengthLimitError>();
            if is_large { Rejection::BodyTooLarge } else { Rejection::BodyBroken }
        })?;
        // What follows a body in its trailers is nobody's.
        let Ok(data) = frame.into_data() else { continue };
        let before = counted(bytes.len());
        bytes.extend_from_slice(&data);
        let more = u32::try_from(counted(bytes.len()) - before).unwrap_or(u32::MAX);
        if more > 0 {
            // The semaphore is never closed.
            let permit = Arc::clone(room).acquire_many_owned(more).await;
            let permit = permit.map_err(|_| Rejection::BodyBroken)?;
            match &mut taken {
                Some(taken) => taken.merge(permit),
                None => taken = Some(permit),
            }
        }
    }
    Ok(Received { bytes: bytes.into(), _room: taken })
}

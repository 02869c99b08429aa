//! One request: received in full, handed to the router, answered whatever happens.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use futures_util::FutureExt as _;
use http::header::CONNECTION;
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tower::ServiceExt as _;

use super::{Options, Rejection, Shared};

/// Answers `request`, which `peer` sent over a connection of `scheme`.
pub(super) async fn answer(
    shared: &Shared,
    peer: SocketAddr,
    scheme: Scheme,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (mut head, incoming) = request.into_parts();
    let body = match receive(&shared.options, &head, incoming).await {
        Ok(body) => body,
        Err(rejection) => return Ok(reject(shared, rejection, &head)),
    };
    head.extensions.insert(ConnectInfo(peer));
    head.extensions.insert(scheme);
    // The head is kept for the answer to a panic.
    let request = Request::from_parts(head.clone(), Body::from(body));
    let handled = AssertUnwindSafe(shared.router.clone().oneshot(request)).catch_unwind().await;
    Ok(match handled {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => reject(shared, Rejection::Panicked, &head),
    })
}

/// The whole body: a handler starts only when its request is complete, so that none holds anything while
/// a client dawdles.
async fn receive(options: &Options, head: &Parts, body: Incoming) -> Result<Bytes, Rejection> {
    if head.headers.len() > options.headers_max {
        return Err(Rejection::TooManyHeaders);
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > options.body_max as u64 {
        return Err(Rejection::BodyTooLarge);
    }
    let whole = Limited::new(body, options.body_max).collect();
    match tokio::time::timeout(options.body_timeout, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Rejection::BodyTooLarge),
        Ok(Err(_)) => Err(Rejection::BodyBroken),
        Err(_) => Err(Rejection::BodyTimedOut),
    }
}

fn reject(shared: &Shared, rejection: Rejection, head: &Parts) -> Response<Body> {
    tracing::debug!(?rejection, method = %head.method, "request rejected");
    let mut response = (shared.render)(rejection, head);
    // The rest of the request is not read, so no other can follow it; HTTP/2 has no such header.
    if head.version < Version::HTTP_2 && rejection != Rejection::Panicked {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

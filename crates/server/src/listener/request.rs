//! One request: received in full, handed to the router, answered whatever happens.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;

use api::middleware::DropConnection;
use axum::body::Body;
use axum::extract::ConnectInfo;
use futures_util::FutureExt as _;
use http::header::CONNECTION;
use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Version};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::proxies::origin;
use super::{Rejection, Shared, body};

/// Instead of an answer: hyper closes the connection, or resets the stream of HTTP/2.
#[derive(Debug, thiserror::Error)]
#[error("dropped by a rehearsed fault")]
pub(super) struct Dropped;

/// Answers `request`, which `peer` sent over a connection of `scheme`.
pub(super) async fn answer(
    shared: &Shared,
    peer: SocketAddr,
    scheme: Scheme,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let (mut head, incoming) = request.into_parts();
    if head.headers.len() > shared.options.headers_max {
        return Ok(reject(shared, Rejection::TooManyHeaders, &head));
    }
    // Its room is given back with the answer.
    let body = match body::receive(&shared.options, &shared.bodies, incoming).await {
        Ok(body) => body,
        Err(rejection) => return Ok(reject(shared, rejection, &head)),
    };
    let (peer, scheme) = origin(&shared.options.proxies, peer, scheme, &head.headers);
    head.extensions.insert(ConnectInfo(peer));
    head.extensions.insert(scheme);
    // The head is kept for the answer to a panic.
    let request = Request::from_parts(head.clone(), Body::from(body.bytes.clone()));
    let handled = AssertUnwindSafe(shared.router.clone().oneshot(request)).catch_unwind().await;
    match handled {
        Ok(Ok(response)) if response.extensions().get::<DropConnection>().is_some() => Err(Dropped),
        Ok(Ok(response)) => Ok(response),
        Ok(Err(never)) => match never {},
        Err(_) => Ok(reject(shared, Rejection::Panicked, &head)),
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

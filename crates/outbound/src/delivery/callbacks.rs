//! What providers ask of us.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

/// Answers a provider's HTTP requests: delivery statuses, or what to say in a call.
///
/// The server takes them at `/delivery/v1/NAME/…`, whole and at most 64 KiB large; the path of the
/// request is what follows the name (`/status`), the query is as it came. Anybody can send anything
/// there, so the sender checks the provider's signature, or a token in its own path, before it believes
/// a word. `callback_url` in the sender's options is that address as the provider reaches it.
#[async_trait]
pub trait Callbacks: Send + Sync + 'static {
    /// Answers `request`.
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes>;
}

//! Where providers reach their senders: `/delivery/v1/NAME/…`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{StatusCode, Uri};
use http_body_util::BodyExt as _;
use outbound::delivery::Callbacks;

/// Where the paths begin.
pub(super) const PREFIX: &str = "/delivery/v1";

/// Largest body: delivery statuses have some hundred bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

type Receivers = Arc<BTreeMap<String, Arc<dyn Callbacks>>>;

/// `app`, and beside it what providers ask for.
pub(super) fn beside(app: Router, receivers: BTreeMap<String, Arc<dyn Callbacks>>) -> Router {
    if receivers.is_empty() {
        return app;
    }
    Router::new()
        .route(&format!("{PREFIX}/{{name}}"), any(bare))
        .route(&format!("{PREFIX}/{{name}}/{{*rest}}"), any(answer))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(receivers))
        .fallback_service(app)
}

async fn bare(state: State<Receivers>, Path(name): Path<String>, request: Request) -> Response {
    answer(state, Path((name, String::new())), request).await
}

async fn answer(
    State(receivers): State<Receivers>,
    Path((name, rest)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Some(receiver) = receivers.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let Ok(uri) = format!("/{rest}{query}").parse::<Uri>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (mut head, body) = request.into_parts();
    let Ok(body) = http_body_util::Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    head.uri = uri;
    let request = http::Request::from_parts(head, body.to_bytes());
    receiver.answer(request).await.map(Body::from)
}

//! Where providers reach their senders: `/delivery/v1/NAME/…`.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::rejected::plain;
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
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large");
    };
    head.uri = uri;
    let request = http::Request::from_parts(head, body.to_bytes());
    receiver.answer(request).await.map(Body::from)
}

#[cfg(test)]
mod tests {
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;

    struct Echo;

    #[async_trait::async_trait]
    impl Callbacks for Echo {
        async fn answer(&self, request: Request<axum::body::Bytes>) -> Response<axum::body::Bytes> {
            Response::new(request.into_body())
        }
    }

    #[tokio::test]
    async fn what_a_provider_posts_and_is_too_large_is_refused_in_json() {
        let echo = Arc::new(Echo) as Arc<dyn Callbacks>;
        let app = beside(Router::new(), BTreeMap::from([("main".to_owned(), echo)]));
        for (length, status, beginning) in [
            (BODY_BYTES_MAX, StatusCode::OK, "    "),
            (BODY_BYTES_MAX + 1, StatusCode::PAYLOAD_TOO_LARGE, r#"{"error":{"code":"too_large""#),
        ] {
            let request =
                Request::post("/delivery/v1/main/status/x").body(Body::from(" ".repeat(length)));
            let answer = app.clone().oneshot(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{length}");
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert!(body.starts_with(beginning.as_bytes()), "{body:?}");
        }
    }
}

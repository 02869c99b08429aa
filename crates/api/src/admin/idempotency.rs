//! `Idempotency-Key`: a repeated request gets the first one's answer and has no second effect.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use service::ServiceError;
use service::idempotency::{KEY_CHARS_MAX, KeptAnswer, Once, Ticket};
use sha2::{Digest, Sha256};

use super::BODY_BYTES_MAX;
use super::failure::Failure;
use crate::state::App;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Carries a request with an idempotency key out once.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    match request.headers().get(IDEMPOTENCY_KEY).cloned() {
        Some(key) if changes => match first_or_repeated(&app, &key, request, next).await {
            Ok(response) => response,
            Err(failure) => failure.render(&app),
        },
        Some(_) | None => next.run(request).await,
    }
}

async fn first_or_repeated(
    app: &App,
    key: &HeaderValue,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let key = key.to_str().ok().filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()));
    let Some(key) = key else {
        let problem = format!("has 1 to {KEY_CHARS_MAX} visible characters");
        return Err(Failure::invalid("Idempotency-Key", problem));
    };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Failure::TooLarge)?;
    let digest = digest(&parts.method, &parts.uri, &body);
    match app.service.first_request(key, digest).await? {
        Once::First(ticket) => {
            let response = next.run(Request::from_parts(parts, Body::from(body))).await;
            Ok(remember(app, ticket, response).await)
        }
        Once::Repeated(answer) => Ok(repeat(answer)),
        Once::Running => Err(Failure::InProgress),
        Once::OtherRequest => {
            Err(Failure::invalid("Idempotency-Key", "was used for another request"))
        }
    }
}

/// Keeps answers of requests that had or may have had an effect: a refusal may have cost a guess. After
/// any other answer the repetition is carried out. The request is done by now, so its caller gets the
/// answer even if it cannot be kept.
async fn remember(app: &App, ticket: Ticket, response: Response) -> Response {
    let status = response.status();
    if !(status.is_success() || status == StatusCode::FORBIDDEN) {
        warn_if_failed(app.service.forget_request(ticket).await);
        return response;
    }
    let (parts, body) = response.into_parts();
    // A body of ours lies in memory as a whole: reading it cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let answer = KeptAnswer {
        status: status.as_u16(),
        location: location.map(str::to_owned),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    warn_if_failed(app.service.keep_answer(ticket, answer).await);
    Response::from_parts(parts, Body::from(body))
}

fn warn_if_failed(kept: Result<(), ServiceError>) {
    if let Err(error) = kept {
        tracing::warn!(%error, "an answer was not kept under its idempotency key");
    }
}

fn repeat(answer: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let has_body = !answer.body.is_empty();
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(location) = answer.location.and_then(|it| HeaderValue::from_str(&it).ok()) {
        headers.insert(header::LOCATION, location);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

fn digest(method: &Method, uri: &http::Uri, body: &Bytes) -> [u8; 32] {
    let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    let mut digest = Sha256::new();
    for part in [method.as_str().as_bytes(), target.as_bytes(), body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

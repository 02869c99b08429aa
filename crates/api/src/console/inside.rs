//! The operator's API and the sandbox's tools, asked within the process as a script would ask them from
//! outside.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

use super::trouble::Trouble;
use crate::state::App;
use crate::{admin, sandbox};

/// Both APIs.
#[derive(Debug, Clone)]
pub(super) struct Inside {
    admin: Router,
    sandbox: Option<Router>,
}

impl Inside {
    pub(super) fn new(app: &App) -> Self {
        let tools = app.sandbox.is_some().then(|| sandbox::routes().with_state(app.clone()));
        Self { admin: admin::unguarded_routes(app).with_state(app.clone()), sandbox: tools }
    }

    /// `GET` below `/admin/v1`.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        read(ask(&self.admin, Method::GET, path, None).await?)
    }

    /// Any method below `/admin/v1`.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Trouble> {
        ask(&self.admin, method, path, body).await
    }

    /// `GET` below `/sandbox/v1`.
    pub(super) async fn sandbox_get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        read(self.sandbox_send(Method::GET, path, None).await?)
    }

    /// Any method below `/sandbox/v1`.
    pub(super) async fn sandbox_send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Trouble> {
        let Some(sandbox) = &self.sandbox else { return Err(Trouble::of(StatusCode::NOT_FOUND)) };
        ask(sandbox, method, path, body).await
    }

    /// A seed file to `/sandbox/v1/seed`.
    pub(super) async fn sandbox_seed(&self, text: String) -> Result<Value, Trouble> {
        let Some(sandbox) = &self.sandbox else { return Err(Trouble::of(StatusCode::NOT_FOUND)) };
        answer(sandbox, Method::POST, "/seed", Body::from(text)).await
    }
}

async fn ask(
    routes: &Router,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value, Trouble> {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    answer(routes, method, path, body).await
}

async fn answer(routes: &Router, method: Method, path: &str, body: Body) -> Result<Value, Trouble> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|_| Trouble::of(StatusCode::NOT_FOUND))?;
    let response = match routes.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    // These answers lie in memory as a whole: reading them cannot fail.
    let bytes = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let body = json(&bytes.unwrap_or_default());
    if status.is_success() { Ok(body) } else { Err(Trouble::read(status, &body)) }
}

fn json(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

/// A page reads fewer fields than there are; one that is missing is a bug of ours.
fn read<T: DeserializeOwned>(body: Value) -> Result<T, Trouble> {
    serde_json::from_value(body).map_err(|error| {
        tracing::error!(%error, "bug: the console cannot read an answer");
        Trouble::of(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

//! The operator's token.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::failure::Failure;
use crate::state::App;

/// Lets a request pass that brings the operator's token, before anything of it is read.
pub(crate) async fn operator_only(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    if is_operator(request.headers(), &app.settings.operator_token_sha256) {
        next.run(request).await
    } else {
        Failure::Unauthorized.render(&app)
    }
}

/// Compares digests in constant time, so neither the token nor its length can be found out by timing.
fn is_operator(headers: &HeaderMap, kept: &[u8; 32]) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return false };
    let Some((scheme, token)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return false;
    };
    let given: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
    scheme.eq_ignore_ascii_case("Bearer") && given.ct_eq(kept).into()
}

//! Requests of this dialect that ended before any handler saw them.

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use super::reply::Fault;
use crate::state::App;

/// Whether a path belongs to this dialect.
#[must_use]
pub fn is_ours(path: &str) -> bool {
    let of_client = || path.strip_prefix("/clients/")?.split_once('/').map(|(_, rest)| rest);
    let rest = path.strip_prefix('/').filter(|rest| !rest.starts_with("clients/"));
    let rest = rest.or_else(of_client).unwrap_or_default();
    rest == "v1" || rest.starts_with("v1/")
}

/// The answer: 1025 with the status and words of whoever rejected the request, or 1014 if the server is
/// to blame.
#[must_use]
pub fn answer(app: &App, status: StatusCode, words: &str) -> Response {
    let (code, title) = if status.is_server_error() {
        (1014, "Internal error")
    } else {
        (1025, "Request is not valid")
    };
    Fault::new(app, status, code, title, words).into_response()
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn a_path_tells_whose_it_is() {
        for path in ["/v1", "/v1/account", "/clients/second/v1/users/login", "/v1/../admin/v1"] {
            assert!(is_ours(path), "{path}");
        }
        for path in
            ["/", "/v11", "/admin/v1/numbers", "/clients/v1", "/clients/a/b/v1", "//v1/health"]
        {
            assert!(!is_ours(path), "{path}");
        }
    }
}

//! Requests that ended before any handler saw them, answered in the dialect of who asked: their programs
//! fail on an error that is not what they parse (CAMS reference §3.4).

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use crate::cams::gateway as cams;
use crate::graph::{self, failure::Failure as GraphFailure};
use crate::middleware::name_request;
use crate::onprem;
use crate::state::App;

/// The answer with the status and words of whoever rejected the request; `None` if no dialect was spoken.
#[must_use]
pub fn answer(app: &App, head: &Parts, status: StatusCode, words: &str) -> Option<Response> {
    let path = head.uri.path();
    if onprem::rejected::is_ours(path) {
        return Some(onprem::rejected::answer(app, status, words));
    }
    let mut response = if path == "/" {
        cams::rejected(app, head, status, words)
    } else if graph::is_ours(path) {
        graph::reply::render(app, None, Err(GraphFailure::rejected(status, words)))
    } else {
        return None;
    };
    name_request(app, &mut response);
    Some(response)
}

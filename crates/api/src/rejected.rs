//! Requests that ended before any handler saw them, answered in the words of who was asked.

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use crate::middleware::name_request;
use crate::state::App;
use crate::{admin, cams, graph, onprem};

/// The answer with the status and words of whoever rejected the request; `None` where the path tells no
/// form, so that plain text serves.
#[must_use]
pub fn answer(app: &App, head: &Parts, status: StatusCode, words: &str) -> Option<Response> {
    let path = head.uri.path();
    let sentence = &sentence(words);
    let mut response = if onprem::rejected::is_ours(path) {
        onprem::rejected::answer(app, status, words)
    } else if graph::is_ours(path) {
        graph::gateway::rejected(app, path, status, sentence)
    } else if path == "/" {
        cams::gateway::rejected(app, head, status, sentence)
    } else if path.starts_with("/admin/v1/") || path.starts_with("/sandbox/v1/") {
        admin::rejected(status, sentence)
    } else {
        return None;
    };
    name_request(app, &mut response);
    Some(response)
}

/// The words with a capital in front.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

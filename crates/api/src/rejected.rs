//! Requests that ended before any handler saw them, answered in the words of who was asked.

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use crate::bare_page::page;
use crate::middleware::name_request;
use crate::state::App;
use crate::{admin, cams, console, graph, onprem, sandbox};

/// The answer with the status and words of whoever rejected the request: in the form of the dialect, as a
/// page where people look, else in that of the operator's API.
#[must_use]
pub fn answer(app: &App, head: &Parts, status: StatusCode, words: &str) -> Response {
    let path = head.uri.path();
    let sentence = &sentence(words);
    let below = |root: &str| {
        path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mut response = if onprem::rejected::is_ours(path) {
        onprem::rejected::answer(app, status, words)
    } else if graph::is_ours(path) {
        graph::gateway::rejected(app, path, status, sentence)
    } else if path == "/" {
        cams::gateway::rejected(app, head, status, sentence)
    } else if below("/sandbox") && app.sandbox.is_some() {
        sandbox::rejected(status, sentence)
    } else if below("/console") {
        console::rejected(&head.headers, status)
    } else if below("/two-step/reset") {
        page(status, sentence, "<p>Please open the link in the mail again.</p>")
    } else {
        plain(status, sentence)
    };
    name_request(app, &mut response);
    response
}

/// The same where no dialect is spoken.
#[must_use]
pub fn plain(status: StatusCode, sentence: &str) -> Response {
    admin::rejected(status, sentence)
}

/// The words with a capital in front.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

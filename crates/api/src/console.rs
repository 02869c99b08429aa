//! `/console`: until there is a console, a page that says what runs here and where to go.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::header;

use crate::state::App;

/// No script, no request to anywhere; only this page's own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

const SANDBOX: &str = "<li><a href=\"/sandbox/v1/inbox\">Inbox</a> <span>messages with codes</span></li>
<li><a href=\"/sandbox/v1/magic-numbers\">Magic numbers</a> <span>a number for each error</span></li>
<li><a href=\"/sandbox/v1/clock\">Clock</a> <span>what the rules take for now</span></li>";

/// The page.
pub async fn page(State(app): State<App>) -> Response {
    let (mode, tools) =
        if app.sandbox.is_some() { ("sandbox", SANDBOX) } else { ("production", "") };
    let page = include_str!("console/page.html").replace("{mode}", mode).replace("{tools}", tools);
    let headers =
        [(header::CONTENT_SECURITY_POLICY, POLICY), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, Html(page)).into_response()
}

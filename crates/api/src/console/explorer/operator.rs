//! `/explorer/operator`: the operator's API, to look up. It is described by its OpenAPI document, and its calls
//! are not made here: whoever sees this page may do everything that they do.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::uri::Scheme;

use super::data::Dialect;
use super::{Console, Frame, Section, base, ok};

struct Line {
    method: String,
    path: &'static str,
    /// English, as in the document.
    summary: String,
}

#[derive(Template)]
#[template(path = "explorer_operator.html")]
struct Page {
    f: Frame,
    dialects: [Dialect; 3],
    lines: Vec<Line>,
    /// A call that runs as pasted.
    sample: String,
}

/// The page.
pub(in crate::console) async fn page(
    State(console): State<Console>,
    scheme: Option<Extension<Scheme>>,
    frame: Frame,
    headers: HeaderMap,
) -> Response {
    let lines = crate::admin::summaries().into_iter().map(|(method, path, summary)| Line {
        method: method.to_uppercase(),
        path,
        summary,
    });
    let base = base(&console, scheme, &headers);
    let sample = format!(
        "curl -sSN -H \"authorization: Bearer $ROLLCALL_TOKEN\" '{base}/admin/v1/audit/live'"
    );
    let f = frame.in_section(Section::Explorer);
    ok(&Page { f, dialects: Dialect::ALL, lines: lines.collect(), sample })
}

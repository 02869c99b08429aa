//! What happens around every handler: request id, counting, logging, the last word on panics.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method};
use service::ports::EntropyExt as _;

use crate::onprem::reply::Backing;
use crate::state::App;

/// Put on a response that must not be sent: the listener closes the connection instead. Only a rehearsed
/// fault of the sandbox does that.
#[derive(Debug, Clone, Copy)]
pub struct DropConnection;

/// The id of a request, as it stands in `X-Request-ID` and in the log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const INTERNAL_REQUEST_IDS: HeaderName = HeaderName::from_static("x-internal-request-ids");

/// Gives the request an id, times, counts and logs it, and names the id in the reply.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = format!("{:032x}", app.service.entropy().id128());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    #[expect(clippy::disallowed_methods, reason = "measures how long a request took")]
    let begun = std::time::Instant::now();

    let mut response = next.run(request).await;

    let took = begun.elapsed();
    let status = response.status().as_u16();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    app.metrics.count(&operation(verb(&method), route), status, took);
    tracing::debug!(request = id, %method, route, status, micros = took.as_micros(), "answered");

    let backing = response.extensions().get::<Backing>().copied();
    if let Ok(value) = HeaderValue::from_str(&id) {
        let headers = response.headers_mut();
        if backing == Some(Backing::Coreapp) {
            headers.insert(INTERNAL_REQUEST_IDS, value.clone());
        }
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// Names a new id in a reply to a request that never got as far as [`observe`].
pub fn name_request(app: &App, response: &mut Response) {
    let id = format!("{:032x}", app.service.entropy().id128());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// The method as it is counted: callers may invent methods, and each would be a series for ever.
fn verb(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if known.contains(method) { method.as_str() } else { "OTHER" }
}

/// Whether a browser says that a request comes from a page of this server. One that says nothing is
/// believed, as are programs: what else is asked of a caller is asked elsewhere.
pub fn same_origin(request: &Request) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site");
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return false;
    }
    // HTTP/2 has the host in the target.
    let host = text("host").or_else(|| request.uri().authority().map(Authority::as_str));
    match (text("origin"), host) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, named)| named.eq_ignore_ascii_case(host))
        }
        _ => true,
    }
}

/// `POST_v1_settings_backup`: the label style of the original (On-Premises reference §5.4).
fn operation(method: &str, route: &str) -> String {
    let mut name = String::with_capacity(method.len() + route.len());
    name.push_str(method);
    name.extend(route.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_labelled_as_the_original_does() {
        assert_eq!(operation("POST", "/v1/settings/backup"), "POST_v1_settings_backup");
    }

    #[test]
    fn methods_that_callers_invent_share_one_label() {
        assert_eq!(verb(&Method::PATCH), "PATCH");
        for invented in ["FOO", "post", "TRACE"] {
            assert_eq!(verb(&Method::from_bytes(invented.as_bytes()).unwrap()), "OTHER");
        }
    }
}

//! Every route of every dialect on one screen.

use axum::Router;
use axum::extract::{DefaultBodyLimit, OriginalUri, Request, State};
use axum::handler::Handler as _;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, post, put};
use http::{HeaderMap, Method, StatusCode, Uri};
use tower::ServiceExt as _;

use crate::onprem::reply::Fault;
use crate::onprem::stats::accepts_json;
use crate::onprem::{
    account, backup, certificates, health, media_providers, photo, settings, stats, support, users,
};
use crate::state::App;
use crate::{
    admin, cams, console, explain, graph, middleware, operations, pin_reset, sandbox, upstream_news,
};

/// The whole application. Sandbox tools are mounted only if `app` is one.
pub fn router(app: App) -> Router {
    let mut routes = dialect_routes(&app)
        .nest("/console", console::routes(&app))
        .route("/livez", get(operations::livez))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(stats::open_metrics))
        .route("/explain/{id}", get(explain::explain))
        .route("/two-step/reset/{token}", get(pin_reset::ask).post(pin_reset::confirm))
        .route(
            "/upstream/v1/{waba}/webhook",
            get(upstream_news::handshake)
                .post(upstream_news::told.layer(DefaultBodyLimit::max(upstream_news::BYTES_MAX))),
        )
        .route("/openapi.json", get(admin::openapi))
        .nest("/admin/v1", admin::routes(&app));
    if app.sandbox.is_some() {
        routes = routes.nest("/sandbox/v1", sandbox::routes());
    }
    let routes = observed(&app, routes.fallback(nowhere), graph_paths());
    drop(app);
    routes
}

/// The three dialects alone, for the console's explorer: it calls them as somebody from outside does.
pub(crate) fn dialects(app: &App) -> Router {
    observed(app, dialect_routes(app), graph_paths())
}

/// CAMS, which has one path for every operation (a browser is sent on to the console), and On-Premises.
fn dialect_routes(app: &App) -> Router<App> {
    Router::new()
        .route("/", any(cams::gateway::answer))
        .nest("/v1", onprem(app.clone()))
        .nest("/clients/{client}/v1", onprem(app.clone()))
}

fn observed(app: &App, others: Router<App>, graph_routes: Router<App>) -> Router {
    let observed = |routes: Router<App>| {
        routes
            .layer(axum::middleware::from_fn_with_state(app.clone(), middleware::observe))
            .with_state(app.clone())
    };
    by_path(observed(others), observed(graph_routes))
}

/// The Graph dialect. Its paths begin with a version such as `v25.0` or with an id, which no pattern here
/// can say, so [`by_path`] tells them from others; [`graph::gateway`] knows verbs and edges.
#[rustfmt::skip]
fn graph_paths() -> Router<App> {
    Router::new()
        .route("/{version}/{node}", any(graph::gateway::answer))
        .route("/{version}/{node}/phone_numbers", any(graph::gateway::answer))
        .route("/{version}/{node}/request_code", any(graph::gateway::answer))
        .route("/{version}/{node}/verify_code", any(graph::gateway::answer))
        .route("/{version}/{node}/register", any(graph::gateway::answer))
        .route("/{version}/{node}/deregister", any(graph::gateway::answer))
        .route("/{version}/{node}/subscribed_apps", any(graph::gateway::answer))
        .route("/{version}/{node}/{*edge}", any(graph::gateway::answer))
        // without a version
        .route("/{version}", any(graph::gateway::answer))
}

/// Largest body but for pictures: a sealed backup of all documents of a client fits.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The On-Premises dialect; section numbers are those of its reference.
#[rustfmt::skip]
fn onprem(app: App) -> Router<App> {
    Router::new()
        // §1 account
        .route("/account", post(account::request_code))
        .route("/account/verify", post(account::verify))
        .route("/account/shards", get(account::shards).post(account::set_shards))
        // §2 users
        .route("/users", post(users::create))
        .route("/users/login", post(users::login))
        .route("/users/logout", post(users::logout))
        .route("/users/{username}", get(users::show).put(users::change).delete(users::delete))
        // §3 two-step verification, §4 backup
        .route("/settings/account/two-step",
            post(account::set_two_step).delete(account::clear_two_step))
        .route("/settings/backup", post(backup::backup))
        .route("/settings/restore", post(backup::restore))
        // §5.2 application settings
        .route("/settings/application", get(settings::application)
            .patch(settings::change_application).delete(settings::reset_application))
        .route("/settings/application/media/providers",
            get(media_providers::show).post(media_providers::add))
        .route("/settings/application/media/providers/{provider}", delete(media_providers::remove))
        // §5.3 profile settings
        .route("/settings/business/profile",
            get(settings::business_profile).post(settings::change_business_profile))
        .route("/settings/business/compliance_info",
            get(settings::compliance_info).post(settings::change_compliance_info))
        .route("/settings/profile/about", get(settings::about).patch(settings::change_about))
        .route("/settings/profile/photo", get(photo::show).delete(photo::remove)
            .post(photo::change.layer(DefaultBodyLimit::max(photo::BYTES_MAX))))
        // §5.1 health, §5.4 support, statistics, certificates, services
        .route("/health", get(health::health))
        .route("/support", get(support::support))
        .route("/metrics", get(stats::metrics))
        .route("/stats/app", get(stats::app))
        .route("/stats/app/internal", get(stats::app_internal))
        .route("/stats/db", get(stats::db))
        .route("/stats/db/internal", get(stats::db_internal))
        .route("/certificates/external", post(certificates::set_external))
        .route("/certificates/external/ca", get(certificates::external_ca))
        .route("/certificates/webhooks/ca", get(certificates::webhooks_ca)
            .post(certificates::set_webhooks_ca).delete(certificates::remove_webhooks_ca))
        .route("/services/message/gc", put(stats::collect_garbage))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_verb)
        .with_state(app)
}

/// 404 / 1006 for everything else; says where messages are sent, since that is what is looked for.
async fn unknown(
    State(app): State<App>,
    method: Method,
    OriginalUri(asked): OriginalUri,
) -> Response {
    let details = format!(
        "{method} {} is not here: Rollcall registers numbers. Messages, contacts and media belong to the \
         platform the number is registered on, such as the WhatsApp Cloud API.",
        asked.path(),
    );
    Fault::not_found(&app, details).into_response()
}

/// What [`nowhere`] says: most often a base address lacks a part, so it says which there are.
const NOTHING_HERE: &str = "Nothing is here. The On-Premises dialect is at /v1/..., the Graph dialect at \
    /v25.0/..., the CAMS dialect at /, the operator's API at /admin/v1/..., the console at /console.";

/// 404 outside of the dialects: in the form of the sandbox's tools and of the operator's API where one of
/// them was looked for or JSON is asked for, else as text.
pub(crate) async fn nowhere(
    State(app): State<App>,
    OriginalUri(asked): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let root = asked.path().split('/').nth(1);
    if root == Some("sandbox") && app.sandbox.is_some() {
        return sandbox::nowhere();
    }
    let for_programs = matches!(root, Some("admin" | "sandbox" | "upstream"));
    if accepts_json(&headers).unwrap_or(for_programs) {
        return admin::Failure::NotFound(NOTHING_HERE.to_owned()).render(&app);
    }
    (StatusCode::NOT_FOUND, format!("{NOTHING_HERE}\n")).into_response()
}

/// 405; the router adds `Allow`. OPTIONS asks just for that.
async fn wrong_verb(State(app): State<App>, method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let details = format!("{method} is not allowed here; see Allow");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Fault::new(&app, status, 1025, "Request is not valid", details).into_response()
}

/// Tolerates slashes too many in paths of the dialects: one at the end (On-Premises reference §6.2, Graph §1), and
/// several in a row, which is what a base URL that ends in one makes of a path. Gives paths of the Graph dialect to its routes.
fn by_path(others: Router, graph_routes: Router) -> Router {
    let choose = move |mut request: Request| {
        without_idle_slashes(&mut request);
        let is_graph = graph::is_ours(request.uri().path());
        let routes = if is_graph { graph_routes.clone() } else { others.clone() };
        async move {
            match routes.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    };
    Router::new().fallback(choose)
}

fn without_idle_slashes(request: &mut Request) {
    let uri = request.uri();
    let Some(path) = tidied(uri.path()) else { return };
    let with_query = uri.query().map_or(path.clone(), |query| format!("{path}?{query}"));
    // Scheme and host stay: HTTP/2 names the host there, and a host names a client.
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = with_query.parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// The path that was meant, if it is another. Outside of the dialects slashes in a row stay: a proxy that keeps
/// `/admin` to itself must not be got round by `//admin`.
fn tidied(path: &str) -> Option<String> {
    let trimmed = if path.len() > 1 { path.strip_suffix('/') } else { None };
    let path = trimmed.unwrap_or(path);
    if path.contains("//") {
        let merged: String = path
            .split('/')
            .filter(|part| !part.is_empty())
            .fold(String::new(), |merged, part| merged + "/" + part);
        let is_ours = ["/v1/", "/clients/"].iter().any(|root| merged.starts_with(root));
        if is_ours || graph::is_ours(&merged) {
            return Some(merged);
        }
    }
    trimmed.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many_are_passed_over_in_the_dialects_alone() {
        for (path, meant) in [
            ("/v1/account", None),
            ("/v1/account/", Some("/v1/account")),
            ("//v1/account", Some("/v1/account")),
            ("/v1//account//verify", Some("/v1/account/verify")),
            ("//clients/shop//v1/health/", Some("/clients/shop/v1/health")),
            (
                "//v25.0//102290129340398/phone_numbers",
                Some("/v25.0/102290129340398/phone_numbers"),
            ),
            ("/", None),
            ("//", Some("/")),
            ("//admin/v1/numbers", None),
            ("/v1/../admin//v1", Some("/v1/../admin/v1")),
            ("//sandbox/v1/reset/", Some("//sandbox/v1/reset")),
        ] {
            assert_eq!(tidied(path).as_deref(), meant, "{path}");
        }
    }
}

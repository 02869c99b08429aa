//! Every route of every dialect on one screen.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use tower::ServiceExt as _;

use crate::onprem::reply::Fault;
use crate::onprem::{account, backup, health, users};
use crate::state::App;
use crate::{admin, explain, middleware, operations, sandbox};

/// The whole application. Sandbox tools are mounted only if `app` is one.
pub fn router(app: App) -> Router {
    let mut routes = Router::new()
        .route("/", get(|| async { Redirect::temporary("/console") }))
        .route("/livez", get(operations::livez))
        .route("/readyz", get(operations::readyz))
        .route("/explain/{id}", get(explain::explain))
        .route("/openapi.json", get(admin::openapi))
        .nest("/v1", onprem(app.clone()))
        .nest("/clients/{client}/v1", onprem(app.clone()))
        .nest("/admin/v1", admin::routes(&app));
    if app.sandbox.is_some() {
        routes = routes.nest("/sandbox/v1", sandbox::routes());
    }
    let routes = routes
        .layer(axum::middleware::from_fn_with_state(app.clone(), middleware::observe))
        .with_state(app);
    tolerate_trailing_slash(routes)
}

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
        // §5 health
        .route("/health", get(health::health))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_verb)
        .with_state(app)
}

/// 404 / 1006 for everything else; says where messages are sent, since that is what is looked for.
async fn unknown(State(app): State<App>, request: Request) -> Response {
    let details = format!(
        "{} {} is not here: Rollcall registers numbers. Messages, contacts and media belong to the \
         platform the number is registered on, such as the WhatsApp Cloud API.",
        request.method(),
        request.uri().path(),
    );
    Fault::not_found(&app, details).into_response()
}

/// 405; the router adds `Allow`.
async fn wrong_verb(State(app): State<App>, method: Method) -> Response {
    let details = format!("{method} is not allowed here; see Allow");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Fault::new(&app, status, 1025, "Request is not valid", details).into_response()
}

/// Tolerates one slash at the end of a path, as callers of the original send it (§6.2).
fn tolerate_trailing_slash(routes: Router) -> Router {
    let trim = move |mut request: Request| {
        let routes = routes.clone();
        async move {
            let uri = request.uri();
            let path = uri.path();
            if path.len() > 1 && path.ends_with('/') {
                let trimmed = &path[..path.len() - 1];
                let with_query =
                    uri.query().map_or(trimmed.to_owned(), |query| format!("{trimmed}?{query}"));
                if let Ok(uri) = with_query.parse() {
                    *request.uri_mut() = uri;
                }
            }
            match routes.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    };
    Router::new().fallback(trim)
}

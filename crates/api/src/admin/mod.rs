//! `/admin/v1`: the operator's API. Console and command line use nothing else.
//!
//! Whoever holds the token in `operator.token` may do everything here. A handler parses, calls one use
//! case and renders, as in the dialects; the same rules refuse the same things. [`OPERATIONS`] is the whole
//! API on one screen, and the OpenAPI document at `/openapi.json` is made of the same list.
//!
//! - Errors have one form, see `failure.rs`: `{"error":{"code","message","details":[…]}}`.
//! - Fields and parameters that nobody knows are refused by name, so that a slip never passes unnoticed.
//! - Lists come in pages: `{"items":[…],"next":…}`; `after=NEXT` asks for the next one.
//! - `Idempotency-Key` makes a repeated `POST`, `PUT`, `PATCH` or `DELETE` answer as the first one did.

mod access_keys;
mod accounts;
mod audit;
mod authentication;
mod certificates;
mod clients;
mod directory;
mod document;
mod failure;
mod fuses;
mod graph_tokens;
mod groups;
mod idempotency;
mod input;
mod installation;
mod live;
mod names;
mod numbers;
mod operators;
mod policies;
mod sends;
mod spaces;
mod upstreams;
mod users;
mod wabas;
mod webhooks;
mod wire;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post, put};

use crate::state::App;

pub(crate) use document::summaries;
pub use document::{openapi, openapi_json};
// A seed file describes an upstream in the same fields.
pub(crate) use failure::{Failure, rejected};
pub(crate) use upstreams::{NewUpstream, RegistrarWord, Secret};

/// Most bytes of a request's body: the largest, a certificate, has 6 KiB in base64.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// An operation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// HTTP method in lower case.
    pub method: &'static str,
    /// Path below `/admin/v1`.
    pub path: &'static str,
    /// Its name in the OpenAPI document.
    pub id: &'static str,
}

/// Fills the routes, the list of operations and the OpenAPI document from one table.
macro_rules! operations {
    ($($method:ident $path:literal $module:ident :: $handler:ident;)+) => {
        /// Every operation of the API.
        pub const OPERATIONS: &[Operation] = &[$(Operation {
            method: stringify!($method),
            path: $path,
            id: concat!(stringify!($module), "_", stringify!($handler)),
        }),+];

        fn operations() -> Router<App> {
            Router::new()$(.route($path, $method($module::$handler)))+
        }

        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($module::$handler),+), components(schemas(failure::ErrorBody)))]
        struct Described;
    };
}

operations! {
    get    "/accounts"                        accounts::list;
    post   "/accounts"                        accounts::create;
    get    "/accounts/{account}"              accounts::show;
    patch  "/accounts/{account}"              accounts::change;
    delete "/accounts/{account}"              accounts::remove;
    get    "/spaces"                          spaces::list;
    post   "/spaces"                          spaces::create;
    get    "/spaces/{space}"                  spaces::show;
    patch  "/spaces/{space}"                  spaces::change;
    delete "/spaces/{space}"                  spaces::remove;
    get    "/wabas"                           wabas::list;
    post   "/wabas"                           wabas::create;
    get    "/wabas/{waba}"                    wabas::show;
    patch  "/wabas/{waba}"                    wabas::change;
    delete "/wabas/{waba}"                    wabas::remove;
    get    "/wabas/{waba}/upstream"           upstreams::show;
    put    "/wabas/{waba}/upstream"           upstreams::set;
    delete "/wabas/{waba}/upstream"           upstreams::remove;
    post   "/wabas/{waba}/upstream/check"     upstreams::check;
    post   "/wabas/{waba}/upstream/compare"   upstreams::compare;
    get    "/wabas/{waba}/upstream/numbers"   upstreams::numbers;
    get    "/clients"                         clients::list;
    post   "/clients"                         clients::create;
    get    "/clients/{client}"                clients::show;
    patch  "/clients/{client}"                clients::change;
    delete "/clients/{client}"                clients::remove;
    post   "/clients/{client}/admin-password" clients::reset_admin_password;
    get    "/numbers"                         numbers::list;
    post   "/numbers"                         numbers::add;
    get    "/numbers/{number}"                numbers::show;
    post   "/numbers/{number}/request-code"   numbers::request_code;
    post   "/numbers/{number}/verify-code"    numbers::verify_code;
    post   "/numbers/{number}/register"       numbers::register;
    post   "/numbers/{number}/deregister"     numbers::deregister;
    post   "/numbers/{number}/unlock"         numbers::unlock;
    put    "/numbers/{number}/two-step"       numbers::set_two_step;
    delete "/numbers/{number}/two-step"       numbers::clear_two_step;
    post   "/numbers/{number}/two-step/reset-link" numbers::ask_reset;
    post   "/numbers/{number}/reveal-pin"     upstreams::reveal_pin;
    get    "/names"                           names::list;
    post   "/numbers/{number}/name/approve"   names::approve;
    post   "/numbers/{number}/name/decline"   names::decline;
    get    "/users"                           users::list;
    post   "/users"                           users::create;
    get    "/users/{account}/{user}"          users::show;
    patch  "/users/{account}/{user}"          users::change;
    delete "/users/{account}/{user}"          users::remove;
    put    "/users/{account}/{user}/policies/{policy}" users::attach;
    delete "/users/{account}/{user}/policies/{policy}" users::detach;
    put    "/users/{account}/{user}/groups/{group}" users::join;
    delete "/users/{account}/{user}/groups/{group}" users::leave;
    get    "/groups"                          groups::list;
    post   "/groups"                          groups::create;
    get    "/groups/{account}/{group}"        groups::show;
    delete "/groups/{account}/{group}"        groups::remove;
    put    "/groups/{account}/{group}/policies/{policy}" groups::attach;
    delete "/groups/{account}/{group}/policies/{policy}" groups::detach;
    get    "/policies"                        policies::list;
    post   "/policies"                        policies::create;
    get    "/policies/{account}/{policy}"     policies::show;
    patch  "/policies/{account}/{policy}"     policies::change;
    delete "/policies/{account}/{policy}"     policies::remove;
    post   "/policies/simulate"               policies::simulate;
    get    "/graph-tokens"                    graph_tokens::list;
    post   "/graph-tokens"                    graph_tokens::create;
    delete "/graph-tokens/{token}"            graph_tokens::revoke;
    get    "/access-keys"                     access_keys::list;
    post   "/access-keys"                     access_keys::create;
    post   "/temporary-keys"                  access_keys::create_temporary;
    get    "/access-keys/{key}"               access_keys::show;
    patch  "/access-keys/{key}"               access_keys::change;
    delete "/access-keys/{key}"               access_keys::remove;
    post   "/access-keys/{key}/rotate"        access_keys::rotate;
    get    "/operators"                       operators::list;
    post   "/operators"                       operators::create;
    patch  "/operators/{operator}"            operators::change;
    delete "/operators/{operator}"            operators::remove;
    post   "/operators/{operator}/reset-password" operators::reset_password;
    get    "/webhooks"                        webhooks::list;
    get    "/webhooks/{dialect}/{scope}/{scope_id}/secret" webhooks::secret;
    delete "/webhooks/{dialect}/{scope}/{scope_id}" webhooks::remove;
    get    "/callbacks"                       webhooks::callbacks;
    get    "/audit"                           audit::list;
    get    "/audit/live"                      live::live;
    get    "/audit/verify"                    audit::verify;
    get    "/sends"                           sends::list;
    get    "/sends/{send}"                    sends::show;
    post   "/certificates"                    certificates::issue;
    post   "/certificates/read"               certificates::read;
    post   "/keys/rotate-master"              installation::rotate_master;
    post   "/console-links"                   installation::console_link;
    get    "/fuses"                           fuses::show;
    post   "/fuses/reset"                     fuses::reset;
    get    "/limits"                          installation::limits;
    get    "/status"                          installation::status;
    get    "/statistics"                      installation::statistics;
}

/// All routes of the operator's API. From outside to inside: the token, repetition, words of failures.
pub fn routes(app: &App) -> Router<App> {
    unguarded_routes(app)
        .layer(from_fn_with_state(app.clone(), idempotency::once))
        .layer(from_fn_with_state(app.clone(), authentication::operator_only))
}

/// The same routes for a caller within the process that has authenticated somebody itself: the console.
pub(crate) fn unguarded_routes(app: &App) -> Router<App> {
    operations()
        .fallback(async || Failure::NotFound("There is nothing at this path.".to_owned()))
        .method_not_allowed_fallback(async || Failure::WrongVerb)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(app.clone(), failure::worded))
}

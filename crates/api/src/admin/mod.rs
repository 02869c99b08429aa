//! `/admin/v1`: the operator's API. Console and command line use nothing else.

use axum::Router;

use crate::state::App;

/// All routes of the operator's API.
pub fn routes() -> Router<App> {
    Router::new()
}

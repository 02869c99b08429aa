//! `/sandbox/v1`: tools of the sandbox. Production never mounts these routes.
//!
//! | Path | What |
//! |---|---|
//! | `GET inbox`, `inbox/{id}` | the messages that would have gone out |
//! | `GET inbox/wait`, `inbox/stream` | the next message; all as they come |
//! | `GET`, `POST clock` | the clock that every limit, token, lease and lifetime follows |
//! | `GET`, `POST`, `DELETE faults`, `faults/{id}` | trouble on demand |
//! | `GET magic-numbers` | numbers that are trouble by themselves |
//! | `POST reset`, `seed`, `snapshots/{name}`, `snapshots/{name}/restore` | the whole state |
//!
//! Answers are JSON; what is wrong with a request is `{"error": …, "details": …}`.

mod body;
mod clock;
mod faults;
mod inbox;
mod magic_numbers;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::routing::get;
use http::request::Parts;
use service::ports::TurnableClock;

use crate::state::App;
use body::Problem;

pub mod rehearsal;

pub use rehearsal::SandboxRehearsal;

/// What the sandbox's tools work on, put together at wiring.
#[derive(Clone)]
pub struct Tools {
    /// The clock that all rules follow.
    pub clock: Arc<dyn TurnableClock>,
    /// Magic numbers and faults; the same object is the service's `Rehearsal` port.
    pub rehearsal: Arc<SandboxRehearsal>,
}

/// All routes of the sandbox.
#[rustfmt::skip]
pub fn routes() -> Router<App> {
    Router::new()
        .route("/inbox", get(inbox::list))
        .route("/inbox/wait", get(inbox::wait))
        .route("/inbox/stream", get(inbox::stream::stream))
        .route("/inbox/{id}", get(inbox::show))
        .route("/clock", get(clock::show).post(clock::turn))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/faults/{id}", get(faults::show).delete(faults::remove))
        .route("/magic-numbers", get(magic_numbers::list))
}

impl FromRequestParts<App> for Tools {
    type Rejection = Problem;

    /// The tools, for the routes above: they are mounted only where there are tools.
    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, Problem> {
        app.sandbox.clone().ok_or_else(|| Problem::not_found("There is no sandbox here"))
    }
}

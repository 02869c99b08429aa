//! `/sandbox/v1`: tools of the sandbox. Production never mounts these routes.
//!
//! | Path | What |
//! |---|---|
//! | `GET inbox`, `inbox/{id}` | the messages that would have gone out |
//! | `GET inbox/{id}/audio` | what the call says, as a WAV file |
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
pub mod rehearsal;
pub mod seed;
mod whole_state;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::Method;
use http::request::Parts;
use registration::Timestamp;
use service::ports::TurnableClock;
use service::seed::PreparedSeed;

use crate::middleware::same_origin;
use crate::state::App;
use body::Problem;
pub(crate) use body::rejected;

pub use rehearsal::SandboxRehearsal;
pub use whole_state::StartError;

/// What the sandbox's tools work on, put together at wiring.
#[derive(Clone)]
pub struct Tools {
    /// The clock that all rules follow.
    pub clock: Arc<dyn TurnableClock>,
    /// Magic numbers and faults; the same object is the service's `Rehearsal` port.
    pub rehearsal: Arc<SandboxRehearsal>,
    start: Arc<Start>,
}

/// What a reset and a snapshot need to know.
struct Start {
    /// What follows the first start, at the first start and at each reset.
    seed: Option<PreparedSeed>,
    /// What the clock showed when a snapshot was made, and whether it stood still.
    clocks: Mutex<HashMap<String, (Timestamp, bool)>>,
    /// One change of the whole state at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Tools {
    /// Tools that go back to `seed` (on top of what exists from the first start).
    #[must_use]
    pub fn new(
        clock: Arc<dyn TurnableClock>,
        rehearsal: Arc<SandboxRehearsal>,
        seed: Option<PreparedSeed>,
    ) -> Self {
        let (clocks, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { clock, rehearsal, start: Arc::new(Start { seed, clocks, turn }) }
    }
}

impl Start {
    fn clocks(&self) -> MutexGuard<'_, HashMap<String, (Timestamp, bool)>> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All routes of the sandbox.
#[rustfmt::skip]
pub fn routes() -> Router<App> {
    Router::new()
        .route("/inbox", get(inbox::list))
        .route("/inbox/wait", get(inbox::wait))
        .route("/inbox/stream", get(inbox::stream::stream))
        .route("/inbox/{id}", get(inbox::show))
        .route("/inbox/{id}/audio", get(inbox::audio::play))
        .route("/clock", get(clock::show).post(clock::turn))
        .route("/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/faults/{id}", get(faults::show).delete(faults::remove))
        .route("/magic-numbers", get(magic_numbers::list))
        .route("/seed", post(seed::apply))
        .route("/reset", post(whole_state::reset))
        .route("/snapshots/{name}", post(whole_state::save))
        .route("/snapshots/{name}/restore", post(whole_state::restore))
        .fallback(async || nowhere())
        .layer(axum::middleware::from_fn(no_strange_page))
}

/// 404 for everything else.
pub(crate) fn nowhere() -> Response {
    Problem::not_found("The sandbox has no such tool").into_response()
}

/// Nobody logs in here, so that a test needs no credentials; a page of somebody else, open in the browser of
/// whoever runs the sandbox, must not change it for that.
async fn no_strange_page(request: Request, next: Next) -> Response {
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if only_reads || same_origin(&request) {
        return next.run(request).await;
    }
    Problem::forbidden("The request comes from a page that is not this server's").into_response()
}

impl FromRequestParts<App> for Tools {
    type Rejection = Problem;

    /// The tools, for the routes above: they are mounted only where there are tools.
    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, Problem> {
        app.sandbox.clone().ok_or_else(|| Problem::not_found("There is no sandbox here"))
    }
}

//! `/sandbox/v1`: tools of the sandbox. Production never mounts these routes.

use std::sync::Arc;

use axum::Router;
use service::ports::TurnableClock;

use crate::state::App;

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
pub fn routes() -> Router<App> {
    Router::new()
}

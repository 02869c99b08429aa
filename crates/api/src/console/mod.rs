//! `/console`: what an operator sees and does in a browser.
//!
//! The console is a client of the operator's API that happens to run in the same process: each page asks
//! `/admin/v1` and, in a sandbox, `/sandbox/v1` through `inside`, so it can do nothing that a script
//! could not, and is refused in the same words. Pages are rendered here (askama), work without scripts
//! for reading and for every form, and load nothing from any other host.
//!
//! - `guard` stands before every page: session, role, form token, headers.
//! - `texts/` is the one catalogue of words, English and German side by side.
//! - Absent: rules, limits, SQL, and pages of the sandbox in production.

mod access;
mod assets;
mod audit;
mod choices;
mod events;
mod explain;
mod explorer;
mod frame;
mod guard;
mod inside;
mod login;
mod names;
mod number_check;
mod numbers;
mod overview;
mod rehearse;
mod sandbox;
mod session;
mod settings;
mod shape;
mod signature;
mod texts;
mod trouble;
mod upstream;
mod wizard;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use http::StatusCode;

use crate::state::App;
use frame::{Frame, Section};
use inside::Inside;
pub(crate) use trouble::rejected;

pub use session::{Role, new_link};
pub use settings::{Setting, tell_settings};

/// What every page of the console works with. Cheap to clone.
#[derive(Clone)]
struct Console(Arc<Parts>);

/// See [`Console`].
struct Parts {
    app: App,
    inside: Inside,
    /// The three dialects, as a caller from outside meets them.
    wire: Router,
    /// What the explorer calls with.
    lent: explorer::Lent,
    /// How long a login lasts; `None` in a sandbox, whose clock can be turned: there it lasts as long as
    /// the browser runs.
    session_lifetime: Option<core::time::Duration>,
}

impl core::ops::Deref for Console {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<Console> for App {
    fn from_ref(console: &Console) -> Self {
        console.app.clone()
    }
}

/// All pages of the console. Those of the sandbox are mounted only if `app` is one.
pub(crate) fn routes(app: &App) -> Router<App> {
    let console = Console(Arc::new(Parts {
        app: app.clone(),
        inside: Inside::new(app),
        wire: crate::router::dialects(app),
        lent: explorer::Lent::default(),
        session_lifetime: app.sandbox.is_none().then_some(session::LIFETIME),
    }));
    let open = Router::new()
        .route("/login", get(login::page).post(login::log_in))
        .route("/enter/{link}", get(login::landing).post(login::with_link))
        .route("/preferences", post(login::preferences));
    let mut inner = Router::new()
        .route("/", get(overview::page))
        .route("/upstream", post(overview::check))
        .route("/upstream/{waba}", get(upstream::page).post(upstream::compare))
        .route("/logout", post(login::logout))
        .route("/numbers", get(numbers::list::page))
        .route("/numbers.csv", get(numbers::export::csv))
        .route("/numbers/{number}", get(numbers::show::page))
        .route("/numbers/{number}/register", post(numbers::act::register))
        .route("/numbers/{number}/deregister", post(numbers::act::deregister))
        .route("/numbers/{number}/unlock", post(numbers::act::unlock))
        .route("/numbers/{number}/pin", post(numbers::act::set_pin))
        .route("/numbers/{number}/pin/clear", post(numbers::act::clear_pin))
        .route("/numbers/{number}/pin/link", post(numbers::act::mail_reset_link))
        .route("/numbers/{number}/certificate", post(numbers::act::certificate))
        .route("/certificate.txt", post(numbers::act::download))
        .route("/names", get(names::page).post(names::judge))
        .route("/register", get(wizard::first).post(wizard::order))
        .route("/register/check", get(wizard::checked))
        .route("/register/{number}/code", get(wizard::code).post(wizard::confirm))
        .route("/register/{number}/again", post(wizard::again))
        .route("/register/{number}/hint", get(wizard::hint))
        .route("/register/{number}/done", get(wizard::done))
        .route("/audit", get(audit::page))
        .route("/access", get(access::first))
        .route("/access/{kind}", get(access::page).post(access::create))
        .route("/access/{kind}/remove", post(access::remove))
        .route("/access/{kind}/change", post(access::change))
        .route("/access/policies/simulate", post(access::simulate))
        .route("/explorer", get(explorer::first))
        .route("/explorer/operator", get(explorer::operator::page))
        .route("/explorer/{dialect}", get(explorer::list))
        .route("/explorer/{dialect}/{operation}", get(explorer::page).post(explorer::send))
        .route("/signature", get(signature::page).post(signature::check))
        .route("/settings", get(settings::page))
        .route("/explain/{id}", get(explain::page))
        .route("/events", get(events::stream));
    if app.sandbox.is_some() {
        inner = inner
            .route("/sandbox", get(sandbox::page))
            .route("/sandbox/inbox", get(sandbox::inbox))
            .route("/sandbox/clock", post(sandbox::clock))
            .route("/sandbox/reset", post(sandbox::reset))
            .route("/sandbox/seed", post(sandbox::seed))
            .route("/sandbox/snapshot", post(sandbox::snapshot))
            .route("/sandbox/faults", post(sandbox::add_fault))
            .route("/sandbox/faults/{id}/remove", post(sandbox::remove_fault))
            .route("/sandbox/try", post(sandbox::try_magic));
    }
    inner
        .fallback(not_found)
        .layer(from_fn_with_state(console.clone(), guard::logged_in))
        .merge(open.layer(from_fn_with_state(console.clone(), guard::anybody)))
        .route("/assets/{version}/{file}", get(assets::file))
        .layer(axum::middleware::from_fn(guard::headers))
        .with_state(console)
}

async fn not_found(frame: Frame) -> trouble::ErrorPage {
    trouble::ErrorPage::new(frame.in_section(Section::None), StatusCode::NOT_FOUND)
}

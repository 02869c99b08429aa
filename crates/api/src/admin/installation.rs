//! The installation as a whole: its limits, its master key, its clock.

use core::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::Caller;
use service::ports::Subject;
use utoipa::ToSchema;

use super::failure::{Failure, Failures};
use super::input::Body;
use super::wire::At;
use crate::console::Role;
use crate::state::App;

/// The current master key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MasterKey {
    /// Its epoch: how often it was rotated, plus one.
    epoch: u32,
}

/// The limits in force. Times are in seconds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LimitsView {
    code_lifetime: u64,
    /// Pause before each guess; as many guesses as there are pauses.
    guess_waits: Vec<u64>,
    failed_guesses_max: usize,
    failed_guesses_window: u64,
    failed_in_a_row_max: u32,
    /// Pause before each SMS; as many SMS as there are pauses.
    sms_waits: Vec<u64>,
    /// Pause before each call; as many calls as there are pauses.
    voice_waits: Vec<u64>,
    ladder_restart: u64,
    register_calls_max: usize,
    register_window: u64,
    pin_failures_max: u32,
    pin_lock: u64,
    verified_idle: u64,
    coreapp_restart: u64,
    coreapp_connect: u64,
    token_lifetime: u64,
    certificate_lifetime: u64,
    /// Sends per country and account.
    country_sends: AllowanceView,
    /// Requests per On-Premises client.
    client_requests: AllowanceView,
    /// Failed logins per user and source.
    login_failures: AllowanceView,
}

/// A link that logs somebody into the console, once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConsoleLink {
    /// The whole address, or only its path where the server does not know how it is reached.
    url: String,
    /// When it no longer works.
    expires_at: At,
}

/// For whom a link is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConsoleLink {
    /// `operator` may do everything, `auditor` looks only; `operator` if absent.
    #[serde(default)]
    role: LinkRole,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LinkRole {
    #[default]
    Operator,
    Auditor,
}

/// A burst, then a steady rate.
#[derive(Debug, Serialize, ToSchema)]
struct AllowanceView {
    burst: u32,
    /// Milliseconds in which one more is earned.
    interval_ms: u64,
}

/// The server at this moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    version: &'static str,
    /// `sandbox` or `production`.
    mode: &'static str,
    /// The time that all limits follow; in a sandbox it may have been turned.
    now: At,
    /// Whether the clock stands still (sandbox).
    frozen: bool,
    started_at: At,
    /// Epochs of the master keys, the current one last.
    key_epochs: Vec<u32>,
}

/// Makes a new master key the current one, while serving
///
/// What was made with older keys stays valid.
#[utoipa::path(post, path = "/keys/rotate-master", tag = "installation",
    responses((status = 200, body = MasterKey), Failures))]
pub(crate) async fn rotate_master(State(app): State<App>) -> Result<Json<MasterKey>, Failure> {
    let rotating = app.clone();
    // The key file is written and flushed: not on a thread that serves others.
    let rotated = tokio::task::spawn_blocking(move || (rotating.rotate_master)()).await;
    let epoch = match rotated {
        Ok(Ok(epoch)) => epoch,
        Ok(Err(problem)) => return Err(Failure::Conflict(problem)),
        Err(error) => {
            tracing::error!(%error, "the rotation of the master key ended early");
            return Err(Failure::Internal);
        }
    };
    if let Err(error) = app.service.recognise_keys().await {
        // The key is in use all the same; the next start leaves its mark.
        tracing::warn!(%error, "the new master key is not known by its mark yet");
    }
    let details = json!({ "epoch": epoch });
    app.service
        .record(&Caller::operator(), Subject::System, "master_key_rotated", &details)
        .await?;
    Ok(Json(MasterKey { epoch }))
}

/// Shows the limits in force
#[utoipa::path(get, path = "/limits", tag = "installation",
    responses((status = 200, body = LimitsView), Failures))]
pub(crate) async fn limits(State(app): State<App>) -> Json<LimitsView> {
    let policy = app.service.policy();
    let limits = &policy.limits;
    let all = |waits: &[Duration]| waits.iter().map(Duration::as_secs).collect();
    Json(LimitsView {
        code_lifetime: limits.code_lifetime.as_secs(),
        guess_waits: all(&limits.guess_waits),
        failed_guesses_max: limits.failed_guesses_max,
        failed_guesses_window: limits.failed_guesses_window.as_secs(),
        failed_in_a_row_max: limits.failed_in_a_row_max,
        sms_waits: all(&limits.sms_waits),
        voice_waits: all(&limits.voice_waits),
        ladder_restart: limits.ladder_restart.as_secs(),
        register_calls_max: limits.register_calls_max,
        register_window: limits.register_window.as_secs(),
        pin_failures_max: limits.pin_failures_max,
        pin_lock: limits.pin_lock.as_secs(),
        verified_idle: limits.verified_idle.as_secs(),
        coreapp_restart: limits.coreapp_restart.as_secs(),
        coreapp_connect: limits.coreapp_connect.as_secs(),
        token_lifetime: policy.token_lifetime.as_secs(),
        certificate_lifetime: policy.certificate_lifetime.as_secs(),
        country_sends: policy.country_sends.into(),
        client_requests: policy.client_requests.into(),
        login_failures: policy.login_failures.into(),
    })
}

/// Makes a link that logs somebody into the console: it works once, for ten minutes
#[utoipa::path(post, path = "/console-links", tag = "installation",
    request_body = NewConsoleLink, responses((status = 201, body = ConsoleLink), Failures))]
pub(crate) async fn console_link(
    State(app): State<App>,
    Body(new): Body<NewConsoleLink>,
) -> impl IntoResponse {
    let role = match new.role {
        LinkRole::Operator => Role::Operator,
        LinkRole::Auditor => Role::Auditor,
    };
    let (link, expires_at) = crate::console::new_link(&app, role);
    let url = format!("{}/console/enter/{link}", app.settings.public_url);
    (StatusCode::CREATED, Json(ConsoleLink { url, expires_at: expires_at.into() }))
}

/// Shows the server at this moment
#[utoipa::path(get, path = "/status", tag = "installation",
    responses((status = 200, body = Status), Failures))]
pub(crate) async fn status(State(app): State<App>) -> Json<Status> {
    let tools = app.sandbox.as_ref();
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        mode: if tools.is_some() { "sandbox" } else { "production" },
        now: app.service.now().into(),
        frozen: tools.is_some_and(|tools| tools.clock.is_frozen()),
        started_at: app.settings.started_at.into(),
        key_epochs: app.service.keys().epochs(),
    })
}

/// How much there is.
#[expect(clippy::struct_field_names, reason = "numbers are one of the things that are counted")]
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// Numbers that somebody claimed at some time.
    numbers_known: u64,
    /// Numbers registered now.
    numbers_registered: u64,
    /// Numbers that are verified and not registered.
    numbers_verified: u64,
    /// Numbers that await a code: neither registered nor verified.
    numbers_awaiting_code: u64,
    /// Numbers that were added, and nothing more.
    numbers_unverified: u64,
    /// Numbers locked by wrong codes, whatever else they are.
    numbers_locked: u64,
}

/// Counts what there is
#[utoipa::path(get, path = "/statistics", tag = "installation",
    responses((status = 200, body = Statistics), Failures))]
pub(crate) async fn statistics(State(app): State<App>) -> Result<Json<Statistics>, Failure> {
    let counts = app.service.number_counts().await?;
    let farther = counts.registered + counts.verified + counts.awaiting_code;
    Ok(Json(Statistics {
        numbers_known: counts.known,
        numbers_registered: counts.registered,
        numbers_verified: counts.verified,
        numbers_awaiting_code: counts.awaiting_code,
        // Counted a moment apart.
        numbers_unverified: counts.known.saturating_sub(farther),
        numbers_locked: counts.locked,
    }))
}

impl From<service::Allowance> for AllowanceView {
    fn from(it: service::Allowance) -> Self {
        let interval_ms = u64::try_from(it.interval.as_millis()).unwrap_or(u64::MAX);
        Self { burst: it.burst, interval_ms }
    }
}

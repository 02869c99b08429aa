//! A mailed link that resets the PIN.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use registration::Locale;
use serde::{Deserialize, Serialize};
use service::Caller;
use service::pin_reset::ResetAsked;
use utoipa::ToSchema;

use super::super::failure::{Failure, Failures};
use super::super::input::{Body, InPath};
use super::super::wire::At;
use super::known;
use super::orders::Language;
use crate::state::App;

/// An order for a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskPinReset {
    /// Language of the mail; English if absent.
    #[schema(value_type = Option<String>, example = "de")]
    locale: Option<Language>,
}

/// A link on its way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PinResetMailed {
    /// To whom, masked.
    mailed_to: String,
    /// How long it counts.
    expires_at: At,
}

/// Mails a link that switches two-step verification off
///
/// It goes to the contact address of the WABA that holds the registration, and counts once, for 24 hours.
#[utoipa::path(post, path = "/numbers/{number}/two-step/reset-link", tag = "numbers",
    params(("number" = String, Path)), request_body = AskPinReset,
    responses((status = 202, body = PinResetMailed), Failures))]
pub(crate) async fn ask_reset(
    State(app): State<App>,
    InPath(number): InPath,
    Body(order): Body<AskPinReset>,
) -> Result<(StatusCode, Json<PinResetMailed>), Failure> {
    known(&app, number).await?;
    let locale = order.locale.map_or_else(Locale::english, |language| language.0);
    let conflict = |message: &str| Err(Failure::Conflict(message.to_owned()));
    match app.service.ask_pin_reset(&Caller::operator(), number, &locale).await? {
        ResetAsked::Mailed { to, expires_at } => {
            let mailed = PinResetMailed { mailed_to: to, expires_at: expires_at.into() };
            Ok((StatusCode::ACCEPTED, Json(mailed)))
        }
        ResetAsked::NotRegistered => conflict("Nobody holds a registration of this number."),
        ResetAsked::NoPin => conflict("Two-step verification of this number is off."),
        ResetAsked::NoAddress => conflict(
            "The WABA that holds this number has no contact_email; set it with PATCH /admin/v1/wabas/{waba}.",
        ),
        ResetAsked::TooMany { opens_at } => {
            Err(Failure::TooMany { opens_at, now: app.service.now() })
        }
    }
}
